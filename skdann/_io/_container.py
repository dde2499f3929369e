"""Files of plain values and arrays: written whole or not at all, read without trust."""

import errno
import hashlib
import json
import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

# Raised when what a file means is changed, so that an older reader can tell.
FORMAT = 1

# Texts of one width may take this much memory, whatever their file's size is.
FREE_BYTES = 2**20

# Integers of more bits are no floats any more, and take time to read.
MAX_BITS = 128

# Longest name of a file, in bytes, that is still readable in the name of its part file.
MAX_READABLE_NAME = 200

ADVICE = "Give a file written by skdann.save or as a checkpoint of a fit."

# What a file of nonsense makes of the code that interprets it.
NONSENSE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


def as_path(path):
    """Return a path as the user means it: ``~`` is the home folder."""
    return Path(os.path.expanduser(os.fsdecode(path)))


def write_file(path, tree):
    """Write a tree, so that at any moment the file is the old one or the new one.

    Parameters
    ----------
    path : str or PathLike
        Where; what is there is replaced.
    tree : dict
        Of dicts, lists, tuples, numbers, strings, None and arrays.

    Raises
    ------
    OSError
        If the disk refuses; the old file is then as it was.
    TypeError
        If the tree holds anything else.
    """
    arrays = {}
    text = json.dumps(_pack(tree, arrays))
    metadata = {
        "skdann": str(FORMAT),
        "sha256": _digest(text, arrays),
        "tree": text,
    }
    write_bytes(path, save(arrays, metadata))


def check_tree(tree):
    """Raise the TypeError that :func:`write_file` would raise after hours."""
    _pack(tree, {})


def read_file(path, advice=ADVICE):
    """Read a tree. No code in the file is run, however it was made.

    Memory and time are a small multiple of the file's size, whatever it claims.

    Parameters
    ----------
    path : str or PathLike
        A file of :func:`write_file`.
    advice : str
        What to do if it is none, or damaged.

    Returns
    -------
    dict

    Raises
    ------
    OSError
        If there is no such file, or it must not be read.
    ValueError
        If it is another kind of file, damaged, or of a later version.
    """
    path = as_path(path)
    if path.exists():
        if not path.is_file():
            raise ValueError(f"{path} is not a regular file.")
        open(path, "rb").close()  # safetensors would call a forbidden one damaged
    with errors_as_value_error(path, advice):
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                _check_format(metadata)
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        except SafetensorError as error:
            raise ValueError(f"it is damaged or of another kind ({error})") from error
        if _digest(metadata["tree"], arrays) != metadata["sha256"]:
            raise ValueError("it is damaged: its checksum is wrong")
        tree = json.loads(
            metadata["tree"],
            object_hook=partial(_unpack, arrays=arrays),
            parse_int=lambda digits: _check_integer(int(digits)),
        )
        if not isinstance(tree, dict):
            raise ValueError(f"it holds a {type(tree).__name__} for a dict")
        return tree


@contextmanager
def errors_as_value_error(what, advice=ADVICE):
    """Turn whatever comes of a file that makes no sense into one ValueError."""
    try:
        yield
    except NONSENSE as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        if isinstance(error, KeyError):
            reason = f"it lacks {reason}"
        reason = reason.removesuffix(".")  # of what is a sentence already
        raise ValueError(f"{what} can't be used: {reason}. {advice}") from error


def write_bytes(path, data):
    """Replace a file at once: written beside it, on the disk, then renamed.

    Parameters
    ----------
    path : str or PathLike
        Where. A link stays one, to the new file; a file's mode and owner stay, too.
    data : bytes
        What.
    """
    path = _file_behind(path)
    part = _part_of(path)
    # of an old file that others must not read, the new one must not be read meanwhile
    mode = 0o600 if path.exists() else 0o666
    try:
        with open(part, "xb", opener=partial(os.open, mode=mode)) as file:
            _copy_mode(path, part)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        try:
            part.unlink(missing_ok=True)
        except KeyboardInterrupt:  # once more, maybe before it had begun
            part.unlink(missing_ok=True)
            raise
        raise
    _sync_folder(path.parent)


def _file_behind(path):
    """Return the file that a path leads to, there or not yet."""
    path = Path(os.path.realpath(as_path(path)))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():  # /dev/null would become a file
        raise OSError(errno.EINVAL, "It is not a regular file", str(path))
    return path


def _copy_mode(path, part):
    """Give a new file mode and owner of the one that it is going to replace."""
    if not path.exists():
        return
    old = path.stat()
    if os.name == "posix":
        with suppress(PermissionError):  # root alone gives files away
            os.chown(part, old.st_uid, old.st_gid)
    os.chmod(part, stat.S_IMODE(old.st_mode))


