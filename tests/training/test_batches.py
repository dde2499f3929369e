"""How the rows of two domains are paired into batches."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skdann._data._domains import Domains
from skdann._data._targets import ClassTargets
from skdann._training._batches import PairedBatches
from skdann._training._shuffle import shuffled_stream


def paired(n_source, n_target, batch_size=8, n_labelled=0, **changes):
    """Batches of one column that holds the row's number, negative in the target."""
    fields = {
        "X": np.arange(n_source, dtype=float)[:, None],
        "y": np.arange(n_source) % 2,
        "rows": np.arange(n_source),
        "targets": ClassTargets(np.array([0, 1])),
    }
    if n_target:
        fields["X_tgt"] = -1 - np.arange(n_target, dtype=float)[:, None]
        fields["y_tgt"] = np.where(np.arange(n_target) < n_labelled, 1, -1)
    return PairedBatches(
        Domains(**{**fields, **changes}),
        batch_size=batch_size,
        dtype=np.float64,
        device=torch.device("cpu"),
        rngs=[np.random.default_rng(seed) for seed in range(3)],
    )


@given(st.integers(1, 40), st.integers(0, 40), st.integers(2, 20))
def test_an_epoch_shows_every_row_in_batches_of_constant_size(n, n_tgt, batch_size):
    half = batch_size // 2
    batches = list(paired(n, n_tgt, batch_size))
    assert len(batches) == max(-(-n // half), -(-n_tgt // half))
    seen = set()
    for batch in batches:
        X = batch.X
        n_source, n_target = min(n, half), min(n_tgt, half)
        assert batch.n_labelled == len(batch.y) == n_source
        assert (X[:, 0] < 0).tolist() == [False] * n_source + [True] * n_target
        if n_tgt:
            assert torch.equal(batch.domain, (X[:, 0] < 0).long())
            assert batch.domain_weight[n_source:].sum().item() == pytest.approx(0.5)
            assert batch.domain_weight.sum().item() == pytest.approx(1)
        seen.update(X.ravel().tolist())
    assert len(seen) == n + n_tgt


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 100))
def test_a_stream_repeats_no_row_before_every_row_has_come(n_rows, size, seed):
    stream = shuffled_stream(np.arange(n_rows), size, np.random.default_rng(seed))
    drawn = np.concatenate([next(stream) for _ in range(3 * n_rows)])
    passes = drawn[: 3 * n_rows].reshape(3, n_rows)
    assert (np.sort(passes, axis=1) == np.arange(n_rows)).all()


def test_each_pass_has_an_order_of_its_own():
    stream = shuffled_stream(np.arange(50), 25, np.random.default_rng(0))
    passes = [np.concatenate([next(stream), next(stream)]) for _ in range(2)]
    assert not np.array_equal(*passes)


LAYOUTS = {
    "rows": lambda X: X,
    "columns, as pandas": np.asfortranarray,
    "some columns": lambda X: X[:, :50],
    "every second row": lambda X: X[::2],
    "backwards": lambda X: X[::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_copies_its_own_rows_alone(layout):
    X = LAYOUTS[layout](np.arange(2e6).reshape(-1, 100))
    batches = paired(len(X), 0, X=X)
    tracemalloc.start()
    try:
        batch = next(iter(batches))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 10
    assert (np.isin(batch.X[:, 0].numpy(), X[:, 0])).all()


def test_labels_travel_with_their_rows():
    for batch in paired(30, 20):
        assert torch.equal(batch.y, batch.X[:4, 0].long() % 2)


def test_the_order_of_the_source_does_not_depend_on_the_target():
    alone = [batch.X for batch in paired(30, 0)]
    together = [batch.X[:4] for batch in paired(30, 25)]
    assert all(map(torch.equal, alone, together))


def test_labelled_target_rows_come_at_every_step_beside_the_source():
    for batch in paired(30, 20, n_labelled=2):
        X = batch.X
        assert sorted(X[4:6, 0].tolist()) == [-2, -1]
        assert batch.y[4:].tolist() == [1, 1]
        assert (X[6:] < 0).all()
        assert len(X) == 4 + 2 + 4
        # they are target rows already: as copies they are not in the domain loss
        assert batch.domain_weight.tolist() == [1 / 8] * 4 + [0] * 2 + [1 / 8] * 4


def test_rows_without_weight_are_never_drawn():
    for batch in paired(30, 0, rows=np.arange(0, 30, 3)):
        assert (batch.X % 3 == 0).all()


def test_batches_of_a_sparse_matrix_are_dense_and_the_same():
    dense = paired(30, 20)
    as_sparse = paired(
        30,
        20,
        X=sparse.csr_array(dense.domains.X),
        X_tgt=sparse.csr_matrix(dense.domains.X_tgt),
    )
    for batch, of_sparse in zip(dense, as_sparse, strict=True):
        assert torch.equal(batch.X, of_sparse.X)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", ">f8"])
def test_numbers_of_any_kind_become_the_dtype_asked_for(dtype):
    X = np.arange(30).astype(dtype)[:, None]
    for batch in paired(30, 0, X=X):
        assert batch.X.dtype == torch.float64
        assert torch.equal(batch.y, batch.X[:, 0].long() % 2)
