"""Networks trained as a stack end as those trained one by one."""

import gc
import re

import numpy as np
import pytest
import torch
from helpers import PLAIN, make_domains
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from torch import nn

from skdann import DANNClassifier, DivergenceError
from skdann._data._domains import Domains
from skdann._multi_fit import fit_many, validate_many
from skdann._training import _stacking, _train
from skdann.model_selection import DANNGridSearchCV
from skdann.nn._stacked_modules import StackedDANN

# What may differ within a stack, two values each.
DIFFERENT = {
    "lambda_max": (0.2, 0.7),
    "lambda_gamma": (4.0, 10.0),
    "lr": (1e-3, 3e-3),
    "lr_alpha": (5.0, 10.0),
    "lr_beta": (0.5, 0.75),
    "momentum": (0.5, 0.9),
    "weight_decay": (0.0, 0.05),
    "dropout": (0.2, 0.4),
    "random_state": (3, 4),
    "class_weight": (None, "balanced"),
}


def variants(base):
    """The estimator, changed in each way alone and in all at once."""
    second = {name: values[1] for name, values in DIFFERENT.items()}
    yield base
    for name in DIFFERENT:
        yield clone(base).set_params(**{name: second[name]})
    yield clone(base).set_params(**second)


def base(**params):
    first = {name: values[0] for name, values in DIFFERENT.items()}
    return DANNClassifier(
        **{
            **PLAIN,
            **first,
            "hidden_layer_sizes": (16, 8),
            "domain_hidden_layer_sizes": (16,),
            "max_epochs": 5,
            **params,
        }
    )


@pytest.fixture
def stack_sizes(monkeypatch):
    """Record how many networks each stack has."""
    sizes = []
    train_stack = _train._train_stack

    def spy(plans, errors):
        sizes.append(len(plans))
        train_stack(plans, errors)

    monkeypatch.setattr(_train, "_train_stack", spy)
    return sizes


def largest_difference(estimators, X, y, X_tgt=None, max_stacked="auto", **fit_params):
    """Between probabilities after training together and one by one."""
    alone = [clone(e).fit(X, y, X_tgt, **fit_params) for e in estimators]
    domains = validate_many(estimators, X, y, X_tgt, **fit_params)
    errors = fit_many(estimators, domains, max_stacked=max_stacked)
    assert errors == [None] * len(estimators)
    return max(
        np.abs(one.predict_proba(X) - other.predict_proba(X)).max()
        for one, other in zip(alone, estimators, strict=True)
    )


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize(
    "schedules", [("annealed", "annealed"), ("linear", "cosine"), ("constant",) * 2]
)
def test_a_stack_equals_one_by_one(domains, stack_sizes, optimizer, schedules):
    lambda_schedule, lr_schedule = schedules
    estimators = list(
        variants(
            base(
                optimizer=optimizer,
                lambda_schedule=lambda_schedule,
                lr_schedule=lr_schedule,
            )
        )
    )
    assert largest_difference(estimators, *domains) < 1e-6
    assert stack_sizes == [len(estimators)]


def test_schedules_may_differ_within_a_stack(domains, stack_sizes):
    schedules = [
        ("annealed", "cosine"),
        ("linear", "constant"),
        (lambda p: p**2, lambda p: 1 / (1 + p)),
    ]
    estimators = [base(lambda_schedule=a, lr_schedule=b) for a, b in schedules]
    assert largest_difference(estimators, *domains) < 1e-6
    assert stack_sizes == [3]


def test_float32_agrees_up_to_what_rounding_grows_to(domains):
    X, y, X_tgt = domains
    estimators = list(variants(base()))
    assert (
        largest_difference(
            estimators, X.astype(np.float32), y, X_tgt.astype(np.float32)
        )
        < 1e-3
    )


