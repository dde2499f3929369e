"""A few labels of the target: accuracy against their number (JMLR, section 5.2.6).

`python benchmarks/reproduce/few_labels.py --data folder`. The labelled rows of the
target join the label loss by ``y_tgt``; the others stay unlabelled. Beside it: the same
network without adaptation, and logistic regression on the source and the labelled rows
together, and on the latter alone. Half of the target is never seen and tested on.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from record import PLAIN, ROOT, save
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdann import DANNClassifier

sys.path.insert(0, str(ROOT / "benchmarks"))
from pairs import load, preprocessing

PAIRS = {"amazon": "books>kitchen", "gas": "1>6"}
NUMBERS = [0, 12, 30, 100, 300]
METHODS = [
    "logistic regression, labelled target rows alone",
    "logistic regression, source and labelled target rows",
    "network, not adapted",
    "DANN",
]


def run(X, y, X_tgt, y_tgt, number, seed):
    """Return the accuracy of each method, trained with labels of `number` rows."""
    X_tgt, X_test, y_tgt, y_test = train_test_split(
        X_tgt, y_tgt, test_size=0.5, stratify=y_tgt, random_state=seed
    )
    known = np.random.default_rng(seed).permutation(len(y_tgt))[:number]
    partial = np.full(len(y_tgt), -1)
    partial[known] = y_tgt[known]
    stack = sparse.vstack if sparse.issparse(X) else np.vstack
    both = stack([X, X_tgt[known]]), np.concatenate([y, y_tgt[known]])
    alone = None
    if len(np.unique(y_tgt[known])) > 1:
        linear = LogisticRegression(max_iter=1000)
        alone = linear.fit(X_tgt[known], y_tgt[known]).score(X_test, y_test)
    scores = [
        alone,
        LogisticRegression(max_iter=1000).fit(*both).score(X_test, y_test),
    ]
    for lambda_max in (0, 1):
        clf = DANNClassifier(**PLAIN, lambda_max=lambda_max, random_state=seed)
        clf.fit(X, y, X_tgt, y_tgt=partial if number else None)
        scores.append(clf.score(X_test, y_test))
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=None, help="folder of the files")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    tables = {}
    for data_set, pair in PAIRS.items():
        X, y, X_tgt, y_tgt = load(data_set, pair, args.data)
        prepare = make_pipeline(*preprocessing(data_set)).fit(X)
        X, X_tgt = prepare.transform(X), prepare.transform(X_tgt)
        rows = []
        for number in NUMBERS:
            runs = [run(X, y, X_tgt, y_tgt, number, seed) for seed in range(args.seeds)]
            columns = zip(*runs, strict=True)
            rows.append([number, *(None if None in c else list(c) for c in columns)])
            print(pair, rows[-1], flush=True)
        columns = ["labelled target rows", *METHODS]
        tables[data_set] = {"columns": columns, "rows": rows}
        save("few_labels", tables, pairs=PAIRS, seeds=args.seeds)


if __name__ == "__main__":
    main()
