"""Files that version 0.1.0 has written are read, and what they hold goes on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import SMALL, make_domains

import skdann

FILES = Path(__file__).parent / "version_0_1"
EXPECTED = np.load(FILES / "expected.npz")  # what 0.1.0 predicted


def test_a_model_predicts_what_it_predicted():
    X, y, X_tgt, _ = make_domains()
    clf = skdann.load(FILES / "model.skdann")
    np.testing.assert_allclose(clf.predict_proba(X_tgt), EXPECTED["model"], rtol=1e-6)
    assert clf.classes_.tolist() == ["ill", "well"]
    assert clf.class_confusion == 0
    labels = np.array(["ill", "well"])[y]
    assert clf.partial_fit(X, labels, X_tgt).n_iter_ == 4


PARAMS = {"dropout": 0.3, "max_epochs": 30, "early_stopping": True}
PARAMS |= {"n_iter_no_change": 30}


@pytest.fixture
def checkpoint(tmp_path):
    return shutil.copy(FILES / "checkpoint.skdann", tmp_path / "run.skdann")


def test_a_training_is_resumed(checkpoint):
    """It was killed in epoch 26 of 30, while early stopping looked on."""
    X, y, X_tgt, _ = make_domains()
    assert skdann.load(checkpoint).n_iter_ == 25
    clf = skdann.DANNClassifier(**{**SMALL, **PARAMS}, checkpoint=checkpoint)
    clf.fit(X, y, X_tgt, resume=True)
    assert clf.n_iter_ == 30
    np.testing.assert_allclose(clf.predict_proba(X_tgt), EXPECTED["resumed"], rtol=1e-6)


def test_a_parameter_that_is_younger_than_the_file_must_have_its_default(checkpoint):
    X, y, X_tgt, _ = make_domains()
    params = {**SMALL, **PARAMS, "class_confusion": 0.3}
    clf = skdann.DANNClassifier(**params, checkpoint=checkpoint)
    with pytest.raises(ValueError, match="other values of class_confusion"):
        clf.fit(X, y, X_tgt, resume=True)
