"""Name the rows of the target whose labels would tell most."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._data._targets import UNLABELLED, encode_known_labels
from .._typing import Array, Estimator, MatrixLike, RandomState, VectorLike
from ..metrics._agreement import combination_weights, disagreement
from ..metrics._sampling import draw_rows, inclusion_probabilities


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
    fitted : AutoDANNClassifier, search of skdann, or Pipeline that ends in one
        Fitted. A search has judged its candidates on at most 2,000 evenly spaced rows
        of its target; only these are drawn.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows; of a search, those that it was fitted on.
    n : int
        How many rows to draw.
    y_tgt : array-like of shape (n_target,), default=None
        Labels that are known already, marked as in
        :meth:`skdann.DANNClassifier.fit`: their rows are not drawn again, and with
        ``label_use="choice"`` who is right there counts for more. So rows can be drawn
        one after the other, without another fit.
    random_state : int, RandomState or None, default=None
        Decides what is drawn.

    Returns
    -------
    rows : ndarray of int of shape (n,)
        Positions in X_tgt, in the order of the draw.
    weight : ndarray of shape (n,)
        By which to weight the rows where accuracies of candidates are compared: 1 over
        the probability of being drawn, 1 on average. No estimate of an accuracy itself:
        rows on which all agree are hardly drawn.

    Raises
    ------
    ValueError
        If there are fewer than n rows to draw.

    See Also
    --------
    skdann.AutoDANNClassifier : Weights its candidates by such labels.

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
    if isinstance(fitted, Pipeline):
        if len(fitted) > 1:
            X_tgt = fitted[:-1].transform(X_tgt)
        fitted = fitted[-1]
    check_is_fitted(fitted)
    if not hasattr(fitted, "_votes"):
        raise ValueError(
            "rows_to_label needs candidates that can disagree: a fitted "
            f"AutoDANNClassifier or search of skdann; got {type(fitted).__name__}."
        )
    rows, votes, weights, classes = fitted._votes(X_tgt)
    is_open = np.ones(len(rows), dtype=bool)
    if y_tgt is not None:
        codes = encode_known_labels(y_tgt, X_tgt, classes)[rows]
        is_open = codes == UNLABELLED
        if fitted.label_use == "choice":  # else they may have been trained on
            n_right = (votes == codes)[:, ~is_open].sum(axis=1)
            weights = combination_weights(votes, n_right)
    if not 1 <= n <= is_open.sum():
        raise ValueError(
            f"n={n}, but there are {is_open.sum()} rows without a label to draw from."
        )
    entropy = disagreement(votes[:, is_open], weights)
    probabilities = inclusion_probabilities(entropy, n)
    drawn = draw_rows(probabilities, check_random_state(random_state))
    weight = 1 / probabilities[drawn]
    return rows[is_open][drawn], weight / weight.mean()
