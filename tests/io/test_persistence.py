"""What is saved comes back to the bit, and nothing else is in the file."""

import copy
import datetime as dt
import os
import pickle
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from helpers import make_domains
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, LRScheduler
from torch import nn

import skdann
from skdann import DANNClassifier
from skdann import nn as skdann_nn
from skdann._io._container import FORMAT, read_file, write_file


def there_and_back(clf, path, **parameters):
    skdann.save(clf, path)
    return skdann.load(path, **parameters)


def assert_same(clf, loaded, X):
    assert np.array_equal(clf.predict(X), loaded.predict(X))
    assert clf.predict(X).dtype == loaded.predict(X).dtype
    for method in ("predict_proba", "transform", "predict_domain"):
        assert np.array_equal(getattr(clf, method)(X), getattr(loaded, method)(X))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skdann"


LABELS = {
    "int": lambda y: y - 1,
    "str": lambda y: np.array(["no", "yes"])[y],
    "object": lambda y: np.array(["no", "yes"], dtype=object)[y],
    "bool": lambda y: y == 1,
    "float": lambda y: y * 1.0,
    "int8": lambda y: y.astype(np.int8),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_labels_and_dtypes_come_back(small, domains, path, kind, dtype):
    X, y, X_tgt = domains
    X, X_tgt = (np.rint(8 + rows).astype(dtype) for rows in (X, X_tgt))
    clf = small().fit(X, LABELS[kind](y), X_tgt)
    loaded = there_and_back(clf, path)
    assert_same(clf, loaded, X_tgt)
    assert loaded.get_params() == clf.get_params()
    assert loaded.n_iter_ == clf.n_iter_
    for row, expected in zip(loaded.history_, clf.history_, strict=True):
        assert dict(row) == dict(expected)


@pytest.mark.parametrize(
    "params",
    [
        {"class_weight": {0: 2.0, 1: 1.0}},
        {"hidden_layer_sizes": np.array([8, 4]), "activation": "gelu", "dropout": 0.3},
        {"hidden_layer_sizes": 8, "domain_hidden_layer_sizes": ()},
        {"lambda_max": np.float32(0.5), "batch_size": np.int64(32)},
        {"optimizer": "sgd", "early_stopping": True, "n_iter_no_change": 1},
        {"device": torch.device("cpu")},
        {"n_estimators": np.int64(3), "standardize": "domain"},
    ],
    ids=str,
)
def test_parameters_come_back(small, domains, path, params):
    clf = small(**params).fit(*domains)
    loaded = there_and_back(clf, path)
    assert_same(clf, loaded, domains[2])
    for name, value in clf.get_params().items():
        assert np.array_equal(getattr(loaded, name), np.array(value).tolist()) or (
            getattr(loaded, name) in (value, str(value))
        ), name


def test_column_names_come_back(small, domains, path):
    X, y, X_tgt = domains
    X, X_tgt = (pd.DataFrame(rows, columns=["a", "b"]) for rows in (X, X_tgt))
    loaded = there_and_back(small().fit(X, y, X_tgt), path)
    assert loaded.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(X[["b", "a"]])


def test_a_fit_on_sparse_rows_without_a_target_comes_back(small, domains, path):
    X, y, _ = domains
    clf = small(lambda_max=0).fit(sparse.csr_array(X), y)
    loaded = there_and_back(clf, path)
    assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    with pytest.raises(ValueError, match="without X_tgt"):
        loaded.predict_domain(X)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_goes_on_where_it_stood(small, domains, path, method):
    clf = small(warm_start=True, dropout=0.3).fit(*domains)
    loaded = there_and_back(clf, path)
    for one in (clf, loaded):
        getattr(one, method)(*domains)
    assert_same(clf, loaded, domains[2])


def test_a_scheduler_of_the_user_goes_on_after_loading(small, domains, path):
    callbacks = [LRScheduler(policy="StepLR", step_size=2)]
    params = {"lr_schedule": "constant", "warm_start": True, "callbacks": callbacks}
    skdann.save(small(**params).fit(*domains), path)
    loaded = skdann.load(path, callbacks=callbacks).fit(*domains)
    assert loaded.n_iter_ == 6


class Gated(nn.Module):
    def __init__(self, n_columns):
        super().__init__()
        self.gate = nn.Parameter(torch.ones(n_columns))
        self.norm = nn.BatchNorm1d(n_columns)

    def forward(self, x):
        return self.norm(x * self.gate)


@pytest.mark.parametrize("given", [Gated, Gated(2)], ids=["class", "instance"])
def test_a_module_of_ones_own_must_be_given(small, domains, path, given):
    clf = small(feature_extractor=given).fit(*domains)
    skdann.save(clf, path)
    with pytest.raises(ValueError, match=r"Gated. Give it: load\(path, feature_ext"):
        skdann.load(path)
    assert_same(clf, skdann.load(path, feature_extractor=given), domains[2])
    with pytest.raises(ValueError, match="can't be used"):
        skdann.load(path, feature_extractor=nn.Linear(2, 3))


def test_the_papers_networks_come_back(path):
    rng = np.random.default_rng(0)
    X = rng.random((20, 3, 28, 28), dtype=np.float32)
    network = skdann_nn.mnist_network()
    clf = DANNClassifier(**network, max_epochs=1, random_state=0)
    clf.fit(X, np.arange(20) % 10, X + 0.5)
    assert_same(clf, there_and_back(clf, path, **network), X)


def test_other_code_is_replaced_by_the_default_with_a_warning(small, domains, path):
    params = {"lr_schedule": lambda p: 1 - p / 2, "callbacks": [Callback()]}
    clf = small(**params).fit(*domains)
    skdann.save(clf, path)
    with pytest.warns(UserWarning, match="the code of callbacks, lr_schedule") as seen:
        loaded = skdann.load(path)
    assert seen[0].filename == __file__
    assert loaded.lr_schedule == "annealed"
    assert loaded.callbacks is None
    assert_same(clf, loaded, domains[2])
    loaded = skdann.load(path, **params)
    assert loaded.callbacks is params["callbacks"]


def test_a_model_from_a_device_that_is_not_here_can_be_moved(small, domains, path):
    clf = small().fit(*domains)
    clf.set_params(device="meta_gpu")
    skdann.save(clf, path)
    with pytest.raises(ValueError, match="'meta_gpu' cannot be used here"):
        skdann.load(path)
    assert_same(clf, skdann.load(path, device="cpu"), domains[2])


def test_a_file_does_not_say_where_to_write(small, domains, tmp_path):
    path = tmp_path / "run"
    skdann.save(small(checkpoint=path).fit(*domains), path)
    assert skdann.load(path).checkpoint is None


def test_what_can_not_be_saved_is_named(small, domains, path):
    X, y, X_tgt = domains
    with pytest.raises(NotFittedError):
        skdann.save(small(), path)
    days = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]")
    clf = small().fit(X, days[y], X_tgt)
    with pytest.raises(TypeError, match="datetime64"):
        skdann.save(clf, path)
    assert not os.listdir(path.parent)


