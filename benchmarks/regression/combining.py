"""Judge combinations of candidates: `python benchmarks/regression/combining.py`.

After predictions.py. All differences are 100 times the logarithm of a ratio of RMSE on
the same problem, nearly percent; what follows is a standard error over problems.
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
from predictions import CANDIDATES, path_of, predictions_of
from problems import PROBLEMS

from skdann._auto._candidates import _BY_DOMAIN
from skdann._data._response_shift import SEPARATE
from skdann.metrics._agreement import mean_concordance, spread, weights_of_numbers
from skdann.metrics._sampling import draw_rows, inclusion_probabilities

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from record import save

SETS = {
    "made": ["made"],
    "people, tumors, wines": ["populations"],
    "corn": ["corn"],
    "twin gas": ["twin-gas"],
    "twin gas, all gases": ["twin-gas-all"],
}
N_LABELS = (1, 3, 5, 10, 20)
N_DRAWS = 20
SIMPLE = [name for name in CANDIDATES if not name.startswith("network")]
NAMES = {
    "ridge source": "ridge regression, by the source",
    "ridge domain": "ridge regression, each domain by itself",
    "forest None": "random forest, as it is",
    "forest domain": "random forest, each domain by itself",
    "extra trees None": "extra trees, as it is",
    "extra trees domain": "extra trees, each domain by itself",
    "network source": "DANN, by the source",
    "network domain": "DANN, each domain by itself",
}


class Problem:
    """What candidates predict on a problem, in deviations of y."""

    def __init__(self, name):
        found, known = predictions_of(name, 0)
        mean, scale = known["y"].mean(), known["y"].std()
        self.y = (known["y_tgt"] - mean) / scale
        self.predicted = {n: (p - mean) / scale for n, p in found.items()}
        self.overlaps = known["separability"] <= SEPARATE

    def candidates(self, *, are_gated=True):
        """Return those that are combined."""
        gated = are_gated and self.overlaps
        return [n for n in CANDIDATES if not (gated and n.split()[-1] in _BY_DOMAIN)]

    def stack(self, names):
        return np.stack([self.predicted[name] for name in names])[:, :, None]

    def log_rmse(self, predicted):
        return 50 * np.log(np.mean((np.ravel(predicted) - self.y) ** 2))

    def combined(self, names, power=None):
        """Return the weighted mean; by the weights of the package, or by a power."""
        P = self.stack(names)
        if power is None:
            weights = weights_of_numbers(P, np.empty((len(names), 0)))
        else:
            weights = np.maximum(mean_concordance(P), 0.1) ** power
        return np.average(P, axis=0, weights=weights)

    def oracle(self, names):
        """Return the least error of one of these."""
        return min(self.log_rmse(self.predicted[name]) for name in names)


@cache
def problems(of):
    names = [name for data_set in SETS[of] for name in PROBLEMS[data_set]]
    return [Problem(name) for name in names if path_of(name, 0).exists()]


def rules():
    """Return by name what predicts for a problem."""

    def of_all(power=None, *, leave_out="-", **params):
        def predict(p):
            names = [n for n in p.candidates(**params) if not n.startswith(leave_out)]
            return p.combined(names, power)

        return predict

    def that_agrees_most(p):
        names = p.candidates()
        P = p.stack(names)
        return P[mean_concordance(P).argmax()]

    singles = {
        title: lambda p, name=name: p.predicted[name] for name, title in NAMES.items()
    }
    return {
        "**the combination**": of_all(),
        "plain mean": of_all(0),
        "to the 4th power": of_all(4),
        "to the 16th power": of_all(16),
        "the one that agrees most": that_agrees_most,
        "by domain even where domains overlap": of_all(are_gated=False),
        "without networks": of_all(leave_out="network"),
        **singles,
    }


def judge_rules():
    rows = []
    for title, predict in rules().items():
        differences = [
            [p.log_rmse(predict(p)) - p.oracle(SIMPLE) for p in problems(of)]
            for of in SETS
        ]
        rows.append([title, *map(_mean, differences)])
    network = [
        [p.oracle(CANDIDATES) - p.oracle(SIMPLE) for p in problems(of)] for of in SETS
    ]
    rows.append(["oracle: the best candidate, by labels", *map(_mean, network)])
    return {"columns": ["", *SETS], "rows": rows}


def judge_labels():
    """Return what known numbers are worth, drawn at random or by disagreement."""
    rows = [["no number", "", *_errors(lambda p: [p.combined(p.candidates())])]]
    for n in N_LABELS:
        for how in ("at random", "rows_to_label"):
            rows.append([str(n), how, *_errors(lambda p: _helped(p, n, how))])  # noqa: B023
    return {"columns": ["numbers", "rows", *SETS], "rows": rows}


def _errors(predict):
    """Return of each set the mean distance to the best candidate."""
    for of in SETS:
        distances = [
            np.mean([p.log_rmse(each) for each in predict(p)]) - p.oracle(CANDIDATES)
            for p in problems(of)
        ]
        yield _mean(distances)


def _helped(p, n, how):
    """Return the combination after each draw of rows."""
    P = p.stack(p.candidates())
    size = np.ones(len(p.y))
    if how == "rows_to_label":
        size = spread(P, weights_of_numbers(P, np.empty((len(P), 0))))
    probabilities = inclusion_probabilities(size, min(n, len(p.y)))
    squares = (P[:, :, 0] - p.y) ** 2
    for seed in range(N_DRAWS):
        rows = draw_rows(probabilities, np.random.RandomState(seed))
        yield np.average(P, axis=0, weights=weights_of_numbers(P, squares[:, rows]))


def _mean(differences):
    if not differences:
        return ""
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    return f"{np.mean(differences):+.1f} ± {error:.1f}"


def main():
    tables = {"rules": judge_rules(), "labels": judge_labels()}
    n_problems = {of: len(problems(of)) for of in SETS}
    save("regression_combining", tables, seeds=1, draws=N_DRAWS, problems=n_problems)


if __name__ == "__main__":
    main()
