"""What the estimator is for: it adapts, weighs rows, and takes networks of your own."""

import functools
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from helpers import PLAIN, make_domains
from sklearn.base import clone
from torch import nn

from skdann import AdaptationWarning, DANNClassifier

TRAINED = {
    **PLAIN,
    "hidden_layer_sizes": (32, 32),
    "domain_hidden_layer_sizes": (32,),
    "lr": 5e-3,
    "max_epochs": 150,
}


def mean_scores(seeds=range(3), **params):
    scores = []
    for seed in seeds:
        X, y, X_tgt, y_tgt = make_domains(seed=seed)
        clf = DANNClassifier(random_state=seed, **TRAINED, **params).fit(X, y, X_tgt)
        scores.append((clf.score(X, y), clf.score(X_tgt, y_tgt)))
    return np.mean(scores, axis=0)


@pytest.fixture(scope="module")
def adapted():
    X, y, X_tgt, _ = make_domains()
    return DANNClassifier(random_state=0, **TRAINED).fit(X, y, X_tgt)


def test_adapting_wins_where_the_source_misleads():
    """A stuck sensor: the source alone fails on the target, the adversary does not."""
    _, source_only = mean_scores(lambda_max=0)
    source_score, score = mean_scores()
    assert source_only < 0.7
    assert score > 0.85
    assert source_score > 0.85


def test_adapted_features_hide_the_domain(adapted):
    X, y, X_tgt, _ = make_domains()
    source_only = DANNClassifier(lambda_max=0, random_state=0, **TRAINED)
    source_only.fit(X, y, X_tgt)
    # the sensors of the two domains tell them apart without fail
    assert source_only.history_[-1, "domain_accuracy"] > 0.9
    assert adapted.history_[-1, "domain_accuracy"] < 0.75
    assert np.median(adapted.predict_domain(X_tgt)) < 0.75


def test_the_adversary_reaches_the_features(small, domains):
    features = [
        small(lambda_max=lambda_, lambda_schedule="constant")
        .fit(*domains)
        .transform(domains[0])
        for lambda_ in (0, 1)
    ]
    assert not np.allclose(*features, rtol=1e-3)


def test_zero_lambda_is_source_only(small, domains):
    X, y, X_tgt = domains
    with_target = small(lambda_max=0, dropout=0).fit(X, y, X_tgt)
    without = small(lambda_max=0, dropout=0).fit(X, y)
    np.testing.assert_allclose(
        with_target.predict_proba(X), without.predict_proba(X), rtol=1e-10
    )


def test_lambda_without_a_target_warns_that_nothing_is_adapted(small, domains):
    X, y, _ = domains
    with pytest.warns(AdaptationWarning, match="nothing is adapted.*Pass X_tgt"):
        small().fit(X, y)
    with pytest.warns(AdaptationWarning, match="nothing is adapted"):
        small().partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", -1.0), ("lambda_max", -1), ("lr_schedule", "x"), ("class_weight", 0.5)],
)
def test_partial_fit_checks_parameters_that_were_set_since(small, domains, name, value):
    X, y, X_tgt = domains
    clf = small().partial_fit(X, y, X_tgt, classes=[0, 1])
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        clf.set_params(**{name: value}).partial_fit(X, y, X_tgt)
    assert clf.n_iter_ == 1


def test_predictions_are_probabilities_and_labels(adapted):
    X, _, _, _ = make_domains(seed=5)
    proba = adapted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert np.array_equal(adapted.predict(X), adapted.classes_[proba.argmax(axis=1)])
    domain = adapted.predict_domain(X)
    assert domain.shape == (200,)
    assert ((domain >= 0) & (domain <= 1)).all()


def test_predictions_come_from_the_features(adapted):
    X, _, _, _ = make_domains(seed=5)
    features = torch.from_numpy(adapted.transform(X))
    with torch.no_grad():
        logits = adapted.module_.label_classifier(features)
        domain_logits = adapted.module_.domain_classifier(features)
    np.testing.assert_allclose(adapted.predict_proba(X), logits.softmax(1))
    np.testing.assert_allclose(
        adapted.predict_domain(X), domain_logits.sigmoid().ravel()
    )


