"""Refuse what is no adapted network, and say what to do instead."""

from dataclasses import dataclass

from sklearn.base import BaseEstimator

from .._base import BaseDANN
from .._pipelines import last_step


@dataclass(frozen=True)
class Advice:
    """What to do with another estimator, by what the user called.

    Attributes
    ----------
    of_others : str
        If there is no DANNClassifier in it.
    of_wrapped : str
        If it wraps one, as for calibration.
    """

    of_others: str
    of_wrapped: str


OF_SEARCHES = Advice(
    "For others use sklearn.model_selection.GridSearchCV; with baselines=True simple "
    "models compete.",
    "Search over that, and wrap what the search has chosen; or use "
    "sklearn.model_selection.GridSearchCV for the whole.",
)
OF_REVERSE_VALIDATION = Advice(
    "Reverse validation trains a second network in the way of the first; what others "
    "predict has scores in skdann.metrics.",
    "Reverse validation trains a second network in the way of the first: give it that "
    "by itself.",
)
OF_REPORTS = Advice(
    "A report is of one adapted network; an AutoDANNClassifier, or AutoDANNRegressor, "
    "says in reason_ and results_ why it predicts as it does.",
    "A report is of one adapted network: fit that by itself and report on it. "
    "sklearn.frozen.FrozenEstimator then lets others wrap it as it is.",
)


def check_estimator(estimator, advice=OF_SEARCHES):
    """Raise ValueError if it is no adapted network, nor a Pipeline that ends in one.

    Parameters
    ----------
    estimator : object
        What the user gave.
    advice : Advice, default=OF_SEARCHES
        What to do with others.
    """
    last = last_step(estimator)
    if isinstance(last, BaseDANN):
        return
    what_to_do = advice.of_others
    wrapped = _wrapped_network(last)
    if wrapped is not None:
        what_to_do = (
            f"{type(last).__name__} wraps a {type(wrapped).__name__}. "
            f"{advice.of_wrapped}"
        )
    raise ValueError(
        "estimator must be a DANNClassifier or a DANNRegressor, or a Pipeline that "
        f"ends in one; got {estimator!r}. {what_to_do}"
    )


def _wrapped_network(last):
    """Return the network that another estimator wraps, or None."""
    if not isinstance(last, BaseEstimator):
        return None
    parts = map(last_step, last.get_params().values())
    return next((part for part in parts if isinstance(part, BaseDANN)), None)
