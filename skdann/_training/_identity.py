"""What makes a training the same when it is resumed: settings, code and data."""

import functools
import hashlib
import re
from contextlib import suppress
from dataclasses import fields
from types import CodeType, FunctionType, MethodType

import numpy as np
from scipy import sparse

from .._containers._tables import as_readable, column_names, columns
from .._data._domains import Domains
from .._data._groups import GroupNames
from .._data._real_targets import RealTargets
from .._data._rows import take_rows
from .._data._targets import ClassTargets

# What the reader and the parameters make of the data; settings tell these apart.
_DERIVED = ("held_out", "scales", "target_prior")

# What files lack where it is not given, as those of older versions do.
_OPTIONAL = ("groups", "groups_tgt", "group_names")

# What a user calls a field of the data, where it has another name.
_ARGUMENTS = {
    "targets": "y",
    "rows": "sample_weight",
    "row_weight": "sample_weight",
    "mean_weight": "sample_weight",
    "label_weight": "sample_weight",
    "row_weight_tgt": "sample_weight_tgt",
    "label_weight_tgt": "y_tgt",
    "group_names": "groups",
}

# Rows are hashed in blocks of about this many values.
BLOCK_VALUES = 2**20

# Rows of each domain that tell one set of data from another in older files.
N_FINGERPRINTED = 256


def hash_data(domains: Domains) -> dict[str, str]:
    """Return a digest of each argument of ``fit``: of all rows, labels and weights."""
    digests: dict = {}
    for field in fields(domains):
        value = getattr(domains, field.name)
        is_left_out = field.name in _OPTIONAL and value is None
        if field.name not in _DERIVED and not is_left_out:
            name = _ARGUMENTS.get(field.name, field.name)
            _feed(digests.setdefault(name, hashlib.sha256()), value)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _feed(digest, value):
    """Feed a digest with an array, a sparse matrix, labels or a plain value."""
    if sparse.issparse(value) or isinstance(value, np.ndarray):
        digest.update(f"{value.shape} {value.dtype.str}".encode())
        for block in _blocks(value):
            digest.update(block)
    elif isinstance(value, ClassTargets | RealTargets | GroupNames):
        digest.update(value.identity().encode())
    else:
        digest.update(repr(value).encode())


def _blocks(array):
    """Yield the bytes of an array, or of a sparse matrix, a few rows at a time."""
    n_columns = max(1, int(np.prod(array.shape[1:])))
    is_sparse = sparse.issparse(array)
    if is_sparse:
        n_columns = max(1, array.nnz // max(1, array.shape[0]))
    size = max(1, BLOCK_VALUES // n_columns)
    for start in range(0, array.shape[0], size):
        block = array[start : start + size]
        if not is_sparse:
            yield np.ascontiguousarray(block).tobytes()
            continue
        block = block.tocsr(copy=True)
        block.sum_duplicates()  # sorts the columns of each row, too
        for values in (block.indptr, block.indices):
            yield values.astype(np.int64).tobytes()
        yield block.data.tobytes()


def hash_rows(values) -> str:
    """Return a digest of rows, labels or weights in any container, as a user has it."""
    digest = hashlib.sha256()
    values = as_readable(values)
    if column_names(values) is not None:
        for name, column in columns(values):
            digest.update(repr(name).encode())
            _feed(digest, _plain_array(column))
    elif sparse.issparse(values):
        _feed(digest, values.tocsr())
    elif values is not None:
        _feed(digest, _plain_array(values))
    return digest.hexdigest()


def _plain_array(values):
    """Return values as an array of numbers or texts, or else all of them as a list."""
    if not hasattr(values, "dtype"):  # numpy would make one text of 1 and "1"
        values = np.array(values, dtype=object)
    values = np.asarray(values)
    return values if values.dtype.kind in "biufcmMSU" else values.tolist()


def fingerprint(domains: Domains) -> str:
    """Return the digest of some rows that files of skdann 0.1 hold."""
    digest = hashlib.sha256()
    for X in (domains.X, domains.X_tgt):
        if X is None:
            digest.update(b"None")
            continue
        digest.update(f"{X.shape} {X.dtype.str}".encode())
        some = np.linspace(0, X.shape[0] - 1, N_FINGERPRINTED).astype(int)
        digest.update(np.ascontiguousarray(take_rows(X, some)).tobytes())
    columns = (domains.y, domains.label_weight, domains.row_weight, domains.y_tgt)
    for column in columns:
        digest.update(b"None" if column is None else column.tobytes())
    return digest.hexdigest()


def hash_parts(network, code: dict) -> dict[str, str]:
    """Return a digest of each parameter that is code; of parts, as built.

    Parameters
    ----------
    network : DANN
        Made by these parameters.
    code : dict of str to callable
        Parameters by their names.
    """
    return {
        name: hash_code(getattr(network, name, value)) for name, value in code.items()
    }


def hash_code(value) -> str:
    """Return a digest of what code of the user's does, not of how it is written.

    Parameters
    ----------
    value : module, function, class or callable object
        Its bytecode, and what it was made with, down to the code of the packages that
        are used here, which are told by name. A network is told by its layers.
    """
    return hashlib.sha256(_code_text(value, set()).encode()).hexdigest()


def _code_text(value, seen):
    """Return the text that a digest of code is of."""
    inside = next((of for kind, of in _INSIDE if isinstance(value, kind)), None)
    if isinstance(value, FunctionType | type) or inside is None:
        if id(value) in seen:  # a method knows its class
            return ""
        seen.add(id(value))
    if inside is None:
        inside = _inside_instance
    parts = inside(value)
    if parts is None:
        return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))
    return f"({' '.join(_code_text(part, seen) for part in parts)})"


