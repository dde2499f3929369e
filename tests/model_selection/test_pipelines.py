"""What comes before the classifier is what the Pipeline itself makes of it."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn import FunctionSampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from skdann import AutoDANNClassifier, BaselineClassifier
from skdann._pipelines import last_step_prefix
from skdann.inspection import (
    AlignmentDisplay,
    DomainBoundaryDisplay,
    HistoryDisplay,
    SearchDisplay,
    adaptation_report,
)
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    reverse_validation_score,
    rows_to_label,
)

pytestmark = pytest.mark.usefixtures("no_figure_stays")


@pytest.fixture
def tables(domains):
    """Frames of both domains, with a column of text; a quarter of y is 1."""
    X, y, X_tgt = domains
    rows = np.r_[np.flatnonzero(y == 0)[:60], np.flatnonzero(y == 1)[:20]]
    X, X_tgt = (
        pd.DataFrame(A, columns=["a", "b"]).assign(c=np.where(A[:, 0] > 0, "m", "f"))
        for A in (X[rows], X_tgt)
    )
    return X, y[rows], X_tgt


def encode():
    return make_column_transformer(
        (make_pipeline(StandardScaler(), PCA(random_state=0)), ["a", "b"]),
        (OneHotEncoder(sparse_output=False), ["c"]),
    )


def numbers(X):
    return X[["a", "b"]]


NUMBERS = FunctionTransformer(numbers)


def smote():
    return SMOTE(k_neighbors=3, random_state=0)


# To be fitted by Pipeline.fit, too: imblearn asks what comes before a classifier to
# transform, so that "passthrough" stands between the two.
KINDS = {
    "columns": lambda clf, folder: make_pipeline(encode(), clf),
    "nested": lambda clf, folder: make_pipeline(
        encode(), make_pipeline(MinMaxScaler(), make_pipeline(clf))
    ),
    "left out": lambda clf, folder: Pipeline(
        [("none", None), ("numbers", NUMBERS), ("not", "passthrough"), ("dann", clf)]
    ),
    "union": lambda clf, folder: make_pipeline(
        NUMBERS, make_union(StandardScaler(), PCA(1, random_state=0)), clf
    ),
    "cached": lambda clf, folder: make_pipeline(
        encode(),
        make_pipeline(StandardScaler(), clf, memory=str(folder / "inner")),
        memory=str(folder / "outer"),
    ),
    "frames": lambda clf, folder: make_pipeline(
        encode(), make_pipeline(StandardScaler(), clf)
    ).set_output(transform="pandas"),
    "SMOTE": lambda clf, folder: make_imblearn_pipeline(
        encode(), smote(), "passthrough", clf
    ),
    "several samplers": lambda clf, folder: make_imblearn_pipeline(
        RandomOverSampler(random_state=0),
        encode(),
        RandomUnderSampler(random_state=0),
        StandardScaler(),
        clf,
    ),
    "SMOTE within": lambda clf, folder: make_pipeline(
        encode(),
        make_imblearn_pipeline(smote(), StandardScaler(), clf),
    ),
    "cached SMOTE": lambda clf, folder: make_imblearn_pipeline(
        encode(), smote(), StandardScaler(), clf, memory=str(folder)
    ),
}


def route_target(pipe):
    """Have a Pipeline, and the one it ends in, transform the target."""
    while isinstance(pipe, Pipeline):
        pipe.set_params(transform_input=["X_tgt"])
        pipe = pipe.steps[-1][1]


def search_over(pipe, grid, **params):
    """Return a search that takes its first candidate."""
    prefixed = {last_step_prefix(pipe) + name: v for name, v in grid.items()}
    params = {"cv": 2, "error_score": "raise", "refit": lambda _: 0, **params}
    return DANNGridSearchCV(pipe, prefixed, **params)


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_fits_what_the_pipeline_fits(small, tables, tmp_path, kind):
    X, y, X_tgt = tables
    pipe = KINDS[kind](small(lambda_max=0.3), tmp_path)
    route_target(pipe)
    with sklearn.config_context(enable_metadata_routing=True):
        expected = clone(pipe).fit(X, y, X_tgt=X_tgt).predict_proba(X_tgt)
    search = search_over(pipe, {"lambda_max": [0.3, 0.0]}).fit(X, y, X_tgt)
    assert_array_equal(search.predict_proba(X_tgt), expected)
    assert repr(search.best_estimator_) == repr(pipe)
    if kind in ("nested", "SMOTE within"):
        with sklearn.config_context(enable_metadata_routing=True):
            search.fit(X, y, X_tgt)
        assert_array_equal(search.predict_proba(X_tgt), expected)


@pytest.mark.parametrize("kind", ["nested", "cached SMOTE"])
def test_all_that_trains_again_takes_it(small, tables, tmp_path, kind):
    X, y, X_tgt = tables
    pipe = KINDS[kind](small(max_epochs=1), tmp_path)
    assert 0 <= reverse_validation_score(pipe, X, y, X_tgt, random_state=0) <= 1
    prefix = last_step_prefix(pipe)
    search = DANNRandomizedSearchCV(
        pipe,
        {prefix + "lambda_max": [0.3], prefix + "lr": [1e-3]},
        n_iter=1,
        scoring=["infomax", "reverse_validation", "accuracy"],
        refit="infomax",
        n_seeds=2,
        cv=2,
        error_score="raise",
        return_train_score=True,
    ).fit(X, y, X_tgt)
    assert search.cv_results_["params"][1] == {prefix + "lambda_max": 0.0}
    assert np.isfinite(search.cv_results_["mean_test_reverse_validation"]).all()
    assert len(rows_to_label(search, X_tgt, 3, random_state=0)[0]) == 3


@pytest.mark.parametrize("requested", [True, False])
def test_weights_go_where_they_are_requested(routing, small, domains, requested):
    X, y, X_tgt = domains
    weight = np.linspace(0.1, 2, len(y))
    scaler = StandardScaler().set_fit_request(sample_weight=requested)
    search = search_over(make_pipeline(make_pipeline(scaler, small())), {})
    search.fit(X, y, X_tgt, sample_weight=weight)
    mean = np.average(X, axis=0, weights=weight if requested else None)
    assert_allclose(search.best_estimator_[0][0].mean_, mean)
    with sklearn.config_context(enable_metadata_routing=False):
        search.fit(X, y, X_tgt, sample_weight=weight)
    assert_allclose(search.best_estimator_[0][0].mean_, X.mean(axis=0))


def test_a_grid_may_leave_steps_out(small, domains):
    X, y, X_tgt = domains
    pipe = make_pipeline(make_imblearn_pipeline(smote(), small()))
    grid = {"pipeline__smote": [smote(), "passthrough", None]}
    search = DANNGridSearchCV(pipe, grid, cv=2, error_score="raise").fit(X, y, X_tgt)
    assert len(search.cv_results_["params"]) == 6  # as many again without adaptation


@pytest.mark.parametrize("other", [LogisticRegression(), BaselineClassifier(), None])
def test_a_grid_can_put_no_other_model_at_the_end(small, domains, other):
    pipe = make_pipeline(StandardScaler(), make_pipeline(small()))
    for name in ("pipeline", "pipeline__dannclassifier"):
        search = DANNGridSearchCV(pipe, {name: [other]}, cv=2)
        with pytest.raises(
            ValueError, match=r"(?s)must be a DANNClassifier.*baselines"
        ):
            search.fit(*domains)


def test_verbose_says_what_is_done(small, domains, capsys):
    pipe = make_pipeline(StandardScaler(), small()).set_params(verbose=True)
    reverse_validation_score(pipe, *domains, random_state=0)
    lines = capsys.readouterr().out.splitlines()
    assert "(step 1 of 2) Processing standardscaler" in lines[0]
    assert "(step 2 of 2) Processing rows for dannclassifier" in lines[1]


WITHIN = {
    "Pipeline": lambda clf: make_pipeline(MinMaxScaler(), make_pipeline(clf)),
    "sampler": lambda clf: make_imblearn_pipeline(smote(), clf),
    "search": lambda clf: search_over(
        make_pipeline(MinMaxScaler(), clf), {"lambda_max": [0.3, 0.0]}
    ),
}


def fit_within(kind, clf, X, y, X_tgt):
    """Return a Pipeline that ends in what holds a classifier, fitted without routing.

    The target goes to the last step as the one before it returns the target.
    """
    scaler, whole = StandardScaler().fit(X), WITHIN[kind](clf)
    X, X_tgt = map(scaler.transform, (X, X_tgt))
    if kind == "search":
        whole.fit(X, y, X_tgt)
    elif kind == "sampler":
        clf.fit(*whole[0].fit_resample(X, y), X_tgt)
    else:
        clf.fit(whole[0].fit_transform(X), y, whole[0].transform(X_tgt))
    return make_pipeline(scaler, whole)


@pytest.mark.parametrize("kind", WITHIN)
def test_displays_draw_what_the_last_step_sees(small, domains, kind):
    X, y, X_tgt = domains
    pipe = fit_within(kind, small(), X, y, X_tgt)
    display = AlignmentDisplay.from_estimator(FrozenEstimator(pipe), X, X_tgt)
    inputs = np.r_[rows_of_last_step(pipe, X), rows_of_last_step(pipe, X_tgt)]
    # a rotation changes no distance
    assert_allclose(
        np.linalg.norm(display.projections["Input"], axis=1),
        np.linalg.norm(inputs - inputs.mean(axis=0), axis=1),
    )
    assert len(HistoryDisplay.from_estimator(pipe).epochs) == small().max_epochs
    boundary = DomainBoundaryDisplay.from_estimator(pipe, X, X_tgt, grid_resolution=3)
    plane = np.c_[boundary.xx0.ravel(), boundary.xx1.ravel()]
    P = boundary.probabilities.reshape(9, 2)
    assert_allclose(P, pipe.predict_proba(plane), atol=1e-6)


def rows_of_last_step(pipe, X):
    """Return rows step by step, as the last one gets them."""
    while isinstance(pipe, Pipeline):
        for _, step in pipe.steps[:-1]:
            X = step.transform(X) if hasattr(step, "transform") else X
        pipe = getattr(pipe.steps[-1][1], "best_estimator_", pipe.steps[-1][1])
    return X


def test_reports_are_of_the_network_that_a_search_within_has_chosen(small, domains):
    X, y, X_tgt = domains
    pipe = fit_within("search", small(), X, y, X_tgt)
    measures = adaptation_report(pipe, X, y, X_tgt, random_state=0).measures
    assert measures.lambda_max == 0.3
    shares = np.bincount(pipe.predict(X_tgt), minlength=2) / len(X_tgt)
    assert_allclose(measures.proportions["adapted"], shares)


def test_a_search_at_the_end_of_a_pipeline_has_rows_and_a_display(small, domains):
    X, y, X_tgt = domains
    search = search_over(small(), {"lambda_max": [0.0, 0.3]})
    scaler = StandardScaler().fit(X)
    search.fit(scaler.transform(X), y, scaler.transform(X_tgt))
    pipe = make_pipeline(scaler, make_pipeline(search))
    assert set(SearchDisplay.from_estimator(pipe).x) == {0.0, 0.3}
    drawn, _ = rows_to_label(pipe, X_tgt, 4, random_state=0)
    expected, _ = rows_to_label(search, scaler.transform(X_tgt), 4, random_state=0)
    assert_array_equal(drawn, expected)


CANDIDATES = [
    ("source", BaselineClassifier(standardize="source")),
    ("domain", BaselineClassifier(standardize="domain")),
]


def of_source(estimator, X, y):
    return estimator.score(X, y, domain="source")


@pytest.mark.parametrize("in_search", [False, True])
def test_rows_to_label_reach_the_combination(routing, domains, in_search):
    X, y, X_tgt = domains
    pipe = make_imblearn_pipeline(
        FunctionSampler(), StandardScaler(), AutoDANNClassifier(CANDIDATES)
    )
    route_target(pipe)
    whole = GridSearchCV(pipe, {}, scoring=of_source, cv=2) if in_search else pipe
    whole.fit(X, y, X_tgt=X_tgt)
    pipe = whole.best_estimator_ if in_search else pipe
    drawn, _ = rows_to_label(whole, X_tgt, 4, random_state=0)
    scaled = pipe[1].transform(X_tgt)
    assert_array_equal(drawn, rows_to_label(pipe[2], scaled, 4, random_state=0)[0])


def add_far_rows(X, y):
    """Resample by adding every row once more, elsewhere."""
    return np.r_[X, X + 2], np.r_[y, y]


FAR = FunctionSampler(func=add_far_rows)


class TestSamplers:
    def test_the_source_is_resampled_and_the_target_is_not(
        self, small, domains, routing
    ):
        X, y, X_tgt = domains
        by_hand = small().fit(*add_far_rows(X, y), X_tgt).predict_proba(X_tgt)
        pipe = make_imblearn_pipeline(FAR, small())
        search = search_over(pipe, {"lambda_max": [1.0, 0.0]}).fit(X, y, X_tgt)
        assert_array_equal(search.predict_proba(X_tgt), by_hand)
        assert_array_equal(pipe.fit(X, y, X_tgt=X_tgt).predict_proba(X_tgt), by_hand)

    def test_a_combination_learns_them_too(self, domains, routing):
        X, y, X_tgt = domains
        pipe = make_imblearn_pipeline(
            StandardScaler(), FAR, "passthrough", AutoDANNClassifier(CANDIDATES)
        )
        route_target(pipe)
        pipe.fit(X, y, X_tgt=X_tgt)
        scaler = StandardScaler().fit(X)
        X_tgt = scaler.transform(X_tgt)
        by_hand = AutoDANNClassifier(CANDIDATES)
        by_hand.fit(*add_far_rows(scaler.transform(X), y), X_tgt)
        assert_array_equal(pipe[-1].predict_proba(X_tgt), by_hand.predict_proba(X_tgt))

    def test_no_score_is_of_rows_that_were_made(self, small, domains):
        X, y, X_tgt = domains
        fold = np.where(np.arange(len(y)) < 60, 0, -1)
        search = search_over(
            make_imblearn_pipeline(FAR, small()),
            {"lambda_max": [1.0, 0.0]},
            cv=PredefinedSplit(fold),
            scoring="accuracy",
        ).fit(X, y, X_tgt)
        by_hand = small().fit(*add_far_rows(X[60:], y[60:]), X_tgt)
        expected = by_hand.score(X[:60], y[:60])
        results = search.cv_results_
        assert results["mean_test_source_accuracy"][0] == pytest.approx(expected)
        assert results["mean_test_score"][0] == pytest.approx(expected)

    def test_what_a_reverse_model_adapts_to_is_not_resampled(self, small, domains):
        X, y, X_tgt = domains
        fold = np.where(np.arange(len(y)) < 60, 0, -1)
        search = search_over(
            make_imblearn_pipeline(FAR, small(max_epochs=1)),
            {"lambda_max": [0.0]},
            cv=PredefinedSplit(fold),
            scoring="reverse_validation",
            baselines=True,
        ).fit(X, y, X_tgt)
        forward = BaselineClassifier().fit(*add_far_rows(X[60:], y[60:]), X_tgt)
        reverse = BaselineClassifier().fit(X_tgt, forward.predict(X_tgt), X[60:])
        expected = reverse.score(X[:60], y[:60])
        results = search.cv_results_
        baselines = [repr(params.get("baseline")) for params in results["params"]]
        position = baselines.index("BaselineClassifier()")
        assert results["mean_test_score"][position] == pytest.approx(expected)
        resampled = BaselineClassifier().fit(
            X_tgt, forward.predict(X_tgt), add_far_rows(X[60:], y[60:])[0]
        )
        assert resampled.score(X[:60], y[:60]) != pytest.approx(expected)

    def test_all_models_of_a_report_learn_what_the_network_learns(self, small, domains):
        X, y, X_tgt = domains
        pipe = make_imblearn_pipeline(StandardScaler(), FAR, small())
        search = search_over(pipe, {"lambda_max": [1.0, 0.0]}).fit(X, y, X_tgt)
        measures = adaptation_report(search, X, y, X_tgt, random_state=0).measures
        scaler = StandardScaler().fit(X)
        learned = add_far_rows(scaler.transform(X), y)
        X_tgt_scaled = scaler.transform(X_tgt)
        source_only = clone(small(lambda_max=0)).fit(*learned, X_tgt_scaled)
        linear = BaselineClassifier(standardize="source").fit(*learned, X_tgt_scaled)
        for name, by_hand in {
            "source only": source_only,
            "logistic regression": linear,
        }.items():
            assert_allclose(
                measures.evidence.target[name],
                by_hand.predict_proba(X_tgt_scaled),
                atol=1e-6,
            )

    def test_weights_of_rows_that_are_resampled_are_refused(self, small, domains):
        X, y, X_tgt = domains
        given = {"sample_weight": np.ones(len(y))}
        pipe = make_pipeline(StandardScaler(), make_imblearn_pipeline(smote(), small()))
        search = search_over(pipe, {"lambda_max": [0.0]})
        refused = r"sample_weight is of the rows of X, but 'smote' \(SMOTE\) resamples"
        with pytest.raises(ValueError, match=refused):
            search.fit(X, y, X_tgt, **given)
        search.fit(X, y, X_tgt)
        with pytest.raises(ValueError, match=refused):
            adaptation_report(search, X, y, X_tgt, **given)
        without = {"pipeline__smote": ["passthrough"]}
        DANNGridSearchCV(pipe, without, cv=2).fit(X, y, X_tgt, **given)

    def test_weights_beside_a_sampler_do_not_fit_in_the_pipeline_either(
        self, small, domains, routing
    ):
        X, y, X_tgt = domains
        clf = small().set_fit_request(sample_weight=True)
        pipe = make_imblearn_pipeline(FAR, clf)
        with pytest.raises(ValueError, match="sample_weight"):
            pipe.fit(X, y, X_tgt=X_tgt, sample_weight=np.ones(len(y)))
