"""Judge what was predicted: `python benchmarks/trust/tables.py [--data folder]`.

Target labels are for these tables alone. A mean is over pairs within a data set, then
over data sets; so is the standard error, which takes the data sets for a sample.
"""

import argparse
import json
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np
from domains import PAIRS, SIXTEEN, load
from run import CACHE, path_of, scaling_of
from sklearn.metrics import recall_score, roc_auc_score

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from record import save

# Of each row: its cells and their scaling.
BASELINES = {
    "majority of the source": None,
    "logistic regression, scaled by the source": ("lr", "source"),
    "logistic regression, each domain by itself": ("lr", "domain"),
    "logistic regression, quantiles of each domain": ("lr", "quantile"),
    "random forest": ("rf", "none"),
    "random forest, each domain by itself": ("rf", "domain"),
    "gradient boosting": ("gb", "none"),
    "gradient boosting, each domain by itself": ("gb", "domain"),
    "CORAL, then logistic regression": ("coral", "source"),
    "subspace alignment, then logistic regression": ("subspace", "domain"),
}
EARLIER = ("dann-1000", "source")
DEFAULT = ("default", "none")
AUTO = ("auto", "none")
OURS = {
    "earlier default: one network, scaled by the source": EARLIER,
    "default": DEFAULT,
    "AutoDANNClassifier": AUTO,
}
TRAINED_ON_TARGET = {"trained on labels of the target": ("target", "source")}
OPTIONS = {
    "default": DEFAULT,
    "one network, 1,000 steps": ("default, one network", "none"),
    "target_prior=None": ("default, no proportions", "none"),
    'standardize="source"': ("default, not standardized by domain", "none"),
    'standardize="domain"': ("default, always by domain", "none"),
    "lambda_max=0": ("default, source only", "none"),
    "class_confusion=0.3": ("default, class confusion", "none"),
}
# One network each, every domain by itself, 400 steps; mean of five networks.
CHANGES = {
    "lambda_max=1": ("dann", "domain"),
    "lambda_max=0": ("source-only", "domain"),
    "lambda_max=0.1": ("dann-0.1", "domain"),
    "lambda_max=0.3": ("dann-0.3", "domain"),
    "class_confusion=0.3": ("dann-confusion", "domain"),
    "dropout=0.5": ("dann-dropout", "domain"),
    "200 steps": ("dann-200-steps", "domain"),
    "1,000 steps": ("dann-1000-steps", "domain"),
    "scaled by the source": ("dann", "source"),
    "scaled by both together": ("dann", "pooled"),
    "quantiles of each domain": ("dann", "quantile"),
}


class Judge:
    """Scores of cells on pairs.

    Parameters
    ----------
    data : str or None
        Folder of the data.
    """

    def __init__(self, data):
        self.pair = cache(partial(load, data=data))
        self.probabilities = cache(self._probabilities)

    def _probabilities(self, where, name):
        """Return an array of shape (n_fits, n_test, n_classes)."""
        pair = self.pair(name)
        if where is None:
            shares = np.bincount(pair.y) / len(pair.y)
            return np.tile(shares, (1, len(pair.y_test), 1))
        cell, scaling = where
        with np.load(path_of(cell, scaling_of(name, scaling), name)) as file:
            return file["P"][:, -len(pair.y_test) :]

    def scores(self, where, name, measure):
        """Return the score of each fit."""
        y = self.pair(name).y_test
        return np.array([measure(y, P) for P in self.probabilities(where, name)])

    def score_of_mean(self, where, name, n_fits=5):
        """Return the accuracy of the mean probabilities of some fits."""
        P = self.probabilities(where, name)[:n_fits].mean(axis=0)
        return accuracy(self.pair(name).y_test, P)


def accuracy(y, P):
    return np.mean(P.argmax(axis=1) == y)


def balanced_accuracy(y, P):
    return recall_score(y, P.argmax(axis=1), labels=np.unique(y), average="macro")


def auc(y, P):
    """Area under the ROC curve, of several classes the mean of one against the rest."""
    known = np.unique(y)
    return np.mean([roc_auc_score(y == k, P[:, k]) for k in known])


def by_data_set(of_pairs):
    """Return the mean of each data set, from a value for each pair."""
    sets = {}
    for name, value in of_pairs.items():
        sets.setdefault(name.partition(" ")[0], []).append(value)
    return {name: float(np.mean(values)) for name, values in sets.items()}


def mean(of_pairs):
    return float(np.mean(list(by_data_set(of_pairs).values())))


def difference(of_pairs, others):
    """Return a mean difference with its standard error over data sets, as text."""
    sets = by_data_set({name: of_pairs[name] - others[name] for name in of_pairs})
    return with_error(np.array(list(sets.values())))


