"""How columns are brought on one scale where numbers are predicted."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV

from .._warn import silent_libraries
from ._column_scales import column_scales
from ._shift import bounded, some_rows

_ALPHAS = np.logspace(-3, 3, 13)


def resolve_scales(domains, standardize):
    """Return the domains with how to standardize them.

    "auto" takes the scales on which a ridge regression and a random forest agree better
    on the target: where the scales are wrong, unlike models go wrong in unlike ways.

    Parameters
    ----------
    domains : Domains
        Checked data.
    standardize : {"auto", "source", "domain", "pooled"} or None
        As in :class:`skdann.DANNRegressor`.
    """
    if standardize != "auto":
        return replace(domains, scales=standardize)
    if domains.X.ndim != 2 or sparse.issparse(domains.X):
        return domains
    candidates = [replace(domains, scales=how) for how in ("source", "domain")]
    if domains.X_tgt is None:
        return candidates[0]
    some = some_rows(domains)
    with silent_libraries(), np.errstate(all="ignore"):
        agreements = [_agreement(replace(some, scales=d.scales)) for d in candidates]
    return candidates[np.argmax(agreements)]


def concordance(a, b, weight=None):
    r"""Return Lin's concordance of two predictions, 1 if they are the same.

    .. math:: \frac{2 \, \mathrm{cov}(a, b)}
                   {\mathrm{var}(a) + \mathrm{var}(b) + (\bar a - \bar b)^2}

    Parameters
    ----------
    a, b : ndarray of shape (n, n_outputs)
        Predictions; the result is the mean over the outputs.
    weight : ndarray of shape (n,) or None, default=None
        How often each row counts.
    """
    mean_a, mean_b = (np.average(v, axis=0, weights=weight) for v in (a, b))
    products = (a - mean_a) * (b - mean_b)
    squares = (a - mean_a) ** 2 + (b - mean_b) ** 2
    covariance, variance = (
        np.average(v, axis=0, weights=weight) for v in (products, squares)
    )
    total = variance + (mean_a - mean_b) ** 2
    ratio = np.zeros_like(total)
    np.divide(2 * covariance, total, out=ratio, where=total > 0)
    return float(ratio.mean())


def _agreement(domains):
    """Return how far two unlike models agree on the target, columns in its scales."""
    (mean, mean_tgt), (scale, scale_tgt) = column_scales(domains, domains.scales)
    X = bounded((domains.X - mean) / scale)
    X_tgt = bounded((domains.X_tgt - mean_tgt) / scale_tgt)
    models = (
        RidgeCV(_ALPHAS),
        RandomForestRegressor(min_samples_leaf=2, random_state=0),
    )
    y = domains.y if domains.y.shape[1] > 1 else domains.y.ravel()
    predictions = [
        model.fit(X, y, domains.row_weight).predict(X_tgt).reshape(len(X_tgt), -1)
        for model in models
    ]
    return concordance(*predictions, domains.row_weight_tgt)
