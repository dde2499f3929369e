"""What is a number, where users give numbers: in parameters, dicts and callables."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

# A deviation this small beside the mean is rounding: what has it is constant.
ROUNDING = 1e-9


def as_float(value):
    """Return a real number as a float; None if it is no number, or too large for one.

    Scalars of numpy and torch, and arrays without axes, are numbers, and so are True
    and False; text, complex numbers and missing values are not. NaN is a number.

    Parameters
    ----------
    value : object
        What a user gave, or what a function of the user's returned.

    Returns
    -------
    float or None
    """
    try:
        if not isinstance(value, Real) and value.ndim == 0:
            value = value.item()
        return float(value) if isinstance(value, Real) else None
    except Exception:  # whatever an object that is no number raises
        return None


def as_list(values):
    """Return what an array, a Series or another collection holds, as Python's own."""
    held = values.tolist() if hasattr(values, "tolist") else list(values)
    return held if isinstance(held, list) else [held]  # of an array without axes


class Number(Interval):
    """A constraint of a parameter: a real number, not too large for a float."""

    def is_satisfied_by(self, val):
        is_number = isinstance(val, int | float | np.integer | np.floating)
        number = as_float(val) if is_number else None
        return number is not None and super().is_satisfied_by(number)


class Count(Interval):
    """A constraint of a parameter: an integer, and neither True nor False."""

    def is_satisfied_by(self, val):
        return not isinstance(val, bool) and super().is_satisfied_by(val)
