"""Parquet files of several row groups and files become one map of rows."""

import errno
import os
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdann.datasets import parquet_to_memmap

DTYPES = ["f2", "f4", "f8", "i1", "u1", "i2", "i4", "i8", "?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("parquet")


def write(path, row_group_size=None, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return path


@settings(max_examples=20)
@given(st.lists(st.sampled_from(DTYPES), min_size=1, max_size=5), st.integers(1, 40))
def test_rows_are_those_of_the_columns_without_loss(folder, dtypes, n_rows):
    values = np.arange(n_rows)
    columns = {f"c{j}": (values + j).astype(d) for j, d in enumerate(dtypes)}
    source = write(folder / "source.parquet", 7, **columns)
    X = parquet_to_memmap(source, folder / "X.npy")
    expected = np.column_stack(list(columns.values())).astype(np.float64)
    np.testing.assert_array_equal(X, expected)
    fits = set(dtypes) <= {"f2", "f4", "i1", "u1", "i2", "?"}
    assert X.dtype == (np.float32 if fits else np.float64)
    assert isinstance(X, np.memmap)
    assert not X.flags.writeable


def test_files_lists_folders_and_filtered_datasets(tmp_path):
    tables = tmp_path / "tables"
    tables.mkdir()
    first = write(tables / "1.parquet", x=[1.0, 2.0], site=["a", "b"])
    second = write(tables / "2.parquet", x=[3.0, 4.0], site=["a", "b"])
    of_site = ds.dataset(tables).filter(ds.field("site") == "b")
    for source, expected in [
        (tables, [1, 2, 3, 4]),
        (str(tables), [1, 2, 3, 4]),
        ([second, first], [3, 4, 1, 2]),
        (of_site, [2, 4]),
    ]:
        X = parquet_to_memmap(source, tmp_path / "X.npy", columns=["x"])
        assert X[:, 0].tolist() == expected


def test_columns_come_in_the_order_asked_for(tmp_path):
    source = write(tmp_path / "table", a=[1.0], b=[2.0], c=[3.0])
    X = parquet_to_memmap(source, tmp_path / "X.npy", columns=["c", "a"])
    assert X.tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"x": ["a", "b"]}, r"hold no numbers: 'x' \(string\)"),
        ({"x": pa.array(["a", "b"]).dictionary_encode()}, "hold no numbers: 'x'"),
        ({"x": np.array(["2020", "2021"], "M8[s]")}, "hold no numbers: 'x'"),
        ({"x": [[1.0], [2.0]]}, "hold no numbers: 'x'"),
        ({"x": [1.0, None]}, "'x' has no value in row 1"),
        ({"x": [1, None]}, "'x' has no value in row 1"),
        ({"x": np.empty(0)}, "0 rows"),
        ({"y": [1.0]}, r"no columns 'x'; there are 'y'"),
    ],
)
def test_what_cannot_be_mapped_is_refused_and_leaves_no_file(
    tmp_path, columns, problem
):
    source = write(tmp_path / "table.parquet", **columns)
    (tmp_path / "X.npy").write_bytes(b"of an earlier call")
    with pytest.raises(ValueError, match=problem):
        parquet_to_memmap(source, tmp_path / "X.npy", columns=["x"])
    assert (tmp_path / "X.npy").read_bytes() == b"of an earlier call"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_column_that_changes_its_type_is_refused_unless_the_schema_is_wide(tmp_path):
    tables = tmp_path / "tables"
    tables.mkdir()
    write(tables / "1.parquet", x=np.array([1], "i4"))
    write(tables / "2.parquet", x=[0.5])
    with pytest.raises(ValueError, match=r"'x' is int32 .* double in .*2\.parquet"):
        parquet_to_memmap(tables, tmp_path / "X.npy")
    wide = ds.dataset(tables, schema=pa.schema({"x": pa.float64()}))
    assert parquet_to_memmap(wide, tmp_path / "X.npy")[:, 0].tolist() == [1, 0.5]


def test_a_file_without_the_column_is_refused(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    write(first, x=[1.0], z=[1.0])
    write(second, z=[1.0])
    with pytest.raises(ValueError, match="'x' has no value in row 1"):
        parquet_to_memmap([first, second], tmp_path / "X.npy", columns=["x"])


def test_processes_may_write_one_file_at_once(tmp_path):
    """As ranks of one machine do, which run the same program."""
    path = tmp_path / "X.npy"
    table = pa.table({"a": [1.0, 2.0]})

    def batches():
        other = write(tmp_path / "other", a=[3.0, 4.0])
        assert parquet_to_memmap(other, path).tolist() == [[3], [4]]
        yield from table.to_batches()

    source = dataset_of(batches, table)
    assert parquet_to_memmap(source, path).tolist() == [[1], [2]]
    assert sorted(os.listdir(tmp_path)) == ["X.npy", "other"]


def test_rows_that_are_fewer_than_counted_are_an_error(tmp_path):
    table = pa.table({"a": [1.0, 2.0]})
    source = dataset_of(table.slice(0, 1).to_batches, table)
    with pytest.raises(ValueError, match="had 2 rows when they were counted, and 1 wh"):
        parquet_to_memmap(source, tmp_path / "X.npy")
    assert not os.listdir(tmp_path)


def dataset_of(batches, table):
    """Return a dataset that counts the rows of a table, and reads batches."""
    source = mock.create_autospec(ds.Dataset, instance=True, schema=table.schema)
    source.count_rows.return_value = len(table)
    source.get_fragments.return_value = []
    source.to_batches.side_effect = lambda **options: batches()
    return source


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="not of this system")
def test_a_full_disk_is_an_error_before_a_row_is_written(tmp_path, monkeypatch):
    def full(*of_file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = write(tmp_path / "table", a=[1.0])
    parquet_to_memmap(source, tmp_path / "X.npy")
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        parquet_to_memmap(source, tmp_path / "X.npy")
    assert np.load(tmp_path / "X.npy").tolist() == [[1]]
    assert sorted(os.listdir(tmp_path)) == ["X.npy", "table"]
