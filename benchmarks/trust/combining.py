"""Judge how candidates are combined, with and without labels.

`python benchmarks/trust/combining.py [--data folder]`, from the candidates of
``AutoDANNClassifier``, first seed, as `run.py` has kept them.
"""

import argparse
from functools import cache, partial

import numpy as np
from domains import PAIRS, SIXTEEN, load
from run import path_of
from tables import accuracy, by_data_set, difference, mean, save

from skdann.metrics._agreement import (
    LEAST_AGREEMENT,
    SHARPNESS,
    disagreement,
    mean_agreement,
)
from skdann.metrics._sampling import draw_rows, inclusion_probabilities

N_LABELS = (10, 20, 30, 50)
N_DRAWS = 100


class Candidates:
    """What candidates predict for the rows of a pair that accuracy is measured on."""

    def __init__(self, name, data):
        pair = load(name, data)
        with np.load(path_of("auto", "none", name)) as file:
            self.names = file["names"].tolist()
            P = file["candidates"]
        self.y = pair.y_test
        self.P = P[:, -len(self.y) :]
        self.votes = self.P.argmax(axis=2)
        self.is_right = self.votes == self.y
        # as the fit weights them: by the rows of the target
        self.agreement = mean_agreement(P[:, : len(pair.X_tgt)].argmax(axis=2))
        believed = belief(self.agreement)
        self.believed = believed / believed.sum()

    def mean(self, weights):
        """Return the accuracy of the weighted mean."""
        return accuracy(self.y, np.tensordot(weights, self.P, axes=1))

    @property
    def kinds(self):
        return [name.partition(",")[0] for name in self.names]


def belief(agreement, power=SHARPNESS):
    return np.maximum(agreement, LEAST_AGREEMENT) ** power


def _power(power):
    return lambda c: c.mean(belief(c.agreement, power))


def _without(kind):
    def rule(c):
        left = np.array([k != kind for k in c.kinds])
        weights = np.zeros(len(left))
        weights[left] = belief(mean_agreement(c.votes[left]))
        return c.mean(weights)

    return rule


RULES = {
    "mean, weighted by agreement to the 8th power": _power(SHARPNESS),
    "plain mean": _power(0),
    "to the 2nd power": _power(2),
    "to the 4th power": _power(4),
    "to the 12th power": _power(12),
    "the one that agrees most": lambda c: c.is_right[c.agreement.argmax()].mean(),
    "without logistic regression": _without("logistic regression"),
    "without random forest": _without("random forest"),
    "without extra trees": _without("extra trees"),
    "without DANN": _without("DANN"),
    "oracle: the best one, by labels": lambda c: c.is_right.mean(axis=1).max(),
}


def rules(candidates):
    """Return the accuracy of each rule, and of the choice that others would make."""
    found = {
        rule: {name: of(candidates(name)) for name in PAIRS}
        for rule, of in RULES.items()
    }
    first = found[next(iter(RULES))]
    rows = [
        [rule, mean(of), mean({n: of[n] for n in SIXTEEN}), difference(of, first)]
        for rule, of in found.items()
    ]
    sets = {rule: by_data_set(of) for rule, of in found.items() if "oracle" not in rule}
    left_out = []
    for name in by_data_set(first):
        others = {
            rule: np.mean([v for k, v in of.items() if k != name])
            for rule, of in sets.items()
        }
        left_out.append(sets[max(others, key=others.get)][name])
    rows.append(["chosen leaving out one data set", float(np.mean(left_out)), None, ""])
    columns = ["", "accuracy", "16 pairs", "less the first row"]
    return {"columns": columns, "rows": rows}


def singles(candidates):
    """Return the accuracy of each candidate alone; text has no scales of its own."""
    rows = []
    for name in candidates(PAIRS[0]).names:
        as_it_is = name.partition(",")[0] + ", as it is"
        of = {}
        for pair in PAIRS:
            c = candidates(pair)
            known = name if name in c.names else as_it_is
            of[pair] = c.is_right[c.names.index(known)].mean()
        rows.append([name, mean(of), mean({n: of[n] for n in SIXTEEN})])
    return {"columns": ["candidate", "accuracy", "16 pairs"], "rows": rows}


def _drawn(c, n, rng):
    entropy = disagreement(c.votes, c.believed)
    return draw_rows(inclusion_probabilities(entropy, n), rng)


def _at_random(c, n, rng):
    return rng.permutation(len(c.y))[:n]


def _one_after_the_other(c, n, rng):
    rows = []
    for _ in range(n):
        right = c.is_right[:, rows].sum(axis=1)
        weights = c.believed * np.exp(right - right.max())
        entropy = disagreement(c.votes, weights / weights.sum())
        entropy[rows] = 0
        rows += draw_rows(inclusion_probabilities(entropy, 1), rng).tolist()
    return np.array(rows)


def _combine(c, rows):
    right = c.is_right[:, rows].sum(axis=1)
    return c.mean(c.believed * np.exp(right - right.max()))


def _take_best(c, rows):
    """By the labels alone; among equals the one that agrees most."""
    right = c.is_right[:, rows].sum(axis=1)
    return c.is_right[np.lexsort((c.agreement, right))[-1]].mean()


LABELLED = {
    "random rows, the best candidate": (_at_random, _take_best),
    "random rows, weighted mean": (_at_random, _combine),
    "drawn rows, the best candidate": (_drawn, _take_best),
    "drawn rows, weighted mean": (_drawn, _combine),
    "drawn one after the other, weighted mean": (_one_after_the_other, _combine),
}


def labels(candidates):
    """Return what labels are worth: means, and a bad draw, the tenth percentile."""
    rows = []
    for title, (draw, use) in LABELLED.items():
        for n_labels in N_LABELS:
            if draw is _one_after_the_other and n_labels > N_LABELS[0]:
                continue
            middle, bad = {}, {}
            for i, name in enumerate(PAIRS):
                c, rng = candidates(name), np.random.RandomState(i)
                n = min(n_labels, len(c.y))
                found = [use(c, draw(c, n, rng)) for _ in range(N_DRAWS)]
                middle[name], bad[name] = np.mean(found), np.quantile(found, 0.1)
            sixteen = [{n: of[n] for n in SIXTEEN} for of in (middle, bad)]
            row = [mean(middle), mean(bad), *map(mean, sixteen)]
            rows.append([title, n_labels, *row])
            print(*rows[-1], flush=True)
    columns = ["", "labels", "accuracy", "bad draw", "16 pairs", "bad draw, 16 pairs"]
    return {"columns": columns, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    args = parser.parse_args()
    candidates = cache(partial(Candidates, data=args.data))
    tables = {
        "rules": rules(candidates),
        "candidates": singles(candidates),
        "labels": labels(candidates),
    }
    save("combining", tables, seeds=1, draws=N_DRAWS)


if __name__ == "__main__":
    main()
