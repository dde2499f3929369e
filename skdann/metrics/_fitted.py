"""Reach through Pipelines and searches to the fitted last step."""

from .._pipelines import Preprocessing, last_step, replace_last_step, resolve_search


def unwrap(estimator):
    """Return what transforms rows for the last step, and the last step.

    Parameters
    ----------
    estimator : fitted estimator, Pipeline or search
        Of a search, the estimator that it chose.

    Returns
    -------
    preprocessing : Preprocessing
        With ``transform``.
    last : fitted estimator
    """
    estimator = resolve_search(estimator)
    return Preprocessing(estimator), last_step(estimator)


def reading(estimator, domain):
    """Return a fitted estimator that takes rows as those of a domain.

    Parameters
    ----------
    estimator : fitted estimator, Pipeline or search
        Returned as it is if it treats the domains alike.
    domain : {"source", "target"}
        Which the rows are of.
    """
    estimator = resolve_search(estimator)
    last = last_step(estimator)
    if not hasattr(last, "_reading"):
        return estimator
    return replace_last_step(estimator, last._reading(domain))
