"""Scorers for the target, in the searches that scikit-learn has."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdann import metrics
from skdann.model_selection import reverse_validation_score, target_scorer

GRID = {"lambda_max": [0.0, 1.0]}


def by_hand(clf, X, y, X_tgt, score, folds):
    """Mean score of each candidate, without a search."""
    means = []
    for lambda_max in GRID["lambda_max"]:
        values = []
        for train, test in folds.split(X, y):
            fitted = clone(clf).set_params(lambda_max=lambda_max)
            fitted.fit(X[train], y[train], X_tgt)
            values.append(score(fitted, X[test], y[test]))
        means.append(np.mean(values))
    return means


def test_grid_search_routes_the_target_to_the_scorer(routing, small, domains):
    X, y, X_tgt = domains
    search = GridSearchCV(small(), GRID, scoring=target_scorer("infomax"), cv=2)
    search.fit(X, y, X_tgt=X_tgt)
    expected = by_hand(
        small(),
        X,
        y,
        X_tgt,
        lambda e, *_: metrics.infomax_score(e.predict_proba(X_tgt)),
        StratifiedKFold(2),
    )
    assert search.cv_results_["mean_test_score"] == pytest.approx(expected)


def test_risks_weigh_held_out_errors_by_the_density_of_features(
    routing, small, domains
):
    X, y, X_tgt = domains
    search = GridSearchCV(small(), GRID, scoring=target_scorer("neg_iwv"), cv=2)
    search.fit(X, y, X_tgt=X_tgt)

    def by_formula(estimator, X_test, y_test):
        weight = metrics.density_ratio(
            estimator.transform(X_test), estimator.transform(X_tgt)
        )
        return -np.mean(weight * (estimator.predict(X_test) != y_test))

    expected = by_hand(small(), X, y, X_tgt, by_formula, StratifiedKFold(2))
    assert search.cv_results_["mean_test_score"] == pytest.approx(expected)


def test_several_scores_at_once_for_a_pipeline(routing, small, domains):
    X, y, X_tgt = domains
    pipe = Pipeline(
        [("scale", StandardScaler()), ("dann", small())], transform_input=["X_tgt"]
    )
    names = ["infomax", "nuclear_norm", "neg_entropy", "neg_iwv", "neg_dev", "neg_devn"]
    grid = {f"dann__{name}": values for name, values in GRID.items()}
    search = GridSearchCV(pipe, grid, scoring=target_scorer(names), refit="neg_dev")
    search.fit(X, y, X_tgt=X_tgt)
    for name in names:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()
    as_dict = {name: target_scorer(name) for name in names} | {"accuracy": "accuracy"}
    again = GridSearchCV(pipe, grid, scoring=as_dict, refit="neg_dev")
    again.fit(X, y, X_tgt=X_tgt)
    for name in names:
        column = f"mean_test_{name}"
        assert again.cv_results_[column] == pytest.approx(search.cv_results_[column])


def test_a_bound_target_needs_no_routing(small, domains):
    X, y, X_tgt = domains
    scorer = target_scorer("infomax", X_tgt=X_tgt)
    search = RandomizedSearchCV(small(), GRID, n_iter=2, scoring=scorer, cv=2)
    search.fit(X, y, X_tgt=X_tgt)
    P = search.best_estimator_.predict_proba(X_tgt)
    assert scorer(search.best_estimator_, X, y) == metrics.infomax_score(P)
    assert "X_tgt" in repr(scorer)


def test_errors_say_what_to_do(small, domains):
    X, y, X_tgt = domains
    clf = small().fit(X, y, X_tgt)
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        target_scorer("infomax")(clf, X, y)
    with pytest.raises(ValueError, match=r"no score .'f1'.*choose from"):
        target_scorer("f1")
    with pytest.raises(ValueError, match="choose from"):
        target_scorer([])
    plain = LogisticRegression().fit(X, y)
    assert 0 <= target_scorer("infomax")(plain, X, y, X_tgt) <= 1
    with pytest.raises(ValueError, match="has no transform"):
        target_scorer("neg_dev")(plain, X, y, X_tgt)


def test_reverse_validation_rewards_a_way_back(small, domains):
    X, y, X_tgt = domains
    learned = reverse_validation_score(
        small(max_epochs=40), X, y, X_tgt, random_state=0
    )
    untrained = reverse_validation_score(small(lr=1e-7), X, y, X_tgt, random_state=0)
    assert learned > 0.9
    assert untrained < 0.7


def test_reverse_validation_step_by_step(small, domains):
    """Follow the definition with plain fits."""
    from sklearn.model_selection import train_test_split

    X, y, X_tgt = domains
    clf = small(max_epochs=10)
    rng = np.random.RandomState(3)
    X_fit, X_val, y_fit, y_val = train_test_split(
        X, y, test_size=0.1, stratify=y, random_state=rng
    )
    T, _ = train_test_split(X_tgt, test_size=0.1, random_state=rng)
    forth = clone(clf).fit(X_fit, y_fit, T)

    start = forth.module_
    back = clone(clf).set_params(
        feature_extractor=start.feature_extractor,
        label_classifier=start.label_classifier,
        domain_classifier=start.domain_classifier,
        dropout=0.0,
    )
    without_dropout = clone(clf).set_params(dropout=0.0)
    forth = clone(without_dropout).fit(X_fit, y_fit, T)
    for part in ("feature_extractor", "label_classifier", "domain_classifier"):
        back.set_params(**{part: getattr(forth.module_, part)})
    back.fit(T, forth.predict(T), X_fit)
    score = reverse_validation_score(without_dropout, X, y, X_tgt, random_state=3)
    assert score == back.score(X_val, y_val)


def test_reverse_validation_of_named_columns_does_not_warn(small, domains, recwarn):
    X, y, X_tgt = domains
    X, X_tgt = (pd.DataFrame(rows, columns=["a", "b"]) for rows in (X, X_tgt))
    reverse_validation_score(small(), X, y, X_tgt, random_state=0)
    assert not recwarn.list


def test_reverse_validation_survives_one_predicted_class(small, domains):
    X, y, X_tgt = domains
    far = np.full_like(X_tgt, 50.0) + 1e-3 * X_tgt
    with np.errstate(all="ignore"), pytest.warns(UserWarning, match="standard dev"):
        score = reverse_validation_score(small(), X, y, far, random_state=0)
    assert 0 <= score <= 1


def test_scorers_of_labelled_rows_are_not_disturbed(routing, small, domains):
    X, y, X_tgt = domains
    auc = make_scorer(roc_auc_score, response_method="predict_proba")
    search = GridSearchCV(
        small(max_epochs=20),
        GRID,
        scoring={"auc": auc, "infomax": target_scorer("infomax")},
        refit="auc",
        cv=2,
    ).fit(X, y, X_tgt=X_tgt)
    assert search.cv_results_["mean_test_auc"].min() > 0.5
