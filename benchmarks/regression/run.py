"""Fit candidates across domains and keep how far off they are.

`python benchmarks/regression/run.py SET [--data folder]`. What is in the cache is not
computed again: it can be killed and started anew.
"""

import argparse
import json
import os
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import numpy as np
import torch
from cells import CELLS, OF_SET, ONCE, seed_of
from problems import PROBLEMS, load

CACHE = Path(os.environ.get("SKDANN_REGRESSION_CACHE", Path(__file__).parent / "cache"))


def read(data_set):
    """Return what is known: of "problem|cell|seed", RMSE and R2, or the scales."""
    path = CACHE / f"{data_set}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(data_set, known):
    CACHE.mkdir(exist_ok=True)
    part = CACHE / f"{data_set}.part"
    part.write_text(json.dumps(known, indent=0))
    part.replace(CACHE / f"{data_set}.json")


def key_of(problem, cell, seed):
    return f"{problem}|{cell}|{seed_of(problem, cell, seed)}"


def cells_of(data_set, seed):
    return [c for c in OF_SET[data_set] if seed == 0 or c not in ONCE]


def score(problem, predicted):
    """Return RMSE, and R2."""
    mse = np.mean((predicted - problem.y_tgt) ** 2)
    return [float(np.sqrt(mse)), float(1 - mse / problem.y_tgt.var())]


def compute(data_set, name, seed, cells, data):
    """Compute the cells of a problem that are not known yet."""
    known, problem = read(data_set), None
    for cell in cells:
        key = key_of(name, cell, seed)
        if key in known:
            continue
        problem = problem or load(name, seed, data)
        found = CELLS[cell](problem, seed)
        known[key] = found if isinstance(found, list) else score(problem, found)
    if problem is not None:
        write(data_set, known)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=list(PROBLEMS))
    parser.add_argument("--data", help="folder of the data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cells", nargs="*", choices=list(CELLS))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for data_set in args.sets:
        for seed in range(args.seeds):
            cells = args.cells or cells_of(data_set, seed)
            for name in PROBLEMS[data_set]:
                compute(data_set, name, seed, cells, args.data)
                print(name, seed, flush=True)


if __name__ == "__main__":
    main()
