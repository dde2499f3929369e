"""Words for the tables of states: each is a check of a value.

Sizes have names. A check takes the sizes that are known so far, and notes the others:
two arrays of "k" rows have as many, whatever that is; "n" is the number of columns.
"""

import numpy as np
from scipy import sparse

from .._claims import MOST


def fits(shape, wanted, sizes):
    """Whether a shape is the wanted one: numbers, names of sizes, None for any."""
    if len(shape) != len(wanted):
        return False
    return all(
        size is None or sizes.setdefault(size, length) == length
        if isinstance(size, str | None)
        else size == length
        for length, size in zip(shape, wanted, strict=True)
    )


def array(kinds, *shape):
    """Return a check of an array, by the kinds of its dtype and its shape."""
    return lambda value, sizes: (
        isinstance(value, np.ndarray)
        and value.dtype.kind in kinds
        and fits(value.shape, shape, sizes)
    )


def floats(*shape):
    """Return a check of an array of floats."""
    return array("f", *shape)


def indices(below, *shape):
    """Return a check of an array of integers in [0, below), of a named size."""
    is_array = array("iu", *shape)
    return lambda value, sizes: (
        is_array(value, sizes)
        and below in sizes
        and (not value.size or 0 <= value.min() <= value.max() < sizes[below])
    )


def csr(kinds, *shape):
    """Return a check of a sparse matrix, whose indices are in order already."""
    return lambda value, sizes: (
        sparse.issparse(value)
        and value.dtype.kind in kinds
        and fits(value.shape, shape, sizes)
    )


def integer(low=0, equals=None):
    """Return a check of an integer, of Python or numpy; it may be a named size."""
    return lambda value, sizes: (
        isinstance(value, int | np.integer)
        and type(value) is not bool
        and low <= value <= MOST
        and (equals is None or sizes.setdefault(equals, int(value)) == value)
    )


def real(value, sizes):
    """Whether it is a number, of Python or numpy; NaN is one."""
    return isinstance(value, int | float | np.integer | np.floating) and (
        type(value) is not bool
    )


def positive(value, sizes):
    """Whether it is a finite number above 0."""
    return real(value, sizes) and 0 < value < np.inf


def flag(value, sizes):
    """Whether it is True or False."""
    return isinstance(value, bool | np.bool_)


def text(value, sizes):
    """Whether it is a str."""
    return isinstance(value, str)


def plain(value, sizes):
    """Whether it is nothing but a number or a text, or missing.

    Python hashes larger integers as smaller ones: to look many up would take long.
    """
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return value is None or isinstance(value, float | str | np.generic)


def values(*shape):
    """Return a check of an array of labels, or of what else columns hold."""
    return either(array("biufUS", *shape), each(plain, *shape, of=np.ndarray))


def dtype(value, sizes):
    """Whether it is a dtype of numpy."""
    return isinstance(value, np.dtype)


def one_of(*choices):
    """Return a check of a text that is one of these."""
    return lambda value, sizes: isinstance(value, str) and value in choices


def maybe(check):
    """Return a check of a value that may be None."""
    return lambda value, sizes: value is None or check(value, sizes)


def either(*checks):
    """Return a check of a value that one of these lets pass."""
    return lambda value, sizes: any(check(value, sizes) for check in checks)


def each(check, size=None, of=list):
    """Return a check of a list, or what else, and of each value in it."""
    return lambda value, sizes: (
        isinstance(value, of)
        and getattr(value, "ndim", 1) == 1  # of an array
        and fits((len(value),), (size,), sizes)
        and all(check(item, sizes) for item in value)
    )


def mapping(of_key, of_value):
    """Return a check of a dict."""
    return lambda value, sizes: (
        isinstance(value, dict)
        and all(
            of_key(key, sizes) and of_value(item, sizes) for key, item in value.items()
        )
    )


def instance(*names):
    """Return a check of an object of a class that the tables know, by name."""
    return lambda value, sizes: (
        type(value).__name__ in names and hasattr(value, "get_params")
    )


def optional(check):
    """Mark what older or other versions do not have, or not in all cases."""
    return _Optional(check)


class _Optional:
    def __init__(self, check):
        self.check = check

    def __call__(self, value, sizes):
        return self.check(value, sizes)


def is_optional(check):
    """Whether a state may lack the value."""
    return isinstance(check, _Optional)
