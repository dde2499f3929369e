"""How much each row counts: ``sample_weight`` and ``class_weight`` as means of 1."""

import numpy as np
from sklearn.utils import compute_class_weight

from .._containers._weights import read_weight
from .._numbers import as_float


def check_row_weight(sample_weight, X):
    """Return weights of mean 1 over the rows in use, which those are, and the mean.

    Parameters
    ----------
    sample_weight : array-like of shape (n_source,) or None
        As in :meth:`skdann.DANNClassifier.fit`.
    X : ndarray or CSR
        Source rows.

    Returns
    -------
    weight : ndarray of shape (n_source,) or None
    rows : ndarray of int
    mean : float
        Of the given weights of these rows.
    """
    if sample_weight is None:
        return None, np.arange(X.shape[0]), 1.0
    weight = read_weight(sample_weight, X, "sample_weight")
    rows = np.flatnonzero(weight)
    largest = weight.max()
    weight = weight / largest  # a sum of the largest would overflow
    mean = weight[rows].mean()
    return weight / mean, rows, float(min(mean * largest, np.finfo(float).max))


def check_row_weight_tgt(sample_weight_tgt, X_tgt):
    """Return weights of target rows, 1 on average where positive, and where they are.

    Parameters
    ----------
    sample_weight_tgt : array-like of shape (n_target,) or None
        As in :meth:`skdann.DANNClassifier.fit`.
    X_tgt : ndarray or CSR
        Target rows.

    Returns
    -------
    weight : ndarray of shape (n_target,) or None
    rows : slice or ndarray of int, or None
        Those of positive weight; None if there are no weights.
    """
    if sample_weight_tgt is None:
        return None, None
    weight = read_weight(sample_weight_tgt, X_tgt, "sample_weight_tgt")
    rows = np.flatnonzero(weight)
    if len(rows) == 0:
        raise ValueError("sample_weight_tgt leaves no row of the target: all are 0.")
    weight = weight / weight.max()  # a sum of the largest would overflow
    if len(rows) == len(weight):
        rows = slice(None)  # not a copy
    return weight / weight[rows].mean(), rows


def label_weights(
    class_weight, targets, codes, row_weight, codes_tgt, row_weight_tgt=None
):
    """Return ``label_weight`` of the source and of the target, 1 on average.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in :class:`skdann.DANNClassifier`.
    targets : ClassTargets or RealTargets
        What y is; numbers have no ``class_weight``.
    codes, codes_tgt : ndarray, or None
        Encoded labels, of source and target.
    row_weight, row_weight_tgt : ndarray or None
        From :func:`check_row_weight` and :func:`check_row_weight_tgt`.

    Returns
    -------
    label_weight, label_weight_tgt : ndarray or None
    """
    if class_weight is None:
        if codes_tgt is None or (row_weight is None and row_weight_tgt is None):
            return row_weight, None
        return _or_ones(row_weight, codes), _or_ones(row_weight_tgt, codes_tgt)
    cost = _class_costs(class_weight, targets.classes, codes, row_weight)
    weight = cost[codes] if row_weight is None else row_weight * cost[codes]
    if not (weight > 0).any() or not np.isfinite(weight).all():
        raise ValueError(
            f"class_weight={class_weight!r} gives only zero weights, or a weight that "
            "overflows. Give costs, and weights, nearer to 1."
        )
    mean = weight[weight > 0].mean()
    weight_tgt = None
    if codes_tgt is not None:
        weight_tgt = _or_ones(row_weight_tgt, codes_tgt) * cost[codes_tgt] / mean
    return weight / mean, weight_tgt


def _or_ones(weight, codes):
    return np.ones(len(codes)) if weight is None else weight


