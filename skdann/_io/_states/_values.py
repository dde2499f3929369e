"""Values of attributes as trees of plain values, and back: no code but by known name.

What JSON has no word for is a dict of one key that begins with a colon.
"""

import re
from zoneinfo import ZoneInfo

import numpy as np
from scipy import sparse
from scipy.interpolate import BSpline
from sklearn import feature_selection
from sklearn.compose import make_column_selector
from sklearn.tree._tree import Tree

from .._container import check_key

_TYPES = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "object": object,
    **{
        f"numpy.{name}": getattr(np, name)
        for name in (
            *("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
            *("uint64", "float16", "float32", "float64", "number", "integer"),
            *("floating", "datetime64", "timedelta64", "object_", "str_"),
        )
    },
}

# Of one array alone, so that nothing but numbers comes of them.
_FUNCTIONS = {
    **{
        f"numpy.{name}": function
        for name in dir(np)
        if isinstance(function := getattr(np, name), np.ufunc)
        and (function.nin, function.nout) == (1, 1)
    },
    **{
        f"sklearn.{name}": getattr(feature_selection, name)
        for name in (
            *("chi2", "f_classif", "f_regression", "r_regression"),
            *("mutual_info_classif", "mutual_info_regression"),
        )
    },
}

_NUMPY_DTYPE = re.compile(
    r"[<>|=]?([?]|[biufOSUM]\d{0,6})(\[(\d{0,6}[a-zA-Z]{1,2})\])?"
)
_OFFSET = re.compile(r"UTC([+-]\d\d:\d\d)?")
_UNITS = ("s", "ms", "us", "ns")


def to_tree(value, describe, name):  # noqa: C901 - a table of kinds, one a line
    """Return a value as a file can hold it.

    Parameters
    ----------
    value : object
        Of a parameter or an attribute.
    describe : callable
        Takes an estimator and its name, and returns it as a file can hold it.
    name : str
        Of the parameter or the attribute. Steps and what is in a dict have their own.

    Raises
    ------
    TypeError
        If no file can.
    """
    for kind, of_kind, pack in _PACKED:
        if isinstance(value, kind) and (packed := pack(value)) is not None:
            return {of_kind: packed}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        return _pack_array(value, describe, name)
    if type(value) in (list, tuple):
        name = _name_of_step(value, name)
        return type(value)(to_tree(item, describe, name) for item in value)
    if type(value) is dict:
        pairs = [
            (key, item, key if isinstance(key, str) else name)
            for key, item in value.items()
        ]
        return {
            ":dict": [[to_tree(x, describe, of) for x in pair] for *pair, of in pairs]
        }
    if hasattr(value, "get_params") and not isinstance(value, type):
        return {":object": describe(value, name)}
    if (tagged := _pack_time(value)) is not None:
        return {":time": tagged}
    named = value if hasattr(value, "__qualname__") else type(value)
    raise TypeError(f"{named.__module__}.{named.__qualname__}")


def from_tree(tree, restore, name):
    """Return the value that a tree stands for; ValueError and the like if for none.

    Parameters
    ----------
    tree : object
        From :func:`to_tree`, of a file.
    restore : callable
        Takes what ``describe`` has returned, and the name, and returns the estimator.
    name : str
        As in :func:`to_tree`.
    """
    if isinstance(tree, list | tuple):
        name = _name_of_step(tree, name)
        return type(tree)(from_tree(item, restore, name) for item in tree)
    if not isinstance(tree, dict):
        return tree
    [(kind, packed)] = tree.items()
    if kind == ":object":
        return restore(packed, name)
    if kind == ":dict":
        keys = [check_key(from_tree(key, restore, name)) for key, _ in packed]
        names = [key if isinstance(key, str) else name for key in keys]
        values = (value for _, value in packed)
        return {
            key: from_tree(value, restore, of)
            for key, value, of in zip(keys, values, names, strict=True)
        }
    if kind == ":objects":
        array = np.empty(len(packed), dtype=object)
        for i, item in enumerate(packed):
            array[i] = from_tree(item, restore, name)
        return array
    return _UNPACK[kind](packed)


def _name_of_step(value, name):
    """Return the first of a tuple, if that is the name of what it holds."""
    has_name = isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str)
    return value[0] if has_name else name


def _pack_array(array, describe, name):
    if array.dtype.kind not in "OU":
        # products of matrices are the same to the bit in the same order of axes alone
        is_fortran = array.ndim == 2 and array.strides[0] < array.strides[1]
        return {":transposed": array.T} if is_fortran else array
    if array.ndim != 1:
        raise TypeError(f"numpy.ndarray of dtype {array.dtype} and {array.ndim} axes")
    if array.dtype.kind == "U":
        return array
    return {":objects": [to_tree(item, describe, name) for item in array]}


def _pack_scalar(value):
    if not isinstance(value, np.number | np.bool_):
        return None
    return np.asarray(value)


def _pack_sparse(matrix):
    if matrix.format not in ("csr", "csc") or matrix.dtype.kind not in "fiub":
        return None
    form = matrix.format, isinstance(matrix, sparse.sparray), matrix.shape
    return (*form, matrix.data, matrix.indices, matrix.indptr)


def _unpack_sparse(packed):
    form, is_array, shape, data, indices, indptr = packed
    name = f"{ {'csr': 'csr', 'csc': 'csc'}[form] }_{'array' if is_array else 'matrix'}"
    if any(type(size) is not int or not 0 <= size < 2**31 for size in shape):
        raise ValueError("a sparse matrix has no such shape")
    # one of many empty rows would be a small text and a large array
    matrix = getattr(sparse, name)((data, indices, indptr), shape=tuple(shape))
    matrix.check_format(full_check=True)
    return matrix


