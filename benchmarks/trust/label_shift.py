"""Pure label shift: halves of one domain, the second with other proportions.

`python benchmarks/trust/label_shift.py [--data folder]` writes accuracies of each draw
into the cache. What `standardize` and `target_prior` have to recognize there: the
scales are right, the proportions are not.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import warnings
from pathlib import Path

import numpy as np
from domains import load
from run import CACHE
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skdann import AutoDANNClassifier, DANNClassifier

sys.path.append(str(Path(__file__).parents[1]))

from plain import PLAIN

# Of each, the source.
DOMAINS = [
    "tumors 0",
    "heart cleveland>va",
    "heart hungarian>va",
    "gas 1>3",
    "twin-gas B1>B2",
    "office amazon>webcam",
    "office caltech10>dslr",
    "adult men>women",
    "adult private>government",
    "phishing ip>name",
    "phishing name>ip",
    "digits mnist>usps",
    "digits usps>mnist",
]
N_DRAWS = 1
FEWEST_ROWS = 25

NETWORKS = {
    "earlier default: one network, scaled by the source": PLAIN,
    "default": {},
    'standardize="source"': {"standardize": "source"},
    'standardize="domain"': {"standardize": "domain"},
    "target_prior=None": {"target_prior": None},
}
AUTO = "AutoDANNClassifier"


def draw(X, y, seed):
    """Return X, y, X_tgt, y_tgt: disjoint halves, the second with other proportions."""
    rng = np.random.default_rng(seed)
    first, second = np.array_split(rng.permutation(len(y)), 2)
    classes, codes = np.unique(y, return_inverse=True)
    wanted = rng.dirichlet(np.ones(len(classes)))
    present = np.bincount(codes[second], minlength=len(classes)) / len(second)
    keep = wanted[codes[second]] / present[codes[second]]
    second = second[rng.random(len(second)) < keep / keep.max()]
    return X[first], y[first], X[second], y[second]


def accuracies(X, y, X_tgt, y_tgt, seed, known):
    """Return the accuracy of each classifier; those that are known stay."""
    source = StandardScaler().fit(X)
    linear = LogisticRegression(max_iter=2000).fit(source.transform(X), y)
    by_domain = StandardScaler().fit_transform(X_tgt)
    found = {
        "logistic regression, scaled by the source": linear.score(
            source.transform(X_tgt), y_tgt
        ),
        "logistic regression, each domain by itself": linear.score(by_domain, y_tgt),
    }
    for name, params in NETWORKS.items():
        if name in known:
            found[name] = known[name]
            continue
        A, B = X, X_tgt
        if params is PLAIN:
            A, B = map(source.transform, (X, X_tgt))
        clf = DANNClassifier(**params, random_state=seed).fit(A, y, B)
        found[name] = clf.score(B, y_tgt)
    auto = AutoDANNClassifier(random_state=seed)
    found[AUTO] = known.get(AUTO) or auto.fit(X, y, X_tgt).score(X_tgt, y_tgt)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    path = CACHE / "label_shift.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in DOMAINS:
        pair = load(name, args.data)
        for seed in range(N_DRAWS):
            key = f"{name} {seed}"
            data = draw(pair.X, pair.y, seed)
            known = results.get(key, {})
            if AUTO in known or len(data[3]) < FEWEST_ROWS:
                continue
            results[key] = accuracies(*data, seed, known)
            print(key, results[key], flush=True)
            path.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
