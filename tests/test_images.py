"""The image experiments run on images of the layouts that they ask for."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

SCRIPTS = Path(__file__).parents[1] / "benchmarks" / "reproduce"


@pytest.fixture
def images(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("images")


def test_street_view_numbers_run_from_their_archives(images, tmp_path, capsys):
    rng = np.random.default_rng(0)
    y = np.array([10, 1, 2, 3] * 3)  # 10 is the digit 0
    for name in ("synth_train_32x32", "train_32x32", "test_32x32"):
        X = rng.integers(256, size=(32, 32, 3, len(y)), dtype=np.uint8)
        savemat(tmp_path / f"{name}.mat", {"X": X, "y": y[:, None]})
    rows = images.load_svhn(tmp_path, None)
    assert [len(part) for part in rows] == [12] * 6
    assert rows[4].shape == (12, 3, 32, 32)
    np.testing.assert_array_equal(rows[4][5], X[..., 5].transpose(2, 0, 1))
    np.testing.assert_array_equal(rows[5], y % 10)

    images.main(["svhn", str(tmp_path), "--epochs", "1"])
    table = capsys.readouterr().out.splitlines()[-5:]
    assert [line.split("|")[1].strip() for line in table] == [
        "svhn",
        "---",
        "source only",
        "adapted",
        "on target",
    ]
    assert "| .911 |" in table[3]


def test_weights_do_not_decay_as_in_the_paper(images):
    clf = images.make_classifier(images.NETWORKS["signs"](), 1, epochs=2, seed=0)
    assert (clf.momentum, clf.weight_decay) == (0.9, 0)


def test_office_images_are_scaled_as_those_the_backbone_knows(images):
    mean, deviation = images.IMAGENET
    photographs = 255 * np.stack([mean, mean + deviation])[:, :, None, None]
    scaled = images.as_network_input("office", photographs, 0.5).squeeze()
    np.testing.assert_allclose(scaled, [[0, 0, 0], [1, 1, 1]], atol=1e-5)
    others = images.as_network_input("svhn", photographs, 0.5).squeeze()
    np.testing.assert_allclose(others[0], mean - 0.5, atol=1e-6)
