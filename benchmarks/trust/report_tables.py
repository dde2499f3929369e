"""Judge the reports by the target's labels, which serve these tables alone.

`python benchmarks/trust/report_tables.py [--data folder]`, after reports.py. Accuracies
are those of the first fit of the cells "default" and "default, source only" of run.py:
the model that is reported on, and its source-only model.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from domains import PAIRS
from judged import Judged
from reports import evidence_of

from skdann.inspection._report._class_rules import proportions_differ
from skdann.inspection._report._labels import n_to_label, rows_to_label
from skdann.metrics._paired import PairedDifference
from skdann.metrics._proportions import total_variation

sys.path.append(str(Path(__file__).parents[1] / "reproduce"))

from record import save

VERDICTS = ["for", "open", "against"]

# Draws of rows to label on each pair.
N_DRAWS = 50

# Of ten "for", so many have to be right.
WANTED = 0.9


def count(judged):
    """Return how many gained, stayed and lost, the mean gain and the worst."""
    gains = np.array([j.gain for j in judged])
    if not len(gains):
        return [0, 0, 0, 0, None, None]
    numbers = len(gains), (gains > 0).sum(), (gains == 0).sum(), (gains < 0).sum()
    return [*map(int, numbers), float(gains.mean()), float(gains.min())]


def verdicts(judged):
    rows = [[v, *count([j for j in judged if j.verdict == v])] for v in VERDICTS]
    columns = ["verdict", "pairs", "gained", "equal", "lost", "mean gain", "worst"]
    return {"columns": columns, "rows": [*rows, ["all", *count(judged)]]}


def _favored_by(judged, model):
    """Return the pairs on which a model supports adapting, as the verdict asks it."""
    return [
        j
        for j in judged
        if model in j.evidence.simple
        and j.evidence.change_with(model).low > 0
        and not proportions_differ(j.measures)
    ]


def left_out(judged, models):
    """Choose the witness without each data set, and judge it there.

    The one that supports adapting on most pairs, if it is right on nine of ten.
    """
    favored = {model: _favored_by(judged, model) for model in models}
    table = []
    for data_set in dict.fromkeys(j.data_set for j in judged):
        right = {
            model: [j.gain > 0 for j in found if j.data_set != data_set]
            for model, found in favored.items()
        }
        trusted = {m: len(r) for m, r in right.items() if r and np.mean(r) >= WANTED}
        chosen = max(trusted, key=trusted.get)
        found = [j for j in favored[chosen] if j.data_set == data_set]
        table.append([data_set, chosen, *count(found)])
    everything = [sum(row[i] for row in table) for i in range(2, 6)]
    columns = ["left out", "witness chosen on the others", '"for"', "gained"]
    columns += ["equal", "lost", "mean gain", "worst"]
    return {"columns": columns, "rows": [*table, ["all", "", *everything, None, None]]}


def accuracies(judged):
    """Return how far estimates of the accuracy are from it."""
    estimates = [
        {**j.evidence.accuracy, "the highest: at most": j.evidence.accuracy_at_most}
        for j in judged
    ]
    truth = np.array([j.adapted for j in judged])
    table = []
    for name in estimates[0]:
        error = np.array([e[name] for e in estimates]) - truth
        numbers = float(error.mean()), float(np.abs(error).mean())
        held = int((error >= 0).sum())
        table.append([name, *numbers, held, f"{held / len(error):.0%}"])
    columns = [
        "estimate",
        "less the truth",
        "mean error",
        "pairs not below it",
        "share",
    ]
    return {"columns": columns, "rows": table}


def proportions(judged):
    """Return how far estimated proportions are from the truth."""
    table = []
    for reliable in (True, False):
        some = [
            j for j in judged if j.measures.class_proportions.is_reliable is reliable
        ]
        errors, inside = [], []
        for j in some:
            low, high = j.measures.class_proportions.interval
            estimate = j.measures.class_proportions.estimate
            errors.append(total_variation(estimate, j.proportions))
            inside.append(np.mean((j.proportions >= low) & (j.proportions <= high)))
        label = "shown with their interval" if reliable else "not reliable"
        mean_inside = float(np.mean(inside))
        table.append([label, len(some), float(np.mean(errors)), mean_inside])
    columns = ["estimates", "pairs", "total variation from the truth"]
    columns += ["classes inside their interval"]
    return {"columns": columns, "rows": table}


def findings(judged):
    """Return how far the true proportions are from the source's, by finding."""
    table = []
    for fires in (True, False):
        shifts = [
            total_variation(j.evidence.source_proportions, j.proportions)
            for j in judged
            if proportions_differ(j.measures) is fires
        ]
        label = "other proportions" if fires else "not found"
        spread = (np.min, np.mean, np.max)
        table.append([label, len(shifts), *(float(f(shifts)) for f in spread)])
    columns = ["finding", "pairs", "true shift, least", "mean", "most"]
    return {"columns": columns, "rows": table}


