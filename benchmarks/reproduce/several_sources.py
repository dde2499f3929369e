"""Several labelled sites to one without labels: joined, told apart, or one of them.

`python benchmarks/reproduce/several_sources.py [--data folder]`. Each site of a data
set is the target once, all others are the source. Labels of the target are for the
accuracy.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import sys
import warnings
from pathlib import Path

import numpy as np
from record import save
from sklearn.pipeline import make_pipeline

from skdann import BaselineClassifier, DANNClassifier

sys.path.append(str(Path(__file__).parents[1]))

from pairs import load, preprocessing

SITES = {
    "heart": ("cleveland", "hungarian", "switzerland", "va"),
    "twin-gas": ("B1", "B2", "B3"),
    "office": ("amazon", "caltech10", "dslr", "webcam"),
}
N_SEEDS = 3
JOINED = {
    "logistic regression, scaled by the source": lambda seed: BaselineClassifier(
        standardize="source"
    ),
    "logistic regression, each domain by itself": lambda seed: BaselineClassifier(),
    "network, source only": lambda seed: DANNClassifier(
        lambda_max=0, random_state=seed
    ),
    'DANN, "binary"': lambda seed: DANNClassifier(random_state=seed),
    'DANN, "groups"': lambda seed: DANNClassifier(
        domain_classes="groups", random_state=seed
    ),
}
OF_ONE = "DANN, one source alone, "


def read(data_set, data):
    """Return X and y of each site."""
    return {
        site: load(data_set, f"{site}>{site}", data)[:2] for site in SITES[data_set]
    }


def accuracies(data_set, target, seed, data):
    """Return the accuracy of each model on a target."""
    rows = read(data_set, data)
    X_tgt, y_tgt = rows.pop(target)
    X, y = (np.concatenate(parts) for parts in zip(*rows.values(), strict=True))
    site = np.repeat(list(rows), [len(labels) for _, labels in rows.values()])
    scaler = make_pipeline(*preprocessing(data_set)).fit(X)
    X, X_tgt = scaler.transform(X), scaler.transform(X_tgt)
    found = {}
    for name, make in JOINED.items():
        model = make(seed)
        given = {"groups": site} if isinstance(model, DANNClassifier) else {}
        found[name] = model.fit(X, y, X_tgt, **given).score(X_tgt, y_tgt)
    of_one = [
        DANNClassifier(random_state=seed)
        .fit(X[site == one], y[site == one], X_tgt)
        .score(X_tgt, y_tgt)
        for one in rows
    ]
    found[OF_ONE + "the mean of all"] = np.mean(of_one)
    found[OF_ONE + "the best by labels of the target"] = np.max(of_one)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the files; the cache if none")
    data = parser.parse_args().data
    warnings.simplefilter("ignore")  # of domains that differ as they are meant to
    means = {}
    for data_set, sites in SITES.items():
        for seed in range(N_SEEDS):
            of_targets = [accuracies(data_set, site, seed, data) for site in sites]
            for name in of_targets[0]:
                mean = float(np.mean([found[name] for found in of_targets]))
                means.setdefault(name, {}).setdefault(data_set, []).append(mean)
            print(data_set, seed, flush=True)
    rows = [
        [name, *of_sets.values(), list(np.mean(list(of_sets.values()), axis=0))]
        for name, of_sets in means.items()
    ]
    table = {"columns": ["", *SITES, "mean"], "rows": rows}
    save("several_sources", {"all_to_one": table}, seeds=N_SEEDS)


if __name__ == "__main__":
    main()
