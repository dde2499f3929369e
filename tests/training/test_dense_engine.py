"""A fit by derivatives worked out by hand ends as one by autograd."""

import copy

import numpy as np
import pytest
import torch
from helpers import make_domains
from scipy import sparse
from skorch.callbacks import Callback, Freezer, LRScheduler
from torch import nn

from skdann import DANNClassifier
from skdann._multi_fit import fit_many, validate_many
from skdann._training._dense_engine import DenseEngine
from skdann._training._engine import AutogradEngine


@pytest.fixture
def domains():
    """Rows that are not told apart by a single column: fits are far from certain."""
    X, y, X_tgt, _ = make_domains()
    rng = np.random.default_rng(0)
    wide, wide_tgt = rng.normal(size=(len(X), 6)), rng.normal(size=(len(X_tgt), 6))
    wide[:, 0] += X[:, 0] / 4
    wide_tgt[:, 0] += X_tgt[:, 0] / 4 + 0.5
    return wide, y, wide_tgt


ESTIMATES = {"standardize": "auto", "target_prior": "estimate"}  # by a forest


def new(**params):
    return DANNClassifier(
        **{
            "hidden_layer_sizes": (12, 8),
            "domain_hidden_layer_sizes": (9,),
            "dropout": 0.3,
            "max_epochs": 8,
            "random_state": 0,
            "n_estimators": 2,
            "lr": 1e-2,
            "standardize": "source",
            "target_prior": None,
            **params,
        }
    )


def assert_alike(clf, other, X, tolerance=1e-10):
    P, Q = clf.predict_proba(X), other.predict_proba(X)
    # neither certain nor ignorant, where gradients would be next to nothing
    assert 0.005 < np.abs(P - 1 / P.shape[1]).mean() < 0.45
    assert np.abs(P - Q).max() < tolerance
    assert np.abs(clf.predict_domain(X) - other.predict_domain(X)).max() < tolerance
    for row, expected in zip(clf.history_, other.history_, strict=True):
        for name, value in row.items():
            if isinstance(value, float) and name != "dur":
                assert value == pytest.approx(expected[name], abs=tolerance), name


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    "schedules",
    [
        ("annealed", "annealed"),
        ("linear", "cosine"),
        ("constant", "constant"),
        (lambda p: p**2, lambda p: 1 / (1 + p)),
    ],
)
def test_each_optimizer_and_schedule(
    domains, by_autograd, optimizer, momentum, schedules
):
    lambda_schedule, lr_schedule = schedules
    clf, other = (
        new(
            optimizer=optimizer,
            momentum=momentum,
            weight_decay=0.02,
            lambda_schedule=lambda_schedule,
            lr_schedule=lr_schedule,
            lr=0.1 if optimizer == "sgd" else 1e-2,
        )
        for _ in range(2)
    )
    clf.fit(*domains)
    by_autograd(lambda: other.fit(*domains))
    assert_alike(clf, other, domains[2])


SETTINGS = {
    "one network": {"n_estimators": 1},
    "as it comes": {"standardize": None},
    "estimates": ESTIMATES,
    "each domain's scale": {"standardize": "domain"},
    "no dropout": {"dropout": 0.0},
    "much dropout": {"dropout": 0.9},
    "class confusion": {"class_confusion": 0.4},
    "target entropy": {"target_entropy": 0.1},
    "both": {"class_confusion": 0.2, "target_entropy": 0.1},
    "conditional": {"conditional": True},
    "conditional by entropy": {"conditional": "entropy", "target_entropy": 0.1},
    "one conditional network": {"conditional": "entropy", "n_estimators": 1},
    "random products": {
        "conditional": True,
        "hidden_layer_sizes": (2050,),
        "n_estimators": 1,
        "max_epochs": 2,
    },
    "one layer": {"hidden_layer_sizes": (7,), "domain_hidden_layer_sizes": ()},
    "deep heads": {"domain_hidden_layer_sizes": (9, 8, 7)},
    "small batches": {"batch_size": 10},
    "large batches": {"batch_size": 10_000},
    "early stopping": {"early_stopping": True},
    "restarts": {"on_divergence": "restore"},
    "no adversary": {"lambda_max": 0.0},
}
SETTINGS |= {
    name: {"activation": name, "class_confusion": 0.1}
    for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid")
}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting(domains, by_autograd, name):
    clf, other = new(**SETTINGS[name]), new(**SETTINGS[name])
    clf.fit(*domains)
    by_autograd(lambda: other.fit(*domains))
    assert_alike(clf, other, domains[2])


