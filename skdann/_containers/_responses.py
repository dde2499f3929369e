"""Responses of a regression: whatever holds them becomes an array of floats."""

import narwhals.stable.v1 as nw
import numpy as np
from sklearn.utils import assert_all_finite

from ._labels import read_labels
from ._tables import as_readable, first_few

# Squares of larger numbers, and of smaller ones, are none.
LARGEST = 1e150


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
    columns = _columns_of(as_readable(y), name)
    if columns is None:
        return _read_column(y, name)
    if not columns:
        raise ValueError(f"{name} has no columns: there are no numbers to learn.")
    return np.stack([_read_column(column, name) for column in columns], axis=1)


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


def mean_and_scale(y, weight=None):
    """Return the mean of each output, and a deviation that errors can be divided by.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        Numbers.
    weight : ndarray of shape (n,) or None, default=None
        How often each row counts.

    Returns
    -------
    mean, scale : ndarray of shape (n_outputs,)
        Of an output that is constant the scale is its size, or 1.
    """
    mean = np.average(y, axis=0, weights=weight)
    # beside a large mean the rounding of one long sum may be more than what y varies by
    mean = mean + np.average(y - mean, axis=0, weights=weight)
    deviations = y - mean
    largest = np.abs(deviations).max(axis=0)
    unit = np.where(largest > 0, largest, 1)  # squares of tiny numbers would be 0
    scale = unit * np.sqrt(np.average((deviations / unit) ** 2, axis=0, weights=weight))
    size = np.where(mean == 0, 1, np.abs(mean))
    is_constant = np.ptp(y if weight is None else y[weight > 0], axis=0) == 0
    return mean, np.where(is_constant | (scale == 0), size, scale)


def _columns_of(y, name):
    """Return the columns of what has two axes; None of what has one."""
    if nw.dependencies.is_into_dataframe(y):
        frame = nw.from_native(y, eager_only=True)
        return [frame[column].to_native() for column in frame.columns]
    shape = _shape(y)
    if len(shape) > 2:
        raise ValueError(
            f"{name} has shape {shape}; it must hold a number for each row, or a row "
            "of numbers: (n,) or (n, n_outputs)."
        )
    if len(shape) < 2:
        return None
    if not hasattr(y, "dtype"):
        y = _list_as_table(y, name)
    return [y[:, i] for i in range(y.shape[1])]


def _list_as_table(y, name):
    try:
        if any(len(row) != len(y[0]) for row in y):
            raise TypeError("of several lengths")
    except TypeError as error:
        raise ValueError(f"{name} is a list of rows of other lengths.") from error
    table = np.empty((len(y), len(y[0])), dtype=object)
    table[:] = y
    return table


def _shape(y):
    """Return the shape of a container; of a list that of its first item, too."""
    if hasattr(y, "shape"):
        return y.shape
    if isinstance(y, list | tuple):
        of_rows = [np.shape(row) for row in y if row is not None]
        return (len(y), *(of_rows[0] if of_rows else ()))
    return np.asarray(y).shape


def _read_column(y, name):
    known, is_known = read_labels(y, name)
    values = np.full(len(is_known), np.nan)
    values[is_known] = _as_numbers(known, name)
    assert_all_finite(values, allow_nan=True, input_name=name)
    if (np.abs(values[is_known]) > LARGEST).any():
        raise ValueError(f"{name} holds numbers above {LARGEST:g}. Scale it.")
    return values


def _as_numbers(known, name):
    """Return what is known as floats, or say what it holds instead."""
    is_text = known.dtype.kind in "US" or any(
        isinstance(value, str | bytes) for value in known.flat
    )
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
