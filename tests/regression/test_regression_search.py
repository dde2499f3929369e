"""Searches over regressors: scores of numbers, folds, baselines, reverse validation."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdann import BaselineRegressor, DANNRegressor
from skdann.metrics._agreement import concordance
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    reverse_validation_score,
    target_scorer,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(240, 5))
Y = 20 + 5 * ROWS[:, 0] - 3 * ROWS[:, 1]
X, Y, X_TGT, Y_TGT = ROWS[:120], Y[:120], 1.5 * ROWS[120:] + 1, Y[120:]
GRID = {"lambda_max": [0, 1.0], "lr": [1e-5, 0.01]}
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*columns of X_tgt lie", "ignore:The scores disagree"
)


def quick(**params):
    return DANNRegressor(
        **{
            "n_estimators": 1,
            "standardize": "domain",
            "hidden_layer_sizes": (16,),
            "domain_hidden_layer_sizes": (16,),
            "max_epochs": 30,
            "random_state": 0,
            **params,
        }
    )


def search(estimator=None, grid=GRID, **params):
    return DANNGridSearchCV(estimator or quick(), grid, **{"cv": 2, **params})


def test_it_chooses_without_numbers_of_the_target():
    found = search(scoring="reverse_validation").fit(X, Y, X_TGT)
    assert found.best_params_["lr"] == 0.01
    assert found.score(X_TGT, Y_TGT) > 0.8
    results = found.cv_results_
    for name in ("neg_iwv", "neg_dev", "neg_devn", "source_r2", "ensemble_agreement"):
        assert np.isfinite(results[f"mean_test_{name}"]).all(), name
    assert "mean_test_infomax" not in results
    assert "mean_test_log_posterior" not in results


def test_a_candidate_that_knows_the_source_worse_is_not_chosen():
    """The slow ones agree with each other best, as they predict one number."""
    found = search(grid={"lr": [1e-6, 2e-6, 3e-6, 0.01], "lambda_max": [0]})
    found.fit(X, Y, X_TGT)
    assert found.best_params_["lr"] == 0.01


@pytest.mark.parametrize("label_use", ["choice", "both", "training"])
def test_known_numbers_choose_or_are_learned(label_use):
    y_tgt = np.full(120, np.nan)
    y_tgt[:10] = Y_TGT[:10]
    found = search(label_use=label_use).fit(X, Y, X_TGT, y_tgt=y_tgt)
    if label_use == "training":
        assert "mean_test_labelled_r2" not in found.cv_results_
    else:
        best = np.argmax(found.cv_results_["mean_test_labelled_r2"])
        assert found.best_params_["lr"] == found.cv_results_["params"][best]["lr"]
        assert found.cv_results_["mean_test_labelled_r2"][best] > 0.5


def test_stacks_change_nothing():
    together, apart = (
        search(grid={**GRID, "loss": ["huber", "squared_error"]}, max_stacked=n).fit(
            X, Y, X_TGT
        )
        for n in ("auto", 1)
    )
    for name in ("mean_test_source_r2", "mean_test_ensemble_agreement"):
        np.testing.assert_allclose(
            together.cv_results_[name], apart.cv_results_[name], atol=1e-6
        )


def test_simple_models_compete():
    y_tgt = np.full(120, np.nan)
    y_tgt[:10] = Y_TGT[:10]
    found = search(baselines=True, label_use="choice").fit(X, Y, X_TGT, y_tgt=y_tgt)
    assert sum("baseline" in params for params in found.cv_results_["params"]) == 4
    assert isinstance(found.best_estimator_, BaselineRegressor)  # y is linear
    assert found.best_estimator_.standardize == "domain"
    assert found.score(X_TGT, Y_TGT) > 0.95
    reverse = search(baselines=True, scoring="reverse_validation").fit(X, Y, X_TGT)
    assert np.isfinite(reverse.cv_results_["mean_test_score"]).all()


def test_pipelines_several_outputs_and_distributions():
    both = np.stack([Y, -Y], axis=1)
    pipe = make_pipeline(StandardScaler(), quick(max_epochs=5))
    found = DANNRandomizedSearchCV(
        pipe, {"dannregressor__lambda_max": [0.1, 0.3, 1]}, n_iter=2, cv=2
    ).fit(X, both, X_TGT)
    assert found.predict(X_TGT).shape == (120, 2)
    assert len(found.cv_results_["params"]) == 3  # and one without adaptation


def test_folds_leave_groups_out():
    groups = np.arange(120) // 30
    found = search(quick(max_epochs=3), cv=LeaveOneGroupOut())
    found.fit(X, Y, X_TGT, groups=groups)
    assert found.n_splits_ == 4


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"scoring": "infomax"}, "'infomax' is none of the scores of a DANNRegressor"),
        ({"scoring": ["source_accuracy"], "refit": "source_accuracy"}, "is none of"),
        ({"scoring": "labelled_r2"}, "'labelled_r2' is none of"),
    ],
)
def test_scores_of_classes_are_refused(params, says):
    with pytest.raises(ValueError, match=says):
        search(**params).fit(X, Y, X_TGT)


def test_what_is_of_classes_says_so():
    with pytest.raises(ValueError, match="a regressor has none"):
        search().fit(X, Y, X_TGT, classes=[1, 2])
    with sklearn.config_context(enable_metadata_routing=True):
        stock = GridSearchCV(
            quick(max_epochs=2),
            {"lambda_max": [0, 1]},
            scoring=target_scorer("infomax"),
            cv=2,
            error_score="raise",
        )
        with pytest.raises(ValueError, match="For a regressor use one of"):
            stock.fit(X, Y, X_tgt=X_TGT)


@pytest.mark.filterwarnings("ignore:These rows look like those of the source")
def test_stock_searches_score_numbers_on_the_target():
    with sklearn.config_context(enable_metadata_routing=True):
        found = GridSearchCV(
            quick(), {"lr": [1e-5, 0.01]}, scoring=target_scorer("neg_dev"), cv=2
        ).fit(X, Y, X_tgt=X_TGT)
    assert found.best_params_ == {"lr": 0.01}


def test_reverse_validation_knows_who_has_learned():
    scores = [
        reverse_validation_score(quick(lr=lr), X, Y, X_TGT, random_state=0)
        for lr in (1e-5, 0.01)
    ]
    assert scores[0] < 0.3 < scores[1]


def test_concordance_is_lins():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(50, 1))
    assert concordance(a, a) == pytest.approx(1)
    assert concordance(a, -a) < 0
    # cov / (var + var + offset**2), with var = 1
    a = (a - a.mean()) / a.std()
    assert concordance(a, a + 2) == pytest.approx(2 / (2 + 4))
    assert concordance(a, 3 * a) == pytest.approx(6 / 10)
    weight = rng.integers(0, 3, 50)
    b = a + rng.normal(size=(50, 1))
    repeated = np.repeat(np.arange(50), weight)
    assert concordance(a, b, weight) == pytest.approx(
        concordance(a[repeated], b[repeated])
    )


def _expected_to_fail(estimator):
    """Name what scikit-learn expects of a ridge regression that chooses its penalty."""
    if estimator.estimator is not None:
        return {}
    reason = "RidgeCV's, too: rows that come twice are two rows to leave out."
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning")
@parametrize_with_checks(
    [
        BaselineRegressor(standardize="source"),
        BaselineRegressor(Ridge(), standardize=None),
    ],
    expected_failed_checks=_expected_to_fail,
)
def test_scikit_learn_accepts_the_baseline(estimator, check):
    check(estimator)
