"""The ONNX file predicts what the classifier predicts, in a runtime without torch."""

import functools
import importlib
import json
import logging
import random
import sys
import warnings
from contextlib import suppress

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from helpers import make_domains
from sklearn.exceptions import NotFittedError
from torch import nn

from skdann import DANNClassifier
from skdann._io._onnx import _torch_exports_programs
from skdann.nn import mnist_network
from skdann.nn._mlp import ACTIVATIONS

NEW_ROWS = make_domains(seed=1)[0]
REGISTRATION = "torch.onnx._internal.exporter._registration"


@pytest.fixture(scope="module", autouse=True)
def operators_are_read_once():
    """At each export torch parses hundreds of functions, the same ones."""
    with pytest.MonkeyPatch.context() as patch:
        with suppress(ImportError, AttributeError):  # it is inside torch, and may move
            exporter = importlib.import_module(REGISTRATION)
            registry = exporter.ONNXRegistry
            once = staticmethod(functools.cache(registry.from_torchlib))
            patch.setattr(registry, "from_torchlib", once)
        yield


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def assert_predicts_alike(clf, folder, rows, sizes=(0, 1, None), atol=1e-5):
    """Compare on the first rows, as many as each size says, and on all for None."""
    path = folder / "model.onnx"
    clf.to_onnx(path)
    onnx.checker.check_model(path, full_check=True)
    assert list(folder.iterdir()) == [path]  # nothing beside it
    session = session_of(path)
    expected, expected_labels = clf.predict_proba(rows), clf.predict(rows)
    for size in sizes:
        labels, probabilities = session.run(None, {"X": rows[:size]})
        assert probabilities.dtype == expected.dtype
        np.testing.assert_allclose(probabilities, expected[:size], rtol=0, atol=atol)
        assert labels.tolist() == expected_labels[:size].tolist()


@pytest.mark.parametrize(
    ("activation", "dtype"),
    [*((name, "float64") for name in ACTIVATIONS), ("gelu", "float32")],
)
def test_every_activation(small, domains, tmp_path, activation, dtype):
    X, y, X_tgt = domains
    clf = small(activation=activation).fit(X.astype(dtype), y, X_tgt.astype(dtype))
    in_float64 = activation in ("relu", "tanh")  # onnxruntime lacks the others
    assert_predicts_alike(
        clf, tmp_path, NEW_ROWS.astype(dtype), atol=1e-12 if in_float64 else 1e-5
    )


@pytest.mark.parametrize("standardize", [None, "source", "domain"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ensembles_of_standardized_columns(
    small, domains, tmp_path, standardize, dtype
):
    """A file reads rows as those of the target."""
    X, y, X_tgt = domains
    X, X_tgt = X.astype(dtype), X_tgt.astype(dtype)
    clf = small(n_estimators=3, standardize=standardize).fit(X, y, X_tgt)
    assert_predicts_alike(clf, tmp_path, make_domains(seed=1)[2].astype(dtype))


def test_an_ensemble_of_own_modules(small, domains, tmp_path):
    clf = small(n_estimators=2, feature_extractor=normalized_features).fit(*domains)
    # a trace joins axes in a way that needs a row
    sizes = (0, 1, None) if _torch_exports_programs() else (1, None)
    assert_predicts_alike(clf, tmp_path, NEW_ROWS, sizes)


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        (["left", "right"], "tensor(string)"),
        (["a", "b", "Ärger", "d", "e"], "tensor(string)"),
        ([-7, 30, 2, 0, 1], "tensor(int64)"),
        ([False, True], "tensor(bool)"),
        ([1.0, 2.0], "tensor(double)"),
    ],
)
def test_labels_are_those_of_fit(small, domains, tmp_path, classes, kind):
    X, _, X_tgt = domains
    boundaries = np.linspace(-1, 1, len(classes) + 1)[1:-1]
    y = np.array(classes)[np.digitize(X[:, 0], boundaries)]
    clf = small(max_epochs=200, lr=0.03).fit(X, y, X_tgt)
    assert set(clf.predict(NEW_ROWS)) == set(classes)
    assert_predicts_alike(clf, tmp_path, NEW_ROWS)
    label, probabilities = session_of(tmp_path / "model.onnx").get_outputs()
    assert (label.name, label.type, label.shape) == ("label", kind, ["n"])
    assert probabilities.name == "probabilities"
    assert probabilities.shape == ["n", len(classes)]


