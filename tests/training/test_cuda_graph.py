"""A step that is noted once, and repeated, trains as one that is called each time.

There need not be a device: a recording of torch's operations stands in for its graph.
It knows as little as one: the arrays, and numbers as they were when it was noted.
"""

import numpy as np
import pytest
import torch
from test_engine import make_batch, make_network
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from skdann import DANNClassifier
from skdann._multi_fit import fit_many, validate_many
from skdann._training import _dense_engine, _dense_step, _first_step
from skdann._training._batches import Batch
from skdann._training._cuda_graph import CudaGraph, can_capture
from skdann._training._dense_engine import DenseEngine
from skdann._training._dense_step import DenseStep
from skdann._training._engine import Schedules
from skdann._training._first_step import AutogradStep, are_alike
from skdann._training._masks import Masks
from skdann._training._objective import Objective
from skdann.nn import DANN, _loss_gradients
from skdann.nn._mlp import make_mlp
from skdann.schedules import ScaledSchedule


class Operations(TorchDispatchMode):
    """Notes each operation, with its very operands and results."""

    def __init__(self):
        super().__init__()
        self.noted = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        results = func(*args, **(kwargs or {}))
        self.noted.append((func, args, kwargs or {}, results))
        return results


class Recording:
    """In place of a graph: the operations of one run, which it repeats."""

    made = []

    def __init__(self, calls, device):
        self.n_repeats = 0
        with Operations() as operations:
            for call in calls:
                call()
        self.noted = operations.noted
        Recording.made.append(self)

    def __call__(self):
        self.n_repeats += 1
        for func, args, kwargs, noted in self.noted:
            results = func(*args, **kwargs)
            pairs = zip(tree_leaves(noted), tree_leaves(results), strict=True)
            for place, values in pairs:
                if place is not values:
                    place.copy_(values)


class MasksOfDevices(Masks):
    """Draws as it has to where a generator is of a device."""

    def __init__(self, *args):
        super().__init__(*args)
        self.draws_at_once = False


@pytest.fixture
def emulated(monkeypatch):
    """Return a function that calls another as if the CPU took graphs."""

    def call(function, graph=Recording):
        Recording.made.clear()
        with monkeypatch.context() as patch:
            patch.setattr(_dense_engine, "can_capture", lambda device: True)
            patch.setattr(_first_step, "CudaGraph", graph)
            patch.setattr(_dense_step, "Masks", MasksOfDevices)
            function()

    return call


@pytest.fixture
def domains():
    rng = np.random.default_rng(0)
    X, X_tgt = rng.normal(size=(90, 6)), rng.normal(size=(70, 6)) + 0.3
    return X, (X[:, 0] + rng.normal(size=90) > 0).astype(int), X_tgt


def new(**params):
    return DANNClassifier(
        **{
            "hidden_layer_sizes": (12, 8),
            "domain_hidden_layer_sizes": (9,),
            "dropout": 0.3,
            "max_epochs": 4,
            "batch_size": 32,
            "random_state": 0,
            "n_estimators": 2,
            "lr": 1e-2,
            "lr_schedule": "annealed",
            "standardize": "source",
            "target_prior": None,
            **params,
        }
    )


def assert_alike(clf, other, X, tolerance=1e-12):
    P, Q = clf.predict_proba(X), other.predict_proba(X)
    assert 0.005 < np.abs(P - 1 / P.shape[1]).mean() < 0.45  # it has learned
    assert np.abs(P - Q).max() < tolerance
    assert np.abs(clf.predict_domain(X) - other.predict_domain(X)).max() < tolerance
    for row, expected in zip(clf.history_, other.history_, strict=True):
        for name, value in row.items():
            if isinstance(value, float) and name != "dur":
                assert value == pytest.approx(expected[name], abs=tolerance), name
    kept, expected = (c.net_.optimizer_.state_dict()["state"] for c in (clf, other))
    torch.testing.assert_close(kept, expected, rtol=1e-9, atol=1e-12)


def n_repeats():
    return [recording.n_repeats for recording in Recording.made]


