"""Refuse what is no adapted network, and say what to do with it instead."""

from sklearn.base import BaseEstimator

from .._classifier import DANNClassifier
from .._pipelines import last_step

# What to do with an estimator that is, or has within it, no DANNClassifier.
OF_SEARCHES = "For others use sklearn.model_selection.GridSearchCV."
OF_REVERSE_VALIDATION = (
    "Others cannot be trained on; score what they predict by skdann.metrics."
)
OF_REPORTS = (
    "A report is of one adapted network; an AutoDANNClassifier says in reason_ and "
    "results_ why it predicts as it does."
)

# What to do with one that wraps a DANNClassifier, by the same.
_OF_WRAPPED = {
    OF_SEARCHES: "Search over that first, and wrap best_estimator_; or use "
    "sklearn.model_selection.GridSearchCV.",
    OF_REVERSE_VALIDATION: "Score that by itself: what is around it does not adapt.",
    OF_REPORTS: "Fit that by itself and report on it; what is around it does not "
    "adapt. Afterwards sklearn.frozen.FrozenEstimator wraps it without another fit.",
}


def check_estimator(estimator, advice=OF_SEARCHES):
    """Raise ValueError if it is no DANNClassifier, nor a Pipeline that ends in one.

    Parameters
    ----------
    estimator : object
        What the user gave.
    advice : str
        What to do with others: one of the constants above, by what the user called.
    """
    last = last_step(estimator)
    if isinstance(last, DANNClassifier):
        return
    if _wraps_network(last):
        advice = f"{type(last).__name__} wraps a DANNClassifier. {_OF_WRAPPED[advice]}"
    raise ValueError(
        "estimator must be a DANNClassifier or a Pipeline that ends in one; got "
        f"{estimator!r}. {advice}"
    )


def _wraps_network(last):
    if not isinstance(last, BaseEstimator):
        return False
    parts = last.get_params().values()
    return any(isinstance(part, DANNClassifier) for part in parts)
