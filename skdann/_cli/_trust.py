"""Judge how far predictions can be trusted, without labels of the target or by them."""

import math

import numpy as np
from sklearn.metrics import r2_score

from .._auto._judged_classes import AGREED
from .._base import BaseDANN
from .._pipelines import Preprocessing, replace_last_step
from .._warn import warn
from ..inspection import adaptation_report
from ..model_selection import rows_to_label

# Shares of the target beyond which rows are to be labelled first, and the agreement
# below which they are; docs/guide/command.md has what was measured.
DISPUTED = 0.10
LEAST_KAPPA = 0.5  # where one class is frequent, models share much by chance
OTHER_PROPORTIONS = 0.15
UNLIKE = 0.80

N_TO_LABEL = 10
FEWEST_KNOWN = 20
Z = 1.645  # of an interval of 90%

FOR, OPEN, AGAINST = "for", "open", "against"
ADVICE = {
    FOR: "Use the predictions: nothing that can be seen speaks against.",
    OPEN: "Label some rows first: the target may differ from what was learned.",
    AGAINST: "Do not use these predictions.",
}
DOUBT_OF_NUMBERS = (
    "Without known numbers of the target nothing tells how good they are."
)


def judge(trained, label, predicted, unlike, options):
    """Return the verdict, its reasons, and the figures that it is made of.

    Parameters
    ----------
    trained : Trained
    label : Label
    predicted : ndarray
        For all rows of the target.
    unlike : list of str
        Of each row why it is unlike the source, or "".
    options : argparse.Namespace
        With ``seed`` and ``quick``.

    Returns
    -------
    dict
        That JSON can hold, but for ``of_network``, the report on a network or None.
    """
    auto = trained.pipeline[-1]
    rows_tgt = Preprocessing(trained.pipeline).transform(trained.X_tgt)
    network, report = "", None
    if not options.quick:
        network, report = _report_of_network(auto, trained, options.seed)
    is_of_classes = label.task == "classification"
    found = {
        "reason": auto.reason_.partition(" rows_to_label ")[0],
        "models": {name: _plain(column) for name, column in auto.results_.items()},
        "unlike": float(np.mean([bool(reason) for reason in unlike])),
        "to_label": _rows_to_label(trained, label, options.seed),
        "network": network,
        "report": None if report is None else report.to_dict(),
        **(
            _of_classes(auto, rows_tgt, trained.y, predicted)
            if is_of_classes
            else {"source": _describe(trained.y), "target": _describe(predicted)}
        ),
    }
    is_unused = trained.y_tgt is None and label.is_known.sum() >= FEWEST_KNOWN
    found["measured"] = _measure(label, predicted) if is_unused else None
    found["verdict"], found["reasons"] = _conclude(found, is_of_classes)
    found["advice"] = ADVICE[found["verdict"]]
    return {**found, "of_network": report}


def _conclude(found, is_of_classes):
    """Return the verdict, and sentences that say why."""
    if found["measured"] is not None:
        return found["measured"]["verdict"], [found["measured"]["text"]]
    if found.get("one_class"):
        return AGAINST, [f"All rows are predicted as {found['one_class']!r}."]
    doubts = _doubts_of_classes(found) if is_of_classes else [DOUBT_OF_NUMBERS]
    if found["unlike"] > UNLIKE:
        doubts.append(f"{found['unlike']:.0%} of the rows are unlike the source.")
    if found["report"] is not None and found["report"]["verdict"] == AGAINST:
        doubts.append(
            "Adapting has cost the network accuracy on the source, and a model of "
            "another kind does not support it."
        )
    if doubts:
        return OPEN, doubts
    return FOR, [
        f"Models of unlike kinds agree on all but {found['disputed']:.0%} of the rows, "
        "and the classes are about as frequent as in the source."
    ]


def _doubts_of_classes(found):
    doubts = []
    if found["disputed"] > DISPUTED:
        doubts.append(f"Models disagree on {found['disputed']:.0%} of the rows.")
    if found["kappa"] < LEAST_KAPPA:
        doubts.append(
            "Models agree little more than they would by chance (mean kappa "
            f"{found['kappa']:.2f}, of 1)."
        )
    if found["change"] > OTHER_PROPORTIONS:
        doubts.append(
            "The classes are predicted in other proportions than in the source "
            f"({found['change']:.0%} of the rows): whether they are is not known."
        )
    return doubts


