"""Numbers out of all proportion are an error that names them, not a silent NaN."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import SMALL
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from torch import nn

from skdann import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
)
from skdann.exceptions import AdaptationWarning
from skdann.model_selection import DANNGridSearchCV

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

RNG = np.random.default_rng(0)
X, X_TGT = RNG.normal(size=(40, 3)), RNG.normal(size=(30, 3)) + 0.3
Y = (X[:, 0] > 0).astype(int)
NUMBERS = 3 * X[:, 0] + 1
LARGE = X_TGT.copy()
LARGE[4], LARGE[9, 1] = 1.7e308, -1.7e308
BRIEF = {**SMALL, "max_epochs": 1, "standardize": "source"}


def network(**params):
    return DANNClassifier(**{**BRIEF, **params})


def numbers(**params):
    names = DANNRegressor().get_params()
    return DANNRegressor(**{k: v for k, v in {**BRIEF, **params}.items() if k in names})


CLASSIFIERS = {
    "network": network(),
    "networks": network(n_estimators=3),
    "each domain by itself": network(standardize="domain"),
    "as it is": network(standardize=None),
    "groups": network(domain_classes="groups"),
    "logistic regression": BaselineClassifier(),
    "forest": BaselineClassifier(RandomForestClassifier(2), standardize="source"),
    "combination": AutoDANNClassifier([("a", network()), ("b", BaselineClassifier())]),
    "search": DANNGridSearchCV(network(), {"lr": [1e-3]}, cv=2),
}
REGRESSORS = {
    "network": numbers(),
    "ridge regression": BaselineRegressor(),
    "combination": AutoDANNRegressor([("a", numbers()), ("b", BaselineRegressor())]),
}
METHODS = (
    *("predict", "predict_proba", "decision_function", "transform", "predict_domain"),
    "predict_groups",
)
NAMED = (
    r"of 1 of 30 rows is not finite: of rows 4, counted from 0\. .* is 1\.[78]e\+308"
)


def fit(model, X=X, y=Y, X_tgt=X_TGT):
    tells_groups = getattr(model, "domain_classes", None) == "groups"
    groups = {"groups": np.arange(len(y)) % 2} if tells_groups else {}
    return model.fit(X, y, X_tgt, **groups)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_rows_too_large_for_a_classifier_are_named(name):
    clf = fit(CLASSIFIERS[name])
    rows = np.where(np.arange(30)[:, None] == 4, LARGE, X_TGT)
    for method in METHODS:
        if hasattr(clf, method) and (method != "predict_groups" or name == "groups"):
            with pytest.raises(ValueError, match=NAMED):
                getattr(clf, method)(rows)
    with pytest.raises(ValueError, match=NAMED):
        clf.score(rows, np.zeros(30, int))
    assert np.isfinite(clf.predict_proba(np.clip(rows, -1e100, 1e30))).all()


@pytest.mark.parametrize("name", REGRESSORS)
def test_rows_too_large_for_a_regressor_are_named(name):
    reg = fit(REGRESSORS[name], y=NUMBERS)
    for domain in ("source", "target"):
        with pytest.raises(
            ValueError, match=r"of 2 of 30 rows .* of rows 4, 9, counted"
        ):
            reg.predict(LARGE, domain=domain)
    with pytest.raises(ValueError, match="of 2 of 30 rows"):
        reg.score(LARGE, LARGE[:, 0] * 0)


CONTAINERS = {
    "DataFrame": pd.DataFrame,
    "polars": pl.DataFrame,
    "CSR": sparse.csr_array,
    "CSC matrix": sparse.csc_matrix,
    "list": lambda rows: rows.tolist(),
    "float32": lambda rows: np.clip(rows, -3e38, 3e38).astype(np.float32),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_rows_too_large_are_named_in_any_container(name):
    make, is_sparse = CONTAINERS[name], name.startswith("CS")
    clf = network(standardize=None if is_sparse else "source")
    clf.fit(make(X), Y, make(X_TGT))
    with pytest.raises(ValueError, match=r"rows is not finite: of rows 4"):
        clf.transform(make(LARGE))


class Logarithm(nn.Module):
    def forward(self, x):
        return torch.log(x + 10)


def test_rows_are_not_blamed_for_what_parts_of_the_user_do():
    clf = network(feature_extractor=Logarithm(), standardize=None).fit(X, Y, X_TGT)
    rows = np.where(np.arange(30)[:, None] == 7, -11, X_TGT)
    with pytest.raises(
        ValueError, match=r"rows 7, .* is 11\. .* of the model that are y"
    ):
        clf.predict(rows)


@pytest.mark.parametrize("where", ["X", "X_tgt"])
@pytest.mark.parametrize("value", [1e200, 1e308])
def test_columns_without_a_deviation_are_named_by_fit(where, value):
    rows = {"X": X.copy(), "X_tgt": X_TGT.copy()}
    rows[where][5, 1] = value
    message = (
        rf"^{where} holds numbers so large .*: columns 1, counted from 0\. Replace"
    )
    for model, y in (
        (network(), Y),
        (BaselineClassifier(), Y),
        (CLASSIFIERS["combination"], Y),
        (numbers(), NUMBERS),
        (BaselineRegressor(standardize="pooled"), NUMBERS),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(rows["X"], y, rows["X_tgt"])
    by_rank = BaselineClassifier(standardize="quantile")
    assert np.isfinite(by_rank.fit(rows["X"], Y, rows["X_tgt"]).predict_proba(X)).all()


@pytest.mark.parametrize("offset", [1e9, 1e12, 1e15])
def test_what_numbers_vary_by_is_learned_beside_a_large_mean(offset):
    y = np.rint(8 * NUMBERS) + offset  # exact, whatever the offset
    plain = numbers(max_epochs=20).fit(X, y - offset, X_TGT).predict(X_TGT)
    moved = numbers(max_epochs=20).fit(X, y, X_TGT).predict(X_TGT)
    np.testing.assert_allclose(moved - offset, plain, atol=0.3)


def test_numbers_are_constant_if_they_are_all_the_same():
    for value in (0.1, 1e15 / 3, -1e-100):
        y = np.full((40, 2), value)
        y[0, 1] = 7  # which has no weight
        weight = np.arange(40) > 0
        reg = numbers().fit(X, y, X_TGT, sample_weight=weight)
        np.testing.assert_allclose(reg.predict(X), y[1:2].repeat(40, 0), rtol=1)


def test_numbers_out_of_all_proportion_are_an_error():
    with pytest.raises(ValueError, match=r"y varies by less than 1e-150\. Scale it"):
        numbers().fit(X, NUMBERS * 1e-200, X_TGT)
    with pytest.raises(ValueError, match=r"Ridge can't be fitted: .* scale them"):
        BaselineRegressor(Ridge(solver="svd")).fit(
            X, NUMBERS, X_TGT, sample_weight=np.full(40, 1e308)
        )


@pytest.mark.parametrize("model", [numbers(), BaselineRegressor()])
@pytest.mark.parametrize("mark", [-999.0, 9999.0])
def test_a_number_that_marks_missing_ones_is_told(model, mark):
    known = 3 * X_TGT[:, 0] + 1
    y_tgt = np.where(np.arange(30) < 5, known, mark)
    with pytest.warns(
        AdaptationWarning, match=rf"holds {mark:g} in 25 of 30 rows, far"
    ):
        model.fit(X, NUMBERS, X_TGT, y_tgt=y_tgt)
    model.fit(X, NUMBERS, X_TGT, y_tgt=np.where(np.arange(30) < 5, known, np.nan))
    model.fit(X, NUMBERS, X_TGT, y_tgt=np.where(np.arange(30) == 5, mark, known))
