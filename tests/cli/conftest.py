"""Fixtures of the command."""

from functools import partial

import pytest
from clinics import Clinics

from skdann._cli import _train


@pytest.fixture
def clinics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Clinics(tmp_path)


@pytest.fixture
def short_training(monkeypatch):
    """Have the network of a quick look learn for less: where it is no matter."""
    for name in ("_FEW_OF_CLASSES", "_FEW_OF_NUMBERS"):
        *simple, network = getattr(_train, name)
        short = partial(network, max_epochs=60)
        monkeypatch.setattr(_train, name, (*simple, short))
