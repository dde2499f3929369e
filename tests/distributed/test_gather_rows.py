"""Rows of which each rank holds some end up, all of them, at every rank."""

import fits
import numpy as np
import pytest
from ranks import values_of

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


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("columns", "rows of shape (1,)"),
        ("dtype", "<f4"),
        ("kind", "None, of rank 0 rows of shape (2,)"),
    ],
)
def test_rows_that_differ_are_one_error_on_all_ranks(what, said):
    for message in values_of(2, fits.gather_what_differs, what):
        assert "Rank 1 gives other rows than rank 0: 1 (" in message
        assert said in message
