"""An ensemble answers with the mean of its networks; each learns as it would alone."""

import numpy as np
import pytest
import torch
from helpers import PLAIN
from sklearn.base import clone
from torch import nn

from skdann import DANNClassifier
from skdann._multi_fit import fit_many, validate_many
from skdann._training import Schedules
from skdann._training._batches import Batch
from skdann._training._engine import AutogradEngine
from skdann._training._objective import Objective
from skdann.datasets import make_shifted_moons
from skdann.nn import DANN
from skdann.nn._build import build_dann
from skdann.nn._ensemble import EnsembleDANN
from skdann.schedules import ScaledSchedule


def batch_norm(n_columns):
    return nn.Sequential(
        nn.Linear(n_columns, 6, bias=False), nn.BatchNorm1d(6), nn.PReLU()
    )


def three_places(n_columns):
    """Rows of numbers become rows of places, for a linear layer over places."""
    return nn.Sequential(nn.Unflatten(1, (n_columns, 1)), nn.Linear(1, 4), nn.Tanh())


EXTRACTORS = {"built in": None, "batch norm": batch_norm, "places": three_places}


def make_networks(n, extractor=None):
    rows = torch.randn(8, 3, dtype=torch.float64)
    return [build_dann(rows, 4, feature_extractor=extractor) for _ in range(n)], rows


@pytest.mark.parametrize("extractor", EXTRACTORS.values(), ids=EXTRACTORS)
def test_it_answers_with_the_mean(extractor):
    networks, rows = make_networks(3, extractor)
    ensemble = EnsembleDANN(networks).eval()
    for method in ("predict", "predict_domain"):
        mean = torch.stack([getattr(n, method)(rows) for n in networks]).mean(0)
        torch.testing.assert_close(getattr(ensemble, method)(rows), mean)
    features = torch.cat([n.transform(rows) for n in networks], dim=1)
    torch.testing.assert_close(ensemble.transform(rows), features)
    label_logits, domain_logits = ensemble(rows)
    torch.testing.assert_close(label_logits.softmax(1), ensemble.predict(rows))
    torch.testing.assert_close(domain_logits.sigmoid(), ensemble.predict_domain(rows))


@pytest.mark.parametrize("extractor", EXTRACTORS.values(), ids=EXTRACTORS)
def test_its_networks_learn_as_each_would_alone(extractor):
    networks, rows = make_networks(3, extractor)
    ensemble = EnsembleDANN(networks)
    domain = torch.tensor([0] * 4 + [1] * 4)
    weight = torch.full((8,), 1 / 8, dtype=torch.float64)
    columns = torch.tensor([0, 1, 2, 3]), None, domain, weight
    batch = Batch(rows, *columns)
    of_all = [None if x is None else x.expand(3, -1) for x in columns]
    batch_of_all = Batch(rows.expand(3, -1, -1), *of_all)
    schedules = Schedules(ScaledSchedule(0.7), ScaledSchedule(0.1))
    losses = []
    for network in [ensemble, *networks]:
        optimizer = torch.optim.Adam(network.train().parameters())
        engine = AutogradEngine(network, optimizer)
        engine.begin(Objective("cross_entropy"), [schedules])
        seen = batch_of_all if network is ensemble else batch
        for _ in range(5):
            engine.begin_epoch(1)
            engine.step(seen, [0.5])
        losses.append(engine.finish_epoch().means())
    for method in ("predict", "predict_domain"):
        mean = torch.stack([getattr(n.eval(), method)(rows) for n in networks]).mean(0)
        torch.testing.assert_close(getattr(ensemble.eval(), method)(rows), mean)
    for name, loss in losses[0].items():
        assert loss == pytest.approx(np.mean([alone[name] for alone in losses[1:]]))


def test_the_first_of_several_is_the_one_there_would_be_alone(small, domains):
    settings = {"dropout": 0.0, "max_epochs": 5}
    alone = small(**settings).fit(*domains)
    several = small(**settings, n_estimators=3).fit(*domains)
    n_features = alone.transform(domains[2]).shape[1]
    first = several.transform(domains[2])[:, :n_features]
    np.testing.assert_allclose(first, alone.transform(domains[2]), rtol=1e-9)
    assert isinstance(several.module_, DANN)


@pytest.mark.parametrize(
    ("batch_size", "p", "differ"),
    [(1000, 0.0, False), (1000, 0.5, True), (20, 0.0, True)],
)
def test_networks_differ_by_order_of_rows_and_masks(
    small, domains, batch_size, p, differ
):
    """Of pretrained modules, and where a step sees all rows, nothing else differs."""
    clf = small(
        n_estimators=2,
        batch_size=batch_size,
        feature_extractor=nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(p)),
        label_classifier=nn.Linear(8, 2),
        domain_classifier=nn.Linear(8, 1),
    ).fit(*domains)
    features = clf.transform(domains[2])
    assert (not np.allclose(features[:, :8], features[:, 8:])) == differ


