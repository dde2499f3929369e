"""Log-odds, on which scikit-learn calibrates."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss

from skdann import BaselineClassifier


def test_of_two_classes_it_is_the_log_odds(small, domains):
    clf = small().fit(*domains)
    for domain in ("source", "target"):
        P = clf.predict_proba(domains[0], domain=domain).astype(float)
        scores = clf.decision_function(domains[0], domain=domain)
        np.testing.assert_allclose(scores, np.log(P[:, 1] / P[:, 0]), atol=1e-5)


def test_of_three_the_largest_is_what_is_predicted():
    X, y = load_iris(return_X_y=True)
    clf = BaselineClassifier(RandomForestClassifier(random_state=0)).fit(X, y)
    scores = clf.decision_function(X)
    assert np.isfinite(scores).all()  # trees that agree leave probabilities of 0
    np.testing.assert_array_equal(clf.classes_[scores.argmax(axis=1)], clf.predict(X))


def test_a_network_that_is_too_sure_can_be_calibrated(small):
    """It ranks all rows right, and the border is at another place."""
    rng = np.random.default_rng(0)
    X, few, rest = rng.normal(size=(3, 400, 1))
    clf = small(lambda_max=0, max_epochs=30, lr=0.03).fit(X, X[:, 0] > -0.5)
    assert np.median(clf.predict_proba(rest).max(axis=1)) > 0.999
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf))
    calibrated.fit(few[:60], few[:60, 0] > 0.5)
    before, after = (
        brier_score_loss(rest[:, 0] > 0.5, model.predict_proba(rest)[:, 1])
        for model in (clf, calibrated)
    )
    assert before > 0.25
    assert after < 0.1