def _class_costs(class_weight, classes, codes, row_weight):
    """Return the cost of each class, the largest 1."""
    if isinstance(class_weight, str):
        cost = _balanced_costs(classes, codes, row_weight)
    else:
        _check_class_weight(class_weight, classes)
        labels = classes.tolist()
        cost = np.array([as_float(class_weight.get(label, 1.0)) for label in labels])
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
    known = set(classes.tolist())
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ValueError(
            f"class_weight names {unknown}, but the classes are {classes.tolist()}."
        )
    wrong = {label: cost for label, cost in class_weight.items() if not _is_cost(cost)}
    if wrong:
        raise ValueError(
            f"class_weight holds {wrong}; the cost of a class must be a finite number, "
            "at least 0."
        )


def _is_cost(value):
    cost = as_float(value)
    return cost is not None and 0 <= cost < np.inf


def source_proportions(domains, weight):
    """Return the class proportions of the source rows in use, by their weight."""
    rows = domains.rows
    of_rows = None if weight is None else weight[rows]
    n_classes = domains.targets.n_outputs
    counts = np.bincount(domains.y[rows], of_rows, minlength=n_classes)
    return counts / counts.sum()


def domain_weight(domains):
    """Return how much each source row counts where domains are compared, 1 on average.

    Reweighted to the proportions of the target: aligned as they are, domains of other
    proportions match rows of different classes.

    Returns
    -------
    ndarray of shape (n_source,) or None
    """
    if domains.target_prior is None:
        return domains.row_weight
    of_one_group = np.zeros(len(domains.y), dtype=np.int64)
    return _mean_one(_weight_by_prior(domains, of_one_group), domains.rows)


def domain_loss_weights(domains):
    """Return how much rows count in the domain loss: of source and target, or None.

    If groups are told apart, those of a domain count the same, and each group of the
    source is reweighted to the proportions of the target.

    Returns
    -------
    weight : ndarray of shape (n_source,) or None
    weight_tgt : ndarray of shape (n_target,) or None
    """
    if domains.groups is None:
        return domain_weight(domains), domains.row_weight_tgt
    weight, rows = domains.row_weight, domains.rows
    if domains.target_prior is not None:
        weight = _mean_one(_weight_by_prior(domains, domains.groups), rows)
    weight = _balanced(weight, domains.groups, rows)
    if domains.groups_tgt is None:
        return weight, None
    return weight, _balanced(domains.row_weight_tgt, domains.groups_tgt, slice(None))


def _weight_by_prior(domains, groups):
    """Return weights by which each group has the class proportions of the target."""
    rows, n_classes = domains.rows, domains.targets.n_outputs
    of_rows = None if domains.row_weight is None else domains.row_weight[rows]
    n_groups = groups.max() + 1
    cells = groups[rows] * n_classes + domains.y[rows]
    counts = np.bincount(cells, of_rows, minlength=n_groups * n_classes)
    counts = counts.reshape(n_groups, n_classes)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    proportions = counts / totals
    ratio = np.ones(proportions.shape)
    np.divide(domains.target_prior, proportions, out=ratio, where=proportions > 0)
    weight = ratio[groups, domains.y]
    return weight if domains.row_weight is None else weight * domains.row_weight


def _mean_one(weight, rows):
    mean = weight[rows].mean()
    if mean == 0:
        raise ValueError(
            "target_prior is 0 for every class of the source: nothing could be "
            "adapted. Give the proportions in the order of the sorted labels, or a "
            "dict from label to proportion."
        )
    return weight / mean


def _balanced(weight, groups, rows):
    """Return weights, 1 on average over the rows, by which all groups count the same.

    A group whose rows all have weight 0 is left out.
    """
    n_groups = groups.max() + 1
    of_rows = np.ones(len(groups[rows])) if weight is None else weight[rows]
    totals = np.bincount(groups[rows], of_rows, minlength=n_groups)
    if np.count_nonzero(totals) < 2:
        return weight
    share = np.ones(len(groups)) if weight is None else weight.copy()
    total = totals[groups]
    np.divide(share, total, out=share, where=total > 0)
    return share / share[rows].mean()
