"""Means and deviations of columns, by which a network standardizes its rows."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from sklearn.utils.sparsefuncs import mean_variance_axis

from .._containers._tables import first_few
from .._numbers import ROUNDING
from ._rows import take_rows
from ._weights import domain_weight

_BLOCK = 8192


def column_scales(domains, how):
    """Return what to subtract from each column, and what to divide it by.

    Parameters
    ----------
    domains : Domains
        Rows of two dimensions. They count by their weights.
    how : {"source", "domain", "pooled"}
        Both by the statistics of the source; each domain by its own; or both by those
        of both, each domain counting one half. Each by its own: the source's as if its
        classes had the proportions of the target, if these are known, since what they
        explain is no matter of scale; and columns of at most two values always as the
        source's.

    Returns
    -------
    mean, scale : ndarray of shape (2, n_columns)
        Of the source and of the target.
    """
    weight = domain_weight(domains) if how == "domain" else domains.row_weight
    mean, deviation = column_moments(domains.X, weight)
    _check_deviation("X", deviation)
    if domains.X_tgt is None:
        scale = _first_usable(mean, deviation)
        return np.stack([mean, mean]), np.stack([scale, scale])
    mean_tgt, deviation_tgt = column_moments(domains.X_tgt, domains.row_weight_tgt)
    _check_deviation("X_tgt", deviation_tgt)
    both = _deviation_of_both(mean, deviation, mean_tgt, deviation_tgt)
    scale = _first_usable(mean, deviation, both)
    if how == "pooled":
        mean, scale = (mean + mean_tgt) / 2, _first_usable(mean, both)
    if how != "domain":
        return np.stack([mean, mean]), np.stack([scale, scale])
    scale_tgt = _first_usable(mean_tgt, deviation_tgt, scale)
    of_source = _has_two_values(domains)
    mean_tgt = np.where(of_source, mean, mean_tgt)
    scale_tgt = np.where(of_source, scale, scale_tgt)
    return np.stack([mean, mean_tgt]), np.stack([scale, scale_tgt])


def column_moments(X, weight=None):
    """Return mean and standard deviation of each column, without a copy of X.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_columns)
        Rows.
    weight : ndarray of shape (n,) or None, default=None
        How often each counts.
    """
    if sparse.issparse(X):
        return _sparse_moments(X if X.dtype.kind == "f" else X.astype(float), weight)
    scaler = StandardScaler()
    for rows in gen_batches(X.shape[0], _BLOCK):
        of_rows = None if weight is None else weight[rows]
        if of_rows is None or of_rows.any():
            with np.errstate(all="ignore"):  # squares of huge values overflow
                scaler.partial_fit(X[rows], sample_weight=of_rows)
    # of a constant column, weighted, rounding may leave less than 0
    return scaler.mean_, np.sqrt(np.maximum(scaler.var_, 0))


def _sparse_moments(X, weight):
    of_rows = None if weight is None else weight.astype(X.dtype)
    with np.errstate(all="ignore"):  # as above
        mean, variance = mean_variance_axis(X, axis=0, weights=of_rows)
        fits = (variance > np.finfo(np.float32).tiny) & (variance < np.inf)
        if X.dtype != np.float64 and not fits.all():
            return _sparse_moments(X.astype(np.float64), weight)
        return mean, np.sqrt(np.maximum(variance, 0))


def _check_deviation(name, deviation):
    """Raise ValueError if columns vary so much that no float can tell how much."""
    columns = np.flatnonzero(~np.isfinite(deviation))
    if len(columns):
        listed = first_few([str(column) for column in columns])
        raise ValueError(
            f"{name} holds numbers so large that columns have no deviation: columns "
            f"{listed}, counted from 0. Replace what marks missing values, or take "
            "logarithms."
        )


def _deviation_of_both(mean, deviation, mean_tgt, deviation_tgt):
    """Return the standard deviation over both domains, each counting one half."""
    with np.errstate(all="ignore"):  # as above
        within = (deviation**2 + deviation_tgt**2) / 2
        return np.sqrt(within + ((mean - mean_tgt) / 2) ** 2)


def _first_usable(mean, *scales):
    """Return the first scale that a column varies by, or 1 if it is constant."""
    result = np.ones(len(mean))
    for scale in reversed(scales):
        varies = (scale > ROUNDING * np.abs(mean)) & np.isfinite(scale)
        result = np.where(varies, scale, result)
    return result


def _has_two_values(domains):
    """Return of each column whether both domains together have at most two values."""
    low = np.full(domains.X.shape[1], np.inf)
    high = -low
    for block in _blocks(domains):
        low, high = np.minimum(low, block.min(0)), np.maximum(high, block.max(0))
    has_two = np.ones(len(low), dtype=bool)
    for block in _blocks(domains):
        has_two &= ((block == low) | (block == high)).all(0)
    return has_two


def _blocks(domains):
    """Yield the rows in use, of both domains, a dense block after the other."""
    rows = domains.rows
    for block in gen_batches(len(rows), _BLOCK):
        yield take_rows(domains.X, rows[block])
    for block in gen_batches(domains.n_target, _BLOCK):
        yield take_rows(domains.X_tgt, block)
