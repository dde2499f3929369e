"""Ways to put two domains on one scale."""

import numpy as np
from sklearn.preprocessing import QuantileTransformer

# A column whose deviation in one domain is a smaller share than this of that over both
# takes this share: it hardly varies there, and would be blown up.
FLOOR = 0.05


def scale(pair, scaling):
    """Return X, X_tgt, X_test."""
    source, target = SCALINGS[scaling](pair.X, pair.X_tgt)
    return (
        source(pair.X).astype(np.float32),
        target(pair.X_tgt).astype(np.float32),
        target(pair.X_test).astype(np.float32),
    )


def _none(X, X_tgt):
    return (lambda A: A,) * 2


def _source(X, X_tgt):
    return (_standardizer(X, *_both(X, X_tgt)),) * 2


def _domain(X, X_tgt):
    """Each by itself; a column of two values as the source's."""
    mean, deviation = _moments(X, *_both(X, X_tgt))
    mean_tgt, deviation_tgt = _moments(X_tgt, *_both(X, X_tgt))
    both = np.vstack([X, X_tgt])
    is_binary = np.array([len(np.unique(column)) <= 2 for column in both.T])
    mean_tgt = np.where(is_binary, mean, mean_tgt)
    deviation_tgt = np.where(is_binary, deviation, deviation_tgt)
    return (
        lambda A: (A - mean) / deviation,
        lambda A: (A - mean_tgt) / deviation_tgt,
    )


def _pooled(X, X_tgt):
    """Both by the moments of both, each domain counting one half."""
    mean, deviation = _both(X, X_tgt)
    deviation = np.where(deviation > 0, deviation, 1)
    return (lambda A: (A - mean) / deviation,) * 2


def _quantile(X, X_tgt):
    return _quantiles(X), _quantiles(X_tgt)


SCALINGS = {
    "none": _none,
    "source": _source,
    "domain": _domain,
    "pooled": _pooled,
    "quantile": _quantile,
}


def _both(X, X_tgt):
    """Return mean and deviation over both domains, each counting one half."""
    mean, mean_tgt = X.mean(0, dtype=float), X_tgt.mean(0, dtype=float)
    within = (X.var(0, dtype=float) + X_tgt.var(0, dtype=float)) / 2
    between = ((mean - mean_tgt) / 2) ** 2
    return (mean + mean_tgt) / 2, np.sqrt(within + between)


def _moments(X, mean_of_both, deviation_of_both):
    deviation = np.maximum(X.std(0, dtype=float), FLOOR * deviation_of_both)
    return X.mean(0, dtype=float), np.where(deviation > 0, deviation, 1)


def _standardizer(X, mean_of_both, deviation_of_both):
    mean, deviation = _moments(X, mean_of_both, deviation_of_both)
    return lambda A: (A - mean) / deviation


def _quantiles(X):
    transformer = QuantileTransformer(
        n_quantiles=min(200, len(X)), output_distribution="normal", random_state=0
    ).fit(X)
    return lambda A: transformer.transform(A).clip(-3, 3)
