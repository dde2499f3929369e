"""Raw tables go in, and an adapted model comes out, without metadata routing."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from helpers import SMALL
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from skdann import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    DANNClassifier,
    load,
    save,
    tabular_pipeline,
)
from skdann.model_selection import DANNGridSearchCV, rows_to_label

CLASSES = ["ill", "well"]
QUICK = {**SMALL, "standardize": "source"}


def table(n, seed, sexes):
    """Return a messy table, and who is ill: whose pressure is above 140."""
    rng = np.random.default_rng(seed)
    pressure = rng.normal(140, 20, n)
    days = pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    frame = pd.DataFrame(
        {
            "pressure": pressure.round(1).astype(str),  # numbers as text
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.integers(20, 90, n)),
            "sex": rng.choice(sexes, n),
            "ward": pd.Categorical(rng.choice(["a", "b", "c"], n)),
            "seen": (pd.Timestamp("2024-01-01") + days).strftime("%Y-%m-%d"),
            "note": [f"case {i} of {seed}" for i in range(n)],
            "country": "fr",
            "weight": rng.normal(70, 10, n),
            "empty": np.full(n, np.nan),
        }
    )
    return frame, np.where(pressure > 140, *CLASSES)


@pytest.fixture(scope="module")
def tables():
    """The target has a category that the source lacks, and gaps where that has none."""
    X, y = table(80, 0, ["m", "f"])
    X_tgt, y_tgt = table(60, 1, ["m", "f", "unknown"])
    X_tgt.loc[:9, "weight"] = np.nan
    return X, y, X_tgt, y_tgt


@pytest.fixture(params=["pandas", "polars"])
def any_tables(request, tables):
    X, y, X_tgt, y_tgt = tables
    if request.param == "polars":
        X, X_tgt = map(pl.from_pandas, (X, X_tgt))
    return X, y, X_tgt, y_tgt


def network(**params):
    return tabular_pipeline(DANNClassifier(**{**QUICK, **params}))


def linear():
    return tabular_pipeline(BaselineClassifier(standardize="source"))


@pytest.mark.filterwarnings("error")
def test_a_messy_table_is_learned(any_tables):
    X, y, X_tgt, y_tgt = any_tables
    assert linear().fit(X, y, X_tgt).score(X_tgt, y_tgt) > 0.7
    pipe = network().fit(X, y, X_tgt)
    assert set(pipe.predict(X_tgt)) <= set(CLASSES)
    assert pipe.predict_proba(X_tgt, domain="target").shape == (60, 2)


def test_what_the_source_lacks_is_no_category_of_it(tables):
    X, y, X_tgt, _ = tables
    pipe = linear().fit(X, y, X_tgt)
    X_enc = pipe[0].transform(X_tgt)
    of_sex = X_enc[["sex_f", "sex_m"]].to_numpy()
    assert (of_sex.sum(axis=1) == (X_tgt["sex"] != "unknown")).all()
    assert not any("country" in name or "empty" in name for name in X_enc.columns)
    assert X_enc["pressure"].to_numpy() == pytest.approx(
        X_tgt["pressure"].astype(float)
    )


def test_transformers_know_the_source_alone(tables):
    X, y, X_tgt, _ = tables
    imputed = linear().fit(X, y, X_tgt)[:-1].transform(X_tgt)
    column = list(linear().fit(X, y)[0].transform(X).columns).index("weight")
    assert imputed[:10, column] == pytest.approx(X["weight"].mean())


def test_the_target_reaches_the_last_step_as_in_two_calls(tables):
    X, y, X_tgt, _ = tables
    pipe = network().fit(X, y, X_tgt)
    before = pipe[:-1]
    alone = DANNClassifier(**QUICK).fit(before.transform(X), y, before.transform(X_tgt))
    P = alone.predict_proba(before.transform(X_tgt))
    np.testing.assert_array_equal(pipe.predict_proba(X_tgt), P)


def test_what_fit_takes_besides_is_passed_on(tables):
    X, y, X_tgt, y_tgt = tables
    few = np.full(60, None)
    few[:30] = y_tgt[:30]
    weight, groups = np.r_[np.zeros(20), np.ones(60)], np.repeat(["a", "b"], 40)
    params = {"sample_weight": weight, "y_tgt": few, "groups": groups}
    pipe = network().fit(X, y, X_tgt, **params)
    before = pipe[:-1]
    rows, rows_tgt = before.transform(X), before.transform(X_tgt)
    alone = DANNClassifier(**QUICK).fit(rows, y, rows_tgt, **params)
    np.testing.assert_array_equal(
        pipe.predict_proba(X_tgt), alone.predict_proba(rows_tgt)
    )


@pytest.mark.parametrize("enabled", [False, True])
def test_tools_of_scikit_learn_take_it(tables, enabled):
    X, y, X_tgt, _ = tables
    pipe = clone(network())
    with sklearn.config_context(enable_metadata_routing=enabled):
        grid = GridSearchCV(pipe, {"dannclassifier__lambda_max": [0, 1]}, cv=2)
        assert grid.fit(X, y, X_tgt=X_tgt).predict(X_tgt).shape == (60,)
        scores = cross_validate(
            pipe, X, y, params={"X_tgt": X_tgt}, cv=2, return_estimator=True
        )
    assert all(e[-1].history_[-1]["domain_loss"] > 0 for e in scores["estimator"])


def test_searches_of_this_library_take_it_and_are_taken(tables):
    X, y, X_tgt, _ = tables
    params = {"lambda_max": [0, 1]}
    outside = DANNGridSearchCV(
        network(), {f"dannclassifier__{k}": v for k, v in params.items()}, cv=2
    ).fit(X, y, X_tgt)
    assert outside.best_estimator_.fit(X, y, X_tgt).predict(X_tgt).shape == (60,)
    inside = tabular_pipeline(DANNGridSearchCV(DANNClassifier(**QUICK), params, cv=2))
    assert inside.fit(X, y, X_tgt).predict(X_tgt).shape == (60,)


def test_the_combination_names_rows_of_the_raw_table(tables):
    X, y, X_tgt, _ = tables
    candidates = [
        ("source", BaselineClassifier(standardize="source")),
        ("domain", BaselineClassifier()),
    ]
    pipe = tabular_pipeline(AutoDANNClassifier(candidates)).fit(X, y, X_tgt)
    assert len(rows_to_label(pipe, X_tgt, 3, random_state=0)[0]) == 3


def test_partial_fit_keeps_the_first_encoding(tables):
    X, y, X_tgt, _ = tables
    pipe = network()
    pipe.partial_fit(X, y, X_tgt, classes=CLASSES)
    before = pipe[:-1].transform(X_tgt)
    pipe.partial_fit(X.assign(weight=0.0), y, X_tgt)
    np.testing.assert_array_equal(pipe[:-1].transform(X_tgt), before)
    assert pipe[-1].n_iter_ == 2
    assert not hasattr(linear(), "partial_fit")


def test_rows_of_the_source_can_be_named(tables):
    X, y, X_tgt, _ = tables
    pipe = network(standardize="domain").fit(X, y, X_tgt)
    right = pipe.predict(X, domain="source") == y
    assert pipe.score(X, y, domain="source") == right.mean()
    features = pipe.transform(X, domain="source")
    assert np.abs(features - pipe.transform(X, domain="target")).max() > 0
    again = network(standardize="domain").fit_transform(X, y, X_tgt)
    np.testing.assert_array_equal(again, features)


def test_a_failed_fit_leaves_it_as_it_was(tables):
    X, y, X_tgt, _ = tables
    fresh = network()
    with pytest.raises(ValueError, match="lacks columns of X: \\['sex'\\]"):
        fresh.fit(X, y, X_tgt.drop(columns="sex"))
    with pytest.raises(ValueError, match="among the classes"):
        fresh.fit(X, y, X_tgt, y_tgt=["other"] * 60)
    with pytest.raises(NotFittedError):
        check_is_fitted(fresh[0])
    pipe = network().fit(X, y, X_tgt)
    P = pipe.predict_proba(X_tgt)
    with pytest.raises(ValueError, match="among the classes"):
        pipe.fit(X.drop(columns="age"), y, X_tgt.drop(columns="age"), y_tgt=["o"] * 60)
    np.testing.assert_array_equal(pipe.predict_proba(X_tgt), P)


def test_a_file_holds_the_whole(tables, tmp_path):
    X, y, X_tgt, _ = tables
    pipe = network().fit(X, y, X_tgt)
    save(pipe, tmp_path / "model.skdann")
    loaded = load(tmp_path / "model.skdann")
    assert type(loaded) is type(pipe)
    np.testing.assert_array_equal(
        loaded.predict_proba(X_tgt), pipe.predict_proba(X_tgt)
    )
    assert loaded.fit(X, y, X_tgt).score(X, y, domain="source") > 0


def test_what_is_at_the_end():
    assert isinstance(tabular_pipeline()[-1], AutoDANNClassifier)
    assert isinstance(tabular_pipeline("classifier")[-1], AutoDANNClassifier)
    assert isinstance(tabular_pipeline("regressor")[-1], AutoDANNRegressor)
    given = make_pipeline(PCA(2), DANNClassifier(**QUICK))
    pipe = tabular_pipeline(given)
    assert list(pipe.named_steps)[-2:] == ["pca", "dannclassifier"]
    assert pipe[-1] is not given[-1]
    assert type(pipe[:-1]) is Pipeline
    assert "dannclassifier" in pipe._repr_html_().lower()


@pytest.mark.parametrize("wrong", ["regression", LogisticRegression(), PCA])
def test_what_cannot_adapt_is_refused(wrong):
    with pytest.raises((ValueError, TypeError), match="estimator"):
        tabular_pipeline(wrong)


def test_without_skrub_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skrub", None)
    with pytest.raises(ImportError, match=r"pip install 'skdann\[tables\]'"):
        tabular_pipeline()
