"""Rows: tables, arrays and sparse matrices, checked and left in their containers."""

from functools import partial

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._containers._tables import (
    KEPT,
    as_table,
    check_names,
    checked_rows,
    column_names,
)

_IN_X = "In X these columns hold numbers."

_WENT_AROUND = (
    "X holds numbers alone and has not the columns of X_tgt: if X comes out of the "
    "transformers of a Pipeline, X_tgt went around them. Let it pass: "
    "sklearn.set_config(enable_metadata_routing=True), then "
    "Pipeline(..., transform_input=['X_tgt']).fit(X, y, X_tgt=X_tgt)."
)


def check_source_rows(estimator, X, y, *, reset):
    """Check the rows of the source.

    Parameters
    ----------
    estimator : estimator
        Receives ``n_features_in_`` and ``feature_names_in_``; named in errors.
    X, y : array-like
        As in :meth:`skdann.DANNClassifier.fit`; of y whether there is one.
    reset : bool
        Whether this is a first fit. If not, columns must be those of the first.

    Returns
    -------
    ndarray or CSR
    """
    _check_is_one_source(X, y)
    without_y = None if y is None else "no_validation"
    check = partial(validate_data, estimator, y=without_y, reset=reset, **KEPT)
    return checked_rows(X, "X", check)


def check_target_rows(estimator, X_tgt, X, names, names_tgt):
    """Check the rows of the target against those of the source.

    Parameters
    ----------
    estimator : estimator
        Named in errors.
    X_tgt : array-like or sparse matrix
        Target rows, as the user passed them.
    X : ndarray or CSR
        Source rows, checked.
    names, names_tgt : list of str or None
        Names of their columns, from :func:`column_names`.

    Returns
    -------
    ndarray or CSR
    """
    X_tgt = as_table(X_tgt, "X_tgt")
    check_names(names, names_tgt)
    _check_is_one_target(X_tgt, X)
    same_columns = names is not None and names == names_tgt
    check = partial(check_array, input_name="X_tgt", estimator=estimator, **KEPT)
    advice = _IN_X if same_columns else _WENT_AROUND
    checked = checked_rows(X_tgt, "X_tgt", check, advice)
    _check_shape(checked, X)
    return checked


def check_rows_to_predict(estimator, X, row_shape):
    """Check X against what the estimator was fitted on.

    Parameters
    ----------
    estimator : fitted estimator
        Knows the columns that X must have.
    X : array-like or sparse matrix
        New rows.
    row_shape : tuple of int
        Shape of a row at fit.

    Returns
    -------
    ndarray or CSR
    """
    check = partial(validate_data, estimator, reset=False, **KEPT)
    checked = checked_rows(X, "X", check)
    name = type(estimator).__name__
    if checked.shape[1:] != row_shape:
        raise ValueError(
            f"X has rows of shape {checked.shape[1:]}, but {name} was fitted on rows "
            f"of shape {row_shape}."
        )
    return checked


def take_rows(X, index, out=None):
    """Rows of X as a dense array; only these rows of a sparse matrix are densified.

    Parameters
    ----------
    X : ndarray or CSR
        Data.
    index : ndarray of int or slice
        Rows.
    out : ndarray or None, default=None
        Where to, of the dtype of X; for arrays of X and of index alone.

    Returns
    -------
    ndarray
    """
    if out is not None:  # to look whether rows are there would cost another copy
        return X.take(index, axis=0, out=out, mode="clip")
    rows = X[index]
    return rows.toarray() if sparse.issparse(rows) else rows


def float_dtype(X):
    """Return float32 if it holds the values of X without loss, else float64."""
    # uint8 images and half floats fit in float32; int32 and int64 do not
    narrow = np.result_type(X.dtype, np.float32) == np.float32
    return np.dtype(np.float32 if narrow else np.float64)


def _check_shape(X_tgt, X):
    """Raise ValueError if rows of the target are not of the shape of the source's."""
    if X_tgt.shape[1:] == X.shape[1:]:
        return
    if X_tgt.ndim == X.ndim == 2:
        sizes = f"{X_tgt.shape[1]} columns, but X has {X.shape[1]}"
    else:
        sizes = (
            f"rows of shape {X_tgt.shape[1:]}, but X has rows of shape {X.shape[1:]}"
        )
    raise ValueError(
        f"X_tgt has {sizes}. Pass both through the same transformer, for example "
        "Pipeline(..., transform_input=['X_tgt'])."
    )


def _check_is_one_source(X, y):
    """Raise ValueError for lists of tables, as other libraries take several sources."""
    is_list = isinstance(X, list | tuple) and len(X) > 0
    of_tables = is_list and len(getattr(X[0], "shape", ())) == 2
    if of_tables and (column_names(X[0]) is not None or _is_nested(y)):
        raise ValueError(
            f"X is a list of {len(X)} tables. All sources are one table here: join "
            "them, for example by numpy.concatenate or pandas.concat, and y likewise."
        )


def _is_nested(y):
    return isinstance(y, list | tuple) and any(len(np.shape(part)) > 0 for part in y)


def _check_is_one_target(X_tgt, X):
    """Raise ValueError for lists of tables, and for what are rather labels."""
    shape = _shape(X_tgt)
    if isinstance(X_tgt, list | tuple) and len(shape) == X.ndim + 1:
        raise ValueError(
            f"X_tgt is a list of {len(X_tgt)} tables. All targets are one table here: "
            "join them, or fit one estimator for each."
        )
    if len(shape) < 2:
        raise ValueError(
            "X_tgt must hold rows with the columns of X: an array, a DataFrame or a "
            f"sparse matrix; it has shape {shape}. Labels of the target go to "
            "y_tgt=..., those of the source to y."
        )


def _shape(X):
    """Return the shape of a table; of a list that of its first row, and its length."""
    if isinstance(X, list | tuple):
        return (len(X), *(_shape(X[0]) if len(X) else (0,)))
    return np.shape(X)
