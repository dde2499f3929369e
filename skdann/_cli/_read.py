"""Read a file of rows: text of some separator, or Parquet."""

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path

from .._containers import _tables
from ._errors import InputError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BY_NAME = {name: separator for separator, name in SEPARATORS.items()}

# As pandas has them, and what spreadsheets and archives are full of.
MISSING = {
    "", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan",
    "NULL", "null", "None", "?", "-", "--", ".",
}  # fmt: skip

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NO_TEXT = {
    b"PK": "a zip archive, maybe of a spreadsheet: save the sheet as CSV",
    b"\x1f\x8b": "compressed: unpack it",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save it as CSV",
}
_PARQUET = b"PAR1"


@dataclass(frozen=True)
class Format:
    """How files are written, where it is told.

    Attributes
    ----------
    separator : str or None
        Between fields; None is found out.
    decimal : {".", ","} or None
        Of numbers; None is found out for each column.
    encoding : str or None
        None is UTF-8, or UTF-16 where the file says so.
    missing : tuple of str
        Values that stand for none, beside the usual ones.
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()


def read_table(path, how):
    """Return a file as a frame of pandas; what is no number by type is text.

    Parameters
    ----------
    path : str
        ``.parquet``, or text.
    how : Format
        Of text files.

    Returns
    -------
    frame : pandas.DataFrame
        Columns without a name are called None.
    """
    start = _first_bytes(path)
    if start.startswith(_PARQUET):
        frame = _read_parquet(path)
    else:
        frame = _read_text(path, start, how)
    names = ["" if name is None else str(name).strip() for name in frame.columns]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(
            f"{path} has several columns named {first_few(twice)}. Rename."
        )
    if not len(frame):
        raise InputError(f"{path} has names of columns, but no rows.")
    frame.columns = [name or f"(column {i + 1})" for i, name in enumerate(names)]
    return frame


def _first_bytes(path):
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        near = sorted(p.name for p in Path(path).parent.glob("*") if p.is_file())
        there = f" In its folder: {first_few(near)}." if near else ""
        raise InputError(f"There is no file {path}.{there}") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error
    if not start:
        raise InputError(f"{path} is empty.")
    for magic, what in _NO_TEXT.items():
        if start.startswith(magic):
            raise InputError(f"{path} is {what}.")
    return start


def _read_parquet(path):
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except Exception as error:  # of pyarrow, of many kinds
        raise InputError(f"{path} is no readable Parquet file: {error}") from error


def _read_text(path, start, how):
    import pandas as pd

    encoding = how.encoding or ("utf-16" if start[:2] in _UTF_16 else "utf-8-sig")
    try:
        with open(path, encoding=encoding, newline="") as file:
            separator = how.separator or _guess_separator(path, file)
            file.seek(0)
            header = _check_lines(path, file, separator)
        # all as text: of both files together it is decided what columns hold
        frame = pd.read_csv(
            path,
            sep=separator,
            encoding=encoding,
            header=0,
            names=range(len(header)),
            index_col=False,
            dtype=str,
            keep_default_na=False,
        )
    except UnicodeError as error:
        raise InputError(
            f"{path} is not {encoding.removesuffix('-sig').upper()}: {error.reason}. "
            "Say what it is, for example --encoding cp1252."
        ) from error
    except LookupError as error:  # of encodings
        raise InputError(f"--encoding {encoding}: {error}.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path} can't be read as a table: {error}") from error
    frame.columns = header
    return frame.apply(lambda column: _without_marks(column, how.missing))


def _guess_separator(path, file):
    """Return the separator by which the first lines have equally many fields."""
    if path.lower().endswith((".tsv", ".tab")):
        return "\t"
    lines = [line for line in itertools.islice(file, 50) if line.strip()]
    if not lines:
        raise InputError(f"{path} is empty.")
    found = {s: _n_fields(lines, s) for s in SEPARATORS}
    best = max(SEPARATORS, key=lambda s: found[s])
    return best if found[best] > 1 else max(SEPARATORS, key=lines[0].count)


def _n_fields(lines, separator):
    """Return how many fields each line has; 1 if they do not agree."""
    try:
        counts = {len(row) for row in csv.reader(lines, delimiter=separator) if row}
    except csv.Error:
        return 1
    return counts.pop() if len(counts) == 1 else 1


def _check_lines(path, file, separator):
    """Return the names of the columns, or say which line does not fit them."""
    reader = csv.reader(file, delimiter=separator)
    try:
        header = next((row for row in reader if row), [])
        for row in reader:
            if row and len(row) != len(header):
                raise InputError(
                    f"Line {reader.line_num} of {path} has {len(row)} fields, but the "
                    f"first one has {len(header)}, divided by "
                    f"{SEPARATORS.get(separator, separator)}s. Mend the line, or give "
                    "another --separator."
                )
    except csv.Error as error:
        raise InputError(f"Line {reader.line_num} of {path}: {error}.") from error
    if header and all(map(_is_number, header)):
        raise InputError(
            f"The first line of {path} holds numbers, {first_few(header)}: it must "
            "hold the names of the columns."
        )
    return header


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _without_marks(column, also):
    """Return a column of text with nothing where something stands for nothing."""
    text = column.str.strip()
    return text.mask(text.isin(MISSING | {mark.strip() for mark in also}))


def first_few(names, most=8):
    """Return the first names in one text: a terminal has room for more of them."""
    return _tables.first_few(list(map(str, names)), most)
