"""What y is: how labels become what a network learns, and what it answers, labels."""

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples

from .._containers._labels import (
    UNLABELLED,
    find_labels,
    is_mark,
    read_known_labels,
    read_labels,
)
from .._containers._tables import first_few
from .._warn import silent_libraries, warn

_HOW_TO_MARK = (
    "Mark rows without a label by None or NaN, or by -1 where that is no class. If the "
    "target has classes that y lacks, name them all: fit(..., classes=[...])."
)


# In no more rows, classes may well occur once.
FEW = 20


@dataclass(frozen=True)
class ClassTargets:
    """Classes: learned as positions in a sorted list, answered by the largest logit.

    Another kind of y is another class with these members, see ``RealTargets``.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted.
    loss : str
        Key of ``skdann.nn._losses.LABEL_LOSSES``.
    has_numbers : bool
        Whether numbers are learned; no.
    """

    classes: np.ndarray
    loss: ClassVar[str] = "cross_entropy"
    has_numbers: ClassVar[bool] = False

    @property
    def n_outputs(self):
        """Number of values that a network answers for a row."""
        return len(self.classes)

    def encode(self, labels, name="y"):
        """Return the positions of labels, an ndarray of int64."""
        codes = find_labels(labels, self.classes)
        if (codes == UNLABELLED).any():
            unknown = _counts(labels[codes == UNLABELLED])
            raise ValueError(
                f"{name} holds labels that are not among the classes "
                f"{self.classes.tolist()}: {unknown}. {_HOW_TO_MARK}"
            )
        return codes

    def pseudo_labels(self, P, dtype):
        """Return what is learned, of probabilities as if they were certain."""
        return P.argmax(axis=1)

    def true_values(self, codes):
        """Return labels as users know them, of what :meth:`encode` returned."""
        return self.classes[codes]

    def score(self, predicted, codes):
        """Return the accuracy of predicted labels."""
        return float(np.mean(predicted == self.classes[codes]))

    def is_known(self, codes):
        """Return which rows have a label."""
        return codes != UNLABELLED

    def strata(self, codes):
        """Return by what to divide rows alike."""
        return codes

    def check_rows(self, codes):
        """Raise ValueError if nothing can be learned from the rows in use."""
        if len(np.unique(codes)) < 2:
            raise ValueError(
                "sample_weight leaves rows of fewer than two classes; a classifier "
                "needs at least two classes."
            )

    def fitted_attributes(self):
        """Return what a fitted estimator says of its labels, by name."""
        return {"classes_": self.classes}

    def description(self):
        """Return what a file says of y."""
        return {"classes": self.classes}

    def identity(self):
        """Return what tells these from others, as text."""
        return f"{self.loss} {self.classes.tolist()}"

    def decode(self, outputs):
        """Return the label of each row of ``outputs``, shape (n, n_outputs)."""
        return self.classes[np.argmax(outputs, axis=1)]


def read_class_targets(y, y_tgt=None, X_tgt=None, *, known=None, classes=None):
    """Check and encode the labels of both domains.

    Parameters
    ----------
    y : array-like of shape (n_source,)
        Source labels.
    y_tgt : array-like of shape (n_target,) or None, default=None
        Target labels, those that are not known marked.
    X_tgt : array-like or None, default=None
        Target rows.
    known : ClassTargets or None, default=None
        What y is, if an earlier call has decided it.
    classes : array-like or None, default=None
        All labels that may occur, as the user declares them; None takes those of y.

    Returns
    -------
    targets : ClassTargets
    codes : ndarray of shape (n_source,), int64
    codes_tgt : ndarray of shape (n_target,), int64, or None
        ``UNLABELLED`` where the label is not known.
    """
    y = read_source_labels(y)
    if known is not None:
        if classes is not None:
            check_classes(known.classes, _unique(read_classes(classes)))
        classes = known.classes
    found = ClassTargets(check_classes(classes, y))
    targets = found if known is None else known  # of the type of the first call
    codes_tgt = None
    if y_tgt is not None:
        labels, is_known = known_target_labels(y_tgt, X_tgt, targets.classes)
        codes_tgt = where_known(targets.encode(labels, "y_tgt"), is_known)
    return targets, targets.encode(y), codes_tgt


def read_source_labels(y):
    """Return y as an array of labels of one type, or raise ValueError.

    Parameters
    ----------
    y : array-like of shape (n_source,) or (n_source, 1)
        A label for each row.
    """
    if len(getattr(y, "shape", ())) == 2:
        warn(
            "A column-vector y was passed when a 1d array was expected. It is read as "
            "one; y.ravel() is meant.",
            DataConversionWarning,
        )
    y = read_known_labels(y, "y")
    if len(y) == 0:
        raise ValueError("y is empty: there are 0 labels to learn from.")
    _check_are_classes(y, "y")
    if y.dtype.kind in "iuf" and len(y) > FEW and 2 * len(np.unique(y)) > len(y):
        warn(
            f"y holds {len(np.unique(y))} different numbers in {len(y)} rows: are they "
            "classes? To predict numbers use a DANNRegressor."
        )
    return y


def _check_are_classes(labels, name):
    """Raise ValueError for what scikit-learn takes for no classes."""
    if labels.dtype.kind == "f":
        assert_all_finite(labels, input_name=name)
    try:
        # scikit-learn casts large floats
        with np.errstate(invalid="ignore"), silent_libraries():
            check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        raise ValueError(_why_no_classes(labels, name, error)) from error


