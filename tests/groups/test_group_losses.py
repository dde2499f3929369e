"""The loss over groups: what it is, how rows weigh in it, and its gradient by hand."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from skdann._data._weights import domain_loss_weights
from skdann._training._epoch_means import share_of_groups_told
from skdann.nn import DANN, domain_loss
from skdann.nn._domain_groups import DomainGroups
from skdann.nn._loss_gradients import label_loss_gradient
from skdann.nn._losses import group_loss

RNG = np.random.default_rng(0)
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}


def draw(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def make_weights(groups, groups_tgt=None, **given):
    """Return the weights of rows, of data of which nothing else is known."""
    groups = np.asarray(groups)
    n = len(groups)
    of_rows = {"row_weight": None, "row_weight_tgt": None, "target_prior": None}
    of_rows |= {"rows": np.arange(n), "y": np.zeros(n, int), **given}
    targets = SimpleNamespace(n_outputs=2)
    groups_tgt = None if groups_tgt is None else np.asarray(groups_tgt)
    domains = SimpleNamespace(
        groups=groups, groups_tgt=groups_tgt, targets=targets, **of_rows
    )
    return domain_loss_weights(domains)


def totals(weight, groups):
    return np.bincount(groups, weight) / weight.sum()


def test_the_loss_is_the_formula_of_the_docstring():
    logits = draw(10, 4).numpy()
    groups = np.array([0, 0, 0, 0, 1, 2, 2, 2, 3, 3])
    of_source, of_target = groups < 2, groups >= 2
    weights = make_weights(groups[of_source], groups[of_target])
    weight = np.concatenate([w / len(w) / 2 for w in weights])
    loss = group_loss(*map(torch.tensor, (logits, groups, weight)))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    means = [-np.log(p[groups == g, g]).mean() for g in range(4)]
    assert loss.item() == pytest.approx((means[0] + means[1]) / 4 + sum(means[2:]) / 4)


def test_two_groups_are_the_logistic_loss_of_the_difference():
    logits, is_target = draw(9, 2), torch.arange(9) % 2
    weight = draw(9, seed=1).abs()
    loss = group_loss(logits, is_target, weight)
    expected = domain_loss(logits[:, 1] - logits[:, 0], is_target, weight)
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)


def test_features_of_two_groups_learn_as_those_of_two_domains():
    """The same adversary by two logits: its gradient reaches the features alike."""
    torch.manual_seed(0)
    head = nn.Linear(3, 2).double()
    one_logit = nn.Linear(3, 1).double()
    with torch.no_grad():
        one_logit.weight.copy_(head.weight[1] - head.weight[0])
        one_logit.bias.copy_(head.bias[1] - head.bias[0])
    extractor = nn.Sequential(nn.Linear(5, 3), nn.Tanh()).double()
    groups = DomainGroups(torch.tensor([0.0, 1.0]).double())
    networks = [
        DANN(copy.deepcopy(extractor), nn.Linear(3, 2).double(), head, **parts)
        for head, parts in ((head, {"domain_groups": groups}), (one_logit, {}))
    ]
    X, is_target = draw(8, 5), torch.arange(8) % 2
    losses = (
        lambda logits: group_loss(logits, is_target, torch.full((8,), 1 / 8.0)),
        lambda logits: domain_loss(logits, is_target),
    )
    for network, loss in zip(networks, losses, strict=True):
        network.set_lambdas([0.7])
        loss(network.discriminate(network.extract(X))).backward()
    one, other = (n.feature_extractor[0].weight.grad for n in networks)
    assert other.abs().max() > 1e-3
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-15)
    P = [network.predict_domain(X) for network in networks]
    torch.testing.assert_close(*P, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_the_gradient_by_hand_is_that_of_autograd(dtype):
    """Of three networks, each with its own rows."""
    logits = draw(3, 8, 5, dtype=dtype).requires_grad_()
    groups = torch.arange(24).view(3, 8) % 5
    weight = draw(3, 8, seed=1, dtype=dtype).abs()
    group_loss(logits, groups, weight).sum().backward()
    truth = torch.eye(5, dtype=dtype)[groups]
    by_hand = torch.empty_like(logits)
    label_loss_gradient(logits.detach(), truth, weight.unsqueeze(-1), by_hand)
    error = (by_hand - logits.grad).abs().max()
    assert error <= TOLERANCES[dtype] * logits.grad.abs().max()


def test_groups_of_a_domain_weigh_the_same_whatever_their_rows_weigh():
    groups, groups_tgt = RNG.integers(0, 3, 50), RNG.integers(3, 5, 40)
    row_weight, row_weight_tgt = RNG.uniform(0.1, 3, 50), RNG.uniform(0.1, 3, 40)
    given = {"row_weight": row_weight, "row_weight_tgt": row_weight_tgt}
    weight, weight_tgt = make_weights(groups, groups_tgt, **given)
    assert weight.mean() == pytest.approx(1)
    assert weight_tgt.mean() == pytest.approx(1)
    np.testing.assert_allclose(totals(weight, groups), 1 / 3)
    np.testing.assert_allclose(totals(weight_tgt, groups_tgt)[3:], 1 / 2)
    for g in range(3):  # within a group as before
        ratio = weight[groups == g] / row_weight[groups == g]
        np.testing.assert_allclose(ratio, ratio[0])


def test_rows_that_are_not_in_use_are_in_no_group():
    groups = np.array([0, 0, 1, 1, 2])
    weight, _ = make_weights(groups, rows=np.array([0, 2, 3]))
    np.testing.assert_allclose(weight[[0, 2, 3]], [1.5, 0.75, 0.75])


def test_one_group_weighs_as_a_domain_does():
    row_weight = RNG.uniform(0.1, 3, 20)
    assert make_weights(np.zeros(20, int), np.ones(9, int)) == (None, None)
    weight, _ = make_weights(np.zeros(20, int), row_weight=row_weight)
    assert weight is row_weight


def test_each_group_of_the_source_counts_as_if_it_had_the_classes_of_the_target():
    """The sites' proportions are no reason to make the classes alike."""
    groups, y = RNG.integers(0, 2, 200), RNG.integers(0, 2, 200)
    y[groups == 1] = RNG.random(np.count_nonzero(groups)) < 0.1
    prior = np.array([0.3, 0.7])
    weight, _ = make_weights(groups, y=y, target_prior=prior)
    for g in range(2):
        shares = totals(weight[groups == g], y[groups == g])
        np.testing.assert_allclose(shares, prior)
    np.testing.assert_allclose(totals(weight, groups), 0.5)


