"""What others call the target and its groups, brought to `fit` by scikit-learn."""

import numpy as np
import pytest
from helpers import SMALL, make_domains
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import (
    AdaptationWarning,
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
)
from skdann.model_selection import DANNGridSearchCV

NUMBERS = {name: value for name, value in SMALL.items() if name != "target_prior"}
ESTIMATORS = [
    DANNClassifier(**SMALL),
    DANNRegressor(**NUMBERS),
    BaselineClassifier(),
    BaselineRegressor(),
    AutoDANNClassifier([("a", BaselineClassifier()), ("b", DANNClassifier(**SMALL))]),
    AutoDANNRegressor([("a", BaselineRegressor()), ("b", DANNRegressor(**NUMBERS))]),
    DANNGridSearchCV(DANNClassifier(**SMALL), {"lambda_max": [0, 1]}, cv=2),
]
by_name = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__
)


@pytest.fixture
def far():
    """Return domains whose scale no network learns from as it is."""
    X, y, X_tgt, _ = make_domains(60, 45)
    return 1000 + 100 * X, y, 1000 + 100 * X_tgt


class Spy(DANNClassifier):
    """Notes what each fit receives."""

    seen = []

    def fit(self, X, y, X_tgt=None, *, groups=None):
        Spy.seen.append((X, X_tgt, groups))
        return super().fit(X, y, X_tgt, groups=groups)


@pytest.fixture
def spy(routing):
    Spy.seen = []
    aliases = {"X_tgt": "X_target_unlabeled", "groups": "subjects"}
    return Spy(**SMALL).set_fit_request(**aliases)


def scaled(last, transform_input):
    return make_pipeline(StandardScaler(), last, transform_input=transform_input)


@by_name
def test_an_alias_is_the_target_scaled_as_the_source(routing, far, estimator):
    X, y, X_tgt = far
    scaler = StandardScaler().fit(X)
    by_hand = clone(estimator).fit(scaler.transform(X), y, scaler.transform(X_tgt))
    aliased = clone(estimator).set_fit_request(X_tgt="X_target_unlabeled")
    pipe = clone(scaled(aliased, ["X_tgt"])).fit(X, y, X_target_unlabeled=X_tgt)
    expected = by_hand.predict(scaler.transform(X_tgt))
    assert np.array_equal(pipe.predict(X_tgt), expected)


def test_a_pipeline_transforms_by_the_name_that_its_last_step_gives(spy, far):
    X, y, X_tgt = far
    with pytest.warns(AdaptationWarning, match=r"transform_input=\['X_tgt'\]"):
        scaled(spy, ["X_target_unlabeled"]).fit(X, y, X_target_unlabeled=X_tgt)
    assert Spy.seen[0][1] is X_tgt


NAMED_WITHIN = {
    "Pipeline": lambda spy: scaled(spy, ["X_tgt"]),
    "GridSearchCV": lambda spy: GridSearchCV(spy, {"lr": [1e-3]}, cv=2),
}


@pytest.mark.parametrize("last", NAMED_WITHIN)
def test_what_has_it_within_knows_but_the_alias(spy, far, last):
    X, y, X_tgt = far
    pipe = scaled(NAMED_WITHIN[last](spy), ["X_target_unlabeled"])
    pipe.fit(X, y, X_target_unlabeled=X_tgt)
    for _, seen, _ in Spy.seen:
        np.testing.assert_allclose(seen, StandardScaler().fit(X).transform(X_tgt))


def test_cross_validation_slices_groups_and_keeps_the_target_whole(spy, far):
    X, y, X_tgt = far
    subjects = np.where(X[:, 0] > 1000, "A", "B")
    given = {"X_target_unlabeled": X_tgt, "subjects": subjects}
    spy.set_params(domain_classes="groups", standardize="source")
    cross_val_score(scaled(spy, ["X_tgt"]), X, y, params=given, cv=2)
    for rows, seen, groups in Spy.seen:
        assert (len(rows), len(seen)) == (30, 45)
        in_a = groups == "A"
        assert rows[in_a, 0].min() > rows[~in_a, 0].max()


def test_a_search_of_ours_transforms_the_target_itself(routing, far):
    X, y, X_tgt = far
    pipe = make_pipeline(StandardScaler(), DANNClassifier(**SMALL))
    search = DANNGridSearchCV(pipe, {"dannclassifier__lambda_max": [0, 1]}, cv=2)
    outer = make_pipeline(search.set_fit_request(X_tgt="X_target_unlabeled"))
    outer.fit(X, y, X_target_unlabeled=X_tgt)
    by_hand = clone(search).fit(X, y, X_tgt)
    assert np.array_equal(outer.predict(X_tgt), by_hand.predict(X_tgt))
