"""Judge what was found: `python benchmarks/regression/tables.py`.

A change of RMSE is 100 times the logarithm of a ratio on the same problem, nearly
percent; its standard error takes the problems for a sample.
"""

import re
import sys
from pathlib import Path

import numpy as np
from cells import (
    BOTH_SCALES,
    CHANGES,
    CHOICE,
    LAMBDAS,
    LOGARITHMS,
    NETWORKS,
    ON_TARGET,
    SIMPLE,
    START,
    name_of,
)
from problems import PROBLEMS, SHIFTS
from run import key_of, read

from skdann._data._response_shift import SEPARATE

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from record import save

SEEDS = range(5)
NAMES = {"mean": "mean of y", "pls": "PLS", "forest": "random forest"}
TITLES = {
    "none": "columns as they are",
    "source": "by the source",
    "centered": "each domain centered",
    "domain": "each domain by itself",
    "on target": "trained on the target",
    "auto": 'as "auto" decides',
}
BY_DEFAULT = name_of({"lambda_max": 0.1, "standardize": "auto"})


class Found:
    """What is known of the problems of a set."""

    def __init__(self, data_set):
        self.problems = PROBLEMS[data_set]
        self.known = read(data_set)

    def score(self, problem, cell, seed):
        """Return RMSE and R2, or None if not known."""
        if cell == BY_DEFAULT:
            evidence = self.score(problem, "evidence", seed)
            how = auto(evidence) if evidence else None
            cell = name_of({"lambda_max": 0.1, "standardize": how})
        return self.known.get(key_of(problem, cell, seed))

    def evidence(self):
        """Return of each problem what "auto" goes by."""
        return [self.score(p, "evidence", 0) for p in self.problems]

    def over_seeds(self, cell, which=0, among=""):
        """Return of each seed that is known the mean over problems with such an end."""
        problems = [p for p in self.problems if p.endswith(among)]
        scores = [[self.score(p, cell, seed) for p in problems] for seed in SEEDS]
        means = [np.mean([s[which] for s in of]) for of in scores if all(of)]
        is_one_value = len(means) > 0 and np.ptp(means) < 1e-9
        return (means[:1] if is_one_value else means) or None

    def logs(self, *cells):
        """Return of each problem 100 log RMSE, the mean over cells, of one seed."""
        scores = ([self.score(p, cell, 0)[0] for cell in cells] for p in self.problems)
        return np.array([np.mean(100 * np.log(of)) for of in scores])


def auto(evidence):
    """Return the scales that "auto" takes."""
    return _by_agreement(evidence) if evidence[2] > SEPARATE else "source"


def _by_agreement(evidence):
    return "domain" if evidence[1] > evidence[0] else "source"


def title(cell):
    """Return how a candidate is called in tables."""
    name, _, rest = cell.removesuffix(", logarithm").partition(" ")
    name = NAMES.get(name, name)
    if name == "network":
        *values, how = rest.split()
        name = ", ".join(["DANNRegressor", *values])
        rest = how.partition("=")[2]
    title = f"{name}, {TITLES[rest]}" if rest else name
    return title + " (of log y)" * cell.endswith("logarithm")


def report(groups):
    """Return a table of RMSE and R2.

    Parameters
    ----------
    groups : dict of str to (Found, str)
        By title; problems of a set whose names have such an end.
    """
    cells = [*SIMPLE, *NETWORKS, BY_DEFAULT, *LOGARITHMS, *ON_TARGET]
    cells = sorted(cells, key=lambda cell: _ORDER.index(_kind(cell)))
    rows = []
    for cell in cells:
        values = [
            found.over_seeds(cell, which, among)
            for found, among in groups.values()
            for which in (0, 1)
        ]
        if any(values):
            rows.append([title(cell), *values])
    columns = ["", *(f"{of}, {group}" for group in groups for of in ("RMSE", "R2"))]
    return {"columns": columns, "rows": rows}


_ORDER = ["", "lambda_max=0", "lambda_max=0.1", "lambda_max=1", "log", "target"]


