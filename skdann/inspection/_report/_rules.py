"""Rules from measures to findings: what a figure means, and what to try."""

from dataclasses import dataclass

import numpy as np

from ...metrics._proportions import chance_variation, total_variation

# Limits from 33 pairs of real domains (docs/guide/report.md). Where the comment names a
# figure, the limit lies beyond all that was seen there; the others separate most of the
# pairs that lost by adapting from those that gained.
_NEVER_LEARNED = 0.55  # highest domain accuracy of any epoch; the lowest was .58
_ALWAYS_WINS = 0.9  # domain accuracy at the end; the highest was .75
_NO_EFFECT = 0.99  # agreement with the source-only model; the highest was .97
_PROPORTIONS_DIFFER = 0.1  # total variation, beyond what counting brings about
_ALIKE = 0.3  # proxy A-distance
_LOST = 0.05  # of source accuracy, or of reverse validation
_GAINED = 0.05  # of infomax, or lost


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    kind : str
        Short name, for programs.
    is_warning : bool
        Whether something should be done.
    what : str
        What was found, with its figure.
    meaning : str
        What it means.
    advice : str
        What to try.
    """

    kind: str
    is_warning: bool
    what: str
    meaning: str
    advice: str


def find(measures):
    """Return the findings, warnings first.

    Parameters
    ----------
    measures : Measures
        Of a fitted model.

    Returns
    -------
    list of Finding
    """
    if measures.lambda_max == 0 or not measures.saw_target:
        rules = [_not_adapted, _one_class]
    else:
        rules = _RULES
    findings = [rule(measures) for rule in rules]
    findings = [finding for finding in findings if finding is not None]
    return sorted(findings, key=lambda finding: not finding.is_warning)


def judge(measures):
    """Return "for" or "against" adapting, by unsupervised scores, or "open"."""
    changes = {
        name: after - before for name, (before, after) in measures.scores.items()
    }
    losses = changes["source_accuracy"], changes["reverse_validation"]
    if min(losses) < -_LOST or changes["infomax"] < -_GAINED:
        return "against"
    return "for" if changes["infomax"] > _GAINED else "open"


def _not_adapted(measures):
    return Finding(
        "not_adapted",
        True,
        "Nothing was adapted: "
        + ("lambda_max=0." if measures.saw_target else "it was fitted without X_tgt."),
        "The network learned from the source alone: both columns are of source-only "
        "models.",
        "Fit with X_tgt and lambda_max=1, and make the report of that.",
    )


def _one_class(measures):
    """Find classes that the source has and no row of the target gets."""
    predicted, source = (measures.proportions[k] for k in ("adapted", "source"))
    top = int(predicted.argmax())
    if predicted[top] > 0.99 > source[top]:
        return Finding(
            "one_class",
            True,
            f"{predicted[top]:.1%} of the target are predicted as "
            f"{_name(measures, top)}.",
            "The predictions have collapsed, unless the target is of one class.",
            "Scale the target as the source is (a Pipeline with "
            "transform_input=['X_tgt']), lower lambda_max or lr, and look at the "
            "predictions of the source-only model.",
        )
    missing = np.flatnonzero((predicted < 0.001) & (source >= 0.03))
    if not len(missing):
        return None
    names = ", ".join(_name(measures, i) for i in missing[:8])
    return Finding(
        "missing_classes",
        True,
        f"No row of the target is predicted as {names}.",
        "Either the target lacks the class, which plain domain-adversarial training "
        "cannot know, or the features have lost it.",
        "If you know that the class is in the target, lower lambda_max. If it is not, "
        "leave its rows out of the source and fit again.",
    )


def _never_learned(measures):
    accuracy = measures.history_of("domain_accuracy")
    if accuracy.max() >= _NEVER_LEARNED:
        return None
    what = (
        "The domain classifier was at chance in every epoch (at best "
        f"{accuracy.max():.0%})."
    )
    if measures.distances["input"] < _ALIKE:
        return Finding(
            "domains_alike",
            False,
            what,
            "A fresh classifier hardly separates the domains either (proxy "
            f"A-distance {measures.distances['input']:.2f} of 2): there is little to "
            "adapt.",
            "Use the network with lambda_max=0, or any classifier.",
        )
    return Finding(
        "never_learned",
        True,
        what,
        "The domains do differ (proxy A-distance of the input "
        f"{measures.distances['input']:.2f} of 2), but the adversary did not see it: "
        "its reversed gradient was noise to the features.",
        "Widen domain_hidden_layer_sizes, raise lr, train longer, or let lambda rise "
        "later (a smaller lambda_gamma).",
    )


def _always_wins(measures):
    accuracy = measures.history_of("domain_accuracy")
    final = accuracy[-max(1, len(accuracy) // 5) :].mean()
    if final < _ALWAYS_WINS:
        return None
    return Finding(
        "always_wins",
        True,
        f"The domain classifier is right on {final:.0%} of the rows to the end.",
        "The features still reveal the domain: they were hardly aligned.",
        "Raise lambda_max (3, 10) or train longer. If the domains differ in scale, or "
        "in a column that names them, correct that first: scale each domain by itself, "
        "drop the column.",
    )


def _no_effect(measures):
    if measures.agreement < _NO_EFFECT:
        return None
    return Finding(
        "no_effect",
        True,
        f"With and without adapting, {measures.agreement:.1%} of the target get the "
        "same prediction.",
        f"lambda_max={measures.lambda_max:g} changes hardly anything.",
        "If the scores are good, use lambda_max=0. Else raise lambda_max, or widen "
        "domain_hidden_layer_sizes.",
    )


def _other_proportions(measures):
    """Find label shift, which adapting cannot correct and tends to hide."""
    of = measures.proportions
    adapted = total_variation(of["source"], of["estimated"])
    alone = total_variation(of["source"], of["source only"])
    limit = _PROPORTIONS_DIFFER + chance_variation(of["source"], measures.n_rows)
    advice = (
        "If you know the proportions of the target, weight the source to have them "
        "(class_weight) and fit again. Else trust lambda_max=0 or a small lambda_max "
        "more, and label a few rows to decide."
    )
    if adapted > limit:
        return Finding(
            "other_proportions",
            True,
            f"The classes have other proportions in the target: {adapted:.0%} of the "
            "rows or more would have to change class.",
            "Plain domain-adversarial training makes the domains alike as a whole. "
            "Where the proportions differ, it can only do so by mixing classes.",
            advice,
        )
    if alone > limit:
        return Finding(
            "proportions_unknown",
            False,
            f"Predicted class proportions are {_points(alone)} from the source's "
            "without adaptation; those estimated from the adapted model, "
            f"{_points(adapted)}.",
            "Either the source-only model is mistaken and adapting corrects it, or the "
            "proportions really differ and adapting hides it: it draws them towards "
            "those of the source.",
            advice,
        )
    return None


def _lost_source(measures):
    before, after = measures.scores["source_accuracy"]
    if after >= before - _LOST:
        return None
    return Finding(
        "lost_source",
        True,
        f"Accuracy on held-out source rows fell from {before:.1%} to {after:.1%}.",
        "The adversary removed features that separate the classes.",
        "Lower lambda_max.",
    )


def _lost_reverse(measures):
    before, after = measures.scores["reverse_validation"]
    if after >= before - _LOST:
        return None
    return Finding(
        "lost_reverse",
        True,
        f"Reverse validation fell from {before:.1%} to {after:.1%}.",
        "A model trained on the adapted model's pseudo-labels predicts the source less "
        "well: adapting may have mixed some classes.",
        "Lower lambda_max, or choose it by DANNGridSearchCV.",
    )


def _lost_infomax(measures):
    before, after = measures.scores["infomax"]
    if after >= before - _GAINED:
        return None
    return Finding(
        "lost_infomax",
        True,
        f"Infomax of the predictions for the target fell from {before:.2f} to "
        f"{after:.2f}.",
        "They are less certain, or of fewer classes: aligning the domains may have "
        "mixed the classes.",
        "Lower lambda_max, or choose it by DANNGridSearchCV.",
    )


def _still_apart(measures):
    before, after = (measures.distances[k] for k in ("source only", "adapted"))
    if after < before - _ALIKE or measures.distances["input"] < _ALIKE:
        return None
    return Finding(
        "still_apart",
        False,
        f"A fresh linear classifier still separates the domains in the features "
        f"(proxy A-distance {before:.2f} without adapting, {after:.2f} with, of 2).",
        "The features deceive the network's own domain classifier, not every one. "
        "Adapting may have helped all the same.",
        "For a closer alignment widen domain_hidden_layer_sizes.",
    )


_RULES = (
    _one_class,
    _never_learned,
    _always_wins,
    _no_effect,
    _other_proportions,
    _lost_source,
    _lost_reverse,
    _lost_infomax,
    _still_apart,
)


def _points(share):
    """Return a share in words, as percentage points."""
    text = f"{100 * share:.0f}"
    return f"{text} point" if text == "1" else f"{text} points"


def _name(measures, position):
    return repr(measures.classes.tolist()[position])  # of numpy or of Python