def test_weights_and_known_target_labels_reach_the_stack(domains, stack_sizes):
    X, y, X_tgt = domains
    y_tgt = np.where(np.arange(len(X_tgt)) < 9, 1, -1)
    weight = np.linspace(0, 2, len(X))
    estimators = list(variants(base()))
    difference = largest_difference(
        estimators, X, y, X_tgt, sample_weight=weight, y_tgt=y_tgt
    )
    assert difference < 1e-6
    assert stack_sizes == [len(estimators)]


def test_sparse_rows_and_no_target(domains):
    X, y, X_tgt = domains
    csr, csr_tgt = sparse.csr_matrix(X), sparse.csr_matrix(X_tgt)
    assert largest_difference(list(variants(base())), csr, y, csr_tgt) < 1e-6
    source_only = [base(lambda_max=0, lr=lr) for lr in (1e-3, 1e-2)]
    assert largest_difference(source_only, X, y) < 1e-6


def test_max_stacked_divides_the_candidates(domains, stack_sizes):
    estimators = list(variants(base()))
    assert largest_difference(estimators, *domains, max_stacked=5) < 1e-6
    assert stack_sizes == [5, 5, 2]


def test_what_differs_in_shape_is_trained_apart(domains, stack_sizes):
    estimators = [
        base(hidden_layer_sizes=width, lr=lr)
        for width in ((16,), (16, 8))
        for lr in (1e-3, 1e-2)
    ]
    assert largest_difference(estimators, *domains) < 1e-6
    assert stack_sizes == [2, 2]


class Convolutions(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())


