"""Estimates of the accuracy on a target without labels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdann.metrics._paired import PairedDifference, rows_to_settle
from skdann.metrics._target_accuracy import accuracy_estimates


def calibrated(n, seed, spread=3.0):
    """Return probabilities of two classes, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-spread * rng.normal(size=n)))
    return np.c_[1 - p, p], (rng.random(n) < p).astype(int)


def test_all_are_right_where_the_domains_are_alike():
    (P, y), (P_tgt, y_tgt) = calibrated(20_000, 0), calibrated(20_000, 1)
    accuracy = np.mean(P_tgt.argmax(axis=1) == y_tgt)
    estimates = accuracy_estimates(P, y, P_tgt, y_tgt[None])
    assert_allclose(list(estimates.values()), accuracy, atol=0.01)


def test_a_target_that_is_less_certain_is_seen():
    (P, y), (P_tgt, y_tgt) = calibrated(20_000, 0), calibrated(20_000, 1, spread=1)
    accuracy = np.mean(P_tgt.argmax(axis=1) == y_tgt)
    estimates = accuracy_estimates(P, y, P_tgt, y_tgt[None])
    del estimates["thresholded confidence"]  # made for other shifts
    assert_allclose(list(estimates.values()), accuracy, atol=0.01)


def test_too_much_confidence_is_corrected():
    (P, y), (P_tgt, y_tgt) = calibrated(20_000, 0), calibrated(20_000, 1)
    P, P_tgt = (P**3 / (P**3).sum(axis=1, keepdims=True) for P in (P, P_tgt))
    accuracy = np.mean(P_tgt.argmax(axis=1) == y_tgt)
    estimates = accuracy_estimates(P, y, P_tgt, y_tgt[None])
    assert estimates["mean confidence"] == pytest.approx(accuracy, abs=0.01)


def test_errors_that_do_not_show_are_not_seen():
    (P, y), (P_tgt, y_tgt) = calibrated(20_000, 0), calibrated(20_000, 1)
    wrong = 1 - y_tgt
    accuracy = np.mean(P_tgt.argmax(axis=1) == wrong)
    estimates = accuracy_estimates(P, y, P_tgt, P_tgt.argmax(axis=1)[None])
    assert min(estimates.values()) > accuracy + 0.3


@pytest.mark.parametrize("share_right", [0.6, 0.75])
def test_so_many_rows_settle_it_in_four_of_five_cases(share_right):
    n = rows_to_settle(share_right)
    drawn = np.random.default_rng(0).random((4000, n)) < share_right
    settled = np.mean([PairedDifference.of(r, ~r).is_settled for r in drawn])
    assert 0.7 < settled < 0.9
