"""Long searches go on in other processes, unless something speaks against it."""

import os
import threading
import time
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from joblib.externals.loky.backend.context import set_start_method
from sklearn.exceptions import FitFailedWarning
from threadpoolctl import ThreadpoolController

from skdann._parallel import _run_in_worker, as_completed, may_start_workers
from skdann.model_selection import DANNGridSearchCV

GRID = {"lambda_max": [0.0, 1.0], "lr": [1e-3, 1e-2]}

pytestmark = pytest.mark.usefixtures("quick_workers")
needs_cores = pytest.mark.skipif(cpu_count() == 1, reason="there is no second core")


class Spreading(DANNGridSearchCV):
    """Takes what is left after the first task for long."""

    _start_up = 0.0


def score(estimator, X, y):
    return {"accuracy": estimator.score(X, y), "process": os.getpid()}


def fit(search, small, domains, **params):
    """Fit a search whose tasks are of one candidate and fold."""
    params = {"scoring": score, "refit": "accuracy", "cv": 2, **params}
    return search(small(), GRID, max_stacked=1, **params).fit(*domains)


def processes(search):
    """Return the process of each task, in their order."""
    columns = [search.cv_results_[f"split{i}_test_process"] for i in range(2)]
    return np.ravel(columns, order="F").astype(int).tolist()


def scores(search):
    results = search.cv_results_.items()
    return {
        name: np.ma.filled(column, np.nan).tobytes()
        for name, column in results
        if "test" in name and "process" not in name
    }


@pytest.fixture
def workers_of_joblib():
    set_start_method("loky", force=True)
    yield
    set_start_method("forkserver", force=True)


@needs_cores
@pytest.mark.usefixtures("workers_of_joblib")
def test_a_search_that_is_spread_has_the_same_results_to_the_bit(small, domains):
    alone = fit(DANNGridSearchCV, small, domains, n_jobs=1)
    with parallel_config(max_nbytes=100):  # so that rows become memory maps
        spread = fit(Spreading, small, domains)
    first, *others = processes(spread)
    assert first == os.getpid()
    assert os.getpid() not in others
    assert scores(spread) == scores(alone)
    assert spread.best_index_ == alone.best_index_
    predicted = [search.predict_proba(domains[2]) for search in (spread, alone)]
    assert np.array_equal(*predicted)


def score_until_interrupted(folder, estimator, X, y):
    """Press Ctrl-C in one worker while another is at work and would be for long."""
    path = folder / "at work"
    if estimator.lambda_max == 0:
        return 1.0
    if estimator.lr == 1e-3:
        path.write_text(str(os.getpid()))
        time.sleep(1800)
    while not (path.exists() and path.read_text()):
        time.sleep(0.01)
    raise KeyboardInterrupt


def is_running(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@needs_cores
def test_an_interrupt_of_workers_keeps_what_is_finished(small, domains, tmp_path):
    scoring = partial(score_until_interrupted, tmp_path)
    one_fold = [(np.arange(100), np.arange(100, 200))]
    params = {"scoring": scoring, "cv": one_fold, "refit": True}
    with pytest.warns(UserWarning, match=r"Interrupted: [12] of 4 candidates"):
        search = fit(Spreading, small, domains, **params)
    assert search.cv_results_["params"][0] == {"lambda_max": 0.0, "lr": 1e-3}
    assert search.best_params_["lambda_max"] == 0
    assert not is_running(int((tmp_path / "at work").read_text()))


def test_a_short_search_stays_in_this_process(small, domains):
    search = fit(DANNGridSearchCV, small, domains)
    assert processes(search) == [os.getpid()] * 8


def test_one_job_is_one_process(small, domains):
    search = fit(Spreading, small, domains, n_jobs=1)
    assert processes(search) == [os.getpid()] * 8


def test_what_cannot_be_pickled_stays_in_this_process(small, domains):
    lock = threading.Lock()

    def locked(estimator, X, y):
        with lock:
            return score(estimator, X, y)

    search = fit(Spreading, small, domains, scoring=locked)
    assert processes(search) == [os.getpid()] * 8
    assert scores(search) == scores(fit(DANNGridSearchCV, small, domains))


def test_a_search_on_a_gpu_stays_in_this_process(small, domains, monkeypatch):
    name = "skdann.model_selection._candidates.resolve_device"
    monkeypatch.setattr(name, lambda device: torch.device("cuda"))
    assert processes(fit(Spreading, small, domains)) == [os.getpid()] * 8


def test_a_search_in_a_forked_process_stays_there(small, domains, monkeypatch):
    pid = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: pid)
    assert processes(fit(Spreading, small, domains)) == [pid] * 8


