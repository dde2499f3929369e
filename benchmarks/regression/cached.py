"""What is computed once for each problem and seed, and kept as arrays."""

import argparse
import os
import re
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import numpy as np
import torch
from problems import PROBLEMS, load
from run import CACHE


def path_of(kind, problem, seed):
    return CACHE / kind / (re.sub(r"\W+", "-", f"{problem} {seed}") + ".npz")


def compute_all(kind, arrays_of, about):
    """Compute what the command line names, unless it is there.

    `arrays_of` takes a problem, source and target rows in float32 and a seed, and
    returns arrays by name.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("sets", nargs="+", choices=list(PROBLEMS))
    parser.add_argument("--data", help="folder of the data")
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for data_set in args.sets:
        for seed in range(args.seeds):
            for name in PROBLEMS[data_set]:
                path = path_of(kind, name, seed)
                if not path.exists():
                    _write(path, arrays_of(*_read(name, seed, args.data), seed))
                print(name, seed, flush=True)


def _read(name, seed, data):
    problem = load(name, seed, data)
    return problem, *(X.astype(np.float32) for X in (problem.X, problem.X_tgt))


def _write(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)
