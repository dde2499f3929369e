"""Files of data: found in a folder, or downloaded into it and checked."""

import hashlib
import os
from pathlib import Path

import numpy as np

# What is downloaded when a file is not in the folder; $SKDANN_DATA_URL takes its place.
ADDRESS = "https://github.com/skdann/skdann/releases/download/data-1/"

# sha256 of each file, as pooch writes registries
HASHES = dict(line.split() for line in Path(__file__).with_name("registry.txt").open())


def load_arrays(name, data_home=None, download_if_missing=True):
    """Return the arrays of a file, by name; the file is downloaded if it is missing.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    data_home : str, path or None, default=None
        Folder of the files. None is ``$SKDANN_DATA`` or else the user's cache.
    download_if_missing : bool, default=True
        Whether a file that is not there may be downloaded.

    Returns
    -------
    numpy.lib.npyio.NpzFile

    Raises
    ------
    OSError
        If the file is not there and can't be downloaded.
    ValueError
        If the file is not the one that is meant.
    """
    path = _folder(data_home) / f"{name}.npz"
    sha256 = HASHES[path.name]
    if not path.exists():
        if not download_if_missing:
            raise FileNotFoundError(
                f"{path} does not exist. Pass download_if_missing=True to download it "
                "(once), or data_home, the folder that holds it."
            )
        _download(path, sha256)
    _check(path, sha256)
    return np.load(path, allow_pickle=False)


def _folder(data_home):
    if data_home is None:
        data_home = os.environ.get("SKDANN_DATA")
    return Path(data_home) if data_home else Path(_pooch().os_cache("skdann"))


def _download(path, sha256):
    """Download into the folder, whole or not at all."""
    address = os.environ.get("SKDANN_DATA_URL", ADDRESS).rstrip("/") + f"/{path.name}"
    pooch = _pooch()
    try:
        pooch.retrieve(address, sha256, fname=path.name, path=path.parent)
    except (OSError, ValueError) as error:
        raise OSError(
            f"{path.name} could not be downloaded from {address}: {error}. Without a "
            f"network, put the file into {path.parent} yourself, or pass data_home, a "
            "folder that holds it."
        ) from error


def _check(path, sha256):
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path} is damaged or another file of that name: its sha256 is {found}, "
            f"not {sha256}. Remove it, and it is downloaded anew."
        )


def _pooch():
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            "The loaders of skdann.datasets need pooch: pip install 'skdann[datasets]'."
        ) from error
    return pooch
