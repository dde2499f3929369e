"""The folds of a search: what ``cv`` says, as positions of source rows."""

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils.validation import _num_samples

from .._data._groups import check_n_groups
from .._warn import silent_libraries, warn


def split(cv, X, y, groups=None, *, of_classes=True):
    """Return the folds, checked before anything is trained.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        As in :class:`skdann.model_selection.DANNGridSearchCV`.
    X, y : array-like
        The source.
    groups : array-like or None, default=None
        For the splitter.
    of_classes : bool, default=True
        Whether y holds classes, which folds should have alike.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Positions of the rows to train on and to score on, at least one of each.
    """
    n_rows = _num_samples(X)
    if groups is not None:
        check_n_groups("groups", _num_samples(groups), n_rows)
    try:
        with silent_libraries():  # of classes that folds lack: see below
            folds = list(check_cv(cv, y, classifier=of_classes).split(X, y, groups))
    except (TypeError, ValueError) as error:
        raise ValueError(f"cv={cv!r} makes no folds of the source: {error}") from error
    if not folds:
        raise ValueError(
            f"cv={cv!r} has no folds. Give their number, a splitter of scikit-learn, "
            "or pairs of the rows to train and to score on."
        )
    checked = [
        (
            _positions(train, n_rows, f"Fold {i} of cv: the rows to train on"),
            _positions(test, n_rows, f"Fold {i} of cv: the rows to score on"),
        )
        for i, (train, test) in enumerate(folds)
    ]
    _warn_of_common_rows(checked)
    if of_classes:
        _warn_of_lacking_classes(checked, np.asarray(y).ravel())
    return checked


def _warn_of_common_rows(folds):
    n_common = max(len(np.intersect1d(train, test)) for train, test in folds)
    if n_common:
        warn(
            f"Folds of cv train on up to {n_common} rows that they also score on: "
            "scores on the source are higher than they would be on other rows."
        )


def _warn_of_lacking_classes(folds, y):
    classes = np.unique(y)
    lacking = {}
    for i, (train, _) in enumerate(folds):
        missing = np.setdiff1d(classes, y[train])
        if len(missing):
            lacking[i] = missing.tolist()
    if lacking:
        first, missing = next(iter(lacking.items()))
        warn(
            f"{len(lacking)} of {len(folds)} folds of cv train without some class, as "
            f"fold {first} without {missing}. Use fewer folds, or stratified ones."
        )


def _positions(index, n_rows, name):
    """Return an index of any kind that numpy takes as positions."""
    if not isinstance(index, slice):
        index = np.asarray(index) if np.size(index) else np.empty(0, dtype=int)
    try:
        rows = np.arange(n_rows)[index]
    except IndexError as error:
        raise ValueError(
            f"{name} must be positions from 0 to {n_rows - 1}, or a mask of {n_rows} "
            f"booleans. ({error})"
        ) from error
    if rows.ndim != 1 or not len(rows):
        raise ValueError(
            f"{name} have the shape {rows.shape}; it must be one column, not empty."
        )
    return rows
