"""The one reader of user data: X, y, X_tgt, y_tgt and weights become a ``Domains``."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, column_or_1d, compute_class_weight, gen_batches
from sklearn.utils._missing import is_pandas_na
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import _check_sample_weight, validate_data

from .exceptions import AdaptationWarning

UNLABELLED = -1


@dataclass(frozen=True)
class Domains:
    """A labelled source and an unlabelled target, checked and encoded.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_source, ...)
        Source rows, in the container and dtype they came in.
    y : ndarray of shape (n_source,), int64
        Source labels as positions in ``classes``.
    rows : ndarray of int
        Source rows in use: those of positive weight.
    row_weight, label_weight : ndarray of shape (n_source,) or None
        How often a row counts (``sample_weight``), and the same times the cost of its
        class (``class_weight``). Each is 1 on average; None weighs all alike.
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.
    X_tgt : ndarray or CSR of shape (n_target, ...), or None
        Target rows.
    y_tgt : ndarray of shape (n_target,), int64, or None
        Codes of the known target labels, ``UNLABELLED`` elsewhere.
    label_weight_tgt : ndarray of shape (n_target,) or None
        ``label_weight`` of the target rows.
    held_out : ndarray of int or None
        Source rows that are kept from training, to look at with early stopping.
    """

    X: object
    y: np.ndarray
    rows: np.ndarray
    classes: np.ndarray
    row_weight: np.ndarray | None = None
    label_weight: np.ndarray | None = None
    X_tgt: object = None
    y_tgt: np.ndarray | None = None
    label_weight_tgt: np.ndarray | None = None
    held_out: np.ndarray | None = None

    def without(self, held_out, rows):
        """Return the same data, some of whose rows in use are held out."""
        return replace(self, held_out=held_out, rows=np.sort(rows))

    @property
    def dtype(self):
        """Float32 if X fits in it without loss, else float64."""
        return _float_dtype(self.X)

    @property
    def labelled_rows_tgt(self):
        """Positions of the target rows whose label is known."""
        if self.y_tgt is None:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(self.y_tgt != UNLABELLED)


def read_domains(
    estimator,
    X,
    y,
    X_tgt=None,
    *,
    sample_weight=None,
    y_tgt=None,
    classes=None,
    reset=True,
):
    """Check and encode everything that a user passes to ``fit``.

    Parameters
    ----------
    estimator : DANNClassifier
        Receives ``n_features_in_`` and ``feature_names_in_``; named in errors.
    X, y, X_tgt, sample_weight, y_tgt
        As in :meth:`skdann.DANNClassifier.fit`.
    classes : array-like or None, default=None
        All labels that may occur, now or later; None takes those of y and y_tgt.
    reset : bool, default=True
        Whether this is a first fit. If not, columns must be those of the first.

    Returns
    -------
    Domains
    """
    _check_argument_order(y, X_tgt)
    names, names_tgt = _column_names(X), _column_names(X_tgt)
    with _advice_for("X"):
        X, y = validate_data(estimator, X, y, reset=reset, **_CONTAINERS)
    _check_dtype(X, "X")
    _check_labels(y)
    if X_tgt is not None:
        X_tgt = _check_target_rows(estimator, X_tgt, X, names, names_tgt)
        _warn_if_scaled_differently(X, X_tgt, names, names_tgt)
    elif y_tgt is not None:
        raise ValueError("y_tgt labels rows of X_tgt, but X_tgt is None. Pass both.")
    elif estimator.lambda_max > 0:
        _warn_of_no_target(estimator.lambda_max)

    y_tgt, known = _check_target_labels(y_tgt, X_tgt, y)
    labels = y if y_tgt is None else np.concatenate([y, y_tgt[known]])
    classes = _check_classes(classes, labels)
    codes = _encode_labels(y, classes, "y")
    codes_tgt = None
    if y_tgt is not None:
        codes_tgt = np.full(len(y_tgt), UNLABELLED)
        codes_tgt[known] = _encode_labels(y_tgt[known], classes, "y_tgt")

    row_weight, rows = _check_row_weight(sample_weight, X, y)
    domains = Domains(
        X=X,
        y=codes,
        rows=rows,
        classes=classes,
        row_weight=row_weight,
        X_tgt=X_tgt,
        y_tgt=codes_tgt,
    )
    return with_class_weight(domains, estimator.class_weight)


def with_class_weight(domains, class_weight):
    """Return the same domains, weighted by other costs of errors.

    Parameters
    ----------
    domains : Domains
        Checked data.
    class_weight : dict, "balanced" or None
        As in :class:`skdann.DANNClassifier`.

    Returns
    -------
    Domains
    """
    label_weight, label_weight_tgt = _label_weights(
        class_weight, domains.classes, domains.y, domains.row_weight, domains.y_tgt
    )
    return replace(
        domains, label_weight=label_weight, label_weight_tgt=label_weight_tgt
    )


def read_rows_to_predict(estimator, X, row_shape):
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
    with _advice_for("X"):
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


# Containers and dtypes stay as they are: batches are converted, never the whole.
_CONTAINERS = {"accept_sparse": "csr", "dtype": "numeric", "allow_nd": True}

_SIGNS_OF_TEXT = ("could not convert string to float", "arrays of bytes/strings")


@contextmanager
def _advice_for(name):
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


def _check_dtype(X, name):
    if X.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has dtype {X.dtype}, but the network reads numbers. Encode text "
            "and categories, for example with OneHotEncoder; turn dates into numbers, "
            "for example into days since a reference date."
        )


def _check_labels(y):
    try:
        check_classification_targets(y)
    except TypeError as error:  # they can't be sorted
        kinds = sorted({type(label).__name__ for label in y})
        raise ValueError(
            f"y mixes labels of the types {kinds}; use one, and drop the rows without "
            "a label."
        ) from error


def _float_dtype(X):
    # uint8 images and half floats fit in float32; int32 and int64 do not
    narrow = np.result_type(X.dtype, np.float32) == np.float32
    return np.dtype(np.float32 if narrow else np.float64)


def _check_argument_order(y, X_tgt):
    shape, shape_tgt = (getattr(data, "shape", ()) for data in (y, X_tgt))
    if len(shape) >= 2 and shape[1] > 1 and len(shape_tgt) == 1:
        raise ValueError(
            f"y has shape {shape} and X_tgt has shape {shape_tgt}: they look "
            "swapped. The order is fit(X, y, X_tgt)."
        )


def _column_names(X):
    columns = getattr(X, "columns", None)
    return None if columns is None else [str(name) for name in columns]


def _check_target_rows(estimator, X_tgt, X, names, names_tgt):
    with _advice_for("X_tgt"):
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


def _check_target_labels(y_tgt, X_tgt, y):
    """Return the target labels as they came and a mask of those that are known."""
    if y_tgt is None:
        return None, None
    y_tgt = column_or_1d(y_tgt, dtype=None)
    if len(y_tgt) != X_tgt.shape[0]:
        raise ValueError(
            f"y_tgt has {len(y_tgt)} entries, but X_tgt has {X_tgt.shape[0]} rows. "
            "Mark the rows without a label: -1 among numbers, None among strings."
        )
    if y_tgt.dtype.kind in "OU":
        unknown = np.array(
            [label is None or is_pandas_na(label) or label != label for label in y_tgt]
        )
    else:
        unknown = (y_tgt == UNLABELLED) | (y_tgt != y_tgt)
        if unknown.any() and y.dtype.kind in "iuf" and (y == UNLABELLED).any():
            raise ValueError(
                "-1 is a class in y and marks rows without a label in y_tgt. Pass "
                "y_tgt as an object array with None where the label is unknown."
            )
    return y_tgt, ~unknown


def _check_classes(classes, labels):
    found = _unique(labels)
    if classes is None:
        classes = found
    else:
        classes = _unique(column_or_1d(classes))
        unknown = np.setdiff1d(found, classes)
        if len(unknown):
            raise ValueError(
                f"Labels {unknown.tolist()} are not among classes={classes.tolist()}."
            )
    if len(classes) < 2:
        raise ValueError(
            f"All labels are of one class ({classes.tolist()[0]!r}); a classifier "
            "needs at least two classes."
        )
    return classes


def _unique(labels):
    try:
        return np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels})
        raise ValueError(
            f"The labels mix the types {kinds}; use one. In y_tgt mark the rows "
            "without a label with None."
        ) from error


def _encode_labels(labels, classes, name):
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    wrong = classes[codes] != labels
    if np.any(wrong):
        raise ValueError(
            f"{name} holds labels {_unique(labels[wrong]).tolist()} that are not among "
            f"the classes {classes.tolist()}."
        )
    return codes.astype(np.int64)


def _check_row_weight(sample_weight, X, y):
    """Return weights of mean 1 over the rows in use, and which those are."""
    if sample_weight is None:
        return None, np.arange(X.shape[0])
    weight = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    rows = np.flatnonzero(weight)
    if len(_unique(y[rows])) < 2:
        raise ValueError(
            "sample_weight leaves rows of fewer than two classes; a classifier needs "
            "at least two classes."
        )
    weight = weight / weight.max()  # a sum of the largest would overflow
    return weight / weight[rows].mean(), rows


def _label_weights(class_weight, classes, codes, row_weight, codes_tgt):
    """Return ``label_weight`` of the source and of the target, 1 on average."""
    if class_weight is None:
        if row_weight is None or codes_tgt is None:
            return row_weight, None
        return row_weight, np.ones(len(codes_tgt))  # each counts once
    cost = _class_costs(class_weight, classes, codes, row_weight)
    weight = cost[codes] if row_weight is None else row_weight * cost[codes]
    if not (weight > 0).any() or not np.isfinite(weight).all():
        raise ValueError(
            f"class_weight={class_weight!r} leaves no row that counts, or one that "
            "counts beyond all measure. Give costs, and weights, nearer to 1."
        )
    mean = weight[weight > 0].mean()
    weight_tgt = None if codes_tgt is None else cost[codes_tgt] / mean
    return weight / mean, weight_tgt


def _class_costs(class_weight, classes, codes, row_weight):
    """Return the cost of each class, the largest 1."""
    if isinstance(class_weight, str):
        cost = _balanced_costs(classes, codes, row_weight)
    else:
        _check_class_weight(class_weight, classes)
        cost = np.array([class_weight.get(label, 1.0) for label in classes.tolist()])
    return cost / max(cost.max(), np.finfo(float).tiny)


def _balanced_costs(classes, codes, row_weight):
    rows = slice(None) if row_weight is None else row_weight > 0
    present, cost = np.unique(codes[rows]), np.ones(len(classes))
    with np.errstate(over="ignore", divide="ignore"):  # of weights that are almost 0
        cost[present] = compute_class_weight(
            "balanced",
            classes=present,
            y=codes[rows],
            sample_weight=None if row_weight is None else row_weight[rows],
        )
    return cost


def _check_class_weight(class_weight, classes):
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(
            f"class_weight names {unknown}, but the classes are {classes.tolist()}."
        )
    wrong = {label: w for label, w in class_weight.items() if not 0 <= w < np.inf}
    if wrong:
        raise ValueError(
            f"class_weight holds {wrong}; the cost of a class must be a finite number, "
            "at least 0."
        )


def _warn_of_no_target(lambda_max):
    warnings.warn(
        "There is no target (X_tgt is None): nothing is adapted, and "
        f"lambda_max={lambda_max:g} has no effect. Pass X_tgt, or set lambda_max=0 to "
        "train on the source alone.",
        AdaptationWarning,
        stacklevel=7,
    )


def _warn_if_scaled_differently(X, X_tgt, names, names_tgt):
    """Catch the target that went around the transformers of a Pipeline."""
    if names is None and names_tgt is not None:
        reason = "X_tgt has column names and X has none, as if only X was transformed."
    else:
        reason = _describe_difference_of_scale(X, X_tgt)
    if reason:
        warnings.warn(
            f"{reason} If X comes out of a transformer, X_tgt must go through it too: "
            "sklearn.set_config(enable_metadata_routing=True), then "
            "Pipeline(..., transform_input=['X_tgt']).fit(X, y, X_tgt=X_tgt).",
            AdaptationWarning,
            stacklevel=2,
        )


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # moments of extremes
def _describe_difference_of_scale(X, X_tgt):
    """Say how X_tgt cannot have been scaled like X; None if it may have been.

    Both rules are far from what real shifts do: over 25 pairs of real domains scaled
    alike, at most 23% of the columns met the first and 33% the second.
    """
    if X.ndim > 2 or min(X.shape[0], X_tgt.shape[0]) < 10:
        return None  # images have no scaler; a few rows prove nothing
    some_tgt = _some_rows(X_tgt)
    mean, std = _column_moments(_some_rows(X))
    mean_tgt, std_tgt = _column_moments(some_tgt)
    varies = (std > 1e-9 * np.abs(mean)) & (std > 0)
    if not varies.any():
        return None
    # only all rows can tell that a mean is 0, but some tell that it need not be asked
    if np.mean((_column_minima(some_tgt) >= 0)[varies]) > 0.9:
        centred = np.abs(_column_moments(X)[0]) < 1e-4 * std
        if np.mean((centred & (_column_minima(X_tgt) >= 0))[varies]) > 0.9:
            return (
                "Every column of X is centred on 0, but X_tgt has no negative values."
            )
    ratio = np.where(std_tgt > 0, std_tgt / std, 1.0)
    shifted = np.abs(mean_tgt - mean) > 3 * std
    far = shifted | (ratio > 10) | (ratio < 0.1)
    if np.mean(far[varies]) > 0.5:
        return (
            f"{np.mean(far[varies]):.0%} of the columns of X_tgt lie more than 3 "
            "standard deviations from X, or spread 10 times as wide or as narrow."
        )
    return None


def _some_rows(X):
    """Rows from all of X, at most twice 2048: enough for a spread, cheap to read."""
    return X[:: max(1, X.shape[0] // 2048)]


def _column_moments(X):
    """Mean and standard deviation of each column, without a copy of X."""
    if sparse.issparse(X):
        mean, variance = mean_variance_axis(X, axis=0)
        return mean, np.sqrt(variance)
    scaler = StandardScaler()
    for rows in gen_batches(X.shape[0], 8192):
        scaler.partial_fit(X[rows])
    return scaler.mean_, np.sqrt(scaler.var_)


def _column_minima(X):
    return X.min(axis=0).toarray().ravel() if sparse.issparse(X) else X.min(axis=0)
