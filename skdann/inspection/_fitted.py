"""What the displays need of a fitted estimator, whatever it is wrapped in."""

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


def network_input(estimator, X):
    """Return X as the last step of a fitted estimator sees it."""
    preprocessing, _ = unwrap(estimator)
    return X if preprocessing is None else preprocessing.transform(X)
