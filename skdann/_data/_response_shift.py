"""How columns are brought on one scale where numbers are predicted."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV

from .._warn import silent_libraries
from ..metrics._agreement import concordance
from ._column_scales import column_scales
from ._shift import bounded, some_rows

# Penalties of a ridge regression to choose from, of columns in deviations.
ALPHAS = np.logspace(-3, 3, 13)


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


def _agreement(domains):
    """Return how far two unlike models agree on the target, columns in its scales."""
    (mean, mean_tgt), (scale, scale_tgt) = column_scales(domains, domains.scales)
    X = bounded((domains.X - mean) / scale)
    X_tgt = bounded((domains.X_tgt - mean_tgt) / scale_tgt)
    models = (
        RidgeCV(ALPHAS),
        RandomForestRegressor(min_samples_leaf=2, random_state=0),
    )
    y = domains.y if domains.y.shape[1] > 1 else domains.y.ravel()
    predictions = [
        model.fit(X, y, domains.row_weight).predict(X_tgt).reshape(len(X_tgt), -1)
        for model in models
    ]
    return concordance(*predictions, domains.row_weight_tgt)
