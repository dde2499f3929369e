"""Keep what candidates of a combination predict, problem by problem.

`python benchmarks/regression/predictions.py SET [--data folder]`. What is in the cache
is not computed again. combining.py judges combinations by it.
"""

import cached
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from skdann import BaselineRegressor, DANNRegressor
from skdann._data._domains import read_domains
from skdann._data._response_shift import separability

LEAF = {"n_estimators": 200, "min_samples_leaf": 2, "random_state": 0}
LINEAR_SCALES = ("source", "domain", "pooled", "quantile")
TREE_SCALES = (None, "domain", "quantile")
CANDIDATES = {
    **{f"ridge {s}": BaselineRegressor(standardize=s) for s in LINEAR_SCALES},
    **{
        f"forest {s}": BaselineRegressor(RandomForestRegressor(**LEAF), standardize=s)
        for s in TREE_SCALES
    },
    **{
        f"extra trees {s}": BaselineRegressor(
            ExtraTreesRegressor(**LEAF), standardize=s
        )
        for s in TREE_SCALES
    },
    **{
        f"network {s}": DANNRegressor(standardize=s, random_state=0)
        for s in ("source", "domain", "pooled")
    },
}


def path_of(problem, seed):
    return cached.path_of("predictions", problem, seed)


def predictions_of(problem, seed):
    """Return what each candidate predicts for the target, by name, and what else is."""
    with np.load(path_of(problem, seed)) as file:
        known = dict(file)
    return {name: known.pop(name) for name in CANDIDATES}, known


def apart(problem):
    """Return how well the domains are told apart."""
    network = DANNRegressor(standardize=None)
    read_targets = network._read_targets
    given = problem.X, problem.y, problem.X_tgt
    return separability(read_domains(network, *given, read_targets=read_targets))


def arrays_of(problem, X, X_tgt, seed):
    found = {
        candidate: model.fit(X, problem.y, X_tgt).predict(X_tgt)
        for candidate, model in CANDIDATES.items()
    }
    given = {"y": problem.y, "y_tgt": problem.y_tgt, "separability": apart(problem)}
    return {**given, **found}


if __name__ == "__main__":
    cached.compute_all("predictions", arrays_of, __doc__)
