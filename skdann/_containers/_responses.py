"""Responses of a regression: whatever holds them becomes an array of floats."""

import numpy as np
from sklearn.utils import assert_all_finite

from ._labels import read_labels
from ._tables import as_readable, first_few, read_rows


def read_responses(y, name):
    """Return numbers as an array, NaN where there is none.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, n_outputs)
        Numbers; None, NaN, NA, null and masked entries are missing.
    name : str
        What messages call them.

    Returns
    -------
    ndarray of float64 of shape (n,) or (n, n_outputs)
        Finite where not missing.
    """
    y = as_readable(y)
    if len(_shape(y)) == 2:
        values = read_rows(
            y, name, accept_sparse=False, ensure_all_finite=False, dtype=np.float64
        )
    else:
        known, is_known = read_labels(y, name)
        values = np.full(len(is_known), np.nan)
        values[is_known] = _as_numbers(known, name)
    assert_all_finite(values, allow_nan=True, input_name=name)
    return values


def read_known_responses(y, name):
    """Return numbers of which none may be missing."""
    values = read_responses(y, name)
    is_missing = np.isnan(values)
    is_missing = is_missing.any(axis=1) if values.ndim == 2 else is_missing
    if is_missing.any():
        raise ValueError(
            f"{name} contains NaN or None: {is_missing.sum()} of {len(values)} rows "
            f"lack a number, the first of them row {np.argmax(is_missing)}. Drop these "
            "rows; if they are of the target, pass them as X_tgt."
        )
    return values


def _shape(y):
    """Return the shape of a container; of a list that of its first item, too."""
    if hasattr(y, "shape"):
        return y.shape
    if isinstance(y, list | tuple):
        return (len(y), *np.shape(y[0])) if len(y) else (0,)
    return np.asarray(y).shape


def _as_numbers(known, name):
    """Return what is known as floats, or say what it holds instead."""
    is_text = known.dtype.kind in "US" or any(isinstance(v, str) for v in known.flat)
    try:
        if is_text or known.dtype.kind in "cmM":
            raise TypeError("not real numbers")
        return known.astype(np.float64)
    except (TypeError, ValueError) as error:
        kinds = sorted({type(value).__name__ for value in known.tolist()})
        raise ValueError(
            f"{name} must hold real numbers; it holds values of the types "
            f"{first_few(kinds)}. To predict classes use a DANNClassifier."
        ) from error
