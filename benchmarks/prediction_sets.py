"""Do sets of labels hold the true one as often as they promise, without target labels?

`python benchmarks/prediction_sets.py [--data folder]` measures weighted split conformal
prediction (Tibshirani et al. 2019) where the shift is one of covariates and its density
ratio known, and on the 69 pairs of real domains; beside it the same without weights,
and with the labels of 60 target rows. It writes docs/results/prediction_sets.json.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

sys.path.append(str(Path(__file__).parent / "trust"))
sys.path.append(str(Path(__file__).parent / "reproduce"))

from domains import PAIRS, SIXTEEN, load
from record import save

from skdann import BaselineClassifier, DANNClassifier
from skdann.metrics import density_ratio

ALPHA = 0.1
N_LABELLED = 60
MAX_TARGET = 1500
SEEDS = 3
REPETITIONS = 100
DRAWS = 20


def thresholds(scores, weight, weight_tgt):
    """Return the weighted quantile of the scores for each target row, infinity too."""
    order = np.argsort(scores)
    below = np.cumsum(weight[order])
    needed = (1 - ALPHA) * (below[-1] + weight_tgt)
    return np.append(scores[order], np.inf)[
        np.searchsorted(below, needed * (1 - 1e-12))
    ]


def estimated(X, X_tgt, n_folds=5):
    """Return density ratios of rows that did not help to estimate them."""
    rng = np.random.default_rng(0)
    folds, folds_tgt = (rng.permutation(len(A)) % n_folds for A in (X, X_tgt))
    weight, weight_tgt = np.empty(len(X)), np.empty(len(X_tgt))
    for k in range(n_folds):
        rest = X[folds != k], X_tgt[folds_tgt != k]
        weight[folds == k] = density_ratio(*rest, X[folds == k])
        weight_tgt[folds_tgt == k] = density_ratio(*rest, X_tgt[folds_tgt == k])
    return weight, weight_tgt


def effective(weight):
    """Return how many rows of equal weight would be as sure, of all."""
    return weight.sum() ** 2 / (weight**2).sum() / len(weight)


# ---- made


def made(n, mean, rng):
    X = rng.normal(size=(n, 5))
    X[:, :2] += mean
    signal = 2 * np.sin(2 * X[:, 0]) + X[:, 1] + 0.5 * X[:, 2] * X[:, 0]
    spread = 0.2 + 0.3 * np.abs(X[:, 0])  # larger where the target lies
    y = signal + spread * rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-2 * signal))).astype(int)
    return X, label, y


def of_made(mean, task, rng):
    """Return coverage and share of unbounded sets by the kind of weight."""
    X, label, y = made(500, 0, rng)
    X_cal, label_cal, y_cal = made(500, 0, rng)
    X_tgt, label_tgt, y_tgt = made(500, mean, rng)
    if task == "classes":
        model = LogisticRegression().fit(X, label)
        P, P_tgt = model.predict_proba(X_cal), model.predict_proba(X_tgt)
        scores = 1 - P[np.arange(len(P)), label_cal]
        of_truth = 1 - P_tgt[np.arange(len(P_tgt)), label_tgt]
        largest = 1 - P_tgt.min(axis=1)
    else:
        model = RandomForestRegressor(30, min_samples_leaf=5, random_state=0).fit(X, y)
        scores = abs(y_cal - model.predict(X_cal))
        of_truth = abs(y_tgt - model.predict(X_tgt))
        largest = np.full(len(y_tgt), np.finfo(float).max)
    exact = tuple(np.exp(mean * A[:, :2].sum(axis=1) - mean**2) for A in (X_cal, X_tgt))
    kinds = {
        "unweighted": (np.ones(len(X_cal)), np.ones(len(X_tgt))),
        "exact ratio": exact,
        "estimated ratio": estimated(X_cal, X_tgt),
    }
    found = {}
    for kind, (weight, weight_tgt) in kinds.items():
        limit = thresholds(scores, weight, weight_tgt)
        found[kind] = np.mean(of_truth <= limit), np.mean(largest <= limit)
    found["rows"] = effective(exact[0])
    return found


def made_table():
    kinds = ["unweighted", "exact ratio", "estimated ratio"]
    rows = []
    for task in ("classes", "numbers"):
        for mean in (0, 0.5, 1.0, 1.5):
            rng = np.random.default_rng(0)
            runs = [of_made(mean, task, rng) for _ in range(REPETITIONS)]
            rows.append(
                [
                    f"{task}, mean of two columns moved by {mean:g}",
                    *([float(run[kind][0]) for run in runs] for kind in kinds),
                    float(np.mean([run["estimated ratio"][1] for run in runs])),
                    float(np.mean([run["rows"] for run in runs])),
                ]
            )
    heads = [f"covered, {kind}" for kind in kinds]
    heads += ["full or infinite, estimated ratio", "effective rows"]
    return {"columns": ["shift", *heads], "rows": rows}


# ---- real

KINDS = ("unweighted", "weighted", "labels")


def scaled(X, X_tgt, X_test, how):
    """Return rows as the domain classifier gets them."""
    of_target = X_tgt if how == "domain" else X

    def scale(A, by):
        return (A - by.mean(axis=0)) / (by.std(axis=0) + 1e-9)

    return scale(X, X), scale(X_test, of_target)


def of_pair(pair, model, seed):
    """Return figures by the kind of calibration."""
    X, X_tgt = pair.X.astype(float), pair.X_tgt.astype(float)
    X_test, y_test = pair.X_test.astype(float)[:MAX_TARGET], pair.y_test[:MAX_TARGET]
    train, held_out = train_test_split(
        np.arange(len(X)), test_size=0.5, stratify=pair.y, random_state=seed
    )
    model.fit(X[train], pair.y[train], X_tgt)
    how = getattr(model, "standardize_", model.standardize)
    P_cal = model.predict_proba(X[held_out], domain="source")
    P = model.predict_proba(X_test, domain="target")
    scores = 1 - P_cal[np.arange(len(P_cal)), pair.y[held_out]]
    known = y_test >= 0
    of_truth = np.where(known, 1 - P[np.arange(len(P)), np.maximum(y_test, 0)], np.inf)
    ones = np.ones(len(scores)), np.ones(len(P))
    inputs = scaled(X[held_out], X_tgt, X_test, how)
    weights = estimated(*inputs)
    found = {
        "unweighted": _figures(P, of_truth, thresholds(scores, *ones)),
        "weighted": _figures(P, of_truth, thresholds(scores, *weights)),
        "labels": _with_labels(P, of_truth, seed),
    }
    found["weighted"]["rows"] = effective(weights[0])
    return found


def _figures(P, of_truth, limit):
    sets = limit[:, None] >= (1 - P)
    is_full, covered = sets.all(axis=1), of_truth <= limit
    return {"covered": covered.mean(), "size": sets.mean(), "full": is_full.mean()}


def _with_labels(P, of_truth, seed):
    """Calibrate on the labels of some target rows, drawn at random."""
    rng, runs = np.random.default_rng(seed), []
    n_labelled = min(N_LABELLED, len(P) // 2)
    for _ in range(DRAWS):
        rows = rng.permutation(len(P))
        labelled, rest = rows[:n_labelled], rows[n_labelled:]
        limit = thresholds(of_truth[labelled], np.ones(n_labelled), np.ones(len(rest)))
        runs.append(_figures(P[rest], of_truth[rest], limit))
    return {name: np.mean([run[name] for run in runs]) for name in runs[0]}


# By the name of their table: logistic regression, columns in the scales of the source,
# or of each domain; and the default network.
MODELS = {
    "source": (
        lambda seed: BaselineClassifier(standardize="source"),
        PAIRS,
    ),
    "domain": (
        lambda seed: BaselineClassifier(standardize="domain"),
        PAIRS,
    ),
    "dann": (lambda seed: DANNClassifier(random_state=seed), SIXTEEN),
}


def real_tables(data):
    columns = ["pairs of", "plain", "weighted", "lowest", "size", "full", "rows"]
    columns += ["60 labels", "lowest", "size"]
    tables = {}
    for name, (make, pairs) in MODELS.items():
        seeds = 1 if name == "dann" else SEEDS
        found = {}
        for pair_name in pairs:
            pair = load(pair_name, data)
            runs = [of_pair(pair, make(seed), seed) for seed in range(seeds)]
            found[pair_name] = {
                kind: {k: np.mean([r[kind][k] for r in runs]) for k in runs[0][kind]}
                for kind in KINDS
            }
            print(name, pair_name, found[pair_name], flush=True)
        data_sets = list(dict.fromkeys(p.partition(" ")[0] for p in pairs))
        of_each = {
            d: [v for p, v in found.items() if p.startswith(f"{d} ")] for d in data_sets
        }
        of_each["all"] = list(found.values())
        tables[name] = {
            "columns": columns,
            "rows": [_row(d, values) for d, values in of_each.items()],
        }
    return tables


def _row(data_set, values):
    def mean(kind, figure):
        return float(np.mean([v[kind][figure] for v in values]))

    def lowest(kind):
        return float(min(v[kind]["covered"] for v in values))

    return [
        f"{data_set} ({len(values)})",
        mean("unweighted", "covered"),
        mean("weighted", "covered"),
        lowest("weighted"),
        mean("weighted", "size"),
        mean("weighted", "full"),
        mean("weighted", "rows"),
        mean("labels", "covered"),
        lowest("labels"),
        mean("labels", "size"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = {"made": made_table(), **real_tables(args.data)}
    settings = {"seeds": SEEDS, "repetitions": REPETITIONS, "draws": DRAWS}
    save("prediction_sets", tables, alpha=ALPHA, labelled=N_LABELLED, **settings)


if __name__ == "__main__":
    main()
