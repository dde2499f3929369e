"""What y is: how labels become what a network learns, and what it answers, labels."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils._missing import is_pandas_na
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples

# Marks, among the codes of the target, the rows whose label is not known.
UNLABELLED = -1


@dataclass(frozen=True)
class ClassTargets:
    """Classes: learned as positions in a sorted list, answered by the largest logit.

    Another kind of y is another class with these members.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.
    loss : str
        Key of ``skdann.nn._losses.LABEL_LOSSES``.
    """

    classes: np.ndarray
    loss: ClassVar[str] = "cross_entropy"

    @property
    def n_outputs(self):
        """Number of values that a network answers for a row."""
        return len(self.classes)

    def encode(self, labels, name="y"):
        """Return the positions of labels, an ndarray of int64."""
        codes, is_found = _find(self.classes, labels)
        if not np.all(is_found):
            wrong = _unique(labels[~is_found]).tolist()
            raise ValueError(
                f"{name} holds labels {wrong} that are not among the classes "
                f"{self.classes.tolist()}."
            )
        return codes.astype(np.int64)

    def fitted_attributes(self):
        """Return what a fitted estimator says of its labels, by name."""
        return {"classes_": self.classes}

    def decode(self, outputs):
        """Return the label of each row of ``outputs``, shape (n, n_outputs)."""
        return self.classes[np.argmax(outputs, axis=1)]


def read_class_targets(y, y_tgt, X_tgt, classes=None):
    """Check and encode the labels of both domains.

    Parameters
    ----------
    y : ndarray of shape (n_source,)
        Source labels.
    y_tgt : array-like of shape (n_target,) or None
        Target labels, those that are not known marked.
    X_tgt : ndarray, CSR or None
        Target rows.
    classes : ClassTargets or None, default=None
        All labels that may occur, now or later; None takes those of y and y_tgt.

    Returns
    -------
    targets : ClassTargets
    codes : ndarray of shape (n_source,), int64
    codes_tgt : ndarray of shape (n_target,), int64, or None
        ``UNLABELLED`` where the label is not known.
    """
    _check_class_labels(y)
    y_tgt, is_known = _check_target_labels(y_tgt, X_tgt, y)
    known = None if y_tgt is None else _as_labels_of(y, y_tgt[is_known])
    labels = y if known is None else np.concatenate([y, known])
    targets = ClassTargets(check_classes(classes and classes.classes, labels))
    codes_tgt = None
    if y_tgt is not None:
        codes_tgt = np.full(len(y_tgt), UNLABELLED)
        codes_tgt[is_known] = targets.encode(known, "y_tgt")
    return targets, targets.encode(y), codes_tgt


def _find(classes, labels):
    """Return positions of labels among sorted classes, and whether they are there."""
    places = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return places, classes[places] == labels


def _as_labels_of(y, known):
    """Return labels that came among objects, None for no label, as numbers if y is."""
    if known.dtype != object or y.dtype.kind not in "biuf":
        return known
    numbers = np.array(known.tolist())
    return numbers if numbers.dtype.kind in "biuf" else known


def encode_known_labels(y_tgt, X_tgt, classes):
    """Return the positions of target labels among the classes.

    Parameters
    ----------
    y_tgt : array-like of shape (n_target,)
        Target labels, those that are not known marked.
    X_tgt : array-like
        Target rows.
    classes : ndarray of shape (n_classes,)
        What was learned, sorted.

    Returns
    -------
    codes : ndarray of int of shape (n_target,)
        ``UNLABELLED`` where the label is not known, n_classes where it is another.
    """
    y_tgt, is_known = _check_target_labels(y_tgt, X_tgt, classes)
    codes = np.full(len(y_tgt), UNLABELLED)
    known = _as_labels_of(classes, y_tgt[is_known])
    places, is_found = _find(classes, known)
    codes[is_known] = np.where(is_found, places, len(classes))
    return codes


def _check_class_labels(y):
    """Raise ValueError if y is not a column of labels of one type."""
    try:
        check_classification_targets(y)
    except TypeError as error:  # they can't be sorted
        kinds = sorted({type(label).__name__ for label in y})
        raise ValueError(
            f"y mixes labels of the types {kinds}; use one, and drop the rows without "
            "a label."
        ) from error


def _check_target_labels(y_tgt, X_tgt, y):
    """Return the target labels as they came and a mask of those that are known."""
    if y_tgt is None:
        return None, None
    y_tgt = column_or_1d(y_tgt, dtype=None)
    n_target = _num_samples(X_tgt)
    if len(y_tgt) != n_target:
        raise ValueError(
            f"y_tgt has {len(y_tgt)} entries, but X_tgt has {n_target} rows. "
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


def check_classes(classes, labels):
    """Return the distinct labels, sorted; ``classes``, if given, are all allowed."""
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
