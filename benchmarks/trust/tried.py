"""What was tried and does not pay: `python benchmarks/trust/tried.py [--data folder]`.

Each idea beside what it would replace, on the same pairs; from the cells of `run.py`.
"""

import argparse
import warnings

import numpy as np
from combining import Candidates, belief
from domains import PAIRS, SIXTEEN, load
from run import path_of
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tables import Judge, accuracy, difference, mean, save

from skdann.metrics._agreement import mean_agreement
from skdann.metrics._proportions import total_variation

DISTANCES = (0.05, 0.1, 0.2, 0.3)
LAMBDAS = ("source-only", "dann-0.1", "dann-0.3", "dann")
SHARES = (1.0, 0.7)


class Pairs:
    """What was predicted for the target of each pair."""

    def __init__(self, data):
        self.data = data
        self.judge = Judge(data)

    def rows(self, cell, scaling, name):
        """Return probabilities, shape (n_fits, n_rows, n_classes), of the test rows."""
        return self.judge.probabilities((cell, scaling), name)

    def score(self, name, P):
        return accuracy(self.judge.pair(name).y_test, P)


def self_training(pairs, name, share):
    """Fit on the target, by the labels that the combination is most certain of."""
    pair, c = load(name, pairs.data), Candidates(name, pairs.data)
    with np.load(path_of("auto", "none", name)) as file:
        P = np.tensordot(c.believed, file["candidates"], axes=1)
    of_target, of_test = P[: len(pair.X_tgt)], P[-len(pair.y_test) :]
    X, X_test = pair.X_tgt, pair.X_test
    if not pair.is_text:
        scaler = StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    labels, certainty = of_target.argmax(axis=1), of_target.max(axis=1)
    keep = np.concatenate(
        [
            rows[np.argsort(-certainty[rows])][: int(np.ceil(share * len(rows)))]
            for rows in (np.flatnonzero(labels == k) for k in np.unique(labels))
        ]
    )
    if len(np.unique(labels)) == 1:
        return pairs.score(name, of_test)
    taught = LogisticRegression(max_iter=500).fit(X[keep], labels[keep])
    both = of_test.copy()
    both[:, taught.classes_] += taught.predict_proba(X_test)
    return pairs.score(name, both)


def fall_back(pairs, name, distance):
    """Take the linear model where predicted proportions are far from the source's."""
    [P] = pairs.rows("default", "none", name)[:1]
    y = pairs.judge.pair(name).y
    source = np.bincount(y) / len(y)
    predicted = np.bincount(P.argmax(axis=1), minlength=len(source)) / len(P)
    if total_variation(source, predicted) > distance:
        [P] = pairs.rows("lr", "source", name)
    return pairs.score(name, P)


def lambda_by_agreement(pairs, name):
    """Take the lambda whose networks agree most with two simple models."""
    simple = [pairs.rows(cell, "domain", name)[0] for cell in ("lr", "rf")]
    means = [pairs.rows(cell, "domain", name)[:5].mean(axis=0) for cell in LAMBDAS]
    votes = [P.argmax(axis=1) for P in simple]
    agreement = [
        mean_agreement(np.stack([*votes, P.argmax(axis=1)]))[-1] for P in means
    ]
    return pairs.score(name, means[int(np.argmax(agreement))])


def chosen_members(pairs, name):
    """Average the five of fifteen networks that agree most with the others."""
    P = pairs.rows("dann", "domain", name)
    agreement = mean_agreement(P.argmax(axis=2))
    return pairs.score(name, P[np.argsort(-agreement)[:5]].mean(axis=0))


def first_members(pairs, name):
    P = pairs.rows("dann", "domain", name)
    return pairs.score(name, P[:5].mean(axis=0))


def random_members(pairs, name):
    P = pairs.rows("dann", "domain", name)
    groups = [P[i : i + 5].mean(axis=0) for i in (0, 5, 10)]
    return np.mean([pairs.score(name, group) for group in groups])


def combination(pairs, name):
    c = Candidates(name, pairs.data)
    return c.mean(belief(c.agreement))


def of_cell(cell, n_fits=1):
    def score(pairs, name):
        fits = pairs.rows(cell, "none", name)[:n_fits]
        return np.mean([pairs.score(name, P) for P in fits])

    return score


def all_ideas():
    """Return, of each: what it replaces, itself, whether on the 16 pairs alone."""
    default = of_cell("default")
    ideas = {
        f"self-training on the {share:.0%} most certain labels of the combination": (
            combination,
            lambda pairs, name, share=share: self_training(pairs, name, share),
            PAIRS,
        )
        for share in SHARES
    }
    ideas |= {
        f"linear model where proportions move by more than {distance:g}": (
            default,
            lambda pairs, name, distance=distance: fall_back(pairs, name, distance),
            PAIRS,
        )
        for distance in DISTANCES
    }
    return ideas | {
        "lambda by agreement with simple models": (
            first_members,
            lambda_by_agreement,
            PAIRS,
        ),
        "the five of fifteen networks that agree most": (
            random_members,
            chosen_members,
            PAIRS,
        ),
        "early stopping": (default, of_cell("default, early stopping"), PAIRS),
        "gradient penalty": (default, of_cell("default, gradient penalty"), PAIRS),
        "embeddings of columns": (
            default,
            of_cell("default, numerical embeddings"),
            SIXTEEN,
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    pairs = Pairs(parser.parse_args().data)
    warnings.simplefilter("ignore")
    rows = []
    for title, (before, idea, names) in all_ideas().items():
        found = [{name: of(pairs, name) for name in names} for of in (before, idea)]
        n_pairs = len(names)
        row = [title, n_pairs, *map(mean, found), difference(*reversed(found))]
        rows.append(row)
        print(*row, flush=True)
    columns = ["", "pairs", "without", "with", "difference"]
    save("tried", {"ideas": {"columns": columns, "rows": rows}}, seeds=1)


if __name__ == "__main__":
    main()
