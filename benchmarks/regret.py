"""What each score without target labels chooses, against what labels would choose.

`python benchmarks/regret.py run choose [--data folder]` trains all candidates on
the pairs that the default was chosen on, `run report` on those that are reported;
`python benchmarks/regret.py tables` prints the tables from what was stored. A pair that
is stored is not run again: remove results/regret.json to start afresh.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from arena import machine
from pairs import load, preprocessing
from plain import PLAIN
from sklearn.pipeline import make_pipeline

from skdann import DANNClassifier
from skdann.model_selection import DANNGridSearchCV
from skdann.model_selection._selection import choose

RESULTS = Path(__file__).parent / "results" / "regret.json"

GRID = {
    "dannclassifier__lambda_max": [0, 0.1, 0.3, 1, 3],
    "dannclassifier__lr": [1e-3, 1e-2],
}
SCORES = [
    "infomax",
    "nuclear_norm",
    "neg_entropy",
    "neg_iwv",
    "neg_dev",
    "neg_devn",
    "ensemble_agreement",
    "reverse_validation",
    "source_accuracy",
]

# The default score and guards were chosen on the first, the tables are of the others.
PAIRS = {
    "choose": {
        "gas": ["2>4", "2>6", "2>9"],
        "office": ["caltech10>dslr", "webcam>amazon"],
        "mnist-usps": ["mnist>usps", "usps>mnist"],
        "amazon": ["dvd>electronics"],
        "phishing": ["ip>name"],
    },
    "report": {
        "gas": ["1>2", "1>3", "1>4", "1>5", "1>6", "1>8", "1>9"],
        "office": [
            "amazon>caltech10",
            "amazon>dslr",
            "amazon>webcam",
            "caltech10>amazon",
            "caltech10>webcam",
            "dslr>amazon",
            "dslr>caltech10",
            "dslr>webcam",
            "webcam>caltech10",
            "webcam>dslr",
        ],
        "amazon": ["books>kitchen", "electronics>books", "kitchen>dvd"],
        "heart": ["cleveland>hungarian", "cleveland>switzerland", "cleveland>va"],
    },
}


class TargetAccuracy:
    """Looks at target labels: for the tables only, never for the choice."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __call__(self, estimator, X, y):
        return estimator.score(self.X, self.y)


def run_pair(data, data_set, pair):
    X, y, X_tgt, y_tgt = load(data_set, pair, data)
    pipe = make_pipeline(
        *preprocessing(data_set), DANNClassifier(**PLAIN, random_state=0)
    )
    scoring = dict.fromkeys(SCORES) | {"target": TargetAccuracy(X_tgt, y_tgt)}
    scoring = {name: scorer or name for name, scorer in scoring.items()}
    search = DANNGridSearchCV(pipe, GRID, scoring=scoring, refit=False, cv=3, n_jobs=2)
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y, X_tgt)
    results = search.cv_results_
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "params": results["params"],
        **{name: results[f"mean_test_{name}"].round(6).tolist() for name in scoring},
        "std_source_accuracy": results["std_test_source_accuracy"].round(6).tolist(),
    }


def run(which, data, only):
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for data_set, pairs in PAIRS[which].items():
        for pair in pairs:
            done = stored.get(which, {}).get(data_set, {})
            if pair in done or (only and data_set not in only):
                continue
            row = run_pair(data, data_set, pair)
            stored.setdefault(which, {}).setdefault(data_set, {})[pair] = row
            stored["about"] = about()
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
            print(which, data_set, pair, row["seconds"], flush=True)


def about():
    """Return how the pairs were run; the machine is that of the last one."""
    return {
        "command": "python benchmarks/regret.py run choose --data folder; run report",
        "settings": {"seeds": 1, "random_state": 0, "folds": 3, "grid": GRID},
        "machine": machine(),
    }


def pick(row, score, tolerance):
    """Return (source only, chosen, oracle): accuracy on the target."""
    peaks = np.array([p["dannclassifier__lambda_max"] for p in row["params"]])
    target, on_source = np.array(row["target"]), np.array(row["source_accuracy"])
    plain = np.flatnonzero(peaks == 0)
    alone = plain[np.argmax(on_source[plain])]  # its learning rate, by the source
    chosen = choose(np.array(row[score]), on_source, peaks, tolerance=tolerance)
    return target[alone], target[chosen], target.max()


def tables(which, tolerance):
    stored = json.loads(RESULTS.read_text())[which]
    print(f"| {which} | pairs | source only | oracle | {' | '.join(SCORES)} |")
    print("|---" * (4 + len(SCORES)) + "|")
    means = []
    for data_set, pairs in stored.items():
        picks = np.array(
            [[pick(row, s, tolerance) for s in SCORES] for row in pairs.values()]
        )
        alone, oracle = picks[:, 0, 0].mean(), picks[:, 0, 2].mean()
        chosen = picks[:, :, 1].mean(axis=0)
        means.append([alone, oracle, *chosen])
        cells = " | ".join(f"{value:.3f}" for value in means[-1])
        print(f"| {data_set} | {len(pairs)} | {cells} |")
    cells = " | ".join(f"{value:.3f}" for value in np.mean(means, axis=0))
    print(f"| mean of the sets | | {cells} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "tables"])
    parser.add_argument("which", nargs="?", choices=list(PAIRS), default="report")
    parser.add_argument("--data", help="folder of the files; the cache if none")
    parser.add_argument("--only", nargs="*", help="data sets; all if not given")
    parser.add_argument("--tolerance", type=float, default=0.05)
    args = parser.parse_args()
    if args.command == "run":
        run(args.which, args.data, args.only)
    else:
        tables(args.which, args.tolerance)


if __name__ == "__main__":
    main()
