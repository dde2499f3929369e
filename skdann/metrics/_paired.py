"""Tell two models apart by labelled rows on which one is right, or nearer."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

# Of a normal distribution: 95% lie within so many deviations.
Z = 1.96

# ... and four fifths above minus so many.
Z_POWER = 0.84


@dataclass(frozen=True)
class PairedDifference:
    """How much more accurate one classifier is than another, on labelled rows.

    Attributes
    ----------
    n : int
        Labelled rows.
    n_better, n_worse : int
        Rows on which it alone is right, and on which the other alone is.
    """

    n: int
    n_better: int
    n_worse: int

    @classmethod
    def of(cls, is_right, other_is_right):
        """Compare two arrays of bool, one entry for each labelled row."""
        return cls(
            len(is_right),
            int(np.sum(is_right & ~other_is_right)),
            int(np.sum(~is_right & other_is_right)),
        )

    @property
    def difference(self):
        """Difference of the accuracies."""
        return (self.n_better - self.n_worse) / self.n

    @property
    def interval(self):
        """Of 95%, by the paired variance, with one row more on either side."""
        better, worse, n = self.n_better + 1, self.n_worse + 1, self.n + 2
        middle = (better - worse) / n
        half = Z * math.sqrt(better + worse - (better - worse) ** 2 / n) / n
        return max(-1.0, middle - half), min(1.0, middle + half)

    @property
    def is_settled(self):
        """Whether the interval excludes 0."""
        low, high = self.interval
        return low > 0 or high < 0

    @property
    def n_more(self):
        """About how many labels more would settle it if they were like these.

        0 if it is settled, infinite if the two are equally often right.
        """
        if self.is_settled:
            return 0
        margin = abs(self.n_better - self.n_worse)
        if margin == 0:
            return math.inf
        # n grows by f: the margin grows by f, its deviation by the root of f
        differing = self.n_better + self.n_worse
        factor = Z**2 * (differing + 2) / margin**2
        return max(1, math.ceil(self.n * (factor - 1)))


def rows_to_settle(share_right=0.75):
    r"""Return how many rows on which two classifiers differ tell them apart.

    The difference of the counts has the mean :math:`m n` and the deviation
    :math:`\sqrt{(1 - m^2) n}`, :math:`m = 2 s - 1`. In four cases of five it exceeds
    :math:`1.96 \sqrt n`, the limit of :attr:`PairedDifference.is_settled`, from

    .. math:: n = \Big(\frac{1.96 + 0.84 \sqrt{1 - m^2}}{m}\Big)^2

    Parameters
    ----------
    share_right : float, default=0.75
        Share s of these rows on which the better one is right, the other on the rest.
        The closer to one half, the more rows.

    Returns
    -------
    n : int
        Rows.
    """
    margin = 2 * share_right - 1
    return math.ceil(((Z + Z_POWER * math.sqrt(1 - margin**2)) / margin) ** 2)


def compare_best(names, is_right):
    """Say in a sentence whether labels tell the two best candidates apart.

    Parameters
    ----------
    names : list
        Of the candidates, at least two.
    is_right : ndarray of bool of shape (n_candidates, n_labelled)
        On labelled rows, at least one.
    """
    n_right = is_right.sum(axis=1)
    first, second = np.argsort(-n_right, kind="stable")[:2]
    paired = PairedDifference.of(is_right[first], is_right[second])
    low, high = paired.interval
    told = (
        f"Of the {paired.n} labels {names[first]} has {n_right[first]} right and "
        f"{names[second]} {n_right[second]}: a difference of {paired.difference:.2f}, "
        f"95% interval {low:.2f} to {high:.2f}"
    )
    if paired.is_settled:
        return f"{told}."
    if math.isinf(paired.n_more):
        return f"{told}; more labels like these would not tell them apart."
    return f"{told}; about {paired.n_more} more such labels would tell them apart."


def compare_best_numbers(names, squared_errors):
    """Say in a sentence whether known numbers tell the two best candidates apart.

    Parameters
    ----------
    names : list
        Of the candidates, at least two.
    squared_errors : ndarray of shape (n_candidates, n_labelled)
        On labelled rows, at least one, in variances of y.
    """
    means = squared_errors.mean(axis=1)
    first, second = np.argsort(means, kind="stable")[:2]
    n = squared_errors.shape[1]
    told = (
        f"On the {n} known numbers the root of the mean squared error is "
        f"{math.sqrt(means[first]):.2g} deviations of y for {names[first]} and "
        f"{math.sqrt(means[second]):.2g} for {names[second]}"
    )
    more = _numbers_to_settle(squared_errors[second] - squared_errors[first])
    if more == 0:
        return f"{told}, which is more than chance (95%)."
    if math.isinf(more):
        return f"{told}; more numbers like these would not tell them apart."
    return f"{told}; about {more} more such numbers would tell them apart."


def _numbers_to_settle(differences):
    """Return about how many differences more would exclude that their mean is 0.

    0 if these do, by Student's t at 95%.
    """
    n, mean = len(differences), differences.mean()
    if mean <= 0:
        return math.inf
    # of one alone, the deviation is guessed to be its size
    deviation = differences.std(ddof=1) if n > 1 else mean
    limit = student.ppf(0.975, max(1, n - 1)) * deviation
    if mean * math.sqrt(n) > limit:
        return 0
    return max(1, math.ceil((Z * deviation / mean) ** 2) - n)
