"""A step, as training takes it, is the papers' update: of one network, or of many."""

import copy
from dataclasses import MISSING, fields
from functools import partial

import pytest
import torch
from algorithm_1 import algorithm_1, assert_trained
from torch import nn

from skdann._training._batches import SOURCE, TARGET, Batch
from skdann._training._dense_engine import DenseEngine
from skdann._training._engine import AutogradEngine, Schedules
from skdann._training._objective import Objective
from skdann.nn import DANN, class_confusion_loss, domain_loss, label_loss
from skdann.nn._stacked_modules import stack_modules, stacked_parts
from skdann.schedules import ScaledSchedule

LR = 0.1
DOUBLE = {"dtype": torch.float64}


def make_network(seed):
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    network = DANN(
        nn.Sequential(nn.Linear(4, 6), nn.Tanh()),
        nn.Linear(6, 3),
        nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1)),
    ).double()
    torch.random.set_rng_state(state)
    return network


def make_batch(seed):
    """Four source rows, a labelled target row, and three target rows."""
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        X=torch.randn(8, 4, generator=generator, **DOUBLE),
        y=torch.randint(3, (5,), generator=generator),
        label_weight=torch.rand(5, generator=generator, **DOUBLE),
        domain=torch.tensor([SOURCE] * 4 + [TARGET] * 4),
        domain_weight=torch.tensor([1 / 8] * 4 + [0] + [1 / 6] * 3, **DOUBLE),
    )


def autograd_engine(networks, optimizer):
    """One network, or several as a stack."""
    if len(networks) == 1:
        return AutogradEngine(networks[0], optimizer(networks[0].parameters()))
    stacked = stack_modules(networks)
    weights = [w for part in stacked_parts(stacked) for w in part.weights.values()]
    return AutogradEngine(stacked, optimizer(weights))


def dense_engine(networks, optimizer):
    return DenseEngine(
        networks,
        [optimizer(network.parameters()) for network in networks],
        range(len(networks)),
    )


ENGINES = pytest.mark.parametrize("engine", [autograd_engine, dense_engine])


def plain_descent(weights):
    return torch.optim.SGD(weights, lr=99.0)  # the schedule's counts


def train(engine, batches, progress=0.5):
    """Take a step on each batch; return the mean losses."""
    engine.begin_epoch(len(batches))
    for batch in batches:
        engine.step(batch, [progress] * len(engine.schedules))
    return engine.finish_epoch().means()


def join(engine, batches):
    """Return a batch of a stack, whose networks each see rows of their own."""
    names = [field.name for field in fields(Batch) if field.default is MISSING]
    joined = Batch(
        *(torch.stack([getattr(batch, name) for batch in batches]) for name in names)
    )
    if isinstance(engine, DenseEngine):
        joined.X = tuple(batch.X for batch in batches)
    return joined


def schedules(lambda_, lr=LR, **weights):
    of_terms = tuple((name, ScaledSchedule(w)) for name, w in weights.items())
    return Schedules(ScaledSchedule(lambda_), ScaledSchedule(lr), of_terms)


def expected_gradients(network, batch, lambda_, class_confusion):
    """Equations 4 to 6 of the paper, each part by a separate call of autograd."""
    parts = network.feature_extractor, network.label_classifier
    theta_f, theta_y, theta_d = (
        list(part.parameters()) for part in (*parts, network.domain_classifier)
    )

    def losses():
        features = network.feature_extractor(batch.X)
        logits = network.label_classifier(features)
        d = network.domain_classifier(features).flatten()  # no reversal
        label = label_loss(logits[:5], batch.y, batch.label_weight)
        label = label + class_confusion * class_confusion_loss(logits[5:])
        return label, domain_loss(d, batch.domain, batch.domain_weight)

    of_label = torch.autograd.grad(losses()[0], theta_f)
    of_domain = torch.autograd.grad(losses()[1], theta_f)
    of_f = [a - lambda_ * b for a, b in zip(of_label, of_domain, strict=True)]
    of_y = torch.autograd.grad(losses()[0], theta_y)
    return [*of_f, *of_y, *torch.autograd.grad(losses()[1], theta_d)]


SETTINGS = [(0.0, 0.0), (0.3, 0.0), (7.5, 0.0), (0.3, 0.2), (1.0, 0.9)]


@ENGINES
@pytest.mark.parametrize(("lambda_", "class_confusion"), SETTINGS)
def test_a_step_of_plain_descent_is_the_papers_update(engine, lambda_, class_confusion):
    network, batch = make_network(0), make_batch(0)
    before = copy.deepcopy(network)
    engine = engine([network], plain_descent)
    weights = {"class_confusion": class_confusion} if class_confusion else {}
    engine.begin(
        Objective("cross_entropy", list(weights)), [schedules(lambda_, **weights)]
    )
    losses = train(engine, [batch])
    gradients = expected_gradients(before, batch, lambda_, class_confusion)
    for new, old, gradient in zip(
        network.parameters(), before.parameters(), gradients, strict=True
    ):
        torch.testing.assert_close(new, old - LR * gradient, rtol=1e-12, atol=1e-14)
    total = losses["label"] + losses["domain"]
    if class_confusion:
        total = total + class_confusion * losses["class_confusion"]
    assert losses["train"] == pytest.approx(total, rel=1e-12)


