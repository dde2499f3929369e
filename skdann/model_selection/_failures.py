"""Say what has failed in a search, and raise an error if nothing can be chosen."""

from collections import Counter

import numpy as np
from sklearn.exceptions import FitFailedWarning

from .._warn import warn
from ..metrics._scorers import SCORES

# Errors that a message shows; others are counted.
MAX_SHOWN = 3


def report_failures(outcomes, error_score):
    """Warn of the fits that failed, or raise an error if none succeeded.

    Parameters
    ----------
    outcomes : list of Outcome
        Of all fits.
    error_score : float
        What those that failed score.
    """
    n_failed = sum(outcome.error is not None for outcome in outcomes)
    if not n_failed:
        return
    if n_failed == len(outcomes):
        raise ValueError(f"All {n_failed} fits failed: {describe_errors(outcomes)}")
    warn(
        f"{n_failed} of {len(outcomes)} fits failed and score {error_score}: "
        f"{describe_errors(outcomes)}",
        FitFailedWarning,
    )


def describe_errors(outcomes):
    """Return in words why fits failed: the most frequent errors, and how often."""
    errors = Counter(
        f"{type(o.error).__name__}: {o.error}" for o in outcomes if o.error is not None
    )
    shown = [f"{n} times {text}" for text, n in errors.most_common(MAX_SHOWN)]
    n_others = len(errors) - len(shown)
    return "; ".join([*shown, f"and {n_others} other errors"] if n_others else shown)


def explain_why_none(outcomes, column):
    """Return in words why no candidate can be chosen by a score.

    Parameters
    ----------
    outcomes : list of Outcome
        Of all fits.
    column : str
        Name of the score.
    """
    n_failed = sum(outcome.error is not None for outcome in outcomes)
    if n_failed:
        return (
            f"{n_failed} of {len(outcomes)} fits failed, of each candidate at least "
            f"one: {describe_errors(outcomes)}"
        )
    scores = [outcome.test_scores.get(column, np.nan) for outcome in outcomes]
    return f"{column!r} is finite for none of them; the fits score {scores[:10]}"


def warn_of_scores_not_finite(outcomes):
    """Warn of scores of the user's that are no finite numbers though the fit succeeded.

    Parameters
    ----------
    outcomes : list of Outcome
        Of all fits.
    """
    done = [outcome.test_scores for outcome in outcomes if outcome.error is None]
    names = {name: None for scores in done for name in scores if name not in SCORES}
    wrong = {
        name: sum(not np.isfinite(scores.get(name, np.nan)) for scores in done)
        for name in names
    }
    counts = ", ".join(f"{name!r} of {n} fits" for name, n in wrong.items() if n)
    if counts:
        warn(
            f"Scores are not finite, or missing: {counts} of {len(outcomes)}. A "
            "candidate whose mean score is not finite is not chosen."
        )