def test_random_state_decides_all(small, domains):
    fits = [small(n_estimators=2, random_state=s).fit(*domains) for s in (0, 0, 1)]
    P = [clf.predict_proba(domains[2]) for clf in fits]
    assert np.array_equal(P[0], P[1])
    assert not np.allclose(P[0], P[2])


def test_the_history_has_means_over_the_networks(small, domains):
    """Without dropout and lambda, losses of the ensemble are those of single fits."""
    settings = {"n_estimators": 2, "dropout": 0.0, "max_epochs": 2, "verbose": 0}
    clf = small(**settings, class_confusion=0.2).fit(*domains)
    for row in clf.history_:
        assert all(
            isinstance(row[name], float)
            for name in ("train_loss", "class_confusion_loss", "domain_accuracy")
        )
        assert 0 <= row["domain_accuracy"] <= 1
        total = row["label_loss"] + row["domain_loss"]
        total += 0.2 * row["class_confusion_loss"]
        assert row["train_loss"] == pytest.approx(total)


def test_ensembles_are_candidates_of_a_stack(domains):
    """As many networks as candidates times members are trained as one."""
    base = {"n_estimators": 3, "max_epochs": 6, "class_confusion": 0.1}
    settings = [{"lambda_max": 0}, {"lambda_max": 0.5}, {"dropout": 0.1}]
    settings += [{"random_state": 7}, {"lr": 1e-3, "class_confusion": 0.3}]
    together = [DANNClassifier(**{"random_state": 0, **base, **s}) for s in settings]
    alone = [clone(clf).fit(*domains) for clf in together]
    errors = fit_many(together, validate_many(together, *domains))
    assert not any(errors)
    for one, other in zip(together, alone, strict=True):
        for method in ("predict", "predict_domain"):
            np.testing.assert_allclose(
                getattr(one, method)(domains[2]),
                getattr(other, method)(domains[2]),
                atol=1e-6,
            )
        ours, theirs = (clf.history_[-1] for clf in (one, other))
        for name in ("train_loss", "domain_loss", "domain_accuracy"):
            assert ours[name] == pytest.approx(theirs[name], abs=1e-6)


@pytest.mark.parametrize("make", [batch_norm, three_places])
def test_ensembles_of_own_modules_stack(domains, make):
    """As many as each has networks: their axes are not mistaken for one another."""
    together = [
        DANNClassifier(
            n_estimators=2,
            feature_extractor=make,
            max_epochs=4,
            random_state=0,
            lambda_max=lambda_max,
            standardize=scales,
            target_prior=None,
        )
        for lambda_max, scales in ((0, "source"), (1, "domain"))
    ]
    alone = [clone(clf).fit(*domains) for clf in together]
    assert not any(fit_many(together, validate_many(together, *domains)))
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(
            one.predict_proba(domains[2]), other.predict_proba(domains[2]), atol=1e-6
        )


def test_images(small):
    rng = np.random.default_rng(0)
    X = rng.random((12, 1, 6, 6), dtype=np.float32)
    convolution = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    clf = small(n_estimators=2, feature_extractor=convolution)
    clf.fit(X, np.arange(12) % 3, X)
    assert clf.transform(X).shape == (12, 2 * 2 * 16)
    np.testing.assert_allclose(clf.predict_proba(X).sum(1), 1, rtol=1e-6)


def test_one_that_diverges_is_noticed(small, domains):
    class Broken(nn.Linear):
        """The second that is made breaks after a while."""

        n_made = 0

        def __init__(self, n_features, n_classes):
            super().__init__(n_features, n_classes)
            Broken.n_made += 1
            self.is_sound = Broken.n_made != 2
            self.n_calls = 0

        def forward(self, x):
            self.n_calls += self.training
            is_broken = self.n_calls > 4 and not self.is_sound
            return super().forward(x) * (1e30 if is_broken else 1)

    clf = small(n_estimators=3, label_classifier=Broken)
    with pytest.raises(ValueError, match="diverged"):
        clf.fit(*domains)


def test_ensembles_vary_less_than_networks():
    """Over ``random_state``: by the root of five if networks are independent."""
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)

    def deviation(n_estimators):
        settings = {**PLAIN, "n_estimators": n_estimators, "max_epochs": 30}
        fits = [
            DANNClassifier(**settings, random_state=seed).fit(X, y, X_tgt)
            for seed in range(6)
        ]
        return np.std([clf.predict_proba(X_tgt) for clf in fits], axis=0).mean()

    assert deviation(5) < 0.7 * deviation(1)
