"""Reach through Pipelines and searches to the fitted last step."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _num_samples


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


def network_input(estimator, X):
    """Return X as the last step of a fitted estimator sees it."""
    preprocessing, _ = unwrap(estimator)
    return X if preprocessing is None else preprocessing.transform(X)


def some_rows(X, max_rows, rng):
    """Return the positions of all rows of X or, if they are more, of a random part."""
    n = _num_samples(X)
    if n <= max_rows:
        return np.arange(n)
    return np.sort(rng.choice(n, max_rows, replace=False))
