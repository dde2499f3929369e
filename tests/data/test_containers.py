"""Whatever container and dtype the data come in, the answer is the same."""

import decimal
import resource
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from helpers import make_domains
from scipy import sparse

from skdann import DANNClassifier

NAMES = ["sensor", "other"]
SPARSE = {
    f"{form} {kind}": getattr(sparse, f"{form}_{kind}")
    for form in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
    for kind in ("array", "matrix")
}


def memmap(rows, path):
    stored = np.memmap(path, mode="w+", dtype=rows.dtype, shape=rows.shape)
    stored[:] = rows
    stored.flush()
    return np.memmap(path, mode="r", dtype=rows.dtype, shape=rows.shape)


def frame(rows, **kwargs):
    return pd.DataFrame(rows, columns=NAMES, **kwargs)


CONTAINERS = {
    "list": lambda rows, path: rows.tolist(),
    "Fortran order": lambda rows, path: np.asfortranarray(rows),
    "backwards": lambda rows, path: rows[::-1].copy()[::-1],
    "read-only": lambda rows, path: np.frombuffer(rows.tobytes()).reshape(rows.shape),
    "big endian": lambda rows, path: rows.astype(">f8"),
    "memory map": memmap,
    "objects": lambda rows, path: rows.astype(object),
    "masked": lambda rows, path: np.ma.array(rows, mask=np.zeros_like(rows, bool)),
    "pandas": lambda rows, path: frame(rows),
    "pandas nullable": lambda rows, path: frame(rows, dtype="Float64"),
    "pandas of Arrow": lambda rows, path: frame(rows, dtype="double[pyarrow]"),
    "pandas of objects": lambda rows, path: frame(rows).astype(object),
    "polars": lambda rows, path: pl.DataFrame(rows, schema=NAMES),
    "Arrow table": lambda rows, path: pa.table(frame(rows)),
    "Arrow batch": lambda rows, path: pa.RecordBatch.from_pandas(frame(rows)),
    "pandas of text": lambda rows, path: frame(rows).astype(str),
    "pandas partly sparse": lambda rows, path: frame(rows).assign(
        other=pd.arrays.SparseArray(rows[:, 1])
    ),
    "pandas sparse": lambda rows, path: frame(rows).astype(pd.SparseDtype(float)),
    "polars of text": lambda rows, path: pl.DataFrame(rows.astype(str), schema=NAMES),
    "Arrow of decimals": lambda rows, path: pa.table(
        frame(rows).map(lambda value: decimal.Decimal(value).normalize())
    ),
    "tensor": lambda rows, path: torch.tensor(rows),
    "tensor with a gradient": lambda rows, path: torch.tensor(rows, requires_grad=True),
    "sparse tensor": lambda rows, path: torch.tensor(rows).to_sparse(),
    **{
        f"sparse {name}": lambda rows, path, make=make: make(rows)
        for name, make in SPARSE.items()
    },
}
WITH_NAMES = [name for name in CONTAINERS if name.startswith(("pandas", "polars", "A"))]


@pytest.mark.parametrize("container", CONTAINERS)
def test_container(small, domains, tmp_path, container):
    X, y, X_tgt = domains
    reference = small().fit(X, y, X_tgt)
    wrap = CONTAINERS[container]
    source, target = wrap(X, tmp_path / "X"), wrap(X_tgt, tmp_path / "X_tgt")
    clf = small().fit(source, y, target)
    for method in ("predict_proba", "transform", "predict_domain"):
        expected = getattr(reference, method)(X)
        np.testing.assert_allclose(getattr(clf, method)(source), expected, rtol=1e-9)
    if container in WITH_NAMES:
        assert clf.feature_names_in_.tolist() == NAMES


def with_halves(rows):
    """Return a CSR matrix that holds each entry twice, as halves."""
    indptr = np.arange(len(rows) + 1) * 2 * rows.shape[1]
    indices = np.tile(np.repeat(np.arange(rows.shape[1]), 2), len(rows))
    return sparse.csr_array((np.repeat(rows.ravel() / 2, 2), indices, indptr))


@pytest.mark.parametrize("standardize", [None, "source"])
def test_entries_that_a_sparse_matrix_holds_twice_are_summed(domains, standardize):
    X, y, X_tgt = domains
    params = {"max_epochs": 1, "random_state": 0, "standardize": standardize}
    expected, twice = (
        DANNClassifier(**params).fit(make(X), y, make(X_tgt)).predict_proba(make(X_tgt))
        for make in (sparse.csr_array, with_halves)
    )
    np.testing.assert_allclose(twice, expected, rtol=1e-6)


def test_the_users_sparse_matrix_is_left_as_it_is(small, domains):
    X, y, X_tgt = domains
    source, target = with_halves(X), with_halves(X_tgt)
    small().fit(source, y, target)
    assert (source.nnz, target.nnz) == (2 * X.size, 2 * X_tgt.size)


