"""Columns of too many axes, of none, or not computed yet: one error, and what to do."""

from inspect import signature

import numpy as np
import polars as pl
import pytest
from helpers import SMALL
from sklearn.base import clone

from skdann import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
)
from skdann.model_selection import DANNGridSearchCV

RNG = np.random.default_rng(0)
X, X_TGT = RNG.normal(size=(12, 2)), RNG.normal(size=(12, 2))
LABELS = np.arange(12) % 2
NUMBERS = {name: value for name, value in SMALL.items() if name != "target_prior"}
LAZY = pl.DataFrame({"column": LABELS}).lazy()
DEEP = LABELS[:, None, None]

TOLD_APART = DANNClassifier(**SMALL, domain_classes="groups")
CLASSIFIERS = [
    TOLD_APART,
    BaselineClassifier(),
    AutoDANNClassifier([("a", TOLD_APART), ("b", BaselineClassifier())]),
    DANNGridSearchCV(TOLD_APART, {"lambda_max": [0, 1]}, cv=2),
]
NUMBERS_APART = DANNRegressor(**NUMBERS, domain_classes="groups")
REGRESSORS = [
    NUMBERS_APART,
    BaselineRegressor(),
    AutoDANNRegressor([("a", NUMBERS_APART), ("b", BaselineRegressor())]),
    DANNGridSearchCV(NUMBERS_APART, {"lambda_max": [0, 1]}, cv=2),
]
ALL = CLASSIFIERS + REGRESSORS


def name(estimator):
    return type(getattr(estimator, "estimator", estimator)).__name__


every = pytest.mark.parametrize("estimator", ALL, ids=name)
told_apart = pytest.mark.parametrize(
    "estimator", [e for e in ALL if "groups" in signature(e.fit).parameters], ids=name
)
classifiers = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name)
regressors = pytest.mark.parametrize("estimator", REGRESSORS, ids=name)


def fit(estimator, **given):
    given = {"X": X, "y": LABELS, "X_tgt": X_TGT} | given
    estimator = clone(estimator)
    try:
        return estimator.fit(**given)
    finally:
        assert not hasattr(estimator, "n_features_in_")


@pytest.mark.parametrize(
    "argument", ["X", "y", "X_tgt", "y_tgt", "sample_weight", "sample_weight_tgt"]
)
@every
def test_a_lazy_frame_has_to_be_collected(estimator, argument):
    with pytest.raises(ValueError, match=rf"^{argument} is a lazy .*{argument}\.coll"):
        fit(estimator, **{argument: LAZY})


@pytest.mark.parametrize("argument", ["groups", "groups_tgt"])
@told_apart
def test_lazy_groups_have_to_be_collected(estimator, argument):
    with pytest.raises(ValueError, match=rf"^{argument} is a lazy .*{argument}\.coll"):
        fit(estimator, **{argument: LAZY})


NESTED = {
    "struct": [{"a": 1.0}] * 12,
    "array": pl.Series([[1.0]] * 12, dtype=pl.Array(pl.Float64, 1)),
    "list": [[1.0, 2.0]] * 12,
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("argument", ["X", "X_tgt"])
@every
def test_columns_of_more_than_numbers_are_named(estimator, argument, kind):
    whole = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    nested = whole.with_columns(pl.Series("b", NESTED[kind]))
    given = {"X": whole, "X_tgt": whole, argument: nested}
    message = f"(^|TypeError: ){argument} has columns .* numbers: 'b'"
    with pytest.raises((TypeError, ValueError), match=message):
        fit(estimator, **given)


@pytest.mark.parametrize("values", [DEEP, DEEP.tolist()], ids=["array", "list"])
@pytest.mark.parametrize("argument", ["y", "y_tgt"])
@classifiers
def test_labels_have_one_axis(estimator, argument, values):
    shape = r"shape \(12, 1, 1\)\. Bring it to the shape \(12,\)"
    with pytest.raises(ValueError, match=f"^{argument} should be a 1d.*{shape}"):
        fit(estimator, **{argument: values})


@pytest.mark.parametrize("values", [DEEP, DEEP.tolist()], ids=["array", "list"])
@pytest.mark.parametrize("argument", ["y", "y_tgt"])
@regressors
def test_numbers_have_one_axis_or_two(estimator, argument, values):
    shape = r"shape \(12, 1, 1\); .* \(n,\) or \(n, n_outputs\)"
    with pytest.raises(ValueError, match=f"^{argument} has {shape}"):
        fit(estimator, **{argument: values})


@pytest.mark.parametrize("y", [pl.col("y"), np.array(1), object()], ids=type)
@every
def test_what_has_no_rows_is_no_column(estimator, y):
    with pytest.raises(ValueError, match=r"^y must be a dense column.*got a"):
        fit(estimator, y=y)


@pytest.mark.parametrize(
    "estimator", [BaselineClassifier(), BaselineRegressor()], ids=name
)
def test_what_is_scored_is_read_likewise(estimator):
    fitted = estimator.fit(X, LABELS, X_TGT)
    with pytest.raises(ValueError, match=r"^X is a lazy frame"):
        fitted.predict(LAZY)
    with pytest.raises(ValueError, match=r"^y is a lazy frame"):
        fitted.score(X, LAZY)
    with pytest.raises(ValueError, match=r"^y .*has.* shape \(12, 1, 1\)"):
        fitted.score(X, DEEP)
