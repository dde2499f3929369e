"""The one notion of a missing value: None, NaN, NA, null, NaT, or masked."""

import numpy as np
from sklearn.utils._missing import is_pandas_na


def is_missing(value):
    """Whether a value among objects says that there is none."""
    if value is None or value is np.ma.masked or is_pandas_na(value):
        return True
    try:
        return bool(value != value)  # NaN, NaT
    except (TypeError, ValueError):  # of a list or an array, which are something
        return False


def missing_values(values):
    """Return a mask of the values of an array that are missing."""
    if values.dtype.kind == "O":
        return np.fromiter(map(is_missing, values.ravel()), bool, values.size)
    if values.dtype.kind in "fcmM":
        return values != values
    return np.zeros(values.shape, dtype=bool)
