"""Notice a target that was not scaled like the source."""

import numpy as np
from scipy import sparse

from .._warn import warn
from ..exceptions import AdaptationWarning
from ._column_scales import column_moments

# Fewer rows prove nothing.
FEWEST_JUDGED = 10


def warn_if_scaled_differently(X, X_tgt, names, names_tgt):
    """Catch the target that went around the transformers of a Pipeline.

    Parameters
    ----------
    X, X_tgt : ndarray or CSR
        Rows, checked.
    names, names_tgt : list of str or None
        Names of their columns.
    """
    if names is None and names_tgt is not None:
        reason = "X_tgt has column names and X has none, as if only X was transformed."
    else:
        reason = _describe_difference_of_scale(X, X_tgt)
    if reason:
        warn(
            f"{reason} If X comes out of a transformer, X_tgt must go through it too: "
            "sklearn.set_config(enable_metadata_routing=True), then "
            "Pipeline(..., transform_input=['X_tgt']).fit(X, y, X_tgt=X_tgt).",
            AdaptationWarning,
        )


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # moments of extremes
def _describe_difference_of_scale(X, X_tgt):
    """Say how X_tgt cannot have been scaled like X; None if it may have been.

    Both rules are far from what real shifts do: over 25 pairs of real domains scaled
    alike, at most 23% of the columns met the first and 33% the second.
    """
    if X.ndim > 2 or min(X.shape[0], X_tgt.shape[0]) < FEWEST_JUDGED:
        return None  # images have no scaler
    some_tgt = _some_rows(X_tgt)
    mean, std = column_moments(_some_rows(X))
    mean_tgt, std_tgt = column_moments(some_tgt)
    varies = (std > 1e-9 * np.abs(mean)) & (std > 0)
    if not varies.any():
        return None
    # only all rows can tell that a mean is 0, but some tell that it need not be asked
    if np.mean((_column_minima(some_tgt) >= 0)[varies]) > 0.9:
        centred = np.abs(column_moments(X)[0]) < 1e-4 * std
        if np.mean((centred & (_column_minima(X_tgt) >= 0))[varies]) > 0.9:
            return (
                "Every column of X is centred on 0, but X_tgt has no negative values."
            )
    ratio = np.where(std_tgt > 0, std_tgt / std, 1.0)
    shifted = np.abs(mean_tgt - mean) > 3 * std
    far = shifted | (ratio > 10) | (ratio < 0.1)
    if np.mean(far[varies]) > 0.5:
        return (
            f"{np.mean(far[varies]):.0%} of the columns of X_tgt lie more than 3 "
            "standard deviations from X, or spread 10 times as wide or as narrow."
        )
    return None


def warn_if_of_source(X, mean, scale):
    """Catch rows of the source that are about to be standardized as the target's.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_columns)
        Rows to predict.
    mean, scale : ndarray of shape (2, n_columns)
        Of the source and of the target.
    """
    if X.shape[0] < FEWEST_JUDGED:
        return
    found, _ = column_moments(_some_rows(X))
    # mean squares of standardized means: 1 / n each for rows of that very domain
    of_source, of_target = np.mean(((found - mean) / scale) ** 2, axis=1)
    if of_target > 10 * of_source and of_target > 10 / X.shape[0]:
        warn(
            "These rows look like those of the source, but are standardized as the "
            "target's. If they are the source's, give domain='source'; if not, "
            "domain='target' says so.",
            AdaptationWarning,
        )


def _some_rows(X):
    """Rows from all of X, at most twice 2048: enough for a spread, cheap to read."""
    return X[:: max(1, X.shape[0] // 2048)]


def _column_minima(X):
    return X.min(axis=0).toarray().ravel() if sparse.issparse(X) else X.min(axis=0)
