"""Feature vectors and tables: every pair, every method, target accuracy.

`python benchmarks/reproduce/vectors.py --data folder`. Each table is prepared in two
ways: scaled as the source is, and each domain scaled by itself, which is the simplest
adaptation there is. `lambda chosen` is the library's search with its default score,
without a label of the target, over five lambdas and two learning rates. skada's methods
run in `.venv-bench/skada` (`make .venv-bench/ready`). A pair that is stored is not run
again: remove the file to start afresh.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from record import PLAIN, RESULTS, ROOT, save
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import DANNClassifier
from skdann.model_selection import DANNGridSearchCV

sys.path.insert(0, str(ROOT / "benchmarks"))
from pairs import load, preprocessing

OFFICE = ("amazon", "caltech10", "dslr", "webcam")
PAIRS = {
    "gas": [f"1>{batch}" for batch in (2, 3, 4, 5, 6, 8, 9)],
    "office": [f"{s}>{t}" for s in OFFICE for t in OFFICE if s != t],
    "mnist-usps": ["mnist>usps", "usps>mnist"],
    "heart": ["cleveland>hungarian", "cleveland>switzerland", "cleveland>va"],
    "phishing": ["ip>name"],
    "adult": ["men>women"],
}
GRID = {"lambda_max": [0, 0.1, 0.3, 1, 3], "lr": [1e-3, 3e-3]}
SKADA = [
    "CORAL",
    "subspace alignment",
    "skada DANN, default head",
    "skada DANN, proper head",
]
METHODS = [
    "logistic regression",
    *SKADA,
    "source only",
    "DANN, defaults",
    "DANN, lambda chosen",
    "on target",
]


def skadas(methods, *, n_seeds, **arrays):
    """Return the accuracies of skada's methods, by name; none if one failed."""
    python = ROOT / ".venv-bench" / "skada" / "bin" / "python"
    worker = Path(__file__).with_name("skada_worker.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **arrays)
        result = subprocess.run(
            [python, worker, path, str(n_seeds), *methods],
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode:
        print(result.stderr[-1000:])
        return {}
    return json.loads(result.stdout.splitlines()[-1])


def run_prepared(X, y, X_tgt, y_tgt, n_seeds):
    search = DANNGridSearchCV(
        DANNClassifier(**PLAIN, random_state=0),
        GRID,
        cv=ShuffleSplit(1, test_size=0.2, random_state=0),
        refit=False,
    ).fit(X, y, X_tgt)
    networks = {
        "source only": {"lambda_max": 0},
        "DANN, defaults": {},
        "DANN, lambda chosen": search.best_params_,
    }
    accuracies = {
        name: [
            DANNClassifier(**{**PLAIN, **params}, random_state=seed)
            .fit(X, y, X_tgt)
            .score(X_tgt, y_tgt)
            for seed in range(n_seeds)
        ]
        for name, params in networks.items()
    }
    linear = LogisticRegression(max_iter=1000).fit(X, y)
    on_target = DANNClassifier(**PLAIN, lambda_max=0, random_state=0)
    return {
        "logistic regression": linear.score(X_tgt, y_tgt),
        **accuracies,
        "on target": float(cross_val_score(on_target, X_tgt, y_tgt, cv=2).mean()),
        "chosen": search.best_params_,
    }


def run_pair(data_set, pair, data, n_seeds, done):
    """Return the accuracies of a pair, by how each domain is scaled.

    What is ``done`` is not done again: skada's methods may have failed or lacked.
    """
    X, y, X_tgt, y_tgt = load(data_set, pair, data)
    prepare = make_pipeline(*preprocessing(data_set)).fit(X)
    X, X_tgt = prepare.transform(X), prepare.transform(X_tgt)
    apart = [StandardScaler().fit_transform(rows) for rows in (X, X_tgt)]
    row = {}
    for scaling, (S, T) in {"as the source": (X, X_tgt), "by itself": apart}.items():
        row[scaling] = done.get(scaling) or run_prepared(S, y, T, y_tgt, n_seeds)
        arrays = {"X": S, "y": y, "X_tgt": T, "y_tgt": y_tgt}
        lacking = [name for name in SKADA if name not in row[scaling]]
        if lacking:
            row[scaling] |= skadas(lacking, n_seeds=n_seeds, **arrays)
    return row


def tabulate(stored):
    """Return a table of each data set, and one of the means of all."""
    tables, means = {}, []
    for data_set, pairs in stored.items():
        rows = []
        for scaling in ("as the source", "by itself"):
            found = [[row[scaling].get(m) for m in METHODS] for row in pairs.values()]
            rows += [
                [pair, scaling, *cells]
                for pair, cells in zip(pairs, found, strict=True)
            ]
            columns = zip(*found, strict=True)
            mean = [None if None in column else _mean(column) for column in columns]
            rows.append(["mean", scaling, *mean])
            means.append([data_set, scaling, *mean])
        columns = ["pair", "each scaled", *METHODS]
        tables[data_set.replace("-", "_")] = {"columns": columns, "rows": rows}
    columns = ["data", "each scaled", *METHODS]
    return {"means": {"columns": columns, "rows": means}, **tables}


def _mean(cells):
    return np.mean(cells, axis=0).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=None, help="folder of the files")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="data sets; all if not given")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    path = RESULTS / "vectors.json"
    record = json.loads(path.read_text()) if path.exists() else None
    stored = record["settings"]["pairs"] if record else {}
    for data_set, pairs in PAIRS.items():
        for pair in pairs:
            done = stored.setdefault(data_set, {}).get(pair, {})
            complete = done and all(m in row for m in METHODS for row in done.values())
            if complete or (args.only and data_set not in args.only):
                continue
            row = run_pair(data_set, pair, args.data, args.seeds, done)
            stored[data_set][pair] = row
            save("vectors", tabulate(stored), pairs=stored, seeds=args.seeds, grid=GRID)


if __name__ == "__main__":
    main()