def encode_known_labels(y_tgt, X_tgt, classes, name="y_tgt"):
    """Return the positions of target labels among the classes, and of others behind.

    Parameters
    ----------
    y_tgt : array-like of shape (n_target,)
        Target labels, those that are not known marked.
    X_tgt : array-like
        Target rows.
    classes : ndarray of shape (n_classes,)
        What was learned, sorted.
    name : str, default="y_tgt"
        What messages call the labels.

    Returns
    -------
    codes : ndarray of int of shape (n_target,)
        ``UNLABELLED`` where the label is not known, n_classes where it is another.
    """
    labels, is_known = known_target_labels(y_tgt, X_tgt, classes, name)
    found = find_labels(labels, classes)
    found = np.where(found == UNLABELLED, len(classes), found)
    return where_known(found, is_known)


def where_known(codes, is_known):
    """Return codes of all rows, ``UNLABELLED`` where the label is not known."""
    of_all = np.full(len(is_known), UNLABELLED, dtype=np.int64)
    of_all[is_known] = codes
    return of_all


def known_target_labels(y_tgt, X_tgt, classes, name="y_tgt"):
    """Return the known labels of the target, and a mask of their rows.

    Parameters are those of :func:`encode_known_labels`.
    """
    labels, is_known = read_labels(y_tgt, name)
    n_target = _num_samples(X_tgt)
    if len(is_known) != n_target:
        of_rows = name.replace("y", "X")
        raise ValueError(
            f"{name} has {len(is_known)} entries, but {of_rows} has {n_target} rows. "
            "Mark the rows without a label: None or NaN, or -1 where that is no class."
        )
    is_marked = is_mark(labels)
    if is_marked.any() and is_mark(classes).any():
        is_plain = labels.dtype.kind in "iuf" and not _is_of_objects(y_tgt)
        # of the source, labels are those of a fit, where -1 marks nothing
        if is_known.all() and is_plain and name != "y_src":
            raise ValueError(
                f"-1 is a class in y, and in {name} it would be that class or mark "
                f"rows without a label. Pass {name} as an array of dtype object, with "
                f"None where there is no label: numpy.array({name}, dtype=object)."
            )
        return labels, is_known
    is_known[is_known] = ~is_marked
    return labels[~is_marked], is_known


def _is_of_objects(labels):
    """Whether a container can hold None among numbers: -1 then is a number."""
    return getattr(labels, "dtype", None) == np.dtype(object)


def check_classes(classes, labels):
    """Return the distinct labels, sorted; ``classes``, if given, are all allowed.

    Parameters
    ----------
    classes : array-like or None
        As declared.
    labels : ndarray of shape (n,)
        Those of y, of whose dtype the result is.
    """
    found = _unique(labels)
    if classes is not None:
        found = _declared_classes(classes, found)
    if len(found) < 2:
        raise ValueError(
            f"All labels are of one class ({found.tolist()[0]!r}); a classifier "
            "needs at least two classes."
        )
    return found


def read_classes(classes):
    """Return declared classes as an array of labels of one type.

    Parameters
    ----------
    classes : array-like or set
        As the user passed them.
    """
    if isinstance(classes, Set):
        classes = list(classes)
    labels, is_known = read_labels(classes, "classes")
    if not is_known.all():
        raise ValueError("classes must name labels; it holds None, NaN or NA.")
    if len(labels) == 0:
        raise ValueError("classes is empty; it must name all labels that may occur.")
    _check_are_classes(labels, "classes")
    return labels


def _declared_classes(classes, found):
    """Return declared classes, of the dtype of labels that were found among them."""
    classes = _unique(read_classes(classes))
    is_declared = find_labels(found, classes) != UNLABELLED
    if not is_declared.all():
        raise ValueError(
            f"Labels {found[~is_declared].tolist()} are not among classes="
            f"{classes.tolist()}."
        )
    if found.dtype.kind in "OU" or classes.dtype == found.dtype:
        return classes
    as_found = classes.astype(found.dtype)
    return as_found if np.array_equal(as_found, classes) else classes


def _unique(labels):
    try:
        return np.unique(labels)
    except TypeError as error:
        raise ValueError(
            f"The labels mix the types {_types(labels)}; use one. In y_tgt mark the "
            "rows without a label with None."
        ) from error


def _types(labels):
    return sorted({type(label).__name__ for label in labels.tolist()})


def _counts(labels):
    """Return how often labels occur, in words; of many the most frequent."""
    counts = Counter(map(repr, labels.tolist())).most_common()
    return first_few([f"{label} ({n} of {len(labels)})" for label, n in counts])


def _why_no_classes(labels, name, error):
    """Return why labels are no classes, and what to do."""
    if labels.dtype.kind == "f":
        return (
            f"{error} {name} holds {len(np.unique(labels))} numbers with fractions, or "
            "too large for integers, as a regression would predict. Divide them into "
            "classes, for example with numpy.digitize."
        )
    return (
        f"{name} holds labels of the types {_types(labels)}: use integers of at most "
        "64 bits, booleans or text, and one type alone, for example text: "
        f"[str(label) for label in {name}]."
    )
