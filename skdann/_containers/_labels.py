"""Labels: whatever holds them becomes an array, with a mask of those that are known."""

from collections.abc import Iterator
from numbers import Number

import narwhals.stable.v1 as nw
import numpy as np
from scipy import sparse

from ._missing import missing_values
from ._tables import check_not_lazy, without_batch

# Marks rows without a label, where it is no class; and them alone among codes.
UNLABELLED = -1

# Labels looked up at once: as objects of Python they take four times the memory.
_BLOCK = 2**16

_NO_COLUMN = (str, bytes, dict, set, Number, Iterator)


def read_labels(labels, name):
    """Return labels as an array of one type, and which of them there are.

    Parameters
    ----------
    labels : array-like of shape (n,) or (n, 1)
        Numbers, booleans, text or other objects; None, NaN, NA, null, NaT and masked
        entries are missing.
    name : str
        What messages call them.

    Returns
    -------
    known : ndarray of shape (n_known,)
        The labels that there are, without the others: a missing label would turn
        integers and booleans into something else.
    is_known : ndarray of bool of shape (n,)
    """
    values = _as_column(_as_array(labels, name), name)
    is_known = ~missing_values(values)
    if np.ma.isMaskedArray(labels):
        is_known &= ~np.ma.getmaskarray(labels).ravel()
    known = values[is_known]
    if known.dtype.kind == "U" and "nan" in known:
        raise ValueError(
            f"{name} holds the text 'nan', which numpy makes of a missing label among "
            "text. Pass an array of dtype object, with None where there is no label."
        )
    return _of_one_type(known), is_known


def read_known_labels(labels, name):
    """Return labels of which none may be missing, as an array of one type."""
    known, is_known = read_labels(labels, name)
    n_missing = np.count_nonzero(~is_known)
    if n_missing:
        raise ValueError(
            f"{name} contains NaN or None: {n_missing} of {len(is_known)} rows have no "
            f"label, the first of them row {np.argmin(is_known)}. Drop the rows "
            "without a label; if they are of the target, pass them as X_tgt."
        )
    return known


def read_true_labels(labels, classes, name):
    """Return labels to compare predictions with; none may be missing.

    A class that was not learned is one, and counts as an error of the prediction.

    Parameters
    ----------
    labels : array-like of shape (n,)
        As the user passed them.
    classes : ndarray of shape (n_classes,)
        What is predicted.
    name : str
        What messages call the labels.
    """
    labels = read_known_labels(labels, name)
    of_text = {isinstance(label, str) for label in labels.tolist()}
    if of_text - {isinstance(label, str) for label in classes.tolist()}:
        raise ValueError(
            f"{name} and the classes {classes.tolist()} are of different types, text "
            f"and numbers: {name} holds {labels[0]!r}. No prediction could be right."
        )
    if is_mark(labels).any() and not is_mark(classes).any():
        raise ValueError(
            f"{name} holds -1, which is none of the classes {classes.tolist()}: it "
            "marks rows without a label. Leave these rows out."
        )
    return labels


def is_mark(labels):
    """Return which labels are ``UNLABELLED``, the number; text is none."""
    if labels.dtype.kind == "O":
        return find_labels(labels, np.array([UNLABELLED])) == 0
    if labels.dtype.kind in "iuf":
        return labels == UNLABELLED
    return np.zeros(len(labels), dtype=bool)


def find_labels(labels, classes):
    """Return the positions of labels among the classes; -1 where they are none of them.

    What is equal is the same label, of whatever type: 1, 1.0 and True.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels.
    classes : ndarray of shape (n_classes,)
        Distinct.
    """
    if labels.dtype.kind in "mM" and classes.dtype.kind == labels.dtype.kind:
        labels = labels.astype(classes.dtype)  # other units are other numbers
    are_alike = labels.dtype.kind == classes.dtype.kind and len(classes) > 0
    is_plain = are_alike and labels.dtype.kind in "biufU"
    find = _finder_by_order(classes) if is_plain else _finder_by_hash(classes)
    found = np.empty(len(labels), dtype=np.int64)
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = find(labels[block])
    return found


