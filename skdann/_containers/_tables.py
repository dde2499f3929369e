"""Tables: the names of their columns, what these hold, and what is wrong with them."""

import datetime
import re
import sys
from collections import Counter
from collections.abc import Iterator, Set
from functools import partial
from numbers import Number

import narwhals.stable.v1 as nw
import numpy as np
from narwhals.exceptions import DuplicateError
from scipy import sparse
from sklearn.utils import check_array, indexable

from ._missing import is_missing, missing_values

# Containers and dtypes stay as they are: batches are converted, never the whole.
KEPT = {"accept_sparse": "csr", "dtype": "numeric", "allow_nd": True}

# More are not named in messages.
MOST_NAMED = 5

_DATE = re.compile(
    r"\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(\s|T|$)"  # 2020-01-31, 31/1/20 10:00
    r"|\d{1,2}:\d{2}(:|\s|$)"  # 10:00
    r"|\d{4}-\d{2}$"  # 2020-01
    r"|(\d{1,2}[-\s.]+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[a-z]*[-\s.,]+\d)",  # Jan 2020, 31 January 2020
    re.IGNORECASE,
)
_NO_TABLE = (str, bytes, dict, Set, Iterator, Number, type(None))
_TEMPORAL = (datetime.date, datetime.time, datetime.timedelta)
_TEMPORAL_NAMES = ("Period", "datetime64", "timedelta64")

_REMEDIES = {
    "text": "Encode text and categories in a Pipeline before the classifier, for "
    "example with OneHotEncoder in a ColumnTransformer.",
    "dates": "Turn dates into numbers, for example into days since a reference date.",
}


def as_table(X, name):
    """Return X, or the same rows in a container that scikit-learn reads.

    Parameters
    ----------
    X : array-like, frame or sparse matrix
        As the user passed it.
    name : str
        What messages call it.
    """
    if type(X) is np.ndarray and not X.dtype.names:
        return X  # at each prediction of a row the rest would be felt
    if sparse.issparse(X):  # a DOK matrix is a dict
        return X
    if isinstance(X, _NO_TABLE):
        keys = f" with the keys {list(X)[:MOST_NAMED]}" if isinstance(X, dict) else ""
        raise ValueError(
            f"{name} is a {type(X).__name__}{keys}. It must be one table: an array, a "
            "DataFrame or a sparse matrix."
        )
    check_not_lazy(X, name)
    _check_no_records(X, name)
    _as_frame(X, name)
    return as_readable(X)


def _check_no_records(X, name):
    is_list = isinstance(X, list | tuple) and len(X) > 0 and isinstance(X[0], dict)
    if is_list or getattr(getattr(X, "dtype", None), "names", None):
        raise ValueError(
            f"{name} holds records, with names for their values. Pass a table: "
            f"pandas.DataFrame({name})."
        )


def check_not_lazy(values, name):
    """Raise ValueError for a frame that is a plan, and holds nothing yet."""
    if hasattr(values, "collect_schema") and hasattr(values, "collect"):
        raise ValueError(f"{name} is a lazy frame. Pass {name}.collect().")
    if nw.dependencies.is_dask_dataframe(values):
        raise ValueError(f"{name} is a lazy frame. Pass {name}.compute().")


def as_readable(X):
    """Return the same values in a container that scikit-learn and numpy read."""
    if isinstance(X, np.ma.MaskedArray):
        return _without_mask(X)
    for convert in (without_batch, _without_tensor, _without_sparse_columns):
        X = convert(X)
    return X


def as_indexable(X, name):
    """Return X as a table whose rows can be taken by position."""
    [X] = indexable(as_table(X, name))
    return X


def as_frame_like(X, array):
    """Return an array as a frame of the kind of X, with its names, if X is a frame."""
    frame = _as_frame(X)
    if frame is None or not all(isinstance(c, str) for c in frame.columns):
        return array
    columns = dict(zip(frame.columns, array.T, strict=True))
    return nw.from_dict(columns, backend=frame.implementation).to_native()