def data_of_all_kinds(X, y, X_tgt):
    few = np.where(np.arange(len(X_tgt)) < 9, 1, -1)
    three = y + (np.arange(len(y)) % 3 == 0)
    weights = {
        "sample_weight": np.linspace(0, 2, len(X)),
        "sample_weight_tgt": np.linspace(0.1, 3, len(X_tgt)),
    }
    yield "known labels", (X, y, X_tgt), {"y_tgt": few}
    yield "weights", (X, y, X_tgt), weights
    yield "weights and known labels", (X, y, X_tgt), {**weights, "y_tgt": few}
    yield "three classes", (X, three, X_tgt), {}
    yield "few rows", (X[:9], y[:9], X_tgt[:1]), {}
    yield "integers", ((10 * X).astype(int), y, (10 * X_tgt).astype(int)), {}
    yield "a sparse matrix", (sparse.csr_matrix(X), y, sparse.csr_matrix(X_tgt)), {}
    yield "rows in columns", (np.asfortranarray(X), y, X_tgt[::-1]), {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "params", [{"standardize": None}, {"class_weight": "balanced", **ESTIMATES}]
)
@pytest.mark.parametrize("kind", range(8))
def test_data_of_each_kind(domains, by_autograd, kind, params):
    _, (X, y, X_tgt), given = list(data_of_all_kinds(*domains))[kind]
    params = {"class_confusion": 0.2, "target_entropy": 0.1, **params}
    clf, other = new(**params), new(**params)
    clf.fit(X, y, X_tgt, **given)
    by_autograd(lambda: other.fit(X, y, X_tgt, **given))
    assert_alike(clf, other, domains[2])


def test_no_target(domains, by_autograd):
    X, y, _ = domains
    clf, other = new(lambda_max=0), new(lambda_max=0)
    clf.fit(X, y)
    by_autograd(lambda: other.fit(X, y))
    assert np.abs(clf.predict_proba(X) - other.predict_proba(X)).max() < 1e-10
    untouched = [clf.module_.domain_classifier, other.module_.domain_classifier]
    for weight, expected in zip(
        *(part.parameters() for part in untouched), strict=True
    ):
        assert torch.equal(weight, expected)


def test_float32_agrees_after_a_step_and_a_fit_is_no_worse(domains, by_autograd):
    X, y, X_tgt = domains
    data = X.astype("f4"), y, X_tgt.astype("f4")
    for epochs, tolerance in ((1, 1e-5), (8, 1e-2)):
        clf, other = (new(max_epochs=epochs, batch_size=400) for _ in range(2))
        clf.fit(*data)
        by_autograd(lambda other=other: other.fit(*data))
        assert clf.net_.dtype == np.float32
        P, Q = clf.predict_proba(data[2]), other.predict_proba(data[2])
        assert np.abs(P - Q).max() < tolerance


@pytest.mark.filterwarnings("ignore:There is no target")
def test_training_goes_on_in_each_way(domains, by_autograd):
    """Warm starts and partial_fit, with a target at first, or from the second on."""
    X, y, X_tgt = domains
    for optimizer in ("adamw", "sgd"):
        for first in (X_tgt, None):
            pair = [new(warm_start=True, optimizer=optimizer, lambda_max=0.5)] * 2
            pair = [copy.deepcopy(clf) for clf in pair]
            for train in (lambda f: f(), by_autograd):
                clf = pair.pop(0)
                pair.append(clf)
                train(lambda clf=clf, first=first: clf.fit(X, y, first))
                train(lambda clf=clf: clf.fit(X, y, X_tgt))
                for _ in range(3):
                    train(lambda clf=clf: clf.partial_fit(X, y, X_tgt))
            assert_alike(*pair, X_tgt)


