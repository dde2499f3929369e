"""Judge the reports by the target's numbers, which serve these tables alone.

`python benchmarks/regression/report_tables.py`, after reports.py. Gains are 100 times
the logarithm of a ratio of RMSE on the same problem, nearly percent.
"""

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from problems import PROBLEMS
from reports import N_NETWORKS, path_of, read

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from record import save

SETS = {
    "made": ["made"],
    "corn": ["corn"],
    "twin gas, all gases": ["twin-gas-all"],
}
VERDICTS = ("for", "open", "against")

# A gain or a loss that counts.
CHANGED = 1


@dataclass(frozen=True)
class Judged:
    """A report, beside the truth."""

    name: str

    @cached_property
    def _known(self):
        return read(self.name, 0)

    @property
    def evidence(self):
        return self._known[0]

    @property
    def report(self):
        return self._known[1]["report"]

    @property
    def y_tgt(self):
        return self._known[1]["y_tgt"]

    @property
    def change_of_mean(self):
        """True change, in deviations of y."""
        y = self._known[1]["y_src"]
        return (self.y_tgt.mean() - y.mean()) / y.std()

    def rmse(self, model):
        predicted = self.evidence.target[model][:, 0]
        return float(np.sqrt(np.mean((predicted - self.y_tgt) ** 2)))

    def gain_over(self, model):
        return 100 * np.log(self.rmse(model) / self.rmse("adapted"))

    @property
    def verdict(self):
        return self.report["verdict"]

    @property
    def first_word(self):
        return self.report["recommendation"].split()[0].lower()

    def has(self, kind):
        return any(finding["kind"] == kind for finding in self.report["findings"])


def judged(of):
    names = [name for data_set in SETS[of] for name in PROBLEMS[data_set]]
    return [Judged(name) for name in names if path_of(name, 0).exists()]


def verdicts(sets):
    rows = []
    for of, reports in sets.items():
        for verdict in VERDICTS:
            gains = [
                j.gain_over("source only") for j in reports if j.verdict == verdict
            ]
            rows.append([of, verdict, *_count(np.array(gains))])
    columns = [
        "",
        "verdict",
        "problems",
        "gained",
        "equal",
        "lost",
        "mean gain",
        "worst",
    ]
    return {"columns": columns, "rows": rows}


def _count(gains):
    if not len(gains):
        return [0, 0, 0, 0, "", ""]
    counts = gains > CHANGED, np.abs(gains) <= CHANGED, gains < -CHANGED
    return [
        *(len(gains), *(int(of.sum()) for of in counts)),
        *(f"{gains.mean():+.1f}", f"{gains.min():+.1f}"),
    ]


def advice(sets):
    """Return what the adapted model is worth where the first line says so."""
    rows = []
    for of, reports in sets.items():
        for word in ("deploy", "label", "stay"):
            some = [j for j in reports if j.first_word == word]
            over = [j.gain_over(j.report["best_simple"]) for j in some]
            alone = [j.gain_over("source only") for j in some]
            found = [f"{np.mean(g):+.1f}" if some else "" for g in (alone, over)]
            worst = f"{np.min(over):+.1f}" if some else ""
            rows.append([of, word, len(some), *found, worst])
    columns = ["", "first line", "problems", "over source only", "over simple model"]
    return {"columns": [*columns, "worst"], "rows": rows}


def errors(sets):
    """Return how often the bound of the error holds, and how far it is exceeded."""
    rows = []
    for of, reports in sets.items():
        for name in ("held-out source rows", "disagreement", "the lowest: at least"):
            estimates = [
                j.report["error_estimates"].get(name, j.report["error_at_least"])
                for j in reports
            ]
            ratio = np.array([j.rmse("adapted") for j in reports]) / estimates
            held = int((ratio >= 1).sum())
            rows.append(
                [
                    of,
                    name,
                    len(ratio),
                    held,
                    float(np.median(ratio)),
                    float(ratio.min()),
                ]
            )
    columns = [
        "",
        "estimate",
        "problems",
        "truth not below it",
        "truth over it, median",
        "least",
    ]
    return {"columns": columns, "rows": rows}


def means(sets):
    """Return the true change of the mean of y, by finding."""
    kinds = {"other_mean": "another mean", "mean_unknown": "not known"}
    rows = []
    for of, reports in sets.items():
        for kind, title in {**kinds, None: "nothing"}.items():
            some = [
                j
                for j in reports
                if (j.has(kind) if kind else not any(map(j.has, kinds)))
            ]
            true = np.abs([j.change_of_mean for j in some])
            spread = (
                [float(f(true)) for f in (np.min, np.median, np.max)]
                if some
                else [""] * 3
            )
            rows.append([of, title, len(some), *spread])
    columns = ["", "finding", "problems", "true change, least", "median", "most"]
    return {"columns": columns, "rows": rows}


def main():
    sets = {of: reports for of in SETS if (reports := judged(of))}
    sets["all"] = [j for reports in sets.values() for j in reports]
    tables = {
        "verdicts": verdicts(sets),
        "advice": advice(sets),
        "errors": errors(sets),
        "means": means(sets),
    }
    n_problems = {of: len(reports) for of, reports in sets.items()}
    settings = {"seeds": 1, "networks": N_NETWORKS, "problems": n_problems}
    save("regression_reports", tables, **settings)


if __name__ == "__main__":
    main()
