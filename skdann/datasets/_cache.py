"""Arrays of a data set: from a folder, or downloaded into it, and checked."""

import hashlib
import os
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ._sources import READERS, SOURCES

# sha256 of the numbers of each data set, see `_digest`
DIGESTS = dict(
    line.split()
    for line in Path(__file__).with_name("digests.txt").read_text().splitlines()
)


def load_arrays(name, data_home=None, download_if_missing=True):
    """Return the arrays of a data set.

    They come from ``<name>.npz`` if the folder has it; else from the files of their
    publishers, which are downloaded once and stay in the folder.

    Parameters
    ----------
    name : str
        A key of ``DIGESTS``.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether files that are not there may be downloaded.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    OSError
        If a file is not there and can't be downloaded.
    ValueError
        If the data are not those that are meant.
    """
    folder = _folder(data_home)
    path = folder / f"{name}.npz"
    if path.exists():
        arrays = _read(_read_packed, [path])
        _check(arrays, DIGESTS[name], path)
        return arrays
    if name not in SOURCES:
        raise FileNotFoundError(
            f"{path} does not exist, and nobody serves these data at an address that "
            "stays. Pass data_home, a folder that holds the file."
        )
    files = [_find(folder, file, download_if_missing) for file in SOURCES[name]]
    arrays = _read(READERS[name], files)
    if any(file.hash is None for file in SOURCES[name]):
        _check(arrays, DIGESTS[name], ", ".join(map(str, files)))
    return arrays


def _folder(data_home):
    if data_home is None:
        data_home = os.environ.get("SKDANN_DATA")
    return Path(data_home) if data_home else Path(_pooch().os_cache("skdann"))


def _read_packed(paths):
    with np.load(paths[0], allow_pickle=False) as file:
        return dict(file)


_DAMAGE = (OSError, ValueError, KeyError, EOFError, zlib.error)
_DAMAGE += (tarfile.TarError, zipfile.BadZipFile)


def _read(reader, paths):
    try:
        return reader(paths)
    except _DAMAGE as error:
        names = ", ".join(map(str, paths))
        raise ValueError(f"{names} can't be read: {error}. Remove it.") from error


def _find(folder, file, download_if_missing):
    """Return the path of a file, which is downloaded if it is not there."""
    path = folder / file.name
    if path.exists():
        if file.hash is not None:
            _check_file(path, file.hash)
    elif download_if_missing:
        _download(path, file)
    else:
        raise FileNotFoundError(
            f"{path} does not exist. Pass download_if_missing=True to download it "
            "(once), or data_home, the folder that holds it."
        )
    return path


def _download(path, file):
    """Download a file, whole or not at all."""
    mirror = os.environ.get("SKDANN_DATA_URL")
    address = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.address
    try:
        _pooch().retrieve(address, file.hash, fname=file.name, path=path.parent)
    except (OSError, ValueError) as error:
        raise OSError(
            f"{file.name} could not be downloaded from {address}: {error}. Without a "
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
