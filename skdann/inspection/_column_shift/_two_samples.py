"""Whether two samples of one column differ, and how much."""

import numpy as np
from scipy import stats

from ...metrics._proportions import total_variation

# Numbers of at most so many values are tested as categories: of ties the test of
# Kolmogorov and Smirnov is blind to half of the differences.
FEW_VALUES = 10

# Up to so many pairs of rows the exact distribution costs nothing.
MOST_PAIRS = 10_000


def compare_numbers(source, target):
    """Return Kolmogorov-Smirnov distance, standardized difference and p-value.

    Parameters
    ----------
    source, target : ndarray of float
        Without missing values, not empty.
    """
    is_small = len(source) * len(target) <= MOST_PAIRS
    method = "exact" if is_small else "asymp"
    result = stats.ks_2samp(source, target, method=method)
    p_value = result.pvalue
    values, codes = np.unique(np.concatenate([source, target]), return_inverse=True)
    if len(values) <= FEW_VALUES:
        p_value = _independence(*_counts(codes, len(source), len(values)))
    return result.statistic, _standardized_difference(source, target), p_value


def compare_categories(source, target, n_labels):
    """Return total variation, p-value, and the category whose share changed most.

    Parameters
    ----------
    source, target : ndarray of float
        Positions of categories, not empty.
    n_labels : int
        How many there are.
    """
    codes = np.concatenate([source, target]).astype(int)
    counts = _counts(codes, len(source), n_labels)
    first, second = (of_domain / of_domain.sum() for of_domain in counts)
    most = int(np.argmax(abs(second - first)))
    return total_variation(first, second), _independence(*counts), most


def compare_shares(source, target):
    """Return the difference of two shares and its p-value, by Fisher's exact test.

    Parameters
    ----------
    source, target : ndarray of bool
    """
    table = [[part.sum(), (~part).sum()] for part in (source, target)]
    return abs(target.mean() - source.mean()), stats.fisher_exact(table).pvalue


def adjust(p_values):
    """Return p-values corrected for their number, by Holm's procedure."""
    p_values = np.asarray(p_values)
    order = np.argsort(p_values)
    n_left = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.maximum.accumulate(p_values[order] * n_left)
    return np.minimum(adjusted, 1)


def _counts(codes, n_source, n_values):
    return [
        np.bincount(part, minlength=n_values)
        for part in (codes[:n_source], codes[n_source:])
    ]


def _independence(source, target):
    """Return the p-value of one distribution behind both counts."""
    table = np.stack([source, target])
    table = table[:, table.any(axis=0)]
    if table.shape[1] < 2:
        return 1.0
    if table.shape[1] == 2:
        return stats.fisher_exact(table).pvalue
    return stats.chi2_contingency(table).pvalue


def _standardized_difference(source, target):
    """Return the difference of the means in deviations, the mean of both variances."""
    largest = max(abs(source).max(), abs(target).max()) or 1.0
    source, target = source / largest, target / largest  # squares would overflow
    difference = target.mean() - source.mean()
    deviation = np.sqrt((source.var() + target.var()) / 2)
    if deviation > 0:
        return difference / deviation
    return np.copysign(np.inf, difference) if difference else 0.0
