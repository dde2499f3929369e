"""Gradient reversal, the losses and their saddle point, against the equations."""

import math

import pytest
import torch
from algorithm_1 import algorithm_1, assert_trained
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from skdann.nn import DANN, GradientReversal, domain_loss, label_loss, reverse_gradient


@pytest.fixture
def network():
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = DANN(
        nn.Sequential(nn.Linear(4, 6), nn.Tanh()),
        nn.Linear(6, 3),
        nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1)),
    ).double()
    torch.random.set_rng_state(torch_state)
    return network


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(7, 4, generator=generator, dtype=torch.float64)
    y = torch.tensor([0, 1, 2, 0])
    return X, y, 4  # four source rows, three target rows


@given(st.floats(0, 100))
def test_reversal_is_the_identity_forwards_and_minus_lambda_backwards(lambda_):
    x = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    out = GradientReversal(lambda_)(x)
    assert torch.equal(out, x)
    upstream = torch.arange(5.0, dtype=torch.float64)
    out.backward(upstream)
    assert torch.equal(x.grad, -lambda_ * upstream)


def test_reversal_of_a_reversal_is_the_product_of_lambdas():
    x = torch.ones(3, requires_grad=True)
    reverse_gradient(reverse_gradient(x, 2.0), 3.0).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0, 6.0]


def test_each_row_may_have_a_lambda_of_its_own():
    x = torch.ones(3, 2, requires_grad=True)
    reverse_gradient(x, torch.tensor([[0.0], [0.5], [2.0]])).sum().backward()
    assert x.grad[:, 0].tolist() == [0.0, -0.5, -2.0]


@pytest.mark.parametrize("lambda_", [0.0, 0.1, 1.0, 7.5])
def test_gradients_are_those_of_the_papers_updates(network, batch, lambda_):
    """Equations 4 to 6: every gradient by a separate call of autograd."""
    X, y, n = batch
    is_target = (torch.arange(len(X)) >= n).double()

    def losses():
        features = network.extract(X)
        logits = network.domain_classifier(features).flatten()  # no reversal
        label = label_loss(network.label_classifier(features[:n]), y)
        return label, domain_loss(logits, is_target)

    parts = network.feature_extractor, network.label_classifier
    theta_f, theta_y, theta_d = (
        list(part.parameters()) for part in (*parts, network.domain_classifier)
    )
    of_label_in_f = torch.autograd.grad(losses()[0], theta_f)
    of_domain_in_f = torch.autograd.grad(losses()[1], theta_f)
    expected_y = torch.autograd.grad(losses()[0], theta_y)
    expected_d = torch.autograd.grad(losses()[1], theta_d)
    expected_f = [
        a - lambda_ * b for a, b in zip(of_label_in_f, of_domain_in_f, strict=True)
    ]

    network.gradient_reversal.lambda_ = lambda_
    label_logits, domain_logits = network(X)
    loss = label_loss(label_logits[:n], y)
    (loss + domain_loss(domain_logits, is_target)).backward()

    trained = [*theta_f, *theta_y, *theta_d]
    expected = [*expected_f, *expected_y, *expected_d]
    for weight, gradient in zip(trained, expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-12, atol=1e-14)


def test_label_loss_is_the_weighted_mean_of_minus_log_p():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    weight = torch.tensor([0.5, 1.5])
    p0 = math.exp(2) / (math.exp(2) + 1)
    p1 = math.exp(1) / (math.exp(1) + 1)
    expected = (0.5 * -math.log(p0) + 1.5 * -math.log(p1)) / 2
    loss = label_loss(logits, torch.tensor([0, 1]), weight)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_domain_loss_counts_each_domain_one_half():
    logits = torch.tensor([0.3, -1.0, 2.0, 0.7], dtype=torch.float64)
    is_target = torch.tensor([0, 0, 0, 1], dtype=torch.float64)

    def bce(logit, domain):
        p = 1 / (1 + math.exp(-logit))
        return -math.log(p if domain else 1 - p)

    expected = 0.5 * sum(bce(d, 0) for d in (0.3, -1.0, 2.0)) / 3
    expected += 0.5 * bce(0.7, 1)
    assert domain_loss(logits, is_target).item() == pytest.approx(expected, rel=1e-12)


def test_domain_loss_of_ignorance_is_log_2():
    loss = domain_loss(torch.zeros(7), torch.tensor([0.0] * 5 + [1.0] * 2))
    assert loss.item() == pytest.approx(math.log(2))


def test_weighted_domain_loss_equals_repeated_rows():
    logits = torch.tensor([0.3, -1.0, 0.1], dtype=torch.float64)
    is_target = torch.tensor([0, 0, 1], dtype=torch.float64)
    weight = torch.tensor([1 / 8, 3 / 8, 1 / 2], dtype=torch.float64)
    rows = [0, 1, 1, 1, 2]
    torch.testing.assert_close(
        domain_loss(logits, is_target, weight),
        domain_loss(logits[rows], is_target[rows]),
    )


def test_losses_stay_finite_for_huge_logits():
    huge = torch.tensor([1e4, -1e4])
    assert domain_loss(huge, torch.tensor([0.0, 1.0])).isfinite()
    assert label_loss(torch.tensor([[1e4, -1e4]]), torch.tensor([1])).isfinite()


def test_algorithm_1_of_the_jmlr_paper():
    network, X, steps, *expected = algorithm_1()
    network.gradient_reversal.lambda_ = 2 * 0.5
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    is_target = torch.tensor([0.0, 1.0], dtype=torch.float64)
    for rows, y in steps:
        optimizer.zero_grad()
        label_logits, domain_logits = network(rows)
        loss = label_loss(label_logits[:1], y)
        (loss + domain_loss(domain_logits, is_target)).backward()
        optimizer.step()
    assert_trained(network, X, *expected)
