"""Columns that shifted are found, and those that did not are left in peace."""

import datetime
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse, stats

from skdann.inspection import column_shift
from skdann.inspection._column_shift._two_samples import adjust


@pytest.fixture(autouse=True)
def small_forests(monkeypatch):
    where = "skdann.inspection._column_shift._domain_classifier"
    monkeypatch.setattr(f"{where}.N_TREES", 20)


def shift_of(X_src, X_tgt):
    return column_shift(X_src, X_tgt, random_state=0)


def one(shift, column, kind):
    [found] = [s for s in shift.shifts if (s.column, s.kind) == (column, kind)]
    return found


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)

    def make(n, mean, share, first_day):
        return pd.DataFrame(
            {
                "age": rng.normal(mean, 10, n),
                "sex": np.where(rng.random(n) < share, "m", "f"),
                "code": pd.Categorical(rng.choice([1, 2, 3], n)),
                "seen": pd.date_range(first_day, periods=n),
                "patient": [f"{first_day} {i}" for i in range(n)],
                "dose": rng.normal(0, 1, n),
            }
        )

    return make(300, 50, 0.3, "2024-01-01"), make(100, 57, 0.8, "2025-01-01")


def test_the_columns_that_shifted_come_first(tables):
    shift = shift_of(*tables)
    shifted = [s.column for s in shift.shifts if s.p_value < 0.05]
    assert shifted == ["seen", "sex", "age"]
    assert shift.auc > 0.9
    assert shift.p_value < 1e-6


def test_figures_are_those_of_textbooks(tables):
    here, there = (table["age"].to_numpy() for table in tables)
    age = one(shift_of(*tables), "age", "number")
    assert age.distance == pytest.approx(stats.ks_2samp(here, there).statistic)
    deviation = np.sqrt((here.var() + there.var()) / 2)
    expected = (there.mean() - here.mean()) / deviation
    assert age.difference == pytest.approx(expected)
    assert (age.source, age.target) == pytest.approx((here.mean(), there.mean()))


def test_of_categories_the_one_that_changed_most_is_named(tables):
    shares = [np.mean(table["sex"] == "f") for table in tables]
    sex = one(shift_of(*tables), "sex", "category")
    assert sex.label in "mf"
    assert sex.distance == pytest.approx(shares[0] - shares[1])


def test_p_values_are_corrected_by_holm():
    assert adjust([0.01, 0.04, 0.03, 0.5]).tolist() == [0.04, 0.09, 0.09, 0.5]


def test_a_gap_is_a_shift_of_its_own():
    rng = np.random.default_rng(0)
    X_src, X_tgt = rng.normal(size=(200, 2)), rng.normal(size=(200, 2))
    X_tgt[:120, 1] = np.nan
    shift = shift_of(X_src, X_tgt)
    missing = shift.shifts[0]
    assert (missing.column, missing.kind, missing.distance) == ("x1", "missing", 0.6)
    assert one(shift, "x1", "number").p_value > 0.05
    assert missing.importance > 0.1


def test_a_column_that_is_empty_in_one_domain_differs_by_its_gaps_alone():
    shift = shift_of(np.ones((30, 1)), np.full((30, 1), np.nan))
    assert [(s.kind, s.distance) for s in shift.shifts] == [("missing", 1.0)]


def test_names_that_occur_once_tell_nothing():
    """What is random must not be alarming, though no name is in both tables."""
    here = pd.DataFrame({"patient": [f"a{i}" for i in range(200)]})
    there = pd.DataFrame({"patient": [f"b{i}" for i in range(100)]})
    shift = shift_of(here, there)
    assert shift.p_value == 1
    assert shift.auc == 0.5


def test_the_forest_sees_that_columns_depend_on_each_other_in_another_way():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400))
    shift = shift_of(np.c_[a, a], np.c_[a, b])
    assert min(s.p_value for s in shift.shifts) > 0.05
    assert shift.p_value < 1e-3
    assert min(s.importance for s in shift.shifts) > 0.1


def test_samples_of_one_distribution_raise_no_more_alarms_than_they_may():
    alarms = 0
    for seed in range(12):
        X = np.random.default_rng(seed).integers(0, 3, size=(80, 4))
        alarms += column_shift(X[:40], X[40:], random_state=seed).p_value < 0.05
    assert alarms <= 2


