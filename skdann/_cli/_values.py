"""Find out what the values of a column are: numbers, dates or text."""

import re
from dataclasses import dataclass

import numpy as np

from ._errors import InputError
from ._numerals import marks_of, to_numbers

# One that fits all values of a column is taken; where two do, see `formats_of`.
DATES = [
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y",
    "%B %d, %Y", "%Y-%m",
]  # fmt: skip
TIMES = ["", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S"]

_LOOKS_LIKE_DATE = re.compile(r"\d.*[-/.\s].*\d")
_DAY = 86_400  # seconds


@dataclass(frozen=True)
class Values:
    """A column of one file, and what it holds.

    Attributes
    ----------
    kind : {"number", "date", "text", "nothing"}
    column : pandas.Series
        As numbers, times, or text.
    how : str
        The format of dates; of numbers the mark of decimals, "" if any would do.
    """

    kind: str
    column: object
    how: str = ""

    @property
    def missing(self):
        """Share of rows without a value."""
        return float(self.column.isna().mean())

    def as_numbers(self):
        """Return numbers, or dates as days, as an array of floats."""
        if self.kind != "date":
            return self.column.to_numpy(dtype=float, na_value=np.nan)
        since = self.column - np.datetime64("1970-01-01")
        return since.dt.total_seconds().to_numpy(dtype=float) / _DAY


def read_values(column, decimal=None, date_format=None, as_text=False):
    """Return the values of a column, of the kind that all of them are.

    Parameters
    ----------
    column : pandas.Series
        Of text, or of whatever a Parquet file had.
    decimal : {".", ","} or None
        Of numbers that could be read by both marks; where one alone makes numbers of
        a column, that is taken.
    date_format : str or None
        Of text; None tries those that are usual.
    as_text : bool
        Whether it is text, whatever it holds.
    """
    import pandas as pd

    types = pd.api.types
    if not column.notna().any():
        return Values("nothing", column.astype("float64"))
    if types.is_numeric_dtype(column) and not as_text:
        numbers = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        return _numbers(pd.Series(numbers, column.index))
    if types.is_datetime64_any_dtype(column) and not as_text:
        return Values("date", _without_zone(column))
    text = column.map(_as_text, na_action="ignore").astype("str")
    text = text.where(column.notna())  # pandas 2 has made them "nan"
    if as_text:
        return Values("text", text)
    return _read_text(text, decimal, date_format)


def _read_text(text, decimal, date_format):
    known = text.dropna()
    distinct = known.drop_duplicates()
    marks = marks_of(distinct)
    if len(marks) > 1 and not decimal and distinct.str.contains(",").any():
        raise InputError(
            f"Column {text.name!r} holds numbers such as "
            f"{distinct[distinct.str.contains(',')].iloc[0]!r}, and nothing in the "
            "file shows whether the comma is of decimals, --decimal ',', or of "
            "thousands, --decimal '.'. Say which."
        )
    if marks:
        mark = marks[0] if len(marks) == 1 else decimal or "."
        column = to_numbers(known, mark or ".").reindex(text.index)
        return _numbers(column, mark)
    formats = [date_format] if date_format else formats_of(distinct)
    if formats:
        return Values("date", _to_times(text, formats[0]), formats[0])
    return Values("text", text)


def _numbers(column, how=""):
    return Values("number", column.where(np.isfinite(column)), how)


def formats_of(distinct):
    """Return the formats of dates that fit all of some texts; mostly one or none.

    Parameters
    ----------
    distinct : pandas.Series
        Text.
    """
    first = distinct.iloc[:20]
    if not first.str.contains(_LOOKS_LIKE_DATE).all():
        return []
    formats = [day + time for day in DATES for time in TIMES]
    fitting = [how for how in formats if _to_times(first, how).notna().all()]
    return [how for how in fitting if _to_times(distinct, how).notna().all()]


def _to_times(text, how):
    import pandas as pd

    return pd.to_datetime(text, format=how, errors="coerce")


def _without_zone(column):
    zone = getattr(column.dt, "tz", None)
    return column if zone is None else column.dt.tz_convert("UTC").dt.tz_localize(None)


def _as_text(value):
    return str(value).strip()


def read_pair(columns, decimals=(None, None), as_text=False):
    """Return the values of a column of the source and of the target.

    Dates that could be read in two ways in one file are read as in the other.

    Parameters
    ----------
    columns : pair of pandas.Series
        Of both files.
    decimals : pair of str or None
        Of both files, as of :func:`read_values`.
    as_text : bool
        Likewise.
    """
    both = [
        read_values(column, decimal, as_text=as_text)
        for column, decimal in zip(columns, decimals, strict=True)
    ]
    if [values.kind for values in both] == ["date", "date"]:
        possible = [_possible(column) for column in columns]
        shared = [how for how in possible[0] if how in possible[1]]
        if shared:
            both = [
                read_values(column, date_format=shared[0] if how else None)
                for column, how in zip(columns, possible, strict=True)
            ]
    return both


def _possible(column):
    """Return all formats that fit; none of what is no text."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return []
    return formats_of(column.dropna().astype("str").drop_duplicates())


def is_ambiguous(column):
    """Whether dates could be read with day and month exchanged."""
    return len(_possible(column)) > 1
