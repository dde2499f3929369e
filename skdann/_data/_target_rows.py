"""The target as users pass it, before any transformer: rows of weight 0 left out."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from .._containers._tables import as_indexable, without_batch
from ._weights import check_row_weight_tgt


@dataclass(frozen=True)
class TargetRows:
    """Rows of a target that count, in the container they came in.

    Attributes
    ----------
    X : array-like
        Its rows.
    y : array-like or None
        Their labels, those that are not known marked.
    weight : ndarray or None
        How often each row counts.
    positions : ndarray of int
        Where the rows were.
    n_given : int
        How many rows there were.
    """

    X: object
    y: object
    weight: np.ndarray | None
    positions: np.ndarray
    n_given: int

    @classmethod
    def of(cls, X_tgt, y_tgt, sample_weight_tgt):
        """Leave out the rows of weight 0."""
        X_tgt = as_indexable(X_tgt, "X_tgt")
        n = _num_samples(X_tgt)
        weight, kept = check_row_weight_tgt(sample_weight_tgt, X_tgt)
        if not isinstance(kept, np.ndarray):  # all
            return cls(X_tgt, y_tgt, weight, np.arange(n), n)
        if y_tgt is not None:
            y_tgt = _safe_indexing(without_batch(y_tgt), kept)
        return cls(_safe_indexing(X_tgt, kept), y_tgt, weight[kept], kept, n)

    def take(self, values, name):
        """Return what else the user says of each row, of those that count.

        Parameters
        ----------
        values : array-like of shape (n_given,) or None
            As passed.
        name : str
            What messages call them.
        """
        if values is None or len(self.positions) == self.n_given:
            return values
        if _num_samples(values) != self.n_given:
            raise ValueError(
                f"{name} has {_num_samples(values)} entries, but X_tgt has "
                f"{self.n_given} rows."
            )
        return _safe_indexing(without_batch(values), self.positions)
