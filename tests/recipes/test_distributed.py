"""The program of the guide, run by the launchers that it names.

`make test-recipes` has accelerate; elsewhere that test is skipped. torchrun on two ranks
is among the tests of every day.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from children import run

from skdann import DANNClassifier, load
from skdann.datasets import make_shifted_moons

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "distributed.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
PROGRAM = next(block for block in BLOCKS if "init_process_group(" in block)
ACCELERATE = next(block for block in BLOCKS if "PartialState" in block)


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
    program = PROGRAM
    if launcher == "accelerate":
        pytest.importorskip("accelerate")
        program = re.sub(r".*init_process_group.*\n", ACCELERATE, PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    found, alone = launch(launcher, size, program)
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-10)
