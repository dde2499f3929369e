"""What is said first: what to do, and why."""

from ._class_rules import proportions_differ
from ._labels import n_to_label

# Of 69 pairs of real domains, from docs/results/reports.json; docs/reliability.md.
N_PAIRS = 69
GAINED = {"for": (15, 15), "open": (27, 51), "against": (1, 3)}
N_HELD = 65  # pairs whose accuracy was at most the highest estimate
EXCESS = 0.15  # of this estimate over the truth, on average

# Share of the target above which it does not matter which of two models predicts.
_ALIKE = 0.98

_WITNESS = "A random forest, a model of another kind, "
_REASONS = {
    "for": f"{_WITNESS}agrees more with the adapted than with the source-only model.",
    "against": (
        "Adapting has cost accuracy on the source, and a random forest, a model of "
        "another kind, does not agree more with the adapted model."
    ),
    "open": f"{_WITNESS}does not agree more with the adapted model.",
    "other proportions": (
        "The classes have other proportions in the target: then agreement of unlike "
        "models says little."
    ),
}


def recommend(measures, verdict):
    """Return in one sentence what to do.

    To be deployed, the adapted model must also agree better with all others than any
    simple model does, or predict as the best of these; to stay with that one, it must
    agree better than the adapted model.

    Parameters
    ----------
    measures : Measures
        Of a fitted model.
    verdict : {"for", "against", "open"}
        What :func:`judge` says.
    """
    evidence = measures.evidence
    best = evidence.best_simple
    figures, of_adapted = evidence.models[best], evidence.models["adapted"]
    leads = of_adapted["agreement"] >= figures["agreement"]
    same = figures["same_prediction"]
    if verdict == "for" and (leads or same >= _ALIKE):
        return "Deploy the adapted model."
    if verdict == "against" and not leads:
        return f"Stay with the {best}."
    if same >= _ALIKE:
        return f"Stay with the {best}: the adapted model predicts {same:.0%} alike."
    n = n_to_label(evidence)
    return f"Label {n} target rows first: report.rows_to_label({n})."


def reasons(measures, verdict):
    """Return sentences that say why, and how often that was right.

    Parameters
    ----------
    measures : Measures
        Of a fitted model.
    verdict : {"for", "against", "open"}
        What it came to.
    """
    key = "other proportions" if proportions_differ(measures) else verdict
    gained, of = GAINED[verdict]
    estimates = measures.evidence.accuracy.values()
    return [
        f"{_REASONS[key]} Where the verdict was {verdict!r} on {N_PAIRS} pairs of real "
        f"domains, adapting had gained in {gained} of {of}.",
        f"Accuracy on the target: at most about {max(estimates):.2f} (estimates from "
        f"{min(estimates):.2f}). That held on {N_HELD} of these pairs; the truth was "
        f"{EXCESS:.2f} lower on average.",
    ]