def column_names(X, name="A table"):
    """Return the names of the columns of a frame, as text; None if it has none."""
    frame = _as_frame(X, name)
    return None if frame is None else [str(column) for column in frame.columns]


def categorical_columns(X):
    """Return the names of the columns that a frame declares to hold categories."""
    frame = _as_frame(X)
    if frame is None:
        return set()
    types = (nw.Categorical, nw.Enum)
    return {str(c) for c, dtype in frame.schema.items() if isinstance(dtype, types)}


def check_names(names, names_tgt, name="X", name_tgt="X_tgt"):
    """Raise ValueError if two tables with names have other columns, or another order.

    Parameters
    ----------
    names, names_tgt : list of str or None
        Names of their columns.
    name, name_tgt : str
        What messages call the tables.
    """
    if names is None or names_tgt is None or names == names_tgt:
        return
    missing = [column for column in names if column not in names_tgt]
    extra = [column for column in names_tgt if column not in names]
    use = f"Use {name_tgt}[{name}.columns]."
    if missing and extra:
        raise ValueError(
            f"{name_tgt} lacks columns {_some(missing)} of {name} and has "
            f"{_some(extra)} instead. Rename them, or pass both through the same "
            "transformer, for example Pipeline(..., transform_input=['X_tgt'])."
        )
    if extra:
        raise ValueError(
            f"{name_tgt} has columns that {name} lacks: {_some(extra)}. {use}"
        )
    if missing:
        raise ValueError(
            f"{name_tgt} lacks columns of {name}: {_some(missing)}. Add them to "
            f"{name_tgt}, or drop them from {name}."
        )
    if len(names) != len(names_tgt):
        raise ValueError(f"{name_tgt} has some columns of {name} twice. {use}")
    raise ValueError(f"{name_tgt} has the columns of {name} in another order. {use}")


def read_rows(X, name, **options):
    """Return rows as a checked array or CSR matrix.

    Parameters
    ----------
    X : array-like, frame or sparse matrix
        As the user passed it.
    name : str
        What messages call it.
    **options
        Of :func:`sklearn.utils.check_array`, beside those of ``KEPT``.
    """
    check = partial(check_array, input_name=name, **{**KEPT, **options})
    return checked_rows(X, name, check)


def checked_rows(X, name, check, advice=""):
    """Return rows as scikit-learn checks them; where it refuses, say which columns.

    Dates are looked for first: scikit-learn would read some as microseconds.

    Parameters
    ----------
    X : array-like, frame or sparse matrix
        As the user passed it.
    name : str
        What messages call it.
    check : callable
        Scikit-learn's check: called with X, it returns an ndarray or CSR matrix.
    advice : str, default=""
        To add to messages about what columns hold.

    Returns
    -------
    ndarray or CSR
        Of numbers.
    """
    X = as_table(X, name)
    _check_schema(X, name, advice)
    try:
        # the sum by which scikit-learn looks for NaN may overflow
        with np.errstate(over="ignore", invalid="ignore"):
            return _as_numbers(check(X), name)
    except (TypeError, ValueError) as error:
        reason = _reason(X, name, str(error), advice)
        if reason is None:
            raise
        raise reason from error


def _as_numbers(X, name):
    """Return a checked array or CSR matrix as numbers that all of scikit-learn reads.

    Raises
    ------
    ValueError
        If it does not hold numbers.
    """
    if X.dtype.kind == "O":  # which scikit-learn converts for arrays and pandas alone
        X = check_array(X, input_name=name, **KEPT)
    if X.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} has dtype {X.dtype}, but only numbers can be learned from."
        )
    if sparse.issparse(X):
        return _with_small_indices(_without_duplicates(X))
    return X