def _kind(cell):
    if cell in LOGARITHMS:
        return "log"
    if cell in ON_TARGET:
        return "target"
    return re.findall(r"lambda_max=[.\d]+|$", cell)[0]


def choice(made):
    """Return a table of what each change does on the made problems."""
    before, rows = made.logs(name_of(START)), []
    for change, cell in zip(CHANGES, CHOICE, strict=True):
        if cell != name_of(START):
            after = made.logs(cell)
            what = ", ".join(f"{k}={v!r}" for k, v in change.items())
            rows.append([what, _mean(after - before), _share(after < before)])
    return {"columns": ["changed", "RMSE", "better on"], "rows": rows}


def by_shift(made):
    """Return a table of what each lambda_max does where one thing shifts."""
    before = made.logs(name_of(START))
    is_of = {s: [p.split()[2] == s for p in made.problems] for s in SHIFTS}
    rows = []
    for value in LAMBDAS:
        differences = made.logs(name_of({**START, "lambda_max": value})) - before
        rows.append([value, *(_mean(differences[of]) for of in is_of.values())])
    return {"columns": ["lambda_max", *SHIFTS], "rows": rows}


def left_out(sets):
    """Return a table of what the other sets choose, judged on the one left out."""
    changes = {
        name: [np.mean(logs - of_lambda[DEFAULT]) for logs in of_lambda]
        for name, of_lambda in sets.items()
    }
    rows = []
    for name in sets:
        others = np.mean([c for n, c in changes.items() if n != name], axis=0)
        best = int(np.argmin(others))
        differences = sets[name][best] - sets[name][DEFAULT]
        rows.append([name, f"lambda_max={OF_ALL_SETS[best]}", _mean(differences)])
    columns = ["left out", "chosen on the others", "RMSE against lambda_max=0.1"]
    return {"columns": columns, "rows": rows}


DEFAULT = 1
OF_ALL_SETS = (0, 0.1, 1)


def _by_lambda(found, **others):
    return [found.logs(name_of({**others, "lambda_max": v})) for v in OF_ALL_SETS]


def scales(sets):
    """Return a table of what is lost by a choice of scales, of simple models."""
    rows = []
    for name, found in sets.items():
        logs = {how: found.logs(*cells) for how, cells in BOTH_SCALES.items()}
        evidence = found.evidence()
        rules = [
            ["source"] * len(evidence),
            ["domain"] * len(evidence),
            list(map(_by_agreement, evidence)),
            list(map(auto, evidence)),
        ]
        best = np.minimum(*logs.values())
        lost = ([logs[h][i] for i, h in enumerate(rule)] - best for rule in rules)
        n_domain = _share(np.array(rules[-1]) == "domain")
        rows.append([name, len(best), n_domain, *map(_mean, lost)])
    columns = ["", "problems", '"auto" is "domain"', 'always "source"']
    columns += ['always "domain"', "by agreement alone", '"auto"']
    return {"columns": columns, "rows": rows}


def _mean(differences):
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{differences.mean():+.1f} ± {error:.1f}"


def _share(flags):
    return f"{np.mean(flags):.0%}"


def main():
    found = {name: Found(name) for name in PROBLEMS}
    corn, gas, gases = (found[name] for name in ("corn", "twin-gas", "twin-gas-all"))
    made = found["made"]
    lambdas = {
        "made": _by_lambda(made, **{**START, "dropout": 0.1}),
        "corn": _by_lambda(corn, standardize="domain"),
        "twin gas": _by_lambda(gas, standardize="domain"),
    }
    judged = {
        "made, chosen on": made,
        "made, weaker and stronger": found["made-other"],
        "people, tumors, wines": found["populations"],
        "corn": corn,
        "twin gas": gas,
        "twin gas, all gases": gases,
    }
    tables = {
        "corn": report({"moisture": (corn, "moisture"), "oil": (corn, "oil")}),
        "twin_gas": report({"one gas": (gas, ""), "all gases": (gases, "")}),
        "choice": choice(made),
        "by_shift": by_shift(made),
        "left_out": left_out(lambdas),
        "scales": scales(judged),
    }
    save("regression", tables, seeds=len(SEEDS))


if __name__ == "__main__":
    main()
