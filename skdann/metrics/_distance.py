"""Density ratio and distance of two domains, by classifiers of the domain."""

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from .._containers._tables import check_names, column_names, read_rows
from .._containers._weights import read_weight
from .._typing import Array, MatrixLike, RandomState, VectorLike
from .._warn import silent_libraries

# Sums of the squares of larger values are no numbers.
LARGEST = 1e150

# Squares of float32 are still finite, and those of its inverse no zero.
LARGEST_FLOAT32 = 1e18


def density_ratio(
    X_src: MatrixLike,
    X_tgt: MatrixLike,
    X: MatrixLike | None = None,
    *,
    C: float = 1.0,
    sample_weight_tgt: VectorLike | None = None,
) -> Array:
    r"""Estimate how much denser the target is than the source, at given rows.

    A logistic regression predicts the domain; by Bayes' rule

    .. math:: w(x) = \frac{n_S}{n_T} \cdot \frac{P(T \mid x)}{P(S \mid x)}

    Parameters
    ----------
    X_src, X_tgt : array-like or sparse matrix of shape (n, n_features)
        Rows or features of each domain. Columns are standardized.
    X : array-like or sparse matrix of shape (n_samples, n_features), default=None
        Where the ratio is wanted; None is X_src.
    C : float, default=1.0
        Inverse strength of the regularization, which keeps the ratio bounded where
        the domains do not overlap.
    sample_weight_tgt : array-like of shape (n_target,), default=None
        How often each row of the target counts. None counts all alike.

    Returns
    -------
    weight : ndarray of shape (n_samples,)
        Positive; 1 everywhere if the domains are alike.

    Examples
    --------
    >>> import numpy as np
    >>> from skdann.metrics import density_ratio
    >>> x = np.linspace(0, 1, 101)[:, None]
    >>> weight = density_ratio(x, x**2, [[0.1], [0.9]])  # the target has more small x
    >>> bool(weight[0] > 1 > weight[1])
    True
    """
    joined, is_target = _join(X_src, X_tgt)
    weight = None
    if sample_weight_tgt is not None:
        weight = np.ones(len(is_target))
        weight[is_target == 1] = read_weight(
            sample_weight_tgt, joined[is_target == 1], "sample_weight_tgt"
        )
    rows = joined[is_target == 0] if X is None else read_rows(X, "X")
    check_names(column_names(X_src), column_names(X, "X"), "X_src", "X")
    scaler, model = _scaler(joined), LogisticRegression(C=C, max_iter=1000)
    # an estimate before convergence is good enough
    with silent_libraries(), np.errstate(all="ignore"):
        scaler.fit(joined, sample_weight=weight)
        model.fit(scaler.transform(joined), is_target, weight)
        log_odds = model.decision_function(scaler.transform(rows))
    n_source, n_target = np.bincount(is_target, weight)
    # clipped, as exp would overflow; so far from the other domain it is a guess anyway
    ratio = np.exp(np.clip(log_odds, -30, 30))
    return ratio * n_source / n_target


def proxy_a_distance(
    X_src: MatrixLike, X_tgt: MatrixLike, *, random_state: RandomState = None
) -> float:
    r"""Distance of two domains by how well a linear classifier separates them [1]_.

    .. math:: 2 (1 - 2 \varepsilon)

    with :math:`\varepsilon` the balanced error on held-out halves, the lowest over
    linear support vector machines with C from 1e-5 to 1e4. Compare representations of
    equal width only: with more columns the domains are easier to separate.

    Parameters
    ----------
    X_src, X_tgt : array-like or sparse matrix of shape (n, n_features)
        Rows or features of each domain, at least 4 each. Columns are standardized.
    random_state : int, RandomState or None, default=None
        Decides the halves.

    Returns
    -------
    distance : float
        About 0 for domains that are alike, 2 for domains that are separable.

    References
    ----------
    .. [1] S. Ben-David et al., "Analysis of Representations for Domain Adaptation",
       NIPS 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skdann.metrics import proxy_a_distance
    >>> x = np.linspace(0, 1, 100)[:, None]
    >>> proxy_a_distance(x, x + 2, random_state=0)
    2.0
    """
    joined, is_target = _join(X_src, X_tgt)
    smallest = np.bincount(is_target).min()
    if smallest < 4:
        raise ValueError(
            f"A domain has {smallest} rows; half of them train a classifier and half "
            "test it: give at least 4 of each."
        )
    train, test, is_target_train, is_target_test = train_test_split(
        joined,
        is_target,
        test_size=0.5,
        stratify=is_target,
        random_state=random_state,
    )
    scaler = _scaler(joined).fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    errors = []
    for C in np.logspace(-5, 4, 10):
        # Balanced, as the score is: else a small domain would go unnoticed in the fit.
        model = LinearSVC(C=C, class_weight="balanced", random_state=0)
        with silent_libraries():  # the best over C is taken, converged or not
            model.fit(train, is_target_train)
        accuracy = balanced_accuracy_score(is_target_test, model.predict(test))
        errors.append(1 - accuracy)
    error = min(errors)
    return float(2 * (1 - 2 * min(error, 1 - error)))


def _join(X_src, X_tgt):
    both = (X_src, "X_src"), (X_tgt, "X_tgt")
    check_names(*(column_names(*named) for named in both), "X_src", "X_tgt")
    X_src, X_tgt = (read_rows(X, name, allow_nd=False) for X, name in both)
    if X_src.shape[1] != X_tgt.shape[1]:
        raise ValueError(
            f"X_tgt has {X_tgt.shape[1]} columns, but X_src has {X_src.shape[1]}. Pass "
            "both through the same transformer."
        )
    # no float32, in which what it is compared with is infinite
    largest = max(float(abs(X).max()) for X in (X_src, X_tgt))
    if largest > LARGEST:
        raise ValueError(
            f"X_src and X_tgt, rows or features, hold values up to {largest:.3g}, "
            "whose squares overflow. Scale X, for example with StandardScaler."
        )
    if not 1 / LARGEST_FLOAT32 < largest < LARGEST_FLOAT32:
        X_src, X_tgt = (X.astype(np.float64) for X in (X_src, X_tgt))
    is_target = np.repeat([0, 1], [X_src.shape[0], X_tgt.shape[0]])
    if sparse.issparse(X_src) or sparse.issparse(X_tgt):
        return sparse.vstack([X_src, X_tgt], format="csr"), is_target
    return np.concatenate([X_src, X_tgt]), is_target


def _scaler(X):
    scaler = StandardScaler(with_mean=not sparse.issparse(X))
    return scaler.set_output(transform="default")  # whatever users configured
