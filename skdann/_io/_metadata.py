"""What a file tells of an estimator, and what of it another process can believe."""

import os
import platform
from importlib.metadata import version
from numbers import Number

import numpy as np

# They say how training is watched, not what comes of it.
NOT_IDENTITY = (
    "callbacks",
    "checkpoint",
    "checkpoint_interval",
    "device",
    "verbose",
    "warm_start",
)
PACKAGES = ("skdann", "numpy", "scikit-learn", "skorch", "torch")

# Marks the name of a parameter that only code can make.
CODE = "code of"


def describe(estimator, classes, row_shape):
    """Return parameters, classes, columns and versions as a tree of plain values.

    Parameters
    ----------
    estimator : DANNClassifier
        That has seen its data.
    classes : ndarray of shape (n_classes,)
        Labels.
    row_shape : tuple of int
        Shape of a row.

    Returns
    -------
    dict
        For :func:`skdann._io._container.write_file`. What only code can say, such as
        a torch module, is there by name alone.
    """
    parameters = {k: _plain(v) for k, v in estimator.get_params(deep=False).items()}
    names = getattr(estimator, "feature_names_in_", None)
    known = {k: v for k, v in parameters.items() if k not in NOT_IDENTITY}
    return {
        "estimator": {
            "parameters": parameters,
            "identity": {k: repr(v) for k, v in known.items()},
            "classes": classes,
            "row_shape": tuple(row_shape),
            "feature_names": None if names is None else names.tolist(),
        },
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def needs_code(value):
    """Whether a parameter of a file is, or holds, the name of code."""
    if isinstance(value, dict):
        return CODE in value
    return isinstance(value, list | tuple) and any(map(needs_code, value))


def _plain(value):
    """Return a value that a file can hold; of code its name."""
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | Number | str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if type(value).__module__ == "torch" and type(value).__name__ == "device":
        return str(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return {CODE: f"{named.__module__}.{named.__qualname__}"}
