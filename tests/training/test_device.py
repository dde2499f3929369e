"""A device that can't compute here is told before training, in one way."""

from contextlib import contextmanager

import pytest
import torch
from joblib import parallel_config

import skdann
from skdann.model_selection import DANNGridSearchCV

NONE_HERE = [
    *(
        "hpu",
        "xla",
        "mps",
        "meta",
        "cuda:99",
        "cpu:3",
        "cpu:-1",
        "privateuseone",
        "xpu",
    ),
    *("vulkan", "ipu", "mtia", "lazy", "fpga", "maia", "opengl", "hip", "ve", "gpu"),
    *("CPU", "nonsense", "cpu:x", ":0", "auto:0"),
]
if torch.backends.mps.is_available() or torch.xpu.is_available():
    NONE_HERE = [name for name in NONE_HERE if name not in ("mps", "xpu")]


@pytest.mark.parametrize("device", [*NONE_HERE, "", " ", torch.device("meta")])
def test_a_device_that_is_not_here_is_named(small, domains, device):
    clf = small(device=device)
    message = rf"device='{device}' cannot be used here \(.+\). Use 'auto' or 'cpu'"
    with pytest.raises(ValueError, match=message):
        clf.fit(*domains)
    assert not hasattr(clf, "net_")


def test_searches_and_files_say_the_same(small, domains, saved):
    X, y, X_tgt = domains
    search = DANNGridSearchCV(small(device="hpu"), {"lambda_max": [0.0]}, cv=2)
    with pytest.raises(ValueError, match="device='hpu' cannot be used here"):
        search.fit(X, y, X_tgt)
    with pytest.raises(ValueError, match="device='hpu' cannot be used here"):
        skdann.load(saved, device="hpu")


@pytest.mark.parametrize("device", ["auto", "cpu", "cpu:0", torch.device("cpu")])
def test_the_cpu_has_several_names(small, domains, device):
    assert small(device=device).fit(*domains).predict(domains[2]).shape == (150,)


def test_a_search_of_several_jobs_takes_one_device_after_the_other(
    small, domains, monkeypatch
):
    """Emulated: torch is told that there are two, and networks stay on the CPU."""
    used = []

    @contextmanager
    def device(index):
        used.append(index)
        yield

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "device", device)
    grid = {"n_estimators": [1, 2]}
    search = DANNGridSearchCV(small(device="cpu"), grid, cv=2, n_jobs=2, refit=False)
    with parallel_config("threading"):
        search.fit(*domains)
    assert sorted(used) == [0, 0, 1, 1]
