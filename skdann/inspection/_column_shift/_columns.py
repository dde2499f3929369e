"""Read two tables column by column: numbers, dates, categories, and what is missing."""

import datetime
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..._containers._missing import missing_values
from ..._containers._tables import (
    as_table,
    categorical_columns,
    check_names,
    column_names,
    columns,
)

# Fewer rows expected of a category are no sample of it.
FEWEST_EXPECTED = 5

# Larger numbers, and infinity, count as this.
LARGEST = 1e300

# What stands for all categories that are rarer.
RARE = "(rare)"

_DAY = datetime.timedelta(days=1)
_as_number = float  # also of text


@dataclass(frozen=True)
class Column:
    """A column of both domains.

    Attributes
    ----------
    name : str
    kind : {"number", "date", "category"}
    values : pair of ndarray of float
        Of the source and of the target, NaN where missing: numbers; days since 1970; or
        positions in ``labels``.
    labels : list of str
        Categories, the last for all that are rare.
    """

    name: str
    kind: str
    values: tuple
    labels: list


def check_tables(X_src, X_tgt):
    """Return how many rows each table has.

    Parameters
    ----------
    X_src, X_tgt : array-like, frame or sparse matrix
        As the user passed them.

    Raises
    ------
    ValueError
        If they are no tables, or have other columns.
    """
    both = (X_src, "X_src"), (X_tgt, "X_tgt")
    check_names(*(column_names(*named) for named in both), "X_src", "X_tgt")
    (n_source, width), (n_target, width_tgt) = (_shape(X, name) for X, name in both)
    if width != width_tgt:
        raise ValueError(
            f"X_tgt has {width_tgt} columns, but X_src has {width}. Pass both as they "
            "were read, or both through the same transformer."
        )
    return n_source, n_target


def read_columns(X_src, X_tgt):
    """Yield each :class:`Column` of two tables.

    Parameters
    ----------
    X_src, X_tgt : array-like, frame or sparse matrix of shape (n, n_features)
        As the user passed them.

        Checked.
    """
    names = column_names(X_src) or column_names(X_tgt)
    names = names or [f"x{j}" for j in range(_shape(X_src, "X_src")[1])]
    declared = categorical_columns(X_src) | categorical_columns(X_tgt)
    both = zip(names, _arrays(X_src), _arrays(X_tgt), strict=True)
    for name, *pair in both:
        if any(values.dtype.kind == "c" for values in pair):
            raise ValueError(
                f"{name!r} holds complex numbers. Pass its real and its imaginary part."
            )
        kind, values, labels = _understand(pair, name in declared)
        yield Column(name, kind, values, labels)


def _shape(X, name):
    X = as_table(X, name)
    shape = X.shape if hasattr(X, "shape") else np.asarray(X, dtype=object).shape
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{name} has the shape {tuple(shape)}. It must be a table of at least one "
            "row and one column."
        )
    return shape


def _arrays(X):
    """Yield the values of each column; those that a sparse matrix omits are 0."""
    X = as_table(X, "X")
    if not sparse.issparse(X):
        yield from (values for _, values in columns(X))
        return
    X = sparse.csc_array(X)
    for j in range(X.shape[1]):
        yield X[:, [j]].toarray().ravel()


def _understand(pair, is_category):
    """Return kind, values of both domains, and labels of a column."""
    missing = [missing_values(values) for values in pair]
    pair = [
        # of nanoseconds tolist would make integers
        values.astype(f"{values.dtype.kind}8[us]")
        if values.dtype.kind in "mM"
        else values
        for values in pair
    ]
    if not is_category:
        for kind, convert in (("number", _as_number), ("date", _as_days)):
            try:
                return kind, _converted(pair, missing, convert), []
            except (TypeError, ValueError, OverflowError):
                continue
    return "category", *_encode(pair, missing)


def _converted(pair, missing, convert):
    return tuple(_convert(*both, convert) for both in zip(pair, missing, strict=True))


def _convert(values, is_missing, convert):
    """Return values as float64, NaN where they are missing."""
    if convert is _as_number and values.dtype.kind in "fiub":
        return _finite(values.astype(np.float64))
    result = np.full(len(values), np.nan)
    result[~is_missing] = [convert(value) for value in values[~is_missing].tolist()]
    return _finite(result)


def _finite(values):
    """Return numbers whose sums are finite; NaN stays."""
    return values.clip(-LARGEST, LARGEST)


def _as_days(value):
    """Return days since 1970, or those of an interval."""
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    if isinstance(value, datetime.timedelta):
        return value / _DAY
    if isinstance(value, datetime.datetime):
        start = datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo and datetime.UTC)
        return (value - start) / _DAY
    return (value - datetime.date(1970, 1, 1)) / _DAY


def _encode(pair, missing):
    """Return values of both domains as positions among the labels, and these.

    Labels so rare that their shares are chance count as one: else names that occur once
    would tell any two samples apart.
    """
    text = [
        [str(value) for value in values[~is_missing].tolist()]
        for values, is_missing in zip(pair, missing, strict=True)
    ]
    values, codes, counts = np.unique(
        np.array(text[0] + text[1], dtype=object),
        return_inverse=True,
        return_counts=True,
    )
    share = min(map(len, text)) / max(len(codes), 1)
    is_common = counts * share >= FEWEST_EXPECTED
    rank = np.cumsum(is_common) - 1
    rank[~is_common] = is_common.sum()
    encoded = []
    parts = np.split(rank[codes], [len(text[0])])
    for of_domain, is_missing in zip(parts, missing, strict=True):
        positions = np.full(len(is_missing), np.nan)
        positions[~is_missing] = of_domain
        encoded.append(positions)
    return tuple(encoded), [*values[is_common].tolist(), RARE]