def test_lambda_does_not_matter_for_predictions(adapted):
    X, _, _, _ = make_domains(seed=5)
    before = adapted.predict_proba(X), adapted.predict_domain(X)
    reversal = adapted.module_.gradient_reversal
    reversal.lambda_, kept = 123.0, reversal.lambda_
    after = adapted.predict_proba(X), adapted.predict_domain(X)
    reversal.lambda_ = kept
    assert all(map(np.array_equal, before, after))


def test_large_predictions_are_those_of_small_pieces(small, domains, monkeypatch):
    X = domains[0]
    clf = small().fit(*domains)
    whole = clf.predict_proba(X)
    monkeypatch.setattr("skdann._training._net.BLOCK_VALUES", 14)
    np.testing.assert_allclose(clf.predict_proba(X), whole, rtol=1e-12)


def test_transform_names_its_features(small, domains):
    clf = small().fit(*domains)
    names = clf.get_feature_names_out()
    assert names[[0, -1]].tolist() == ["dannclassifier0", "dannclassifier15"]
    frame = clf.set_output(transform="pandas").transform(domains[0])
    assert frame.columns.tolist() == names.tolist()
    assert frame.shape == (200, 16)
    assert clf.set_output(transform="polars").transform(domains[0]).width == 16


def test_integer_weights_are_repetitions(small, domains):
    X, y, X_tgt = (rows[:25] for rows in domains)
    times = np.arange(25) % 3
    weighted = small(dropout=0, max_epochs=50).fit(X, y, X_tgt, sample_weight=times)
    repeated = small(dropout=0, max_epochs=50).fit(
        X.repeat(times, axis=0), y.repeat(times), X_tgt
    )
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9
    )
    np.testing.assert_allclose(
        weighted.predict_domain(X), repeated.predict_domain(X), rtol=1e-9
    )


def test_the_scale_of_weights_does_not_matter(small, domains):
    weight = np.linspace(0.1, 1, 200)
    one, other = (
        small().fit(*domains, sample_weight=scale * weight) for scale in (1, 64)
    )
    np.testing.assert_allclose(
        one.predict_proba(domains[0]), other.predict_proba(domains[0]), rtol=1e-9
    )


def test_class_weight_moves_the_decision(small, domains):
    X, y, X_tgt = domains
    shares = [
        small(class_weight=costs, max_epochs=30).fit(X, y, X_tgt).predict(X_tgt).mean()
        for costs in ({0: 50, 1: 1}, None, {1: 50})
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]


def test_balanced_weights_are_those_of_the_formula(small, domains):
    X, y, X_tgt = domains
    keep = np.r_[np.flatnonzero(y == 0)[:10], np.flatnonzero(y == 1)[:40]]
    X, y = X[keep], y[keep]
    balanced = small(class_weight="balanced").fit(X, y, X_tgt)
    by_hand = small(class_weight={0: 50 / 20, 1: 50 / 80}).fit(X, y, X_tgt)
    assert np.array_equal(balanced.predict_proba(X), by_hand.predict_proba(X))


def test_class_weight_is_of_the_label_loss_alone(small, domains):
    """With both costs alike nothing changes; the domain loss never sees them."""
    X, y, X_tgt = domains
    plain = small(dropout=0).fit(X, y, X_tgt)
    alike = small(dropout=0, class_weight={0: 3, 1: 3}).fit(X, y, X_tgt)
    np.testing.assert_allclose(
        plain.predict_domain(X), alike.predict_domain(X), rtol=1e-9
    )