@ENGINES
@pytest.mark.parametrize("class_confusion", [False, True])
def test_a_step_of_a_stack_is_the_papers_update_of_each(engine, class_confusion):
    """Each network has its own weights, rows, lambda and weight of a term."""
    networks = [make_network(seed) for seed in range(3)]
    batches = [make_batch(seed) for seed in range(3)]
    before = copy.deepcopy(networks)
    lambdas, terms = (0.0, 0.3, 7.5), (0.2, 0.5, 0.9)
    engine = engine(networks, plain_descent)
    names = ["class_confusion"] if class_confusion else []
    engine.begin(
        Objective("cross_entropy", names),
        [
            schedules(lambda_, **dict.fromkeys(names, term))
            for lambda_, term in zip(lambdas, terms, strict=True)
        ],
    )
    losses = train(engine, [join(engine, batches)])
    assert len(losses["train"]) == 3
    for i, network in enumerate(networks):
        term = terms[i] if class_confusion else 0.0
        gradients = expected_gradients(before[i], batches[i], lambdas[i], term)
        for new, old, gradient in zip(
            network.parameters(), before[i].parameters(), gradients, strict=True
        ):
            torch.testing.assert_close(
                new.detach(), old.detach() - LR * gradient, rtol=1e-12, atol=1e-14
            )


@ENGINES
def test_algorithm_1_of_the_jmlr_paper_by_the_engine(engine):
    network, X, steps, *expected = algorithm_1()
    engine = engine([network], plain_descent)
    engine.begin(Objective("cross_entropy"), [schedules(2 * 0.5)])
    domain, half = torch.tensor([SOURCE, TARGET]), torch.tensor([0.5, 0.5], **DOUBLE)
    batches = [Batch(rows, y, None, domain, half) for rows, y in steps]
    train(engine, batches, progress=0.0)
    assert_trained(network, X, *expected)


OPTIMIZERS = {
    "adamw": torch.optim.AdamW,
    "adam": partial(torch.optim.Adam, weight_decay=0.1),
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9, weight_decay=0.1),
}


@ENGINES
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_engine_goes_back_to_a_snapshot(engine, optimizer):
    """Of all that a file says: weights, moments, counts of steps and learning rate."""
    network, batch = make_network(0), make_batch(0)
    optimizers = []

    def make(weights):
        optimizers.append(OPTIMIZERS[optimizer](weights, lr=LR))
        return optimizers[0]

    engine = engine([network], make)
    falling = ScaledSchedule(LR, lambda progress: 1 - progress)
    engine.begin(Objective("cross_entropy"), [schedules(0.5)._replace(lr=falling)])
    train(engine, [batch], progress=0.1)
    snapshot = engine.snapshot()
    before = copy.deepcopy([network.state_dict(), optimizers[0].state_dict()])
    steps = [0.2, 0.3, 0.4]
    losses = [train(engine, [batch], progress)["train"] for progress in steps]
    engine.go_back(snapshot)
    after = [network.state_dict(), optimizers[0].state_dict()]
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    again = [train(engine, [batch], progress)["train"] for progress in steps]
    assert losses == again
    assert len(set(losses)) == 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_engines_hand_a_network_over_to_one_another(optimizer):
    """Weights and moments are where torch has them, in the midst of training, too."""
    networks = make_network(0), make_network(0)
    make = partial(OPTIMIZERS[optimizer], lr=LR)
    optimizers = [make(network.parameters()) for network in networks]
    batches = [make_batch(seed) for seed in range(4)]
    alone = AutogradEngine(networks[1], optimizers[1])
    alone.begin(Objective("cross_entropy"), [schedules(0.5)])
    train(alone, batches * 3)
    for kind in ("dense", "autograd", "dense"):
        engine = AutogradEngine(networks[0], optimizers[0])
        if kind == "dense":
            engine = DenseEngine([networks[0]], [optimizers[0]])
        engine.begin(Objective("cross_entropy"), [schedules(0.5)])
        train(engine, batches)
        engine.end()
    states = [network.state_dict() for network in networks]
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-11, atol=1e-13)
    kept = [optimizer.state_dict()["state"] for optimizer in optimizers]
    torch.testing.assert_close(kept[0], kept[1], rtol=1e-11, atol=1e-13)


def test_autograd_trains_whatever_torch_computes():
    network = make_network(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    objective = Objective("cross_entropy")
    assert AutogradEngine.unsupported(network, objective, optimizer) is None
