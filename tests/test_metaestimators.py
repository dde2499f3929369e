"""Pipelines, searches and ensembles of scikit-learn, as they come."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (switches it on)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdann import AdaptationWarning, DANNClassifier

GRID = {
    "lambda_max": [0.0, 0.3],
    "lambda_gamma": [5.0, 10.0],
    "lr": [1e-3, 1e-2],
    "lr_schedule": ["annealed", "constant"],
}


class Spy(DANNClassifier):
    """Notes the target that each fit receives."""

    seen = []

    def fit(self, X, y, X_tgt=None, *, sample_weight=None, y_tgt=None):
        Spy.seen.append(X_tgt)
        return super().fit(X, y, X_tgt, sample_weight=sample_weight, y_tgt=y_tgt)


@pytest.fixture
def spy(small):
    Spy.seen = []
    return Spy(**{**small().get_params(), "max_epochs": 1})


def with_prefix(grid):
    return {f"dann__{name}": values for name, values in grid.items()}


def scaled_pipeline(clf):
    steps = [("scale", StandardScaler()), ("dann", clf)]
    return Pipeline(steps, transform_input=["X_tgt"])


def test_a_pipeline_scales_the_target_with_the_source(routing, small, domains):
    X, y, X_tgt = domains
    scaler = StandardScaler().fit(X)
    by_hand = small().fit(scaler.transform(X), y, scaler.transform(X_tgt))
    pipe = scaled_pipeline(small()).fit(X, y, X_tgt=X_tgt)
    assert np.array_equal(
        pipe.predict_proba(X_tgt), by_hand.predict_proba(scaler.transform(X_tgt))
    )


def test_a_pipeline_takes_target_labels_and_weights(routing, small, domains):
    X, y, X_tgt = domains
    scaler = StandardScaler().fit(X)
    extras = {
        "y_tgt": np.where(np.arange(150) < 9, 1, -1),
        "sample_weight": np.linspace(1, 2, 200),
    }
    by_hand = small().fit(scaler.transform(X), y, scaler.transform(X_tgt), **extras)
    clf = small().set_fit_request(sample_weight=True)
    steps = [("scale", StandardScaler().set_fit_request(sample_weight=False))]
    pipe = Pipeline([*steps, ("dann", clf)], transform_input=["X_tgt"])
    pipe.fit(X, y, X_tgt=X_tgt, **extras)
    assert np.array_equal(
        pipe.predict_proba(X), by_hand.predict_proba(scaler.transform(X))
    )


def test_features_for_another_classifier(routing, small, domains):
    X, y, X_tgt = domains
    pipe = Pipeline(
        [("scale", StandardScaler()), ("dann", small()), ("lr", LogisticRegression())],
        transform_input=["X_tgt"],
    ).fit(X, y, X_tgt=X_tgt)
    assert pipe.score(X, y) > 0.8


def test_a_column_transformer_before_it(routing, small):
    rng = np.random.default_rng(0)

    def patients(n):
        sex = rng.choice(["f", "m"], n)
        return pd.DataFrame({"age": rng.normal(50, 9, n), "sex": sex})

    X, X_tgt = patients(80), patients(70)
    y = np.where(X["age"] > 50, "ill", "well")
    columns = ColumnTransformer(
        [("age", StandardScaler(), ["age"]), ("sex", OneHotEncoder(), ["sex"])]
    )
    pipe = Pipeline(
        [("columns", columns), ("dann", small(lambda_max=0.1, lr=0.01, max_epochs=80))],
        transform_input=["X_tgt"],
    ).fit(X, y, X_tgt=X_tgt)
    assert pipe.score(X, y) > 0.85


SEARCHES = {
    "grid": lambda clf, grid: GridSearchCV(clf, grid, cv=2),
    "grid in two processes": lambda clf, grid: GridSearchCV(clf, grid, cv=2, n_jobs=2),
    "random": lambda clf, grid: RandomizedSearchCV(clf, grid, n_iter=4, cv=2),
    "halving": lambda clf, grid: HalvingGridSearchCV(
        clf, grid, cv=2, min_resources=50, random_state=0
    ),
}


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("enabled", [True, False], ids=["routing", "no routing"])
def test_searches_over_lambda_and_learning_rate(spy, domains, search, enabled):
    X, y, X_tgt = domains
    with sklearn.config_context(enable_metadata_routing=enabled):
        searched = SEARCHES[search](spy, GRID).set_params(error_score="raise")
        searched.fit(X, y, X_tgt=X_tgt)
    assert all(seen is not None and len(seen) == 150 for seen in Spy.seen)
    assert np.isfinite(searched.cv_results_["mean_test_score"]).all()
    assert set(searched.best_params_) == set(GRID)
    assert "domain_loss" in searched.best_estimator_.history_[-1]
    assert searched.predict(X_tgt).shape == (150,)


@pytest.mark.parametrize("search", SEARCHES)
def test_searches_over_a_pipeline(routing, spy, domains, search):
    X, y, X_tgt = domains
    searched = SEARCHES[search](scaled_pipeline(spy), with_prefix(GRID))
    searched.set_params(error_score="raise").fit(X, y, X_tgt=X_tgt)
    assert np.isfinite(searched.cv_results_["mean_test_score"]).all()
    assert searched.predict(X_tgt).shape == (150,)


def test_nested_search(routing, spy, domains):
    X, y, X_tgt = domains
    inner = GridSearchCV(scaled_pipeline(spy), {"dann__lambda_max": [0.0, 0.3]}, cv=2)
    result = cross_validate(
        inner, X, y, params={"X_tgt": X_tgt}, cv=2, error_score="raise"
    )
    assert np.isfinite(result["test_score"]).all()
    assert all(len(seen) == 150 for seen in Spy.seen)


@pytest.mark.parametrize("enabled", [True, False], ids=["routing", "no routing"])
def test_cross_validation(spy, domains, enabled):
    X, y, X_tgt = domains
    with sklearn.config_context(enable_metadata_routing=enabled):
        params = {"params": {"X_tgt": X_tgt}}
        cross_validate(spy, X, y, cv=2, error_score="raise", **params)
        assert cross_val_predict(spy, X, y, cv=2, **params).shape == (200,)
    assert all(len(seen) == 150 for seen in Spy.seen)


def test_stock_searches_slice_a_target_exactly_as_long_as_the_source(spy, domains):
    """Documented in the estimator's notes: scikit-learn cannot tell them apart."""
    X, y, _ = domains
    GridSearchCV(spy, {"lr": [1e-3]}, cv=2, refit=False).fit(X, y, X_tgt=X + 1)
    assert [len(seen) for seen in Spy.seen] == [100, 100]