def test_a_few_target_labels_help():
    """Column 0 means the opposite in the target: only its labels can tell."""
    rng = np.random.default_rng(0)
    X, X_tgt = rng.normal(size=(300, 2)), rng.normal([0, 4], size=(300, 2))
    y, truth = X[:, 0] > 0, X_tgt[:, 0] < 0
    y_tgt = np.where(np.arange(300) < 40, truth, -1)
    y = y.astype(int)
    without = DANNClassifier(random_state=0, **TRAINED).fit(X, y, X_tgt)
    labelled = clone(without).fit(X, y, X_tgt, y_tgt=y_tgt)
    assert without.score(X_tgt[40:], truth[40:]) < 0.4
    assert labelled.score(X_tgt[40:], truth[40:]) > 0.85
    assert labelled.score(X, y) > 0.85


def test_no_known_target_label_is_no_target_label(small, domains):
    X, y, X_tgt = domains
    plain = small().fit(X, y, X_tgt)
    unknown = small().fit(X, y, X_tgt, y_tgt=np.full(150, -1))
    assert np.array_equal(plain.predict_proba(X), unknown.predict_proba(X))


def test_target_labels_of_any_kind_and_marker(small, domains):
    X, y, X_tgt = domains
    known = np.arange(150) % 2
    reference = small().fit(X, y, X_tgt, y_tgt=np.where(np.arange(150) < 9, known, -1))
    names = np.array(["ill", "well"], dtype=object)
    for marker in (None, np.nan, pd.NA):
        y_tgt = names[known]
        y_tgt[9:] = marker
        clf = small().fit(X, names[y], X_tgt, y_tgt=y_tgt)
        assert np.array_equal(clf.predict_proba(X), reference.predict_proba(X))
    signs = np.array([-1, 1], dtype=object)
    y_tgt = signs[known]
    y_tgt[9:] = None
    clf = small().fit(X, np.array([-1, 1])[y], X_tgt, y_tgt=y_tgt)
    assert np.array_equal(clf.predict_proba(X), reference.predict_proba(X))
    assert clf.classes_.tolist() == [-1, 1]


def test_a_class_of_the_target_alone_is_learned_if_it_is_declared(small, domains):
    X, y, X_tgt = domains
    y_tgt = np.where(np.arange(150) < 20, 2, -1)
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\]: 2 \(20 "):
        small().fit(X, y, X_tgt, y_tgt=y_tgt)
    clf = small().fit(X, y, X_tgt, y_tgt=y_tgt, classes=[2, 0, 1])
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X).shape == (200, 3)


@pytest.mark.parametrize(
    "labels",
    [["ill", "well"], [False, True], [-1, 1], [3, 7], [0.0, 1.0], ["", "x y"]],
    ids=str,
)
def test_labels_come_back_as_they_came(small, domains, labels):
    X, y, X_tgt = domains
    clf = small(lambda_max=0.1, max_epochs=60).fit(X, np.array(labels)[y], X_tgt)
    assert clf.classes_.tolist() == labels
    assert set(clf.predict(X).tolist()) <= set(labels)
    assert clf.score(X, np.array(labels)[y]) > 0.8


@pytest.mark.parametrize(
    ("n_source", "n_target"), [(2, 1), (1000, 1), (2, 1000), (3, 3)]
)
def test_any_two_sizes(small, n_source, n_target):
    X, y, X_tgt, _ = make_domains(max(n_source, 20), max(n_target, 20))
    rows = np.r_[np.flatnonzero(y == 0)[:1], np.flatnonzero(y == 1)[:1]]
    rows = np.r_[rows, np.setdiff1d(np.arange(len(y)), rows)][:n_source]
    clf = small().fit(X[rows], y[rows], X_tgt[:n_target])
    assert np.isfinite(clf.predict_proba(X_tgt)).all()


class Net(nn.Module):
    def __init__(self, n_columns, width=5):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_columns, width), nn.Tanh())

    def forward(self, X):
        return self.layers(X)