def _pack_selector(selector):
    kinds = selector.dtype_include, selector.dtype_exclude
    return [
        selector.pattern,
        *(to_tree(of_columns, None, None) for of_columns in kinds),
    ]


def _unpack_selector(packed):
    pattern, include, exclude = (from_tree(part, None, None) for part in packed)
    if not isinstance(pattern, str | None):
        raise ValueError("it selects columns by a pattern that is no text")
    return make_column_selector(pattern, dtype_include=include, dtype_exclude=exclude)


def _pack_spline(spline):
    return (spline.t, spline.c, int(spline.k), spline.extrapolate)


def _unpack_spline(packed):
    t, c, k, extrapolate = packed
    return BSpline(t, c, k, extrapolate=extrapolate)


def _pack_tree(tree):
    """Return a decision tree: all that is known of its nodes are numbers."""
    _, (n_columns, n_classes, n_outputs), state = tree.__reduce__()
    nodes = state["nodes"]
    fields = [nodes[name].astype(float) for name in nodes.dtype.names]
    sizes = n_columns, np.asarray(n_classes), n_outputs, state["max_depth"]
    return [*sizes, list(nodes.dtype.names), np.stack(fields), state["values"]]


def _unpack_tree(packed):
    """Return a decision tree that ends, and looks at no column that is not there.

    It is walked without looking where that leads: children come after their parents.
    """
    n_columns, n_classes, n_outputs, max_depth, names, fields, values = packed
    tree = Tree(n_columns, n_classes.astype(np.intp), n_outputs)
    n_nodes = fields.shape[1]
    nodes = np.zeros(n_nodes, dtype=tree.__getstate__()["nodes"].dtype)
    if list(nodes.dtype.names) != names or not len(nodes):
        raise ValueError("it holds a decision tree of another version, or none")
    for name, of_nodes in zip(names, fields, strict=True):
        nodes[name] = of_nodes
        if not np.array_equal(nodes[name], of_nodes):
            raise ValueError(f"its decision tree has nodes of no {name}")
    shape = n_nodes, n_outputs, int(n_classes.max())
    if values.shape != shape or values.dtype != float or not np.isfinite(values).all():
        raise ValueError("its decision tree has other values than nodes")
    left, right, column = (nodes[k] for k in ("left_child", "right_child", "feature"))
    place, is_leaf = np.arange(n_nodes), left == -1
    leads_on = (left > place) & (right > place) & (left < n_nodes) & (right < n_nodes)
    looks = (column >= 0) & (column < n_columns)
    if not (is_leaf | (leads_on & looks)).all():
        raise ValueError("its decision tree leads nowhere")
    state = {"max_depth": max_depth, "node_count": n_nodes, "nodes": nodes}
    tree.__setstate__({**state, "values": np.ascontiguousarray(values)})
    return tree


def _unpack_dtype(text):
    if not _NUMPY_DTYPE.fullmatch(text):
        raise ValueError("it holds a dtype of no numbers, texts or dates")
    return np.dtype(text)


def _pack_time(value):
    """Return a type of dates of pandas or polars in words, or None."""
    package, name = type(value).__module__.partition(".")[0], type(value).__name__
    if (package, name) == ("pandas", "DatetimeTZDtype"):
        return ["pandas", value.unit, str(value.tz)]
    if (package, name) == ("polars", "Datetime"):
        return ["polars", value.time_unit, value.time_zone]
    if package == "polars" and str(value) == "Date":
        return ["polars", None, None]
    return None


def _unpack_time(packed):
    package, unit, zone = packed
    if package == "polars" and unit is None and zone is None:
        import polars as pl

        return pl.Date()
    if unit not in _UNITS or (zone is not None and not is_time_zone(zone)):
        raise ValueError("it holds a type of dates of an unknown unit or time zone")
    if package == "polars":
        import polars as pl

        return pl.Datetime(unit, zone)
    import pandas as pd

    return pd.DatetimeTZDtype(unit, zone)


def is_time_zone(zone):
    """Whether a text is the name of a time zone, and not of any file."""
    try:
        return bool(_OFFSET.fullmatch(zone)) or bool(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return False


def _name_in(table):
    names = {id(value): name for name, value in table.items()}
    return lambda value: names.get(id(value))


# What stands for itself in no file: its class, the key, and how it is packed.
_PACKED = [
    (np.generic, ":scalar", _pack_scalar),
    (np.dtype, ":dtype", lambda dtype: dtype.str if dtype.kind in "biufOSUM" else None),
    (type, ":type", _name_in(_TYPES)),
    (object, ":function", _name_in(_FUNCTIONS)),
    (slice, ":slice", lambda s: [s.start, s.stop, s.step]),
    (sparse.sparray | sparse.spmatrix, ":sparse", _pack_sparse),
    (BSpline, ":spline", _pack_spline),
    (make_column_selector, ":selector", _pack_selector),
    (Tree, ":tree", _pack_tree),
]
_UNPACK = {
    ":scalar": lambda array: array[()],
    ":transposed": lambda array: array.T,
    ":dtype": _unpack_dtype,
    ":type": _TYPES.__getitem__,
    ":function": _FUNCTIONS.__getitem__,
    ":slice": lambda bounds: slice(*bounds),
    ":sparse": _unpack_sparse,
    ":spline": _unpack_spline,
    ":selector": _unpack_selector,
    ":tree": _unpack_tree,
    ":time": _unpack_time,
}
