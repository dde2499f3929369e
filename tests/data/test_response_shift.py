"""Where numbers are predicted, columns get scales that the shift calls for."""

import numpy as np
import pytest
from scipy.special import expit

from skdann import DANNRegressor
from skdann.metrics._agreement import concordance


@pytest.fixture
def few_trees():
    """Not here, where all of them are to decide."""


def chosen(X, y, X_tgt):
    network = DANNRegressor(n_estimators=1, max_epochs=1, random_state=0)
    return network.fit(X, y, X_tgt).standardize_


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    return X, 3 * X[:, 0] - X[:, 1] ** 2 + 0.1 * rng.normal(size=600)


def test_an_instrument_of_another_gain_gets_scales_of_its_own(rows):
    X, y = rows
    assert chosen(X[:300], y[:300], 2 * X[300:] + 2) == "domain"


def test_rows_alike_keep_the_scales_of_the_source(rows):
    X, y = rows
    assert chosen(X[:300], y[:300], X[300:]) == "source"


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_were_chosen_by_y_keep_the_scales_of_the_source(rows, seed):
    X, y = rows
    z = (y - y.mean()) / y.std()
    is_target = np.random.default_rng(seed).random(len(y)) < expit(2 * z)
    assert chosen(X[~is_target], y[~is_target], X[is_target]) == "source"


def test_one_target_row_keeps_the_scales_of_the_source(rows):
    X, y = rows
    assert chosen(X, y, X[:1]) == "source"


def test_concordance_falls_by_a_shift_of_the_mean():
    a = np.array([[0.0], [1.0], [2.0], [5.0]])
    assert concordance(a, a) == pytest.approx(1)
    assert concordance(a, a + 3) == pytest.approx(2 * a.var() / (2 * a.var() + 9))
