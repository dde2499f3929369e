"""A search with a checkpoint goes on where it stood, and nowhere else."""

import copy
import os
import re
import shutil
import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import SMALL, make_domains
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skdann import DANNClassifier, DANNRegressor, load
from skdann._io._container import read_file, write_file
from skdann._training._identity import hash_rows
from skdann.model_selection import DANNGridSearchCV, DANNRandomizedSearchCV
from skdann.model_selection._search_identity import _hash_setting

GRID = {"lambda_max": [0.0, 1.0], "lr": [1e-3, 1e-2]}


def count(folder, estimator, X, y):
    """Score, and leave a trace of having been called, from whatever process."""
    with open(folder / "calls", "a") as file:
        file.write("+")
    return estimator.score(X, y)


def n_calls(folder):
    path = folder / "calls"
    return len(path.read_text()) if path.exists() else 0


@pytest.fixture
def make_search(small, tmp_path):
    """Return a factory of searches of one fit a stack, whose fits are counted."""

    def make(Search=DANNGridSearchCV, grid=GRID, estimator=None, **params):
        params = {"max_stacked": 1, "cv": 2, **params}
        params.setdefault("checkpoint", tmp_path / "search")
        params.setdefault("scoring", partial(count, tmp_path))
        return Search(estimator or small(max_epochs=1), grid, **params)

    return make


def table(search):
    """Return all of ``cv_results_`` by its bits."""
    return {
        name: str(column)
        if name == "params"
        else (column.dtype, np.ma.filled(column, np.nan).tobytes())
        for name, column in search.cv_results_.items()
    }


def scores(search):
    return {name: bits for name, bits in table(search).items() if "time" not in name}


def stacks(tmp_path):
    return sorted((tmp_path / "search").glob("stack-*"))


def test_a_finished_search_is_read_and_not_run_again(make_search, domains, tmp_path):
    first = make_search(n_seeds=2, return_train_score=True).fit(*domains)
    n_fits = n_calls(tmp_path)
    assert n_fits == 2 * 16
    again = make_search(n_seeds=2, return_train_score=True).fit(*domains)
    assert n_calls(tmp_path) == n_fits
    assert table(again) == table(first)
    assert again.best_index_ == first.best_index_
    predicted = [search.predict_proba(domains[2]) for search in (first, again)]
    assert np.array_equal(*predicted)
    assert again.best_estimator_.checkpoint is None
    assert again.best_estimator_.history_ == first.best_estimator_.history_


