"""Pipelines and searches pass groups to the splitter and to the fits, row by row."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import SMALL, make_domains
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdann import (
    AutoDANNClassifier,
    BaselineClassifier,
    DANNClassifier,
    DANNRegressor,
)
from skdann._training import TrainingPlan
from skdann.inspection import adaptation_report
from skdann.model_selection import DANNGridSearchCV, reverse_validation_score

X, Y, X_TGT, _ = make_domains(60, 40)
SITES = np.array(["a", "b", "c"])[np.arange(60) % 3]
MONTHS = np.array([1, 2])[np.arange(40) % 2]
BOTH = {"groups": SITES, "groups_tgt": MONTHS}
IN_FOLDS = [["b", "c"], ["a", "c"], ["a", "b"]]


def new(kind=DANNClassifier, **params):
    return kind(**{**SMALL, "domain_classes": "groups", **params})


@pytest.fixture
def fits(monkeypatch):
    """Return a list of what networks are fitted on, longer with each fit."""
    seen = []
    make = TrainingPlan.for_fit

    def noting(net, domains, *args):
        seen.append(domains)
        return make(net, domains, *args)

    monkeypatch.setattr(TrainingPlan, "for_fit", noting)
    return seen


def assert_own_groups(domains):
    """Each row must have come with its own group."""
    names = domains.group_names
    rows = {row.tobytes(): site for row, site in zip(X, SITES, strict=True)}
    expected = [rows[row.tobytes()] for row in domains.X]
    assert names.source[domains.groups].tolist() == expected
    of_target = domains.groups_tgt - len(names.source)
    assert names.target[of_target].tolist() == MONTHS.tolist()


def test_a_pipeline_passes_groups_on(routing):
    pipe = Pipeline([("scale", StandardScaler()), ("dann", new())],
                    transform_input=["X_tgt"])  # fmt: skip
    pipe.fit(X, Y, X_tgt=X_TGT, **BOTH)
    scaler = StandardScaler().fit(X)
    clf = new().fit(scaler.transform(X), Y, scaler.transform(X_TGT), **BOTH)
    np.testing.assert_array_equal(pipe.predict_proba(X_TGT), clf.predict_proba(
        scaler.transform(X_TGT)))  # fmt: skip


@pytest.mark.parametrize("kind", ["stock", "ours", "ours, each by itself"])
def test_a_search_splits_by_groups_and_fits_with_those_of_its_rows(routing, fits, kind):
    grid = {"lambda_max": [0.1, 1.0]}
    search = {
        "stock": lambda: GridSearchCV(new(), grid, cv=LeaveOneGroupOut()),
        "ours": lambda: DANNGridSearchCV(new(), grid, cv=LeaveOneGroupOut()),
        "ours, each by itself": lambda: DANNGridSearchCV(
            new(), grid, cv=LeaveOneGroupOut(), max_stacked=1
        ),
    }[kind]()
    search.fit(X, Y, X_tgt=X_TGT, **BOTH)
    of_folds = [d.group_names.source.tolist() for d in fits]
    for names in IN_FOLDS:
        assert names in of_folds
    for domains in fits:
        if len(domains.X_tgt) == 40:  # not in reverse
            assert_own_groups(domains)
    assert search.n_splits_ == 3
    assert len(search.best_estimator_.groups_) == 5


def test_a_search_needs_no_routing_to_be_enabled(fits):
    pipe = Pipeline([("scale", StandardScaler()), ("dann", new())])
    grid = {"dann__domain_classes": ["binary", "groups"]}
    search = DANNGridSearchCV(pipe, grid, cv=LeaveOneGroupOut(), error_score="raise")
    search.fit(X, Y, X_TGT, **BOTH)
    assert sorted({d.group_names is None for d in fits}) == [False, True]
    assert search.n_splits_ == 3


@pytest.mark.parametrize("wrap", [list, pd.Series])
def test_target_rows_of_weight_0_leave_with_their_groups(fits, wrap):
    weight = (MONTHS == 1).astype(float)
    search = DANNGridSearchCV(new(), {"lambda_max": [0.1]}, cv=2)
    given = {name: wrap(values) for name, values in BOTH.items()}
    search.fit(X, Y, X_TGT, **given, sample_weight_tgt=weight)
    assert search.best_estimator_.groups_[:, 1].tolist() == ["a", "b", "c", 1]
    with pytest.raises(ValueError, match="groups_tgt has 3 entries, but X_tgt has 40"):
        search.fit(X, Y, X_TGT, groups_tgt=[1, 2, 3], sample_weight_tgt=weight)


def test_reverse_validation_tells_the_same_groups_apart_in_reverse(fits):
    search = DANNGridSearchCV(
        new(), {"lambda_max": [0.1, 1.0]}, cv=2, scoring="reverse_validation"
    )
    search.fit(X, Y, X_TGT, **BOTH)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    in_reverse = [domains for domains in fits if len(domains.X) == 40]
    assert in_reverse
    for domains in in_reverse:
        assert set(domains.groups) == {3, 4}
        assert set(domains.groups_tgt) == {0, 1, 2}


def test_simple_models_of_a_search_do_without_groups():
    search = DANNGridSearchCV(
        new(), {"lambda_max": [0.1]}, cv=2, baselines=True, error_score="raise"
    )
    search.refit = lambda results: len(results["params"]) - 1
    search.fit(X, Y, X_TGT, **BOTH)
    assert not isinstance(search.best_estimator_, DANNClassifier)


def test_groups_that_split_a_binary_search_are_left_alone_by_fits():
    """They are not even read."""
    search = DANNGridSearchCV(
        new(domain_classes="binary"), {"lambda_max": [0.1]}, cv=GroupKFold(2)
    )
    search.fit(X, Y, X_TGT, groups=SITES, groups_tgt=[None])
    assert search.n_splits_ == 2


@pytest.mark.parametrize("params", [{}, {"n_estimators": 2}])
def test_the_report_compares_networks_that_know_the_groups(fits, params):
    clf = new(**params).fit(X, Y, X_TGT, **BOTH)
    report = adaptation_report(clf, X, Y, X_TGT, **BOTH, random_state=0)
    assert report.verdict in ("for", "against", "open")
    assert report.measures.chance == 1 / 4  # of two groups of the target
    assert len(fits) == 6
    assert all(set(d.group_names.source) == set("abc") for d in fits)
    with pytest.raises(ValueError, match="domain_classes='groups' tells groups"):
        adaptation_report(clf, X, Y, X_TGT, random_state=0)


def test_reverse_validation_by_itself_holds_out_whole_groups(fits):
    score = reverse_validation_score(new(), X, Y, X_TGT, **BOTH, random_state=0)
    assert 0 <= score <= 1
    forth, back = fits
    assert len(forth.X) == 40
    assert len(set(forth.groups)) == 2
    rows = {row.tobytes(): site for row, site in zip(X, SITES, strict=True)}
    assert len({rows[row.tobytes()] for row in forth.X}) == 2
    assert set(back.groups) == {2, 3}
    assert len(back.X) == 36


def test_reverse_validation_keeps_patients_apart_for_any_network(fits):
    patients = np.repeat(np.arange(20), 3)
    binary = new(domain_classes="binary")
    reverse_validation_score(binary, X, Y, X_TGT, groups=patients, random_state=0)
    assert len(fits[0].X) == 54
    left = [row.tobytes() for row in fits[0].X]
    counts = np.bincount(patients[[row.tobytes() in left for row in X]])
    assert set(counts) <= {0, 3}
    numbers = DANNRegressor(n_estimators=1, max_epochs=1, standardize="source")
    reverse_validation_score(numbers, X, X[:, 0], X_TGT, groups=patients)
    assert len(fits[2].X) == 54


def test_one_group_is_divided_and_a_class_of_one_group_is_refused(fits):
    reverse_validation_score(
        new(), X, Y, X_TGT, groups=["a"] * 60, groups_tgt=MONTHS, random_state=0
    )
    assert len(fits[0].X) == 54
    with pytest.raises(ValueError, match="2 groups, and whichever is held out takes"):
        reverse_validation_score(new(), X, Y, X_TGT, groups=Y)
    with pytest.raises(ValueError, match="groups has 3 entries, but X has 60"):
        reverse_validation_score(new(), X, Y, X_TGT, groups=[1, 2, 3])
    with pytest.raises(ValueError, match="groups_tgt has 3 entries, but X_tgt has 40"):
        reverse_validation_score(new(), X, Y, X_TGT, groups_tgt=[1, 2, 3])


def test_a_combination_passes_groups_to_candidates_that_look_at_them(routing, fits):
    candidates = [
        ("groups", new()),
        ("binary", new(domain_classes="binary")),
        ("simple", BaselineClassifier()),
    ]
    search = GridSearchCV(
        AutoDANNClassifier(candidates),
        {"label_use": ["choice"]},
        cv=LeaveOneGroupOut(),
        scoring=lambda auto, X, y: 0.0,
    )
    search.fit(X, Y, X_tgt=X_TGT, **BOTH)
    fitted = search.best_estimator_.candidates_
    assert len(fitted["groups"].groups_) == 5
    assert not hasattr(fitted["binary"], "groups_")
    of_folds = [d.group_names.source.tolist() for d in fits if d.group_names]
    assert of_folds[:3] == IN_FOLDS
    auto = AutoDANNClassifier(candidates[1:])  # which do not even read them
    auto.fit(X, Y, X_TGT, groups=[None], groups_tgt=[None])
    with pytest.warns(FitFailedWarning, match="tells groups of rows apart"):
        AutoDANNClassifier(candidates).fit(X, Y, X_TGT)


def test_a_search_says_which_rows_have_no_group():
    search = DANNGridSearchCV(new(), {"lr": [0.1]}, cv=2)
    with pytest.raises(ValueError, match="groups has 9 entries, but X has"):
        search.fit(X, Y, X_TGT, groups=np.arange(9))


def test_groups_that_are_divided_may_come_in_a_batch_of_arrow():
    groups, groups_tgt = (
        pa.RecordBatch.from_pydict({"of": [str(i % 2) for i in range(n)]})
        for n in (60, 40)
    )
    given = {"groups": groups, "groups_tgt": groups_tgt}
    search = DANNGridSearchCV(new(), {"lr": [0.1]}, cv=2, error_score="raise")
    search.fit(X, Y, X_TGT, sample_weight_tgt=np.arange(40) % 3, **given)
    assert len(search.best_estimator_.groups_) == 4
    score = reverse_validation_score(new(), X, Y, X_TGT, random_state=0, **given)
    assert 0 <= score <= 1


def test_who_scores_without_groups_is_told_to_pass_them():
    with pytest.raises(ValueError, match="domain_classes='groups' tells groups"):
        reverse_validation_score(new(), X, Y, X_TGT, random_state=0)


def test_numbers_are_searched_by_the_stock_search(routing, fits):
    params = {"n_estimators": 1, "max_epochs": 2, "random_state": 0}
    regressor = DANNRegressor(**params, standardize="source", domain_classes="groups")
    search = GridSearchCV(regressor, {"lambda_max": [0.1]}, cv=LeaveOneGroupOut())
    search.fit(X, X[:, 0], X_tgt=X_TGT, **BOTH)
    assert [d.group_names.source.tolist() for d in fits[:3]] == IN_FOLDS
    for domains in fits:
        assert_own_groups(domains)
