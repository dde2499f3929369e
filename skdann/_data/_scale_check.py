"""Notice rows that can hardly be meant: unscaled, the other domain's, too few."""

import numpy as np
from scipy import sparse
from sklearn.utils import gen_batches

from .._warn import warn
from ..exceptions import AdaptationWarning
from ..metrics._sampling import spread_rows
from ._column_scales import column_moments

# Fewer rows prove nothing.
FEWEST_JUDGED = 10

# Root mean square of a column from which on it is called large.
LARGE = 30

# Rows of the target that are looked for in the source, if this has no more values: to
# search a memory map of gigabytes would take as long as an epoch.
N_LOOKED_FOR = 20
MOST_SEARCHED = 10**7

# Rows by whose moments columns are compared.
MOST_LOOKED_AT = 4096

# Rows compared at once.
BLOCK = 8192


def warn_of_target(X, X_tgt, names, names_tgt, standardize):
    """Warn of a target from which nothing, or nothing right, can be learned.

    Parameters
    ----------
    X, X_tgt : ndarray or CSR
        Rows, checked.
    names, names_tgt : list of str or None
        Names of their columns.
    standardize : str or None
        How the columns will be scaled.
    """
    if X_tgt.shape[0] < FEWEST_JUDGED:
        warn(
            f"X_tgt has {X_tgt.shape[0]} rows: too few to show how the target differs. "
            "Give all rows of the target there are; they need no labels.",
            AdaptationWarning,
        )
    elif _holds_rows_of(X_tgt, X):
        warn(
            "The rows of X_tgt are rows of X: there is nothing to adapt to. Pass the "
            "rows of the place where predictions are wanted.",
            AdaptationWarning,
        )
    if standardize != "domain":
        _warn_if_scaled_differently(X, X_tgt, names, names_tgt)


def warn_if_unscaled(X):
    """Warn of columns so large that a network which does not standardize them fails.

    Parameters
    ----------
    X : ndarray or CSR
        Rows of the source, checked, as the network gets them.
    """
    if X.ndim > 2 or X.shape[0] < FEWEST_JUDGED:
        return
    mean, deviation = column_moments(_some_rows(X))
    large = np.flatnonzero(np.hypot(mean, deviation) > LARGE)
    if len(large) == 0:
        return
    if sparse.issparse(X):
        why, remedy = "sparse rows are left so", "Scale X and X_tgt, for example with "
        remedy += "MaxAbsScaler."
    else:
        why, remedy = "standardize=None leaves them so", "Leave standardize='auto', or "
        remedy += "scale X and X_tgt, for example with StandardScaler."
    first = large[0]
    warn(
        f"{len(large)} of {X.shape[1]} columns of X hold numbers far from 1, the first "
        f"of them column {first} (mean {mean[first]:.3g}, standard deviation "
        f"{deviation[first]:.3g}), and {why}: a network hardly learns from such. "
        + remedy,
        AdaptationWarning,
    )


def _holds_rows_of(X_tgt, X):
    """Whether the target is the source, or a part of it, in whatever order.

    Rows that occur once in the source are looked for: in a table of few values rows of
    other places are alike by chance, but hardly ever once, and all of them.
    """
    if X_tgt is X:
        return True
    if sparse.issparse(X) or sparse.issparse(X_tgt):
        are_sparse = sparse.issparse(X) and sparse.issparse(X_tgt)
        is_alike = are_sparse and X.shape == X_tgt.shape and X.nnz == X_tgt.nnz
        return is_alike and (X_tgt != X).nnz == 0
    rows = np.linspace(0, len(X_tgt) - 1, N_LOOKED_FOR).astype(int)
    if X.shape == X_tgt.shape and np.array_equal(X[rows], X_tgt[rows]):
        blocks = gen_batches(len(X), BLOCK)
        return all(np.array_equal(X[block], X_tgt[block]) for block in blocks)
    if X.size > MOST_SEARCHED:
        return False
    flat, flat_tgt = X.reshape(len(X), -1), X_tgt.reshape(len(X_tgt), -1)
    return all(_count(flat_tgt[row], flat) == 1 for row in rows)


def _count(row, X):
    """Return how often a row occurs; most rows differ in the first column."""
    alike = np.flatnonzero(X[:, 0] == row[0])
    return np.count_nonzero((X[alike] == row).all(axis=1))


def _warn_if_scaled_differently(X, X_tgt, names, names_tgt):
    """Catch the target that went around the transformers of a Pipeline."""
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
    with np.errstate(over="ignore"):  # what is infinitely far is far
        of_source, of_target = np.mean(((found - mean) / scale) ** 2, axis=1)
    if of_target > 10 * of_source and of_target > 10 / X.shape[0]:
        warn(
            "These rows look like those of the source, but are standardized as the "
            "target's. If they are the source's, give domain='source'; if not, "
            "domain='target' says so.",
            AdaptationWarning,
        )


def _some_rows(X):
    """Rows from all of X: enough for a spread, cheap to read."""
    return X[spread_rows(X.shape[0], MOST_LOOKED_AT)]


def _column_minima(X):
    return X.min(axis=0).toarray().ravel() if sparse.issparse(X) else X.min(axis=0)
