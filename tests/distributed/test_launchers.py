"""The program of the guide, run by torchrun as it stands there."""

from pathlib import Path

import numpy as np
from children import run
from ranks import PROGRAM

from skdann import DANNClassifier, load
from skdann.datasets import make_shifted_moons

LAUNCH = [
    "-m",
    "torch.distributed.run",
    "--nproc-per-node=2",
    "--rdzv-backend=c10d",
    "--rdzv-endpoint=localhost:0",
]


def test_torchrun_trains_what_one_process_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    Path("train.py").write_text(PROGRAM)
    run(*LAUNCH, "train.py")
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    alone = DANNClassifier(random_state=0)
    alone.fit(X, y, X_tgt)
    found = load("model.skdann").predict_proba(X_tgt)
    np.testing.assert_allclose(found, alone.predict_proba(X_tgt), rtol=0, atol=1e-10)
