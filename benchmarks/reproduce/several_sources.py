"""Several labelled sites to one without labels: joined, told apart, or one of them.

`python benchmarks/reproduce/several_sources.py [--data folder]`. Each site of a data
set is the target once, all others are the source. Labels of the target are for the
accuracy. A data set that is stored is not run again: remove the file to start afresh.
"""

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import sys
import warnings
from pathlib import Path

import numpy as np
from record import RESULTS, save
from scipy import sparse
from sklearn.pipeline import make_pipeline

from skdann import BaselineClassifier, DANNClassifier

sys.path.append(str(Path(__file__).parents[1]))

from pairs import load, preprocessing

SITES = {
    "heart": ("cleveland", "hungarian", "switzerland", "va"),
    "twin-gas": ("B1", "B2", "B3"),
    "office": ("amazon", "caltech10", "dslr", "webcam"),
    "amazon": ("books", "dvd", "electronics", "kitchen"),
}
N_SEEDS = {"heart": 3, "twin-gas": 3, "office": 3, "amazon": 1}  # 6,000 rows of 5,000
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


def joined(data_set, target, data):
    """Return X, y, X_tgt, y_tgt and the site of each source row."""
    rows = read(data_set, data)
    X_tgt, y_tgt = rows.pop(target)
    parts, labels = zip(*rows.values(), strict=True)
    join = sparse.vstack if sparse.issparse(X_tgt) else np.concatenate
    X, y = join(parts), np.concatenate(labels)
    site = np.repeat(list(rows), [len(labels) for _, labels in rows.values()])
    scaler = make_pipeline(*preprocessing(data_set)).fit(X)
    return scaler.transform(X), y, scaler.transform(X_tgt), y_tgt, site


def accuracies(data_set, target, seed, data):
    """Return the accuracy of each model on a target."""
    X, y, X_tgt, y_tgt, site = joined(data_set, target, data)
    found = {}
    for name, make in JOINED.items():
        model = make(seed)
        given = {"groups": site} if isinstance(model, DANNClassifier) else {}
        found[name] = model.fit(X, y, X_tgt, **given).score(X_tgt, y_tgt)
    of_one = [
        DANNClassifier(random_state=seed)
        .fit(X[site == one], y[site == one], X_tgt)
        .score(X_tgt, y_tgt)
        for one in dict.fromkeys(site)
    ]
    found[OF_ONE + "the mean of all"] = np.mean(of_one)
    found[OF_ONE + "the best by labels of the target"] = np.max(of_one)
    return found


def stored():
    """Return what the file holds: of each model, data set after data set."""
    path = RESULTS / "several_sources.json"
    if not path.exists():
        return {}
    table = json.loads(path.read_text())["tables"]["all_to_one"]
    sets = table["columns"][1:-1]
    return {
        name: dict(zip(sets, values, strict=False)) for name, *values in table["rows"]
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the files; the cache if none")
    data = parser.parse_args().data
    warnings.simplefilter("ignore")  # of domains that differ as they are meant to
    means = stored()
    known = next(iter(means.values()), {})
    todo = {name: sites for name, sites in SITES.items() if name not in known}
    for data_set, sites in todo.items():
        for seed in range(N_SEEDS[data_set]):
            of_targets = [accuracies(data_set, site, seed, data) for site in sites]
            for name in of_targets[0]:
                mean = float(np.mean([found[name] for found in of_targets]))
                means.setdefault(name, {}).setdefault(data_set, []).append(mean)
            print(data_set, seed, flush=True)
    rows = [
        [name, *of_sets.values(), float(np.mean(list(map(np.mean, of_sets.values()))))]
        for name, of_sets in means.items()
    ]
    table = {"columns": ["", *SITES, "mean"], "rows": rows}
    save("several_sources", {"all_to_one": table}, seeds=max(N_SEEDS.values()))


if __name__ == "__main__":
    main()
