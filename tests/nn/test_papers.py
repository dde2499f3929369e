"""The papers' image networks: their sizes, their gradients, their use."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from skdann import DANNClassifier
from skdann.nn import (
    domain_loss,
    gtsrb_network,
    label_loss,
    mnist_network,
    office_network,
    svhn_network,
)

# (input, width of the features, weights of the three parts counted from the figures)
NETWORKS = {
    "mnist": (
        mnist_network,
        (3, 28, 28),
        48 * 4 * 4,
        (25 * 3 + 1) * 32 + (25 * 32 + 1) * 48,
        (768 + 1) * 100 + (100 + 1) * 100 + (100 + 1) * 10,
        (768 + 1) * 100 + (100 + 1),
    ),
    "svhn": (
        svhn_network,
        (3, 32, 32),
        128 * 7 * 7,
        (25 * 3 + 1) * 64 + (25 * 64 + 1) * 64 + (25 * 64 + 1) * 128,
        (6272 + 1) * 3072 + (3072 + 1) * 2048 + (2048 + 1) * 10,
        (6272 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1),
    ),
    "gtsrb": (
        gtsrb_network,
        (3, 40, 40),
        256 * 2 * 2,
        (25 * 3 + 1) * 96 + (9 * 96 + 1) * 144 + (25 * 144 + 1) * 256,
        (1024 + 1) * 512 + (512 + 1) * 10,
        (1024 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1),
    ),
}

OFFICE = (lambda: office_network(make_backbone())), (3, 20, 20)


def make_backbone(n_channels=3):
    return nn.Sequential(nn.Conv2d(n_channels, 4, 5, stride=3), nn.ReLU())


def images(shape, n=20):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, *shape), dtype=np.float32)
    return X, np.arange(n) % 10, X + np.float32(0.5)


def n_weights(module):
    return sum(weight.numel() for weight in module.parameters())


@functools.cache
def fitted(name):
    """Return a classifier after one epoch, once: some have 35 million weights."""
    network, shape = NETWORKS.get(name, OFFICE)[:2]
    X, y, X_tgt = images(shape)
    return DANNClassifier(**network(), max_epochs=1, random_state=0).fit(X, y, X_tgt)


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_are_those_of_the_figures(name):
    _, shape, n_features, *counts = NETWORKS[name]
    (X, _, _), clf = images(shape), fitted(name)
    assert clf.transform(X).shape == (20, n_features)
    assert clf.predict_proba(X).shape == (20, 10)
    module = clf.module_
    parts = module.feature_extractor, module.label_classifier, module.domain_classifier
    assert [n_weights(part) for part in parts] == counts


@pytest.mark.parametrize("name", [*NETWORKS, "office"])
def test_gradients_are_those_of_the_papers_updates(name):
    """Every gradient by a separate call of autograd, without the reversal."""
    X, y, X_tgt = images(NETWORKS.get(name, OFFICE)[1], n=4)
    dann = copy.deepcopy(fitted(name).module_).double().eval()
    for weight in dann.parameters():
        weight.requires_grad_(True)
    rows = torch.from_numpy(np.concatenate([X, X_tgt])).double()
    is_target, codes = (torch.arange(8) >= 4).double(), torch.from_numpy(y)

    def losses(reverse):
        features = dann.extract(rows)
        of_label = label_loss(dann.label_classifier(features[:4]), codes)
        critic = dann.discriminate if reverse else dann.domain_classifier
        return of_label, domain_loss(critic(features).flatten(), is_target)

    dann.gradient_reversal.lambda_ = 0.3
    weights = dict(dann.named_parameters())
    both = torch.autograd.grad(sum(losses(reverse=True)), weights.values())
    kwargs = {"allow_unused": True, "materialize_grads": True}
    plain = losses(reverse=False)
    of_label = torch.autograd.grad(plain[0], weights.values(), **kwargs)
    of_domain = torch.autograd.grad(losses(False)[1], weights.values(), **kwargs)
    for key, found, a, b in zip(weights, both, of_label, of_domain, strict=True):
        sign = -0.3 if key.startswith("feature_extractor") else 1
        torch.testing.assert_close(found, a + sign * b, msg=key)
        assert found.abs().max() > 0, key


@pytest.mark.parametrize("pace", [0.1, 1.0])
def test_a_backbone_goes_at_its_own_pace(pace):
    backbone = make_backbone()
    before = copy.deepcopy(backbone.state_dict())
    X, y, X_tgt = images((3, 20, 20))

    def step(pace):
        clf = DANNClassifier(
            **office_network(backbone, backbone_pace=pace),
            optimizer="sgd",
            lr=1e-3,
            weight_decay=0,
            max_epochs=1,
            dropout=0,
            random_state=0,
        ).fit(X, y, X_tgt)
        weight = clf.module_.feature_extractor.backbone[0].weight
        return (weight - before["0.weight"]).detach()

    torch.testing.assert_close(step(pace), pace * step(1.0), rtol=1e-3, atol=1e-7)
    for name, weight in backbone.state_dict().items():  # the user's own
        assert torch.equal(weight, before[name])


def test_parts_can_be_cloned_and_pickled():
    X, y, X_tgt = images((1, 28, 28))
    clf = DANNClassifier(**mnist_network(), max_epochs=1, random_state=0)
    expected = clf.fit(X, y, X_tgt).predict_proba(X)
    assert np.array_equal(clone(clf).fit(X, y, X_tgt).predict_proba(X), expected)
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.predict_proba(X), expected)
    office = DANNClassifier(**office_network(make_backbone()), max_epochs=1)
    clone(office).fit(*images((3, 20, 20)))


def test_images_too_small_for_the_network_are_refused():
    X, y, X_tgt = images((3, 8, 8))
    with pytest.raises(ValueError, match="feature_extractor cannot read input"):
        DANNClassifier(**mnist_network()).fit(X, y, X_tgt)
