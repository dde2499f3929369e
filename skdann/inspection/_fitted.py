"""Rows as a fitted estimator, or its last step, gets them."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from .._containers._labels import find_labels
from .._containers._responses import read_responses
from .._data._targets import known_target_labels
from .._pipelines import last_step, resolve_search
from ..metrics._fitted import reading, unwrap


def network_input(estimator, X):
    """Return X as the last step of a fitted estimator sees it."""
    preprocessing, _ = unwrap(estimator)
    return preprocessing.transform(X)


def check_attributes(estimator, display, attributes, instead):
    """Raise ValueError if what a display draws is not there.

    Parameters
    ----------
    estimator : fitted estimator, Pipeline or search
        What the user gave.
    display : type
        Named in the error.
    attributes : list of str
        What the last step must have.
    instead : str
        What to do with one that has not.
    """
    last = last_step(resolve_search(estimator))
    lacking = [name for name in attributes if not hasattr(last, name)]
    if lacking:
        raise ValueError(
            f"{display.__name__} draws a fitted network, a Pipeline or a search that "
            f"ends in one; {type(last).__name__} has no {' and no '.join(lacking)}"
            f". If it wraps or combines networks, draw one of these. {instead}"
        )


def of_each_domain(estimator):
    """Return a fitted estimator for rows of the source, and for rows of the target."""
    return reading(estimator, "source"), reading(estimator, "target")


def features(estimator, domains):
    """Return the features of the rows of both domains.

    Parameters
    ----------
    estimator : fitted estimator
        With ``transform``.
    domains : pair of array-like
        Rows of the source and rows of the target.
    """
    models = of_each_domain(estimator)
    return [model.transform(X) for model, X in zip(models, domains, strict=True)]


def known_or_predicted(model, X, y, rows, name):
    """Return the labels of some rows; where none is known, what is predicted.

    Of several numbers of a row the first.

    Parameters
    ----------
    model : fitted classifier or regressor
        For the domain of these rows.
    X : array-like
        All rows of the domain.
    y : array-like or None
        Their labels, those that are not known marked.
    rows : ndarray of int
        Positions of those that are wanted.
    name : str
        What messages call the labels.
    """
    labels = model.predict(_safe_indexing(X, rows))
    if is_regressor(unwrap(model)[1]):
        return _known_or_predicted_numbers(labels, X, y, rows, name)
    labels = labels.astype(object)
    if y is not None:
        classes = unwrap(model)[1].classes_
        known, is_known = known_target_labels(y, X, classes, name)
        found = find_labels(known, classes)  # 1.0 is shown as 1 if that is the class
        given = np.empty(len(is_known), dtype=object)
        given[is_known] = np.where(found >= 0, classes[found], known.astype(object))
        labels = np.where(is_known[rows], given[rows], labels)
    return np.array(labels.tolist())


def _known_or_predicted_numbers(predicted, X, y, rows, name):
    numbers = predicted if predicted.ndim == 1 else predicted[:, 0]
    if y is None:
        return numbers
    known = read_responses(y, name)
    known = known if known.ndim == 1 else known[:, 0]
    if len(known) != _num_samples(X):
        raise ValueError(
            f"{name} has {len(known)} entries, but there are {_num_samples(X)} rows."
        )
    return np.where(np.isnan(known[rows]), numbers, known[rows])


def some_rows(X, max_rows, rng):
    """Return the positions of all rows of X or, if they are more, of a random part."""
    n = _num_samples(X)
    if n <= max_rows:
        return np.arange(n)
    return np.sort(rng.choice(n, max_rows, replace=False))
