"""Numbers as targets: learned in deviations from their mean, answered as they are."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from sklearn.utils.validation import _num_samples

from .._containers._responses import (
    LARGEST,
    mean_and_scale,
    read_known_responses,
    read_responses,
)
from .._warn import warn
from ..exceptions import AdaptationWarning


@dataclass(frozen=True)
class RealTargets:
    """Numbers, one or several of each row.

    Attributes
    ----------
    loss : str
        Key of ``skdann.nn._losses.RESPONSE_LOSSES``.
    is_column : bool
        Whether y has one axis, and predictions likewise.
    mean, scale : ndarray of shape (n_outputs,)
        What is subtracted from y, and what it is divided by, before it is learned.
    """

    loss: str
    is_column: bool
    mean: np.ndarray
    scale: np.ndarray

    has_numbers: ClassVar[bool] = True

    @property
    def n_outputs(self):
        """Number of values that a network answers for a row."""
        return len(self.mean)

    def encode(self, values):
        """Return what is learned, of shape (n, n_outputs)."""
        return (values.reshape(len(values), -1) - self.mean) / self.scale

    def pseudo_labels(self, predictions, dtype):
        """Return what is learned, of predictions as if they were true."""
        return self.encode(predictions).astype(dtype)

    def true_values(self, encoded):
        """Return numbers as users know them, of what :meth:`encode` returned."""
        return self.decode(encoded * self.scale + self.mean)

    def decode(self, predictions):
        """Return what is answered, of predictions of shape (n, n_outputs)."""
        return predictions[:, 0] if self.is_column else predictions

    def score(self, predicted, encoded):
        """Return R2 of predictions, by the variance of y in the source."""
        return float(1 - np.mean((self.encode(predicted) - encoded) ** 2))

    def is_known(self, encoded):
        """Return which rows have a label."""
        return ~np.isnan(encoded[:, 0])

    def strata(self, encoded):
        """Return by what to divide rows alike: nothing."""
        return None

    def check_rows(self, encoded):
        """Do nothing: any row can be learned from."""

    def fitted_attributes(self):
        """Return what a fitted estimator says of y, by name."""
        return {"n_outputs_": self.n_outputs, "_is_column": self.is_column}

    def description(self):
        """Return what a file says of y."""
        return {"is_column": self.is_column}

    def identity(self):
        """Return what tells these from others, as text."""
        return f"{self.loss} {self.mean.tolist()} {self.scale.tolist()}"


def saved_targets(loss, is_column, weights):
    """Return what y is, as the weights of a saved network tell.

    Parameters
    ----------
    loss, is_column
        As of :class:`RealTargets`.
    weights : dict of str to ndarray
        Of the network.
    """
    mean, scale = (weights.get(f"response_scale.{name}") for name in ("mean", "scale"))
    are_arrays = all(isinstance(v, np.ndarray) and v.ndim == 1 for v in (mean, scale))
    if not are_arrays or len(mean) != len(scale) or not len(mean):
        raise ValueError("its response_scale is not that of any numbers")
    if is_column and len(mean) != 1:
        raise ValueError("its response_scale is not that of one column")
    bounded = (np.abs(mean) <= LARGEST) & (scale <= LARGEST) & (scale >= 1 / LARGEST)
    if not bounded.all():  # NaN is not
        raise ValueError("its response_scale is out of bounds")
    return RealTargets(loss, is_column, mean, scale)


def read_real_targets(y, y_tgt=None, X_tgt=None, *, loss, known=None):
    """Check the numbers of both domains.

    Parameters
    ----------
    y : array-like of shape (n_source,) or (n_source, n_outputs)
        Of the source.
    y_tgt : array-like of shape (n_target,) or (n_target, n_outputs), or None
        Of the target, missing where not known.
    X_tgt : array-like or None, default=None
        Target rows.
    loss : str
        What is minimized.
    known : RealTargets or None, default=None
        What y is, if an earlier call has decided it. None leaves y in its units, see
        :func:`standardize_response`.

    Returns
    -------
    targets : RealTargets
    values : ndarray of shape (n_source, n_outputs)
    values_tgt : ndarray of shape (n_target, n_outputs), or None
        NaN where not known.
    """
    values = read_known_responses(y, "y")
    if len(values) == 0:
        raise ValueError("y is empty: there are 0 numbers to learn from.")
    n_outputs = 1 if values.ndim == 1 else values.shape[1]
    targets = known or RealTargets(
        loss, values.ndim == 1, np.zeros(n_outputs), np.ones(n_outputs)
    )
    _check_outputs(n_outputs, targets, "y")
    values_tgt = None
    if y_tgt is not None:
        values_tgt = read_target_numbers(y_tgt, X_tgt, targets)
        if known is None:
            _warn_of_marks(values.reshape(-1, n_outputs), values_tgt)
    return targets, targets.encode(values), values_tgt


def read_target_numbers(y_tgt, X_tgt, targets):
    """Return the known numbers of the target, encoded; NaN elsewhere.

    Parameters
    ----------
    y_tgt : array-like of shape (n_target,) or (n_target, n_outputs)
        Missing where not known.
    X_tgt : array-like
        Target rows.
    targets : RealTargets
        What y is.

    Returns
    -------
    ndarray of shape (n_target, n_outputs)
    """
    values = read_responses(y_tgt, "y_tgt")
    n_target = _num_samples(X_tgt)
    if len(values) != n_target:
        raise ValueError(
            f"y_tgt has {len(values)} entries, but X_tgt has {n_target} rows. Mark the "
            "rows without a number by None or NaN."
        )
    _check_outputs(1 if values.ndim == 1 else values.shape[1], targets, "y_tgt")
    encoded = targets.encode(values)
    n_missing = np.isnan(encoded).sum(axis=1)
    in_part = (n_missing > 0) & (n_missing < targets.n_outputs)
    if in_part.any():
        raise ValueError(
            f"y_tgt knows some of the {targets.n_outputs} outputs but not all in "
            f"{in_part.sum()} rows, the first of them row {np.argmax(in_part)}. Give "
            "all of a row or none."
        )
    return encoded


def _warn_of_marks(y, y_tgt):
    """Warn of a number such as -999 that seems to mark target rows without one."""
    low, high = y.min(axis=0), y.max(axis=0)
    for known, lowest, highest in zip(y_tgt.T, low, high, strict=True):
        values, counts = np.unique(known[~np.isnan(known)], return_counts=True)
        outside = np.maximum(lowest - values, values - highest)
        seem_marks = (counts > counts.sum() / 10) & (counts > 1)
        seem_marks &= outside > (highest - lowest) / 2
        if lowest < highest and seem_marks.any():
            value, count = values[seem_marks][0], counts[seem_marks][0]
            warn(
                f"y_tgt holds {value:g} in {count} of {len(known)} rows, far from all "
                f"of y, which lies between {lowest:g} and {highest:g}. If it marks "
                "rows without a number, give NaN there.",
                AdaptationWarning,
            )


def standardize_response(domains, loss):
    """Return the domains with y in deviations from its mean in the source.

    Parameters
    ----------
    domains : Domains
        Checked data, y in its units.
    loss : str
        What is minimized.
    """
    weight = domains.row_weight
    weight = None if weight is None else weight[domains.rows]
    mean, scale = mean_and_scale(domains.y[domains.rows], weight)
    if (scale < 1 / LARGEST).any():
        raise ValueError(f"y varies by less than {1 / LARGEST:g}. Scale it.")
    targets = replace(domains.targets, loss=loss, mean=mean, scale=scale)
    of_each = {"y": domains.y, "y_tgt": domains.y_tgt}
    encoded = {k: None if v is None else targets.encode(v) for k, v in of_each.items()}
    return in_dtype(replace(domains, targets=targets, **encoded))


def in_dtype(domains):
    """Return the domains with y in the dtype that the network computes in."""
    y_tgt = domains.y_tgt
    return replace(
        domains,
        y=domains.y.astype(domains.dtype),
        y_tgt=None if y_tgt is None else y_tgt.astype(domains.dtype),
    )


def _check_outputs(n_outputs, targets, name):
    if n_outputs != targets.n_outputs:
        raise ValueError(
            f"{name} has {n_outputs} numbers for each row, not {targets.n_outputs}."
        )
