"""Parquet files larger than memory, as a memory map that fits train on in place."""

import secrets
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .._containers._tables import first_few
from .._typing import Array
from ._memmap import create_memmap

# Rows read at once: 25 MB of 50 columns in float64.
_BLOCK = 2**16


def parquet_to_memmap(
    source: Any, path: str | Path, *, columns: Sequence[str] | None = None
) -> Array:
    """Write columns of Parquet files into one file of rows, and map it.

    Steps of a fit take rows from all over the data. In Parquet, and in Arrow's tables,
    each column lies for itself, compressed: to take a row is to read a block of each.
    So a table that does not fit in memory is written once as rows, a block at a time,
    and read in place from then on.

    Parameters
    ----------
    source : str, Path, list of these, or pyarrow.dataset.Dataset
        A file, a folder of files, or a dataset of pyarrow, which may be of other
        formats, or filtered: ``pyarrow.dataset.dataset(folder).filter(...)``.
    path : str or Path
        The file to write, of NumPy's format ``.npy``. A file that is there is replaced
        once the new one is whole.
    columns : sequence of str or None, default=None
        Which columns, in this order; leave out the labels. None takes all.

    Returns
    -------
    X : memmap of shape (n_rows, n_columns)
        Read-only; ``numpy.load(path, mmap_mode="r")`` returns it another time. Float32
        if this holds all columns without loss, else float64.

    Raises
    ------
    ValueError
        If a column is not there, holds something other than numbers, has no value in
        some row, or is of another type in another file.
    OSError
        If there is no room on the disk; what was at ``path`` is kept.

    See Also
    --------
    skdann.DANNClassifier.partial_fit : Train on one block of rows after the other.

    Notes
    -----
    Needs pyarrow, which is in the extra ``tables``. Two or three groups of rows are in
    memory at once: 0.5 GB where a group has a million rows of 50 float32 columns. The
    new file is written beside the other, as ``path`` with some digits and ``.part``
    after it, so that processes may write one path at once; a kill leaves that there.

    Examples
    --------
    >>> import pandas as pd
    >>> import tempfile
    >>> from skdann.datasets import parquet_to_memmap
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pd.DataFrame({"x": [0.5, 1.5], "n": [1, 2], "label": ["a", "b"]})
    ...     table.to_parquet(f"{folder}/source.parquet")
    ...     X = parquet_to_memmap(
    ...         f"{folder}/source.parquet", f"{folder}/X.npy", columns=["x", "n"]
    ...     )
    >>> X
    memmap([[0.5, 1. ],
            [1.5, 2. ]])
    """
    data = _open(source)
    names = list(data.schema.names if columns is None else columns)
    dtype = _common_dtype(data, names)
    n_rows = data.count_rows()
    if n_rows == 0 or not names:
        raise ValueError(f"{source} has {n_rows} rows and {len(names)} columns to map.")
    with _replacing(Path(path)) as part:
        X = create_memmap(part, dtype, (n_rows, len(names)))
        start = 0
        for batch in _batches(data, names):
            _check_no_nulls(batch, start)
            rows = X[start : start + len(batch)]
            for j, column in enumerate(batch.columns):
                rows[:, j] = column.to_numpy(zero_copy_only=False)
            start += len(batch)
        if start != n_rows:
            raise ValueError(
                f"{source} had {n_rows} rows when they were counted, and {start} when "
                "they were read. Give it once nobody writes to it any more."
            )
        X.flush()
        del X, rows  # Windows replaces no file that is mapped
    return np.load(path, mmap_mode="r")


def _open(source):
    try:
        from pyarrow import dataset
    except ImportError as error:
        raise ImportError(
            "parquet_to_memmap needs pyarrow: in a clone, pip install '.[tables]'."
        ) from error
    if isinstance(source, dataset.Dataset):
        return source
    many = isinstance(source, list | tuple)
    return dataset.dataset([str(s) for s in source] if many else str(source))


def _batches(data, names):
    """Return the rows block by block, with two or three groups of rows in memory."""
    from pyarrow import dataset

    options = {"batch_size": _BLOCK, "batch_readahead": 1, "fragment_readahead": 1}
    if isinstance(getattr(data, "format", None), dataset.ParquetFileFormat):
        options["fragment_scan_options"] = dataset.ParquetFragmentScanOptions(
            use_buffered_stream=True,
            pre_buffer=False,  # it held more than the file
        )
    return data.to_batches(columns=names, **options)


def _common_dtype(data, names):
    """Return what holds all columns: float32 if nothing is lost, else float64."""
    missing = [name for name in names if name not in data.schema.names]
    if missing:
        raise ValueError(
            f"There are no columns {first_few(list(map(repr, missing)))}; there are "
            f"{first_few(list(map(repr, data.schema.names)))}."
        )
    types = {name: data.schema.field(name).type for name in names}
    dtypes = {name: _dtype(kind) for name, kind in types.items()}
    others = [name for name, dtype in dtypes.items() if dtype.kind not in "fiub"]
    if others:
        held = first_few([f"{name!r} ({types[name]})" for name in others])
        raise ValueError(
            f"Columns hold no numbers: {held}. Name those that do in columns=[...]; "
            "encode text, categories and dates as numbers before they are written."
        )
    for fragment in _fragments(data):
        _check_types(fragment, types)
    narrow = np.result_type(np.float32, *dtypes.values()) == np.float32
    return np.dtype(np.float32 if narrow else np.float64)


def _fragments(data):
    try:
        return list(data.get_fragments())
    except ValueError:  # of a filtered dataset; what it would cut off pyarrow refuses
        return []


def _dtype(kind):
    """Return numpy's type for a type of Arrow; that of objects if there is no other."""
    try:
        return np.dtype(kind.to_pandas_dtype())
    except NotImplementedError:
        return np.dtype(object)


def _check_types(fragment, types):
    """Raise ValueError if a file has a column in a wider type than the dataset."""
    own = fragment.physical_schema
    for name, kind in types.items():
        if name not in own.names:
            continue
        found = own.field(name).type
        if not np.can_cast(_dtype(found), _dtype(kind)):
            raise ValueError(
                f"Column {name!r} is {kind} in the first file, but {found} in "
                f"{getattr(fragment, 'path', 'another')}. Write all files with one "
                "schema, or give pyarrow.dataset.dataset(..., schema=...) with the "
                "wider type."
            )


def _check_no_nulls(batch, start):
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if column.null_count:
            is_null = column.is_null().to_numpy(zero_copy_only=False)
            raise ValueError(
                f"Column {name!r} has no value in row {start + np.argmax(is_null)}. "
                "Fill what is missing, or filter these rows, before they are mapped."
            )


@contextmanager
def _replacing(path):
    """Have another file written, and put it in place of this one if that succeeds."""
    # ranks of one machine may write it at once, each its own
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
