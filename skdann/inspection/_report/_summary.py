"""What is said first: what to do."""

from ...metrics._paired import rows_to_settle
from ._labels import n_to_label


def recommend(measures, verdict):
    """Return in one sentence what to do.

    To be deployed, the adapted model must also agree better with all others than any
    simple model does, or predict as the best of these; to stay with that one, it must
    agree better than the adapted model. Nor is anything to be deployed where y may be
    distributed otherwise.

    Parameters
    ----------
    measures : Measures
        Of a fitted model.
    verdict : {"for", "against", "open"}
        What :func:`judge` says.
    """
    evidence = measures.evidence
    best = evidence.best_simple
    of_best, of_adapted = (
        evidence.models[name]["agreement"] for name in (best, "adapted")
    )
    leads, is_alike = of_adapted >= of_best, evidence.is_alike(best)
    if verdict == "for" and (leads or is_alike) and not measures.may_differ:
        return "Deploy the adapted model."
    if verdict == "against" and not leads:
        return f"Stay with the {best}."
    if is_alike and not measures.may_differ:
        return f"Stay with the {best}: the adapted model {evidence.likeness(best)}."
    n = n_to_label(evidence) or rows_to_settle()
    return f"Label {n} target rows first: report.rows_to_label({n})."
