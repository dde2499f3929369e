"""Derivatives worked out by hand are those of autograd."""

import pytest
import torch
from torch import nn

from skdann.nn import (
    DANN,
    class_confusion_loss,
    domain_loss,
    entropy_loss,
    label_loss,
)
from skdann.nn._dense import DERIVATIVES, DenseLayer, backward, forward, plan_layers
from skdann.nn._ensemble import EnsembleDANN
from skdann.nn._loss_gradients import (
    class_confusion_loss_gradient,
    domain_loss_gradient,
    entropy_loss_gradient,
    label_loss_gradient,
)
from skdann.nn._mlp import ACTIVATIONS, Dropout, make_mlp

# Of the largest entry.
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCES)


def assert_same(values, expected):
    largest = expected.abs().max().item()
    tolerance = TOLERANCES[expected.dtype] * largest
    assert largest > 0  # else anything would do
    assert (values - expected).abs().max().item() <= tolerance


def draw(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def by_hand(plans, x, upstream, masks):
    """Return h, the gradient of the input, and those of weights and biases."""
    layers, gradients = [], []
    for plan in plans:
        weight, bias = (w.detach()[None] for w in plan.linear.parameters())
        grads = torch.empty_like(weight), torch.empty_like(bias)
        layers.append(DenseLayer(plan, weight, bias, *grads, x.shape[1]))
        gradients += grads
    for layer, mask in zip(layers, masks, strict=False):
        layer.masks = [(mask, layer.a, layer.h, layer.g)]
    of_input = torch.empty_like(x)
    for call in forward(layers, [(x, slice(None))]):
        call()
    layers[-1].g.copy_(upstream)
    for call in backward(layers, of_input):
        call()
    return layers[-1].h, of_input, gradients


def by_autograd(plans, x, upstream, masks):
    """Return the same, by torch's own modules."""
    x = x.clone().requires_grad_()
    h, masks = x, iter(masks)
    for plan in plans:
        h = plan.linear(h)
        if plan.activation is not None:
            h = ACTIVATIONS[plan.activation]()(h)
        if plan.dropout is not None:
            h = h * next(masks)
    h.backward(upstream)
    of_weights = [w.grad[None] for plan in plans for w in plan.linear.parameters()]
    return h.detach(), x.grad, of_weights


def test_each_activation_has_a_derivative():
    assert DERIVATIVES.keys() == ACTIVATIONS.keys()


@DTYPES
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_layers_are_those_of_autograd(activation, dropout, dtype):
    torch.manual_seed(0)  # at a kink of relu float32 may round to the other side
    mlp = make_mlp(5, (7, 6), 3, activation=activation, dropout=dropout).to(dtype)
    masks = [(draw(1, 9, n, seed=n) > 0).to(dtype) / 0.6 for n in (7, 6) if dropout]
    data = draw(1, 9, 5, dtype=dtype), draw(1, 9, 3, seed=1, dtype=dtype), masks
    plans = plan_layers(mlp)
    h, of_input, of_weights = by_hand(plans, *data)
    expected = by_autograd(plans, *data)
    for value, other in zip(
        (h, of_input, *of_weights), (*expected[:2], *expected[2]), strict=True
    ):
        assert_same(value, other)


def gradient_of(loss, logits):
    logits = logits.clone().requires_grad_()
    loss(logits).sum().backward()
    return logits.grad


@DTYPES
@pytest.mark.parametrize("is_weighted", [False, True])
def test_gradients_of_losses_are_those_of_autograd(is_weighted, dtype):
    """Of three networks, each with its own rows."""
    logits = draw(3, 8, 4, dtype=dtype)
    codes = torch.arange(24).view(3, 8) % 4
    weight = draw(3, 8, seed=1, dtype=dtype).abs() if is_weighted else None
    out = torch.empty_like(logits)
    share = 1 / 8 if weight is None else weight.unsqueeze(-1) / 8
    label_loss_gradient(logits, torch.eye(4, dtype=dtype)[codes], share, out)
    assert_same(out, gradient_of(lambda z: label_loss(z, codes, weight), logits))
    class_confusion_loss_gradient(logits, weight, out)
    expected = gradient_of(lambda z: class_confusion_loss(z, weight=weight), logits)
    assert_same(out, expected)
    entropy_loss_gradient(logits, weight, out)
    assert_same(out, gradient_of(lambda z: entropy_loss(z, weight), logits))
    domain, is_target = logits[..., 0], (torch.arange(24).view(3, 8) % 8 > 4).to(dtype)
    of_rows = torch.full_like(domain, 0.1) if weight is None else weight
    out = domain_loss_gradient(domain, is_target, of_rows, torch.empty_like(domain))
    expected = gradient_of(lambda d: domain_loss(d, is_target, of_rows), domain)
    assert_same(out, expected)


def test_class_confusion_of_a_class_that_no_row_may_have_has_a_gradient():
    logits = torch.tensor([[[900.0, 0, -9e4], [0, 900.0, -9e4]]], dtype=torch.float64)
    logits = logits / 400
    out = class_confusion_loss_gradient(logits, None, torch.empty_like(logits))
    assert_same(out, gradient_of(class_confusion_loss, logits))


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.ReLU(), nn.Linear(2, 3)),
        nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Tanh()),
        nn.Sequential(nn.Linear(2, 3), Dropout(0.5), nn.ReLU()),
        nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5)),
        nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.3)),
        nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)),
        nn.Sequential(nn.Linear(2, 3), nn.Flatten()),
        nn.Linear(2, 3, bias=False),
        type("MyLinear", (nn.Linear,), {})(2, 3),
        type("MySequential", (nn.Sequential,), {})(nn.Linear(2, 3)),
        nn.Sequential(),
    ],
)
def test_what_is_not_known_is_no_dense_layer(module):
    assert plan_layers(module) is None


def test_layers_are_found_in_a_network_and_in_an_ensemble():
    def network():
        extractor = nn.Sequential(make_mlp(5, (4, 3), dropout=0.2), nn.Linear(3, 2))
        return DANN(extractor, nn.Linear(2, 2), nn.Linear(2, 1))

    for one in (network(), EnsembleDANN([network(), network()])):
        plans = plan_layers(one.feature_extractor)
        assert [plan.n_out for plan in plans] == [4, 3, 2]
        assert [plan.activation for plan in plans] == ["relu", "relu", None]
        assert [plan.dropout is None for plan in plans] == [False, False, True]