SETTINGS = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.02},
    "adam": {"optimizer": "adam", "weight_decay": 0.02},
    "sgd with momentum": {"optimizer": "sgd", "momentum": 0.9, "lr": 0.1},
    "sgd without": {"optimizer": "sgd", "momentum": 0.0, "lr": 0.1},
    "any schedule": {"lambda_schedule": lambda p: p**2, "lr_schedule": "cosine"},
    "class confusion": {"class_confusion": 0.4},
    "conditional": {"conditional": True, "n_estimators": 1},
    "conditional by entropy": {"conditional": "entropy", "class_confusion": 0.4},
    "random products": {
        "conditional": True,
        "hidden_layer_sizes": (2050,),
        "n_estimators": 1,
    },
    "no dropout": {"dropout": 0.0},
    "one network": {"n_estimators": 1},
    "as it comes": {"standardize": None},
    "estimates": {"standardize": "auto", "target_prior": "estimate"},
    "each domain's scale": {"standardize": "domain"},
    "restarts": {"on_divergence": "restore"},
}
SETTINGS |= {
    name: {"activation": name, "class_confusion": 0.1}
    for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid")
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_by_one_recorded_step_ends_as_one_by_calls(domains, emulated, name):
    clf, other = new(**SETTINGS[name]), new(**SETTINGS[name])
    emulated(lambda: clf.fit(*domains))
    other.fit(*domains)
    assert_alike(clf, other, domains[2])
    # one that is tried, then all of them: 90 rows, 16 a step
    assert n_repeats() == [1 + 4 * 6]


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_groups_change_from_step_to_step(domains, emulated, n_estimators):
    X, y, X_tgt = domains
    groups = {"groups": np.arange(len(X)) % 7 // 3, "groups_tgt": X_tgt[:, 0] > 0}
    params = {"domain_classes": "groups", "n_estimators": n_estimators}
    clf, other = new(**params), new(**params)
    emulated(lambda: clf.fit(X, y, X_tgt, **groups))
    other.fit(X, y, X_tgt, **groups)
    assert_alike(clf, other, X_tgt)
    assert n_repeats() == [1 + 4 * 6]  # never by autograd


@pytest.mark.filterwarnings("ignore")
def test_weights_and_known_labels_change_from_step_to_step(domains, emulated):
    X, y, X_tgt = domains
    given = {
        "sample_weight": np.linspace(0, 2, len(X)),
        "sample_weight_tgt": np.linspace(0.1, 3, len(X_tgt)),
        "y_tgt": np.where(np.arange(len(X_tgt)) < 25, 1, -1),
    }
    params = {"class_confusion": 0.2, "class_weight": "balanced"}
    clf, other = new(**params), new(**params)
    emulated(lambda: clf.fit(X, y, X_tgt, **given))
    other.fit(X, y, X_tgt, **given)
    assert_alike(clf, other, X_tgt)
    assert len(n_repeats()) == 1


def test_no_target(domains, emulated):
    X, y, _ = domains
    clf, other = new(lambda_max=0), new(lambda_max=0)
    emulated(lambda: clf.fit(X, y))
    other.fit(X, y)
    assert np.abs(clf.predict_proba(X) - other.predict_proba(X)).max() < 1e-12
    assert n_repeats() == [1 + 4 * 6]


def test_a_training_that_goes_on_is_captured_anew(domains, emulated):
    X, y, X_tgt = domains
    pair = []
    for train in (emulated, lambda f: f()):
        clf = new(warm_start=True)
        train(lambda clf=clf: clf.fit(X, y, X_tgt))
        train(lambda clf=clf: clf.fit(X[:50], y[:50], X_tgt))
        train(lambda clf=clf: clf.partial_fit(X, y, X_tgt))
        pair.append(clf)
    assert_alike(*pair, X_tgt)


def test_all_that_follows_a_schedule_changes_from_step_to_step(emulated):
    def train():
        network = make_network(0)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
        engine = DenseEngine([network], [optimizer])
        rising, falling = (lambda p: p), (lambda p: 1 - p)
        weights = (("class_confusion", ScaledSchedule(0.9, falling)),)
        schedules = ScaledSchedule(2.0, rising), ScaledSchedule(0.1, falling), weights
        engine.begin(
            Objective("cross_entropy", ["class_confusion"]), [Schedules(*schedules)]
        )
        for epoch in range(3):
            engine.begin_epoch(5)
            for i in range(5):
                batch = make_batch(5 * epoch + i)
                batch.shares_rows = True  # before they are moved to a device
                engine.step(batch, [epoch / 3 + i / 15])
            losses.append(engine.finish_epoch().means())
        trained.append(network.state_dict())
        engine.end()

    losses, trained = [], []
    emulated(train)
    assert n_repeats() == [1 + 3 * 5]
    train()
    torch.testing.assert_close(*trained, rtol=1e-12, atol=1e-14)
    for by_graph, by_calls in zip(losses[:3], losses[3:], strict=True):
        assert by_graph == pytest.approx(by_calls, rel=1e-12)


# Groups part where rates or options do; a lane has its own rows and masks.
GRID = [
    {},
    {"lambda_max": 0.0},
    {"lambda_gamma": 3.0, "lr": 3e-3},
    {"lr_alpha": 2.0, "dropout": 0.1},
    {"momentum": 0.5, "standardize": "domain"},
    {"weight_decay": 0.1, "random_state": 1},
    {"class_weight": "balanced", "class_confusion": 0.3},
    {"random_state": 1, "max_epochs": 3, "dropout": 0.1},
]


@pytest.fixture
def fit_stack(domains):
    def fit(**given):
        of_all = {"class_confusion": 0.1, **given}
        estimators = [new(**{**of_all, **params}) for params in GRID]
        of_all = validate_many(estimators, *domains)
        assert fit_many(estimators, of_all) == [None] * len(GRID)
        stacks.append(estimators)

    stacks = fit.stacks = []
    return fit


def test_a_stack_of_all_that_may_differ(domains, emulated, fit_stack):
    emulated(fit_stack)
    # six until one leaves after 3 epochs, then five; the others one by one
    assert n_repeats()[:2] == [1 + 3 * 6, 1 + 6]
    fit_stack()
    for clf, other in zip(*fit_stack.stacks, strict=True):
        assert_alike(clf, other, domains[2])


def test_operands_are_all_on_the_device():
    """Neither copied from the CPU nor read by it: "meta" stands in for a device."""
    parts = make_mlp(5, (8, 6), dropout=0.2), nn.Linear(6, 3), make_mlp(6, (4,), 1)
    of_parts = [w for part in parts for w in part.parameters()]
    weights, grads = ([on_meta(1, *w.shape) for w in of_parts] for _ in range(2))
    y, domain = (on_meta(n, dtype=torch.int64) for n in (6, 10))
    batch = Batch(on_meta(10, 5), y, on_meta(6), domain, on_meta(10), True)
    objective = Objective("cross_entropy", ["class_confusion"])
    step = DenseStep([DANN(*parts)], [0], objective, weights, grads, batch, 3)
    with Operations() as operations:
        for call in step.calls:
            call()
    tensors = [x for x in tree_leaves(operations.noted) if isinstance(x, torch.Tensor)]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert len(operations.noted) > 50


def on_meta(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


@pytest.fixture
def by_number(monkeypatch):
    """Return a function that makes lambda a number; it takes the one that is noted."""
    calls = DenseStep._calls

    def make_number(at_capture):
        def calls_with_number(step):
            def reverse():
                lambdas = step.lambdas or [at_capture]
                step.extract[-1].g.mul_(-lambdas[0])

            for call in calls(step):
                is_reversal = any(x is step.reversal for x in call.args)
                yield reverse if is_reversal else call

        monkeypatch.setattr(DenseStep, "_calls", calls_with_number)

    return make_number


def test_a_number_among_the_operands_would_be_found(domains, emulated, by_number):
    """By the tests above: the fit ends elsewhere, if only where graphs are taken."""
    expected, by_calls, by_graph = new(), new(), new()
    expected.fit(*domains)
    by_number(1.0)  # as the first step is tried with: that finds nothing
    by_calls.fit(*domains)
    assert_alike(by_calls, expected, domains[2])
    emulated(lambda: by_graph.fit(*domains))
    assert n_repeats() == [1 + 4 * 6]
    with pytest.raises(AssertionError):
        assert_alike(by_graph, expected, domains[2])


def test_the_trial_finds_a_number_among_the_operands(domains, emulated, by_number):
    clf, expected = new(), new()
    expected.fit(*domains)
    by_number(0.5)
    emulated(lambda: clf.fit(*domains))
    assert n_repeats() == [1]
    assert_alike(clf, expected, domains[2], 1e-10)


@pytest.fixture
def log(monkeypatch):
    """What torch.cuda was asked for, in place of a device that does it."""
    log = []

    class Named:
        def __init__(self, *args, **options):
            self.name = type(self).__name__

        def __enter__(self):
            log.append(f"begin {self.name}")

        def __exit__(self, *error):
            log.append(f"end {self.name}")

        def wait_stream(self, other):
            log.append("wait")

        def replay(self):
            log.append("replay")

    for name in ("CUDAGraph", "Stream", "device", "graph", "stream"):
        monkeypatch.setattr(torch.cuda, name, type(name, (Named,), {}))
    monkeypatch.setattr(torch.cuda, "current_stream", torch.cuda.Stream)
    return log


def test_calls_are_tried_on_a_stream_of_their_own_then_noted(log):
    graph = CudaGraph([lambda: log.append("call")], torch.device("cuda"))
    assert log == [
        *("begin device", "wait", "begin stream", "call", "call", "call"),
        *("begin graph", "call", "end graph", "end stream", "wait", "end device"),
    ]
    log.clear()
    graph()
    assert log == ["replay"]


def test_after_an_error_the_stream_is_the_callers(log):
    with pytest.raises(ZeroDivisionError):
        CudaGraph([lambda: 1 / 0], torch.device("cuda"))
    assert log[-3:] == ["end stream", "wait", "end device"]
    CudaGraph([], torch.device("cuda"))  # the lock is free


def refuse(calls, device):
    raise RuntimeError("operation not permitted when stream is capturing")


@pytest.fixture
def steps(monkeypatch):
    """Kinds of those who computed gradients."""
    kinds = []
    for kind in (DenseStep, AutogradStep):

        def compute(step, *args, kind=kind, compute=kind.compute_gradients):
            kinds.append(kind)
            return compute(step, *args)

        monkeypatch.setattr(kind, "compute_gradients", compute)
    return kinds


@pytest.mark.parametrize("name", ["adamw", "sgd with momentum", "class confusion",
                                  "one network", "no dropout"])  # fmt: skip
def test_where_capture_fails_autograd_takes_all_steps(domains, emulated, steps, name):
    clf, other = new(**SETTINGS[name]), new(**SETTINGS[name])
    emulated(lambda: clf.fit(*domains), refuse)
    assert steps == [AutogradStep] * (4 * 6)
    other.fit(*domains)
    assert_alike(clf, other, domains[2], 1e-10)


def test_where_gradients_differ_autograd_takes_all_steps(
    domains, emulated, steps, monkeypatch
):
    clf, other = new(), new()
    other.fit(*domains)
    steps.clear()
    right = _loss_gradients.domain_loss_gradient
    monkeypatch.setattr(
        _dense_step,
        "domain_loss_gradient",
        lambda *args: right(*args).mul_(1 + 1e-6),
    )
    emulated(lambda: clf.fit(*domains))
    assert steps == [DenseStep] + [AutogradStep] * (1 + 4 * 6)
    assert n_repeats() == [1]
    assert_alike(clf, other, domains[2], 1e-10)


def test_autograd_takes_the_steps_of_a_stack(domains, emulated, steps, fit_stack):
    """Members of a lane draw the same masks, as alone."""
    emulated(fit_stack, refuse)
    assert set(steps) == {AutogradStep}
    fit_stack()
    for clf, other in zip(*fit_stack.stacks, strict=True):
        assert_alike(clf, other, domains[2], 1e-10)


@pytest.mark.parametrize(
    ("dtype", "relative", "expected"),
    [
        (torch.float64, 1e-10, True),
        (torch.float64, 1e-6, False),
        (torch.float32, 1e-5, True),
        (torch.float32, 1e-2, False),
        (torch.float64, float("nan"), False),
    ],
)
def test_gradients_are_alike_but_for_rounding(dtype, relative, expected):
    gradients = torch.tensor([3.0, -1e-3, 100.0], dtype=dtype)
    other = gradients.clone()
    other[0] += 100 * relative
    assert are_alike(other, gradients) is expected


def test_nothing_of_it_is_for_the_cpu(domains, monkeypatch):
    assert not can_capture(torch.device("cpu"))
    assert not can_capture(torch.device("meta"))
    monkeypatch.setattr(_dense_engine, "capture_or_replace", refuse)
    new(max_epochs=1).fit(*domains)


def test_sparse_rows_are_left_to_autograd_on_a_device(domains, monkeypatch):
    for standardize, is_known in ((None, False), ("source", True)):
        net = new(standardize=standardize, max_epochs=1).fit(*domains).net_
        what = net.module_, Objective("cross_entropy"), net.optimizer_
        for is_sparse in (False, True):
            assert DenseEngine.unsupported(*what, is_sparse) is None
        net.module_.to("meta")
        assert "on meta" in DenseEngine.unsupported(*what)
        with monkeypatch.context() as patch:
            patch.setattr(_dense_engine, "can_capture", lambda device: True)
            assert DenseEngine.unsupported(*what) is None
            reason = DenseEngine.unsupported(*what, True)
        assert reason is None if is_known else "on the CPU" in reason


on_device = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@on_device
@pytest.mark.parametrize("name", SETTINGS)
def test_on_a_device_a_fit_ends_as_by_autograd(domains, steps, monkeypatch, name):
    clf, other = (new(**SETTINGS[name], device="cuda") for _ in range(2))
    clf.fit(*domains)
    # both are tried, then it takes all steps
    assert steps == [DenseStep, AutogradStep] + [DenseStep] * (4 * 6)
    monkeypatch.setattr(DenseEngine, "unsupported", lambda *args: "Not now.")
    other.fit(*domains)
    assert_alike(clf, other, domains[2], 1e-10)


@on_device
def test_on_a_device_a_stack_ends_as_by_autograd(
    domains, steps, monkeypatch, fit_stack
):
    fit_stack(device="cuda")
    assert steps[:3] == [DenseStep, AutogradStep, DenseStep]
    monkeypatch.setattr(DenseEngine, "unsupported", lambda *args: "Not now.")
    fit_stack(device="cuda")
    for clf, other in zip(*fit_stack.stacks, strict=True):
        assert_alike(clf, other, domains[2], 1e-10)
