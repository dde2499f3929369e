"""Bring two domains on one scale, before a model that is not a network."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.preprocessing import QuantileTransformer

from ._column_scales import column_scales
from ._weights import domain_weight

SCALINGS = ("source", "domain", "pooled", "quantile")

# Quantiles to a normal distribution: so many, and no value further out.
N_QUANTILES = 200
FURTHEST = 3.0


def fit_scaler(domains, how):
    """Return what scales rows of either domain.

    Parameters
    ----------
    domains : Domains
        Checked data.
    how : {"source", "domain", "pooled", "quantile"} or None
        As in :class:`skdann.BaselineClassifier`.

    Returns
    -------
    object
        With ``transform(X, domain)``.
    """
    if how is None or sparse.issparse(domains.X):  # centred, they would be dense
        return _AsItIs()
    if domains.X.ndim != 2:
        raise ValueError(
            f"standardize={how!r} is for tables, but X has rows of shape "
            f"{domains.X.shape[1:]}. Set standardize=None."
        )
    if how == "quantile":
        return _Quantiles.fit(domains)
    return _Moments(*(v.astype(domains.dtype) for v in column_scales(domains, how)))


class _AsItIs:
    def transform(self, X, domain):
        return X


@dataclass
class _Moments:
    """Means and scales of shape (2, n_columns), of the source and of the target."""

    mean: np.ndarray
    scale: np.ndarray

    def transform(self, X, domain):
        code = int(domain == "target")
        return (X - self.mean[code]) / self.scale[code]


@dataclass
class _Quantiles:
    """Of each domain, its own quantiles to those of a normal distribution.

    The source's as if its classes had the proportions of the target, if these are
    known, as with means and deviations. A column that holds one value in a domain has
    no quantiles there: if in the target, they are the source's; if in the source, which
    tells nothing of it, it is 0.
    """

    transformers: dict
    constant: dict

    @classmethod
    def fit(cls, domains):
        rows = _rows_by_weight(domains.rows, domain_weight(domains))
        of_source = _fit_quantiles(domains.X[rows])
        of_target = of_source
        if domains.X_tgt is not None:
            rows = np.arange(domains.n_target)
            rows = _rows_by_weight(rows, domains.row_weight_tgt)
            of_target = _fit_quantiles(domains.X_tgt[rows])
        X_tgt = domains.X if domains.X_tgt is None else domains.X_tgt
        constant = {
            "source": np.ptp(domains.X[domains.rows], axis=0) == 0,
            "target": np.ptp(X_tgt, axis=0) == 0,
        }
        return cls({"source": of_source, "target": of_target}, constant)

    def transform(self, X, domain):
        normal = self.transformers[domain].transform(X)
        if domain == "target" and self.constant["target"].any():
            as_source = self.transformers["source"].transform(X)
            normal = np.where(self.constant["target"], as_source, normal)
        normal = np.where(self.constant["source"], 0, normal)
        return normal.clip(-FURTHEST, FURTHEST)


def _rows_by_weight(rows, weight):
    """Return the rows, each as often as its weight has it, rounded."""
    if weight is None:
        return rows
    upto = np.cumsum(weight[rows])
    evenly_spaced = (np.arange(len(rows)) + 0.5) * upto[-1] / len(rows)
    return rows[np.searchsorted(upto, evenly_spaced)]


def _fit_quantiles(X):
    transformer = QuantileTransformer(
        n_quantiles=min(N_QUANTILES, len(X)),
        output_distribution="normal",
        random_state=0,
    )
    transformer.set_output(transform="default")  # whatever users configured
    return transformer.fit(X)


# By the names that files have for them.
SCALERS = {"as it is": _AsItIs, "moments": _Moments, "quantiles": _Quantiles}