ENSEMBLES = {
    "calibrated": lambda clf: CalibratedClassifierCV(clf, cv=2),
    "voting": lambda clf: VotingClassifier([("a", clf), ("b", clf)], voting="soft"),
    "bagging": lambda clf: BaggingClassifier(clf, n_estimators=2),
    "one against rest": lambda clf: OneVsRestClassifier(clf),
}


@pytest.mark.parametrize("ensemble", ENSEMBLES)
@pytest.mark.parametrize(
    "wrap", [lambda clf: clf, scaled_pipeline], ids=["bare", "pipe"]
)
def test_ensembles_with_routing(routing, spy, domains, ensemble, wrap):
    X, y, X_tgt = domains
    fitted = ENSEMBLES[ensemble](wrap(spy)).fit(X, y, X_tgt=X_tgt)
    assert Spy.seen
    assert all(seen is not None and len(seen) == 150 for seen in Spy.seen)
    assert fitted.predict_proba(X_tgt).shape == (150, 2)


def test_calibration_without_routing(spy, domains):
    X, y, X_tgt = domains
    calibrated = CalibratedClassifierCV(spy, cv=2).fit(X, y, X_tgt=X_tgt)
    assert all(len(seen) == 150 for seen in Spy.seen)
    assert calibrated.predict_proba(X_tgt).shape == (150, 2)


@pytest.mark.parametrize("ensemble", [*ENSEMBLES, "stacking"])
def test_ensembles_without_routing_train_on_the_source(small, domains, ensemble):
    X, y, _ = domains
    make = {**ENSEMBLES, "stacking": lambda c: StackingClassifier([("a", c)], cv=2)}
    fitted = make[ensemble](small(lambda_max=0)).fit(X, y)
    assert fitted.predict_proba(X).shape == (200, 2)


