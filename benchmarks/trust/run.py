"""Fit candidates on pairs and keep what they predict: the cells of the bench.

`python benchmarks/trust/run.py [--data folder] [--jobs 2]`. A cell that is in the cache
is not computed again: it can be killed and started anew.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: a process for each core

import re
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from candidates import CANDIDATES
from domains import PAIRS, load
from scalings import SCALINGS, scale

sys.path.append(str(Path(__file__).parents[1]))

from plain import PLAIN

CACHE = Path(os.environ.get("SKDANN_TRUST_CACHE", Path(__file__).parent / "cache"))

# What candidates are compared under; text is left as it is, see scaling_of.
SCALED = ["source", "domain", "pooled", "quantile"]

# Single networks, for comparisons of one change at a time.
OF_15 = {**PLAIN, "n_fits": 15, "n_steps": 400}
OF_5 = {**PLAIN, "n_fits": 5, "n_steps": 400}

# Of each candidate, by the name of its cells: function, parameters, scalings.
CELLS = {
    "auto": ("auto", {"n_fits": 3}, ["none"]),
    "default": ("dann", {"n_fits": 3}, ["none"]),
    "default, not standardized by domain": (
        "dann",
        {"n_fits": 3, "standardize": "source"},
        ["none"],
    ),
    "default, always by domain": (
        "dann",
        {"n_fits": 3, "standardize": "domain"},
        ["none"],
    ),
    "default, no proportions": ("dann", {"n_fits": 3, "target_prior": None}, ["none"]),
    "default, one network": ("dann", {"n_fits": 3, "n_estimators": 1}, ["none"]),
    "default, source only": ("dann", {"n_fits": 3, "lambda_max": 0}, ["none"]),
    "default, class confusion": (
        "dann",
        {"n_fits": 3, "class_confusion": 0.3},
        ["none"],
    ),
    "default, target entropy": (
        "dann",
        {"n_fits": 3, "target_entropy": 0.1},
        ["none"],
    ),
    "default, conditional": ("dann", {"n_fits": 3, "conditional": True}, ["none"]),
    "default, conditional by entropy": (
        "dann",
        {"n_fits": 3, "conditional": "entropy"},
        ["none"],
    ),
    "default, early stopping": (
        "dann",
        {"n_fits": 1, "early_stopping": True},
        ["none"],
    ),
    "default, numerical embeddings": ("embedded", {"n_fits": 1}, ["none"]),
    "default, gradient penalty": ("penalized", {"n_fits": 1}, ["none"]),
    "lr": ("lr", {}, SCALED),
    # A scale that both domains share changes a forest by rounding alone: "none" stands
    # for "source" and "pooled".
    "rf": ("rf", {}, ["none", "domain", "quantile"]),
    "gb": ("gb", {}, ["none", "domain"]),
    "coral": ("coral", {}, ["source"]),
    "subspace": ("subspace", {}, ["domain"]),
    "target": ("target", {}, ["source"]),
    "dann-1000": ("dann", {**PLAIN, "n_fits": 3}, ["source"]),
    "dann": ("dann", OF_15, SCALED),
    "source-only": ("dann", {**OF_15, "lambda_max": 0}, SCALED),
    "dann-0.1": ("dann", {**OF_5, "lambda_max": 0.1}, ["domain"]),
    "dann-0.3": ("dann", {**OF_5, "lambda_max": 0.3}, ["domain"]),
    "dann-confusion": ("dann", {**OF_5, "class_confusion": 0.3}, ["domain"]),
    "dann-dropout": ("dann", {**OF_5, "dropout": 0.5}, ["domain"]),
    "dann-1000-steps": ("dann", {**OF_5, "n_steps": 1000}, ["domain"]),
    "dann-200-steps": ("dann", {**OF_5, "n_steps": 200}, ["domain"]),
}


def path_of(cell, scaling, pair):
    return CACHE / cell / scaling / (re.sub(r"\W+", "-", pair) + ".npz")


def scaling_of(pair, scaling):
    """Return the scaling that a pair gets: shares of words are left as they are."""
    return "none" if pair.startswith("amazon") else scaling


def compute(cell, scaling, name, data):
    """Compute a cell, unless it is there; return seconds and accuracy."""
    path = path_of(cell, scaling, name)
    if path.exists():
        return None
    warnings.simplefilter("ignore")
    pair = load(name, data)
    function, parameters, _ = CELLS[cell]
    parameters = dict(parameters)
    if "n_steps" in parameters:
        n_larger = max(len(pair.X), len(pair.X_tgt))
        per_epoch = -(-n_larger // 64)
        parameters["max_epochs"] = -(-parameters.pop("n_steps") // per_epoch)
    X, X_tgt, X_test = scale(pair, scaling)
    X_eval = X_tgt if pair.X_test is pair.X_tgt else np.vstack([X_tgt, X_test])
    begin = time.perf_counter()
    found = CANDIDATES[function](pair, X, X_tgt, X_eval, **parameters)
    seconds = time.perf_counter() - begin
    if not isinstance(found, dict):
        found = {"P": found}
    P = found["P"] = found["P"].astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **found, seconds=seconds)
    part.replace(path)
    right = P[:, -len(pair.y_test) :].argmax(2) == pair.y_test
    return seconds, right.mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cells", nargs="*", default=list(CELLS), choices=list(CELLS))
    parser.add_argument("--scalings", nargs="*", default=SCALINGS, choices=SCALINGS)
    parser.add_argument("--pairs", nargs="*", default=PAIRS, metavar="PAIR")
    args = parser.parse_args()
    todo = dict.fromkeys(
        (cell, scaling_of(pair, scaling), pair)
        for cell in args.cells
        for scaling in CELLS[cell][2]
        if scaling in args.scalings
        for pair in args.pairs
    )
    with ProcessPoolExecutor(args.jobs) as pool:
        running = [(t, pool.submit(compute, *t, args.data)) for t in todo]
        for what, future in running:
            if future.result() is not None:
                seconds, accuracy = future.result()
                print(*what, f"{seconds:.1f} s {accuracy:.3f}", flush=True)


if __name__ == "__main__":
    main()
