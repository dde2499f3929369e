"""One random_state decides everything; nothing global is touched."""

import os
import random

import children
import numpy as np
import pytest
import sklearn
import torch
from joblib import Parallel, delayed
from torch import nn


def user_network():
    return nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.ReLU())


@pytest.mark.parametrize("extractor", [None, user_network], ids=["ours", "theirs"])
def test_two_fits_with_one_seed_are_equal_to_the_bit(small, domains, extractor):
    params = {"dropout": 0.5, "feature_extractor": extractor}
    one, two, other = (
        small(random_state=seed, **params).fit(*domains).predict_proba(domains[0])
        for seed in (7, 7, 8)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_generator_passed_in_is_used_up(small, domains):
    rng = np.random.RandomState(7)
    one, two = (
        small(random_state=rng).fit(*domains).predict_proba(domains[0])
        for _ in range(2)
    )
    assert not np.array_equal(one, two)


def test_no_seed_is_a_new_one_each_time(small, domains):
    np.random.seed(0)  # noqa: NPY002  (the global generator must not decide)
    one = small(random_state=None).fit(*domains).predict_proba(domains[0])
    np.random.seed(0)  # noqa: NPY002
    two = small(random_state=None).fit(*domains).predict_proba(domains[0])
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("extractor", [None, user_network], ids=["ours", "theirs"])
@pytest.mark.parametrize("seed", [0, None])
def test_global_state_is_untouched(small, domains, extractor, seed):
    def state():
        return (
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            torch.random.get_rng_state().tolist(),
            sklearn.get_config(),
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
        )

    before = state()
    clf = small(random_state=seed, feature_extractor=extractor, dropout=0.5)
    clf.fit(*domains).predict_proba(domains[0])
    clf.transform(domains[0])
    clf.partial_fit(*domains)
    assert state() == before


def test_importing_touches_nothing_global():
    program = """
import os, random, threading, warnings, numpy, sklearn, torch, tqdm.auto
import sklearn.pipeline, skorch  # what these do to Python's generator is not ours
def state():
    return (random.getstate(), numpy.random.get_state()[1].tolist(),
            torch.random.get_rng_state().tolist(), sklearn.get_config(),
            torch.get_num_threads(), torch.get_default_dtype(), warnings.filters[:],
            threading.enumerate(), sorted(vars(tqdm.auto.tqdm)))
handlers = []  # of forks: Python does not tell which there are
os.register_at_fork = lambda **of_fork: handlers.append(of_fork)
before = state()
import skdann, skdann.inspection, skdann.model_selection
assert state() == before
assert handlers == []
"""
    children.run("-c", program)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_forked_child_keeps_torchs_threads(is_fitted):
    """Other code of the child is not our business, whether we have fitted or not."""
    program = f"""
import os, numpy, torch, warnings
warnings.simplefilter("ignore")
torch.set_num_threads(2)
from skdann import DANNClassifier
X = numpy.random.default_rng(0).normal(size=(60, 2))
if {is_fitted}:
    DANNClassifier(max_epochs=1).fit(X, X[:, 0] > 0, X)
if os.fork() == 0:
    before = torch.get_num_threads()
    DANNClassifier(max_epochs=1).fit(X, X[:, 0] > 0, X).predict(X)
    os._exit(0 if before == torch.get_num_threads() == 2 else 1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
"""
    children.fork(program)


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("extractor", [None, user_network], ids=["ours", "theirs"])
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_parallel_fits_equal_serial_ones(small, domains, backend, extractor):
    clfs = [
        small(random_state=seed, dropout=0.5, feature_extractor=extractor)
        for seed in range(4)
    ]
    serial = [clf.fit(*domains).predict_proba(domains[0]) for clf in clfs]
    parallel = Parallel(n_jobs=2, backend=backend)(
        delayed(clf.fit)(*domains) for clf in clfs
    )
    for clf, expected in zip(parallel, serial, strict=True):
        np.testing.assert_allclose(
            clf.predict_proba(domains[0]), expected, rtol=1e-6, atol=1e-9
        )
