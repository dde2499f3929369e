"""Schedules against the tables of the paper's formulas."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdann import schedules

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
