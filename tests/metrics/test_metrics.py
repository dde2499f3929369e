"""Scores without target labels: published values, identities, bounds, errors."""

import numpy as np
import pytest
from helpers import make_domains
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from skdann import metrics

# logits, unnormalized infomax, nuclear norm over n (n = K = 3): worked out by hand
FIXTURES = [
    ([[2, 0, 0], [1, 0, 0], [0.5, 0, 0]], 0.04162282, 0.47200143),
    ([[1, 0, 0], [0, 0.5, 0], [0, 0, 2]], 0.17420013, 0.60988721),
    (200 * np.eye(3) - 100, np.log(3), 1.0),
]

probabilities = arrays(
    float, st.tuples(st.integers(1, 20), st.integers(2, 5)), elements=st.floats(-9, 9)
).map(lambda logits: softmax(logits, axis=1))


@pytest.mark.parametrize(("logits", "infomax", "nuclear_norm"), FIXTURES)
def test_published_values(logits, infomax, nuclear_norm):
    P = softmax(np.asarray(logits, float), axis=1)
    assert metrics.infomax_score(P) == pytest.approx(infomax / np.log(3), abs=1e-8)
    assert metrics.nuclear_norm_score(P) == pytest.approx(nuclear_norm, abs=1e-8)


def test_published_values_of_the_risks():
    weight, loss = [1, 2, 0.5, 0.9], [1, 0, 0, 1]
    assert metrics.importance_weighted_risk(loss, weight) == pytest.approx(0.475)
    assert metrics.deep_embedded_risk(loss, weight) == pytest.approx(0.49795082)
    devn = metrics.deep_embedded_risk(loss, weight, normalize=True)
    assert devn == pytest.approx(0.4625)


@given(probabilities)
def test_scores_keep_their_bounds_and_ignore_order(P):
    K = P.shape[1]
    bounds = {
        metrics.infomax_score: (0, 1),
        metrics.nuclear_norm_score: (1 / K, 1),
        metrics.neg_entropy_score: (-np.log(K), 0),
    }
    shuffled = P[::-1, ::-1]
    for score, (low, high) in bounds.items():
        assert low - 1e-9 <= score(P) <= high + 1e-9
        assert score(shuffled) == pytest.approx(score(P))


def test_constant_predictions_carry_no_information():
    P = np.tile([0.7, 0.3], (9, 1))
    assert metrics.infomax_score(P) == 0
    one_class = np.tile([1.0, 0.0], (9, 1))
    assert metrics.infomax_score(one_class) == 0
    assert metrics.neg_entropy_score(one_class) == 0  # the trap that its text names


def test_agreement_is_with_the_mean_of_all_models():
    majority, loner = np.eye(2)[[0, 1, 1]], np.eye(2)[[1, 0, 1]]
    scores = metrics.ensemble_agreement_score([majority, majority, loner])
    assert scores.tolist() == [1, 1, 1 / 3]


def test_equal_weights_give_the_plain_mean():
    loss = [0.0, 1.0, 5.0]
    for risk in (metrics.importance_weighted_risk, metrics.deep_embedded_risk):
        assert risk(loss, np.ones(3)) == pytest.approx(2.0)
    assert metrics.deep_embedded_risk([3.0], [1.0]) == 3.0


def test_weights_move_the_risk_to_the_target():
    """The classifier errs where the target is and the source is not."""
    rng = np.random.default_rng(0)
    X_src, X_tgt = rng.standard_normal((4000, 1)), rng.standard_normal((4000, 1)) + 1
    loss = (X_src[:, 0] > 1).astype(float)
    on_target = np.mean(X_tgt > 1)
    weight = metrics.density_ratio(X_src, X_tgt)
    exact = np.exp(X_src[:, 0] - 0.5)
    assert np.corrcoef(weight, exact)[0, 1] > 0.99
    for risk in (metrics.importance_weighted_risk, metrics.deep_embedded_risk):
        assert risk(loss, weight) == pytest.approx(on_target, abs=0.05)
        assert abs(loss.mean() - on_target) > 0.3