@pytest.mark.parametrize(
    "parts",
    [
        {"feature_extractor": Net},
        {"feature_extractor": functools.partial(Net, width=7)},
        {"feature_extractor": Net(2, 3)},
        {"feature_extractor": lambda: nn.LazyLinear(6)},
        {"feature_extractor": nn.Sequential(nn.LazyLinear(6), nn.BatchNorm1d(6))},
        {"label_classifier": nn.Linear},
        {
            "label_classifier": lambda n, k: nn.Sequential(
                nn.Linear(n, 9), nn.Linear(9, k)
            )
        },
        {"label_classifier": nn.Linear(16, 2)},
        {"domain_classifier": lambda n: nn.Linear(n, 1)},
        {"domain_classifier": nn.Sequential(nn.Linear(16, 1), nn.Flatten(0))},
        {"feature_extractor": Net, "domain_classifier": nn.LazyLinear(1)},
    ],
)
def test_parts_of_the_network_may_be_ones_own(small, domains, parts):
    clf = small(**parts).fit(*domains)
    again = clone(clf).fit(*domains)
    assert np.array_equal(
        clf.predict_proba(domains[0]), again.predict_proba(domains[0])
    )
    assert clf.get_feature_names_out().size == clf.transform(domains[0]).shape[1]


def test_the_weights_of_an_instance_are_where_training_starts(small, domains):
    network = Net(2)
    clf = small(feature_extractor=network, lr=1e-300, weight_decay=0).fit(*domains)
    X = torch.from_numpy(domains[0])
    with torch.no_grad():
        expected = network.double()(X).numpy()
    np.testing.assert_allclose(clf.transform(domains[0]), expected)


def test_images_through_a_convolutional_network():
    """Bright left half against bright right half; the target is dimmed and noisy."""
    rng = np.random.default_rng(0)

    def images(n, gain, offset):
        y = rng.integers(2, size=n)
        pixels = rng.normal(scale=0.3, size=(n, 1, 6, 6))
        pixels[y == 0, :, :, :3] += 1
        pixels[y == 1, :, :, 3:] += 1
        return (gain * pixels + offset).astype(np.float32), y

    X, y = images(200, 1, 0)
    X_tgt, y_tgt = images(150, 0.5, 0.5)

    def network():  # a factory, so that random_state decides the first weights
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2))

    params = {**PLAIN, "max_epochs": 60, "lambda_max": 0.3, "random_state": 0}
    clf = DANNClassifier(**params, feature_extractor=network)
    clf.fit(X, y, X_tgt)
    assert clf.score(X_tgt, y_tgt) > 0.9
    assert clf.transform(X_tgt).shape == (150, 16)  # flattened
    assert clf.transform(X_tgt).dtype == np.float32


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "lr": 0.05},
        {"optimizer": torch.optim.RMSprop},
        {"optimizer": torch.optim.Adagrad, "lr": 0.05},
        {"optimizer": torch.optim.LBFGS, "lr": 0.05, "max_epochs": 20},
        {"activation": "sigmoid", "hidden_layer_sizes": 8, "lr": 0.01},
        {"domain_hidden_layer_sizes": ()},
        {"hidden_layer_sizes": [8, 8, 8], "lr": 0.01},
        {"lr_schedule": "cosine", "lambda_schedule": "constant"},
        {"device": torch.device("cpu")},
        {"batch_size": 7},
    ],
)
def test_every_setting_learns_the_source(small, domains, params):
    clf = small(**{"lambda_max": 0.1, "max_epochs": 60, **params})
    assert clf.fit(*domains).score(domains[0], domains[1]) > 0.85


def through_pickle(clf, path):
    return pickle.loads(pickle.dumps(clf))


def through_joblib(clf, path):
    joblib.dump(clf, path / "clf.joblib")
    return joblib.load(path / "clf.joblib")


@pytest.mark.parametrize("through", [through_pickle, through_joblib])
def test_a_stored_estimator_predicts_and_goes_on(small, domains, tmp_path, through):
    clf = small(warm_start=True, dropout=0.3).fit(*domains)
    copy = through(clf, tmp_path)
    X = domains[0]
    assert np.array_equal(copy.predict_proba(X), clf.predict_proba(X))
    assert copy.history_[:, "train_loss"] == clf.history_[:, "train_loss"]
    clf.fit(*domains)
    copy.fit(*domains)
    assert np.array_equal(copy.predict_proba(X), clf.predict_proba(X))