def _as_frame(X, name="A table"):
    """Return a frame by narwhals, or None if X is none."""
    if type(X) is np.ndarray:
        return None
    X = without_batch(X)
    if not nw.dependencies.is_into_dataframe(X):
        return None
    try:
        return nw.from_native(X, eager_only=True)
    except DuplicateError as error:
        names = Counter(X.columns if hasattr(X, "iloc") else X.column_names)
        repeated = [str(column) for column, n in names.items() if n > 1]
        raise ValueError(
            f"{name} has several columns of one name: {_some(repeated)}. Rename them."
        ) from error


def without_batch(X):
    """Return a batch of Arrow as a table, which is what libraries read."""
    arrow = sys.modules.get("pyarrow")
    is_batch = arrow is not None and isinstance(X, arrow.RecordBatch)
    return arrow.Table.from_batches([X]) if is_batch else X


def _without_tensor(X):
    """Return a tensor of torch as an array: dense, on the CPU, without a gradient."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(X, torch.Tensor):
        return X
    X = X.detach().cpu()
    X = X if X.layout is torch.strided else X.to_dense()
    return (X.float() if X.dtype is torch.bfloat16 else X).numpy()


def _without_sparse_columns(X):
    """Return a frame as a dense one, unless all columns are sparse and omit 0."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame) or X.shape[1] == 0:
        return X
    are_sparse = [isinstance(dtype, pandas.SparseDtype) for dtype in X.dtypes]
    if not any(are_sparse):
        return X
    if all(are_sparse) and all(dtype.fill_value == 0 for dtype in X.dtypes):
        return X
    types = X.dtypes[are_sparse].items()
    return X.astype({column: dtype.subtype for column, dtype in types})


def _without_duplicates(X):
    """Return a CSR matrix with one value for each entry: many read them one by one."""
    if X.has_canonical_format:
        return X
    X = X.copy()  # not the user's
    X.sum_duplicates()
    return X


def _with_small_indices(X):
    """Return a CSR matrix with indices of 32 bits if they fit: trees read no others."""
    largest = max(X.nnz, *X.shape)
    if X.indices.dtype == np.int32 == X.indptr.dtype or largest > np.iinfo("i4").max:
        return X
    indices, indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return type(X)((X.data, indices, indptr), shape=X.shape)


def _without_mask(X):
    """Return the values of a masked array, NaN where they are masked."""
    if not np.ma.is_masked(X):
        return np.ma.getdata(X)
    return X.astype(np.result_type(X.dtype, np.float32)).filled(np.nan)


def _check_schema(X, name, advice):
    """Raise ValueError for columns of dates, which numpy may turn into numbers."""
    frame = _as_frame(X)
    if frame is not None and not frame.columns:
        raise ValueError(f"{name} has no columns: its shape is {frame.shape}.")
    if frame is not None:
        types = {c: dtype for c, dtype in frame.schema.items() if dtype.is_temporal()}
        held = first_few([f"{c!r} ({dtype})" for c, dtype in types.items()])
    else:
        dtype = getattr(X, "dtype", None)
        held = str(dtype) if getattr(dtype, "kind", None) in {"m", "M"} else ""
    if held:
        message = f"{name} has columns of dates or times: {held}. {_REMEDIES['dates']}"
        raise ValueError(f"{message} {advice}".rstrip())


def _reason(X, name, error, advice):
    """Return an error that says what is wrong with X, or None if it is not this."""
    if "Expected 2D array" in error or "Found array with dim" in error:
        return None
    others = _columns_without_numbers(X)
    if others:
        return _describe_others(others, name, error, advice)
    if "bytes/strings" in error:
        return ValueError(
            f"{name} holds numbers as text. Use numpy.asarray({name}, dtype=float)."
        )
    if any(word in error for word in ("NaN", "NAType", "NA is ambiguous")):
        return ValueError(_describe_missing(X, name))
    if "setting an array element with a sequence" in error:
        return ValueError(
            f"{name} must be a table of numbers; its rows have other lengths, or some "
            f"of its values are sequences. ({error})"
        )
    if "infinity" in error:
        return ValueError(_describe_infinite(X, name, error))
    return None


