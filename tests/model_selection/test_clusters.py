"""Searches on clusters of this machine end as in one process, if a worker dies, too."""

import os
import signal
import sys

import dask
import numpy as np
import pytest
import torch
from children import forkserver
from distributed import Client, LocalCluster
from joblib import parallel_config

from skdann.model_selection import DANNGridSearchCV

GRID = {"lambda_max": [0, 0.3, 1], "n_estimators": [1, 2]}


class KillsOnce(torch.optim.SGD):
    """Where the file named by ``MARK`` is not there yet, it is made, and we die."""

    def __init__(self, weights, lr):
        super().__init__(weights, lr)
        mark = os.environ.get("MARK")
        if mark and not os.path.exists(mark):
            open(mark, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def search(small):
    return DANNGridSearchCV(small(optimizer=KillsOnce), GRID, cv=2, max_stacked=2)


def assert_same_after_a_kill(search, domains, mark, **how):
    """Search once more, on a cluster whose workers have been told of the mark."""
    alone = search.fit(*domains)
    scores, P = alone.cv_results_["mean_test_score"], alone.predict_proba(domains[2])
    assert not mark.exists()
    with parallel_config(**how):
        search.fit(*domains)
    assert mark.exists()
    assert np.array_equal(search.cv_results_["mean_test_score"], scores)
    assert np.array_equal(search.predict_proba(domains[2]), P)


# joblib 1.5 deprecates what its own dask backend calls
@pytest.mark.filterwarnings("ignore:`apply_async` is deprecated:DeprecationWarning")
def test_on_dask(search, domains, tmp_path):
    mark = tmp_path / "mark"
    forkserver()  # of ours, its workers are there in a second, not in five
    how = {"distributed.worker.multiprocessing-method": "forkserver"}
    with (
        dask.config.set(how),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            env={"MARK": str(mark)},
        ) as cluster,
        Client(cluster) as client,
    ):
        assert len(client.scheduler_info()["workers"]) == 2
        search.set_params(n_jobs=None)
        assert_same_after_a_kill(search, domains, mark, backend="dask")


# what joblib asks of its pool of processes, Ray's has no use for
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:A worker process has ended before its time")
def test_on_ray(search, domains, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    ray_joblib = pytest.importorskip("ray.util.joblib")
    mark = tmp_path / "mark"
    environment = {"MARK": str(mark), "PYTHONPATH": os.pathsep.join(sys.path)}
    with ray.init(
        num_cpus=2, include_dashboard=False, runtime_env={"env_vars": environment}
    ):
        ray_joblib.register_ray()
        assert_same_after_a_kill(search, domains, mark, backend="ray", n_jobs=2)
