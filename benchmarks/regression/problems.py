"""Domains that numbers are predicted across: measured ones, and made ones.

The measured ones are for the report. The made ones, of data that scikit-learn has, are
what defaults are chosen on.
"""

import sys
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import numpy as np
from scipy.special import expit
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_wine,
    make_friedman1,
    make_friedman2,
    make_friedman3,
    make_regression,
)

sys.path.append(str(Path(__file__).parents[1]))

from data._files import load_arrays

INSTRUMENTS = ("m5", "mp5", "mp6")
RESPONSES = ("moisture", "oil")
BOARDS = ("B1", "B2", "B3")
GASES = ("GCO", "GEa", "GEy", "GMe")


@dataclass(frozen=True)
class Problem:
    """A labelled source, and a target whose numbers are for scoring alone."""

    X: np.ndarray
    y: np.ndarray
    X_tgt: np.ndarray
    y_tgt: np.ndarray


def load(name, seed, data=None):
    """Return a problem; the seed decides the halves, or what is made."""
    data_set, *which = name.split()
    return LOADERS[data_set](*which, seed=seed, data=data)


def _load_corn(pair, response, *, seed, data):
    """Half of the samples by one instrument, the other half by another."""
    arrays = load_arrays("corn_nir", data)
    y = arrays["Y"][:, list(arrays["target_names"]).index(response)].astype(float)
    halves = np.array_split(np.random.default_rng(seed).permutation(80), 2)
    rows = [
        (arrays["domain"] == INSTRUMENTS.index(domain))
        & np.isin(arrays["sample"], half)
        for domain, half in zip(pair.split(">"), halves, strict=True)
    ]
    return _problem(arrays["X"], y, *rows)


def _load_twin_gas(pair, gas, *, seed, data):
    """Concentrations in ppm by two boards, of one gas or of all."""
    arrays = load_arrays("twin_gas", data)
    is_gas = np.ones(len(arrays["y"]), dtype=bool)
    if gas != "all":
        is_gas = arrays["y"] == GASES.index(gas)
    rows = [
        (arrays["domain"] == BOARDS.index(board)) & is_gas for board in pair.split(">")
    ]
    return _problem(arrays["X"], arrays["concentration"].astype(float), *rows)


def _make(base, shift, strength="1", *, seed, data):
    """Rows of one distribution in two halves, the second of them shifted."""
    strength = float(strength)
    rng = np.random.default_rng([seed, *base.encode(), *shift.encode()])
    X, y = BASES[base](seed)
    score = np.zeros(len(y))
    if "covariate" in shift:
        score = _standard(_standard(X) @ rng.normal(size=X.shape[1]))
    if "response" in shift:
        score = _standard(y)
    rows, rows_tgt = _biased_halves(strength * score, rng)
    X_tgt = X[rows_tgt]
    if "drift" in shift:
        X_tgt = _drifted(X_tgt, strength, rng)
    if "mixing" in shift:
        X_tgt = _mixed(X_tgt, strength, rng)
    return Problem(X[rows], y[rows], X_tgt, y[rows_tgt])


def _biased_halves(score, rng):
    """Draw rows for both domains; in the target those of a high score are common."""
    n = min(200, len(score) // 3)
    target = _draw(np.arange(len(score)), expit(2 * score), n, rng)
    rest = np.setdiff1d(np.arange(len(score)), target)
    return _draw(rest, expit(-2 * score[rest]), n, rng), target


def _draw(rows, weight, n, rng):
    return rng.choice(rows, n, replace=False, p=weight / weight.sum())


def _drifted(X, strength, rng):
    """Give each column a gain and an offset of its own."""
    gain, offset = rng.normal(size=(2, X.shape[1]))
    return X * np.exp(0.5 * strength * gain) + 0.7 * strength * offset * X.std(axis=0)


def _mixed(X, strength, rng):
    """Let each column leak into the others, which no scale takes back."""
    n = X.shape[1]
    leak = np.eye(n) + 0.4 * strength * rng.normal(size=(n, n)) / np.sqrt(n)
    return X.mean(axis=0) + X.std(axis=0) * (_standard(X) @ leak)


def _standard(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def _problem(X, y, rows, rows_tgt):
    return Problem(
        X[rows].astype(float), y[rows], X[rows_tgt].astype(float), y[rows_tgt]
    )


def _spectra(seed):
    """Few rows of many columns that go together, as spectra do."""
    X, y = make_regression(
        180, 200, n_informative=20, effective_rank=6, noise=0.3, random_state=seed
    )
    return X, y


def _load_population(table, column, pair, *, seed, data):
    """One column of a table from the others, among unlike people, tumors or flowers."""
    X, group = TABLES[table](return_X_y=True)
    y, column = X[:, int(column)], int(column)
    if table == "diabetes":  # by sex, age, weight or blood pressure
        y, group = group, (X[:, column] > np.median(X[:, column])).astype(int)
    rows = [group == int(which) for which in pair.split(">")]
    return _problem(np.delete(X, column, axis=1), y, *rows)


TABLES = {"diabetes": load_diabetes, "cancer": load_breast_cancer, "wine": load_wine}
COLUMNS = {"diabetes": [0, 1, 2, 3], "cancer": [4, 5, 8, 9, 11], "wine": [0, 3, 9, 12]}

BASES = {
    "diabetes": lambda seed: load_diabetes(return_X_y=True),
    "friedman1": lambda seed: make_friedman1(800, noise=1.0, random_state=seed),
    "friedman2": lambda seed: make_friedman2(800, noise=50.0, random_state=seed),
    "friedman3": lambda seed: make_friedman3(800, noise=0.1, random_state=seed),
    "spectra": _spectra,
}
SHIFTS = ("none", "drift", "mixing", "covariate", "response", "drift-response")

LOADERS = {
    "corn": _load_corn,
    "twin-gas": _load_twin_gas,
    "made": _make,
    "population": _load_population,
}


def _names(data_set, domains, which):
    pairs = map(">".join, permutations(domains, 2))
    return [f"{data_set} {pair} {one}" for one, pair in product(which, pairs)]


def _populations():
    for table, columns in COLUMNS.items():
        pairs = permutations(range(3 if table == "wine" else 2), 2)
        for column, (a, b) in product(columns, pairs):
            yield f"population {table} {column} {a}>{b}"


PROBLEMS = {
    "corn": _names("corn", INSTRUMENTS, RESPONSES),
    "twin-gas": _names("twin-gas", BOARDS, GASES),
    "twin-gas-all": _names("twin-gas", BOARDS, ["all"]),
    "made": [f"made {base} {shift}" for base, shift in product(BASES, SHIFTS)],
    "made-other": [
        f"made {base} {shift} {strength}"
        for base, shift, strength in product(BASES, SHIFTS[1:], (0.5, 2))
    ],
    "populations": list(_populations()),
}
