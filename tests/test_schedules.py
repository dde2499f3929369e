"""Schedules against the tables of the paper's formulas."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import SMALL, make_domains
from hypothesis import given
from hypothesis import strategies as st

from skdann import DANNClassifier, schedules
from skdann.schedules import LR_SCHEDULES, make_schedule

PROGRESS = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 1]
LAMBDA_P = [0, 0.04995837, 0.46211716, 0.84828364, 0.98661430, 0.99889444, 0.99990920]
MU_P = [0.01, 0.00931012, 0.00594604, 0.00390795, 0.00260847, 0.00200880, 0.00165560]


@pytest.mark.parametrize(
    ("progress", "expected"), list(zip(PROGRESS, LAMBDA_P, strict=True))
)
def test_annealed_lambda_is_the_papers(progress, expected):
    assert schedules.annealed_lambda(progress) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("progress", "expected"), list(zip(PROGRESS, MU_P, strict=True))
)
def test_annealed_lr_is_the_papers(progress, expected):
    assert 0.01 * schedules.annealed_lr(progress) == pytest.approx(expected, abs=1e-8)


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.01, 100),
    st.floats(0, 50),
    st.floats(0, 5),
)
def test_lambda_rises_and_lr_falls_within_0_and_1(p, q, gamma, alpha, beta):
    p, q = sorted((p, q))
    for rising in (
        lambda p: schedules.annealed_lambda(p, gamma),
        schedules.linear,
        schedules.constant,
    ):
        assert 0 <= rising(p) <= rising(q) <= 1
    for falling in (
        lambda p: schedules.annealed_lr(p, alpha, beta),
        schedules.cosine,
        schedules.constant,
    ):
        assert 1 >= falling(p) >= falling(q) >= 0


def test_a_larger_gamma_rises_earlier():
    assert schedules.annealed_lambda(0.1, 20) > schedules.annealed_lambda(0.1, 5)


def test_cosine_is_half_way_down_at_half_time():
    assert math.isclose(schedules.cosine(0.5), 0.5)


# ---- what a function of the user's returns is checked at each step

X, Y, X_TGT, _ = make_domains(40, 30)
NO_FACTORS = [-0.015, -1, np.nan, np.inf, None, "x", 1j, [1.0], np.ones(1), pd.NA]
NO_FACTORS += [torch.ones(2), torch.tensor(-1.0), np.float32(-1), 10**400]


def between(value):
    """A schedule that returns a value at a third of the way, where none is probed."""
    return lambda progress: value if 0.3 < progress < 0.4 else 1.0


@pytest.mark.parametrize("parameter", ["lr_schedule", "lambda_schedule"])
@pytest.mark.parametrize("value", NO_FACTORS, ids=repr)
@pytest.mark.parametrize("is_fitted", [False, True])
def test_no_step_is_taken_by_nonsense(parameter, value, is_fitted):
    clf = DANNClassifier(**SMALL, warm_start=True)  # three steps
    if is_fitted:
        clf.fit(X, Y, X_TGT)
        expected = clf.predict_proba(X_TGT)
    clf.set_params(**{parameter: between(value) if not is_fitted else late(value)})
    before = dict(vars(clf))
    where = r"0\.333" if not is_fitted else r"0\.6|0\.7|0\.8"
    message = (
        rf"{parameter} returns .*{re.escape(repr(value)[:9])}.* progress ({where})"
    )
    with pytest.raises(ValueError, match=message):
        clf.fit(X, Y, X_TGT)
    assert vars(clf).keys() == before.keys()
    assert all(vars(clf)[name] is old for name, old in before.items())
    if is_fitted:
        assert np.array_equal(clf.predict_proba(X_TGT), expected)


def late(value):
    """The same of a warm start: its steps are from a half of the way on."""
    return lambda progress: value if 0.6 < progress < 0.99 else 1.0


@pytest.mark.parametrize(
    "half",
    [np.float32(0.5), np.float64(0.5), np.array(0.5), torch.tensor(0.5)],
    ids=repr,
)
def test_scalars_of_any_kind_are_factors(half):
    probabilities = [
        DANNClassifier(**SMALL, lr_schedule=lambda p, h=h: h)
        .fit(X, Y, X_TGT)
        .predict_proba(X_TGT)
        for h in (0.5, half)
    ]
    assert np.array_equal(*probabilities)


def test_true_and_false_switch():
    schedule = make_schedule("lr_schedule", lambda p: p > 0.5, LR_SCHEDULES, 0.1)
    assert [schedule(p) for p in (0.5, 0.6)] == [0.0, 0.1]


@pytest.mark.parametrize("function", [lambda: 1.0, lambda p, q: 1.0, lambda p: 1 / 0])
def test_a_schedule_that_raises_is_named(function):
    clf = DANNClassifier(**SMALL, lr_schedule=function)
    with pytest.raises(ValueError, match=r"lr_schedule failed at progress 0: \w+Error"):
        clf.fit(X, Y, X_TGT)


def test_a_product_that_is_no_number_is_named():
    clf = DANNClassifier(**SMALL, lambda_max=1e300, lambda_schedule=lambda p: 1e300)
    with pytest.raises(ValueError, match=r"lambda_schedule .* its peak, 1e\+300"):
        clf.fit(X, Y, X_TGT)
