"""Files of rows that are mapped, with their room on the disk taken beforehand."""

import os
from pathlib import Path

import numpy as np


def create_memmap(path: Path, dtype, shape: tuple[int, ...]) -> np.memmap:
    """Return a new file of NumPy's format, mapped to be written.

    A disk that has no room for it is an OSError now; later it would end the process.
    """
    rows = np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, rows.offset + rows.nbytes)
    return rows