def test_a_stack_of_all_that_may_differ(domains, by_autograd):
    X, y, X_tgt = domains
    grid = [
        ESTIMATES,
        {"lambda_max": 0.0},
        {"lambda_gamma": 3.0, "lr": 3e-3},
        {"lr_alpha": 2.0, "dropout": 0.1},
        {"momentum": 0.5, "standardize": "domain"},
        {"weight_decay": 0.1, "random_state": 1},
        {"class_weight": "balanced", "class_confusion": 0.3},
        {"random_state": 1, "max_epochs": 5, "dropout": 0.1},
    ]
    few = np.where(np.arange(len(X_tgt)) < 9, 1, -1)
    pair = []
    for train in (lambda f: f(), by_autograd):
        estimators = [new(**{"class_confusion": 0.1, **params}) for params in grid]
        of_all = validate_many(estimators, X, y, X_tgt, y_tgt=few)
        errors = train(lambda e=estimators, d=of_all: fit_many(e, d))
        assert errors == [None] * len(grid)
        pair.append(estimators)
    for clf, other in zip(*pair, strict=True):
        assert_alike(clf, other, X_tgt)


def test_a_stack_with_momentum_and_without(domains, by_autograd):
    X, y, X_tgt = domains
    pair = []
    for train in (lambda f: f(), by_autograd):
        estimators = [
            new(optimizer="sgd", momentum=momentum, lr=0.1) for momentum in (0.0, 0.9)
        ]
        of_all = validate_many(estimators, X, y, X_tgt)
        errors = train(lambda e=estimators, d=of_all: fit_many(e, d))
        assert errors == [None] * 2
        pair.append(estimators)
    for clf, other in zip(*pair, strict=True):
        assert_alike(clf, other, X_tgt)
        kept, expected = (c.net_.optimizer_.state_dict()["state"] for c in (clf, other))
        torch.testing.assert_close(kept, expected, rtol=1e-9, atol=1e-12)


class Counts(Callback):
    """Which engine took an epoch."""

    def __init__(self):
        self.kinds = []

    def on_epoch_end(self, net, **kwargs):
        self.kinds.append(type(net.engine_))


class Listens(Callback):
    def on_batch_end(self, net, **kwargs):
        pass


class Hooks(Callback):
    def on_train_begin(self, net, **kwargs):
        net.module_.label_classifier.register_forward_hook(lambda *args: None)


class MyAdam(torch.optim.Adam):
    pass


def with_batch_norm(n_columns):
    return nn.Sequential(nn.Linear(n_columns, 5), nn.BatchNorm1d(5))


def with_dense_layers(n_columns):
    return nn.Sequential(nn.Linear(n_columns, 5), nn.Tanh())


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, DenseEngine),
        ({"feature_extractor": with_dense_layers}, DenseEngine),
        ({"feature_extractor": with_batch_norm}, AutogradEngine),
        ({"optimizer": torch.optim.AdamW}, DenseEngine),
        ({"optimizer": MyAdam}, AutogradEngine),
        ({"optimizer": torch.optim.RMSprop}, AutogradEngine),
        ({"callbacks": [Listens()]}, AutogradEngine),
        ({"callbacks": [Hooks()]}, AutogradEngine),
        ({"callbacks": [Freezer("feature_extractor*")]}, AutogradEngine),
        ({"callbacks": [LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1)]},
         AutogradEngine),
    ],
)  # fmt: skip
def test_who_takes_the_steps(domains, params, expected):
    counts = Counts()
    callbacks = [*params.pop("callbacks", []), counts]
    new(**params, callbacks=callbacks, max_epochs=3).fit(*domains)
    assert counts.kinds == [expected] * 3


def test_weights_and_moments_of_a_fitted_network_are_its_own(domains):
    """A file, or a copy, of one does not hold all that were trained with it."""
    X, y, X_tgt = domains
    estimators = [new(lr=lr) for lr in (1e-3, 1e-2)]
    assert fit_many(estimators, validate_many(estimators, X, y, X_tgt)) == [None] * 2
    for clf in (*estimators, new().fit(X, y, X_tgt)):
        state = clf.net_.optimizer_.state
        for weight in clf.module_.parameters():
            for value in (weight, *state[weight].values()):
                assert value.untyped_storage().nbytes() == value.nbytes


def test_flags_of_the_processor_are_put_back(domains):
    """Steps flush numbers next to zero; the caller's arithmetic does not change."""
    tiny = torch.full((1,), 1e-310, dtype=torch.float64)
    new(max_epochs=1).fit(*domains)
    assert (tiny * 0.5).item() > 0
    assert torch.set_flush_denormal(True)
    try:
        new(max_epochs=1).fit(*domains)
        assert (tiny * 0.5).item() == 0
    finally:
        torch.set_flush_denormal(False)
