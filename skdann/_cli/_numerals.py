"""Read text as numbers: 1,234 may be a thousand and more, or one and a bit."""

import re

MARKS = {".": ",", ",": "."}  # of decimals, and then of thousands


def to_numbers(text, mark):
    """Return text as numbers; None if some of it is none.

    Parameters
    ----------
    text : pandas.Series
        Without missing values.
    mark : {".", ","}
        Of decimals. The other one divides thousands.
    """
    other = re.escape(MARKS[mark])
    # no thousands begin with a zero: 0.125 has a decimal point
    grouped = rf"[+-]?[1-9]\d{{0,2}}(?:{other}\d{{3}})+(?:\{mark}\d+)?$"
    has_other = text.str.contains(other)
    if not text[has_other].str.match(grouped).all():
        return None
    return _as_floats(text.str.replace(MARKS[mark], "", regex=False), mark)


def _as_floats(text, *marks):
    import pandas as pd

    for mark in marks:
        text = text.str.replace(mark, ".", regex=False)
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    return None if numbers.isna().any() else numbers


def marks_of(distinct):
    """Return the marks of decimals by which all of some texts are numbers.

    Parameters
    ----------
    distinct : pandas.Series
        Text without missing values.

    Returns
    -------
    marks : list of str
        None if some are no numbers, ``[""]`` if they are by whatever mark.
    """
    if not distinct.str.contains("[.,]").any():
        return [] if _as_floats(distinct) is None else [""]
    return [mark for mark in MARKS if to_numbers(distinct, mark) is not None]


def mark_of_file(frame):
    """Return the mark of decimals that a file shows; None if it shows none, or both.

    A column shows it if by the other mark it would be no numbers: 0,5 and 12,25 are no
    thousands. Of a column that holds nothing but 1,234 and the like, the others decide.

    Parameters
    ----------
    frame : pandas.DataFrame
        As it was read.
    """
    import pandas as pd

    shown = set()
    for _, column in frame.items():
        known = column.dropna()  # with gaps, pandas 2 takes a column of text for none
        if pd.api.types.is_string_dtype(known):
            marks = marks_of(known.drop_duplicates().astype("str"))
            shown |= set(marks) if len(marks) == 1 else set()
    shown.discard("")
    return shown.pop() if len(shown) == 1 else None
