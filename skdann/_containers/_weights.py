"""Weights of rows: whatever holds them becomes an array, checked in one place."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import _check_sample_weight

from ._tables import as_readable, check_not_lazy

# What messages of scikit-learn call them.
_CALLED = "sample_weight"


def read_weight(weight, X, name=_CALLED):
    """Return a weight for each row of X: finite, at least 0, and not all 0.

    Parameters
    ----------
    weight : array-like of shape (n,) or number
        As the user passed it.
    X : array-like of shape (n, ...)
        The rows.
    name : str, default="sample_weight"
        What messages call it.

    Returns
    -------
    weight : ndarray of float64 of shape (n,)
    """
    check_not_lazy(weight, name)
    try:
        if sparse.issparse(weight):
            raise ValueError(f"{_CALLED} is a sparse matrix, not a column of numbers.")
        weight = as_readable(weight)
        if np.asarray(weight).dtype.kind in "mM":
            raise ValueError(f"{_CALLED} holds dates or times.")
        checked = _check_sample_weight(
            weight, X, dtype=np.float64, ensure_non_negative=True
        )
        if not checked.any():  # which scikit-learn 1.7 lets pass
            raise ValueError(f"{_CALLED} is 0 for all rows.")
        return checked
    except (TypeError, ValueError) as error:
        reason = str(error).replace(_CALLED, name)
        raise ValueError(
            f"{name} must hold a number of at least 0 for each row. ({reason})"
        ) from error


def read_weight_if_given(weight, X, name=_CALLED):
    """Return the same, or None if there are no weights."""
    return None if weight is None else read_weight(weight, X, name)
