"""Searches of which processes are killed end as if nothing had been."""

import re
import signal
import textwrap
from multiprocessing import active_children
from multiprocessing.util import Finalize
from pathlib import Path

import children
import numpy as np
import pytest
from helpers import SMALL, make_domains
from joblib.externals.loky.backend.context import set_start_method

from skdann import DANNClassifier
from skdann.model_selection import DANNGridSearchCV

SEARCH = """
import os, sys, warnings
from functools import partial
from pathlib import Path
from test_search_kills import assert_same, fork_workers, make_search, X, X_tgt, y
"""

X, y, X_tgt, _ = make_domains(60, 40)


def make_search(folder, **params):
    """Return a search of eight stacks and a refit of two checkpoints."""
    clf = DANNClassifier(**{**SMALL, "max_epochs": 2}, checkpoint_interval=1)
    grid = {"lambda_max": [0.0, 1.0], "lr": [1e-3, 1e-2]}
    params = {"max_stacked": 1, "cv": 2, "checkpoint": folder, **params}
    return DANNGridSearchCV(clf, grid, **params)


def assert_same(search, other):
    """To the bit: all scores, the choice, and what it predicts."""
    for name, column in search.cv_results_.items():
        expected = other.cv_results_[name]
        if "time" not in name and name != "params":
            columns = [np.ma.filled(c, np.nan).tobytes() for c in (column, expected)]
            assert columns[0] == columns[1], name
    assert search.best_index_ == other.best_index_
    assert np.array_equal(search.predict_proba(X), other.predict_proba(X))


def fork_workers():
    """Have loky fork its workers: they need no seconds to import torch.

    At the end they are killed; else this process would wait until they are idle.
    """
    set_start_method("fork", force=True)
    Finalize(None, kill_children, exitpriority=1)


def kill_children():
    for child in active_children():
        child.kill()


def run_child(code, *arguments):
    return children.fork(SEARCH + textwrap.dedent(code), *arguments, check=False)


@pytest.fixture(scope="module")
def undisturbed():
    return make_search(None).fit(X, y, X_tgt)


@pytest.mark.parametrize(
    ("moment", "n_times", "n_stacks"),
    # The first file says what the search is; Python tells of an opener's open, too.
    [
        ("os.rename", 1, 0),
        ("os.rename", 2, 0),
        ("open", 8, 2),
        ("os.rename", 11, 8),  # after the first epoch of the refit
    ],
)
def test_a_search_that_is_killed_goes_on(
    undisturbed, tmp_path, moment, n_times, n_stacks
):
    folder = tmp_path / "search"
    code = """
    n = 0
    def hook(event, args):
        global n
        if event == sys.argv[2] and args and ".part" in str(args[0]):
            n += 1
            if n == int(sys.argv[3]):
                os.kill(os.getpid(), 9)
    sys.addaudithook(hook)
    make_search(sys.argv[1]).fit(X, y, X_tgt)
    """
    child = run_child(code, folder, moment, n_times)
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert len(list(folder.glob("stack-*"))) == n_stacks
    resumed = make_search(folder).fit(X, y, X_tgt)
    assert_same(resumed, undisturbed)
    assert len(list(folder.glob("*.skdann"))) == 10
    assert not list(folder.glob(".*.part"))


DEADLY = """
def score(main, folder, n_deaths, estimator, X_test, y):
    is_deadly = estimator.lambda_max == 1 and estimator.lr == 1e-3
    is_deadly = is_deadly and X_test[0, 0] == X[0, 0]  # on one fold
    if os.getpid() != main and is_deadly and len(os.listdir(folder)) < n_deaths:
        Path(folder, str(len(os.listdir(folder)))).touch()
        os.kill(os.getpid(), 9)
    return 1.0

fork_workers()
folder, deaths = Path(sys.argv[1], "search"), Path(sys.argv[1], "deaths")
deaths.mkdir()
scoring = partial(score, os.getpid(), deaths, int(sys.argv[2]))
"""


def test_what_a_worker_was_at_when_it_was_killed_is_run_again(tmp_path):
    n_deaths = 2  # beside others, and by itself
    code = """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = make_search(None, n_jobs=2, scoring=scoring).fit(X, y, X_tgt)
    assert len(os.listdir(deaths)) == int(sys.argv[2])
    assert_same(search, make_search(None, scoring=scoring).fit(X, y, X_tgt))
    print(*[w.message for w in caught], sep="\\n")
    """
    child = run_child(DEADLY + textwrap.dedent(code), tmp_path, n_deaths)
    assert child.returncode == 0, child.stderr
    [told] = re.findall("A worker process has ended.*", child.stdout)
    assert "candidate 2 on fold 0" in told


def test_a_stack_that_kills_each_worker_is_named_and_the_rest_is_kept(tmp_path):
    code = """
    search = make_search(folder, n_jobs=2, scoring=scoring)
    try:
        search.fit(X, y, X_tgt)
    except RuntimeError as error:
        print(error)
    assert len(os.listdir(deaths)) == 3
    assert not hasattr(search, "cv_results_")
    kept = len(list(folder.glob("stack-*")))
    search.set_params(n_jobs=1).fit(X, y, X_tgt)
    print(kept)
    """
    child = run_child(DEADLY + textwrap.dedent(code), tmp_path, 99)
    assert child.returncode == 0, child.stderr
    told, kept = child.stdout.splitlines()
    assert "The process of candidate 2 on fold 0 has ended 3 times" in told
    assert "n_jobs" in told
    assert int(kept) >= 1
    assert len(list(Path(tmp_path, "search").glob("stack-*"))) == 8


def test_a_job_that_kills_each_worker_is_not_done_in_this_process():
    """As a search with n_jobs=None may do with others that workers can't do."""
    code = """
    from skdann._parallel import LostJobError, spread_if_long
    def job(main, deadly):
        if deadly:
            assert os.getpid() != main
            os.kill(os.getpid(), 9)
    fork_workers()
    jobs = {str(i): partial(job, os.getpid(), i == 2) for i in range(4)}
    try:
        list(spread_if_long(jobs, start_up=0.0))
    except LostJobError as error:
        print(error)
    """
    child = run_child(code)
    assert child.returncode == 0, child.stderr
    assert "The process of 2 has ended 3 times" in child.stdout
