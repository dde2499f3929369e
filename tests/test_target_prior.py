"""Proportions of the classes in the target weigh the source and correct predictions."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import SMALL
from sklearn.base import clone

import skdann
from skdann import DANNClassifier
from skdann._data._domains import read_domains
from skdann._data._shift import resolve_shift
from skdann._data._weights import domain_weight
from skdann._multi_fit import fit_many, validate_many
from skdann._training._batches import PairedBatches
from skdann.metrics._proportions import estimate_proportions
from skdann.model_selection import DANNGridSearchCV, reverse_validation_score


@pytest.fixture
def few_trees():
    """Not here, where all of them are to decide."""


def make_proportions(n_source=(150, 50), n_target=(30, 120), seed=0):
    """Two classes that overlap a little, in other proportions, and nothing else."""
    rng = np.random.default_rng(seed)
    rows = []
    for counts in (n_source, n_target):
        y = np.repeat([0, 1], counts)
        X = rng.standard_normal((len(y), 3)) + 1.5 * y[:, None]
        order = rng.permutation(len(y))
        rows += [X[order], y[order]]
    return rows


def make(**params):
    return DANNClassifier(**(SMALL | params))


@pytest.fixture
def shifted():
    return make_proportions()


def read(X, y, X_tgt, **options):
    return read_domains(DANNClassifier(), X, y, X_tgt, **options)


def test_source_rows_weigh_as_if_they_had_the_proportions_of_the_target(shifted):
    X, y, X_tgt, _ = shifted
    sample_weight = np.where(np.arange(len(y)) % 3, 1.0, 2.0)
    domains = read(X, y, X_tgt, sample_weight=sample_weight)
    domains = resolve_shift(domains, None, [0.2, 0.8])
    weight = domain_weight(domains)
    assert weight.mean() == pytest.approx(1)
    assert weight[y == 1].sum() / weight.sum() == pytest.approx(0.8)
    for label in (0, 1):  # within a class the user's weights decide
        ratio = weight[y == label] / sample_weight[y == label]
        assert np.ptp(ratio) < 1e-12


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n", [1999, 2000])
def test_classes_that_take_turns_are_all_looked_at(n, n_classes):
    """Every second row, of each domain, would be of half of the classes."""
    y = np.arange(n) % n_classes
    rng = np.random.default_rng(0)
    X, X_tgt = rng.standard_normal((2, n, 2)) + 9 * y[:, None]
    prior = resolve_shift(read(X, y, X_tgt), "source", "estimate").target_prior
    np.testing.assert_allclose(prior, 1 / n_classes, atol=0.05)


def test_the_domain_loss_has_them_and_the_label_loss_has_not(shifted):
    X, y, X_tgt, _ = shifted
    domains = resolve_shift(read(X, y, X_tgt), None, [0.2, 0.8])
    rngs = [np.random.default_rng(i) for i in range(3)]
    batches = PairedBatches(
        domains, batch_size=100, dtype=np.dtype("f8"), device="cpu", rngs=rngs
    )
    batch = next(iter(batches))
    assert batch.label_weight is None
    expected = np.where(batch.y == 1, 0.8 / 0.25, 0.2 / 0.75) * 0.5 / 50
    np.testing.assert_allclose(batch.domain_weight[:50], expected)
    assert (batch.domain_weight[50:] == 0.5 / 50).all()


@pytest.mark.parametrize("known", [[0.2, 0.8], {0: 0.2, 1: 0.8}, np.array([0.2, 0.8])])
def test_known_proportions_correct_probabilities_of_the_target(shifted, known):
    X, y, X_tgt, _ = shifted
    clf = make(target_prior=known).fit(X, y, X_tgt)
    logits = clf.module_.compute_outputs(torch.from_numpy(X_tgt)).label_logits
    P = logits.detach().softmax(1).numpy()
    corrected = P * [0.2 / 0.75, 0.8 / 0.25]
    corrected /= corrected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(X_tgt), corrected)
    np.testing.assert_allclose(clf.predict_proba(X_tgt, domain="source"), P)
    np.testing.assert_allclose(clf.target_prior_, [0.2, 0.8])


def test_the_correction_is_from_what_the_label_loss_has_seen(shifted):
    """Balanced classes have been learned as equally frequent."""
    X, y, X_tgt, _ = shifted
    clf = make(target_prior=[0.2, 0.8], class_weight="balanced")
    clf.fit(X, y, X_tgt)
    P = clf.predict_proba(X_tgt, domain="source") * [0.2, 0.8]
    P /= P.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(X_tgt), P)


def test_an_estimate_is_near_and_corrects_nothing(shifted):
    X, y, X_tgt, _ = shifted
    clf = make(target_prior="estimate").fit(X, y, X_tgt)
    assert abs(clf.target_prior_[1] - 0.8) < 0.15
    P = clf.predict_proba(X_tgt)
    np.testing.assert_array_equal(P, clf.predict_proba(X_tgt, domain="source"))


def test_other_proportions_alone_hurt_less(shifted):
    """What it is for: aligned as they are, classes are mixed."""
    accuracy = {None: [], "known": [], "estimate": []}
    for seed in range(3):
        X, y, X_tgt, y_tgt = make_proportions((450, 150), (90, 360), seed=seed)
        for prior, found in accuracy.items():
            given = [0.2, 0.8] if prior == "known" else prior
            clf = make(target_prior=given, max_epochs=40, random_state=seed)
            found.append(clf.fit(X, y, X_tgt).score(X_tgt, y_tgt))
    plain, known, estimated = map(np.mean, accuracy.values())
    assert known > plain + 0.05
    assert estimated > plain + 0.01


def test_without_a_target_there_are_no_proportions(shifted):
    X, y, *_ = shifted
    clf = make(target_prior="estimate", lambda_max=0).fit(X, y)
    assert not hasattr(clf, "target_prior_")
    assert not hasattr(make().fit(X, y, X), "target_prior_")


@pytest.mark.parametrize(
    ("prior", "says"),
    [
        ([0.5, 0.2, 0.3], r"has 3 entries, but there are 2 classes"),
        ([0.5, 0.9], "whose sum is 1"),
        ([-0.5, 1.5], "at least 0"),
        ([np.nan, 1.0], "whose sum is 1"),
        ({0: 0.5}, r"lacks \[1\]"),
        ({0: 0.5, 1: 0.25, 2: 0.25}, r"has \[2\]"),
        ("guess", "target_prior"),
    ],
)
def test_proportions_that_are_none(shifted, prior, says):
    X, y, X_tgt, _ = shifted
    with pytest.raises(ValueError, match=says):
        make(target_prior=prior).fit(X, y, X_tgt)


@pytest.mark.parametrize("labels", [[0, 1], ["b", "a"]])
def test_a_series_by_label_is_read_by_label(shifted, labels):
    """As value_counts has them: the most frequent first."""
    X, y, X_tgt, _ = shifted
    y = np.array(labels)[y]
    prior = {labels[0]: 0.2, labels[1]: 0.8}
    by_frequency = pd.Series(prior).sort_values(ascending=False)
    named, expected = (
        make(target_prior=given).fit(X, y, X_tgt).target_prior_
        for given in (by_frequency, prior)
    )
    assert np.array_equal(named, expected)
    assert named[sorted(labels).index(labels[1])] == 0.8


def test_proportions_of_rounded_tables_are_taken(shifted):
    X, y, X_tgt, _ = shifted
    clf = make(target_prior=[0.333, 0.666]).fit(X, y, X_tgt)
    assert clf.target_prior_.sum() == pytest.approx(1)


def test_a_class_that_the_source_lacks(shifted):
    """Known from a few labels of the target."""
    X, y, X_tgt, _ = shifted
    y_tgt = np.full(len(X_tgt), -1)
    y_tgt[:5] = 2
    for prior in ("estimate", [0.2, 0.5, 0.3]):
        clf = make(target_prior=prior)
        clf.fit(X, y, X_tgt, y_tgt=y_tgt, classes=[0, 1, 2])
        assert np.isfinite(clf.predict_proba(X_tgt)).all()


def test_rare_classes_and_few_rows_can_be_estimated(shifted):
    X, y, X_tgt, _ = shifted
    y = y.copy()
    y[0] = 7  # once
    clf = make(target_prior="estimate").fit(X, y, X_tgt[:1])
    assert clf.target_prior_.shape == (3,)


def test_images_are_not_estimated(small):
    X = np.random.default_rng(0).random((20, 1, 4, 4), dtype=np.float32)
    extractor = torch.nn.Flatten()
    clf = small(feature_extractor=extractor, target_prior="estimate")
    clf.fit(X, np.arange(20) % 2, X)
    np.testing.assert_allclose(clf.target_prior_, 0.5)


def test_it_is_saved(shifted, tmp_path):
    X, y, X_tgt, _ = shifted
    clf = make(target_prior={0: 0.2, 1: 0.8}).fit(X, y, X_tgt)
    skdann.save(clf, tmp_path / "model")
    loaded = skdann.load(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(X_tgt), clf.predict_proba(X_tgt))
    assert np.array_equal(loaded.target_prior_, clf.target_prior_)
    assert loaded.target_prior == {0: 0.2, 1: 0.8}


def test_training_goes_on_with_the_first_estimate(shifted):
    X, y, X_tgt, _ = shifted
    clf = make(target_prior="estimate").fit(X, y, X_tgt)
    before = clf.target_prior_
    weights = clf._validate_domains(X, y, X, targets=clf._targets).target_prior
    np.testing.assert_allclose(weights, before)
    clf.partial_fit(X, y, X)
    np.testing.assert_array_equal(clf.target_prior_, before)


def test_candidates_with_and_without_it(shifted):
    X, y, X_tgt, _ = shifted
    together = [
        make(target_prior=prior, lr=lr)
        for prior in (None, "estimate", (0.2, 0.8))
        for lr in (1e-3, 3e-3)
    ]
    alone = [clone(clf).fit(X, y, X_tgt) for clf in together]
    assert not any(fit_many(together, validate_many(together, X, y, X_tgt)))
    for one, other in zip(together, alone, strict=True):
        P, expected = (clf.predict_proba(X_tgt) for clf in (one, other))
        np.testing.assert_allclose(P, expected, atol=1e-6)


def test_searches_and_reverse_validation_take_it(shifted):
    X, y, X_tgt, _ = shifted
    clf = make(max_epochs=30, target_prior=[0.2, 0.8])
    assert 0.5 < reverse_validation_score(clf, X, y, X_tgt, random_state=0) <= 1
    grid = {"target_prior": [None, "estimate"]}
    search = DANNGridSearchCV(clf, grid, cv=2, scoring="reverse_validation")
    assert search.fit(X, y, X_tgt).best_params_["target_prior"] in (None, "estimate")


def test_estimation_finds_proportions_that_alone_differ():
    """Of calibrated probabilities, as they are here by construction."""
    rng = np.random.default_rng(0)
    y = rng.random(4000) < 0.8
    x = rng.standard_normal(4000) + 1.5 * y
    odds = np.exp(1.5 * x - 1.5**2 / 2) * 0.25 / 0.75  # where 25% are of class 1
    P = np.c_[1 / (1 + odds), odds / (1 + odds)]
    assert estimate_proportions(P, [0.75, 0.25])[1] == pytest.approx(0.8, abs=0.02)
