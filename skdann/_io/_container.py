"""Files of plain values and arrays: written whole or not at all, read without trust."""

import hashlib
import json
import os
import secrets
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

# Raised when what a file means is changed, so that an older reader can tell.
FORMAT = 1

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


def read_file(path):
    """Read a tree. No code in the file is run, however it was made.

    Parameters
    ----------
    path : str or PathLike
        A file of :func:`write_file`.

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
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a regular file.")
    with errors_as_value_error(path):
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                _check_format(metadata)
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        except SafetensorError as error:
            raise ValueError(f"it is damaged or of another kind ({error})") from error
        if _digest(metadata["tree"], arrays) != metadata["sha256"]:
            raise ValueError("it is damaged: its checksum is wrong")
        tree = _unpack(json.loads(metadata["tree"]), arrays)
        if not isinstance(tree, dict):
            raise ValueError(f"it holds a {type(tree).__name__} for a dict")
        return tree


@contextmanager
def errors_as_value_error(path):
    """Turn whatever comes of a file that makes no sense into one ValueError."""
    try:
        yield
    except NONSENSE as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        if isinstance(error, KeyError):
            reason = f"it lacks {reason}"
        raise ValueError(
            f"{path} can't be used: {reason}. Give a file written by skdann.save or as "
            "a checkpoint of DANNClassifier."
        ) from error


def write_bytes(path, data):
    """Replace a file at once: written beside it, on the disk, then renamed.

    Parameters
    ----------
    path : str or PathLike
        Where.
    data : bytes
        What.
    """
    path = Path(path)
    part = _part_of(path)
    try:
        with open(part, "xb") as file:
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
    if os.name == "posix":  # the new name, too, must survive a power cut
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _part_of(path):
    """Return a name beside a file that nobody else has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def check_writable(path):
    """Raise the OSError that :func:`write_bytes` would raise after hours."""
    part = _part_of(Path(path))
    open(part, "xb").close()
    part.unlink()


def remove_parts(path):
    """Remove what writers that were killed have left beside a file."""
    path = Path(path)
    for part in path.parent.glob(f".{path.name}.????????.part"):
        part.unlink(missing_ok=True)


# What JSON has no word for is an object of one key.
_ARRAY, _OBJECTS, _TUPLE, _ITEMS = "$array", "$objects", "$tuple", "$items"


def _pack(value, arrays):
    """Return what JSON can hold; arrays go into ``arrays``, under a number."""
    if value is None or isinstance(value, bool | int | float | str):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return _pack(value.item(), arrays)
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
    return {_ITEMS: [[_pack(k, arrays), _pack(v, arrays)] for k, v in value.items()]}


def _pack_array(array, arrays):
    if array.dtype.kind in "UO":
        values = [_pack(item, arrays) for item in array.tolist()]
        return {_OBJECTS: values, "kind": array.dtype.kind}
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"An array of dtype {array.dtype} can't be written to a file.")
    name = str(len(arrays))
    arrays[name] = np.asarray(array, array.dtype.newbyteorder("="), order="C")
    return {_ARRAY: name}


def _unpack(value, arrays):
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return arrays[value[_ARRAY]]
    if _OBJECTS in value:
        dtype = {"U": str, "O": object}[value["kind"]]
        return np.array(_unpack(value[_OBJECTS], arrays), dtype=dtype)
    if _TUPLE in value:
        return tuple(_unpack(value[_TUPLE], arrays))
    if _ITEMS in value:
        return {_unpack(k, arrays): _unpack(v, arrays) for k, v in value[_ITEMS]}
    return {key: _unpack(item, arrays) for key, item in value.items()}


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
    if int(written) > FORMAT:
        raise ValueError(
            f"it is of format {int(written)}, and this version of skdann knows those "
            f"up to {FORMAT}; a later skdann has written it"
        )