def _sync_folder(folder):
    """Make the new name, too, survive a power cut, where the folder can be opened.

    The file is in place, so nothing is raised: a folder may be one to write into only.
    """
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _part_of(path):
    """Return a name beside a file that nobody else has."""
    return path.with_name(f"{_part_prefix(path)}{secrets.token_hex(4)}.part")


def _part_prefix(path):
    """Return how the names of a file's parts begin; they are longer than its own."""
    name = path.name
    if len(os.fsencode(name)) > MAX_READABLE_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return f".{name}."


def check_writable(path):
    """Raise the OSError that :func:`write_bytes` would raise after hours."""
    part = _part_of(_file_behind(path))
    open(part, "xb").close()
    part.unlink()


def remove_parts(path):
    """Remove what writers that were killed have left beside a file."""
    path = _file_behind(path)
    is_part = re.compile(re.escape(_part_prefix(path)) + "[0-9a-f]{8}[.]part").fullmatch
    with suppress(OSError):  # of a folder that can be written, but not listed
        for name in filter(is_part, os.listdir(path.parent)):
            path.with_name(name).unlink(missing_ok=True)


# What JSON has no word for is an object of one key.
_ARRAY, _OBJECTS, _TUPLE, _ITEMS = "$array", "$objects", "$tuple", "$items"
_BY_COLUMNS = "$array by columns"


def _pack(value, arrays):
    """Return what JSON can hold; arrays go into ``arrays``, under a number."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return _check_integer(value)
    if isinstance(value, np.ndarray):
        return _pack_array(value, arrays)
    if isinstance(value, list):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {_TUPLE: [_pack(item, arrays) for item in value]}
    if not isinstance(value, dict):
        raise TypeError(f"A {type(value).__name__} can't be written to a file.")
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: _pack(item, arrays) for key, item in value.items()}
    pairs = value.items()
    return {_ITEMS: [[check_key(k), _pack(v, arrays)] for k, v in pairs]}


def _check_integer(value):
    """Return a value; an integer must fit in as many bits as a generator's state."""
    if isinstance(value, int) and abs(value) >= 2**MAX_BITS:
        raise TypeError(f"An integer of {value.bit_length()} bits can't be in a file.")
    return value


def check_key(key):
    """Return a key of a dict, plain; Python hashes larger integers as smaller ones.

    A dict of many such keys would take time quadratic in their number.
    """
    key = key.item() if isinstance(key, np.generic) else key
    is_wide = isinstance(key, int) and not -(2**63) <= key < 2**64
    if is_wide or not (key is None or isinstance(key, bool | int | float | str)):
        raise TypeError(f"A dict with the key {str(key)[:50]} can't be in a file.")
    return key


def _pack_array(array, arrays):
    if array.dtype.kind in "UO":
        values = [_pack(item, arrays) for item in array.tolist()]
        return {_OBJECTS: values, "kind": array.dtype.kind}
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"An array of dtype {array.dtype} can't be written to a file.")
    name = str(len(arrays))
    # it comes back as it lies in memory: products by columns are rounded otherwise
    by_columns = array.ndim > 1 and abs(array.strides[0]) < abs(array.strides[-1])
    rows = array.T if by_columns else array
    arrays[name] = np.asarray(rows, array.dtype.newbyteorder("="), order="C")
    return {_BY_COLUMNS if by_columns else _ARRAY: name}


def _unpack(value, arrays):
    """Return what an object of JSON stands for; what is in it is unpacked already."""
    if _ARRAY in value:
        # each once: named a thousand times it would be a thousand tensors
        return arrays.pop(value[_ARRAY])
    if _BY_COLUMNS in value:
        return arrays.pop(value[_BY_COLUMNS]).T
    if _OBJECTS in value:
        return _make_objects(value[_OBJECTS], value["kind"])
    if _TUPLE in value:
        return tuple(value[_TUPLE])
    if _ITEMS in value:
        return {check_key(key): item for key, item in value[_ITEMS]}
    return value


def _make_objects(values, kind):
    """Return an array of texts or objects.

    Texts take as much memory each as the longest. Where that is many times what they
    are long, the array is of objects.
    """
    if kind == "U":
        if not all(isinstance(text, str) for text in values):
            raise TypeError("what should be texts are none")
        lengths = [len(text) for text in values]
        widest = 4 * len(lengths) * max(lengths, default=0)
        if widest <= FREE_BYTES + 16 * sum(lengths):
            return np.array(values, dtype=str)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _digest(text, arrays):
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


def _check_format(metadata):
    written = metadata.get("skdann")
    if written is None:
        raise ValueError("it is a file of safetensors, but not of skdann")
    if int(written) < 1:  # the one number that the checksum does not cover
        raise ValueError("it is damaged: there is no such format")
    if int(written) > FORMAT:
        raise ValueError(
            f"it is of format {int(written)}, and this version of skdann knows those "
            f"up to {FORMAT}; a later skdann has written it"
        )