def test_stacking_of_adapted_classifiers(small, domains):
    """Stacking hands X_tgt to its final estimator too, which refuses it: fit first."""
    X, y, X_tgt = domains
    adapted = [
        (str(peak), small(lambda_max=peak, max_epochs=60).fit(X, y, X_tgt))
        for peak in (0.1, 1)
    ]
    stack = StackingClassifier(adapted, cv="prefit").fit(X, y)
    assert stack.predict_proba(X_tgt).shape == (150, 2)
    assert stack.score(X, y) > 0.8


def test_stacking_with_a_final_estimator_that_ignores_the_target(routing, spy, domains):
    class Final(LogisticRegression):
        def fit(self, X, y, sample_weight=None, X_tgt=None):
            return super().fit(X, y, sample_weight)

    X, y, X_tgt = domains
    stack = StackingClassifier([("pipe", scaled_pipeline(spy))], Final(), cv=2)
    stack.fit(X, y, X_tgt=X_tgt)
    assert all(len(seen) == 150 for seen in Spy.seen)
    assert stack.predict(X_tgt).shape == (150,)


def test_a_target_that_went_around_the_scaler_earns_a_warning(small, domains):
    X, y, X_tgt = (100 + 50 * domains[0], domains[1], 100 + 50 * domains[2])
    pipe = Pipeline([("scale", StandardScaler()), ("dann", small())])
    with pytest.warns(AdaptationWarning, match="transform_input"):
        pipe.fit(X, y, dann__X_tgt=X_tgt)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda X: pd.DataFrame(X, columns=["a", "b"]), "column names and X has none"),
        (lambda X: X + 30, "no negative values"),
        (lambda X: 100 * X, "100% of the columns"),
        (lambda X: X / 100, "spread 10 times"),
        (lambda X: X - 30, "more than 3 standard deviations"),
    ],
)
def test_the_warning_says_why(small, domains, spoil, reason):
    X, y, X_tgt = domains
    X, X_tgt = X - X.mean(axis=0), X_tgt - X_tgt.mean(axis=0)
    with pytest.warns(AdaptationWarning, match=f"{reason}.*transform_input"):
        small().fit(X, y, spoil(X_tgt))
    with warnings.catch_warnings():
        warnings.simplefilter("error", AdaptationWarning)
        small().fit(X, y, X_tgt)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(lambda X: X + 30, "no negative values"), (lambda X: 100 * X, "spread 10 times")],
)
def test_large_targets_are_compared_too(small, domains, spoil, reason):
    X, X_tgt = (np.tile(data - data.mean(axis=0), (60, 1)) for data in domains[::2])
    y = np.tile(domains[1], 60)
    clf = small(max_epochs=1, batch_size=2048)
    with pytest.warns(AdaptationWarning, match=f"{reason}.*transform_input"):
        clf.fit(X, y, spoil(X_tgt))
    with warnings.catch_warnings():
        warnings.simplefilter("error", AdaptationWarning)
        clf.fit(X, y, X_tgt)


def test_sparse_targets_are_compared_too(small, domains):
    from scipy import sparse

    X, y, X_tgt = domains
    with pytest.warns(AdaptationWarning, match="transform_input"):
        small().fit(X, y, sparse.csr_array(100 * X_tgt))


def test_requests_need_no_setting_and_can_be_changed(routing, small, domains):
    X, y, X_tgt = domains
    request = small().get_metadata_routing().fit.requests
    assert request["X_tgt"] is True
    assert request["y_tgt"] is True
    assert request["sample_weight"] is None
    clf = small().set_fit_request(X_tgt="clinic")
    pipe = make_pipeline(StandardScaler(), clf, transform_input=["clinic"])
    assert pipe.fit(X, y, clinic=X_tgt).predict(X_tgt).shape == (150,)


def test_clones_have_equal_parameters_and_no_fit(small, domains):
    clf = small(lambda_max=0.7, hidden_layer_sizes=[4, 4]).fit(*domains)
    copy = clone(clf)
    assert copy.get_params() == clf.get_params()
    assert not hasattr(copy, "net_")
