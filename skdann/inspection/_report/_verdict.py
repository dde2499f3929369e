"""Judge whether adapting helped."""

# Accuracy, or R2, on held-out source rows that adapting may cost.
LOST = 0.05


def judge(measures):
    """Return "for" or "against" adapting, or "open".

    For: a model of another kind, a random forest that learned the same rows, agrees
    more with the adapted than with the source-only model. Where models are wrong,
    models of unlike kinds are wrong in unlike ways. Against: it does not, and adapting
    has cost accuracy on the source. That it agrees less is not enough: adapting often
    gains all the same (docs/reliability.md). Open, too, where adapting changes next to
    nothing, or where y is distributed otherwise in the target.

    Parameters
    ----------
    measures : Measures
        Of a fitted model.
    """
    if measures.differs or measures.effect:
        return "open"
    if measures.evidence.change.low > 0:
        return "for"
    return "against" if measures.evidence.lost_on_source > LOST else "open"