def test_a_search_in_a_worker_of_joblib_stays_there(small, domains):
    call = delayed(fit)(Spreading, small, domains)
    for search in Parallel(n_jobs=2, backend="threading")([call, call]):
        assert processes(search) == [os.getpid()] * 8


@pytest.mark.parametrize(
    "config",
    [
        {"backend": "loky"},
        {"backend": "threading"},
        {"backend": "sequential"},
        {"n_jobs": 1},
        {"n_jobs": 2},
        {"prefer": "threads"},
        {"require": "sharedmem"},
    ],
    ids=str,
)
def test_who_configures_joblib_is_obeyed(config):
    assert may_start_workers()
    with parallel_config(**config):
        assert not may_start_workers()


def test_threads_and_children_start_no_workers(monkeypatch):
    found = []
    thread = threading.Thread(target=lambda: found.append(may_start_workers()))
    thread.start()
    thread.join()
    assert found == [False]
    monkeypatch.setattr("multiprocessing.parent_process", lambda: "another process")
    assert not may_start_workers()


def test_errors_are_told_in_the_order_of_candidates(small, domains):
    last_is_done = threading.Event()

    def fail_out_of_order(estimator, X, y):
        if estimator.lambda_max == 0 and estimator.lr == 1e-3:
            last_is_done.wait()
            raise ValueError("of the first")
        if estimator.lambda_max == 1 and estimator.lr == 1e-2:
            last_is_done.set()
            raise ValueError("of the last")
        return 1.0

    one_fold = [(np.arange(100), np.arange(100, 200))]
    params = {"scoring": fail_out_of_order, "cv": one_fold, "refit": True}
    told = "2 of 4 fits .* of the first; 1 times ValueError: of the last"
    with (
        parallel_config("threading", n_jobs=2),
        pytest.warns(FitFailedWarning, match=told),
    ):
        fit(DANNGridSearchCV, small, domains, **params)


def test_who_needs_no_more_results_ends_the_jobs_and_is_not_warned(recwarn):
    calls = []

    def work():
        time.sleep(0.02)
        calls.append(None)

    with parallel_config("threading"):
        results = as_completed({str(i): work for i in range(99)}, 2)
        next(results)
        results.close()
    n_calls = len(calls)
    time.sleep(0.1)
    assert len(calls) <= n_calls + 2  # which were running
    said = [str(warning.message) for warning in recwarn]
    assert not [text for text in said if "tasks" in text], said


@pytest.mark.usefixtures("two_threads")
def test_candidates_are_scored_on_one_thread(small, domains):
    def count_threads(estimator, X, y):
        of_blas = [library["num_threads"] for library in blas.info()]
        return max(torch.get_num_threads(), *of_blas)

    blas = ThreadpoolController().select(user_api="blas")
    params = {"scoring": count_threads, "refit": True}
    with blas.limit(limits=2):
        search = fit(DANNGridSearchCV, small, domains, **params)
    assert search.cv_results_["mean_test_score"].tolist() == [1, 1, 1, 1]
    assert torch.get_num_threads() == 2


def test_a_worker_computes_on_as_many_threads_as_this_process():
    result = _run_in_worker(7, torch.get_num_threads, n_threads=2, limits={})
    assert result == (7, 2)
    assert torch.get_num_threads() == 1