def test_a_frame_of_which_some_columns_are_sparse_gives_no_warning(small, domains):
    X, y, X_tgt = domains
    make = CONTAINERS["pandas partly sparse"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit(make(X, None), y, make(X_tgt, None))


def with_large_indices(rows):
    X = sparse.csr_array(rows)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def test_indices_of_64_bits_reach_no_tree(domains):
    X, y, X_tgt = domains
    params = {"max_epochs": 1, "n_estimators": 1, "random_state": 0}
    expected, large = (
        DANNClassifier(**params).fit(make(X), y, make(X_tgt)).predict_proba(X_tgt)
        for make in (sparse.csr_array, with_large_indices)
    )
    assert np.array_equal(large, expected)


def test_the_two_domains_may_come_in_different_containers(small, domains):
    X, y, X_tgt = domains
    reference = small().fit(X, y, X_tgt)
    clf = small().fit(sparse.csr_array(X), y, X_tgt.tolist())
    np.testing.assert_allclose(
        clf.predict_proba(X), reference.predict_proba(sparse.csr_array(X)), rtol=1e-9
    )


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y.tolist(),
        lambda y: pd.Series(y, index=range(5, 205)),
        lambda y: pd.Series(y).astype("category"),
        lambda y: pd.Series(y, dtype="Int64"),
        lambda y: pl.Series(y),
        lambda y: y.astype(np.uint8),
    ],
)
def test_labels_in_any_container(small, domains, labels):
    X, y, X_tgt = domains
    expected = small().fit(X, y, X_tgt).predict_proba(X)
    clf = small().fit(X, labels(y), X_tgt)
    assert np.array_equal(clf.predict_proba(X), expected)
    assert clf.classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("dtype", "computed_in"),
    [
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float32"),
        ("uint8", "float32"),
        ("int16", "float32"),
        ("bool", "float32"),
        ("int32", "float64"),
        ("int64", "float64"),
    ],
)
def test_dtype_of_the_computation(small, domains, dtype, computed_in):
    X, y, X_tgt = domains
    X, X_tgt = ((10 * np.abs(rows)).astype(dtype) for rows in (X, X_tgt))
    clf = small().fit(X, y, X_tgt)
    assert clf.predict_proba(X).dtype == computed_in
    assert clf.transform(X).dtype == computed_in
    as_float = small().fit(X.astype(computed_in), y, X_tgt.astype(computed_in))
    np.testing.assert_allclose(
        clf.predict_proba(X), as_float.predict_proba(X), rtol=1e-4
    )


def test_float32_and_float64_agree_to_rounding(small, domains):
    X, y, X_tgt = domains
    double = small(dropout=0).fit(X, y, X_tgt)
    single = small(dropout=0).fit(np.float32(X), y, np.float32(X_tgt))
    np.testing.assert_allclose(
        double.predict_proba(X), single.predict_proba(X), rtol=1e-3
    )


def test_float32_rows_are_never_copied_as_a_whole(small, monkeypatch):
    """The batches are cut from the very array that was passed in."""
    X, y, X_tgt, _ = make_domains()
    X, X_tgt = np.float32(X), np.float32(X_tgt)
    read = []

    def spy(rows, *args, **kwargs):
        read.append(rows)
        return original(rows, *args, **kwargs)

    from skdann._training import _batches

    original = _batches.take_rows
    monkeypatch.setattr(_batches, "take_rows", spy)
    small().fit(X, y, X_tgt)
    for whole in (X, X_tgt):
        assert any(np.shares_memory(rows, whole) for rows in read)


def test_a_sparse_matrix_is_densified_a_batch_at_a_time(small):
    """As a dense table this would take 1.6 GB."""
    rng = np.random.default_rng(0)
    n, width = 8_000, 50_000
    y = rng.integers(2, size=n)
    columns = np.c_[y, rng.integers(2, width, size=n)]
    X = sparse.csr_array(
        (np.ones(2 * n, "f4"), columns.ravel(), np.arange(0, 2 * n + 1, 2)),
        shape=(n, width),
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clf = small(hidden_layer_sizes=4, batch_size=256, max_epochs=1, lr=0.01)
    clf.fit(X, y, X[:3000])
    assert clf.predict_proba(X).shape == (n, 2)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 700_000  # KiB


def test_column_names_must_agree_between_the_domains():
    frame = pd.DataFrame(np.eye(4), columns=list("abcd"))
    clf = DANNClassifier(max_epochs=1)
    with pytest.raises(ValueError, match="another order"):
        clf.fit(frame, [0, 1, 0, 1], pl.DataFrame(np.eye(4), schema=list("dcba")))


def test_the_default_dtype_of_torch_does_not_matter(small, domains):
    X, y, X_tgt = domains
    X, X_tgt = X.astype(np.float32), X_tgt.astype(np.float32)
    torch.set_default_dtype(torch.float64)
    try:
        clf = small(dropout=0.1, max_epochs=60).fit(X, y, X_tgt)
    finally:
        torch.set_default_dtype(torch.float32)
    assert clf.predict_proba(X).dtype == np.float32
    assert clf.score(X, y) > 0.8