def test_images(small, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.random((12, 1, 28, 28), dtype=np.float32)
    clf = small(**mnist_network(), max_epochs=2).fit(X, np.arange(12) % 3, X + 0.5)
    assert_predicts_alike(clf, tmp_path, 1 - X)


class LastState(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(1, 8, batch_first=True)

    def forward(self, x):
        return self.recurrent(x.unsqueeze(2))[0][:, -1]


def normalized_features(n_columns):
    return nn.Sequential(
        *(nn.Linear(n_columns, 8), nn.BatchNorm1d(8), nn.PReLU(), nn.Dropout(0.5)),
        *(nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 3, 2), nn.Softplus()),
    )


@pytest.mark.parametrize(
    ("extractor", "sizes"),
    [
        (normalized_features, (0, 1, None)),
        # to an LSTM without rows onnxruntime 1.32 answers by ending the process
        (LastState, (1, None)),
    ],
)
def test_parts_of_the_user(small, domains, tmp_path, extractor, sizes):
    def labeller(n_features, n_classes):
        return nn.Sequential(nn.LayerNorm(n_features), nn.Linear(n_features, n_classes))

    clf = small(feature_extractor=extractor, label_classifier=labeller)
    assert_predicts_alike(clf.fit(*domains), tmp_path, NEW_ROWS, sizes)


def test_metadata_tell_columns_and_classes(small, domains, tmp_path):
    X, y, X_tgt = (pd.DataFrame(rows) for rows in domains)
    X.columns = X_tgt.columns = names = ["sensor", "Öl [°C]"]
    clf = small().fit(X, y[0].map({0: "no", 1: "yes"}), X_tgt)
    path = str(tmp_path / "model.onnx")
    clf.to_onnx(path)
    told = session_of(path).get_modelmeta().custom_metadata_map
    assert json.loads(told["feature_names"]) == names
    assert json.loads(told["classes"]) == ["no", "yes"]


def test_only_what_predicts_labels_is_in_the_file(small, domains, tmp_path):
    clf = small(domain_hidden_layer_sizes=(77,)).fit(*domains)
    path = tmp_path / "model.onnx"
    path.write_text("an older file")
    clf.to_onnx(path)
    graph = onnx.load(path).graph
    assert [value.name for value in graph.input] == ["X"]
    values = sum(np.prod(t.dims, dtype=int) for t in graph.initializer)
    assert values == (2 + 1) * 16 + (16 + 1) * 2 + len(clf.classes_)
    assert b"site-packages" not in path.read_bytes()  # nor traces of this machine


@pytest.mark.parametrize("extractor", [None, normalized_features])
def test_nothing_else_changes(
    small, domains, tmp_path, capfd, caplog, monkeypatch, extractor
):
    clf = small(dropout=0.5, feature_extractor=extractor).fit(*domains)
    expected = clf.predict_proba(NEW_ROWS)
    clf.module_.train()  # a mode in which dropout would be exported, too
    # torch's loggers hand nothing on to their parents
    monkeypatch.setattr(logging.getLogger("torch.onnx"), "handlers", [caplog.handler])

    def state():
        weights = {name: w.tolist() for name, w in clf.module_.state_dict().items()}
        return (
            vars(clf).copy(),
            weights,
            [part.training for part in clf.module_.modules()],
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            torch.random.get_rng_state().tolist(),
            torch.is_grad_enabled(),
            warnings.filters[:],
            logging.getLogger("torch").level,
        )

    before = state()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.to_onnx(tmp_path / "model.onnx")
    assert state() == before
    assert [str(warning.message) for warning in caught] == []
    assert capfd.readouterr() == ("", "")
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
    _, probabilities = session_of(tmp_path / "model.onnx").run(None, {"X": NEW_ROWS})
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)


class SingularValues(nn.Module):
    def forward(self, x):
        return torch.linalg.svdvals(x.unsqueeze(2) * x.unsqueeze(1))


class Branch(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class RowByRow(nn.Module):
    def forward(self, x):
        return torch.stack([2 * row for row in x])


needs_programs = pytest.mark.skipif(
    not _torch_exports_programs(), reason="torch < 2.9 exports traces, and warns"
)


@pytest.mark.parametrize(
    ("extractor", "reason"),
    [
        (SingularValues, "svd"),
        pytest.param(Branch, "data-dependent", marks=needs_programs),
        pytest.param(RowByRow, r"constant \(3\)", marks=needs_programs),
    ],
)
def test_what_torch_cannot_export(small, domains, tmp_path, capfd, extractor, reason):
    clf = small(feature_extractor=extractor).fit(*domains)
    path = tmp_path / "model.onnx"
    path.write_text("an older file")
    with pytest.raises(ValueError, match=f"can't export .*{reason}.* Write feature_"):
        clf.to_onnx(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["an older file"]
    assert capfd.readouterr() == ("", "")


def test_labels_without_a_type_in_onnx(small, domains, tmp_path):
    X, y, X_tgt = domains
    clf = small().fit(X, y.astype(np.uint64) + 2**63, X_tgt)
    with pytest.raises(ValueError, match=r"9223372036854775808.* dtype uint64 .* Fit"):
        clf.to_onnx(tmp_path / "model.onnx")


def test_an_estimator_that_is_not_fitted(tmp_path):
    with pytest.raises(NotFittedError):
        DANNClassifier().to_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "package", ["onnx", pytest.param("onnxscript", marks=needs_programs)]
)
def test_missing_packages(small, domains, tmp_path, monkeypatch, package):
    clf = small().fit(*domains)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install '\.\[onnx\]'"):
        clf.to_onnx(tmp_path / "model.onnx")
