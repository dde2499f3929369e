"""Name the rows of the target whose labels would tell most."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._numbers import Count
from .._pipelines import Preprocessing, last_step, searches_within
from .._typing import Array, Estimator, MatrixLike, RandomState, VectorLike
from ..metrics._sampling import draw_rows, inclusion_probabilities

_COUNT = Count(Integral, 1, None, closed="left")


def rows_to_label(
    fitted: Estimator,
    X_tgt: MatrixLike,
    n: int,
    *,
    y_tgt: VectorLike | None = None,
    random_state: RandomState = None,
) -> tuple[Array, Array]:
    """Draw target rows on which candidates disagree, to be labelled.

    Choosing without labels has a floor, and ten labels break it. A row on which all
    candidates agree tells nothing of which is best; so rows are drawn with a
    probability proportional to the entropy of the candidates' votes, each weighted as
    it is believed so far. Give the labels to ``fit(..., y_tgt=...)``.

    Parameters
    ----------
    fitted : AutoDANNClassifier or AutoDANNRegressor, search of skdann, or Pipeline
        Fitted; a Pipeline that ends in one. A search has judged its candidates on at
        most 2,000 evenly spaced rows of its target; only these are drawn.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows; of a search, those that it was fitted on.
    n : int
        How many rows to draw.
    y_tgt : array-like of shape (n_target,) or (n_target, n_outputs), default=None
        Labels, or numbers, that are known already, marked as in ``fit``: their rows are
        not drawn again, and with ``label_use="choice"`` who is right there, or nearest,
        counts for more. So rows can be drawn
        one after the other, without another fit.
    random_state : int, RandomState or None, default=None
        Decides what is drawn.

    Returns
    -------
    rows : ndarray of int of shape (n,)
        Positions in X_tgt, in the order of the draw.
    weight : ndarray of shape (n,)
        By which to weight the rows where accuracies, or squared errors, of candidates
        are compared: 1 over the probability of being drawn, 1 on average. No estimate
        of an accuracy itself: rows on which all agree are hardly drawn.

    Raises
    ------
    ValueError
        If there are fewer than n rows to draw.

    See Also
    --------
    skdann.AutoDANNClassifier : Weights its candidates by such labels.
    skdann.AutoDANNRegressor : Weights its candidates by such numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdann import AutoDANNClassifier, BaselineClassifier
    >>> from skdann.model_selection import rows_to_label
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt, expert = X[:300, :10], y[:300], X[300:, 20:], y[300:]
    >>> candidates = [
    ...     ("linear, source", BaselineClassifier(standardize="source")),
    ...     ("linear, by domain", BaselineClassifier(standardize="domain")),
    ...     ("Bayes, by domain", BaselineClassifier(GaussianNB())),
    ... ]
    >>> auto = AutoDANNClassifier(candidates).fit(X_src, y_src, X_tgt)
    >>> rows, weight = rows_to_label(auto, X_tgt, 10, random_state=0)
    >>> y_tgt = np.full(len(X_tgt), -1)
    >>> y_tgt[rows] = expert[rows]
    >>> auto = auto.fit(X_src, y_src, X_tgt, y_tgt=y_tgt)
    >>> int(auto.results_["n_labelled"][0])
    10
    """
    fitted = _with_candidates(fitted)
    X_tgt, fitted = Preprocessing(fitted).transform(X_tgt), last_step(fitted)
    check_is_fitted(fitted)
    answers = fitted._candidate_answers(X_tgt)
    is_open = np.ones(len(answers.rows), dtype=bool)
    if y_tgt is not None:
        known = answers.read(y_tgt, X_tgt)
        is_open = ~answers.is_known(known)
        if fitted.label_use == "choice":  # else they may have been trained on
            answers = answers.weighted_by(known)
    n_open = is_open.sum()
    if not (_COUNT.is_satisfied_by(n) and n <= n_open):
        raise ValueError(
            f"n={n!r}, but there are {n_open} rows without a label to draw from. It "
            "must be an integer from 1 to that number."
        )
    probabilities = inclusion_probabilities(answers.disagreement()[is_open], n)
    drawn = draw_rows(probabilities, check_random_state(random_state))
    weight = 1 / probabilities[drawn]
    return answers.rows[is_open][drawn], weight / weight.mean()


def _with_candidates(fitted):
    """Return what ends in an object with candidates, also within a search, or raise."""
    for whole in searches_within(fitted):
        if hasattr(last_step(whole), "_candidate_answers"):
            return whole
    name = type(last_step(fitted)).__name__
    raise ValueError(
        "rows_to_label needs candidates that can disagree: a fitted "
        "AutoDANNClassifier, AutoDANNRegressor or search of skdann, or a Pipeline that "
        f"ends in one; got {name}. Of a single network, "
        "skdann.inspection.adaptation_report(...).rows_to_label(n) draws rows on which "
        "it and simple models disagree."
    )