def with_error(values):
    """Return a mean with its standard error, as text."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.3f} ± {error:.3f}".replace("0.", ".")


def summary(judge, rows):
    """Return the figures of merit of each row."""

    def of_pairs(where, measure=accuracy):
        return {n: judge.scores(where, n, measure).mean() for n in PAIRS}

    simple = [of_pairs(where) for where in BASELINES.values()]
    best_simple = {n: max(of[n] for of in simple) for n in PAIRS}
    better = {n: max(of[n] for of in simple[1:3]) for n in PAIRS}
    earlier = of_pairs(EARLIER)
    table = []
    for name, where in rows.items():
        found = of_pairs(where)
        below = np.array([found[n] - better[n] for n in PAIRS])
        fits = [judge.scores(where, n, accuracy) for n in PAIRS]
        deviation = [f.std(ddof=1) for f in fits if len(f) > 1]
        table.append(
            [
                name,
                mean(found),
                mean(of_pairs(where, balanced_accuracy)),
                mean(of_pairs(where, auc)),
                mean({n: found[n] for n in SIXTEEN}),
                difference(found, earlier),
                difference(found, better),
                difference(found, best_simple),
                f"{np.mean(below < -0.01):.0%}",
                f"{below.min():+.2f} ({PAIRS[int(below.argmin())]})",
                float(np.mean(deviation)) if deviation else None,
            ]
        )
    columns = [
        *("", "accuracy", "balanced", "AUC", "16 pairs"),
        *("less earlier default", "less better LR", "less best simple"),
        *("pairs > 1 point below better LR", "worst", "deviation over seeds"),
    ]
    return {"columns": columns, "rows": table}


def data_sets(judge, rows):
    """Return the accuracy of each row on each data set."""
    names = list(by_data_set(dict.fromkeys(PAIRS, 0)))
    table = []
    for row, where in rows.items():
        found = {n: judge.scores(where, n, accuracy).mean() for n in PAIRS}
        table.append([row, mean(found), *by_data_set(found).values()])
    return {"columns": ["", "mean", *names], "rows": table}


def changes(judge, rows):
    """Return what one change does, for single networks and for the mean of five."""
    five = {
        row: {n: judge.score_of_mean(where, n) for n in PAIRS}
        for row, where in rows.items()
    }
    single = {
        row: {n: judge.scores(where, n, accuracy)[:5].mean() for n in PAIRS}
        for row, where in rows.items()
    }
    first = next(iter(rows))
    table = [
        [row, mean(single[row]), mean(five[row]), difference(five[row], five[first])]
        for row in rows
    ]
    columns = ["", "one network", "mean of five", "less the first row"]
    return {"columns": columns, "rows": table}


def left_out(judge, rows):
    """Return, for each data set, the row that the others choose, and its score."""
    found = {
        row: by_data_set({n: judge.scores(w, n, accuracy).mean() for n in PAIRS})
        for row, w in rows.items()
    }
    names = list(next(iter(found.values())))
    table = []
    for name in names:
        others = [other for other in names if other != name]
        chosen = max(rows, key=lambda row: np.mean([found[row][n] for n in others]))
        table.append([name, chosen, found[chosen][name], found[next(iter(rows))][name]])
    last = [float(np.mean([row[i] for row in table])) for i in (2, 3)]
    columns = ["left out", "chosen on the others", "accuracy", next(iter(rows))]
    return {"columns": columns, "rows": [*table, ["mean", "", *last]]}


def label_shift():
    """Return the means over draws, then over domains, of the classifiers."""
    results = json.loads((CACHE / "label_shift.json").read_text())
    domains = {}
    for key, found in results.items():
        domains.setdefault(key.rpartition(" ")[0], []).append(found)
    names = list(next(iter(results.values())))
    means = {
        name: np.array(
            [np.mean([draw[name] for draw in draws]) for draws in domains.values()]
        )
        for name in names
    }
    first = means[names[0]]
    table = []
    for name in names:
        less = means[name] - first
        row = [name, float(means[name].mean()), with_error(less), float(less.min())]
        table.append(row)
    columns = ["", "accuracy", "less the first row", "worst domain"]
    return {"columns": columns, "rows": table}


def pairs(judge):
    """Return each pair with its accuracies."""
    rows = {
        "majority": None,
        "LR, source": ("lr", "source"),
        "LR, by domain": ("lr", "domain"),
        "forest, by domain": ("rf", "domain"),
        "earlier default": EARLIER,
        "default": DEFAULT,
        "auto": AUTO,
        "on target": ("target", "source"),
    }
    table = [
        [name]
        + [judge.scores(where, name, accuracy).tolist() for where in rows.values()]
        for name in PAIRS
    ]
    return {"columns": ["pair", *rows], "rows": table}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    judge = Judge(parser.parse_args().data)
    everything = {**BASELINES, **OURS, **TRAINED_ON_TARGET}
    tables = {
        "summary": summary(judge, everything),
        "data_sets": data_sets(judge, everything),
        "options": summary(judge, OPTIONS),
        "left_out": left_out(judge, {"earlier default": EARLIER, **OPTIONS}),
        "changes": changes(judge, CHANGES),
        "label_shift": label_shift(),
        "pairs": pairs(judge),
    }
    save("trust", tables, seeds=3, pairs=len(PAIRS), sixteen=SIXTEEN)


if __name__ == "__main__":
    main()
