"""Arrays from files of the folder, checked; the photographs can be downloaded."""

import tarfile
from pathlib import Path

import numpy as np

from skdann.datasets import _cache
from skdann.datasets._sources import Source

BERKELEY = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR"
DIGESTS = _cache.read_digests(Path(__file__).with_name("digests.txt"))


def load_arrays(name, data_home=None):
    """Return the arrays of a data set, a dict."""
    path = _cache.data_folder(data_home) / f"{name}.npz"
    if name not in SOURCES and not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist, and these data have no stable download URL. Pass "
            "data_home, a folder that holds the file."
        )
    return _cache.load_arrays(name, data_home, sources=SOURCES, digests=DIGESTS)


def read_bsds500(paths):
    """Read the training photographs from the archive, in the order of their names."""
    folder = "BSR/BSDS500/data/images/train/"
    try:
        with tarfile.open(paths[0]) as archive:
            names = sorted(
                name
                for name in archive.getnames()
                if name.startswith(folder) and name.endswith(".jpg")
            )
            files = [archive.extractfile(name).read() for name in names]
    except tarfile.TarError as error:
        raise ValueError(str(error)) from error
    return {
        "jpeg_bytes": np.frombuffer(b"".join(files), dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, files)]),
        "names": np.array([name.removeprefix(folder) for name in names]),
    }


ARCHIVE = "BSR_bsds500.tgz"
SOURCES = {
    "bsds500_train_jpeg": Source(read_bsds500, {ARCHIVE: f"{BERKELEY}/{ARCHIVE}"})
}