def labels(judged):
    """Return what the rows that a report asks for tell, where it asks for some.

    The adapted and the best simple model are compared on them.
    """
    table = []
    for verdict in VERDICTS:
        drawn = [
            d
            for j in judged
            if j.verdict == verdict and j.knows_target
            for d in _draws(j)
        ]
        n, settled, right, lost = (
            np.array(column) for column in zip(*drawn, strict=True)
        )
        table.append(
            [
                *(verdict, len(drawn) // N_DRAWS, float(np.median(n))),
                *(float(column.mean()) for column in (settled, right, lost)),
            ]
        )
    columns = ["verdict", "pairs", "labels, median", "interval excludes 0"]
    columns += ["better one chosen", "accuracy lost by the choice"]
    return {"columns": columns, "rows": table}


def _draws(j):
    adapted, simple = map(j.is_right, ("adapted", j.evidence.best_simple))
    difference = adapted.mean() - simple.mean()
    n = n_to_label(j.evidence)
    for seed in range(N_DRAWS if n else 0):
        rows = rows_to_label(j.evidence, n, seed)
        paired = PairedDifference.of(adapted[rows], simple[rows])
        right = paired.difference * difference > 0 or difference == 0
        yield n, paired.is_settled, right, 0 if right else abs(difference)


def advice(judged):
    """Return what the adapted model is worth where the first line says so."""
    table = []
    for word in ("deploy", "label", "stay"):
        some = [j for j in judged if j.advice == word and j.knows_target]
        less = np.array(
            [
                j.is_right("adapted").mean() - j.is_right(j.evidence.best_simple).mean()
                for j in some
            ]
        )
        gain = float(np.mean([j.gain for j in some]))
        least = float(less.min()), float(less.max())
        table.append([word, len(some), gain, float(less.mean()), *least])
    columns = ["first line", "pairs", "less source only", "less simple model"]
    return {"columns": [*columns, "least", "most"], "rows": table}


def pairs(judged):
    columns = ["pair", "source only", "adapted", "gain", "verdict", "change of kappa"]
    columns += ["at most", "proportions", "first line"]
    rows = []
    for j in judged:
        change = j.evidence.change
        interval = f"{change.low:+.2f} to {change.high:+.2f}"
        shift = "differ" if proportions_differ(j.measures) else ""
        row = [j.name, j.source_only, j.adapted, j.gain, j.verdict, interval]
        rows.append([*row, j.evidence.accuracy_at_most, shift, j.advice])
    return {"columns": columns, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    data = parser.parse_args().data
    judged = [Judged(name, data, evidence_of(name)) for name in PAIRS]
    models = max((j.evidence.simple for j in judged), key=len)
    tables = {
        "verdicts": verdicts(judged),
        "left_out": left_out(judged, models),
        "accuracies": accuracies(judged),
        "proportions": proportions(judged),
        "findings": findings(judged),
        "advice": advice(judged),
        "labels": labels(judged),
        "pairs": pairs(judged),
    }
    save("reports", tables, seeds=1, pairs=len(PAIRS))


if __name__ == "__main__":
    main()