def _finder_by_order(classes):
    """Return a search among classes of one type, for labels of this type."""
    order = np.argsort(classes)
    in_order = classes[order]

    def find(labels):
        places = np.minimum(np.searchsorted(in_order, labels), len(order) - 1)
        return np.where(in_order[places] == labels, order[places], -1)

    return find


def _finder_by_hash(classes):
    """Return a search among classes for labels of whatever type."""
    position = {label: i for i, label in enumerate(classes.tolist())}

    def look_up(label):
        try:
            return position.get(label, -1)
        except TypeError:  # not hashable: no class is
            return -1

    return lambda labels: [look_up(label) for label in labels.tolist()]


def _as_array(labels, name):
    """Return labels as an array; as objects where numpy would change some of them."""
    check_not_lazy(labels, name)
    labels = without_batch(labels)
    is_no_column = labels is None or isinstance(labels, _NO_COLUMN)
    if is_no_column or sparse.issparse(labels):
        raise ValueError(_no_column(name, labels))
    if nw.dependencies.is_into_dataframe(labels):
        frame = nw.from_native(labels)
        if len(frame.columns) != 1:
            raise ValueError(_several_columns(name, frame.shape))
        labels = frame[frame.columns[0]].to_native()
    if isinstance(labels, list | tuple):
        return _list_as_array(labels, name)
    if isinstance(getattr(labels, "dtype", None), np.dtype):
        labels = np.asarray(labels)
        return labels.astype(object) if labels.dtype.kind == "T" else labels
    for method in ("to_pylist", "to_list", "tolist"):  # of Arrow, frames and tensors
        if hasattr(labels, method):
            return _list_as_array(getattr(labels, method)(), name, dtype=object)
    return np.asarray(labels)


def _list_as_array(labels, name, dtype=None):
    """Return a list as an array; as objects where numpy would change some labels."""
    try:
        array = np.asarray(labels, dtype=dtype)
    except ValueError as error:
        raise ValueError(f"{name} is a list of rows of other lengths.") from error
    is_of_one_type = len({type(label) for label in labels}) <= 1
    # 2**63 and -1 become floats, members of an Enum the first letters of its name
    if array.ndim != 1 or (is_of_one_type and array.tolist() == list(labels)):
        return array
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array


def _as_column(values, name):
    if values.dtype.names:
        raise ValueError(
            f"{name} is an array of records. Pass one of its fields: "
            f"{name}[{values.dtype.names[0]!r}]."
        )
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim == 0:
        raise ValueError(_no_column(name, values.item()))
    if values.ndim != 1:
        raise ValueError(_several_columns(name, values.shape))
    return values


def _no_column(name, labels):
    return (
        f"{name} must be a dense column of labels, one for each row; got a "
        f"{type(labels).__name__}."
    )


def _several_columns(name, shape):
    advice = (
        "For several labels of each row use "
        "sklearn.multioutput.MultiOutputClassifier(DANNClassifier())."
    )
    if len(shape) > 2:
        advice = f"Bring it to the shape ({shape[0]},)."
    elif name.startswith("groups"):
        advice = "Join several into one text, for example f'{site} {month}'."
    return (
        f"{name} should be a 1d array, a column of labels, but has shape {shape}. "
        f"{advice}"
    )


def _of_one_type(labels):
    """Return objects as an array of one type: numbers, booleans or numpy's dates.

    Subclasses of text become text: what was learned must compare with plain labels.
    """
    if labels.dtype.kind != "O" or len(labels) == 0:
        return labels
    listed = labels.tolist()
    if all(isinstance(label, str) for label in listed):
        return np.array([str.__str__(label) for label in listed], dtype=object)
    if all(isinstance(label, np.datetime64 | np.timedelta64) for label in listed):
        return np.array(listed)
    is_bool = {isinstance(label, bool | np.bool_) for label in listed}
    try:
        numbers = np.array(listed)
    except ValueError:  # of lists of several lengths
        return labels
    is_same = numbers.ndim == 1 and numbers.dtype.kind in "biuf" and len(is_bool) == 1
    return numbers if is_same and numbers.tolist() == listed else labels
