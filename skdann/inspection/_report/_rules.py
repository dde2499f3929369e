"""Rules from measures to findings: what a figure means, and what to try."""

from ._finding import Finding
from ._verdict import LOST

# Limits from 33 pairs of real domains (docs/guide/report.md). Where the comment names a
# figure, the limit lies beyond all that was seen there; the others separate most of the
# pairs that lost by adapting from those that gained.
_NEVER_LEARNED = 0.55  # highest domain accuracy of any epoch; the lowest was .58
_ALWAYS_WINS = 0.9  # domain accuracy at the end; the highest was .75
_ALIKE = 0.3  # proxy A-distance


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
        findings = [_not_adapted(measures), measures.find_collapse()]
    else:
        findings = [
            measures.find_collapse(),
            *(rule(measures) for rule in _OF_DOMAINS),
            *measures.find_of_y(),
            *(rule(measures) for rule in _OF_SCORES),
        ]
    findings = [finding for finding in findings if finding is not None]
    return sorted(findings, key=lambda finding: not finding.is_warning)


def _not_adapted(measures):
    return Finding(
        "not_adapted",
        True,
        "Nothing was adapted: "
        + ("lambda_max=0." if measures.saw_target else "it was fitted without X_tgt."),
        "The network learned from the source alone: both columns are of source-only "
        "models.",
        f"Fit with X_tgt and lambda_max={measures.usual_lambda:g}, and make the report "
        "of that.",
    )


def _never_learned(measures):
    accuracy = measures.history_of("domain_accuracy")
    if accuracy.max() >= _NEVER_LEARNED * 2 * measures.chance:
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
        f"Raise lambda_max ({measures.larger_lambdas}) or train longer. If the domains "
        "differ in scale, or in a column that names them, correct that first: scale "
        "each domain by itself, drop the column.",
    )


def _no_effect(measures):
    if not measures.effect:
        return None
    return Finding(
        "no_effect",
        True,
        f"With and without adapting, {measures.effect}.",
        f"lambda_max={measures.lambda_max:g} changes hardly anything.",
        "If the scores are good, use lambda_max=0. Else raise lambda_max, or widen "
        "domain_hidden_layer_sizes.",
    )


def _lost_source(measures):
    before, after = measures.scores[measures.evidence.source_score]
    if measures.evidence.lost_on_source <= LOST:
        return None
    return Finding(
        "lost_source",
        True,
        f"{measures.of_source} on held-out source rows fell from "
        f"{_in_words(measures, before)} to {_in_words(measures, after)}.",
        "The adversary removed features that predict y.",
        "Lower lambda_max.",
    )


def _lost_reverse(measures):
    before, after = measures.scores["reverse_validation"]
    if after >= before - LOST:
        return None
    return Finding(
        "lost_reverse",
        True,
        f"Reverse validation fell from {_in_words(measures, before)} to "
        f"{_in_words(measures, after)}.",
        "A model trained on the adapted model's pseudo-labels predicts the source less "
        "well: adapting may have mixed rows of unlike y.",
        "Lower lambda_max, or choose it by DANNGridSearchCV.",
    )


def _in_words(measures, score):
    return measures.score_format.format(score)


def _still_apart(measures):
    before, after = (measures.distances[k] for k in ("source only", "adapted"))
    if after < max(before - _ALIKE, _ALIKE) or measures.distances["input"] < _ALIKE:
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


_OF_DOMAINS = (_never_learned, _always_wins, _no_effect)
_OF_SCORES = (_lost_source, _lost_reverse, _still_apart)