PLACES = {
    "a search": (lambda clf: fitted_search(clf), r"x\.best_estimator_\."),
    "a search over a Pipeline": (
        lambda clf: fitted_search(make_pipeline(clf)),
        r"x\.best_estimator_\.",
    ),
    "a search in a Pipeline": (
        lambda clf: make_pipeline(fitted_search(clf)),
        r"x\[-1\]\.best_estimator_\.",
    ),
    "a search that is not fitted": (
        lambda clf: GridSearchCV(clf, {}),
        "best_estimator_, once it is fitted",
    ),
    "another classifier": (lambda clf: StandardScaler(), "skops or pickle"),
    "a network": (lambda clf: clf.module_, "skops or pickle"),
    "nothing": (lambda clf: None, "not a NoneType"),
}


def fitted_search(estimator):
    search = GridSearchCV(estimator, {})
    search.best_estimator_ = estimator
    return search


@pytest.mark.parametrize("kind", PLACES)
def test_the_way_to_what_can_be_saved_is_told(small, domains, path, kind):
    make, says = PLACES[kind]
    given = make(small().fit(*domains))
    with pytest.raises(TypeError, match=says) as caught:
        skdann.save(given, path)
    if place := re.search(r"it is (x\S+)\. ", str(caught.value)):
        skdann.save(eval(place[1], {"x": given}), path)  # as it was told


