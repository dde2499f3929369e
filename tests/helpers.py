"""Two small domains that differ, and parameters of a fit that is quick and plain."""

import numpy as np

PLAIN = {"n_estimators": 1, "standardize": None, "target_prior": None}

SMALL = {
    **PLAIN,
    "hidden_layer_sizes": (16,),
    "domain_hidden_layer_sizes": (16,),
    "max_epochs": 3,
    "random_state": 0,
}


def make_domains(n_source=200, n_target=150, seed=0):
    """Two sensors tell the class; in the target the better one is stuck.

    Whoever learns on the source trusts column 1 and fails on the target; what both
    domains share is column 0.
    """
    rng = np.random.default_rng(seed)

    def weak_sensor(y):
        return y + 0.6 * rng.standard_normal(len(y))

    y = rng.choice([-1.0, 1.0], n_source)
    y_tgt = rng.choice([-1.0, 1.0], n_target)
    X = np.c_[weak_sensor(y), y + 0.2 * rng.standard_normal(n_source)]
    X_tgt = np.c_[weak_sensor(y_tgt), 2.5 + 0.2 * rng.standard_normal(n_target)]
    return X, (y > 0).astype(int), X_tgt, (y_tgt > 0).astype(int)


class BringsTarget:
    """Before an estimator: a target of its own, which scikit-learn's checks have not.

    Without one they would not see the adversary at work.
    """

    def fit(self, X, y, X_tgt=None, *, sample_weight=None, y_tgt=None):
        shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
        if X_tgt is None and len(shape) == 2:
            X_tgt = np.random.default_rng(0).uniform(size=(20, shape[1]))
        return super().fit(X, y, X_tgt, sample_weight=sample_weight, y_tgt=y_tgt)


def bits(tree):
    """Return what says all of a tree, its arrays to the bit."""
    if isinstance(tree, dict):
        return [(repr(key), bits(value)) for key, value in tree.items()]
    if isinstance(tree, list | tuple):
        return type(tree), [bits(value) for value in tree]
    if isinstance(tree, np.ndarray):
        kept = tree.tolist() if tree.dtype == object else tree.tobytes()
        return tree.dtype, tree.shape, kept
    return repr(tree)
