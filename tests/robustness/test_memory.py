"""What a fit holds in memory: the data once, however large, and batches."""

import sys
import textwrap

import children
import pytest

PROLOGUE = """
import resource, sys, tempfile
import numpy as np
from scipy import sparse
from skdann import DANNClassifier

MIB = 2**20
rng = np.random.default_rng(0)
plain = {"n_estimators": 1, "standardize": None, "target_prior": None}
clf = DANNClassifier(
    **plain, max_epochs=1, batch_size=4096, device="cpu", random_state=0
)
small = rng.normal(size=(5000, 500)).astype("f4")
clf.fit(small, np.arange(5000) % 2, small).predict(small)  # loads the libraries

def status(field):  # in MiB
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024

def allow(megabytes):
    limit = int(status("VmData") + megabytes) * MIB
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
"""


def run(script):
    return children.fork(PROLOGUE + textwrap.dedent(script), check=False)


pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs Linux's account of memory"
)


@pytest.mark.parametrize(("dtype", "n_rows"), [("f4", 100_000), ("f8", 50_000)])
def test_a_memory_map_larger_than_the_limit_trains_and_predicts(dtype, n_rows):
    """191 MiB in each domain, 130 MiB allowed."""
    result = run(f"""
        X, X_tgt = (
            np.memmap(tempfile.TemporaryFile(), "{dtype}", "w+", shape=({n_rows}, 500))
            for _ in range(2)
        )
        y = np.arange({n_rows}) % 2
        X[:, 0], X_tgt[:, 0] = y, y
        allow(130)
        clf.fit(X, y, X_tgt)
        assert clf.predict(X_tgt).shape == ({n_rows},)
        try:
            np.array(X)
        except MemoryError:
            print("no room for a copy")
    """)
    assert result.stdout.strip() == "no room for a copy", result.stderr


def test_dense_data_are_not_copied():
    result = run("""
        X, X_tgt = (rng.random((150_000, 250), dtype="f4") for _ in range(2))
        y = np.arange(150_000) % 2  # each domain 143 MiB
        allow(120)
        clf.fit(X, y, X_tgt)
        print(clf.predict(X_tgt).shape)
    """)
    assert result.stdout.strip() == "(150000,)", result.stderr


def test_sparse_data_stay_sparse():
    """Dense, each domain would take 763 MiB."""
    result = run("""
        X, X_tgt = (
            sparse.random(20_000, 5000, density=0.01, format="csr", random_state=rng)
            for _ in range(2)
        )
        y = np.arange(20_000) % 2
        clf.set_params(batch_size=512)
        allow(300)
        clf.fit(X, y, X_tgt)
        print(clf.predict(X_tgt).shape)
    """)
    assert result.stdout.strip() == "(20000,)", result.stderr


def test_what_a_step_frees_serves_the_next():
    """Of what is recorded little may lie between: it cost 4 MiB a step."""
    result = run("""
        from torch import nn

        def convolutions():
            return nn.Sequential(
                nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 24, 5)
            )

        X, y = rng.random((4_800, 1, 28, 28)), np.arange(4_800) % 2
        clf.set_params(feature_extractor=convolutions, batch_size=128, lambda_max=0)
        clf.fit(X[:640], y[:640])
        allow(400)
        clf.fit(X, y)
        print(clf.history_[-1, "n_steps"])
    """)
    assert result.stdout.strip() == "75", result.stderr


def test_a_stack_for_which_memory_does_not_suffice_is_trained_in_smaller_ones():
    """Each network takes 37 MiB, its gradients and moments three times that.

    Blocks of less than 32 MiB the C library would keep when they are freed.
    """
    result = run("""
        from skdann._multi_fit import fit_many, validate_many
        from skdann._training import _train

        sizes, train_stack = [], _train._train_stack

        def spy(plans, errors):
            sizes.append(len(plans))
            train_stack(plans, errors)

        _train._train_stack = spy
        X, X_tgt = (rng.random((128, 2200)) for _ in range(2))
        y = np.arange(128) % 2
        clfs = [
            DANNClassifier(
                **plain, hidden_layer_sizes=2200, max_epochs=2, lr=lr, random_state=0
            )
            for lr in (1e-4, 2e-4, 3e-4, 4e-4)
        ]
        domains = validate_many(clfs, X, y, X_tgt)
        allow(850)
        errors = fit_many(clfs, domains, max_stacked=4)
        assert errors == [None] * 4, errors
        assert all(np.isfinite(clf.predict_proba(X)).all() for clf in clfs)
        print(sizes[0], len(sizes) > 1)
    """)
    assert result.stdout.strip() == "4 True", result.stderr
