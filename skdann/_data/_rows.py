"""Rows: tables, arrays and sparse matrices, checked and left in their containers."""

from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

# Containers and dtypes stay as they are: batches are converted, never the whole.
_CONTAINERS = {"accept_sparse": "csr", "dtype": "numeric", "allow_nd": True}

_SIGNS_OF_TEXT = ("could not convert string to float", "arrays of bytes/strings")


def check_source_rows(estimator, X, y, *, reset):
    """Check the rows of the source and, with them, the length of y.

    Parameters
    ----------
    estimator : estimator
        Receives ``n_features_in_`` and ``feature_names_in_``; named in errors.
    X, y : array-like
        As in :meth:`skdann.DANNClassifier.fit`.
    reset : bool
        Whether this is a first fit. If not, columns must be those of the first.

    Returns
    -------
    X : ndarray or CSR
    y : ndarray
    """
    with _errors_with_advice("X"):
        X, y = validate_data(estimator, X, y, reset=reset, **_CONTAINERS)
    _check_dtype(X, "X")
    return X, y


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
    with _errors_with_advice("X_tgt"):
        X_tgt = check_array(
            X_tgt, input_name="X_tgt", estimator=estimator, **_CONTAINERS
        )
    _check_dtype(X_tgt, "X_tgt")
    same_transformer = (
        "Pass both through the same transformer, for example "
        "Pipeline(..., transform_input=['X_tgt'])."
    )
    if X_tgt.ndim == X.ndim == 2 and X_tgt.shape[1] != X.shape[1]:
        raise ValueError(
            f"X_tgt has {X_tgt.shape[1]} columns, but X has {X.shape[1]}. "
            + same_transformer
        )
    if X_tgt.shape[1:] != X.shape[1:]:
        raise ValueError(
            f"X_tgt has rows of shape {X_tgt.shape[1:]}, but X has rows of shape "
            f"{X.shape[1:]}. " + same_transformer
        )
    if names is not None and names_tgt is not None and names != names_tgt:
        raise ValueError(_describe_column_mismatch(names, names_tgt))
    return X_tgt


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
    with _errors_with_advice("X"):
        X = validate_data(estimator, X, reset=False, **_CONTAINERS)
    _check_dtype(X, "X")
    if X.shape[1:] != row_shape:
        raise ValueError(
            f"X has rows of shape {X.shape[1:]}, but {type(estimator).__name__} was "
            f"fitted on rows of shape {row_shape}."
        )
    return X


def take_rows(X, index):
    """Rows of X as a dense array; only these rows of a sparse matrix are densified.

    Parameters
    ----------
    X : ndarray or CSR
        Data.
    index : ndarray of int or slice
        Rows.

    Returns
    -------
    ndarray
    """
    rows = X[index]
    return rows.toarray() if sparse.issparse(rows) else rows


def float_dtype(X):
    """Return float32 if it holds the values of X without loss, else float64."""
    # uint8 images and half floats fit in float32; int32 and int64 do not
    narrow = np.result_type(X.dtype, np.float32) == np.float32
    return np.dtype(np.float32 if narrow else np.float64)


def column_names(X):
    """Return the names of the columns of a table; None if it has none."""
    columns = getattr(X, "columns", None)
    return None if columns is None else [str(name) for name in columns]


def _describe_column_mismatch(names, names_tgt):
    if set(names) == set(names_tgt):
        return "X_tgt has the columns of X in another order. Use X_tgt[X.columns]."
    missing = [name for name in names if name not in names_tgt]
    extra = [name for name in names_tgt if name not in names]
    return (
        f"X_tgt lacks columns {missing[:5]} of X and has {extra[:5]} instead. Rename "
        "them, or pass both through the same transformer, for example "
        "Pipeline(..., transform_input=['X_tgt'])."
    )


def _check_dtype(X, name):
    if X.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has dtype {X.dtype}, but the network reads numbers. Encode text "
            "and categories, for example with OneHotEncoder; turn dates into numbers, "
            "for example into days since a reference date."
        )


@contextmanager
def _errors_with_advice(name):
    """Add what to do to the errors in which scikit-learn says what is wrong."""
    try:
        # the sum by which scikit-learn looks for NaN may overflow
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except TypeError as error:
        if "promoted" not in str(error):
            raise
        raise ValueError(
            f"{name} mixes columns of dates with numbers. Turn dates into numbers, for "
            "example into days since a reference date."
        ) from error
    except ValueError as error:
        if str(error) == "Input contains NaN":  # of a categorical y
            raise ValueError(
                "y contains NaN. Drop the rows without a label; if they are of the "
                "target, pass them as X_tgt."
            ) from error
        if any(sign in str(error) for sign in _SIGNS_OF_TEXT):
            raise ValueError(
                f"{name} has columns of text ({error}). Encode them first, for example "
                "with OneHotEncoder in a ColumnTransformer."
            ) from error
        if "Expected 2D array" in str(error) and name == "X_tgt":
            raise ValueError(
                "X_tgt must hold rows with the columns of X: an array, a DataFrame or "
                "a sparse matrix. Labels of the target go to y_tgt=..., those of the "
                f"source to y. ({error})"
            ) from error
        raise
