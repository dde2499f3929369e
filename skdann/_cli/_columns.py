"""Understand the columns of two files: what they hold, and which can be used."""

import re
from dataclasses import dataclass, field, replace

import numpy as np

from ._errors import InputError
from ._read import first_few
from ._spellings import Spellings
from ._values import is_ambiguous, read_pair, read_values

# Text of at least so many values is told apart by its letters, not value by value.
MANY = 40

# Share of missing values in one file beyond which a column is left out: what is
# learned of it would be applied to means that were filled in. The guide has figures.
MOST_MISSING = 0.5

_ID_NAME = re.compile(
    r"(^|[\s_.-])(id|ids|uid|uuid|key|index|row|nr|no)$", re.IGNORECASE
)


@dataclass
class Column:
    """A column of the source, of the target, or of both.

    Attributes
    ----------
    name : str
    kind : str
        "number", "date", "text" or "nothing"; "" if it is in one file alone.
    missing : tuple of float or None
        Share of rows without a value, in the source and in the target.
    left_out : str
        Why it is not used; "" if it is.
    notes : list of str
        What else there is to know.
    new : dict of str to int
        Categories of the target that the source lacks, and in how many rows.
    categories : list of str or None
        Of the source, if they are few.
    written : str
        How dates or decimals of the target are written.
    names_rows : bool
        Whether it tells nothing but which row it is.
    """

    name: str
    kind: str = ""
    missing: tuple = (None, None)
    left_out: str = ""
    notes: list = field(default_factory=list)
    new: dict = field(default_factory=dict)
    categories: list | None = None
    written: str = ""
    names_rows: bool = False


def understand(source, target, label, *, decimals, options):
    """Return all columns but the label, and both tables of those that can be used.

    Parameters
    ----------
    source, target : pandas.DataFrame
        As they were read.
    label : str
        Column that is predicted.
    decimals : pair of str or None
        Marks of decimals in both files, where they are known.
    options : argparse.Namespace
        With ``drop``, ``id`` and ``text``.

    Returns
    -------
    columns : list of Column
        In the order of the source.
    tables : pair of pandas.DataFrame
        Numbers, times and text.
    """
    names = [name for name in source if name != label]
    others = [name for name in target if name != label]
    _check_options(options, [*names, *others], others, label)
    if not set(names) & set(others):
        raise InputError(
            "The files have no column in common but the label. Source: "
            f"{first_few(names)}. Target: {first_few(others)}."
            + alike_names(names, others)
        )
    read = {
        name: _understand_one((source[name], target[name]), decimals, options)
        for name in names
        if name in others
    }
    columns = [
        read[name][0] if name in read else Column(name, left_out="only in the source")
        for name in names
    ]
    columns += [
        Column(
            name,
            left_out="only in the target" + alike_names(names, [name]),
            names_rows=_names_rows(read_values(target[name], decimals[1] or ".")),
        )
        for name in others
        if name not in read
    ]
    used = {name: both for name, (c, both) in read.items() if not c.left_out}
    if not used:
        reasons = [f"{c.name}: {c.left_out}" for c in columns]
        raise InputError(f"No column can be used. {first_few(reasons)}.")
    return columns, tuple(_table(used, i) for i in (0, 1))


def _table(used, i):
    """Return the columns of one of both files as a frame."""
    import pandas as pd

    return pd.DataFrame({name: both[i].column for name, both in used.items()})


def _check_options(options, names, names_tgt, label):
    asked = [(name, names) for name in [*options.drop, *options.text]]
    if options.id is not None:
        asked.append((options.id, names_tgt))
    for name, there in asked:
        if name == label:
            raise InputError(
                f"{name!r} is the label: it can't be left out, or learned."
            )
        if name not in there:
            there = first_few(list(dict.fromkeys(there)))
            raise InputError(f"There is no column {name!r}. There are {there}.")


def _understand_one(columns, decimals, options):
    """Return what a column is, and the values of both files."""
    name = columns[0].name
    if name == options.id:
        return Column(name, left_out="names the rows", names_rows=True), None
    if name in options.drop:
        return Column(name, left_out="as told by --drop"), None
    as_text = name in options.text
    both = read_pair(columns, decimals, as_text)
    kinds = [values.kind for values in both if values.kind != "nothing"]
    if len(set(kinds)) == 2:
        return _of_two_kinds(name, both, columns), None
    found = Column(name, kinds[0] if kinds else "nothing")
    if found.kind == "text" and not as_text:
        both = _join_spellings(found, both)
    found.missing = tuple(values.missing for values in both)
    found.written = both[1].how
    _judge(found, both, columns)
    return found, both


def _join_spellings(found, both):
    """Return both columns with one spelling for each category, and note how many."""
    texts = [values.column for values in both if values.kind == "text"]
    spellings = Spellings(*texts)
    n, n_joined = (
        len(set().union(*(column.dropna() for column in columns)))
        for columns in (texts, map(spellings.of, texts))
    )
    if n_joined >= MANY or n_joined == n:
        return both
    found.notes.append(f"{n} spellings of {n_joined} words")
    return [
        replace(values, column=spellings.of(values.column))
        if values.kind == "text"
        else values
        for values in both
    ]