def test_every_path_may_begin_with_a_tilde(small, domains, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for checkpoint in ("~/run", Path("~/run")):
        clf = small(checkpoint=checkpoint)
        assert clf.fit(*domains, resume=True).n_iter_ == 3
    skdann.save(clf, "~/model")
    clf.to_onnx("~/onnx")
    for name in ("~/run", "~/model", Path("~/model")):
        assert_same(clf, skdann.load(name), domains[2])
    assert sorted(os.listdir(tmp_path)) == ["model", "onnx", "run"]


def test_a_parameter_that_is_set_after_the_fit_changes_no_network(small, domains, path):
    """A file, a pickle and a copy hold the network that was trained."""
    clf = small().fit(*domains)
    changed = copy.deepcopy(clf).set_params(
        activation="tanh", hidden_layer_sizes=(3,), optimizer="sgd", lr=-1
    )
    for one in (copy.deepcopy(changed), pickle.loads(pickle.dumps(changed))):
        assert one.get_params() == changed.get_params()
        assert_same(clf, one, domains[2])
        with pytest.raises(ValueError, match="hidden_layer_sizes"):
            one.set_params(lr=0.1, warm_start=True).fit(*domains)
    with pytest.raises(ValueError, match="'lr' parameter"):
        skdann.save(changed, path)
    loaded = there_and_back(changed.set_params(lr=0.1), path)
    assert_same(clf, loaded, domains[2])
    assert loaded.activation == "relu"
    assert loaded.hidden_layer_sizes == (16,)
    assert loaded.lr == 0.1


KINDS_OF_LABELS = {
    "days": lambda y: np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]")[y],
    "durations": lambda y: np.array([1, 2], dtype="timedelta64[s]")[y],
    "bytes": lambda y: np.array([b"a", b"b"])[y],
    "dates": lambda y: np.array([dt.date(2020, 1, 1), dt.date(2021, 1, 1)])[y],
    "fractions": lambda y: np.array([Fraction(1, 3), Fraction(2, 3)])[y],
}


@pytest.mark.parametrize("kind", KINDS_OF_LABELS)
def test_labels_that_no_file_can_hold_are_told_before_training(
    small, domains, path, kind
):
    X, y, X_tgt = domains
    labels = KINDS_OF_LABELS[kind](y)
    clf = small(checkpoint=path, max_epochs=10**9)
    with pytest.raises((TypeError, ValueError)) as caught:
        clf.fit(X, labels, X_tgt)
    assert "label" in str(caught.value).lower()
    assert not os.listdir(path.parent)
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize(
    "params",
    [
        {"class_weight": {0: 1, 1: Decimal(2)}},
        {"feature_extractor": lambda: nn.Linear(2, 3).to(torch.bfloat16)},
    ],
    ids=["a decimal", "weights of another dtype"],
)
def test_what_no_file_can_hold_is_told_before_training(small, domains, path, params):
    clf = small(checkpoint=path, max_epochs=10**9, **params)
    if "class_weight" in params:
        with pytest.raises((TypeError, ValueError)):
            clf.fit(*domains)
        assert not os.listdir(path.parent)
    else:  # it is brought to the dtype of the others
        assert clf.set_params(max_epochs=1).fit(*domains).n_iter_ == 1


def test_a_failed_save_keeps_the_old_file(small, domains, path):
    clf = small().fit(*domains)
    skdann.save(clf, path)
    before = path.read_bytes()
    clf.classes_ = np.array([object(), object()])
    with pytest.raises(TypeError, match="No file can hold the labels"):
        skdann.save(clf, path)
    with pytest.raises(OSError, match="nowhere"):
        skdann.save(small().fit(*domains), path.parent / "nowhere" / "x")
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_pickle_keeps_working(small, domains):
    clf = small(warm_start=True).fit(*domains)
    copied = pickle.loads(pickle.dumps(clf))
    assert_same(clf, copied, domains[2])
    assert_same(clf.fit(*domains), copied.fit(*domains), domains[2])


def test_skops_keeps_working(small, domains):
    clf = small().fit(*domains)
    data = skops.io.dumps(clf)
    [ours] = skops.io.get_untrusted_types(data=data)
    assert ours == "skdann._classifier.DANNClassifier"
    assert_same(clf, skops.io.loads(data, trusted=[ours]), domains[2])


def test_a_file_of_a_later_format_says_so(saved):
    data = saved.read_bytes()
    mark = f'"skdann":"{FORMAT}"'.encode()
    assert mark in data
    saved.write_bytes(data.replace(mark, b'"skdann":"9"'))
    with pytest.raises(ValueError, match="a later skdann has written it"):
        skdann.load(saved)


def test_a_file_of_an_earlier_version_gets_the_defaults_of_new_parameters(
    saved, domains
):
    tree = read_file(saved)
    old = copy.deepcopy(tree)
    del old["estimator"]["parameters"]["n_iter_no_change"]
    del old["net"]["optimizer"]["param_groups"][0]["fused"]
    write_file(saved, old)
    loaded = skdann.load(saved)
    assert loaded.n_iter_no_change == 10
    loaded.set_params(warm_start=True).fit(*domains)


def test_domains_are_not_in_the_file(small, domains, path):
    """A model may be given away: what it was trained on may not."""
    X, y, X_tgt, _ = make_domains()
    skdann.save(small().fit(X, y, X_tgt), path)
    data = path.read_bytes()
    for rows in (X, X_tgt):
        for row in rows[:50]:
            assert row.tobytes() not in data
