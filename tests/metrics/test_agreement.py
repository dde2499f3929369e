"""Weights of candidates: by agreement, then by labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from skdann.metrics._agreement import (
    combination_weights,
    disagreement,
    mean_agreement,
    pairwise_kappa,
)
from skdann.metrics._paired import PairedDifference


@given(st.integers(2, 5), st.integers(5, 40), st.integers(0, 2**16))
def test_kappa_is_that_of_scikit_learn(n_classes, n_rows, seed):
    votes = np.random.default_rng(seed).integers(n_classes, size=(3, n_rows))
    kappa = pairwise_kappa(votes)
    for i in range(3):
        for j in range(3):
            if len(np.union1d(votes[i], votes[j])) > 1:
                expected = cohen_kappa_score(votes[i], votes[j])
                assert kappa[i, j] == pytest.approx(expected)


def test_who_stands_alone_counts_for_little():
    truth = np.tile([0, 1, 2], 30)
    rng = np.random.default_rng(0)
    votes = [np.where(rng.random(90) < 0.1, (truth + 1) % 3, truth) for _ in range(4)]
    weights = combination_weights(np.array([*votes, rng.permutation(truth)]))
    assert weights.sum() == pytest.approx(1)
    assert weights[-1] < 0.01 < weights[:-1].min()


def test_candidates_that_say_one_class_alone_count_alike():
    votes = np.zeros((3, 20), dtype=int)
    np.testing.assert_array_equal(mean_agreement(votes), 0)
    np.testing.assert_allclose(combination_weights(votes), 1 / 3)


def test_a_label_multiplies_the_weight_of_who_is_right_by_e():
    votes = np.tile([0, 1], (2, 20))
    weights = combination_weights(votes, np.array([7, 9]))
    assert weights[1] / weights[0] == pytest.approx(math.e**2)


def test_enough_labels_overrule_agreement():
    votes = np.array([np.tile([0, 1], 20)] * 5 + [np.tile([1, 0], 20)])
    assert combination_weights(votes)[-1] < 1e-6
    assert combination_weights(votes, np.array([0] * 5 + [25]))[-1] > 0.99


def test_disagreement_is_the_entropy_of_the_votes():
    votes = np.array([[0, 0, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1]])
    weights = np.full(4, 0.25)
    expected = [0, math.log(2), 0]
    np.testing.assert_allclose(disagreement(votes, weights), expected, atol=1e-12)


def test_two_classifiers_are_told_apart_by_the_rows_where_they_differ():
    right = np.ones(40, dtype=bool)
    worse = np.r_[np.zeros(12, dtype=bool), np.ones(28, dtype=bool)]
    paired = PairedDifference.of(right, worse)
    assert (paired.n_better, paired.n_worse, paired.difference) == (12, 0, 0.3)
    low, high = paired.interval
    assert 0 < low < 0.3 < high
    assert paired.is_settled
    assert paired.n_more == 0


def test_labels_that_are_needed_to_tell_apart_do_so():
    first = np.r_[np.ones(7, bool), np.zeros(4, bool), np.ones(9, bool)]
    second = np.r_[np.zeros(7, bool), np.ones(4, bool), np.ones(9, bool)]
    few = PairedDifference.of(first, second)
    assert not few.is_settled
    times = math.ceil((few.n + few.n_more) / few.n)
    many = PairedDifference.of(np.tile(first, times), np.tile(second, times))
    assert many.is_settled
    one_less = PairedDifference.of(
        np.tile(first, times // 2), np.tile(second, times // 2)
    )
    assert not one_less.is_settled


def test_equals_are_never_told_apart():
    right = np.array([True, False, True])
    assert PairedDifference.of(right, right[::-1]).n_more == math.inf


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_interval_holds_the_difference(n_better, n_worse, n_alike):
    paired = PairedDifference(max(1, n_better + n_worse + n_alike), n_better, n_worse)
    low, high = paired.interval
    assert -1 <= low <= paired.difference + 0.15
    assert paired.difference - 0.15 <= high <= 1
    assert low <= high
