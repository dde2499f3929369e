"""Fixtures: two small domains, quick estimators, and one of them in a file."""

import os

# Read when libraries are imported, here and in the processes that tests start; whatever
# the machine has or its user has set, the same is tested.
os.environ |= {
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",  # pytest-xdist's workers are the parallelism here
    "OMP_WAIT_POLICY": "passive",  # two threads leave the core to the other worker
    "SCIPY_ARRAY_API": "1",  # enables one more of scikit-learn's checks
}

if os.environ.get("SKDANN_CUDA_GRAPH") != "1":  # else test_cuda_graph.py wants one
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

import children
import pytest
import sklearn
import torch
from helpers import SMALL, make_domains
from hypothesis import HealthCheck, settings
from joblib.externals.loky.backend.context import set_start_method

from skdann import DANNClassifier, save
from skdann._training._dense_engine import DenseEngine

collect_ignore = ["typed"]  # for mypy, not to be run
# One folder's would be taken for another's; they hold no doctests.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]

# nothing by the clock: the machine may be busy
settings.register_profile(
    "skdann",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("skdann")


@pytest.fixture(scope="session")
def quick_workers():
    """Have joblib's workers forked from a server that has imported what they need.

    Else each imports for five seconds. test_spread.py has joblib's own, too.
    """
    children.forkserver()
    set_start_method("forkserver", force=True)


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def pytest_configure(config):
    # not in pyproject.toml: pytest would import skdann before coverage starts
    config.addinivalue_line("filterwarnings", "error::skdann.AdaptationWarning")
    # of small networks that have hardly learned
    config.addinivalue_line("filterwarnings", "ignore:The network predicts")
    config.addinivalue_line("filterwarnings", "ignore:The network has learned nothing")
    config.addinivalue_line("filterwarnings", "ignore:The scores disagree")
    config.addinivalue_line("filterwarnings", "ignore:X_tgt has . rows")
    config.addinivalue_line("filterwarnings", "ignore:The rows of X_tgt are rows of X")


@pytest.fixture
def no_figure_stays():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def domains():
    X, y, X_tgt, _ = make_domains()
    return X, y, X_tgt


@pytest.fixture
def small():
    """Return a factory of small, quick classifiers."""

    def make(**params):
        return DANNClassifier(**{**SMALL, **params})

    return make


@pytest.fixture
def by_autograd(monkeypatch):
    """Return a function that calls another while autograd takes all steps."""

    def call(function):
        with monkeypatch.context() as patch:
            patch.setattr(DenseEngine, "unsupported", lambda *args: "Not now.")
            return function()

    return call


@pytest.fixture
def saved(small, domains, tmp_path):
    """Return the file of a fitted classifier."""
    path = tmp_path / "model.skdann"
    save(small(dropout=0.2).fit(*domains), path)
    return path


@pytest.fixture
def small_forests(monkeypatch):
    """Have reports grow fewer trees: for tests of what does not depend on them."""
    monkeypatch.setattr("skdann.inspection._report._simple_models.N_TREES", 20)
    monkeypatch.setattr("skdann.inspection._column_shift._domain_classifier.N_TREES", 5)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Have fits decide by fewer trees how to standardize; modules on it have all."""
    for where in ("_shift", "_response_shift"):
        monkeypatch.setattr(f"skdann._data.{where}.N_TREES", 10)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield
