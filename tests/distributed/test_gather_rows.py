"""Rows of which each rank holds some end up, all of them, at every rank."""

import fits
import numpy as np
import pytest
from ranks import values_of
from scipy import sparse

from skdann import DANNClassifier


@pytest.mark.parametrize("size", [2, 3])
def test_fits_on_shards_end_as_one_process_does_on_their_rows(size, tmp_path):
    X, y, X_tgt = fits.make_data()
    y = np.array(["low", "mid", "high"])[y]
    expected = DANNClassifier(**fits.SMALL).fit(X, y, X_tgt).predict_proba(X_tgt)
    found = values_of(size, fits.fit_on_shards, size, str(tmp_path))
    for answers, files in found:
        np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-10)
        assert files == found[0][1]  # one of each for all ranks of a machine
        assert all(file.startswith(str(tmp_path)) for file in files)


def test_rows_that_are_wrong_on_one_rank_are_one_error_on_all_ranks():
    first, second = values_of(2, fits.gather_what_differs)
    sparse_row = "gather_rows got a coo_array of shape (3,), which has no rows"
    if sparse.coo_array(np.ones(3)).ndim == 2:  # scipy 1.12 has no others
        sparse_row = "1 (sparse rows of 3 columns"
    for name, said in {
        "columns": "Rank 1 gives other rows than rank 0: 1 (rows of shape (1,)",
        "dtype": "Rank 1 gives other rows than rank 0: 1 (rows of shape (2,), <f4",
        "kind": "1 (None, of rank 0 rows of shape (2,)",
        "a number": "gather_rows got a float of shape (), which has no rows",
        "a sparse row": sparse_row,
        "order of columns": "the columns b, a on rank 1, and a, b on rank 0. Give all",
        "order of fields": "1 (rows of shape (), [('b', '<i8'), ('a', '<f8')], of rank",
    }.items():
        assert said in first[name]
        assert said in second[name]
    assert "Rank 1 could not read its rows" in first["a number"]


def test_frames_and_masks_are_read_as_a_fit_reads_them():
    for frame, labels in values_of(2, fits.gather_frames):
        assert frame.tolist() == [[1, 3], [2, 4]]
        assert np.array_equal(labels, [0, np.nan, 0, np.nan], equal_nan=True)
