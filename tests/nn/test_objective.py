"""Gradient reversal, the losses and their saddle point, against the equations."""

import math

import pytest
import torch
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
    """One epoch of the shallow network, sample by sample.

    The paper's lambda of 0.5 multiplies the sum of both domains' losses: 1 for their
    mean. It scales the domain classifier's own update as well, by 0.5 of the sum,
    which is 1 of the mean. So one learning rate serves all. The reference trains its
    domain classifier towards 1 on the source: its u and z are minus those here.
    """
    rows = {"dtype": torch.float64}
    X = torch.tensor([[1, 2], [-1, 0.5], [0.3, -0.7]], **rows)
    y = torch.tensor([0, 1, 1])
    X_tgt = torch.tensor([[0.5, 0.5], [2, -1], [-0.4, 1.5]], **rows)
    hidden, label, domain = nn.Linear(2, 3), nn.Linear(3, 2), nn.Linear(3, 1)
    network = DANN(nn.Sequential(hidden, nn.Sigmoid()), label, domain).double()
    W0 = [
        [0.1069450288, 0.4714562804],
        [0.2251432766, 0.0983341271],
        [-0.1672639542, 0.3196379870],
    ]
    V0 = [
        [-0.1367395691, 0.8583316398, 1.0158342120],
        [-0.2553668376, 0.6391375358, 0.0633055974],
    ]
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        hidden.weight.copy_(torch.tensor(W0))
        label.weight.copy_(torch.tensor(V0))

    network.gradient_reversal.lambda_ = 2 * 0.5
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for i, j in zip([0, 1, 2], [0, 1, 1], strict=True):
        optimizer.zero_grad()
        label_logits, domain_logits = network(torch.stack([X[i], X_tgt[j]]))
        loss = label_loss(label_logits[:1], y[i : i + 1])
        (loss + domain_loss(domain_logits, torch.tensor([0.0, 1.0], **rows))).backward()
        optimizer.step()

    W = [
        [0.1102537213, 0.4723188118],
        [0.2303401659, 0.1013900090],
        [-0.1474269065, 0.3346077366],
    ]
    V = [
        [-0.1770801791, 0.8145892011, 0.9678392653],
        [-0.2150262276, 0.6828799745, 0.1113005440],
    ]
    expected = {
        hidden.weight: W,
        hidden.bias: [-0.0034983680, -0.0057688825, -0.0234865409],
        label.weight: V,
        label.bias: [-0.1000691543, 0.1000691543],
        domain.weight: [[-0.0062395436, 0.0040512302, -0.0103259179]],
        domain.bias: [0.0002261538],
    }
    for weight, value in expected.items():
        torch.testing.assert_close(
            weight.detach(), torch.tensor(value, **rows), rtol=0, atol=1e-7
        )
    proba = network.predict_proba(X)[:, 0]
    expected_proba = torch.tensor([0.6083819304, 0.5914490877, 0.5611187239], **rows)
    torch.testing.assert_close(proba, expected_proba, rtol=0, atol=1e-7)
