"""What each score without target labels chooses, against what labels would choose.

`python benchmarks/regret.py run choose --data ../shared/data` trains all candidates on
the pairs that the default was chosen on, `run report` on those that are reported;
`python benchmarks/regret.py tables` prints the tables from what was stored.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

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
        "phishing": ["0>1"],
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


def to_float32(X):
    return X.astype("float32")


def scaled(*steps):
    return make_pipeline(
        *steps,
        StandardScaler(),
        FunctionTransformer(to_float32),
        DANNClassifier(random_state=0),
    )


def load_gas(data, name):
    arrays = np.load(data / "gas_drift.npz")
    return (arrays[f"X_batch{name}"], arrays[f"y_batch{name}"]), scaled()


def load_office(data, name):
    arrays = np.load(data / "office_caltech_surf.npz")
    X = arrays[f"X_{name}"].astype(float)
    X /= np.maximum(X.sum(axis=1, keepdims=True), 1)
    return (X, arrays[f"y_{name}"]), scaled()


def load_digits(data, name):
    arrays = np.load(data / "mnist_usps_256.npz")
    X = arrays[f"X_{name}"]
    X = (X / X.max()).astype("float32")
    return (X, arrays[f"y_{name}"]), make_pipeline(
        FunctionTransformer(to_float32), DANNClassifier(random_state=0)
    )


def load_amazon(data, name):
    arrays = np.load(data / "amazon_reviews.npz")
    parts = (arrays[f"{name}_train_{part}"] for part in ("data", "indices", "indptr"))
    values, indices, indptr = parts
    y = arrays[f"{name}_train_y"]
    matrix = (values.astype("f4"), indices.astype("i4"), indptr)
    X = csr_matrix(matrix, shape=(len(y), 5000))
    tfidf = TfidfTransformer(sublinear_tf=True)
    return (X, y), make_pipeline(tfidf, DANNClassifier(random_state=0))


def load_phishing(data, name):
    arrays = np.load(data / "phishing.npz")
    rows = arrays["domain"] == int(name)
    return (arrays["X"][rows].astype(float), arrays["y"][rows]), scaled()


def load_heart(data, name):
    arrays = np.load(data / "heart_disease_hospitals.npz")
    return (arrays[f"X_{name}"], arrays[f"y_{name}"]), scaled(
        SimpleImputer(keep_empty_features=True)
    )


LOADERS = {
    "gas": load_gas,
    "office": load_office,
    "mnist-usps": load_digits,
    "amazon": load_amazon,
    "phishing": load_phishing,
    "heart": load_heart,
}


class TargetAccuracy:
    """Looks at target labels: for the tables only, never for the choice."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __call__(self, estimator, X, y):
        return estimator.score(self.X, self.y)


def run_pair(data, data_set, pair):
    source, target = pair.split(">")
    (X, y), pipe = LOADERS[data_set](data, source)
    (X_tgt, y_tgt), _ = LOADERS[data_set](data, target)
    scoring = dict.fromkeys(SCORES) | {"target": TargetAccuracy(X_tgt, y_tgt)}
    scoring = {name: scorer or name for name, scorer in scoring.items()}
    search = DANNGridSearchCV(pipe, GRID, scoring=scoring, refit=False, cv=3)
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
            if only and data_set not in only:
                continue
            row = run_pair(data, data_set, pair)
            stored.setdefault(which, {}).setdefault(data_set, {})[pair] = row
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
            print(which, data_set, pair, row["seconds"], flush=True)


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
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", help="data sets; all if not given")
    parser.add_argument("--tolerance", type=float, default=0.05)
    args = parser.parse_args()
    if args.command == "run":
        run(args.which, args.data, args.only)
    else:
        tables(args.which, args.tolerance)


if __name__ == "__main__":
    main()
