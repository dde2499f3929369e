"""Make the report of each problem, and keep what its models predict.

`python benchmarks/regression/reports.py SET [--data folder]`. A report that is in the
cache is not made again: it can be killed and started anew. report_tables.py judges.
"""

import argparse
import json
import os
import re
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import numpy as np
import torch
from problems import PROBLEMS, load
from run import CACHE

from skdann import DANNRegressor
from skdann.inspection import adaptation_report
from skdann.inspection._report._number_evidence import NumberEvidence

# Two networks, which take less time and rank alike.
N_NETWORKS = 2

ANSWERS = ("target", "part_source", "part_target")


def path_of(name, seed):
    return CACHE / "report" / (re.sub(r"\W+", "-", f"{name} {seed}") + ".npz")


def compute(name, seed, data):
    """Make the report of a problem, unless it is there."""
    path = path_of(name, seed)
    if path.exists():
        return
    problem = load(name, seed, data)
    X, X_tgt = (rows.astype(np.float32) for rows in (problem.X, problem.X_tgt))
    network = DANNRegressor(n_estimators=N_NETWORKS, random_state=seed).fit(
        X, problem.y, X_tgt
    )
    report = adaptation_report(network, X, problem.y, X_tgt, random_state=seed)
    evidence = report.measures.evidence
    answers = {
        name: np.stack(list(getattr(evidence, name).values())) for name in ANSWERS
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        **answers,
        names=evidence.names,
        y=evidence.y,
        mean=evidence.mean,
        scale=evidence.scale,
        rows=evidence.rows,
        y_src=problem.y,
        y_tgt=problem.y_tgt,
        report=json.dumps(report.to_dict()),
    )
    part.replace(path)


def read(name, seed):
    """Return the evidence of a report, from the cache, and what else is there."""
    with np.load(path_of(name, seed)) as file:
        known = dict(file)
    names = known.pop("names").tolist()
    answers = {key: dict(zip(names, known.pop(key), strict=True)) for key in ANSWERS}
    of_y = {key: known.pop(key) for key in ("y", "mean", "scale", "rows")}
    known["report"] = json.loads(str(known["report"]))
    unlabelled = np.zeros(len(of_y["rows"]), dtype=bool)
    return NumberEvidence(**answers, **of_y, is_labelled=unlabelled), known


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
