"""What early stopping costs and brings: the report's pairs, with the defaults.

`python benchmarks/reproduce/early_stopping.py --data folder` fits each pair of
benchmarks/regret.py that no default was chosen on, with and without
``early_stopping=True``, over the seeds. Target labels serve the table alone.
"""

import argparse
import sys
import time
import warnings

import numpy as np
import torch
from record import PLAIN, ROOT, save
from sklearn.pipeline import make_pipeline

from skdann import DANNClassifier

sys.path.insert(0, str(ROOT / "benchmarks"))
from pairs import load, preprocessing
from regret import PAIRS

WAYS = {"all epochs": False, "stopped early": True}


def run_pair(data_set, pair, data, n_seeds):
    """Return, by way, accuracy, share of the epochs and seconds of each seed."""
    X, y, X_tgt, y_tgt = load(data_set, pair, data)
    prepare = make_pipeline(*preprocessing(data_set)).fit(X)
    X, X_tgt = prepare.transform(X), prepare.transform(X_tgt)
    rows = {way: [] for way in WAYS}
    for seed in range(n_seeds):
        for way, early_stopping in WAYS.items():
            clf = DANNClassifier(
                **PLAIN, early_stopping=early_stopping, random_state=seed
            )
            started = time.perf_counter()
            clf.fit(X, y, X_tgt)
            seconds = time.perf_counter() - started
            progress = clf.net_.progress
            rows[way].append((clf.score(X_tgt, y_tgt), progress, seconds))
    return {way: np.transpose(row).tolist() for way, row in rows.items()}


def tabulate(stored):
    columns = ["data", "pairs", *WAYS, "share of the steps", "share of the time"]
    rows = []
    for data_set, pairs in stored.items():
        accuracy, shares = [], []
        for way in WAYS:
            of_pairs = np.array([row[way] for row in pairs.values()])
            accuracy.append(of_pairs[:, 0].mean(axis=0).tolist())
            shares.append(of_pairs[:, 1:].sum(axis=2))
        share = (shares[1] / shares[0]).mean(axis=0).tolist()
        rows.append([data_set, len(pairs), *accuracy, *share])
    means = [np.mean([row[i] for row in rows], axis=0).tolist() for i in range(2, 6)]
    rows.append(["mean of the sets", sum(row[1] for row in rows), *means])
    return {"means": {"columns": columns, "rows": rows}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=None, help="folder of the files")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    stored = {}
    for data_set, pairs in PAIRS["report"].items():
        stored[data_set] = {
            pair: run_pair(data_set, pair, args.data, args.seeds) for pair in pairs
        }
        save("early_stopping", tabulate(stored), pairs=stored, seeds=args.seeds)


if __name__ == "__main__":
    main()
