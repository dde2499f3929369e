"""Choose a candidate by scores that need no target labels."""

import operator

import numpy as np

from .._warn import warn
from ..exceptions import AdaptationWarning

# Share of target rows predicted differently, or lack of concordance, from which on two
# candidates disagree.
DISAGREEMENT = 0.1


def choose(scores, source_score, lambda_max, *, tolerance):
    """Return the position of the best candidate that passes the guards.

    A candidate must not lose more than ``tolerance`` of accuracy, or R2, on held-out
    source rows against the best there; among equals the smaller lambda wins.

    Parameters
    ----------
    scores, source_score, lambda_max : ndarray of shape (n_candidates,)
        Of each candidate: what to maximize, accuracy or R2 on held-out source rows, and
        the parameter. Where its fits failed, the scores are NaN.
    tolerance : float
        How much of the score on the source may be lost.

    Returns
    -------
    int
    """
    fine = np.isfinite(scores) & np.isfinite(source_score)
    if not fine.any():
        raise ValueError("No candidate has a score.")
    fine &= source_score >= source_score[fine].max() - tolerance
    best = np.flatnonzero(fine & np.isclose(scores, scores[fine].max(), atol=1e-12))
    return int(best[np.argmin(lambda_max[best])])


def check_index(index, n_candidates):
    """Return what a callable ``refit`` returned, or raise ValueError if it is no index.

    Parameters
    ----------
    index : object
        What it returned.
    n_candidates : int
        How many positions there are.
    """
    try:
        position = -1 if isinstance(index, bool) else operator.index(index)
    except TypeError:
        position = -1
    if not 0 <= position < n_candidates:
        raise ValueError(
            f"refit returned {index!r}; it must return the position of a candidate in "
            f"cv_results_, an integer from 0 to {n_candidates - 1}."
        )
    return position


def warn_of_disagreement(chosen, favorites, disagreement, params, meaning):
    """Warn if other scores would choose a candidate with other predictions.

    Parameters
    ----------
    chosen : int
        Position of the chosen candidate.
    favorites : dict of str to int
        What each score would choose.
    disagreement : callable
        Returns of two positions how far their predictions differ; 0 is not at all.
    params : list of dict
        Of each candidate.
    meaning : str
        What that number is.
    """
    apart = []
    for name, other in favorites.items():
        share = disagreement(other, chosen)
        if share > DISAGREEMENT:
            apart.append(f"{name} would choose {params[other]} ({share:.0%})")
    if apart:
        warn(
            f"The scores disagree. The chosen candidate is {params[chosen]}, but "
            f"{'; '.join(apart)}; in brackets, {meaning}. See cv_results_, and label a "
            "few rows of the target to decide.",
            AdaptationWarning,
        )
