"""Choose the rows that stand for a large domain."""

import numpy as np

# Enough to compare networks with one another, and cheap to predict at every epoch.
MAX_COMPARED = 2000


def evenly_spaced_rows(n_rows):
    """Return positions, evenly spaced, of at most ``MAX_COMPARED`` rows.

    They depend on nothing but the number of rows, so that all networks are compared on
    the same ones and no random generator is advanced.

    Parameters
    ----------
    n_rows : int
        How many rows there are.

    Returns
    -------
    positions : ndarray of int of shape (min(n_rows, MAX_COMPARED),)
        Increasing; the first and the last row are among them.
    """
    return np.linspace(0, n_rows - 1, min(n_rows, MAX_COMPARED)).astype(int)
