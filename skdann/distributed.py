"""Beside estimators, which join a torch process group by themselves: rows of all ranks.

See the guide's page on several processes and machines.
"""

import atexit
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse

from ._containers._tables import as_readable, column_names, first_few
from ._training import Ranks, joined_ranks, together
from ._typing import PathLike
from .datasets._memmap import create_memmap

__all__ = ["gather_rows"]

# Bytes that ranks send at once.
BLOCK = 2**24


def gather_rows(*shards: Any, folder: PathLike | None = None) -> Any:
    """Return the rows of all ranks, where each rank holds some: memory maps of all.

    Estimators want the same rows on every rank, of which each takes its share of every
    batch. Where each rank holds a shard, this brings all shards to every machine, a few
    megabytes at a time, into files that are read as they are needed: all rows need room
    on the disk, not in memory. The rows of rank 0 come first, and so on, so that a fit
    ends as it does in one process on the shards joined in this order.

    Parameters
    ----------
    *shards : array-like of shape (n_shard, ...), sparse matrix, or None
        What this rank holds: X, y, X_tgt, weights. Rows of all ranks have one shape and
        one dtype; frames have the same columns in the same order, and what is masked
        becomes NaN. Sparse matrices, and arrays of text, are joined in memory.
    folder : path or None, default=None
        Where the files go, on every machine; None is the folder of temporary files.
        They are removed when the processes end.

    Returns
    -------
    rows : memmap, ndarray, CSR array, None, or a tuple of these
        For each shard, read-only. Without a process group the shards as they are.

    Raises
    ------
    ValueError
        On all ranks, if rows are of different shapes, dtypes or kinds, or the columns
        of frames differ.
    ConnectionError
        If another rank is lost.

    Examples
    --------
    In one process there is nothing to gather:

    >>> from skdann.distributed import gather_rows
    >>> gather_rows([[1.0, 2.0]], [0])
    ([[1.0, 2.0]], [0])
    """
    with joined_ranks("auto") as ranks:
        if ranks is not None:
            with together(ranks, "read its rows"):
                given = [_as_rows(shard) for shard in shards]
                names = [column_names(shard) for shard in shards]
            _check_alike(ranks, given)
            _check_names(ranks, names)
            files = _SharedFolder(ranks, folder)
            shards = tuple(_gather(ranks, shard, files) for shard in given)
    return shards[0] if len(shards) == 1 else shards


def _as_rows(shard):
    if shard is None:
        return None
    table = as_readable(shard)
    rows = table if sparse.issparse(table) else np.asarray(table)
    if rows.ndim < 1 + sparse.issparse(shard):
        raise ValueError(
            f"gather_rows got a {type(shard).__name__} of shape {rows.shape}, which "
            "has no rows. Give what holds several: an array, a list, a sparse matrix."
        )
    return rows


def _check_alike(ranks, shards):
    """Raise ValueError on all ranks if rows of two ranks can't be in one table."""
    if found := ranks.find_other([_kind(shard) for shard in shards]):
        rank, first, other = found
        wrong = [
            f"{i} ({mine}, of rank 0 {theirs})"
            for i, (mine, theirs) in enumerate(zip(other, first, strict=False), start=1)
            if mine != theirs
        ]
        said = first_few(wrong) if wrong else f"{len(other)} arguments"
        raise ValueError(
            f"Rank {rank} gives other rows than rank 0: {said}. On all ranks rows must "
            "be of one kind, shape and dtype; a rank without rows gives an array of "
            "length 0."
        )


def _check_names(ranks, names):
    """Raise ValueError on all ranks if frames of two ranks have other columns.

    An array has no names: a rank without rows may give one.
    """
    for i, of_ranks in enumerate(zip(*ranks.gather(names), strict=True), start=1):
        named = [(rank, own) for rank, own in enumerate(of_ranks) if own is not None]
        for rank, other in named[1:]:
            first, expected = named[0]
            if other != expected:
                raise ValueError(
                    f"Argument {i} has the columns {first_few(other)} on rank {rank}, "
                    f"and {first_few(expected)} on rank {first}. Give all ranks the "
                    "same columns in the same order."
                )


def _kind(shard):
    """Return what rows of all ranks have in common, as a text."""
    if shard is None:
        return "None"
    if sparse.issparse(shard):
        return f"sparse rows of {shard.shape[1]} columns, {shard.dtype}"
    dtype = shard.dtype.str if shard.dtype.names is None else shard.dtype
    dtype = "text or objects" if shard.dtype.kind in "OUST" else dtype
    return f"rows of shape {shard.shape[1:]}, {dtype}"


def _gather(ranks, shard, files):
    """Return the rows of all ranks."""
    if shard is None:
        return None
    if sparse.issparse(shard):
        return sparse.vstack(ranks.gather(sparse.csr_array(shard)), format="csr")
    if shard.dtype.kind in "OUST":
        return np.concatenate(ranks.gather(shard))
    lengths = ranks.gather(len(shard))
    shape = sum(lengths), *shard.shape[1:]
    if not np.prod(shape):  # no file can be empty and mapped
        return np.zeros(shape, shard.dtype)
    path = files.path()
    with together(ranks, "write the rows of all ranks"):
        rows = files.create(path, shape, shard.dtype)
    start = 0
    for rank, length in enumerate(lengths):
        _send(ranks, rank, shard, rows, start, length)
        start += length
    with together(ranks, "write the rows of all ranks"):
        if rows is not None:
            rows.flush()
    return np.load(path, mmap_mode="r")


def _send(ranks, sender, shard, rows, start, length):
    """Bring the rows of one rank into the files of all."""
    row_bytes = max(1, shard[:0].itemsize * int(np.prod(shard.shape[1:])))
    size = max(1, BLOCK // row_bytes)
    for first in range(0, length, size):
        n = min(size, length - first)
        block = np.empty((n, *shard.shape[1:]), shard.dtype)
        if ranks.rank == sender:
            block[:] = shard[first : first + n]
        ranks.broadcast(torch.from_numpy(block.reshape(-1).view(np.uint8)), sender)
        if rows is not None:
            rows[start + first : start + first + n] = block


class _SharedFolder:
    """A new folder on every machine, made by the first of the ranks that see it.

    Parameters
    ----------
    ranks : Ranks
        Of one machine or of several.
    parent : path or None
        Where to make it.
    """

    def __init__(self, ranks: Ranks, parent: PathLike | None):
        self.n_files, self.is_maker = 0, False
        parent = Path(tempfile.gettempdir() if parent is None else os.fspath(parent))
        self.folder = parent / ranks.from_first(f"skdann-{uuid.uuid4().hex}")
        for rank in range(ranks.size):
            with together(ranks, "make a folder for the rows of all ranks"):
                if rank == ranks.rank and not self.folder.exists():
                    self.folder.mkdir(parents=True)
                    self.is_maker = True
                    atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self) -> Path:
        """Return the name of the next file."""
        self.n_files += 1
        return self.folder / f"{self.n_files}.npy"

    def create(self, path: Path, shape, dtype):
        """Return a map that can be written, if this rank is to write it, else None."""
        if not self.is_maker:
            return None
        return create_memmap(path, dtype, shape)
