"""What is predicted is finite, or an error names the rows that it is not of."""

from contextlib import contextmanager

import numpy as np
from scipy import sparse

from .._containers._tables import first_few

# Trees, and networks fitted on float32, compute with nothing larger.
LARGEST = np.finfo(np.float32).max


def check_finite(answers, X, name):
    """Return what a model answers of rows, or raise ValueError.

    Parameters
    ----------
    answers : ndarray of shape (n, ...)
        Features, probabilities or numbers; looked at in place of the rows, which are
        more.
    X : ndarray or CSR of shape (n, ...)
        Rows.
    name : str
        What messages call the model.
    """
    is_finite = np.isfinite(answers)
    if is_finite.all():
        return answers
    rows = np.flatnonzero(~is_finite.reshape(len(answers), -1).all(axis=1))
    raise ValueError(_describe(rows, _largest(X), name))


@contextmanager
def naming_large_rows(X, name):
    """Name the rows where a model of scikit-learn refuses some as too large.

    Its sums and casts may overflow before it does.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_columns)
        Rows, as the model reads them.
    name : str
        What messages call the model.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except ValueError as error:
        largest = _largest(X)
        rows = np.flatnonzero(~(largest <= LARGEST))
        if not len(rows):
            raise
        raise ValueError(_describe(rows, largest, name)) from error


def _largest(X):
    """Return the largest magnitude in each row."""
    if sparse.issparse(X):
        return abs(X).max(axis=1).toarray().ravel()
    return np.abs(X.reshape(len(X), -1)).max(axis=1, initial=0)


def _describe(rows, largest, name):
    most = min(largest[rows].max(), np.finfo(float).max)  # scaled, it may be infinite
    return (
        f"What {name} predicts of {len(rows)} of {len(largest)} rows is not finite: of "
        f"rows {first_few([str(row) for row in rows])}, counted from 0. The largest "
        f"number in them is {most:.2g}. Replace or leave out rows that hold numbers "
        "out of all proportion; if there are none, look into parts of the model that "
        "are yours."
    )