class Gate(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.gate = nn.Parameter(torch.ones(n_features))
        self.layer = nn.Linear(n_features, 8)

    def forward(self, x):
        return self.layer(x * self.gate.sigmoid())


def test_modules_of_the_user_are_stacked_by_vmap(domains, stack_sizes):
    X, y, X_tgt = domains
    estimators = list(variants(base(feature_extractor=Gate, domain_classifier=Gate1)))
    assert largest_difference(estimators, X, y, X_tgt) < 1e-6
    assert stack_sizes == [len(estimators)]


class Gate1(Gate):
    def __init__(self, n_features):
        super().__init__(n_features)
        self.layer = nn.Linear(n_features, 1)


def test_images_with_batch_norm(stack_sizes):
    rng = np.random.default_rng(0)
    X, X_tgt = rng.standard_normal((2, 60, 1, 6, 6))
    y = (X.mean((1, 2, 3)) > 0).astype(int)
    estimators = list(variants(base(feature_extractor=Convolutions, max_epochs=4)))
    assert largest_difference(estimators, X, y, X_tgt) < 1e-6
    assert stack_sizes == [len(estimators)]


class Branching(nn.Linear):
    def __init__(self, n_features):
        super().__init__(n_features, 4)

    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else super().forward(-x)


def halving(module):
    """Return a module whose output a hook halves."""
    module.register_forward_hook(lambda module, args, output: 0.5 * output)
    return module


def halving_gradient(layer):
    """Return a layer, the gradient of whose weight a hook halves."""
    layer.weight.register_hook(lambda gradient: 0.5 * gradient)
    return layer


class Centered(nn.Linear):
    """Subtract a running mean that it replaces at each step."""

    def __init__(self, n_features):
        super().__init__(n_features, 8)
        self.register_buffer("mean", torch.zeros(n_features))

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return super().forward(x - self.mean)


@pytest.mark.parametrize(
    "extractor",
    [
        lambda n: nn.Sequential(nn.Linear(n, 8), nn.ReLU(), nn.Dropout(0.3)),
        Branching,
        lambda n: nn.Sequential(*[nn.Linear(n, n)] * 2),
        lambda n: halving(nn.Linear(n, 8)),
        lambda n: nn.Sequential(halving(nn.Linear(n, 8))),
        lambda n: halving(nn.Sequential(nn.Linear(n, 8))),
        lambda n: halving_gradient(nn.Linear(n, 8)),
        Centered,
    ],
    ids=[
        "draws from torch's generator",
        "branches on values",
        "tied weights",
        "hook of a layer",
        "hook of a layer within",
        "hook of a sequence",
        "hook of a weight",
        "replaces a buffer",
    ],
)
def test_what_cannot_be_stacked_is_trained_alone(domains, stack_sizes, extractor):
    first, *_, last = variants(base(feature_extractor=extractor))
    assert largest_difference([first, last], *domains) == 0
    assert stack_sizes == []


def test_an_optimizer_of_the_user_is_trained_alone(domains, stack_sizes):
    estimators = [
        base(optimizer=torch.optim.RMSprop, lambda_max=peak) for peak in (0.0, 1.0)
    ]
    assert largest_difference(estimators, *domains) == 0
    assert stack_sizes == []


def test_one_that_diverges_leaves_the_others_alone(domains, stack_sizes):
    X, y, X_tgt = domains
    wild = base(optimizer="sgd", lr=1e6)
    tame = [base(optimizer="sgd", lr=lr) for lr in (1e-3, 1e-2)]
    estimators = [tame[0], wild, tame[1]]
    errors = fit_many(estimators, validate_many(estimators, X, y, X_tgt))
    assert stack_sizes == [3]
    assert [type(error) for error in errors] == [
        type(None),
        DivergenceError,
        type(None),
    ]
    assert not hasattr(wild, "classes_")
    with pytest.raises(DivergenceError) as alone:
        clone(wild).fit(X, y, X_tgt)
    assert str(errors[1]).split("(")[0] == str(alone.value).split("(")[0]
    for estimator in tame:
        expected = clone(estimator).fit(X, y, X_tgt).predict_proba(X)
        assert np.abs(estimator.predict_proba(X) - expected).max() < 1e-6


def test_an_invalid_candidate_leaves_the_others_alone(domains):
    estimators = [base(lr=-1.0), base(), base(lr=1e-2)]
    errors = fit_many(estimators, validate_many(estimators, *domains))
    assert "lr" in str(errors[0])
    assert errors[1:] == [None, None]


def test_stacks_respect_memory(monkeypatch, stack_sizes):
    X, y, X_tgt, _ = make_domains()
    monkeypatch.setattr(_stacking, "MAX_BYTES_CPU", 10 * 2**10)
    estimators = [base(lr=lr) for lr in (1e-3, 2e-3, 3e-3)]
    assert largest_difference(estimators, X, y, X_tgt) < 1e-6
    assert stack_sizes == []  # not even two fit in 10 KiB


def test_the_global_generators_are_untouched(domains):
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    estimators = [base(lr=lr) for lr in (1e-3, 2e-3)]
    fit_many(estimators, validate_many(estimators, *domains))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


def assert_same_histories(estimators, alone):
    for estimator, other in zip(estimators, alone, strict=True):
        assert estimator.n_iter_ == other.n_iter_
        for row, expected in zip(estimator.history_, other.history_, strict=True):
            assert set(row) == set(expected)
            for key in set(row) - {"dur", "batches"}:
                assert row[key] == pytest.approx(expected[key], abs=1e-6), key


def assert_as_alone(estimators, domains, **fit_params):
    """Fit together and one by one; return the latter."""
    alone = [clone(e).fit(*domains, **fit_params) for e in estimators]
    validated = validate_many(estimators, *domains, **fit_params)
    assert fit_many(estimators, validated) == [None] * len(estimators)
    assert_same_histories(estimators, alone)
    X_tgt = domains[2]
    for one, other in zip(alone, estimators, strict=True):
        for method in ("predict_proba", "predict_domain"):
            p, q = getattr(one, method)(X_tgt), getattr(other, method)(X_tgt)
            np.testing.assert_allclose(p, q, atol=1e-6)
    return alone


def test_candidates_of_different_length_are_one_stack(domains, stack_sizes):
    lengths = (3, 10, 10, 7, 1)
    estimators = [
        base(max_epochs=n, random_state=n % 2, lr=1e-3 + i / 1e4)
        for i, n in enumerate(lengths)
    ]
    alone = assert_as_alone(estimators, domains)
    assert stack_sizes == [5]
    assert [clf.n_iter_ for clf in alone] == list(lengths)


def test_early_stopping_ends_each_where_it_ends_alone(domains, stack_sizes):
    estimators = [
        base(early_stopping=True, max_epochs=40, lr=lr, **params)
        for lr in (1e-3, 1e-2)
        for params in (
            {"n_iter_no_change": 2},
            {"n_iter_no_change": 5, "scoring": "neg_entropy"},
            {"n_iter_no_change": 40, "random_state": 5},
        )
    ]
    alone = assert_as_alone(estimators, domains)
    assert stack_sizes == [6]
    assert len({clf.n_iter_ for clf in alone}) > 2  # they leave one after the other


def test_one_that_restores_ends_as_it_ends_alone(domains, stack_sizes):
    def explode_once():
        seen = []

        def schedule(progress):
            seen.append(progress)
            return 1e30 if 0.28 < progress < 0.32 and seen.count(progress) == 1 else 1.0

        return schedule

    def estimators():
        shared = {"optimizer": "sgd", "lr": 0.01, "on_divergence": "restore"}
        return [
            base(**shared, lr_schedule="constant"),
            base(**shared, lr_schedule=explode_once()),
            base(**shared, lr_schedule="cosine", max_epochs=6),
        ]

    with pytest.warns(ConvergenceWarning, match="0.5 of the learning rate") as warned:
        alone = [clf.fit(*domains) for clf in estimators()]
    assert sum("of the learning rate" in str(w.message) for w in warned) == 1
    together = estimators()
    with pytest.warns(ConvergenceWarning, match="0.5 of the learning rate") as warned:
        errors = fit_many(together, validate_many(together, *domains))
    assert errors == [None] * 3
    assert {w.filename for w in warned} == {__file__}
    assert stack_sizes == [3]
    assert_same_histories(together, alone)
    assert alone[1].history_[-1, "lr"] == 0.005
    for one, other in zip(alone, together, strict=True):
        p, q = one.predict_proba(domains[0]), other.predict_proba(domains[0])
        np.testing.assert_allclose(p, q, atol=1e-6)


def test_one_that_can_not_be_restored_leaves_the_others_alone(domains, stack_sizes):
    tame = {"optimizer": "sgd", "lr": 0.01, "on_divergence": "restore"}
    wild = base(**{**tame, "lr": 1e9}, lr_schedule="constant")
    estimators = [base(**tame), wild, base(**tame, lambda_max=1.0)]
    with pytest.warns(ConvergenceWarning) as warned:
        errors = fit_many(estimators, validate_many(estimators, *domains))
    assert [type(e) for e in errors] == [type(None), DivergenceError, type(None)]
    assert sum("of the learning rate" in str(w.message) for w in warned) == 10
    assert stack_sizes == [3]


def test_weights_of_loss_terms_may_differ_within_a_stack(domains, stack_sizes):
    estimators = [
        base(class_confusion=weight, lambda_max=lambda_max)
        for weight in (0.0, 0.2, 1.0)
        for lambda_max in (0.0, 1.0)
    ]
    assert_as_alone(estimators, domains)
    assert sorted(stack_sizes) == [2, 4]  # with the term, and without


@pytest.mark.parametrize("first", [None, "balanced"])
def test_class_weights_of_one_seed_alone(domains, stack_sizes, first):
    """Networks of other seeds see other rows; theirs have no weights."""
    X, y, X_tgt = domains
    y = np.where(np.arange(len(y)) % 4, 1, y)  # mostly of one class
    other = "balanced" if first is None else None
    estimators = [
        base(class_weight=weight, random_state=seed, max_epochs=n)
        for seed, weight, n in [(3, first, 6), (3, other, 2), (4, other, 6)]
    ]
    assert_as_alone(estimators, (X, y, X_tgt))
    assert_as_alone([clone(clf) for clf in estimators[::2]], (X, y, X_tgt))
    assert stack_sizes == [3, 2]


def test_members_that_restore_and_others_leave_one_stack(domains, stack_sizes):
    estimators = [
        base(on_divergence=how, max_epochs=n, lambda_max=0.5)
        for how in ("raise", "restore")
        for n in (2, 5, 9)
    ]
    assert_as_alone(estimators, domains)
    assert stack_sizes == [6]  # and nothing was tried again in halves


def test_members_of_a_stack_go_on_as_those_that_were_trained_alone(domains):
    """Optimizer and generators are theirs, too."""
    estimators = [base(lr=lr, max_epochs=6) for lr in (1e-3, 3e-3)]
    alone = assert_as_alone(estimators, domains)
    for one, other in zip(alone, estimators, strict=True):
        p = one.partial_fit(*domains).predict_proba(domains[0])
        q = other.partial_fit(*domains).predict_proba(domains[0])
        np.testing.assert_allclose(p, q, atol=1e-6)


def test_members_of_a_stack_share_no_memory_afterwards(domains):
    estimators = [base(lr=lr) for lr in (1e-3, 3e-3)]
    fit_many(estimators, validate_many(estimators, *domains))
    pairs = zip(*(clf.module_.parameters() for clf in estimators), strict=True)
    for one, other in pairs:
        storages = one.untyped_storage(), other.untyped_storage()
        assert storages[0].data_ptr() != storages[1].data_ptr()
        assert storages[0].nbytes() == one.nbytes


def fails_late(error):
    def schedule(progress):
        if 0.6 < progress < 0.7:
            raise error
        return 1.0

    return schedule


@pytest.mark.parametrize(
    ("error", "expected", "says"),
    [
        (ZeroDivisionError("on purpose"), ValueError, "lr_schedule.*on purpose"),
        (MemoryError("not enough memory"), MemoryError, "batch_size=128"),
    ],
)
@pytest.mark.parametrize("position", [0, 2, 4])
def test_an_error_in_training_fails_the_one_at_fault(
    domains, stack_sizes, error, expected, says, position
):
    """An error of memory comes with the advice that a single fit gives."""
    estimators = [base(lr=lr) for lr in (1e-3, 2e-3, 3e-3, 4e-3, 5e-3)]
    alone = [clone(clf).fit(*domains) for clf in estimators]
    estimators[position].set_params(lr_schedule=fails_late(error))
    errors = fit_many(estimators, validate_many(estimators, *domains))
    assert stack_sizes[0] == 5
    for i, found in enumerate(errors):
        assert type(found) is (expected if i == position else type(None))
    assert re.search(says, str(errors[position]))
    for i, (one, other) in enumerate(zip(alone, estimators, strict=True)):
        if i != position:
            p, q = one.predict_proba(domains[0]), other.predict_proba(domains[0])
            np.testing.assert_allclose(p, q, atol=1e-6)
    assert not hasattr(estimators[position], "classes_")


def test_an_error_of_a_score_fails_the_one_it_is_of(domains, stack_sizes):
    def broken(estimator, X, y, X_tgt):
        raise ZeroDivisionError("no score today")

    shared = {"early_stopping": True, "n_iter_no_change": 3}
    estimators = [
        base(**shared),
        base(**shared, scoring=broken),
        base(**shared, lr=2e-3),
    ]
    errors = fit_many(estimators, validate_many(estimators, *domains))
    assert [type(e) for e in errors] == [type(None), ZeroDivisionError, type(None)]
    assert stack_sizes == [3]


def test_a_search_survives_what_one_candidate_raises(domains):
    clf = base(max_epochs=3)
    grid = {"lr_schedule": ["constant", fails_late(ZeroDivisionError("on purpose"))]}
    with pytest.warns(FitFailedWarning, match="4 of 8 fits failed"):
        search = DANNGridSearchCV(clf, grid | {"lambda_max": [0, 1]}, cv=2).fit(
            *domains
        )
    assert np.isfinite(search.cv_results_["mean_test_score"]).sum() == 2


def test_invalid_candidates_of_any_kind_leave_the_others_alone(domains):
    wrong = [{"class_weight": {7: 2.0}}, {"lambda_max": None}, {"lr": "x"}]
    estimators = [base(), *(base(**params) for params in wrong), base(lr=1e-2)]
    errors = fit_many(estimators, validate_many(estimators, *domains))
    assert errors[0] is errors[-1] is None
    for error, params in zip(errors[1:-1], wrong, strict=True):
        assert isinstance(error, ValueError)
        assert next(iter(params)) in str(error)


@pytest.mark.parametrize("max_stacked", [1, "auto"])
def test_an_interrupt_ends_the_training_of_all(domains, max_stacked):
    calls = []

    def interrupt(progress):
        calls.append(progress)
        if 0.4 < progress < 0.5:
            raise KeyboardInterrupt
        return 1.0

    estimators = [base(lr_schedule=interrupt, lr=lr) for lr in (1e-3, 2e-3, 3e-3)]
    with pytest.raises(KeyboardInterrupt):
        fit_many(
            estimators, validate_many(estimators, *domains), max_stacked=max_stacked
        )
    n_steps = sum(progress not in (0.0, 0.5, 1.0) for progress in calls)
    assert n_steps < 3 * 20  # of 3 * 40; one by one the second has not begun
    if max_stacked == 1:
        assert n_steps < 20
    assert not any(hasattr(clf, "net_") for clf in estimators)


def test_what_failed_does_not_keep_its_stack_in_memory(domains):
    estimators = [
        base(lr=lr, lr_schedule="constant", optimizer="sgd", max_epochs=n)
        for lr, n in [(1e9, 5), (1e7, 5), (1e-3, 3), (1e-3, 5)]
    ]
    gc.collect()
    gc.disable()
    try:
        errors = fit_many(estimators, validate_many(estimators, *domains))
        assert [error is None for error in errors] == [False, False, True, True]
        gc.collect()
        assert not [x for x in gc.get_objects() if type(x) is StackedDANN]
    finally:
        gc.enable()


def test_a_fit_keeps_nothing_of_its_data_in_memory(small, domains):
    """Not even until Python looks for circles: the data may be large."""

    def find():
        return {id(x) for x in gc.get_objects() if type(x) is Domains}

    gc.collect()
    gc.disable()
    try:
        before = find()
        clf = small().fit(*domains)
        assert not find() - before
        assert clf.n_iter_ == 3
    finally:
        gc.enable()


def test_what_would_end_the_same_is_trained_once(domains, stack_sizes):
    """Without an adversary its schedule does not matter."""
    grid = [(0, 5), (0.3, 5), (0, 10), (0.3, 10), (0, 10)]
    estimators = [base(lambda_max=a, lambda_gamma=b, random_state=0) for a, b in grid]
    estimators += [base(random_state=None) for _ in range(2)]
    estimators.append(base(lambda_max=0, lambda_schedule=lambda p: p))
    errors = fit_many(estimators, validate_many(estimators, *domains))
    assert errors == [None] * 8
    assert stack_sizes == [6]
    P = [clf.predict_proba(domains[2]) for clf in estimators]
    assert np.array_equal(P[0], P[2])
    assert np.array_equal(P[0], P[4])
    assert not np.array_equal(P[1], P[3])
    assert not np.array_equal(P[5], P[6])
    assert estimators[2].net_ is not estimators[0].net_
    assert estimators[2].lambda_gamma == 10
    alone = clone(estimators[2]).fit(*domains)
    assert np.abs(alone.predict_proba(domains[2]) - P[2]).max() < 1e-6
    assert [row["train_loss"] for row in estimators[2].history_] == [
        row["train_loss"] for row in estimators[0].history_
    ]
    estimators[2].partial_fit(*domains)
    assert np.array_equal(P[0], estimators[0].predict_proba(domains[2]))
