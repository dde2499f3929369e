"""Choose rows of a large domain: those that stand for it, or that tell most."""

import numpy as np

# Enough to compare networks with one another, and cheap to predict at every epoch.
MAX_COMPARED = 2000

# Of a memory map a tenth, held out, is too much to read into memory at every epoch.
MAX_HELD_OUT = 20_000


def spread_rows(n_rows, most=MAX_COMPARED):
    """Return positions of at most ``most`` rows, one of each stretch of the table.

    Which one of a stretch is drawn: where rows take turns, evenly spaced ones may all
    be of one kind. The positions depend on nothing but the number of rows, so that all
    networks are compared on the same ones and no random generator is advanced.

    Parameters
    ----------
    n_rows : int
        How many rows there are.
    most : int, default=MAX_COMPARED
        How many are wanted.

    Returns
    -------
    positions : ndarray of int of shape (min(n_rows, most),)
        Increasing.
    """
    edges = np.linspace(0, n_rows, min(n_rows, most) + 1).astype(int)
    drawn = np.random.default_rng(0).uniform(size=len(edges) - 1)
    return edges[:-1] + (drawn * np.diff(edges)).astype(int)


def inclusion_probabilities(size, n):
    """Return probabilities of being drawn, of sum n: proportional to size, at most 1.

    Parameters
    ----------
    size : ndarray of shape (n_rows,)
        At least 0. Rows of size 0 are drawn only if there are too few others.
    n : int
        How many rows are to be drawn, at most ``n_rows``.

    Returns
    -------
    probabilities : ndarray of shape (n_rows,)
    """
    n_positive = np.count_nonzero(size)
    if n_positive <= n:
        n_others = len(size) - n_positive
        return np.where(size > 0, 1.0, (n - n_positive) / max(1, n_others))
    is_certain = np.zeros(len(size), dtype=bool)
    while True:
        rest = np.where(is_certain, 0, size)
        probabilities = (n - is_certain.sum()) * rest / rest.sum()
        if not (probabilities > 1).any():
            return np.where(is_certain, 1.0, probabilities)
        is_certain |= probabilities > 1


def draw_rows(probabilities, rng):
    """Draw rows, each with its very probability (systematic sampling).

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        From :func:`inclusion_probabilities`.
    rng : RandomState
        Decides the draw, and its order.

    Returns
    -------
    rows : ndarray of int
        Positions, as many as the sum of the probabilities.
    """
    n = round(probabilities.sum())
    order = rng.permutation(len(probabilities))
    upto = np.cumsum(probabilities[order])
    points = (np.arange(n) + rng.uniform()) * (upto[-1] / n)
    drawn = order[np.searchsorted(upto, points, side="right")]
    return rng.permutation(drawn)
