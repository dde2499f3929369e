"""The program of the guide, run by the launchers that it names.

`make test-recipes` has accelerate and Ray; elsewhere all of this is skipped. torchrun
on two ranks is among the tests of every day: tests/distributed/test_launchers.py.
"""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from children import run
from ranks import BLOCKS, PROGRAM

from skdann import DANNClassifier, load, save
from skdann.datasets import make_shifted_moons

ACCELERATE = next(block for block in BLOCKS if "PartialState" in block)


@pytest.fixture
def few_trees():
    """Not here: what is launched has all of them."""


def launch(launcher, size, program):
    """Run a program on so many ranks; return what the model that it saves predicts."""
    Path("train.py").write_text(program)
    of_torch = ["torch.distributed.run", "--rdzv-backend=c10d"]
    of_torch += ["--rdzv-endpoint=localhost:0", f"--nproc-per-node={size}"]
    of_accelerate = ["accelerate.commands.launch", "--multi_gpu"]
    of_accelerate += [f"--num_processes={size}"]
    how = {"torchrun": of_torch, "accelerate": of_accelerate}[launcher]
    run("-m", *how, "train.py")
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    alone = DANNClassifier(random_state=0).fit(X, y, X_tgt).predict_proba(X_tgt)
    return load("model.skdann").predict_proba(X_tgt), alone


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("launcher", ["torchrun", "accelerate"])
def test_ranks_train_what_one_process_trains(launcher, size, tmp_path, monkeypatch):
    pytest.importorskip("accelerate")
    program = PROGRAM
    if launcher == "accelerate":
        program = re.sub(r".*init_process_group.*\n", ACCELERATE, PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    found, alone = launch(launcher, size, program)
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-10)


def train():
    """Do what the guide's program does, where the group has been initialized."""
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    clf = DANNClassifier(random_state=0).fit(X, y, X_tgt)
    if torch.distributed.get_rank() == 0:
        save(clf, os.environ["MODEL"])


# Ray's own, and what its threads and folders leave
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ray_trains_what_one_process_trains(tmp_path):
    ray = pytest.importorskip("ray")
    ray_train = pytest.importorskip("ray.train")
    ray_torch = pytest.importorskip("ray.train.torch")
    path = str(tmp_path / "model")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "MODEL": path}
    environment["GLOO_SOCKET_IFNAME"] = "lo"
    how = {"num_cpus": 2, "include_dashboard": False}
    with ray.init(**how, runtime_env={"env_vars": environment}):
        two = ray_train.ScalingConfig(num_workers=2)
        where = ray_train.RunConfig(storage_path=str(tmp_path))
        ray_torch.TorchTrainer(train, scaling_config=two, run_config=where).fit()
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    alone = DANNClassifier(random_state=0).fit(X, y, X_tgt).predict_proba(X_tgt)
    found = load(path).predict_proba(X_tgt)
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-10)