def _describe_others(others, name, error, advice):
    """Return the error for columns that hold no numbers."""
    kinds = {kind.split()[0] for kind, _ in others}  # "dates as text" are dates
    held = first_few([text for _, text in others])
    parts = [f"{name} has columns that hold no numbers: {held}."]
    parts += [_REMEDIES[kind] for kind in _REMEDIES if kind in kinds]
    if kinds <= _REMEDIES.keys():
        return ValueError(" ".join([*parts, advice]).rstrip())
    return TypeError(" ".join([*parts, f"({error})", advice]).rstrip())


def columns(X) -> Iterator[tuple[object, np.ndarray]]:
    """Yield each column of a table: its name or position, and its values."""
    frame = _as_frame(X)
    if frame is not None:
        for series in frame.iter_columns():
            yield series.name, _values(series)
        return
    if sparse.issparse(X):
        X = sparse.csc_array(X)
        for j in range(X.shape[1]):
            yield j, X.data[X.indptr[j] : X.indptr[j + 1]]
        return
    array = np.asarray(X) if hasattr(X, "dtype") else np.asarray(X, dtype=object)
    if array.ndim == 2:
        yield from enumerate(array.T)


def _values(series):
    """Return the values of a column, as objects if numpy has no type for them."""
    try:
        return series.to_numpy()
    except (TypeError, ValueError, NotImplementedError):
        return np.array(series.to_list(), dtype=object)


def _columns_without_numbers(X):
    """Return kind and description of each column that holds something else."""
    found = []
    for column, values in columns(X):
        if values.dtype.kind in "fiub" and values.ndim == 1:  # a struct has two
            continue
        kind, example = next(
            ((kind, v) for v in values.tolist() if (kind := _kind(v))), (None, None)
        )
        if kind:
            found.append((kind, f"{column!r} ({kind}, for example {example!r})"))
    return found


def _kind(value):
    """Return what a value is if it is no number; None if it is one, or missing."""
    if isinstance(value, str | bytes):
        return _kind_of_text(value)
    if is_missing(value) or isinstance(value, Number | np.bool_):
        return None
    kind = type(value).__name__
    if isinstance(value, _TEMPORAL) or kind in _TEMPORAL_NAMES:
        return "dates"
    return kind


def _kind_of_text(text):
    try:
        float(text)
    except ValueError:
        text = text if isinstance(text, str) else text.decode(errors="replace")
        return "dates as text" if _DATE.match(text) else "text"
    return None


def _describe_missing(X, name):
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    counts = {c: int(np.sum(missing_values(v))) for c, v in columns(X)}
    of_columns = _describe_counts(counts, n_rows)
    return (
        f"{name} contains NaN: missing values{of_columns}. Fill them in a Pipeline "
        "before the classifier, for example with SimpleImputer(add_indicator=True); "
        "X_tgt must go through it, too: Pipeline(..., transform_input=['X_tgt'])."
    )


def _describe_infinite(X, name, error):
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    counts = {}
    for column, values in columns(X):
        with np.errstate(over="ignore"):
            counts[column] = int(np.isinf(values.astype(np.float64)).sum())
    of_columns = _describe_counts(counts, n_rows)
    return f"{name} contains infinity or a value too large{of_columns}. ({error})"


def _describe_counts(counts, n_rows):
    """Return which columns something was counted in."""
    found = [f"{c!r} ({n} of {n_rows} rows)" for c, n in counts.items() if n]
    if not found:
        return ""
    return f" in {len(found)} of {len(counts)} columns: {first_few(found)}"


def first_few(texts, most=MOST_NAMED):
    """Return the first texts in one, and how many more there are."""
    shown, more = ", ".join(texts[:most]), len(texts) - most
    return shown + (f" and {more} more" if more > 0 else "")


def _some(names):
    """Return the first names in brackets, and how many more there are."""
    shown, more = names[:MOST_NAMED], len(names) - MOST_NAMED
    return f"{shown}" + (f" and {more} more" if more > 0 else "")
