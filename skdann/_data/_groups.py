"""Groups: which site, sensor or month the rows of each domain come from."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._containers._labels import UNLABELLED, find_labels, read_labels
from .._containers._tables import first_few

ARGUMENTS = ("groups", "groups_tgt")


@dataclass(frozen=True, eq=False)
class GroupNames:
    """The groups of both domains, in the order in which a domain classifier has them.

    A name that occurs in both domains is two groups.

    Attributes
    ----------
    source, target : ndarray of shape (n_groups,) or None
        Distinct names; None is a domain whose rows are one group, without a name.
    """

    source: np.ndarray | None
    target: np.ndarray | None

    @property
    def is_target(self):
        """Of each group 1 if it is of the target, else 0."""
        sizes = [1 if names is None else len(names) for names in self._sides]
        return np.repeat([0.0, 1.0], sizes)

    @property
    def _sides(self):
        return self.source, self.target

    def as_pairs(self):
        """Return an array of shape (n_groups, 2): of each group its domain and name."""
        pairs = [
            (domain, name)
            for domain, names in vars(self).items()
            for name in ([None] if names is None else _as_list(names))
        ]
        table = np.empty((len(pairs), 2), dtype=object)
        for i, pair in enumerate(pairs):
            table[i] = pair
        return table

    def identity(self):
        """Return what tells these from others, as text."""
        return repr([None if n is None else _as_list(n) for n in self._sides])


def _as_list(names):
    """Return names as Python's objects; dates as they are, which numpy would count."""
    return list(names) if names.dtype.kind in "mM" else names.tolist()


def as_plain(names: GroupNames | None) -> dict[str, Any] | None:
    """Return the groups as fitted estimators and files hold them: arrays by domain."""
    return None if names is None else dict(vars(names))


def if_used(of_rows, estimators):
    """Return arguments of ``fit``, less the groups if no estimator looks at them.

    Parameters
    ----------
    of_rows : dict
        Arguments by name.
    estimators : sequence of estimator
        Those that are to be fitted.
    """
    values = [getattr(estimator, "domain_classes", None) for estimator in estimators]
    # not yet checked: an array equals nothing, or its every item
    if any(isinstance(value, str) and value == "groups" for value in values):
        return of_rows
    return {name: value for name, value in of_rows.items() if name not in ARGUMENTS}


def read_groups(groups, groups_tgt, rows, rows_tgt, sizes, known=None):
    """Check and encode the groups of both domains.

    Parameters
    ----------
    groups, groups_tgt : array-like or None
        As in :meth:`skdann.DANNClassifier.fit`.
    rows, rows_tgt : ndarray of int, or slice
        Rows in use; what only others are of is no group.
    sizes : (int, int)
        Numbers of rows of source and target, as the user passed them.
    known : GroupNames or None, default=None
        The groups, if an earlier call has declared them.

    Returns
    -------
    dict
        Fields of ``Domains``; empty if there are no groups.
    """
    if groups is None and groups_tgt is None and known is None:
        return {}
    labels = _read_labels("groups", groups, sizes[0])
    labels_tgt = _read_labels("groups_tgt", groups_tgt, sizes[1])
    names = known or GroupNames(
        _distinct("groups", labels, rows), _distinct("groups_tgt", labels_tgt, rows_tgt)
    )
    codes = _encode("groups", labels, names.source, rows, sizes[0])
    codes_tgt = None
    if sizes[1]:
        of_all = _encode("groups_tgt", labels_tgt, names.target, rows_tgt, sizes[1])
        n_before = 1 if names.source is None else len(names.source)
        codes_tgt = of_all[rows_tgt] + n_before
    return {"groups": codes, "groups_tgt": codes_tgt, "group_names": names}


def encode_groups(groups, n_rows):
    """Return the position of each row's group among all of them, checked.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        As in :meth:`skdann.DANNClassifier.fit`.
    n_rows : int
        How many rows there are.
    """
    labels = _read_labels("groups", groups, n_rows)
    return find_labels(labels, _distinct("groups", labels, slice(None)))


def with_domain_classes(domains, domain_classes):
    """Return the domains with groups if these are told apart, and without if not.

    Parameters
    ----------
    domains : Domains
        Checked data.
    domain_classes : {"binary", "groups"}
        As in :class:`skdann.DANNClassifier`.
    """
    if domain_classes == "groups" and domains.groups is None:
        raise ValueError(
            "domain_classes='groups' tells groups of rows apart, but none are given. "
            "Pass fit(X, y, X_tgt, groups=..., groups_tgt=...), one of them or both: "
            "the site, sensor or month of each row; or set domain_classes='binary'."
        )
    if domain_classes == "groups" or domains.groups is None:
        return domains
    return replace(domains, groups=None, groups_tgt=None, group_names=None)


def check_n_groups(name, n_entries, n_rows):
    """Raise ValueError if ``groups`` does not tell the group of each row."""
    if n_entries != n_rows:
        of_rows = name.replace("groups", "X")
        raise ValueError(
            f"{name} has {n_entries} entries, but {of_rows} has {n_rows} rows. It "
            "must say of each row which group it is of."
        )


def _read_labels(name, groups, n_rows):
    """Return the group of each row as an array, or None if there are none."""
    if groups is None:
        return None
    labels, is_known = read_labels(groups, name)
    check_n_groups(name, len(is_known), n_rows)
    if not is_known.all():
        raise ValueError(
            f"{name} holds None or NaN: {np.count_nonzero(~is_known)} of {n_rows} rows "
            f"have no group, the first of them row {np.argmin(is_known)}. Give these a "
            "group of their own, or leave them out."
        )
    return labels


def _distinct(name, labels, rows):
    """Return the names of the groups, sorted if they can be."""
    if labels is None:
        return None
    labels = labels[rows]
    if labels.dtype.kind != "O":
        return np.unique(labels)
    try:
        found = list(dict.fromkeys(labels.tolist()))
    except TypeError as error:
        raise ValueError(
            f"{name} holds a {type(labels[0]).__name__}, which names no group: {error}."
            " Use numbers or text."
        ) from error
    with suppress(TypeError):  # members of an Enum stay in the order of the rows
        found = sorted(found)
    names = np.empty(len(found), dtype=object)
    for i, group in enumerate(found):
        names[i] = group
    return names


def _encode(name, labels, names, rows, n_rows):
    """Return the position of each row's group among those of its domain."""
    if labels is None and names is None:
        return np.zeros(n_rows, dtype=np.int64)
    if labels is None or names is None:
        was, now = ("given", "not") if labels is None else ("not given", "it is")
        raise ValueError(
            f"{name} was {was} in the first call, and now {now}. The network tells the "
            "groups of that call apart: pass the same arguments, or fit anew."
        )
    codes = find_labels(labels, names)
    is_new = codes[rows] == UNLABELLED
    if is_new.any():
        new = dict.fromkeys(map(repr, _as_list(labels[rows][is_new])))
        raise ValueError(
            f"{name} holds groups that the first call did not have: "
            f"{first_few(list(new))}. The network has no output for them: fit anew "
            "with all rows."
        )
    return np.maximum(codes, 0)  # of rows that are not in use: any
