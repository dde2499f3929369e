"""Scorers for scikit-learn's searches that need no target labels."""

from collections.abc import Callable, Iterable
from typing import Any

from sklearn.base import is_regressor
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import MetadataRequest

from .._containers._labels import read_true_labels
from .._typing import MatrixLike
from ..metrics._scorers import SCORES, TargetEvaluation


class TargetScorer:
    """Scorer of predictions for the target; made by :func:`target_scorer`.

    Parameters
    ----------
    names : str or list of str
        Keys of ``SCORES``; a list makes a dict of scores.
    X_tgt : array-like, sparse matrix or None
        Target rows; None if they are passed at each call, by metadata routing.
    """

    def __init__(self, names, X_tgt):
        self.names = names
        self.X_tgt = X_tgt

    def __call__(self, estimator, X, y, X_tgt=None):
        if X_tgt is None:
            X_tgt = self.X_tgt
        if X_tgt is None:
            raise ValueError(
                "target_scorer got no X_tgt. Pass X_tgt to the search's fit after "
                "sklearn.set_config(enable_metadata_routing=True), or bind it: "
                "target_scorer(..., X_tgt=X_tgt)."
            )
        if not is_regressor(estimator):
            y = read_true_labels(y, estimator.classes_, "y")
        check_consistent_length(X, y)
        evaluation = TargetEvaluation(estimator, X, y, X_tgt)
        if isinstance(self.names, str):
            return SCORES[self.names](evaluation)
        return {name: SCORES[name](evaluation) for name in self.names}

    def get_metadata_routing(self):
        """Tell scikit-learn that X_tgt is wanted, unless it is bound."""
        request = MetadataRequest(owner=self)
        request.score.add_request(param="X_tgt", alias=self.X_tgt is None)
        return request

    def __repr__(self):
        bound = "" if self.X_tgt is None else ", X_tgt=..."
        return f"target_scorer({self.names!r}{bound})"


def target_scorer(
    score: str | list[str], *, X_tgt: MatrixLike | None = None
) -> Callable[..., Any]:
    """Make a scorer that needs no target labels, for ``GridSearchCV`` and the like.

    Parameters
    ----------
    score : str or list of str
        What to compute, the higher the better:

        - "infomax", "nuclear_norm", "neg_entropy": of the probabilities predicted for
          the target, see :mod:`skdann.metrics`;
        - "neg_iwv", "neg_dev", "neg_devn": minus the error on the held-out source rows,
          weighted by the density ratio of the features
          (:func:`~skdann.metrics.importance_weighted_risk`,
          :func:`~skdann.metrics.deep_embedded_risk` and the same with ``normalize``).

        A list makes a scorer of several values, for searches with ``refit="name"``.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features), default=None
        Target rows, raw: the estimator, a Pipeline as well, transforms them. None takes
        what the search routes to it, which needs
        ``sklearn.set_config(enable_metadata_routing=True)``.

    Returns
    -------
    scorer : callable
        With the signature ``scorer(estimator, X, y, X_tgt=None)``.

    Examples
    --------
    >>> import sklearn
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdann import DANNClassifier
    >>> from skdann.model_selection import target_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X /= X.max(axis=0)
    >>> X_src, y_src, X_tgt = X[:300, :10], y[:300], X[300:, 20:]
    >>> search = GridSearchCV(
    ...     DANNClassifier(n_estimators=1, max_epochs=10, random_state=0),
    ...     {"lambda_max": [0, 1]},
    ...     scoring=target_scorer("infomax"),
    ...     cv=2,
    ... )
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     search = search.fit(X_src, y_src, X_tgt=X_tgt)
    >>> search.best_params_
    {'lambda_max': ...}
    """
    is_one = isinstance(score, str) or not isinstance(score, Iterable)
    names = [score] if is_one else list(score)
    unknown = [name for name in names if name not in list(SCORES)]
    if unknown or not names:
        raise ValueError(f"There is no score {unknown}; choose from {sorted(SCORES)}.")
    return TargetScorer(score if is_one else names, X_tgt)
