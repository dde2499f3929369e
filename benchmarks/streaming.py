"""A target that drifts: what new batches of it ask for.

`python benchmarks/streaming.py [--data folder]`. Gas sensors over 36 months: the source
is the first batch; the others arrive one by one, without labels, and each is to be
predicted when it is there. It writes docs/results/streaming.json.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

sys.path.append(str(Path(__file__).parent / "reproduce"))
sys.path.append(str(Path(__file__).parent))

from pairs import FETCH
from record import save

from skdann import DANNClassifier
from skdann.inspection import column_shift

BATCHES = (2, 3, 4, 5, 6, 8, 9)
MAX_ROWS = 1500
SEEDS = 3


def arrive(data):
    """Return the source, and the batches of the target in their order."""
    parts = [FETCH["gas"](k, data_home=data, return_X_y=True) for k in (1, *BATCHES)]
    rng = np.random.default_rng(0)
    rows = [rng.permutation(len(y))[:MAX_ROWS] for _, y in parts]
    source, *targets = [
        (X[some].astype(np.float32), y[some])
        for (X, y), some in zip(parts, rows, strict=True)
    ]
    return source, targets


def source_only(source, targets, seed):
    clf = DANNClassifier(lambda_max=0, random_state=seed).fit(*source)
    return [clf.score(X, y) for X, y in targets]


def kept(source, targets, seed):
    clf = DANNClassifier(random_state=seed).fit(*source, targets[0][0])
    return [clf.score(X, y) for X, y in targets]


def anew(source, targets, seed, n_before=0):
    """Fit again for each batch, on it and on some of those before it."""
    scores = []
    for k, (X, y) in enumerate(targets):
        latest = np.concatenate([A for A, _ in targets[max(0, k - n_before) : k + 1]])
        clf = DANNClassifier(random_state=seed).fit(*source, latest)
        scores.append(clf.score(X, y))
    return scores


def step_by_step(source, targets, seed):
    """Fit anew on each batch, from the one before, labelled by the model of that."""
    scores = []
    for X, y in targets:
        clf = DANNClassifier(random_state=seed).fit(*source, X)
        scores.append(clf.score(X, y))
        source = X, clf.predict(X)
    return scores


def continued(source, targets, seed, n_calls, **parameters):
    """Continue by partial_fit on the source and each batch that arrives."""
    clf = DANNClassifier(random_state=seed, **parameters).fit(*source, targets[0][0])
    scores = [clf.score(*targets[0])]
    for X, y in targets[1:]:
        for _ in range(n_calls):
            clf.partial_fit(*source, X)
        scores.append(clf.score(X, y))
    return scores


def rescaled(source, targets, seed, n_calls):
    """Continue by partial_fit, each batch standardized by itself before it."""

    def scale(X):
        return (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)

    targets = [(scale(X), y) for X, y in targets]
    source = scale(source[0]), source[1]
    return continued(source, targets, seed, n_calls, standardize=None)


STRATEGIES = {
    "source only": source_only,
    "adapted once, to the first batch": kept,
    "partial_fit, 1 call a batch": lambda *args: continued(*args, 1),
    "partial_fit, 10 calls a batch": lambda *args: continued(*args, 10),
    "each batch standardized, partial_fit, 1 call": lambda *args: rescaled(*args, 1),
    "each batch standardized, partial_fit, 10 calls": lambda *args: rescaled(*args, 10),
    "fit anew, from the batch before, labelled by its model": step_by_step,
    "fit anew, on the batch": anew,
    "fit anew, on all batches so far": lambda *args: anew(*args, len(BATCHES)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    source, targets = arrive(args.data)
    rows = []
    for name, strategy in STRATEGIES.items():
        begin = time.process_time()
        runs = [strategy(source, targets, seed) for seed in range(SEEDS)]
        seconds = (time.process_time() - begin) / SEEDS
        scores = np.transpose(runs).tolist()
        print(name, np.mean(runs, axis=0).round(3), f"{seconds:.0f} s", flush=True)
        rows.append([name, *scores, float(np.mean(runs)), round(seconds)])
    shifts = [
        column_shift(targets[0][0], X, random_state=0).auc for X, _ in targets[1:]
    ]
    rows.append(["told apart from the first batch, AUC", None, *shifts, None, None])
    columns = ["", *(f"batch {k}" for k in BATCHES), "mean", "seconds"]
    save("streaming", {"gas": {"columns": columns, "rows": rows}}, seeds=SEEDS)


if __name__ == "__main__":
    main()
