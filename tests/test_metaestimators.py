"""Pipelines, searches and ensembles of scikit-learn, as they come."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from packaging.version import Version
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (switches it on)
from sklearn.feature_selection import (
    RFE,
    RFECV,
    SelectFromModel,
    SequentialFeatureSelector,
)
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.semi_supervised import SelfTrainingClassifier

from skdann import AdaptationWarning, DANNClassifier
from skdann.model_selection import DANNGridSearchCV

SKLEARN = Version(sklearn.__version__)

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


@pytest.mark.usefixtures("quick_workers")
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


@pytest.mark.usefixtures("quick_workers")
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


@pytest.fixture
def wide(domains):
    """Both domains with two more columns, which tell nothing."""
    X, y, X_tgt = domains
    rng = np.random.default_rng(0)
    X, X_tgt = (np.c_[A, rng.normal(size=(len(A), 2))] for A in (X, X_tgt))
    return X, y, X_tgt


def grid_of(clf):
    """Return a grid for a classifier, or for a Pipeline whose last step is one."""
    return {"dann__lr": [1e-3]} if isinstance(clf, Pipeline) else {"lr": [1e-3]}


def three_classes(X, y):
    return y + (X[:, 0] > 1)


def two_labels(X, y):
    return np.c_[y, X[:, 0] > 0].astype(int)


def half_labelled(y):
    return np.where(np.arange(len(y)) % 2, y, -1)


def named(clf):
    return [("a", clf), ("b", clone(clf))]


def halving(search, clf, **params):
    params = {"cv": 2, "min_resources": 60, "random_state": 0, **params}
    return search(clf, grid_of(clf), error_score="raise", **params)


def before(selector, clf):
    return make_pipeline(selector, clf, transform_input=["X_tgt"])


# What each of scikit-learn's tools does, called as in the guide, whose list is compared
# with these. The functions get a classifier, or a Pipeline that ends in one, and data.
PASS_IT_ON = {
    "CalibratedClassifierCV": lambda c, X, y, **tgt: CalibratedClassifierCV(
        c, cv=2
    ).fit(X, y, **tgt),
    "TunedThresholdClassifierCV": lambda c, X, y, **tgt: TunedThresholdClassifierCV(
        c, cv=2
    ).fit(X, y, **tgt),
    "FixedThresholdClassifier": lambda c, X, y, **tgt: FixedThresholdClassifier(
        c, threshold=0.4
    ).fit(X, y, **tgt),
    "VotingClassifier": lambda c, X, y, **tgt: VotingClassifier(
        [*named(c), ("linear", LogisticRegression())], voting="soft"
    ).fit(X, y, **tgt),
    "BaggingClassifier": lambda c, X, y, **tgt: BaggingClassifier(
        c, n_estimators=2, max_samples=0.5
    ).fit(X, y, **tgt),
    "OneVsRestClassifier": lambda c, X, y, **tgt: OneVsRestClassifier(c).fit(
        X, three_classes(X, y), **tgt
    ),
    "OneVsOneClassifier": lambda c, X, y, **tgt: OneVsOneClassifier(c).fit(
        X, three_classes(X, y), **tgt
    ),
    "OutputCodeClassifier": lambda c, X, y, **tgt: OutputCodeClassifier(
        c, random_state=0
    ).fit(X, three_classes(X, y), **tgt),
    "MultiOutputClassifier": lambda c, X, y, **tgt: MultiOutputClassifier(c).fit(
        X, two_labels(X, y), **tgt
    ),
    "SelfTrainingClassifier": lambda c, X, y, **tgt: SelfTrainingClassifier(c).fit(
        X, half_labelled(y), **tgt
    ),
    "FrozenEstimator": lambda c, X, y, **tgt: CalibratedClassifierCV(
        FrozenEstimator(c.fit(X, y, **tgt))
    ).fit(X, y),
    "FeatureUnion": lambda c, X, y, **tgt: FeatureUnion(
        [("dann", getattr(c, "steps", [("dann", c)])[-1][1]), ("raw", StandardScaler())]
    ).fit(X, y, **tgt),
    "GridSearchCV": lambda c, X, y, **tgt: GridSearchCV(
        c, grid_of(c), cv=2, error_score="raise"
    ).fit(X, y, **tgt),
    "RandomizedSearchCV": lambda c, X, y, **tgt: RandomizedSearchCV(
        c, grid_of(c), n_iter=1, cv=2, error_score="raise"
    ).fit(X, y, **tgt),
    "HalvingGridSearchCV": lambda c, X, y, **tgt: halving(HalvingGridSearchCV, c).fit(
        X, y, **tgt
    ),
    "HalvingRandomSearchCV": lambda c, X, y, **tgt: halving(
        HalvingRandomSearchCV, c, n_candidates=1
    ).fit(X, y, **tgt),
    "cross_val_score": lambda c, X, y, **tgt: cross_val_score(
        c, X, y, params=tgt, cv=2, error_score="raise"
    ),
    "cross_validate": lambda c, X, y, **tgt: cross_validate(
        c, X, y, params=tgt, cv=2, error_score="raise"
    ),
    "cross_val_predict": lambda c, X, y, **tgt: cross_val_predict(
        c, X, y, params=tgt, cv=2
    ),
    "learning_curve": lambda c, X, y, **tgt: learning_curve(
        c, X, y, params=tgt, cv=2, train_sizes=[0.5], error_score="raise"
    ),
    "validation_curve": lambda c, X, y, **tgt: validation_curve(
        c,
        X,
        y,
        params=tgt,
        cv=2,
        param_name=next(iter(grid_of(c))),
        param_range=[1e-3],
        error_score="raise",
    ),
    "permutation_test_score": lambda c, X, y, **tgt: permutation_test_score(
        c, X, y, params=tgt, cv=2, n_permutations=1
    ),
    "permutation_importance": lambda c, X, y, **tgt: permutation_importance(
        c.fit(X, y, **tgt), tgt["X_tgt"], tgt["X_tgt"][:, 0] > 0, n_repeats=1
    ),
    "partial_dependence": lambda c, X, y, **tgt: partial_dependence(
        c.fit(X, y, **tgt), tgt["X_tgt"], [0], grid_resolution=3
    ),
}

# By another model, in a Pipeline before the classifier; or by parts that are fitted.
WITH_A_SETTING = {
    "StackingClassifier": lambda c, X, y, **tgt: StackingClassifier(
        [("a", c.fit(X, y, **tgt))], cv="prefit"
    ).fit(X, y),
    "RFE": lambda c, X, y, **tgt: before(
        RFE(LogisticRegression(), n_features_to_select=3), c
    ).fit(X, y, **tgt),
    "RFECV": lambda c, X, y, **tgt: before(
        RFECV(LogisticRegression(), min_features_to_select=3, cv=2), c
    ).fit(X, y, **tgt),
    "SelectFromModel": lambda c, X, y, **tgt: before(
        SelectFromModel(LogisticRegression()), c
    ).fit(X, y, **tgt),
    "SequentialFeatureSelector": lambda c, X, y, **tgt: before(
        SequentialFeatureSelector(LogisticRegression(), n_features_to_select=3, cv=2), c
    ).fit(X, y, **tgt),
    "TargetEncoder": lambda c, X, y, **tgt: search_without_routing(
        make_pipeline(TargetEncoder(cv=2), c), X.round(), y, tgt["X_tgt"].round()
    ),
}


def search_without_routing(pipe, X, y, X_tgt):
    """Fit what comes before the classifier in a search of ours, which asks nothing."""
    with sklearn.config_context(enable_metadata_routing=False):
        search = DANNGridSearchCV(pipe, {}, cv=2, error_score="raise")
        return search.fit(X, y, X_tgt)


ONES = {"importance_getter": lambda fitted: np.ones(fitted.n_features_in_)}
OTHER_COLUMNS = r"X_tgt has \d columns, but X has|is expecting . features|fits failed"

DO_NOT = {
    "AdaBoostClassifier": (
        lambda c, X, y, **tgt: AdaBoostClassifier(c).fit(X, y, **tgt),
        TypeError,
        "X_tgt",
    ),
    "ClassifierChain": (
        lambda c, X, y, **tgt: ClassifierChain(c).fit(X, two_labels(X, y), **tgt),
        ValueError,
        OTHER_COLUMNS,
    ),
    "BaggingClassifier(max_features=0.5)": (
        lambda c, X, y, **tgt: BaggingClassifier(c, max_features=0.5).fit(X, y, **tgt),
        ValueError,
        OTHER_COLUMNS,
    ),
    "ColumnTransformer": (
        lambda c, X, y, **tgt: make_column_transformer((c, [0])).fit(X, y, **tgt),
        ValueError,
        OTHER_COLUMNS,
    ),
}

# Around the classifier, and not before it, those that are named in WITH_A_SETTING.
AROUND_IT = {
    "StackingClassifier": (
        lambda c, X, y, **tgt: StackingClassifier([("a", c)], cv=2).fit(X, y, **tgt),
        TypeError,
        "X_tgt",
    ),
    "RFE": (
        lambda c, X, y, **tgt: RFE(c, **ONES).fit(X, y, **tgt),
        ValueError,
        OTHER_COLUMNS,
    ),
    "RFECV": (
        lambda c, X, y, **tgt: RFECV(c, cv=2, **ONES).fit(X, y, **tgt),
        ValueError,
        OTHER_COLUMNS,
    ),
    "SelectFromModel": (
        lambda c, X, y, **tgt: SelectFromModel(c).fit_transform(X, y, **tgt),
        ValueError,
        "coef_",
    ),
    "SequentialFeatureSelector": (
        lambda c, X, y, **tgt: SequentialFeatureSelector(
            c, n_features_to_select=3, cv=2
        ).fit(X, y, **tgt),
        ValueError,
        OTHER_COLUMNS,
    ),
}

WRAPS = pytest.mark.parametrize(
    "wrap", [lambda clf: clf, scaled_pipeline], ids=["bare", "pipe"]
)


@pytest.mark.parametrize("tool", PASS_IT_ON | WITH_A_SETTING)
def test_tools_pass_the_whole_target_on(routing, spy, wide, tool):
    X, y, X_tgt = wide
    pipe = scaled_pipeline(spy)
    fitted = (PASS_IT_ON | WITH_A_SETTING)[tool](pipe, X, y, X_tgt=X_tgt)
    assert all(seen is not None and len(seen) == 150 for seen in Spy.seen)
    assert Spy.seen or isinstance(fitted, DANNGridSearchCV)
    if hasattr(fitted, "predict"):
        assert len(fitted.predict(X_tgt)) == 150


@pytest.mark.parametrize("tool", DO_NOT)
@WRAPS
def test_tools_that_do_not_say_so(routing, spy, wide, tool, wrap):
    X, y, X_tgt = wide
    fit, error, reason = DO_NOT[tool]
    with pytest.raises(error, match=reason):
        fit(wrap(spy), X, y, X_tgt=X_tgt)


@pytest.mark.parametrize("tool", AROUND_IT)
def test_why_the_setting_is_needed(routing, spy, wide, tool):
    X, y, X_tgt = wide
    fit, error, reason = AROUND_IT[tool]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of each fit that failed
        with pytest.raises(error, match=reason):
            fit(spy, X, y, X_tgt=X_tgt)


def test_the_guide_lists_these_tools():
    page = Path(__file__).parents[1] / "docs" / "guide" / "pipeline.md"
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", page.read_text(), re.M)
    listed = {
        name: word
        for cell, word in rows
        for name in re.findall("`(.*?)`", cell)
        if "Regressor" not in name  # see test_regression_tools.py
    }
    assert listed == {
        **dict.fromkeys(PASS_IT_ON, "yes"),
        **dict.fromkeys(WITH_A_SETTING, "with a setting"),
        **dict.fromkeys(DO_NOT, "no"),
    }


# Rows of the source, of which these can't be told that they are.
PREDICT_THE_SOURCE = [
    "CalibratedClassifierCV",
    "TunedThresholdClassifierCV",
    "SelfTrainingClassifier",
    "StackingClassifier",
    "cross_val_predict",
]


@pytest.mark.parametrize("tool", PREDICT_THE_SOURCE)
def test_tools_that_read_the_source_as_the_target(routing, spy, domains, tool):
    X, y, X_tgt = domains
    use = (PASS_IT_ON | WITH_A_SETTING)[tool]
    use(clone(spy).set_params(standardize="source"), X, y, X_tgt=X_tgt)
    with pytest.warns(AdaptationWarning, match="look like those of the source"):
        use(spy.set_params(standardize="domain"), X, y, X_tgt=X_tgt)


# What scores on rows of the source, and passes on of which domain they are.
SCORE_THE_SOURCE = [
    "GridSearchCV",
    "HalvingGridSearchCV",
    "cross_val_score",
    "cross_validate",
    "learning_curve",
    "permutation_test_score",
    "validation_curve",
]


@pytest.mark.parametrize("tool", SCORE_THE_SOURCE)
@WRAPS
def test_tools_that_can_be_told_the_domain(routing, spy, domains, tool, wrap):
    X, y, X_tgt = domains
    clf = wrap(spy.set_params(standardize="domain"))
    told = {"X_tgt": X_tgt, "domain": "source"}
    if isinstance(clf, Pipeline) and Version("1.8") > SKLEARN:
        with pytest.raises(TypeError, match=r"unexpected argument.*domain"):
            PASS_IT_ON[tool](clf, X, y, **told)
    else:
        PASS_IT_ON[tool](clf, X, y, **told)


@WRAPS
def test_a_scorer_can_tell_the_domain(routing, spy, domains, wrap):
    def on_source(estimator, X, y):
        return estimator.score(X, y, domain="source")

    X, y, X_tgt = domains
    clf = wrap(spy.set_params(standardize="domain"))
    given = {"params": {"X_tgt": X_tgt}, "cv": 2, "scoring": on_source}
    assert np.isfinite(cross_val_score(clf, X, y, **given)).all()
    search = GridSearchCV(clf, grid_of(clf), cv=2, scoring=on_source)
    assert np.isfinite(search.fit(X, y, X_tgt=X_tgt).best_score_)


ENSEMBLES = [
    "CalibratedClassifierCV",
    "VotingClassifier",
    "BaggingClassifier",
    "OneVsRestClassifier",
    "FixedThresholdClassifier",
]


def test_calibration_without_routing(spy, domains):
    X, y, X_tgt = domains
    calibrated = CalibratedClassifierCV(spy, cv=2).fit(X, y, X_tgt=X_tgt)
    assert all(len(seen) == 150 for seen in Spy.seen)
    assert calibrated.predict_proba(X_tgt).shape == (150, 2)


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_ensembles_without_routing_train_on_the_source(small, domains, ensemble):
    X, y, _ = domains
    fitted = PASS_IT_ON[ensemble](small(lambda_max=0), X, y)
    assert len(fitted.predict_proba(X)) == 200


def test_boosting_and_stacking_without_routing_train_on_the_source(small, domains):
    X, y, _ = domains
    clf = small(lambda_max=0, max_epochs=30)
    for ensemble in (
        AdaBoostClassifier(clf, n_estimators=2, random_state=0),
        StackingClassifier([("a", clf)], cv=2),
    ):
        assert ensemble.fit(X, y).predict_proba(X).shape == (200, 2)


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


def test_requests_need_no_setting(routing, small):
    request = small().get_metadata_routing().fit.requests
    assert request["X_tgt"] is True
    assert request["y_tgt"] is True
    assert request["sample_weight"] is None


def test_clones_have_equal_parameters_and_no_fit(small, domains):
    clf = small(lambda_max=0.7, hidden_layer_sizes=[4, 4]).fit(*domains)
    copy = clone(clf)
    assert copy.get_params() == clf.get_params()
    assert not hasattr(copy, "net_")