def test_the_container_does_not_matter(tables):
    here, there = (table[["age", "dose"]] for table in tables)
    expected = shift_of(here, there).to_dict()
    assert shift_of(pl.from_pandas(here), pl.from_pandas(there)).to_dict() == expected
    expected = shift_of(here.to_numpy(), there.to_numpy()).to_dict()
    in_sparse = [sparse.csr_array(table.to_numpy()) for table in (here, there)]
    assert shift_of(*in_sparse).to_dict() == expected
    as_text = shift_of(here.to_numpy().astype(str).tolist(), there.to_numpy())
    assert as_text.to_dict() == expected


@pytest.mark.parametrize(
    "convert",
    [
        pd.to_datetime,
        lambda days: pd.to_datetime(days).tz_localize("UTC"),
        lambda days: pd.Index(days).astype(str),
        lambda days: pd.Index([datetime.date.fromisoformat(d) for d in days]),
    ],
    ids=["numpy", "with a time zone", "text", "date"],
)
def test_dates_are_compared_by_days(convert):
    days = ["2024-01-01", "2024-01-03"] * 20
    here, there = (pd.DataFrame({"day": convert(d)}) for d in (days, days[::2]))
    [shift] = shift_of(here, there).shifts
    assert (shift.kind, shift.distance) == ("date", 0.5)
    assert shift.source - shift.target == pytest.approx(1)
    assert "2024-01-02" in str(shift_of(here, there))


def test_json_and_pandas_get_the_same_figures(tables):
    shift = shift_of(*tables)
    columns = json.loads(json.dumps(shift.to_dict(), allow_nan=False))["columns"]
    assert [row["column"] for row in columns] == shift.to_frame()["column"].tolist()


def test_lines_are_short_enough_for_a_report():
    name = "concentration of something in blood"
    here, there = (
        pd.DataFrame({name: np.linspace(a, -1.2345e-5, 50)}) for a in (-1, -1.23456e-4)
    )
    lines = str(shift_of(here, there)).splitlines()
    assert "concentration ..." in lines[2]
    assert max(map(len, lines)) <= 88


def test_few_rows_are_no_test_for_a_forest():
    shift = shift_of(np.zeros((5, 1)), np.ones((50, 1)))
    assert np.isnan(shift.auc)
    assert shift.to_dict()["auc"] is None
    assert shift.shifts[0].difference == np.inf
    assert shift.p_value < 0.01


def test_wide_tables_are_judged_by_the_columns_that_differ_most(monkeypatch):
    where = "skdann.inspection._column_shift._domain_classifier"
    monkeypatch.setattr(f"{where}.MAX_COLUMNS", 3)
    monkeypatch.setattr(f"{where}.MAX_PERMUTED", 2)
    X_src, X_tgt = np.random.default_rng(0).normal(size=(2, 100, 20))
    X_tgt[:, 7] += 2
    shift = shift_of(X_src, X_tgt)
    assert shift.shifts[0].column == "x7"
    assert shift.shifts[0].importance > 0.2
    assert sum(not np.isnan(s.importance) for s in shift.shifts) == 2
    assert "and 10 more" in str(shift)


def test_random_state_decides_all_and_touches_nothing(tables):
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = shift_of(*tables), shift_of(*tables)
    assert first.to_dict() == second.to_dict()
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_infinity_is_far_away():
    X_src, X_tgt = np.random.default_rng(0).normal(size=(2, 100, 1))
    X_tgt[:50], X_tgt[50:60] = np.inf, -np.inf
    [shift] = shift_of(X_src, X_tgt).shifts
    assert shift.distance >= 0.4
    assert np.isfinite(shift.difference)
    assert "inf" not in str(shift)


@pytest.mark.parametrize(
    ("X_src", "X_tgt", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 1)), "X_tgt has 1 columns, but X_src has 2"),
        (np.ones(3), np.ones((3, 1)), r"X_src has the shape \(3,\)"),
        (np.ones((3, 1)), np.ones((0, 1)), r"X_tgt has the shape \(0, 1\)"),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), r"lacks columns \['a'\]"),
        ({"a": [1]}, np.ones((3, 1)), "X_src is a dict"),
        (np.ones((3, 1)), np.ones((3, 1)) * 1j, "'x0' holds complex numbers"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(X_src, X_tgt, message):
    with pytest.raises(ValueError, match=message):
        column_shift(X_src, X_tgt)
