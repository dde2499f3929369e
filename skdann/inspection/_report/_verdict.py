"""Judge whether adapting helped."""

from ._class_rules import proportions_differ

# Accuracy on held-out source rows that adapting may cost.
LOST = 0.05


def judge(measures):
    """Return "for" or "against" adapting, or "open".

    For: a model of another kind, a random forest that learned the same rows, agrees
    more with the adapted than with the source-only model. Where models are wrong,
    models of unlike kinds are wrong in unlike ways. Against: it does not, and adapting
    has cost accuracy on the source. That it agrees less is not enough: adapting often
    gains all the same (docs/reliability.md).

    Parameters
    ----------
    measures : Measures
        Of a fitted model.
    """
    if proportions_differ(measures):
        return "open"
    if measures.evidence.change_of_kappa.low > 0:
        return "for"
    return "against" if lost_source(measures) else "open"


def lost_source(measures):
    """Return whether adapting cost accuracy on held-out source rows."""
    before, after = (
        measures.evidence.models[name]["source_accuracy"]
        for name in ("source only", "adapted")
    )
    return after < before - LOST
