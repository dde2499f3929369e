"""Read the label: classes or numbers, and what the target knows of it."""

import difflib
from dataclasses import dataclass, replace

import numpy as np

from ._errors import InputError
from ._read import first_few
from ._spellings import Spellings
from ._values import read_values

# Whole numbers of more values than this are predicted as numbers.
MOST_CLASSES = 20

# From here on, two whole numbers may be one as floats.
_FIRST_INEXACT = 1e15


@dataclass(frozen=True)
class Label:
    """What is predicted.

    Attributes
    ----------
    name : str
    task : {"classification", "regression"}
    why : str
        In words.
    y : ndarray
        Of the source: text, or numbers.
    y_tgt : ndarray
        Of the target; None or NaN where it is not known.
    """

    name: str
    task: str
    why: str
    y: np.ndarray
    y_tgt: np.ndarray

    @property
    def is_known(self):
        """Whether the label of each target row is known."""
        return self.known(self.y_tgt)

    def known(self, y_tgt):
        """Return which of some labels of the target are known."""
        if self.task == "regression":
            return ~np.isnan(y_tgt)
        return np.array([value is not None for value in y_tgt])


def check_label(source, name, path):
    """Raise InputError if there is no such column, or not in all rows.

    Parameters
    ----------
    source : pandas.DataFrame
        As it was read.
    name : str
        Of the label.
    path : str
        What messages call the file.
    """
    if name not in source:
        near = difflib.get_close_matches(name.lower(), map(str.lower, source), n=1)
        meant = [column for column in source if column.lower() in near]
        ask = f" Did you mean {meant[0]!r}?" if meant else ""
        raise InputError(
            f"{path} has no column {name!r}.{ask} There are {first_few(list(source))}."
        )
    lacking = np.flatnonzero(source[name].isna())
    if len(lacking):
        raise InputError(
            f"{name!r} is missing in {len(lacking)} of {len(source)} rows of {path}: "
            f"{first_few([f'row {i + 1}' for i in lacking], 3)}. Fill them in, or "
            "leave these rows out: --drop-unlabelled."
        )


def read_label(source, target, name, task, decimals):
    """Return the label of both files.

    Parameters
    ----------
    source, target : pandas.DataFrame
        As they were read.
    name : str
        Of the label.
    task : {"auto", "classification", "regression"}
        What is asked for.
    decimals : pair of str or None
        Marks of decimals in both files, where they are known.
    """
    values = _one_spelling(read_values(source[name], decimals[0]))
    task, why = _choose_task(values, name, task)
    column = target[name] if name in target else source[name].iloc[:0]
    column = column.reindex(target.index)
    if task == "regression":
        y, y_tgt = values.as_numbers(), _numbers(column, name, decimals[1])
    else:
        if values.kind == "number" and values.column.abs().max() >= _FIRST_INEXACT:
            values = read_values(source[name], decimals[0], as_text=True)
        y, y_tgt = _classes(values), _known_classes(column, decimals[1], values)
    _check(y, y_tgt, name, task)
    return Label(name, task, why, y, y_tgt)


def _one_spelling(values, like=None):
    """Return text with words spelled as most often, in the column or in another one."""
    if values.kind != "text":
        return values
    spellings = Spellings(values.column if like is None else like)
    return replace(values, column=spellings.of(values.column))


def _choose_task(values, name, task):
    """Return what to do, and why."""
    distinct = values.column.dropna().unique()
    is_number = values.kind == "number"
    if task == "regression" and not is_number:
        raise InputError(f"{name!r} holds {values.kind}, but --task regression asks.")
    if values.kind == "date":
        raise InputError(f"{name!r} holds dates, which can't be predicted.")
    if task != "auto":
        return task, "asked for"
    if not is_number:
        return "classification", f"{name} holds text, {len(distinct)} different"
    has_fractions = (np.asarray(distinct, dtype=float) % 1 != 0).any()
    if has_fractions or len(distinct) > MOST_CLASSES:
        kind = "numbers with fractions" if has_fractions else "whole numbers"
        return "regression", f"{name} holds {kind}, {len(distinct)} different"
    return "classification", f"{name} holds {len(distinct)} different whole numbers"


def _classes(values):
    """Return labels as text: what files hold is written in the same way again."""
    if values.kind == "number":
        return np.array([f"{value:.15g}" for value in values.column], dtype=object)
    return values.column.to_numpy(dtype=object)


def _known_classes(column, decimal, of_source):
    """Return what is known of the target; None where nothing is."""
    if not column.notna().any():
        return np.full(len(column), None)
    known = read_values(column, decimal, as_text=of_source.kind == "text")
    labels = _classes(_one_spelling(known, of_source.column))
    return np.where(column.notna(), labels, None)


def _numbers(column, name, decimal):
    values = read_values(column, decimal)
    if values.kind not in ("number", "nothing"):
        raise InputError(
            f"{name!r} holds numbers in the source, but {values.kind} in the target, "
            f"for example {column.dropna().iloc[0]!r}."
        )
    return values.as_numbers()


def _check(y, y_tgt, name, task):
    if task == "regression":
        if np.ptp(y) == 0:
            raise InputError(f"{name!r} is always {y[0]:g}: there is nothing to learn.")
        return
    classes, counts = np.unique(y.astype(str), return_counts=True)
    classes = classes.astype(object)
    if len(classes) == 1:
        raise InputError(
            f"{name!r} is always {classes[0]!r} in the source: there is nothing to "
            "learn."
        )
    if len(classes) > len(y) / 2:
        raise InputError(
            f"{name!r} has {len(classes)} different values in {len(y)} rows: these are "
            "no classes. Is it the right column?"
        )
    if counts.min() == 1:
        rare = classes[counts == 1]
        raise InputError(
            f"{name!r} is {rare[0]!r} in one row of the source alone: that is too few "
            "to learn a class. Leave such rows out, or join classes."
        )
    known = {label for label in y_tgt if label is not None}
    other = sorted(known - set(classes))
    if other:
        raise InputError(
            f"{name!r} has values in the target that the source has not: "
            f"{first_few([repr(value) for value in other], 3)}. In the source: "
            f"{first_few([repr(value) for value in classes], 5)}."
        )
