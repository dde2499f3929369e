"""The public face: which columns shifted, as a table."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..._typing import MatrixLike, RandomState
from .._text import align
from ._columns import check_tables, read_columns
from ._domain_classifier import draw_rows, tell_apart
from ._two_samples import adjust, compare_categories, compare_numbers, compare_shares

# Rows of the table that are printed.
MOST_PRINTED = 10

# Longer names are cut, so that lines have at most 88 characters.
_WIDTH_OF_NAME = 17


@dataclass(frozen=True)
class Shift:
    """How a column differs, or how often it is missing.

    Attributes
    ----------
    column : str
    kind : {"number", "date", "category", "missing"}
    distance : float
    difference : float
    p_value : float
    importance : float
    source, target : float
    label : str
    """

    column: str
    kind: str
    distance: float
    difference: float
    p_value: float
    importance: float
    source: float
    target: float
    label: str


@dataclass(frozen=True)
class ColumnShift:
    """Which columns of two tables differ; see :func:`column_shift`, which makes it.

    It prints as a table of the ten columns that differ most.

    Attributes
    ----------
    shifts : list of Shift
        One for the values of each column, and one for what is missing in it, if
        anything is. The largest distance comes first. Each has

        - ``column``: its name, or x0, x1, ... of arrays.
        - ``kind``: "number", "date", "category" or "missing".
        - ``distance``: 0 to 1. Of numbers and dates the Kolmogorov-Smirnov statistic,
          of categories the total variation, of missing values the difference of their
          shares.
        - ``difference``: of the means, target less source, in standard deviations
          (standardized mean difference, SMD), of numbers and dates; else NaN.
        - ``p_value``: corrected for the number of tests.
        - ``importance``: by how much the area under the ROC curve of the domain
          classifier falls if the column is shuffled; NaN if not measured.
        - ``source``, ``target``: means of numbers, and of dates as days since 1970; the
          share of the category ``label``, or of missing values.
        - ``label``: the category whose share changed most.
    auc : float
        Area under the ROC curve of a random forest that tells held-out rows of the
        domains apart: 0.5 is not at all, 1 always. NaN with fewer than 20 rows of one.
    p_value : float
        Of both tables coming from one distribution, by the forest and by the columns,
        corrected for these two ways.
    n_rows : tuple of int
        Of the source and of the target.

    See Also
    --------
    skdann.metrics.proxy_a_distance : Distance by a linear classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from skdann.inspection import column_shift
    >>> rng = np.random.default_rng(0)
    >>> X_src, X_tgt = rng.normal(size=(300, 3)), rng.normal(size=(200, 3)) + [0, 2, 0]
    >>> shift = column_shift(X_src, X_tgt, random_state=0)
    >>> [s.column for s in shift.shifts if s.p_value < 0.05]
    ['x1']
    >>> bool(shift.auc > 0.85)
    True
    """

    shifts: list[Shift]
    auc: float
    p_value: float
    n_rows: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as values that JSON can hold.

        Returns
        -------
        dict
            None stands for what does not exist, or is infinite.
        """
        return {
            "auc": _for_json(self.auc),
            "p_value": self.p_value,
            "n_rows": list(self.n_rows),
            "columns": [
                {name: _for_json(value) for name, value in asdict(shift).items()}
                for shift in self.shifts
            ],
        }

    def to_frame(self) -> Any:
        """Return the shifts as a DataFrame, the largest first.

        Returns
        -------
        pandas.DataFrame
            A row for each shift.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas: pip install pandas. to_dict has the same."
            ) from error
        return pd.DataFrame([asdict(shift) for shift in self.shifts])

    def __str__(self):
        n_source, n_target = self.n_rows
        n_changed = sum(shift.p_value < 0.05 for shift in self.shifts)
        told = f", told apart with AUC {self.auc:.2f}" if self.auc == self.auc else ""
        lines = [
            f"{n_source:,} source rows, {n_target:,} target rows{told}; "
            f"{n_changed} of {len(self.shifts)} differ (p < 0.05)",
            *align([HEADS, *table_of(self, MOST_PRINTED)]),
        ]
        left_out = len(self.shifts) - MOST_PRINTED
        return "\n".join(lines + ([f"  and {left_out} more"] if left_out > 0 else []))


HEADS = ["", "kind", "source", "target", "distance", "SMD", "p", "importance"]


def table_of(shift, n):
    """Return the first n rows of the table as texts, below ``HEADS``."""
    return [_texts(row) for row in shift.shifts[:n]]


def column_shift(
    X_src: MatrixLike, X_tgt: MatrixLike, *, random_state: RandomState = None
) -> ColumnShift:
    """Tell which columns differ between two tables, and how much.

    Look at it before adapting: a column in other units, a code that the target lacks
    and a field that nobody fills in there are errors to be mended, not shifts to be
    adapted to. And look at it when the next rows arrive: are they still like those that
    were adapted to?

    Parameters
    ----------
    X_src, X_tgt : array-like, frame or sparse matrix of shape (n, n_features)
        Rows of each domain, raw or transformed. Numbers, dates, text and missing values
        may stand in them; an infinite number counts as 1e300. A number that is a code
        is a category if the frame says so.
    random_state : int, RandomState or None, default=None
        Decides which rows train the domain classifier and which test it.

    Returns
    -------
    shift : ColumnShift
        Prints as a table; ``to_frame`` and ``to_dict`` have all figures.

    Raises
    ------
    ValueError
        If the tables have other columns, or no rows.

    See Also
    --------
    adaptation_report : Whether adapting to such a shift helped.
    skdann.metrics.density_ratio : By which rows, not columns, the domains differ.

    Notes
    -----
    Numbers and dates are tested by Kolmogorov and Smirnov; numbers of at most ten
    values and categories by chi-squared or, of two, Fisher's exact test. Categories of
    which fewer than five rows are expected in the smaller table count as one, called
    "(rare)": names that occur once tell nothing. The p-values are
    corrected for the number of tests by Holm's procedure: the probability of a single
    false alarm among all columns is at most the level. With many rows anything differs;
    look at the distance then.

    Each column is tested by itself. The random forest sees all together, and so also
    domains that differ only in how columns depend on each other. It trains on half of
    at most 1,000 rows of each domain; of more than 300 columns it gets those that
    differ most, and the importance is measured of the 50 that it splits on most. Two
    columns that say the same share their importance, or have none.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdann.inspection import column_shift
    >>> here = pd.DataFrame({"age": [50, 61] * 50, "sex": ["m", "f"] * 50})
    >>> there = pd.DataFrame({"age": [50, 61, None, None] * 20, "sex": ["m"] * 80})
    >>> print(column_shift(here, there, random_state=0))
    100 source rows, 80 target rows, told apart with AUC 0.94; 2 of 3 differ (p < 0.05)
             kind      source  target  distance    SMD       p  importance
      age    missing     0.0%   50.0%      0.50         <0.001        0.17
      sex=f  category   50.0%    0.0%      0.50         <0.001        0.32
      age    number      55.5    55.5      0.00  +0.00   1.000        0.17
    """
    rng = check_random_state(random_state)
    n_rows = check_tables(X_src, X_tgt)
    rows = draw_rows(n_rows, rng)
    figures, seen = [], []
    for column in read_columns(X_src, X_tgt):
        figures.append(list(_compare(column)))
        pairs = zip(column.values, rows, strict=True)
        seen.append(np.concatenate([values[some] for values, some in pairs]))
    is_target = np.repeat([0, 1], list(map(len, rows)))
    auc, p_of_auc, importance = tell_apart(np.stack(seen, axis=1), is_target, rng)
    found = [
        {**of_one, "importance": float(of_column)}
        for of_all, of_column in zip(figures, importance, strict=True)
        for of_one in of_all
    ]
    p_values = adjust([of_one["p_value"] for of_one in found])
    shifts = [
        Shift(**{**of_one, "p_value": float(p)})
        for of_one, p in zip(found, p_values, strict=True)
    ]
    shifts.sort(key=_by_size)
    return ColumnShift(
        shifts=shifts,
        auc=float(auc),
        p_value=float(min(1.0, 2 * min(p_of_auc, *p_values))),
        n_rows=n_rows,
    )


def _by_size(shift):
    return -shift.distance, -abs(np.nan_to_num(shift.difference))


def _compare(column):
    """Yield the figures of the values of a column, and of what is missing."""
    common = {"column": column.name, "difference": np.nan, "label": ""}
    missing = [np.isnan(values) for values in column.values]
    present = [v[~m] for v, m in zip(column.values, missing, strict=True)]
    if any(map(np.any, missing)):
        distance, p_value = compare_shares(*missing)
        shares = [float(of_domain.mean()) for of_domain in missing]
        yield {**common, **_figures("missing", distance, p_value, shares)}
    if 0 in map(len, present):
        return
    if column.kind == "category":
        distance, p_value, most = compare_categories(*present, len(column.labels))
        shares = [float(np.mean(of_domain == most)) for of_domain in present]
        figures = _figures("category", distance, p_value, shares)
        yield {**common, **figures, "label": column.labels[most]}
        return
    distance, difference, p_value = compare_numbers(*present)
    means = [_mean(of_domain) for of_domain in present]
    figures = _figures(column.kind, distance, p_value, means)
    yield {**common, **figures, "difference": float(difference)}


def _figures(kind, distance, p_value, pair):
    source, target = pair
    return {
        "kind": kind,
        "distance": float(distance),
        "p_value": float(p_value),
        "source": source,
        "target": target,
    }


def _mean(values):
    mean = float(np.sum(values / len(values)))  # the sum itself may overflow
    return (
        0.0 if abs(mean) < 1e-12 * abs(values).max() else mean
    )  # nothing but rounding


def _for_json(value):
    is_number = isinstance(value, float)
    return None if is_number and not np.isfinite(value) else value


def _texts(shift):
    name = f"{shift.column}={shift.label}" if shift.label else shift.column
    return [
        name if len(name) <= _WIDTH_OF_NAME else name[: _WIDTH_OF_NAME - 3] + "...",
        shift.kind,
        *(_value(value, shift.kind) for value in (shift.source, shift.target)),
        f"{shift.distance:.2f}",
        _two_digits(shift.difference, "+"),
        "<0.001" if shift.p_value < 0.001 else f"{shift.p_value:.3f}",
        _two_digits(shift.importance),
    ]


def _two_digits(value, sign=""):
    return "" if np.isnan(value) else f"{round(value, 2) + 0.0:{sign}.2f}"  # no -0.00


def _value(value, kind):
    if kind in ("category", "missing"):
        return f"{value:.1%}"
    if kind == "date":
        return str(np.datetime64(round(value), "D"))
    return f"{value:.4g}"