def test_what_failed_and_what_was_warned_of_is_told_again(
    make_search, domains, tmp_path
):
    told = []
    for _ in range(2):
        search = make_search(grid={"lambda_max": [0.0, 1.0], "lr": [1e-3, 1e30]})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            search.fit(*domains)
        told.append(sorted(f"{w.category} {w.message}" for w in caught))
    assert n_calls(tmp_path) == 4
    assert told[0] == told[1]
    assert any(
        "4 of 8 fits failed" in text and "Divergence" in text for text in told[0]
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_only_what_is_missing_is_trained(make_search, domains, tmp_path, n_jobs):
    whole = make_search(checkpoint=None).fit(*domains)
    make_search().fit(*domains)
    for path in stacks(tmp_path)[::3]:
        path.unlink()
    before = n_calls(tmp_path)
    with parallel_config("threading", n_jobs=n_jobs):
        assert scores(make_search().fit(*domains)) == scores(whole)
    assert n_calls(tmp_path) == before + 3


def test_numbers_with_a_few_known_in_the_target(make_search, domains):
    X, _, X_tgt = domains
    params = {"max_epochs": 1, "n_estimators": 1, "standardize": None}
    network = DANNRegressor(**params, random_state=0)
    known = np.where(np.arange(len(X_tgt)) < 9, X_tgt[:, 0], np.nan)
    first, again = (
        make_search(
            estimator=make_pipeline(StandardScaler(), network),
            grid={"dannregressor__lambda_max": [0.0, 1.0]},
            scoring="reverse_validation",
            label_use="choice",
            max_stacked="auto",
        ).fit(X, X[:, 1], X_tgt, y_tgt=known)
        for _ in range(2)
    )
    assert table(first) == table(again)
    assert first.reason_ == again.reason_ != ""


def shift(X, by):
    return X + by


def half(y, predicted):
    return 0.5


def quarter(y, predicted):
    return 0.25


def pipeline(clf, by=0.0, **scale):
    parts = FunctionTransformer(shift, kw_args={"by": by}), StandardScaler(**scale)
    return make_pipeline(*parts, clf)


def with_prefix(grid):
    return {f"dannclassifier__{name}": values for name, values in grid.items()}


def last_changed(values):
    values = np.array(values, dtype=float)
    values[-1] += 1
    return values


X, y, X_tgt, y_tgt = make_domains(60, 40)
DATA = {
    "X": X,
    "y": y,
    "X_tgt": X_tgt,
    "y_tgt": np.where(np.arange(40) < 5, y_tgt, -1),
    "sample_weight": np.ones(60),
    "sample_weight_tgt": np.ones(40),
    "groups": np.arange(60),
}


def search_in(folder, network=(), steps=(), Search=DANNGridSearchCV, **params):
    clf = DANNClassifier(**{**SMALL, "max_epochs": 1, **dict(network)})
    params = {"scoring": make_scorer(half), "cv": 2, "refit": False, **params}
    grid = with_prefix(params.pop("grid", GRID))
    return Search(pipeline(clf, **dict(steps)), grid, checkpoint=folder, **params)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Return the folder of a search that is finished."""
    folder = tmp_path_factory.mktemp("begun") / "search"
    search_in(folder).fit(**DATA)
    return folder


@pytest.mark.parametrize(
    ("told", "data", "params"),
    [
        ("X", {"X": last_changed(X)}, {}),
        ("X", {"X": X.astype(np.float32)}, {}),
        ("X", {"X": pd.DataFrame(X)}, {}),
        ("y", {"y": np.r_[1 - y[:1], y[1:]]}, {}),
        ("X_tgt", {"X_tgt": last_changed(X_tgt)}, {}),
        ("y_tgt", {"y_tgt": np.where(np.arange(40) < 6, y_tgt, -1)}, {}),
        ("sample_weight", {"sample_weight": last_changed(np.ones(60))}, {}),
        ("sample_weight_tgt", {"sample_weight_tgt": last_changed(np.ones(40))}, {}),
        ("groups", {"groups": np.arange(60)[::-1]}, {}),
        ("classes", {"classes": [0, 1, 2]}, {}),
        ("the candidates", {}, {"grid": {"lr": [1e-3, 2e-2]}}),
        ("the folds of cv", {}, {"cv": KFold(2, shuffle=True, random_state=1)}),
        ("n_seeds", {}, {"n_seeds": 2}),
        ("label_use", {}, {"label_use": "choice"}),
        ("return_train_score", {}, {"return_train_score": True}),
        ("scoring", {}, {"scoring": "infomax"}),
        ("scoring", {}, {"scoring": make_scorer(quarter)}),
        ("the estimator's dannclassifier__dropout", {}, {"network": {"dropout": 0.1}}),
        (
            "the estimator's functiontransformer__kw_args",
            {},
            {"steps": {"by": 0.5}},
        ),
        (
            "the estimator's standardscaler__with_mean",
            {},
            {"steps": {"with_mean": False}},
        ),
    ],
)
def test_another_search_is_refused_and_what_differs_is_named(begun, told, data, params):
    before = contents(begun)
    differs = rf"is of another search: it differs in {re.escape(told)}\. Give what"
    with pytest.raises(ValueError, match=differs):
        search_in(begun, **params).fit(**{**DATA, **data})
    assert contents(begun) == before


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"refit": "score", "source_tolerance": 1.0, "error_score": "raise"},
        {"n_jobs": 1, "max_stacked": 1, "pre_dispatch": 2, "verbose": 1},
        {"grid": {"lambda_max": (0, np.float64(1)), "lr": np.array([0.001, 0.01])}},
        {"network": {"hidden_layer_sizes": [16], "device": "auto", "verbose": 1}},
    ],
    ids=str,
)
def test_what_changes_no_score_may_differ(begun, params):
    n_files = len(list(begun.glob("stack-*")))
    times = search_in(begun).fit(**DATA).cv_results_["mean_fit_time"]
    again = search_in(begun, **params).fit(**DATA)
    assert again.cv_results_["mean_fit_time"].tolist() == times.tolist()
    assert len(list(begun.glob("stack-*"))) == n_files


def test_candidates_that_are_drawn_anew_are_another_search(tmp_path):
    folder = tmp_path / "search"
    drawn = partial(search_in, folder, Search=DANNRandomizedSearchCV, n_iter=2)
    drawn(random_state=0).fit(**DATA)
    drawn(random_state=0).fit(**DATA)
    with pytest.raises(ValueError, match=r"the candidates\..*need a random_state"):
        drawn(random_state=1).fit(**DATA)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def forge(change):
    """Return a function that changes what a file holds, and has the checksum right."""

    def in_file(path):
        tree = read_file(path)
        change(tree)
        write_file(path, tree)

    return in_file


def set_scores(value):
    return forge(lambda tree: tree["outcomes"][0].update(test_scores=value))


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        flip,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.with_name("search.skdann").read_bytes()),
        set_scores({"score": "high"}),
        set_scores(None),
        forge(lambda tree: tree["outcomes"][0].update(candidate=99)),
        forge(lambda tree: tree["outcomes"][0].update(fold=[])),
        forge(lambda tree: tree["outcomes"][0].update(answers=np.zeros((2, 2)))),
        forge(lambda tree: tree["outcomes"][0].pop("seed")),
        forge(lambda tree: tree["outcomes"][0].update(more=1)),
        forge(lambda tree: tree.update(search={"X": "of others"})),
    ],
)
def test_a_damaged_stack_is_told_and_run_again(make_search, domains, tmp_path, damage):
    params = {"grid": {"lambda_max": [0.0, 1.0]}, "refit": False}
    first = make_search(**params).fit(*domains)
    before = n_calls(tmp_path)
    path = stacks(tmp_path)[1]
    damage(path)
    told = rf"{re.escape(str(path))} can't be used: .* removed, .* trained again"
    with pytest.warns(UserWarning, match=told):
        again = make_search(**params).fit(*domains)
    assert n_calls(tmp_path) == before + 1
    assert scores(again) == scores(first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_search(**params).fit(*domains)


@pytest.mark.parametrize("damage", [cut, flip, forge(lambda tree: tree.clear())])
def test_a_folder_that_does_not_say_what_it_is_of_is_refused(begun, tmp_path, damage):
    folder = tmp_path / "copy"
    shutil.copytree(begun, folder)
    damage(folder / "search.skdann")
    before = contents(folder)
    with pytest.raises(ValueError, match=r"search\.skdann .*ame another folder"):
        search_in(folder).fit(**DATA)
    assert contents(folder) == before


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ValueError, match=r"holds 'thesis\.tex', and no search"):
        search_in(tmp_path).fit(**DATA)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_what_is_no_folder_is_told_before_training(tmp_path):
    (tmp_path / "file").touch()
    for name, reason in [("file", "exists"), ("nowhere/search", "No such file")]:
        with pytest.raises(OSError, match=rf"checkpoint=.* can't be used: .*{reason}"):
            search_in(tmp_path / name).fit(**DATA)


def test_what_is_no_file_of_a_search_is_left_alone(begun, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(begun, folder)
    (folder / ".download.part").write_text("mine")
    (folder / "stack-mine.skdann").mkdir()
    (folder / ".stack-fold0.skdann.01234567.part").write_text("of a kill")
    search_in(folder).fit(**DATA)
    left = set(os.listdir(folder)) - set(os.listdir(begun))
    assert left == {".download.part", "stack-mine.skdann"}


def test_a_refit_of_other_rows_begins_anew(tmp_path):
    """A preprocessing that draws comes to others each time."""

    def search():
        draws = FunctionTransformer(lambda X: X + np.random.default_rng().normal())
        clf = DANNClassifier(**{**SMALL, "max_epochs": 1})
        grid = with_prefix({"lambda_max": [1.0]})
        return DANNGridSearchCV(make_pipeline(draws, clf), grid, checkpoint=tmp_path)

    for _ in range(2):
        search().fit(X, y, X_tgt)
        assert len(list(tmp_path.glob("refit-*"))) == 1


def test_a_folder_is_of_one_search_at_a_time(make_search, domains):
    def search_as_well(estimator, X, y):
        with pytest.raises(ValueError, match="in use by another search"):
            make_search(scoring=search_as_well).fit(*domains)
        return 1.0

    one = {"lambda_max": [0.0]}
    search = make_search(scoring=search_as_well, grid=one).fit(*domains)
    assert search.cv_results_["mean_test_score"].tolist() == [1.0]


def test_an_interrupted_search_goes_on(make_search, domains, tmp_path):
    def interrupted(estimator, X, y):
        value = count(tmp_path, estimator, X, y)
        if n_calls(tmp_path) == 4:
            raise KeyboardInterrupt
        return value

    with pytest.warns(UserWarning, match="Interrupted: 1 of 4 candidates"):
        partly = make_search(scoring=interrupted).fit(*domains)
    assert len(partly.cv_results_["params"]) == 1
    whole = make_search(scoring=interrupted).fit(*domains)
    assert n_calls(tmp_path) == 4 + 5  # the one that was interrupted is run again
    once = make_search(checkpoint=None, scoring=interrupted).fit(*domains)
    assert scores(whole) == scores(once)


def test_a_lack_of_memory_is_not_kept(make_search, domains, tmp_path):
    def short_of_memory(estimator, X, y):
        value = count(tmp_path, estimator, X, y)
        if n_calls(tmp_path) == 2:
            raise MemoryError("There was none left.")
        return value

    with pytest.warns(FitFailedWarning, match="1 of 8 fits failed"):
        make_search(scoring=short_of_memory).fit(*domains)
    search = make_search(scoring=short_of_memory).fit(*domains)
    assert n_calls(tmp_path) == 9
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_an_error_that_ends_the_search_is_not_kept(make_search, domains, tmp_path):
    def wrong_once(estimator, X, y):
        value = count(tmp_path, estimator, X, y)
        if n_calls(tmp_path) == 3:
            raise ZeroDivisionError
        return value

    params = {"scoring": wrong_once, "error_score": "raise"}
    with pytest.raises(ZeroDivisionError):
        make_search(**params).fit(*domains)
    make_search(**params).fit(*domains)
    assert n_calls(tmp_path) == 9


def test_a_damaged_refit_is_told_and_done_again(make_search, domains, tmp_path):
    first = make_search().fit(*domains)
    [path] = (tmp_path / "search").glob("refit-*")
    assert np.array_equal(load(path).predict(X), first.predict(X))
    cut(path)
    with pytest.warns(UserWarning, match=r"refit.* can't be used: .* trained again"):
        again = make_search().fit(*domains)
    assert np.array_equal(again.predict_proba(X), first.predict_proba(X))


def test_a_refit_that_no_file_can_hold_writes_none(small, domains, tmp_path):
    days = np.datetime64("2020-01-01") + np.arange(200) % 2
    clf = small(max_epochs=1, domain_classes="groups")
    search = DANNGridSearchCV(clf, {"lambda_max": [0.0, 1.0]}, checkpoint=tmp_path)
    for _ in range(2):
        search.fit(*domains, groups=days)
    assert not list(tmp_path.glob("refit-*"))


def test_other_versions_are_told(make_search, domains, tmp_path):
    make_search().fit(*domains)
    forge(lambda tree: tree["versions"].update(torch="1.0"))(
        tmp_path / "search" / "search.skdann"
    )
    with pytest.warns(UserWarning, match=r"begun by other versions \(torch 1\.0\)"):
        make_search().fit(*domains)


class Step(BaseEstimator):
    def __init__(self, value=None):
        self.value = value


VALUES = [
    *(0, 1, 0.5, np.nan, None, "", "1", "x", True and "y", b"x", 10**400, -1),
    *([], [1, 2], [2, 1], {"a": 1}, {"a": 2}, {"b": 1}, {1, 2}, np.ones(2), np.ones(3)),
    *(pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), sparse.eye_array(2)),
    *(np.random.RandomState(0), np.random.RandomState(1), half, quarter, KFold, print),
    *(KFold(2), KFold(3), Step(1), Step([1]), Step(Step(1)), partial(shift, by=1)),
    *(partial(shift, by=2), make_scorer(half), make_scorer(quarter), torch.nn.Tanh()),
    *(torch.nn.ReLU(), np.longdouble(0.1), np.datetime64("2020-01-01"), 3j),
]


@given(st.sampled_from(range(len(VALUES))), st.sampled_from(range(len(VALUES))))
def test_values_of_parameters_are_told_apart(i, j):
    value = copy.deepcopy(VALUES[i])
    assert (_hash_setting(value) == _hash_setting(VALUES[j])) == (i == j)


def test_values_that_mean_the_same_are_the_same():
    for value, other in [
        (1, 1.0),
        (1, True),
        ((1, 2), [1.0, 2.0]),
        (np.float64(0.5), 0.5),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ]:
        assert _hash_setting(value) == _hash_setting(other)


def test_what_knows_itself_can_be_told():
    step = Step()
    step.value = [step]
    assert _hash_setting(step) == _hash_setting(copy.deepcopy(step))


CONTAINERS = [
    *(np.ones((3, 2)), np.ones((2, 3)), np.ones((3, 2), np.float32), np.zeros((3, 2))),
    *(sparse.eye_array(3), sparse.eye_array(3, format="csc") * 2, [[1, 2]], [[1, "2"]]),
    *(np.array(["a", "b"]), np.array(["a", None], object), ["1", 2], [1, 2]),
    pd.DataFrame({"a": [1, 2]}),
    pd.DataFrame({"a": [1.0, 2.0]}),
    pd.DataFrame({"a": ["x", None]}),
    pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
    pd.DataFrame({"a": pd.Categorical(["y", "x"])}),
    pl.DataFrame({"a": ["x", "z"]}),
    pd.Series([1, None], dtype="Int64"),
    pd.Series(["a", "c"], dtype="string"),
    None,
]


def test_rows_of_all_containers_are_told_apart_by_what_they_hold():
    digests = [hash_rows(rows) for rows in CONTAINERS]
    assert [hash_rows(copy.deepcopy(rows)) for rows in CONTAINERS] == digests
    assert len(set(digests)) == len(CONTAINERS)
