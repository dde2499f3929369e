"""Keep what candidates of a combination predict, problem by problem.

`python benchmarks/regression/predictions.py SET [--data folder]`. What is in the cache
is not computed again. combining.py judges combinations by it.
"""

import argparse
import os
import re
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import numpy as np
import torch
from problems import PROBLEMS, load
from run import CACHE
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
    return CACHE / "predictions" / (re.sub(r"\W+", "-", f"{problem} {seed}") + ".npz")


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


def compute(name, seed, data):
    path = path_of(name, seed)
    if path.exists():
        return
    problem = load(name, seed, data)
    X, X_tgt = (rows.astype(np.float32) for rows in (problem.X, problem.X_tgt))
    found = {
        candidate: model.fit(X, problem.y, X_tgt).predict(X_tgt)
        for candidate, model in CANDIDATES.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    given = {"y": problem.y, "y_tgt": problem.y_tgt, "separability": apart(problem)}
    np.savez(part, **given, **found)
    part.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=list(PROBLEMS))
    parser.add_argument("--data", help="folder of the data")
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for data_set in args.sets:
        for seed in range(args.seeds):
            for name in PROBLEMS[data_set]:
                compute(name, seed, args.data)
                print(name, seed, flush=True)


if __name__ == "__main__":
    main()
