"""Refuse what is no adapted network, and say what to do instead."""

from dataclasses import dataclass

from sklearn.base import BaseEstimator

from .._base import BaseDANN
from .._classifier import DANNClassifier
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
    "A report is of one adapted network; an AutoDANNClassifier says in reason_ and "
    "results_ why it predicts as it does.",
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
    if isinstance(last, DANNClassifier):
        return
    what_to_do = advice.of_others
    if _wraps_network(last):
        name = type(last).__name__
        what_to_do = f"{name} wraps a DANNClassifier. {advice.of_wrapped}"
    raise ValueError(
        "estimator must be a DANNClassifier or a Pipeline that ends in one; got "
        f"{estimator!r}. {what_to_do}"
    )


def _wraps_network(last):
    if not isinstance(last, BaseEstimator):
        return False
    parts = last.get_params().values()
    return any(isinstance(last_step(part), DANNClassifier) for part in parts)
