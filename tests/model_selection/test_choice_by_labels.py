"""Searches that choose by a few labels of the target, and among simple models."""

import numpy as np
import pytest
import sklearn
from helpers import SMALL, make_domains
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import BaselineClassifier, DANNClassifier
from skdann.inspection import SearchDisplay
from skdann.metrics._agreement import log_posterior
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    rows_to_label,
)

GRID = {"lambda_max": [0, 1], "lr": [1e-4, 1e-2]}


def small(**parameters):
    return DANNClassifier(**{**SMALL, "max_epochs": 20, **parameters})


def few_labels(y_tgt, n=50):
    known = np.full(len(y_tgt), -1)
    known[:n] = y_tgt[:n]
    return known


def test_labels_choose_what_is_right_on_them():
    X, y, X_tgt, y_tgt = make_domains()
    by_hand = BaselineClassifier(standardize="source").fit(X, y, X_tgt)
    assert by_hand.score(X_tgt, y_tgt) < 0.7  # the source's better sensor is stuck
    search = DANNGridSearchCV(
        small(), GRID, cv=2, label_use="choice", source_tolerance=1
    ).fit(X, y, X_tgt, y_tgt=few_labels(y_tgt))
    found = search.cv_results_["mean_test_labelled_accuracy"]
    assert found[search.best_index_] >= found.max() - 0.04
    assert "50 labels" in search.reason_


def test_the_score_is_agreement_and_labels_by_hand():
    X, y, X_tgt, y_tgt = make_domains()
    known = few_labels(y_tgt, 20)
    folds = [(np.arange(150), np.arange(150, 200))]
    search = DANNGridSearchCV(
        small(), GRID, cv=folds, label_use="choice", refit=False
    ).fit(X, y, X_tgt, y_tgt=known)
    fits = [
        small(**params).fit(X[:150], y[:150], X_tgt)
        for params in search.cv_results_["params"]
    ]
    votes = np.stack([fit.predict(X_tgt) for fit in fits])
    n_right = (votes[:, :20] == y_tgt[:20]).sum(axis=1)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_log_posterior"],
        log_posterior(votes, n_right),
        atol=0.3,  # a row or two next to a boundary, by rounding in a stack
    )
    np.testing.assert_allclose(
        search.cv_results_["mean_test_labelled_accuracy"], n_right / 20, atol=0.051
    )


def test_labels_train_only_what_label_use_says():
    X, y, X_tgt, y_tgt = make_domains()
    known = few_labels(y_tgt)

    def search(label_use, **labels):
        return DANNGridSearchCV(
            small(), {"lambda_max": [0, 1]}, cv=2, label_use=label_use
        ).fit(X, y, X_tgt, **labels)

    plain, labelled = search("training"), {"y_tgt": known}
    column = "mean_test_infomax"  # of candidates, as they were trained
    of_plain = plain.cv_results_[column]
    for label_use in ("choice", "both"):
        of_choice = search(label_use, **labelled).cv_results_[column]
        np.testing.assert_allclose(of_choice, of_plain, atol=1e-5)
    assert not np.allclose(search("training", **labelled).cv_results_[column], of_plain)
    both = search("both", **labelled)
    expected = small(**both.best_params_).fit(X, y, X_tgt, y_tgt=known)
    np.testing.assert_array_equal(
        both.predict_proba(X_tgt), expected.predict_proba(X_tgt)
    )


def test_labels_for_training_leave_no_trace_in_the_choice():
    X, y, X_tgt, y_tgt = make_domains()
    search = DANNGridSearchCV(small(), {"lr": [1e-3, 1e-2]}, cv=2)
    search.fit(X, y, X_tgt, y_tgt=few_labels(y_tgt))
    assert search.reason_ == ""
    assert "mean_test_labelled_accuracy" not in search.cv_results_


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_simple_models_are_candidates_too(in_pipeline):
    X, y, X_tgt, _ = make_domains()
    estimator, name = small(), "lr"
    if in_pipeline:
        estimator = make_pipeline(StandardScaler(), small())
        name = "dannclassifier__lr"
    search = DANNGridSearchCV(
        estimator, {name: [1e-3, 1e-2]}, cv=2, baselines=True
    ).fit(X, y, X_tgt)
    params = search.cv_results_["params"]
    assert [("baseline" in p) for p in params] == [False] * 4 + [True] * 4
    source_accuracy = search.cv_results_["mean_test_source_accuracy"]
    by_hand = [
        BaselineClassifier(standardize="source")
        .fit(X[train], y[train], X_tgt)
        .score(X[test], y[test], domain="source")
        for train, test in _folds(X, y)
    ]
    assert source_accuracy[4] == pytest.approx(np.mean(by_hand))
    display = SearchDisplay.from_estimator(search, x="lr")
    assert "ensemble_agreement" in display.scores


