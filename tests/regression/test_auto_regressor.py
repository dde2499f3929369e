"""Unlike candidates that predict numbers, combined by agreement and a few numbers."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import BringsTarget
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdann import (
    AdaptationWarning,
    AutoDANNRegressor,
    BaselineRegressor,
    DANNRegressor,
)
from skdann.model_selection import rows_to_label

pytestmark = pytest.mark.filterwarnings("ignore:.*columns of X_tgt lie")


class Adapting(BringsTarget, AutoDANNRegressor):
    pass


@pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning")
@parametrize_with_checks(
    [
        Adapting(
            [
                ("source", BaselineRegressor(Ridge(), standardize="source")),
                ("as it is", BaselineRegressor(Ridge(), standardize=None)),
            ]
        )
    ]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(240, 4))
Y = 50 + 5 * ROWS[:, 0] - 3 * ROWS[:, 1] + RNG.normal(size=240)
X, Y, Y_TGT = ROWS[:120], Y[:120], Y[120:]
X_TGT = ROWS[120:] * [1.5, 1, 0.7, 1] + 3  # by an instrument with gains and an offset
NETWORK = DANNRegressor(
    n_estimators=1,
    standardize="domain",
    hidden_layer_sizes=(16,),
    domain_hidden_layer_sizes=(16,),
    max_epochs=100,
    random_state=0,
)
QUICK = [
    ("ridge, source", BaselineRegressor(standardize="source")),
    ("ridge, by domain", BaselineRegressor(standardize="domain")),
    ("trees, by domain", BaselineRegressor(RandomForestRegressor(20, random_state=0))),
    ("network", NETWORK),
]


@pytest.fixture(scope="module")
def fitted():
    return AutoDANNRegressor(QUICK, random_state=0).fit(X, Y, X_TGT)


def test_it_beats_what_stays_with_the_source(fitted):
    simple = BaselineRegressor(standardize="source").fit(X, Y, X_TGT)
    assert simple.score(X_TGT, Y_TGT) < 0.1
    assert fitted.score(X_TGT, Y_TGT) > 0.8
    assert fitted.score(X, Y, domain="source") > 0.8
    with pytest.warns(AdaptationWarning, match="domain='source'"):
        fitted.predict(X)


def test_it_is_the_weighted_mean_of_its_candidates(fitted):
    table = fitted.results_
    used = table["weight"] >= 1e-3
    weights = table["weight"][used] / table["weight"][used].sum()
    expected = sum(
        weight * fitted.candidates_[name].predict(X_TGT)
        for name, weight in zip(table["candidate"][used], weights, strict=True)
    )
    np.testing.assert_allclose(fitted.predict(X_TGT), expected, rtol=1e-6)
    assert table["candidate"][-1] == "ridge, source"
    assert (np.diff(table["weight"]) <= 0).all()
    assert table["weight"].sum() == pytest.approx(1)
    assert table["candidate"][0] in fitted.reason_
    assert set(table) == {
        *("candidate", "weight", "agreement", "concordance", "fit_time", "error")
    }


def test_known_numbers_overrule_the_many():
    """Of four, three scale alike, and are wrong where rows were chosen by y."""
    order = np.argsort(Y)
    low, high = order[:70], order[50:]
    many = [
        (how, BaselineRegressor(estimator, standardize="domain"))
        for how, estimator in {
            "a": None,
            "b": Ridge(5),
            "c": LinearRegression(),
        }.items()
    ]
    candidates = [*many, ("right", BaselineRegressor(standardize="source"))]
    given = X[low], Y[low], X[high]
    auto = AutoDANNRegressor(candidates).fit(*given)
    assert auto.results_["candidate"][-1] == "right"
    rows, _ = rows_to_label(auto, X[high], 5, random_state=0)
    y_tgt = np.full(len(high), np.nan)
    y_tgt[rows] = Y[high][rows]
    helped = AutoDANNRegressor(candidates).fit(*given, y_tgt=y_tgt)
    assert helped.results_["candidate"][0] == "right"
    assert helped.results_["n_labelled"][0] == 5
    assert helped.results_["labelled_r2"][0] > 0.5
    assert "On the 5 known numbers" in helped.reason_
    assert helped.score(X[high], Y[high]) > auto.score(X[high], Y[high]) + 0.5
    # the candidates themselves have not seen these numbers
    np.testing.assert_array_equal(
        helped.candidates_["right"].predict(X), auto.candidates_["right"].predict(X)
    )


@pytest.mark.parametrize("label_use", ["training", "both"])
def test_known_numbers_train_the_candidates(fitted, label_use):
    y_tgt = np.where(np.arange(120) < 60, Y_TGT, np.nan)
    auto = AutoDANNRegressor(QUICK[:3], label_use=label_use)
    auto.fit(X, Y, X_TGT, y_tgt=y_tgt)
    alone = BaselineRegressor().fit(X, Y, X_TGT, y_tgt=y_tgt)
    np.testing.assert_allclose(
        auto.candidates_["ridge, by domain"].predict(X_TGT), alone.predict(X_TGT)
    )
    assert ("n_labelled" in auto.results_) == (label_use == "both")


@pytest.fixture
def quick_defaults(monkeypatch):
    """Have the candidates by default take little time."""
    monkeypatch.setattr(
        "skdann._auto._candidates._LEAF", {"n_estimators": 5, "min_samples_leaf": 2}
    )
    monkeypatch.setattr(DANNRegressor.__init__, "__kwdefaults__", {
        **DANNRegressor.__init__.__kwdefaults__,
        **{"n_estimators": 1, "max_epochs": 2, "hidden_layer_sizes": (8,)},
    })  # fmt: skip


def test_scales_by_domain_are_left_out_where_domains_overlap(quick_defaults):
    apart = AutoDANNRegressor(random_state=0).fit(X, Y, X_TGT)
    assert len(apart.candidates_) == 13
    overlapping = AutoDANNRegressor(random_state=0).fit(X, Y, ROWS[120:])
    assert set(overlapping.candidates_) == {
        "ridge regression, source",
        "ridge regression, pooled",
        "random forest, as it is",
        "extra trees, as it is",
        "DANN, source",
        "DANN, pooled",
    }
    of_sparse = AutoDANNRegressor(random_state=0)
    of_sparse.fit(sparse.csr_matrix(X), Y, sparse.csr_matrix(X_TGT))
    assert len(of_sparse.candidates_) == 4


def test_two_fits_with_one_seed_are_the_same_and_pickles_predict_alike(fitted):
    again = AutoDANNRegressor(QUICK, random_state=0).fit(X, Y, X_TGT)
    expected = fitted.predict(X_TGT)
    np.testing.assert_allclose(again.predict(X_TGT), expected, rtol=1e-6)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict(X_TGT), expected)
    assert clone(fitted).get_params()["random_state"] == 0


def test_frames_weights_and_several_numbers():
    frame, frame_tgt = (pd.DataFrame(d, columns=[*"abcd"]) for d in (X, X_TGT))
    both = np.c_[Y, -1000 * X[:, 2]]
    weight_tgt = np.r_[np.ones(100), np.zeros(20)]
    auto = AutoDANNRegressor(QUICK[:3]).fit(
        frame, both, frame_tgt, sample_weight_tgt=weight_tgt
    )
    assert auto.predict(frame_tgt).shape == (120, 2)
    assert auto.n_outputs_ == 2
    assert auto.feature_names_in_.tolist() == [*"abcd"]
    rows, _ = rows_to_label(auto, frame_tgt, 5, random_state=0)
    assert len(set(rows)) == 5


def test_other_units_give_the_same_weights(fitted):
    in_tons = AutoDANNRegressor(QUICK, random_state=0).fit(X, Y * 1e-3 - 7, X_TGT)
    for name, weight in zip(
        *map(fitted.results_.get, ("candidate", "weight")), strict=True
    ):
        position = list(in_tons.results_["candidate"]).index(name)
        assert in_tons.results_["weight"][position] == pytest.approx(weight, abs=1e-2)


class Fails(Ridge):
    def fit(self, X, y, sample_weight=None):
        raise TimeoutError("a socket")


class Infinite(Ridge):
    def predict(self, X):
        return np.full(len(X), np.inf)


@pytest.mark.parametrize(
    ("one", "says"), [(Fails(), "a socket"), (Infinite(), "not finite")]
)
def test_a_candidate_that_fails_is_left_out(one, says):
    with pytest.warns(FitFailedWarning, match=says):
        auto = AutoDANNRegressor([*QUICK[:2], ("bad", one)]).fit(X, Y, X_TGT)
    assert set(auto.candidates_) == {"ridge, source", "ridge, by domain"}
    assert auto.results_["candidate"][-1] == "bad"


@pytest.mark.parametrize(
    ("candidates", "says"),
    [
        ([("one", Ridge()), ("two", LogisticRegression())], "a regressor of scikit"),
        (
            [("one", Ridge()), ("two", make_pipeline(StandardScaler(), NETWORK))],
            r"make_pipeline\(\.\.\., AutoDANNRegressor",
        ),
        ([("one", Ridge())], "at least two pairs"),
    ],
)
def test_wrong_candidates_are_refused(candidates, says):
    with pytest.raises(ValueError, match=says):
        AutoDANNRegressor(candidates).fit(X, Y, X_TGT)


def test_wrong_data_are_refused(fitted):
    auto = AutoDANNRegressor(QUICK[:2])
    with pytest.raises(ValueError, match="weights its candidates on the target"):
        auto.fit(X, Y)
    with pytest.raises(ValueError, match="must hold real numbers"):
        auto.fit(X, ["a"] * 120, X_TGT)
    assert not hasattr(auto, "candidates_")
