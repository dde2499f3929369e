"""A random forest that tells the domains apart, and which columns it does so by."""

import numpy as np
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from ..._warn import silent_libraries

# Rows of each domain: it takes a second, and more tell little more.
MAX_ROWS = 1000

# Wider tables are judged by the columns that differ most, and of these the importance
# is measured of those that the forest splits on most.
MAX_COLUMNS = 300
MAX_PERMUTED = 50
N_REPEATS = 5

N_TREES = 100

# The rarer domain needs as many rows to train on, and as many to test on.
FEWEST_ROWS = 10

# Trees compute in float32.
LARGEST = 1e30


def draw_rows(n_rows, rng):
    """Return positions of the rows of each domain that the forest sees."""
    return [rng.permutation(n)[:MAX_ROWS] for n in n_rows]


def tell_apart(X, is_target, rng):
    """Return area under the ROC curve, its p-value, and an importance for each column.

    Half of the rows of each domain train the forest, the other half test it: on these
    its area is that of Mann and Whitney's test, and a column's importance is what is
    lost of it where the values of the column are shuffled.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Of both domains, NaN where missing.
    is_target : ndarray of int
        0 or 1.
    rng : RandomState

    Returns
    -------
    auc, p_value : float
        NaN and 1 if there are too few rows.
    importance : ndarray of shape (n_columns,)
        NaN where it was not measured.
    """
    importance = np.full(X.shape[1], np.nan)
    if np.bincount(is_target, minlength=2).min() < 2 * FEWEST_ROWS:
        return np.nan, 1.0, importance
    train, test = train_test_split(
        np.arange(len(X)), test_size=0.5, stratify=is_target, random_state=rng
    )
    kept = _most_different(X[train], is_target[train])
    X = X[:, kept].clip(-LARGEST, LARGEST).astype(np.float32)
    forest = RandomForestClassifier(
        N_TREES, min_samples_leaf=2, class_weight="balanced", random_state=rng
    )
    with silent_libraries():
        forest.fit(X[train], is_target[train])
        auc, p_value = _area(forest, X[test], is_target[test])
        order = np.argsort(-forest.feature_importances_, kind="stable")
        for j in order[:MAX_PERMUTED]:
            without = _area_without(j, forest, X[test], is_target[test], rng)
            importance[kept[j]] = auc - without
    return auc, p_value, importance


def _most_different(X, is_target):
    """Return the positions of the columns to learn from."""
    if X.shape[1] <= MAX_COLUMNS:
        return np.arange(X.shape[1])
    distances = [_distance(x[is_target == 0], x[is_target == 1]) for x in X.T]
    return np.sort(np.argsort(distances)[::-1][:MAX_COLUMNS])


def _distance(source, target):
    both = [x[~np.isnan(x)] for x in (source, target)]
    missing = abs(np.isnan(target).mean() - np.isnan(source).mean())
    if min(map(len, both)) == 0:
        return missing
    return max(missing, stats.ks_2samp(*both, method="asymp").statistic)


def _area(forest, X, is_target):
    scores = forest.predict_proba(X)[:, 1]
    test = stats.mannwhitneyu(
        scores[is_target == 1], scores[is_target == 0], alternative="greater"
    )
    return roc_auc_score(is_target, scores), test.pvalue


def _area_without(j, forest, X, is_target, rng):
    """Return the area where the values of a column are shuffled."""
    shuffled = np.concatenate([X] * N_REPEATS)
    for part in np.split(np.arange(len(shuffled)), N_REPEATS):
        shuffled[part, j] = rng.permutation(X[:, j])
    scores = forest.predict_proba(shuffled)[:, 1].reshape(N_REPEATS, -1)
    return np.mean([roc_auc_score(is_target, of_one) for of_one in scores])