def test_the_density_ratio_knows_how_many_rows_each_domain_has():
    X = np.random.default_rng(0).standard_normal((600, 2))
    assert metrics.density_ratio(X[:100], X[100:]).mean() == pytest.approx(1, abs=0.1)
    csr = sparse.csr_matrix(X)
    of_sparse = metrics.density_ratio(csr[:100], csr[100:], csr[:3])
    of_dense = metrics.density_ratio(X[:100], X[100:], X[:3])
    assert of_sparse == pytest.approx(of_dense, abs=1e-3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
def test_float32_is_compared_without_a_word_at_any_scale(container, scale):
    X, _, X_tgt, _ = make_domains()
    wide = [container(rows) for rows in (X, X_tgt)]
    narrow = [container((rows * scale).astype(np.float32)) for rows in (X, X_tgt)]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        distance = metrics.proxy_a_distance(*narrow, random_state=0)
        ratio = metrics.density_ratio(*narrow)
    assert distance == pytest.approx(
        metrics.proxy_a_distance(*wide, random_state=0), abs=0.1
    )
    assert np.isfinite(ratio).all()


def test_the_density_ratio_is_finite_and_positive_however_far_apart():
    X = np.random.default_rng(0).standard_normal((100, 2))
    weight = metrics.density_ratio(X, X + 1e6, [[-1e9, 0], [1e9, 0]], C=1e6)
    assert np.isfinite(weight).all()
    assert (weight > 0).all()


def test_distance_of_domains():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 3))
    apart, alike = X[:200] + np.array([4, 0, 0]), X[200:]
    assert metrics.proxy_a_distance(X[200:], apart, random_state=0) > 1.8
    assert metrics.proxy_a_distance(X[:200], alike, random_state=0) < 0.4
    as_sparse = metrics.proxy_a_distance(
        sparse.csr_matrix(X[200:]), sparse.csr_matrix(apart), random_state=0
    )
    assert as_sparse > 1.8


def test_distance_counts_both_domains_alike():
    """Guessing the larger domain is right for nearly all rows, and worth nothing."""
    X = np.random.default_rng(0).standard_normal((1000, 3))
    assert metrics.proxy_a_distance(X[:960], X[960:], random_state=0) < 0.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.infomax_score([[0.5, 0.2]]), "rows that sum to 1"),
        (lambda: metrics.neg_entropy_score([[1.5, -0.5]]), "must hold probabilities"),
        (lambda: metrics.nuclear_norm_score([[1.0], [1.0]]), "a column for each"),
        (lambda: metrics.infomax_score([0.5, 0.5]), "2D array"),
        (lambda: metrics.infomax_score([[np.nan, 1.0]]), "NaN"),
        (lambda: metrics.importance_weighted_risk([1, 2], [1]), "inconsistent"),
        (lambda: metrics.deep_embedded_risk([1, 2], [-1, 1]), "density ratio"),
        (lambda: metrics.deep_embedded_risk([1e200, 2], [1e200, 1]), "overflow"),
        (lambda: metrics.importance_weighted_risk([1e200, 2], [1e200, 1]), "overflow"),
        (lambda: metrics.density_ratio([[1, 2]], [[1]]), "X_tgt has 1 columns"),
        (lambda: metrics.proxy_a_distance([[1]] * 9, [[1]] * 3), "has 3 rows"),
    ],
)
def test_errors_say_what_to_pass(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_scores_rank_models_as_labels_would():
    """On a plain task with balanced classes, what predicts better scores better."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    X = y[:, None] + rng.normal(scale=[0.3, 1.0, 30.0], size=(400, 3))
    models = [LogisticRegression().fit(X[:, [i]], y) for i in range(3)]
    P = [model.predict_proba(X[:, [i]]) for i, model in enumerate(models)]
    accuracy = [model.score(X[:, [i]], y) for i, model in enumerate(models)]
    assert accuracy == sorted(accuracy, reverse=True)
    for score in ("infomax_score", "nuclear_norm_score", "neg_entropy_score"):
        values = [getattr(metrics, score)(p) for p in P]
        assert values == sorted(values, reverse=True), score


@pytest.mark.parametrize("models", [[], [np.eye(2), np.eye(3)]])
def test_models_that_can_not_be_compared_are_counted(models):
    with pytest.raises(ValueError, match=f"there are {len(models)}, of the shapes"):
        metrics.ensemble_agreement_score(models)
