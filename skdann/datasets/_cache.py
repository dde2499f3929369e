"""Arrays of a data set: from a folder, or downloaded into it, and checked."""

import hashlib
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ._sources import SOURCES


def read_digests(path):
    """Return the digests in a file of lines ``name digest``."""
    return dict(line.split() for line in path.read_text().splitlines())


# By the name of a data set, the sha256 of its numbers, see `_digest`; by the name of an
# original file, its hash as pooch takes it, where one is published.
DIGESTS = read_digests(Path(__file__).with_name("digests.txt"))


def load_arrays(
    name,
    data_home=None,
    download_if_missing=True,
    *,
    sources=SOURCES,
    digests=DIGESTS,
):
    """Return the arrays of a data set, a dict, checked.

    They come from ``<name>.npz`` if the folder has it; else from the files of their
    publishers, which are downloaded once and stay in the folder. OSError says that a
    file is not there and can't be downloaded, ValueError that it is damaged.
    """
    folder = data_folder(data_home)
    path = folder / f"{name}.npz"
    if path.exists():
        arrays = _read(_read_packed, [path])
        _check(arrays, digests[name], path)
        return arrays
    source = sources[name]
    files = [
        _find(folder / file, address, digests.get(file), download_if_missing)
        for file, address in source.addresses.items()
    ]
    arrays = _read(source.read, files)
    if not source.addresses.keys() <= digests.keys():
        _check(arrays, digests[name], ", ".join(map(str, files)))
    return arrays


def data_folder(data_home):
    """Return the folder that the files are in."""
    if data_home is None:
        data_home = os.environ.get("SKDANN_DATA")
    folder = data_home or _pooch().os_cache("skdann")
    return Path(folder).expanduser()


def _read_packed(paths):
    with np.load(paths[0], allow_pickle=False) as file:
        return dict(file)


_DAMAGE = (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile)


def _read(reader, paths):
    try:
        return reader(paths)
    except _DAMAGE as error:
        names = ", ".join(map(str, paths))
        raise ValueError(f"{names} can't be read: {error}. Remove it.") from error


def _find(path, address, expected, download_if_missing):
    """Return the path of a file, which is downloaded if it is not there."""
    if path.exists():
        if expected is not None:
            _check_file(path, expected)
    elif download_if_missing:
        _download(path, address, expected)
    else:
        raise FileNotFoundError(
            f"{path} does not exist. Pass download_if_missing=True to download it "
            "(once), or data_home, the folder that holds it."
        )
    return path


def _download(path, address, expected):
    """Download a file, whole or not at all."""
    mirror = os.environ.get("SKDANN_DATA_URL")
    address = f"{mirror.rstrip('/')}/{path.name}" if mirror else address
    try:
        _pooch().retrieve(address, expected, fname=path.name, path=path.parent)
    except (OSError, ValueError) as error:
        raise OSError(
            f"{path.name} could not be downloaded from {address}: {error}. Without a "
            f"network, put the file into {path.parent} yourself, or pass data_home, a "
            "folder that holds it."
        ) from error


def _check_file(path, expected):
    algorithm, _, digest = expected.rpartition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, algorithm or "sha256").hexdigest()
    if found != digest:
        raise ValueError(
            f"{path} is damaged or another file of that name: its hash is {found}, not "
            f"{digest}. Remove it, and it is downloaded anew."
        )


def _check(arrays, expected, origin):
    if _digest(arrays) != expected:
        raise ValueError(
            f"The data in {origin} are damaged or not those that are meant: their "
            f"digest is {_digest(arrays)}, not {expected}. Remove the file."
        )


def _digest(arrays):
    """Return the sha256 of all numbers, with their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.asarray(arrays[name])
        if values.dtype.kind in "biuf":
            digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _pooch():
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            "The loaders of skdann.datasets need pooch: in a clone of skdann, "
            "pip install '.[datasets]'."
        ) from error
    return pooch
