"""What an estimator keeps across calls: nothing of one that fails."""

import functools

import numpy as np


def unchanged_on_error(method):
    """Put every attribute of the estimator back if the method fails.

    Goes outside of ``_fit_context``, which tears callbacks down by what it finds there.
    """

    @functools.wraps(method)
    def wrapper(estimator, *args, **kwargs):
        before = vars(estimator).copy()
        try:
            return method(estimator, *args, **kwargs)
        except BaseException:
            vars(estimator).clear()
            vars(estimator).update(before)
            raise

    return wrapper


def check_unchanged(estimator, parameters):
    """Raise ValueError if parameters have no longer the values that they had."""
    changed = [
        k for k, v in parameters.items() if not is_same(v, getattr(estimator, k))
    ]
    if changed:
        raise ValueError(
            f"{', '.join(changed)} changed since the network was built. Training "
            "can't go on with another: restore the old value, or fit a clone."
        )


def is_same(value, other):
    """Whether a parameter still has its old value."""
    if isinstance(value, np.ndarray):
        return np.array_equal(value, other)
    return value is other or (type(value) is type(other) and value == other)
