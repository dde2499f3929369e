"""Runs of equal values: neighbors that can be treated alike."""

from collections.abc import Sequence
from itertools import groupby


def runs(values: Sequence) -> list[tuple[int, int]]:
    """Return (start, stop) of each run of equal values.

    >>> runs(["a", "a", "b", "a"])
    [(0, 2), (2, 3), (3, 4)]
    """
    found, start = [], 0
    for _, run in groupby(values):
        stop = start + len(list(run))
        found.append((start, stop))
        start = stop
    return found
