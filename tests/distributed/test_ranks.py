"""A fit in a process group is the fit of one process, or one clear error."""

import functools

import fits
import numpy as np
import pytest
from ranks import in_ranks, values_of

ALL = list(fits.SITUATIONS)
# With four, those in which it counts how many have rows, weights or losses to add up.
OF_FOUR = ["default", "dropout", "conditional", "class confusion", "groups", "few rows"]
OF_FOUR += ["labelled target", "weights", "sparse", "numbers", "early stopping"]
OF_FOUR += ["own part", "ensemble"]
NAMES = {1: ALL, 2: ALL, 4: OF_FOUR}


@functools.cache
def found_by(size):
    """Return what each rank has found; of one process, in a list."""
    if size == 1:
        return [fits.fit_all(0, NAMES[1])]
    return values_of(size, fits.fit_all, NAMES[size])


@pytest.mark.parametrize(
    ("size", "name"), [(size, name) for size in (2, 4) for name in NAMES[size]]
)
def test_ranks_end_with_what_one_process_finds(size, name):
    [(expected, history)] = [of_rank[name] for of_rank in found_by(1)]
    of_ranks = [of_rank[name] for of_rank in found_by(size)]
    for answers, rows in of_ranks:
        assert np.array_equal(answers, of_ranks[0][0])
        assert rows == of_ranks[0][1]
    answers, rows = of_ranks[0]
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-10)
    assert len(rows) == len(history)
    for row, expected_row in zip(rows, history, strict=True):
        assert row["is_dense"] == (name in fits.DENSE)
        assert row == pytest.approx(expected_row, rel=0, abs=1e-10)


def test_without_a_random_state_all_take_the_seeds_of_the_first():
    first, second = values_of(2, fits.fit_alone_and_together)
    assert np.array_equal(first["auto"], second["auto"])
    assert not np.array_equal(first[False], second[False])


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("X", "differs from rank 0 in X."),
        ("y", "differs from rank 0 in y."),
        ("lr", "differs from rank 0 in lr."),
        ("random_state", "differs from rank 0 in random_state."),
        ("n_estimators", "differs from rank 0 in n_estimators."),
        ("NaN", "X contains NaN"),
        ("wrong lr", "The 'lr' parameter of DANNClassifier must be"),
    ],
)
def test_what_differs_is_one_error_on_all_ranks_and_they_can_go_on(what, named):
    (first, after), (second, after_too) = values_of(2, fits.fit_on_what_differs, what)
    assert named in first
    assert named in second
    assert np.array_equal(after, after_too)


def test_more_ranks_than_rows_of_a_batch_is_one_error_on_all_ranks():
    for message in values_of(4, fits.fit_too_small_batches):
        assert "3 rows of the source and 3 of the target: not one for each" in message


@pytest.mark.parametrize(("how", "timeout"), [("killed", 600), (5, 3)])
def test_a_lost_rank_is_one_error_and_the_checkpoint_goes_on(how, timeout, tmp_path):
    path = str(tmp_path / "fit.skdann")
    ended = in_ranks(3, fits.fit_until_one_falls, how, path, timeout=timeout)
    for rank, one in enumerate(ended):
        if one is None:
            assert (rank, how) == (1, "killed")
            continue
        message, fitted = one.value
        assert "has lost another one" in message
        assert not fitted
    assert ended[0] is not None
    expected = fits.fit_with_checkpoint(0, str(tmp_path / "whole"))
    for answers, n_epochs in values_of(2, fits.resume, path):
        np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-10)
        assert n_epochs == 3


def test_one_process_goes_on_where_ranks_stood(tmp_path):
    path = str(tmp_path / "fit.skdann")
    in_ranks(2, fits.fit_until_one_falls, "killed", path)
    answers, _ = fits.resume(0, path)
    expected = fits.fit_with_checkpoint(0, str(tmp_path / "whole"))
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-10)


def test_the_first_rank_alone_writes_the_checkpoint(tmp_path):
    first, second = values_of(2, fits.fit_with_checkpoint, str(tmp_path / "fit"))
    assert np.array_equal(first, second)
    assert [path.name for path in tmp_path.iterdir()] == ["fit"]


def test_a_checkpoint_that_can_not_be_written_is_an_error_on_all_ranks(tmp_path):
    first, second = values_of(2, fits.fit_with_checkpoint, str(tmp_path / "no" / "fit"))
    assert "can't be written" in first
    assert "Rank 0 could not write its checkpoint" in second


def test_the_first_rank_alone_draws_logs_and_warns():
    first, second = in_ranks(2, fits.fit_loudly)
    assert "DANN 3/3" in first.stderr
    assert "INFO:skdann" in first.stderr
    assert len(first.value) == 1
    assert "DANN" not in second.stderr
    assert second.value == []
    assert "after the fit" in second.stderr


def test_batch_normalization_is_warned_of_and_stays_the_same_everywhere():
    (P, scores, said), (P_too, scores_too, nothing) = values_of(
        2, fits.fit_with_batch_norm
    )
    assert np.array_equal(P, P_too)
    assert scores == scores_too
    assert len(said) == 1
    assert nothing == []


def test_workers_of_joblib_train_by_themselves():
    (zero, one), (one_too, zero_too) = values_of(2, fits.fit_in_threads_of_joblib)
    assert np.array_equal(zero, zero_too)
    assert np.array_equal(one, one_too)


def test_a_search_ends_the_same_on_all_ranks(tmp_path):
    first, second = values_of(2, fits.search, str(tmp_path / "ranks"))
    alone = fits.search(0, str(tmp_path / "one"))
    for results in zip(first, second, strict=True):
        for mine, theirs in zip(*results, strict=True):
            assert np.array_equal(mine, theirs)
    for (scores, _, P), (expected_scores, _, expected) in zip(
        first[:2], alone[:2], strict=True
    ):
        assert np.array_equal(scores, expected_scores)
        np.testing.assert_allclose(P, expected, rtol=0, atol=1e-10)
    _, times, _ = first[0]
    _, times_again, _ = first[1]
    assert np.array_equal(times, times_again)  # read, not trained anew


def test_what_is_wrong_with_a_search_of_one_rank_is_an_error_on_all():
    (first, after), (second, after_too) = values_of(2, fits.search_what_is_wrong)
    for name, begun, said in [
        ("parameter", "begin its search", "The 'cv' parameter"),
        ("target", "begin its search", "DANNGridSearchCV scores on the target"),
        ("y", "begin its search", "y contains NaN"),
        ("score", "train its candidates", "the file of mine"),
        ("choice", "choose a candidate", "the file of mine"),
        ("step", "begin its refit", "the file of mine"),
    ]:
        assert first[name].startswith(f"RuntimeError: Rank 1 could not {begun}. ")
        assert said in first[name]
        assert said in second[name]
    assert np.array_equal(after, after_too)
