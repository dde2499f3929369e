"""Estimators of known classes as trees of plain values, and back."""

from types import FunctionType

import numpy as np
from sklearn.utils._metadata_requests import SIMPLE_METHODS
from sklearn.utils.metadata_routing import MetadataRequest

from ..._pipelines import seems_fitted
from ._checks import one_of
from ._composed import COMPOSED
from ._models import MODELS
from ._sklearn import SKLEARN
from ._skrub import SKRUB
from ._values import from_tree, to_tree

TABLE = {**COMPOSED, **SKLEARN, **SKRUB, **MODELS}

# A file does not say where to write, or how many processes to start.
NOT_IN_FILES = ("memory", "n_jobs")

# What may be called, by the parameter: dtypes, and functions of numbers.
_FITTING = {
    "dtype": (type,),
    **dict.fromkeys(("func", "inverse_func"), (np.ufunc,)),
    "score_func": (FunctionType,),
}

_REQUEST, _OUTPUT = "_metadata_request", "_sklearn_output_config"
_is_output = one_of("default", "pandas", "polars")


class NotKnownError(TypeError):
    """No file can hold an object, or what is in it."""


def describe_object(estimator, path, ours, is_fitted=True):
    """Return an estimator, and all within it, as a file can hold it.

    Parameters
    ----------
    estimator : estimator
        A transformer or a Pipeline.
    path : tuple of str
        Where it is in the whole: names of steps and parameters.
    ours : object
        ``table`` of more classes; ``describe(estimator, is_fitted)`` returns a network
        as a file can hold it, and None for all else.
    is_fitted : bool or None, default=True
        Whether it is to be, or else a parameter from which others are cloned. None if
        it may be either.

    Returns
    -------
    dict

    Raises
    ------
    NotKnownError
        If it, or what it holds, is not in the table. The message names it.
    """
    if (described := ours.describe(estimator, is_fitted)) is not None:
        return {"saved": described}
    name = type(estimator).__name__
    known = (TABLE | ours.table).get(name)
    if known is None or not known.is_class(type(estimator)):
        raise NotKnownError(f"{_place(path)}a {name} of {type(estimator).__module__}")

    def described(values, are_fitted):
        def within(inner, of):
            return describe_object(inner, (*path, of), ours, are_fitted)

        return {
            key: _to_tree(value, within, key, path) for key, value in values.items()
        }

    parameters = estimator.get_params(deep=False)
    kept = {k: v for k, v in parameters.items() if _is_kept(k, v)}
    state = {
        key: value
        for key, value in vars(estimator).items()
        if key not in (*parameters, *known.forget, _REQUEST, _OUTPUT)
    }
    has_state = seems_fitted(estimator) if is_fitted is None else is_fitted
    try:
        known.check_parameters(estimator)
        if has_state:
            known.check_state(name, state)
            known.pack(kept, state)
    except ValueError as error:
        raise NotKnownError(f"{_place(path)}a {name}: {error}") from error
    return {
        "class": name,
        "parameters": described(kept, known.fits_them and has_state),
        "state": described(state, known.state_is_fitted) if has_state else None,
        **describe_routing(estimator),
    }


def restore_object(tree, path, ours, is_fitted=True):
    """Return the estimator that a tree describes, checked.

    Parameters
    ----------
    tree : dict
        Of a file.
    path : tuple of str
        Where it is in the whole: names of steps.
    ours : object
        ``table`` of more classes; ``restore(tree, path, is_fitted)`` returns the
        network that a tree describes.
    is_fitted : bool or None, default=True
        As in :func:`describe_object`.

    Raises
    ------
    ValueError, RuntimeError, LookupError, TypeError, AttributeError
        If it describes what no fit leaves.
    ImportError
        If it is of a package that is not installed.
    """
    if "saved" in tree:
        return ours.restore(tree["saved"], path, is_fitted)
    name, state = tree["class"], tree["state"]
    known = (TABLE | ours.table).get(name)
    if known is None:
        raise ValueError(f"it holds a {str(name)[:50]}, which files can't hold")
    if is_fitted not in (None, state is not None):
        raise ValueError(f"its {name} is {'not ' * is_fitted}fitted")

    def restored(value, key, are_fitted):
        def within(inner, of):
            return restore_object(inner, (*path, of), ours, are_fitted)

        return from_tree(value, within if key in known.holds else _refuse, key)

    are_fitted = known.fits_them and state is not None
    estimator = _make(
        known,
        name,
        {k: restored(v, k, are_fitted) for k, v in tree["parameters"].items()},
    )
    if state is not None:
        are_fitted = known.state_is_fitted
        state = {k: restored(v, k, are_fitted) for k, v in state.items()}
        _set_state(estimator, known, name, state)
    restore_routing(estimator, tree)
    return estimator


def _refuse(inner, of):
    """Raise ValueError: messages of scikit-learn would show all that is in there."""
    raise ValueError(f"its {of} holds an estimator")


def _make(known, name, parameters):
    """Return an estimator that is not fitted, its parameters checked."""
    parameters = {k: v for k, v in parameters.items() if k not in NOT_IN_FILES}
    for key, value in parameters.items():
        if callable(value) and type(value) not in _FITTING.get(key, ()):
            raise ValueError(f"its {name} would call its parameter {key[:50]}")
    estimator = known.import_class(name)(**parameters)
    if hasattr(estimator, "_parameter_constraints"):
        estimator._validate_params()
    np.dtype(parameters.get("dtype"))  # which scikit-learn leaves to numpy
    known.check_parameters(estimator)
    return estimator


def _set_state(estimator, known, name, state):
    """Give an estimator the attributes that a fit leaves, checked."""
    known.unpack(estimator, state)
    known.check_state(name, state)
    vars(estimator).update(state)
    known.check(estimator)


def _is_kept(name, value):
    """Whether a file tells a parameter: not the defaults of one version alone."""
    is_default = isinstance(value, str) and value in ("deprecated", "warn")
    return name not in NOT_IN_FILES and not is_default


def _to_tree(value, within, key, path):
    try:
        return to_tree(value, within, key)
    except NotKnownError:
        raise
    except TypeError as error:
        raise NotKnownError(f"{_place(path)}{key} is a {error}") from error


def _place(path):
    return "".join(f"{name} > " for name in path)


def describe_routing(estimator):
    """Return, for a tree, what set_fit_request and set_output have set, if anything."""
    described = {}
    if _REQUEST in vars(estimator):
        request = vars(estimator)[_REQUEST]
        described["requests"] = {
            method: dict(getattr(request, method).requests)
            for method in SIMPLE_METHODS
            if getattr(request, method).requests
        }
    if _OUTPUT in vars(estimator):
        described["output"] = vars(estimator)[_OUTPUT].get("transform")
    return described


def restore_routing(estimator, tree):
    """Set what :func:`describe_routing` has found, checked."""
    if "requests" in tree:
        request = MetadataRequest(owner=estimator)
        for method, of_method in tree["requests"].items():
            if method not in SIMPLE_METHODS:
                raise ValueError(f"it routes to the method {str(method)[:50]}")
            for parameter, alias in of_method.items():
                getattr(request, method).add_request(param=parameter, alias=alias)
        vars(estimator)[_REQUEST] = request
    if (output := tree.get("output")) is not None:
        if not _is_output(output, {}):
            raise ValueError(f"its output is {str(output)[:50]}")
        vars(estimator)[_OUTPUT] = {"transform": output}
