"""Rules about the numbers that are predicted for the target."""

import numpy as np

from ._finding import Finding

# Change of the mean of y, in deviations, beyond chance: two normal distributions that
# are so far apart have a total variation of .1, the limit of proportions of classes.
_MEANS_DIFFER = 0.25

# Proxy A-distance of the input above which domains hardly overlap: then it is rather
# the columns that differ. Four rows of five are told by their domain.
_SEPARATE = 1.3

# Deviation of predictions for the target, by that on the source: all but one number.
_COLLAPSED = 0.05

# Share of target rows predicted beyond all y of the source, by a tenth of its range.
_BEYOND = 0.05

_ADVICE = (
    "Label a few rows to decide. If you know that it has, standardize='source' and "
    "lambda_max=0 keep what the columns tell of it; if you know that it has not, "
    "standardize='domain'."
)


def collapsed(measures):
    """Find predictions that hardly vary."""
    of_source, of_target = (
        getattr(measures.evidence, part)["adapted"].std(axis=0)
        for part in ("part_source", "part_target")
    )
    if (of_target > _COLLAPSED * of_source).any():
        return None
    return Finding(
        "collapsed",
        True,
        "Predictions for the target are nearly one number: their deviation is "
        f"{of_target.max():.2g}, on the source {of_source.max():.2g}.",
        "The predictions have collapsed, unless all rows of the target are alike.",
        "Look at standardize, lower lambda_max or lr, and look at the predictions of "
        "the source-only model.",
    )


def mean_differs(measures):
    """Return whether unlike models agree that y has another mean in the target.

    Where the domains hardly overlap that says nothing: models go wrong alike.
    """
    overlaps = measures.distances["input"] < _SEPARATE
    return overlaps and measures.shift.least.max() > _limit(measures)


def mean_may_differ(measures):
    """Return whether some model predicts that y has another mean.

    Which each domain's own scales hide, from all others.
    """
    return measures.shift.most > _limit(measures)


def other_mean(measures):
    """Find a shift of y, which adapting cannot correct and tends to hide."""
    shift = measures.shift
    if mean_differs(measures):
        return Finding(
            "other_mean",
            True,
            f"y has another mean in the target, by {shift.least.max():.2f} deviations "
            "or more.",
            "Domain-adversarial training makes the domains alike as a whole. Where y "
            "is distributed otherwise, it can only do so by mixing unlike rows.",
            _ADVICE,
        )
    if not mean_may_differ(measures):
        return None
    changes = " and ".join(
        f"{change[np.abs(change).argmax()]:+.2f} (a {name})"
        for name, change in shift.of_models.items()
    )
    return Finding(
        "mean_unknown",
        False,
        "Scaled as the source, simple models predict that y has another mean in the "
        f"target, by {changes} deviations.",
        "Either y has another mean there, which adapting and each domain's own scales "
        "hide, or columns mean something else, and these models are mistaken.",
        _ADVICE,
    )


def beyond_source(measures):
    """Find predictions that no row of the source comes near."""
    low, high = measures.ends
    margin = 0.1 * (high - low)
    predicted = measures.evidence.target["adapted"]
    is_beyond = (predicted < low - margin) | (predicted > high + margin)
    share = is_beyond.any(axis=1).mean()
    if share <= _BEYOND:
        return None
    return Finding(
        "beyond_source",
        False,
        f"{share:.0%} of the target are predicted beyond all y of the source.",
        "There a network goes on in a straight line; what it learned says little of "
        "such rows.",
        "Label some of these rows, or do not use their predictions.",
    )


def _limit(measures):
    n_source, n_target = measures.n_rows
    return _MEANS_DIFFER + 1.64 * np.sqrt(1 / n_source + 1 / n_target)