def _folds(X, y):
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(2).split(X, y)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_simple_model_that_is_chosen_predicts(in_pipeline):
    X, y, X_tgt, _ = make_domains()
    estimator = make_pipeline(StandardScaler(), small()) if in_pipeline else small()
    prefix = "dannclassifier__" if in_pipeline else ""
    search = DANNGridSearchCV(
        estimator,
        {prefix + "lr": [1e-6], prefix + "max_epochs": [1]},  # has learned nothing
        cv=2,
        baselines=True,
        scoring="source_accuracy",
    ).fit(X, y, X_tgt)
    chosen = search.best_estimator_[-1] if in_pipeline else search.best_estimator_
    assert isinstance(chosen, BaselineClassifier)
    assert search.predict(X_tgt).shape == (150,)
    rows, _ = rows_to_label(search, X_tgt, 4, random_state=0)
    assert len(set(rows)) == 4


def test_reverse_validation_knows_simple_models():
    X, y, X_tgt, _ = make_domains()
    search = DANNRandomizedSearchCV(
        small(),
        {"lr": [1e-3, 1e-2]},
        n_iter=2,
        cv=2,
        baselines=True,
        n_seeds=2,
        scoring="reverse_validation",
        random_state=0,
    ).fit(X, y, X_tgt)
    scores = search.cv_results_["mean_test_reverse_validation"]
    assert np.isfinite(scores).all()
    assert ((scores > 0.3) & (scores <= 1)).all()


def test_a_baseline_is_not_what_is_searched():
    X, y, X_tgt, _ = make_domains()
    with pytest.raises(ValueError, match="must be a DANNClassifier"):
        DANNGridSearchCV(BaselineClassifier(), {"standardize": ["domain"]}).fit(
            X, y, X_tgt
        )


def test_routing_passes_labels_through():
    X, y, X_tgt, y_tgt = make_domains()
    search = DANNGridSearchCV(small(), GRID, cv=2, label_use="choice")
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline(StandardScaler(), search, transform_input=["X_tgt"])
        pipe.fit(X, y, X_tgt=X_tgt, y_tgt=few_labels(y_tgt))
    assert "50 labels" in pipe[-1].reason_


def test_simple_models_are_chosen_from_where_all_networks_fail():
    X, y, X_tgt, _ = make_domains()
    search = DANNGridSearchCV(
        small(lr=1e30), {"lambda_max": [0, 1]}, cv=2, baselines=True
    )
    with pytest.warns(FitFailedWarning):
        search.fit(X, y, X_tgt)
    assert isinstance(search.best_estimator_, BaselineClassifier)


def test_reverse_validation_of_simple_models_where_the_target_lacks_a_class():
    rng = np.random.default_rng(0)
    y, y_tgt = rng.integers(3, size=150), rng.integers(1, 3, size=150)
    X, X_tgt = (
        3.0 * np.eye(3)[codes] + 0.3 * rng.standard_normal((150, 3))
        for codes in (y, y_tgt)
    )
    search = DANNGridSearchCV(
        small(), {"lr": [1e-3]}, cv=2, baselines=True, scoring="reverse_validation"
    ).fit(X, y, X_tgt)
    scores = search.cv_results_["mean_test_reverse_validation"][-4:]
    by_source = scores[[0, 2]]  # the others mix classes, and mix them back
    assert by_source == pytest.approx(np.mean(y != 0), abs=0.05)


def test_rows_are_named_by_the_classes_of_the_votes():
    X, y, X_tgt, y_tgt = make_domains()
    known = few_labels(y_tgt + 1, 20)
    known[:3] = 0  # a class that the source lacks, and the first of all
    search = DANNGridSearchCV(small(), GRID, cv=2, label_use="choice", refit=False)
    search.fit(X, y + 1, X_tgt, y_tgt=known, classes=[0, 1, 2])
    rows, _ = rows_to_label(search, X_tgt, 5, y_tgt=known, random_state=0)
    again, _ = rows_to_label(search, X_tgt, 5, y_tgt=known, random_state=0)
    np.testing.assert_array_equal(rows, again)
    assert not set(rows) & set(range(20))