def _of_two_kinds(name, both, columns):
    """Say that a column names rows, differently in each file, or raise InputError."""
    import pandas as pd

    odd = 0 if both[0].kind == "text" else 1
    kind = both[1 - odd].kind
    values = columns[odd].dropna().astype("str")
    distinct = values.unique()[:1000]
    stray = [v for v in distinct if read_values(pd.Series([v])).kind != kind]
    if len(stray) == len(distinct) and _names_rows(both[odd]):
        return Column(name, left_out="names the rows", names_rows=True)
    stray = stray or list(distinct)
    n_stray = int(values.isin(stray).sum())
    means_missing = f"If {stray[0]!r} means missing: --missing {stray[0]!r}. "
    raise InputError(
        f"Column {name!r} holds {kind}s in one file, but in the "
        f"{('source', 'target')[odd]} {n_stray} of {len(values)} values are none: "
        f"{first_few([repr(v) for v in stray], 3)}. "
        f"{means_missing if len(stray) < len(distinct) else ''}To take all as text: "
        f"--text {name!r}; to leave the column out: --drop {name!r}."
    )


def _judge(found, both, raw):
    """Say what there is to know of a column, and whether it can be used."""
    source, target = (values.column.dropna() for values in both)
    if not len(source):
        found.left_out = "no values in the source"
    elif not len(target):
        found.left_out = "no values in the target"
    elif max(found.missing) > MOST_MISSING:
        where = ("source", "target")[int(np.argmax(found.missing))]
        found.left_out = f"{max(found.missing):.0%} missing in the {where}"
    elif source.nunique() == 1:
        found.left_out = f"always {_show(source.iloc[0])} in the source"
    elif found.kind == "text":
        _judge_text(found, both)
    elif found.kind == "date":
        _judge_dates(found, source, target, raw)
    elif _names_rows(both[0]):
        found.left_out, found.names_rows = "numbers the rows", True
    _note_what_both_hold(found, target, both)


def _note_what_both_hold(found, target, both):
    if target.nunique() == 1:
        found.notes.append(f"always {_show(target.iloc[0])} in the target")
    files = zip(("source", "target"), both, strict=True)
    commas = [name for name, values in files if values.how == ","]
    if commas:
        found.notes.append(f"decimal comma ({', '.join(commas)})")


def _judge_text(found, both):
    source, target = (values.column.dropna() for values in both)
    n_values = source.nunique()
    is_new = ~target.isin(source.unique())
    if _names_rows(both[0]):
        found.left_out = f"names the rows: {n_values} values in {len(source)} rows"
        found.names_rows = True
        return
    if n_values >= MANY:
        found.notes.append(f"{n_values} values, read by their letters")
        return
    found.categories = sorted(source.unique())
    found.notes.append(f"{n_values} values: {first_few(found.categories, 4)}")
    found.new = target[is_new].value_counts().to_dict()
    alike = alike_names(found.categories, list(found.new))
    if is_new.all():
        found.left_out = f"no value of the target is in the source{alike}"
    elif alike:
        found.notes.append(alike.strip(" ()"))


def _judge_dates(found, source, target, raw):
    ranges = [f"{c.min():%Y-%m-%d} to {c.max():%Y-%m-%d}" for c in (source, target)]
    told = "; target ".join(ranges)
    found.notes.append(told)
    if source.max() < target.min() or target.max() < source.min():
        found.left_out = f"of other times: source {told}"
    elif any(is_ambiguous(column) for column in raw):
        found.notes.append(f"read as {found.written}")


def _names_rows(values):
    """Whether a column of many rows tells which row it is, and nothing else."""
    known = values.column.dropna()
    if len(known) < 20:
        return False
    if values.kind == "text":  # but no sentences
        is_unique = known.nunique() > 0.9 * len(known)
        return bool(is_unique and known.str.count(r"\s+").mean() < 2)
    return values.kind == "number" and _counts(known)


def _counts(numbers):
    """Whether whole numbers, each once, are named as one, or follow one another."""
    if not numbers.is_unique or (numbers % 1 != 0).any():
        return False
    steps = numbers.diff().dropna()
    return bool(_ID_NAME.search(numbers.name)) or bool((steps == steps.iloc[0]).all())


def alike_names(names, others):
    """Return a sentence on names that differ by letters' case or blanks alone."""

    def plain(name):
        return "".join(str(name).lower().split()).replace("_", "").replace("-", "")

    known = {plain(name): name for name in names}
    pairs = [
        f"{other!r} and {known[plain(other)]!r}"
        for other in others
        if plain(other) in known and known[plain(other)] != other
    ]
    return f" (differently written: {first_few(pairs, 3)})" if pairs else ""


def _show(value):
    return f"{value:g}" if isinstance(value, float) else repr(value)
