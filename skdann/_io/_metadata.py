"""What a file tells of an estimator, and what of it another process can believe."""

import math
import os
import platform
from importlib.metadata import version

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

# Values of one row that a file may claim; it is made once, to size a network by.
MAX_ROW_VALUES = 2**26


def describe(estimator, targets, row_shape):
    """Return parameters, what y is, columns and versions as a tree of plain values.

    Parameters
    ----------
    estimator : BaseDANN
        That has seen its data.
    targets : ClassTargets or RealTargets
        What y is.
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
    of_y = targets.description()
    if "classes" in of_y:
        _check_labels(of_y["classes"])
    return {
        "estimator": {
            "kind": estimator._kind,
            "parameters": parameters,
            **of_y,
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


def check_classes(classes):
    """Return the classes of a file, or raise ValueError."""
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len(classes) < 2:
        raise ValueError("its classes are no list of at least two labels")
    if not _are_labels(classes):
        raise ValueError("its classes are neither numbers nor texts")
    if len(np.unique(classes)) != len(classes) or np.any(np.sort(classes) != classes):
        raise ValueError("its classes are not sorted, or come twice")
    return classes


def check_row_shape(shape):
    """Return the shape of a row in a file, or raise ValueError."""
    is_shape = isinstance(shape, list | tuple) and len(shape) > 0
    if not is_shape or any(type(n) is not int or n < 1 for n in shape):
        raise ValueError(f"its rows have the shape {str(shape)[:50]}")
    if math.prod(shape) > MAX_ROW_VALUES:
        raise ValueError(f"its rows have the shape {shape}, which is too large")
    return tuple(shape)


def check_names(names, n_columns):
    """Return the column names of a file, an array or None, or raise ValueError."""
    if names is None:
        return None
    is_list = isinstance(names, list) and len(names) == n_columns
    if not is_list or not all(isinstance(name, str) for name in names):
        raise ValueError(f"its names of columns are not {n_columns} texts")
    return np.array(names, dtype=object)


def _are_labels(classes):
    """Whether a file can hold labels, and what it holds can be compared again."""
    if classes.dtype.kind != "O":
        is_number = classes.dtype.kind in "biuf" and classes.dtype.itemsize <= 8
        return is_number or classes.dtype.kind == "U"
    return any(
        all(isinstance(label, kind) for label in classes)
        for kind in (str, int | float | np.number | np.bool_)
    )


def _check_labels(classes):
    if not _are_labels(classes):
        raise TypeError(
            f"No file can hold the labels {classes.tolist()[:3]} of dtype "
            f"{classes.dtype}. Fit with labels that are numbers or strings."
        )
    return classes


def _plain(value):
    """Return a value that a file can hold; of code its name."""
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if type(value).__module__ == "torch" and type(value).__name__ == "device":
        return str(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return {CODE: f"{named.__module__}.{named.__qualname__}"}
