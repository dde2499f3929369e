"""A step, as training takes it, is the papers' update: of one network, or of many."""

import copy
from dataclasses import fields

import pytest
import torch
from algorithm_1 import algorithm_1, assert_trained
from torch import nn

from skdann._training._batches import SOURCE, TARGET, Batch
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


@pytest.mark.parametrize(("lambda_", "class_confusion"), SETTINGS)
def test_a_step_of_plain_descent_is_the_papers_update(lambda_, class_confusion):
    network, batch = make_network(0), make_batch(0)
    before = copy.deepcopy(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=99.0)  # the schedule's counts
    engine = AutogradEngine(network, optimizer)
    weights = {"class_confusion": class_confusion} if class_confusion else {}
    engine.begin(
        Objective("cross_entropy", list(weights)), [schedules(lambda_, **weights)]
    )
    step = engine.step(batch, [0.5])
    gradients = expected_gradients(before, batch, lambda_, class_confusion)
    for new, old, gradient in zip(
        network.parameters(), before.parameters(), gradients, strict=True
    ):
        torch.testing.assert_close(new, old - LR * gradient, rtol=1e-12, atol=1e-14)
    total = step.losses["label"] + step.losses["domain"]
    if class_confusion:
        total = total + class_confusion * step.losses["class_confusion"]
    assert step.losses["train"].item() == pytest.approx(total.item(), rel=1e-12)


@pytest.mark.parametrize("class_confusion", [False, True])
def test_a_step_of_a_stack_is_the_papers_update_of_each(class_confusion):
    """Each network has its own weights, rows, lambda and weight of a term."""
    networks = [make_network(seed) for seed in range(3)]
    batches = [make_batch(seed) for seed in range(3)]
    before = copy.deepcopy(networks)
    lambdas, terms = (0.0, 0.3, 7.5), (0.2, 0.5, 0.9)
    stacked = stack_modules(networks)
    weights = [w for part in stacked_parts(stacked) for w in part.weights.values()]
    engine = AutogradEngine(stacked, torch.optim.SGD(weights, lr=99.0))
    names = ["class_confusion"] if class_confusion else []
    engine.begin(
        Objective("cross_entropy", names),
        [
            schedules(lambda_, **dict.fromkeys(names, term))
            for lambda_, term in zip(lambdas, terms, strict=True)
        ],
    )
    names = [field.name for field in fields(Batch) if field.name != "weighs_target"]
    batch = Batch(
        *(torch.stack([getattr(batch, name) for batch in batches]) for name in names)
    )
    step = engine.step(batch, [0.5] * 3)
    assert step.losses["train"].shape == (3,)
    for i, network in enumerate(networks):
        term = terms[i] if class_confusion else 0.0
        gradients = expected_gradients(before[i], batches[i], lambdas[i], term)
        for new, old, gradient in zip(
            network.parameters(), before[i].parameters(), gradients, strict=True
        ):
            torch.testing.assert_close(
                new.detach(), old.detach() - LR * gradient, rtol=1e-12, atol=1e-14
            )


def test_algorithm_1_of_the_jmlr_paper_by_the_engine():
    network, X, steps, *expected = algorithm_1()
    engine = AutogradEngine(network, torch.optim.SGD(network.parameters(), lr=1.0))
    engine.begin(Objective("cross_entropy"), [schedules(2 * 0.5)])
    domain, half = torch.tensor([SOURCE, TARGET]), torch.tensor([0.5, 0.5], **DOUBLE)
    for rows, y in steps:
        engine.step(Batch(rows, y, None, domain, half), [0.0])
    assert_trained(network, X, *expected)


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_an_engine_goes_back_to_a_state(optimizer):
    network, batch = make_network(0), make_batch(0)
    options = {"momentum": 0.9} if optimizer is torch.optim.SGD else {}
    engine = AutogradEngine(network, optimizer(network.parameters(), lr=LR, **options))
    engine.begin(Objective("cross_entropy"), [schedules(0.5)])
    engine.step(batch, [0.0])
    state = copy.deepcopy(engine.state_dict())
    losses = [engine.step(batch, [0.1]).losses["train"].item() for _ in range(3)]
    engine.load_state_dict(state)
    again = [engine.step(batch, [0.1]).losses["train"].item() for _ in range(3)]
    assert losses == again
    assert len(set(losses)) == 3


def test_autograd_trains_whatever_torch_computes():
    network = make_network(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    objective = Objective("cross_entropy")
    assert AutogradEngine.unsupported(network, objective, optimizer) is None
