"""Which target rows to label next, and how many."""

import math

import numpy as np
from sklearn.utils import check_random_state

from ...metrics._paired import rows_to_settle
from ...metrics._sampling import draw_rows, inclusion_probabilities

# Where all agree, the disagreement is 0 up to so much.
_ROUNDING = 1e-9


def rows_to_label(evidence, n, random_state):
    """Draw unlabelled target rows, the likelier the more the models disagree.

    Parameters
    ----------
    evidence : Evidence
        What the models predict.
    n : int
        How many.
    random_state : int, RandomState or None
        Decides the draw.

    Returns
    -------
    rows : ndarray of int of shape (at most n,)
        Positions in X_tgt; fewer if models disagree on fewer.
    """
    shares = _shares(evidence)
    n = min(n, np.count_nonzero(shares))
    if n == 0:
        return evidence.rows[:0]
    probabilities = inclusion_probabilities(shares, n)
    return evidence.rows[draw_rows(probabilities, check_random_state(random_state))]


def n_to_label(evidence):
    """Return about how many such rows tell the adapted model from the best simple one.

    If the better one is right, or nearer, on three quarters of the rows that they
    differ on.

    Parameters
    ----------
    evidence : Evidence
        What the models predict.

    Returns
    -------
    n : int
        At most as many as there are to draw; 0 if both predict the same.
    """
    shares = _shares(evidence)
    differ = evidence.differ("adapted", evidence.best_simple)
    share_of_these = shares[differ].sum()
    if share_of_these == 0:
        return 0
    n = math.ceil(rows_to_settle() / share_of_these)
    return min(n, int(np.count_nonzero(shares)))


def _shares(evidence):
    """Return the probability by which each row is drawn, or only zeros."""
    size = evidence.disagreement()
    size[evidence.is_labelled | (size < _ROUNDING)] = 0
    total = size.sum()
    return size / total if total > 0 else size