def test_a_group_of_classes_that_the_target_lacks_is_left_out():
    groups, y = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1])
    weight, _ = make_weights(groups, y=y, target_prior=np.array([1.0, 0.0]))
    np.testing.assert_allclose(weight, [2.5, 0, 2.5, 0, 0])
    with pytest.raises(ValueError, match="0 for every class of the source"):
        make_weights(groups, y=np.ones(5, int), target_prior=np.array([1.0, 0.0]))


def test_the_share_told_is_one_for_whoever_is_right_though_a_batch_lacks_a_group():
    groups, weight = torch.tensor([0, 0, 2, 2]), torch.tensor([0.1, 0.2, 0.25, 0.25])
    logits = 9 * torch.eye(3)[groups]
    assert share_of_groups_told(logits, groups, weight).item() == 1
    wrong = torch.tensor([0, 1, 2, 2])
    share = share_of_groups_told(logits, wrong, weight).item()
    assert share == pytest.approx(0.6 / 0.8)


def test_swapped_groups_are_those_of_a_target_that_was_the_source():
    P = draw(6, 3).softmax(-1)
    groups = DomainGroups(torch.tensor([0.0, 0.0, 1.0]).double())
    torch.testing.assert_close(groups(P), P[:, 2])
    torch.testing.assert_close(groups.swapped()(P), P[:, 0] + P[:, 1])
