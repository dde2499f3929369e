"""The one reader of user data: X, y, X_tgt, y_tgt and weights become a ``Domains``."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_consistent_length

from .._containers._tables import column_names
from .._warn import warn
from ..exceptions import AdaptationWarning
from ._groups import GroupNames, read_groups
from ._real_targets import RealTargets
from ._rows import check_source_rows, check_target_rows, float_dtype
from ._scale_check import warn_of_target
from ._targets import ClassTargets, read_class_targets
from ._weights import check_row_weight, check_row_weight_tgt, label_weights


@dataclass(frozen=True)
class Domains:
    """A labelled source and an unlabelled target, checked and encoded.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_source, ...)
        Source rows, in the container and dtype they came in.
    y : ndarray of shape (n_source,), or (n_source, n_outputs) of numbers
        Source labels, encoded by ``targets``.
    targets : ClassTargets or RealTargets
        What y is.
    rows : ndarray of int
        Source rows in use: those of positive weight.
    row_weight, label_weight : ndarray of shape (n_source,) or None
        How often a row counts (``sample_weight``), and the same times the cost of its
        class (``class_weight``). Each is 1 on average; None weighs all alike.
    mean_weight : float
        What ``sample_weight`` is on average over the rows in use.
    X_tgt : ndarray or CSR of shape (n_target, ...), or None
        Target rows, those of positive weight.
    row_weight_tgt : ndarray of shape (n_target,) or None
        How often a target row counts (``sample_weight_tgt``), 1 on average.
    y_tgt : ndarray of shape (n_target, ...), or None
        The known target labels, encoded; ``targets.is_known`` tells which.
    label_weight_tgt : ndarray of shape (n_target,) or None
        ``label_weight`` of the target rows.
    held_out : ndarray of int or None
        Source rows that are kept from training, to look at with early stopping.
    target_prior : ndarray of shape (n_classes,) or None
        Proportions of the classes in the target, known or estimated.
    scales : {"source", "domain", "pooled"} or None
        By whose statistics columns are standardized.
    groups, groups_tgt : ndarray of int, or None
        Position of each row's group in ``group_names``, of the source, shape
        (n_source,), and of the target, (n_target,). None if groups are not told apart.
    group_names : GroupNames or None
        The groups of both domains.
    """

    X: object
    y: np.ndarray
    targets: ClassTargets | RealTargets
    rows: np.ndarray
    row_weight: np.ndarray | None = None
    label_weight: np.ndarray | None = None
    mean_weight: float = 1.0
    X_tgt: object = None
    row_weight_tgt: np.ndarray | None = None
    y_tgt: np.ndarray | None = None
    label_weight_tgt: np.ndarray | None = None
    held_out: np.ndarray | None = None
    target_prior: np.ndarray | None = None
    scales: str | None = None
    groups: np.ndarray | None = None
    groups_tgt: np.ndarray | None = None
    group_names: GroupNames | None = None

    def without(self, held_out, rows):
        """Return the same data, some of whose rows in use are held out."""
        return replace(self, held_out=held_out, rows=np.sort(rows))

    def without_target_labels(self):
        """Return the same data as if no label of the target were known."""
        if self.y_tgt is None:
            return self
        return replace(
            self, label_weight=self.row_weight, y_tgt=None, label_weight_tgt=None
        )

    @property
    def dtype(self):
        """Float32 if X fits in it without loss, else float64."""
        return float_dtype(self.X)

    @property
    def n_target(self):
        """Number of target rows; 0 without a target."""
        return 0 if self.X_tgt is None else self.X_tgt.shape[0]

    @property
    def labelled_rows_tgt(self):
        """Positions of the target rows whose label is known."""
        if self.y_tgt is None:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(self.targets.is_known(self.y_tgt))


def read_domains(
    estimator,
    X,
    y,
    X_tgt=None,
    *,
    sample_weight=None,
    sample_weight_tgt=None,
    y_tgt=None,
    groups=None,
    groups_tgt=None,
    classes=None,
    targets=None,
    group_names=None,
    reset=True,
    read_targets=read_class_targets,
):
    """Check and encode everything that a user passes to ``fit``.

    Parameters
    ----------
    estimator : DANNClassifier
        Receives ``n_features_in_`` and ``feature_names_in_``; named in errors.
    X, y, X_tgt, sample_weight, sample_weight_tgt, y_tgt, groups, groups_tgt, classes
        As in :meth:`skdann.DANNClassifier.fit`.
    targets : ClassTargets or None, default=None
        What y is, if it is known; None takes it from y and classes.
    group_names : GroupNames or None, default=None
        The groups, likewise.
    reset : bool, default=True
        Whether this is a first fit. If not, columns must be those of the first.
    read_targets : callable, default=read_class_targets
        Reads y and y_tgt.

    Returns
    -------
    Domains
        All classes cost the same; see :func:`with_class_weight`.
    """
    _check_argument_order(y, X_tgt)
    names, names_tgt = column_names(X, "X"), column_names(X_tgt, "X_tgt")
    X = check_source_rows(estimator, X, y, reset=reset)
    _check_of_target(
        X_tgt, sample_weight_tgt=sample_weight_tgt, y_tgt=y_tgt, groups_tgt=groups_tgt
    )
    if X_tgt is not None:
        X_tgt = check_target_rows(estimator, X_tgt, X, names, names_tgt)
    declared = {} if classes is None else {"classes": classes}
    targets, codes, codes_tgt = read_targets(y, y_tgt, X_tgt, known=targets, **declared)
    check_consistent_length(X, codes)
    row_weight, rows, mean_weight = check_row_weight(sample_weight, X)
    if row_weight is not None:
        targets.check_rows(codes[rows])
    row_weight_tgt, rows_tgt = check_row_weight_tgt(sample_weight_tgt, X_tgt)
    in_use = rows, slice(None) if rows_tgt is None else rows_tgt
    sizes = X.shape[0], 0 if X_tgt is None else X_tgt.shape[0]
    of_groups = read_groups(groups, groups_tgt, *in_use, sizes, group_names)
    if rows_tgt is not None:
        X_tgt, row_weight_tgt = X_tgt[rows_tgt], row_weight_tgt[rows_tgt]
        codes_tgt = None if codes_tgt is None else codes_tgt[rows_tgt]
    if X_tgt is not None:
        standardize = getattr(estimator, "standardize", None)
        warn_of_target(X, X_tgt, names, names_tgt, standardize)
    domains = Domains(
        X=X,
        y=codes,
        targets=targets,
        rows=rows,
        row_weight=row_weight,
        mean_weight=mean_weight,
        X_tgt=X_tgt,
        row_weight_tgt=row_weight_tgt,
        y_tgt=codes_tgt,
        **of_groups,
    )
    return with_class_weight(domains, None)


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
    label_weight, label_weight_tgt = label_weights(
        class_weight,
        domains.targets,
        domains.y,
        domains.row_weight,
        domains.y_tgt,
        domains.row_weight_tgt,
    )
    return replace(
        domains, label_weight=label_weight, label_weight_tgt=label_weight_tgt
    )


def _check_argument_order(y, X_tgt):
    shape, shape_tgt = (getattr(data, "shape", ()) for data in (y, X_tgt))
    if len(shape) >= 2 and shape[1] > 1 and len(shape_tgt) == 1:
        raise ValueError(
            f"y has shape {shape} and X_tgt has shape {shape_tgt}: they look "
            "swapped. The order is fit(X, y, X_tgt)."
        )


def _check_of_target(X_tgt, **given):
    """Raise ValueError for what is said of the rows of a target that is not there."""
    names = [name for name, value in given.items() if value is not None]
    if X_tgt is None and names:
        raise ValueError(
            f"{' and '.join(names)} is of the rows of X_tgt, but X_tgt is None. Pass "
            "both."
        )


def warn_of_no_target(lambda_max):
    """Warn that there is nothing to adapt to."""
    warn(
        "There is no target (X_tgt is None): nothing is adapted, and "
        f"lambda_max={lambda_max:g} has no effect. Pass X_tgt, or set lambda_max=0 to "
        "train on the source alone.",
        AdaptationWarning,
    )
