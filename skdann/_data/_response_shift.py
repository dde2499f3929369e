"""How columns are brought on one scale where numbers are predicted."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from .._warn import silent_libraries
from ..metrics._agreement import concordance
from ._column_scales import column_scales
from ._shift import bounded, some_rows

# Penalties of a ridge regression to choose from, of columns in deviations.
ALPHAS = np.logspace(-3, 3, 13)

# How "auto" may standardize columns.
CANDIDATES = ("source", "domain")

# Area under the curve above which domains differ by more than by a choice of rows.
SEPARATE = 0.9

# Of each forest.
N_TREES = 100

_N_FOLDS = 3


def resolve_scales(domains, standardize):
    """Return the domains with how to standardize them.

    "auto" takes each domain's own scales if two things hold. A ridge regression and a
    random forest agree better on the target: where the scales are wrong, unlike models
    go wrong in unlike ways. And the domains hardly overlap: if they do, other rows may
    have been chosen, of large y for example, and these scales would hide it.

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
    if domains.X_tgt is None:
        return replace(domains, scales="source")
    by_source, by_domain = agreements(domains)
    is_better = by_domain > by_source and separability(domains) > SEPARATE
    return replace(domains, scales=CANDIDATES[is_better])


def agreements(domains):
    """Return how far two unlike models agree on the target, of each of CANDIDATES.

    Parameters
    ----------
    domains : Domains
        Checked data; of both domains at most some rows are looked at.
    """
    some = some_rows(domains)
    with silent_libraries(), np.errstate(all="ignore"):
        return [_agreement(replace(some, scales=how)) for how in CANDIDATES]


def separability(domains):
    """Return how well the domains are told apart on the scales of the source.

    The area under the ROC curve of a logistic regression or a random forest, whichever
    is larger, by cross-validation; 0 if there are too few rows.

    Parameters
    ----------
    domains : Domains
        Checked data; of both domains at most some rows are looked at.
    """
    some = replace(some_rows(domains), scales="source")
    models = (
        LogisticRegression(max_iter=300),
        RandomForestClassifier(N_TREES, min_samples_leaf=2, random_state=0),
    )
    with silent_libraries(), np.errstate(all="ignore"):
        return max(_area_under_curve(model, some) for model in models)


def _agreement(domains):
    """Return how far two unlike models agree on the target, columns in its scales."""
    X, X_tgt = _in_scales(domains)
    models = (
        RidgeCV(ALPHAS, alpha_per_target=True),
        RandomForestRegressor(N_TREES, min_samples_leaf=2, random_state=0),
    )
    y = domains.y if domains.y.shape[1] > 1 else domains.y.ravel()
    predictions = [
        model.fit(X, y, domains.row_weight).predict(X_tgt).reshape(len(X_tgt), -1)
        for model in models
    ]
    return concordance(*predictions, domains.row_weight_tgt)


def _area_under_curve(model, domains):
    """Return how well a model tells rows of the target from those of the source."""
    in_each = _in_scales(domains)
    n_rows = [len(X) for X in in_each]
    n_folds = min(_N_FOLDS, *n_rows)
    if n_folds < 2:
        return 0.0
    X, is_target = np.concatenate(in_each), np.repeat([0, 1], n_rows)
    weights = domains.row_weight, domains.row_weight_tgt
    weight = np.concatenate(
        [np.ones(n) if w is None else w for n, w in zip(n_rows, weights, strict=True)]
    )
    P = np.zeros(len(X))
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    for train, test in folds.split(X, is_target):
        model.fit(X[train], is_target[train], weight[train])
        P[test] = model.predict_proba(X[test])[:, 1]
    return roc_auc_score(is_target, np.nan_to_num(P), sample_weight=weight)


def _in_scales(domains):
    """Return the rows of both domains, columns in their scales."""
    (mean, mean_tgt), (scale, scale_tgt) = column_scales(domains, domains.scales)
    X_tgt = (domains.X_tgt - mean_tgt) / scale_tgt
    return bounded((domains.X - mean) / scale), bounded(X_tgt)
