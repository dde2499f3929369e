"""What one would do without a network: a classifier on scaled columns."""

import numpy as np
import pytest
from helpers import make_domains
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdann import BaselineClassifier


@parametrize_with_checks(
    [
        BaselineClassifier(),
        BaselineClassifier(standardize=None),
        BaselineClassifier(GaussianNB(), standardize="source"),
    ]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def _by_source(X, X_tgt):
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_tgt)


def _by_domain(X, X_tgt):
    return StandardScaler().fit_transform(X), StandardScaler().fit_transform(X_tgt)


def _pooled(X, X_tgt):
    weight = np.r_[np.full(len(X), 1 / len(X)), np.full(len(X_tgt), 1 / len(X_tgt))]
    scaler = StandardScaler().fit(np.vstack([X, X_tgt]), sample_weight=weight)
    return scaler.transform(X), scaler.transform(X_tgt)


def _quantiles(X, X_tgt):
    def to_normal(A):
        n = min(200, len(A))
        transformer = QuantileTransformer(
            n_quantiles=n, output_distribution="normal", random_state=0
        )
        return transformer.fit_transform(A).clip(-3, 3)

    return to_normal(X), to_normal(X_tgt)


def _as_it_is(X, X_tgt):
    return X, X_tgt


@pytest.mark.parametrize(
    ("standardize", "by_hand"),
    [
        ("source", _by_source),
        ("domain", _by_domain),
        ("pooled", _pooled),
        ("quantile", _quantiles),
        (None, _as_it_is),
    ],
)
def test_it_is_a_scaler_and_then_the_classifier(standardize, by_hand):
    X, y, X_tgt, _ = make_domains()
    clf = BaselineClassifier(standardize=standardize).fit(X, y, X_tgt)
    A, A_tgt = by_hand(X, X_tgt)
    expected = LogisticRegression(max_iter=2000).fit(A, y)
    np.testing.assert_allclose(
        clf.predict_proba(X_tgt), expected.predict_proba(A_tgt), atol=1e-5
    )
    np.testing.assert_allclose(
        clf.predict_proba(X, domain="source"), expected.predict_proba(A), atol=1e-5
    )


@pytest.mark.parametrize("standardize", ["domain", None])
def test_labelled_target_rows_join_the_source(standardize):
    X, y, X_tgt, y_tgt = make_domains()
    few = np.full(len(y_tgt), -1)
    few[:30] = y_tgt[:30]
    clf = BaselineClassifier(standardize=standardize)
    helped = clf.fit(X, y, X_tgt, y_tgt=few).score(X_tgt[30:], y_tgt[30:])
    assert helped > clf.fit(X, y, X_tgt).score(X_tgt[30:], y_tgt[30:])


def test_a_weight_of_zero_is_a_row_left_out():
    X, y, X_tgt, _ = make_domains()
    weight = np.r_[np.ones(120), np.zeros(80)]
    weighted = BaselineClassifier().fit(X, y, X_tgt, sample_weight=weight)
    fewer = BaselineClassifier().fit(X[:120], y[:120], X_tgt)
    np.testing.assert_allclose(
        weighted.predict_proba(X_tgt), fewer.predict_proba(X_tgt), atol=1e-6
    )


@pytest.mark.parametrize("standardize", ["domain", "quantile", None])
def test_sparse_rows_are_left_as_they_are(standardize):
    X, y, X_tgt, _ = make_domains()
    dense = BaselineClassifier(standardize=None).fit(X, y, X_tgt).predict_proba(X_tgt)
    X, X_tgt = sparse.csr_matrix(X), sparse.csr_matrix(X_tgt)
    clf = BaselineClassifier(standardize=standardize).fit(X, y, X_tgt)
    np.testing.assert_allclose(clf.predict_proba(X_tgt), dense)


def test_a_class_whose_rows_have_no_weight_keeps_its_place():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=150)
    X = 3.0 * np.eye(3)[y] + 0.3 * rng.standard_normal((150, 3))
    weight = (y != 0).astype(float)
    clf = BaselineClassifier().fit(X, y, X + 0.1, sample_weight=weight)
    P = clf.predict_proba(X)
    assert P.shape == (150, 3)
    assert (P[:, 0] == 0).all()
    assert (clf.predict(X)[y != 0] == y[y != 0]).all()


def test_quantiles_of_a_column_that_is_constant_in_a_domain():
    rng = np.random.default_rng(0)
    X, X_tgt = rng.standard_normal((80, 3)), rng.standard_normal((60, 3))
    X[:, 0], X_tgt[:, 1] = 5.0, np.median(X[:, 1])
    clf = BaselineClassifier(standardize="quantile").fit(X, X[:, 1] > 0, X_tgt)
    of_source, of_target = (
        clf._scaler.transform(A, name) for A, name in ((X, "source"), (X_tgt, "target"))
    )
    assert (of_source[:, 0] == 0).all()
    assert (of_target[:, 0] == 0).all()
    assert np.abs(of_target[:, 1]).max() < 0.1  # the median, as in the source


def test_numbers_among_objects_are_numbers():
    X, y, X_tgt, y_tgt = make_domains()
    y, y_tgt = 2 * y - 1, 2 * y_tgt - 1  # -1 can't mark what is not known
    few = np.full(len(y_tgt), None, dtype=object)
    few[:30] = y_tgt[:30]
    clf = BaselineClassifier().fit(X, y, X_tgt, y_tgt=few)
    assert clf.classes_.tolist() == [-1, 1]
    assert 0 <= clf.score(X_tgt, y_tgt) <= 1
