"""Measure how often the command's verdict "for" was right.

`python benchmarks/trust/command.py [--data folder] [--rows 1000]`, on the pairs that
decide on defaults: fits the combination on at most so many rows of each domain and
prints what the verdict is made of, the accuracy on the target, and that of logistic
regressions.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch

import warnings

import numpy as np
import pandas as pd
from domains import PAIRS, load

from skdann import AutoDANNClassifier
from skdann._auto._judged_classes import AGREED
from skdann._cli._columns import Column
from skdann._cli._trust import DISPUTED, LEAST_KAPPA, OTHER_PROPORTIONS, UNLIKE
from skdann._cli._unlike import describe_unlike, learn_limits

LINEAR = "logistic regression, "


def measure(name, data, n_rows):
    """Return the figures of a pair, by name."""
    pair = load(name, data)
    rng = np.random.default_rng(0)
    rows, rows_tgt = (rng.permutation(len(A))[:n_rows] for A in (pair.X, pair.X_tgt))
    X, y, X_tgt = pair.X[rows], pair.y[rows], pair.X_tgt[rows_tgt]
    X_test, y_test = pair.X_test, pair.y_test
    if pair.X_test is pair.X_tgt:
        X_test, y_test = X_tgt, pair.y_test[rows_tgt]
    auto = AutoDANNClassifier(random_state=0).fit(X, y, X_tgt)
    answers = auto._candidate_answers(X_tgt)
    codes = range(len(auto.classes_))
    agreed = np.max([answers.weights @ (answers.answers == c) for c in codes], axis=0)
    predicted = auto.predict(X_tgt)
    shares = [
        [np.mean(labels == c) for c in auto.classes_] for labels in (y, predicted)
    ]
    linear = [
        auto.candidates_[LINEAR + scales].score(X_test, y_test)
        for scales in ("source", "by domain")
    ]
    return {
        "disputed": np.mean(agreed < AGREED),
        "kappa": np.nansum(auto.results_["agreement"] * auto.results_["weight"]),
        "change": np.abs(np.subtract(*shares)).sum() / 2,
        "unlike": unlike(X, X_tgt),
        "accuracy": auto.score(X_test, y_test),
        "linear": linear[0],
        "better linear": max(linear),
    }


def unlike(X, X_tgt):
    """Return the share of target rows that the command would flag."""
    names = [f"column {j}" for j in range(X.shape[1]) if np.ptp(X[:, j]) > 0]
    source, target = (
        pd.DataFrame(A[:, np.ptp(X, axis=0) > 0], columns=names) for A in (X, X_tgt)
    )
    limits = learn_limits(source, [Column(name, "number") for name in names])
    return np.mean([bool(reason) for reason in describe_unlike(target, limits)])


def is_for(figures):
    """Whether the command, with --quick, would say "for"."""
    return (
        figures["disputed"] <= DISPUTED
        and figures["kappa"] >= LEAST_KAPPA
        and figures["change"] <= OTHER_PROPORTIONS
        and figures["unlike"] <= UNLIKE
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the files; the user's cache if none")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("pairs", nargs="*", default=PAIRS, metavar="PAIR")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in args.pairs:
        figures = measure(name, args.data, args.rows)
        told = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
        print(
            f"{name:30s} {'for' if is_for(figures) else 'open':5s} {told}", flush=True
        )


if __name__ == "__main__":
    main()