def _of_classes(auto, rows_tgt, y, predicted):
    """Return how far the models agree, and how frequent the classes are."""
    answers, classes = auto._candidate_answers(rows_tgt), auto.classes_
    votes = [answers.weights @ (answers.answers == c) for c in range(len(classes))]
    shares = [[np.mean(labels == c) for c in classes] for labels in (y, predicted)]
    of_source, of_target = np.array(shares, dtype=float)
    agreement, weight = (auto.results_[name] for name in ("agreement", "weight"))
    return {
        "kappa": float(np.nansum(agreement * weight)),
        "disputed": float(np.mean(np.max(votes, axis=0) < AGREED)),
        "change": float(np.abs(of_source - of_target).sum() / 2),
        "one_class": str(predicted[0]) if of_target.max() == 1 else None,
        "classes": [
            {"class": str(c), "source": float(s), "target": float(t)}
            for c, s, t in zip(classes, of_source, of_target, strict=True)
        ],
    }


def _describe(numbers):
    low, median, high = np.quantile(numbers, [0.05, 0.5, 0.95]).tolist()
    return {"low": low, "median": median, "high": high}


def _report_of_network(auto, trained, seed):
    """Return the name of the network that counts most, and a report, or None."""
    networks = [
        name
        for name in auto.results_["candidate"]
        if isinstance(auto.candidates_.get(name), BaseDANN)
    ]
    if not networks:
        return "", None
    # with the columns' names, which encoded rows have lost
    network = replace_last_step(trained.pipeline, auto.candidates_[networks[0]])
    try:
        report = adaptation_report(
            network, trained.X, trained.y, trained.X_tgt, random_state=seed
        )
    except ValueError as error:  # too few rows of a class to hold some out
        warn(f"There is no report on the network: {error}")
        report = None
    return networks[0], report


def _rows_to_label(trained, label, seed):
    """Return positions in the target, those that tell most."""
    if label.is_known.all():
        return []
    known = trained.y_tgt
    n_known = 0 if known is None else int(label.known(known).sum())
    n = min(N_TO_LABEL, len(trained.X_tgt) - n_known)
    if not n:
        return []
    rows, _ = rows_to_label(
        trained.pipeline, trained.X_tgt, n, y_tgt=known, random_state=seed
    )
    return trained.X_tgt.index[rows].tolist()


def _measure(label, predicted):
    """Return what known labels of the target say that nothing was trained on."""
    known = label.is_known
    y, predicted = label.y_tgt[known], predicted[known]
    if label.task == "regression":
        return _measure_numbers(np.asarray(y, dtype=float), predicted)
    accuracy = float(np.mean(y == predicted))
    _, counts = np.unique(y.astype(str), return_counts=True)
    guess, n = counts.max() / len(y), len(y)
    margin = Z * math.sqrt(max(accuracy * (1 - accuracy), 1 / n) / n)
    verdict = OPEN
    if accuracy - margin > guess:
        verdict = FOR
    elif accuracy <= guess:
        verdict = AGAINST
    return {
        "verdict": verdict,
        "n": n,
        "accuracy": accuracy,
        "most_frequent": float(guess),
        "text": (
            f"Of {n} rows of the target whose label was known and not used, "
            f"{accuracy:.1%} are predicted rightly (90% interval "
            f"{accuracy - margin:.1%} to {min(1, accuracy + margin):.1%}); always "
            f"predicting the most frequent class would be right for {guess:.1%}."
        ),
    }


def _measure_numbers(y, predicted):
    r2 = float(r2_score(y, predicted))
    error = float(np.mean(np.abs(y - predicted)))
    gain = (y - y.mean()) ** 2 - (y - predicted) ** 2
    margin = Z * gain.std() / math.sqrt(len(y))
    verdict = AGAINST if gain.mean() <= 0 else OPEN
    if gain.mean() > margin:
        verdict = FOR
    return {
        "verdict": verdict,
        "n": len(y),
        "r2": r2,
        "mean_absolute_error": error,
        "text": (
            f"On {len(y)} rows of the target whose label was known and not used, the "
            f"mean error is {error:.3g}, and R2 {r2:.2f} (0 is what always predicting "
            "their mean would reach)."
        ),
    }


def _plain(values):
    """Return an array as a list that JSON can hold."""
    values = np.asarray(values)
    if values.dtype.kind == "f":
        return [None if np.isnan(value) else float(value) for value in values]
    return values.tolist()
