"""Make the report of each pair, and keep what its models predict.

`python benchmarks/trust/reports.py [--data folder] [--jobs 2]`. A report that is in the
cache is not made again: it can be killed and started anew. report_tables.py judges.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: a process for each core

import re
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from domains import PAIRS, load
from run import CACHE
from scipy import sparse

from skdann import DANNClassifier
from skdann.inspection import adaptation_report
from skdann.inspection._report._class_evidence import ClassEvidence


def path_of(name):
    return CACHE / "report" / (re.sub(r"\W+", "-", name) + ".npz")


def compute(name, data):
    """Make the report of a pair, unless it is there; return the seconds."""
    path = path_of(name)
    if path.exists():
        return None
    warnings.simplefilter("ignore")
    pair = load(name, data)
    X, X_tgt = pair.X, pair.X_tgt
    if pair.is_text:
        X, X_tgt = map(sparse.csr_matrix, (X, X_tgt))
    clf = DANNClassifier(random_state=0).fit(X, pair.y, X_tgt)
    begin = time.perf_counter()
    measures = adaptation_report(clf, X, pair.y, X_tgt, random_state=0).measures
    seconds = time.perf_counter() - begin
    evidence = measures.evidence
    P = {
        name: np.stack(list(getattr(evidence, name).values()))
        for name in ("target", "part_source", "part_target")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        **P,
        names=list(evidence.target),
        codes=evidence.codes,
        source_proportions=evidence.source_proportions,
        rows=evidence.rows,
        seconds=seconds,
    )
    part.replace(path)
    return seconds


def evidence_of(name):
    """Return the evidence of a pair's report, from the cache."""
    with np.load(path_of(name)) as file:
        models = file["names"].tolist()
        P = {
            key: dict(zip(models, file[key], strict=True))
            for key in ("target", "part_source", "part_target")
        }
        return ClassEvidence(
            **P,
            classes=np.arange(file["target"].shape[2]),
            codes=file["codes"],
            source_proportions=file["source_proportions"],
            rows=file["rows"],
            is_labelled=np.zeros(len(file["rows"]), dtype=bool),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        running = [(name, pool.submit(compute, name, args.data)) for name in PAIRS]
        for name, future in running:
            if future.result() is not None:
                print(name, f"{future.result():.1f} s", flush=True)


if __name__ == "__main__":
    main()
