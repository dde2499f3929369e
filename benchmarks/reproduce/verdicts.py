"""What the report says of pairs of domains, beside what adapting did to the target.

`python benchmarks/reproduce/verdicts.py --data folder`. The limits of the report were
chosen on 33 other pairs (gas from batches 1 and 2, Office, MNIST and USPS, phishing,
census, heart from Cleveland, four of the reviews). Target labels serve the table alone.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from record import PLAIN, ROOT, save
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons
from skdann.inspection import adaptation_report
from skdann.metrics._proportions import total_variation

sys.path.insert(0, str(ROOT / "benchmarks"))
from pairs import load, preprocessing

PAIRS = {
    "moons": ["turned"],
    "tumors": ["mean cell>largest cells"],
    "gas": ["3>1", "3>5", "4>5", "5>6", "6>8", "8>9", "6>3", "9>6"],
    "heart": ["hungarian>cleveland", "va>cleveland", "hungarian>va", "va>hungarian"],
    "amazon": [
        "books>dvd",
        "books>electronics",
        "dvd>books",
        "dvd>kitchen",
        "electronics>books",
        "electronics>kitchen",
        "kitchen>dvd",
        "kitchen>electronics",
    ],
}
SHOWN = {
    "other_proportions": "proportions",
    "lost_source": "source lost",
    "lost_reverse": "way back lost",
    "lost_infomax": "infomax lost",
    "one_class": "one class",
    "missing_classes": "class missing",
}


def load_any(data_set, pair, data):
    if data_set == "moons":
        return make_shifted_moons(random_state=0)
    if data_set == "tumors":
        X, y = load_breast_cancer(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(y))
        source, target = order[:285], order[285:]
        return X[source, :10], y[source], X[target, 20:], y[target]
    return load(data_set, pair, data)


def run(data_set, pair, data):
    X, y, X_tgt, y_tgt = load_any(data_set, pair, data)
    steps = [] if data_set == "moons" else preprocessing(data_set)
    if steps:
        prepare = make_pipeline(*steps).fit(X)
        X, X_tgt = prepare.transform(X), prepare.transform(X_tgt)
    clf = DANNClassifier(**PLAIN, random_state=0).fit(X, y, X_tgt)
    alone = DANNClassifier(**PLAIN, lambda_max=0, random_state=0).fit(X, y, X_tgt)
    report = adaptation_report(clf, X, y, X_tgt, random_state=0)
    accuracy = alone.score(X_tgt, y_tgt), clf.score(X_tgt, y_tgt)
    proportions = report.measures.proportions
    truth = np.mean(np.asarray(y_tgt)[:, None] == report.measures.classes, axis=0)
    shifts = [
        total_variation(proportions["source"], other)
        for other in (truth, proportions["estimated"])
    ]
    kinds = {finding.kind for finding in report.findings}
    found = ", ".join(text for kind, text in SHOWN.items() if kind in kinds)
    gain = accuracy[1] - accuracy[0]
    return [f"{data_set}: {pair}", *accuracy, gain, report.verdict, *shifts, found]


def count(rows):
    """Count, of each verdict, how often adapting had helped by a point or cost one."""
    counted = []
    for verdict in ("for", "open", "against"):
        gains = np.array([row[3] for row in rows if row[4] == verdict])
        numbers = (
            (gains > 0.01).sum(),
            (abs(gains) <= 0.01).sum(),
            (gains < -0.01).sum(),
        )
        mean = float(gains.mean()) if len(gains) else None
        counted.append([verdict, *map(int, numbers), mean])
    return counted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=None, help="folder of the files")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows = []
    for data_set, pairs in PAIRS.items():
        for pair in pairs:
            rows.append(run(data_set, pair, args.data))
            print(rows[-1], flush=True)
    columns = ["pair", "source only", "adapted", "gain", "the scores speak"]
    columns += ["proportions differ by", "estimated", "found"]
    counts = ["the scores speak", "helped", "neither", "hurt", "mean gain"]
    tables = {
        "pairs": {"columns": columns, "rows": rows},
        "counts": {"columns": counts, "rows": count(rows)},
    }
    save("verdicts", tables, seeds=1)


if __name__ == "__main__":
    main()
