"""Fixtures: two small domains that differ, and an estimator that is quick."""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read at scipy's import; enables one more check

import numpy as np
import pytest
import sklearn
import torch
from hypothesis import settings

from skdann import DANNClassifier

# no deadline: the first step of a process loads libraries
settings.register_profile("skdann", deadline=None, derandomize=True)
settings.load_profile("skdann")

torch.set_num_threads(1)  # pytest-xdist's workers are the parallelism here


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def pytest_configure(config):
    # not in pyproject.toml: pytest would import skdann before coverage starts
    config.addinivalue_line("filterwarnings", "error::skdann.AdaptationWarning")
    # of small networks that have hardly learned
    config.addinivalue_line("filterwarnings", "ignore:The network predicts")
    config.addinivalue_line("filterwarnings", "ignore:The network has learned nothing")
    config.addinivalue_line("filterwarnings", "ignore:The scores disagree")


SMALL = {
    "hidden_layer_sizes": (16,),
    "domain_hidden_layer_sizes": (16,),
    "max_epochs": 3,
    "random_state": 0,
}


def make_domains(n_source=200, n_target=150, seed=0):
    """Two sensors tell the class; in the target the better one is stuck.

    Whoever learns on the source trusts column 1 and fails on the target; what both
    domains share is column 0.
    """
    rng = np.random.default_rng(seed)

    def weak_sensor(y):
        return y + 0.6 * rng.standard_normal(len(y))

    y = rng.choice([-1.0, 1.0], n_source)
    y_tgt = rng.choice([-1.0, 1.0], n_target)
    X = np.c_[weak_sensor(y), y + 0.2 * rng.standard_normal(n_source)]
    X_tgt = np.c_[weak_sensor(y_tgt), 2.5 + 0.2 * rng.standard_normal(n_target)]
    return X, (y > 0).astype(int), X_tgt, (y_tgt > 0).astype(int)


@pytest.fixture
def domains():
    X, y, X_tgt, _ = make_domains()
    return X, y, X_tgt


@pytest.fixture
def small():
    """Return a factory of small, quick classifiers."""

    def make(**params):
        return DANNClassifier(**{**SMALL, **params})

    return make


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield
