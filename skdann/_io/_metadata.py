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
    "distributed",
    "verbose",
    "warm_start",
)
PACKAGES = ("skdann", "numpy", "scikit-learn", "skorch", "torch")

# Marks the name of a parameter that only code can make.
CODE = "code of"

# Values of one row that a file may claim; it is made once, to size a network by.
MAX_ROW_VALUES = 2**26


def describe(estimator, targets, row_shape, groups=None):
    """Return parameters, what y is, columns and versions as a tree of plain values.

    Parameters
    ----------
    estimator : BaseDANN
        That has seen its data.
    targets : ClassTargets or RealTargets
        What y is.
    row_shape : tuple of int
        Shape of a row.
    groups : dict of str to ndarray or None, default=None
        Names of the groups of each domain, if they are told apart.

    Returns
    -------
    dict
        For :func:`skdann._io._container.write_file`. What only code can say, such as
        a torch module, is there by name alone.
    """
    names = getattr(estimator, "feature_names_in_", None)
    of_y = targets.description()
    if "classes" in of_y:
        check_labels(of_y["classes"])
    of_groups = {} if groups is None else {"groups": groups}
    for of_domain in filter(_is_given, (groups or {}).values()):
        check_labels(of_domain, "groups")
    return {
        "estimator": {
            "kind": estimator._kind,
            "parameters": describe_parameters(estimator),
            **of_y,
            **of_groups,
            "row_shape": tuple(row_shape),
            "feature_names": None if names is None else names.tolist(),
        },
        "versions": versions(),
    }


def describe_parameters(estimator):
    """Return parameters as plain values; of code the name."""
    return {k: _plain(v) for k, v in estimator.get_params(deep=False).items()}


def versions(packages=PACKAGES):
    """Return the versions of Python and of packages that are installed."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def needs_code(value):
    """Whether a parameter of a file is, or holds, the name of code."""
    if isinstance(value, dict):
        return CODE in value
    return isinstance(value, list | tuple) and any(map(needs_code, value))


def check_classes(classes):
    """Return the classes of a file, or raise ValueError."""
    return _check_names_of(classes, "classes", "labels", 2)


def check_group_names(groups):
    """Return the groups of each domain that a file tells, or raise ValueError."""
    if not isinstance(groups, dict) or groups.keys() != {"source", "target"}:
        raise ValueError("its groups are not those of source and target")
    for names in filter(_is_given, groups.values()):
        _check_names_of(names, "groups", "names", 1)
    return groups


def _is_given(names):
    return names is not None


def _check_names_of(names, what, kind, least):
    """Return distinct labels, sorted, or raise ValueError."""
    if not isinstance(names, np.ndarray) or names.ndim != 1 or len(names) < least:
        number = {1: "one", 2: "two"}[least]
        raise ValueError(f"its {what} are no list of at least {number} {kind}")
    if not _are_labels(names):
        raise ValueError(f"its {what} are neither numbers nor texts")
    if len(np.unique(names)) != len(names) or np.any(np.sort(names) != names):
        raise ValueError(f"its {what} are not sorted, or come twice")
    return names


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


def check_labels(classes, what="labels"):
    """Return labels, or raise TypeError if no file can hold them."""
    if not _are_labels(classes):
        raise TypeError(
            f"No file can hold the {what} {classes.tolist()[:3]} of dtype "
            f"{classes.dtype}. Fit with {what} that are numbers or strings."
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
