"""Reach through Pipelines and searches to the fitted last step."""

import copy

from sklearn.pipeline import Pipeline


def unwrap(estimator):
    """Return the fitted preprocessing, a Pipeline or None, and the last step.

    Parameters
    ----------
    estimator : fitted estimator, Pipeline or search
        Of a search, the estimator that it chose.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        return estimator[:-1] if len(estimator) > 1 else None, estimator[-1]
    return None, estimator


def reading(estimator, domain):
    """Return a fitted estimator that takes rows as those of a domain.

    Parameters
    ----------
    estimator : fitted estimator, Pipeline or search
        Returned as it is if it treats the domains alike.
    domain : {"source", "target"}
        Which the rows are of.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not hasattr(last, "_reading"):
        return estimator
    last = last._reading(domain)
    if not isinstance(estimator, Pipeline):
        return last
    copied = copy.copy(estimator)
    copied.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], last)]
    return copied