def _inside_function(function):
    cells = []
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is empty
            cells.append(cell.cell_contents)
    named = sorted((function.__kwdefaults__ or {}).items())
    return [function.__code__, *cells, *(function.__defaults__ or ()), *named]


def _inside_class(cls):
    if _is_of_a_package(cls):
        return None
    code = FunctionType | classmethod | staticmethod | property
    plain = bool | int | float | str | tuple
    members = [
        (name, value)
        for name, value in sorted(vars(cls).items())
        if isinstance(value, code)
        or (isinstance(value, plain) and not name.startswith("__"))
    ]
    return [cls.__name__, *cls.__bases__, *members]


def _inside_instance(value):
    if hasattr(value, "modules"):  # repr tells the layers of a network
        kinds = dict.fromkeys(type(module) for module in value.modules())
        return [repr(value), *kinds]
    if _is_of_a_package(type(value)) or not hasattr(value, "__dict__"):
        return None
    return [type(value), *sorted(vars(value).items())]


def _is_of_a_package(cls):
    """Whether code comes with a version, which is compared by itself."""
    return cls.__module__.partition(".")[0] in _PACKAGES


_PACKAGES = ("builtins", "collections", "functools", "numpy", "scipy", "skdann")
_PACKAGES += ("sklearn", "skorch", "torch")

# What is looked at within each kind; the rest are plain values, told by repr.
_INSIDE = [
    (CodeType, lambda code: [code.co_code, *code.co_names, *code.co_consts]),
    (FunctionType, _inside_function),
    (MethodType, lambda method: [method.__func__, method.__self__]),
    (
        functools.partial,
        lambda made: [made.func, *made.args, *sorted(made.keywords.items())],
    ),
    (classmethod | staticmethod, lambda method: [method.__func__]),
    (property, lambda attribute: [attribute.fget]),
    (type, _inside_class),
    (tuple, list),
    (frozenset, lambda values: sorted(values, key=repr)),  # in no order of theirs
    # repr leaves out most of a long one
    (np.ndarray, lambda array: [str(array.dtype), array.shape, repr(array.tolist())]),
    (dict | list | set, lambda values: []),  # what code writes into is not code
    (bool | int | float | complex | str | bytes | None, lambda value: None),
]


def is_same_setting(value, other) -> bool:
    """Whether two values of a parameter mean the same: 1 and 1.0, (16,) and [16]."""
    return _plain_setting(value) == _plain_setting(other)


def _plain_setting(value):
    if isinstance(value, dict):
        return {key: _plain_setting(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_plain_setting(item) for item in value]
        return items[0] if len(items) == 1 else items
    return value
