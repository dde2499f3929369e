"""Checks of single values that a file tells."""

import sys

# No count of steps, rows or columns comes near; sums and products of them stay exact.
MOST = 2**53


def whole(low, high=MOST):
    """Return a check of an integer in [low, high]."""
    return lambda value: type(value) is int and low <= value <= high


def number(low=-sys.float_info.max, high=sys.float_info.max):
    """Return a check of a number in [low, high], which NaN never is."""
    return lambda value: type(value) in (int, float) and low <= value <= high


def is_flag(value):
    """Whether it is True or False."""
    return type(value) is bool


def is_any_number(value):
    """Whether it is a float of any kind, or an integer."""
    return type(value) in (int, float)


def is_list_of_dicts(value):
    """Whether it is what skorch keeps of batches."""
    return type(value) is list and all(type(item) is dict for item in value)
