"""Endless streams of shuffled rows, of which large data hold one for each network."""

import itertools
from collections.abc import Iterator

import numpy as np


def shuffled_stream(
    rows: np.ndarray, size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield batches of ``size`` rows, reshuffling after each pass.

    If there are no more rows than that, each batch is all of them, in their order.
    """
    if len(rows) <= size:
        yield from itertools.repeat(rows.astype(np.intp, copy=False))
    left = _permuted(rows, rng)
    while True:
        while len(left) < size:  # a pass may end in the middle of a batch
            left = np.concatenate([left, _permuted(rows, rng)])
        yield left[:size].astype(np.intp)
        left = left[size:]


def _permuted(rows, rng):
    """Return rows in another order, which does not depend on the type they are held in.

    The orders of all networks are most of what a fit of large data holds.
    """
    permuted = rows.astype(index_dtype(rows.max() + 1))
    rng.shuffle(permuted)
    return permuted


def index_dtype(n_rows: int) -> type[np.signedinteger]:
    """Return the smaller type of integers that can tell so many rows apart."""
    return np.int32 if n_rows <= np.iinfo(np.int32).max else np.int64
