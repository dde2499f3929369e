"""What makes a training the same when it is resumed: settings, code and data."""

import dis
import functools
import hashlib
import re
import sys
import weakref
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

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
        Made by these parameters. Its weights are not told: they are drawn, and trained.
    code : dict of str to callable
        Parameters by their names.
    """
    return {
        name: hash_code(_layers(getattr(network, name)))
        if hasattr(network, name)
        else hash_code(value)
        for name, value in code.items()
    }


def hash_code(value) -> str:
    """Return a digest of what code of the user's does, not of how it is written.

    Parameters
    ----------
    value : module, function, class or callable object
        Its bytecode, what it was made with, and what it uses of the module that it is
        in: functions, classes and plain values; down to what is of packages, which is
        told by name. A list or dict that it knows is told as it was when this was first
        asked here: what code has written into since is not code.
    """
    try:
        containers = _AS_FIRST_TOLD.setdefault(value, {})
    except TypeError:  # it can't be kept by a weak reference
        containers = {}
    return hashlib.sha256(_code_text(value, {}, containers).encode()).hexdigest()


# Of each code that was told here: by id, containers and their texts.
_AS_FIRST_TOLD = weakref.WeakKeyDictionary()


def _code_text(value, seen, containers):
    """Return the text that a digest of code is of.

    Parameters
    ----------
    value : object
        Whatever code refers to.
    seen : dict of int to (int, object)
        By id, what has a text already: its number, and itself, or another could have
        that id. A method knows its class.
    containers : dict of int to (object, str)
        By id, lists, dicts and sets, and the texts that they had.
    """
    is_container = type(value) in (list, dict, set)
    if is_container and id(value) in containers:
        return containers[id(value)][1]
    if is_container:  # what follows is told alike, whether this is looked at or not
        seen = dict(seen)
    inside = next((of for kind, of in _INSIDE if isinstance(value, kind)), None)
    if inside is None:
        inside = _BY_TYPE.get(type(value), _inside_instance)
    if inside in _MAY_REFER_TO_ITSELF:
        if id(value) in seen:
            number, _ = seen[id(value)]
            return f"#{number}"
        seen[id(value)] = len(seen), value
    parts = inside(value)
    if parts is None:
        return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))
    text = f"({' '.join(_code_text(part, seen, containers) for part in parts)})"
    if is_container:
        containers[id(value)] = value, text
    return text


def _inside_function(function):
    if _is_of_a_package(function) and "<locals>" not in function.__qualname__:
        return [function.__module__, function.__qualname__]
    cells = []
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is empty
            cells.append(cell.cell_contents)
    named = sorted((function.__kwdefaults__ or {}).items())
    made_with = [*cells, *(function.__defaults__ or ()), *named]
    return [function.__code__, *made_with, *_used_of_module(function)]


def _used_of_module(function):
    """Return names and values of what a function finds in its module by name.

    Of objects there only code and plain values are told: others, such as a bar or a
    fitted model, change from run to run.
    """
    if _is_installed(function):
        return []
    used, attributes = _names_of(function.__code__)
    values = {name: function.__globals__.get(name) for name in sorted(used)}
    of_modules = {
        f"{name}.{attribute}": getattr(module, attribute, None)
        for name, module in values.items()
        if isinstance(module, ModuleType)
        for attribute in sorted(attributes)
    }
    return [i for i in {**values, **of_modules}.items() if isinstance(i[1], _TOLD)]


def _names_of(code):
    """Return what code reads of its module and does not set, and names in it."""
    used, set_here, attributes = set(), set(), set(code.co_names)
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            used.add(step.argval)
        elif step.opname == "STORE_GLOBAL":
            set_here.add(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            used_there, names_there = _names_of(inner)
            used |= used_there
            attributes |= names_there
    return used - set_here, attributes


def _inside_class(cls):
    if _is_of_a_package(cls):
        return None
    members = [
        (name, value)
        for name, value in sorted(vars(cls).items())
        if isinstance(value, _METHOD) or not name.startswith("__")
    ]
    return [cls.__name__, *cls.__bases__, *members]


def _inside_instance(value):
    """Return what an object is made of, as it tells pickle."""
    if hasattr(value, "modules") and hasattr(value, "state_dict"):
        return [*_layers(value), *value.state_dict().items()]
    if hasattr(value, "module_"):  # its history tells seconds
        params = value.get_params(deep=False)
        return [type(value), *sorted(params.items()), value.module_]
    if hasattr(value, "to_numpy"):
        return [type(value), hash_rows(value)]
    if hasattr(value, "__wrapped__"):  # of a cache, which is no part of it
        return [type(value), value.__wrapped__]
    with suppress(Exception):  # a tensor may hold nothing yet
        array = as_readable(value)
        if isinstance(array, np.ndarray):
            return [str(value.dtype), array]
    try:
        _, arguments, *state = value.__reduce_ex__(4)
    except Exception:  # it is none for pickle, as a lock, or known by its name
        known = hasattr(value, "__dict__") and not _is_of_a_package(type(value))
        return [type(value), *_attributes(vars(value))] if known else None
    state, items, pairs = (*state[:3], None, None, None)[:3]
    state = _attributes(state) if isinstance(state, dict) else [state]
    return [type(value), *arguments, *state, *(items or ()), *(pairs or ())]


def _attributes(known):
    """Return attributes as pairs: set anew they are told, unlike items of a dict.

    But not scikit-learn's version, which is compared by itself.
    """
    pairs = _in_any_order(known.items())
    return [(name, value) for name, value in pairs if name != "_sklearn_version"]


def _layers(module):
    """Return what tells a network but for its weights: repr names the layers."""
    return repr(module), *dict.fromkeys(type(layer) for layer in module.modules())


def _inside_array(array):
    known = list(array.flat) if array.dtype.hasobject else [_digest_of(array)]
    return [array.dtype.str, array.shape, *known]


def _digest_of(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _in_any_order(values):
    return sorted(values, key=repr)


def _is_of_a_package(code):
    """Whether code comes with a version, which is compared by itself."""
    return str(code.__module__).partition(".")[0] in _PACKAGES


def _is_installed(function):
    """Whether a function is of a package, whichever."""
    folders = Path(function.__code__.co_filename).parts
    is_there = not {"site-packages", "dist-packages"}.isdisjoint(folders)
    return is_there or _is_of_a_package(function)


_PACKAGES = {"builtins", "numpy", "scipy", "skdann", "sklearn", "skorch", "torch"}
_PACKAGES |= sys.stdlib_module_names

_METHOD = FunctionType | classmethod | staticmethod | property

_PLAIN = bool | int | float | complex | str | bytes | None | np.generic

_TOLD = _PLAIN | FunctionType | type | functools.partial | np.ndarray
_TOLD |= tuple | list | dict | set | frozenset

# What is looked at within each kind, subclasses too; None is told by repr.
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
    (ModuleType, lambda module: [module.__name__]),
    (np.ndarray, _inside_array),
    (_PLAIN, lambda value: None),
]

# And of these kinds alone: another may hold more than its items.
_BY_TYPE = {
    tuple: list,
    frozenset: _in_any_order,
    list: lambda values: ["list", *values],
    set: lambda values: ["set", *_in_any_order(values)],
    dict: lambda values: ["dict", *_in_any_order(values.items())],
}

_MAY_REFER_TO_ITSELF = (_inside_function, _inside_class, _inside_instance)
_MAY_REFER_TO_ITSELF += _BY_TYPE[list], _BY_TYPE[dict]


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
