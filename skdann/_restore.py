"""A call that fails leaves the estimator, and what Python is set to, as they were."""

import functools
import traceback
import warnings

import numpy as np
from sklearn import get_config, set_config

from ._typing import Function


def restore_attributes_on_error(method: Function) -> Function:
    """Leave the estimator unchanged when a method raises.

    In any case leave what scikit-learn and numpy are set to: Ctrl-C may come between
    what one of their contexts sets and the instruction from which on it puts that back.
    Goes outside of ``_fit_context``, which tears callbacks down by what it finds there.
    """

    @functools.wraps(method)
    def wrapper(estimator, *args, **kwargs):
        attributes, settings = vars(estimator).copy(), (get_config(), np.geterr())
        filters = list(warnings.filters)
        try:
            result = method(estimator, *args, **kwargs)
            _restore_settings(*settings)
            return result
        except BaseException as error:
            try:
                _close_contexts(error, filters)
                _restore(estimator, attributes, *settings)
            except BaseException:  # interrupted again, maybe before it had begun
                _restore(estimator, attributes, *settings)
                raise
            raise

    return wrapper


def _close_contexts(error, filters):
    """End contexts that an interrupt has kept from ending, before they do so later.

    The traceback holds them; when it goes, they would put back what was set within.
    """
    if not isinstance(error, Exception):  # of errors debuggers want to see the frames
        traceback.clear_frames(error.__traceback__)
        warnings.filters[:] = filters


def _restore(estimator, attributes, *settings):
    for name in vars(estimator).keys() - attributes.keys():
        vars(estimator).pop(name)
    vars(estimator).update(attributes)
    _restore_settings(*settings)


def _restore_settings(config, on_numpy_errors):
    set_config(**config)
    np.seterr(**on_numpy_errors)
