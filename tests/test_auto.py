"""Unlike candidates, combined by how far they agree, and by a few labels."""

import time
from functools import partial

import numpy as np
import pytest
from helpers import SMALL, BringsTarget, make_domains
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.callbacks import Callback

from skdann import (
    AdaptationWarning,
    AutoDANNClassifier,
    BaselineClassifier,
    DANNClassifier,
    save,
)
from skdann.model_selection import rows_to_label


class Adapting(BringsTarget, AutoDANNClassifier):
    pass


@pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning")
@parametrize_with_checks(
    [
        Adapting(
            [
                ("source", BaselineClassifier(standardize="source")),
                ("as it is", BaselineClassifier(standardize=None)),
                (
                    "firm",
                    BaselineClassifier(LogisticRegression(C=0.1), standardize="source"),
                ),
            ]
        )
    ]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


QUICK = [
    ("linear, source", BaselineClassifier(standardize="source")),
    ("linear, by domain", BaselineClassifier(standardize="domain")),
    ("Bayes, by domain", BaselineClassifier(GaussianNB(), standardize="domain")),
    ("network", DANNClassifier(**SMALL)),
]


def make_two_protocols():
    """Tumors measured by two protocols, the second without labels."""
    X, y = load_breast_cancer(return_X_y=True)
    return X[:300, :10], y[:300], X[300:, 20:], y[300:]


def few_labels(y_tgt, rows):
    known = np.full(len(y_tgt), -1)
    known[rows] = y_tgt[rows]
    return known


@pytest.fixture
def few_trees():
    """Not here: candidates that processes of their own fit have all of them."""


@pytest.fixture(scope="module")
def quick_defaults():
    """Have default candidates be smaller; README.md trains them as users do."""
    few = partial(DANNClassifier, n_estimators=1, max_epochs=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skdann._auto._candidates.DANNClassifier", few)
        yield


@pytest.fixture(scope="module")
def fitted(quick_defaults):
    X, y, X_tgt, _ = make_two_protocols()
    return AutoDANNClassifier(random_state=0).fit(X, y, X_tgt)


def test_it_beats_what_stays_with_the_source(fitted):
    X, y, X_tgt, y_tgt = make_two_protocols()
    simple = BaselineClassifier(standardize="source").fit(X, y, X_tgt)
    assert fitted.score(X_tgt, y_tgt) > simple.score(X_tgt, y_tgt) + 0.3
    assert fitted.score(X, y, domain="source") > 0.85


def test_it_is_the_weighted_mean_of_its_candidates(fitted):
    _, _, X_tgt, _ = make_two_protocols()
    table = fitted.results_
    used = table["weight"] >= 1e-3
    weights = table["weight"][used] / table["weight"][used].sum()
    expected = sum(
        weight * fitted.candidates_[name].predict_proba(X_tgt)
        for name, weight in zip(table["candidate"][used], weights, strict=True)
    )
    P = fitted.predict_proba(X_tgt)
    np.testing.assert_allclose(P, expected, atol=1e-7)
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-6)


def test_the_table_names_every_candidate_by_falling_weight(fitted):
    table = fitted.results_
    assert len(table["candidate"]) == len(set(table["candidate"])) == 13
    assert (np.diff(table["weight"]) <= 0).all()
    assert table["weight"].sum() == pytest.approx(1)
    assert ((table["agreement"] >= 0) & (table["agreement"] <= 1)).all()
    assert set(table["error"]) == {""}
    assert table["candidate"][0] in fitted.reason_


@pytest.mark.usefixtures("quick_workers")
def test_two_fits_with_one_seed_are_the_same_and_pickles_predict_alike(fitted):
    import pickle

    X, y, X_tgt, _ = make_two_protocols()
    again = AutoDANNClassifier(random_state=0, n_jobs=2).fit(X, y, X_tgt)
    P = fitted.predict_proba(X_tgt)
    np.testing.assert_allclose(again.predict_proba(X_tgt), P, atol=1e-6)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(X_tgt), P)


def test_rows_of_the_source_that_are_not_named_so_are_noticed(fitted):
    X, _, _, _ = make_two_protocols()
    with pytest.warns(AdaptationWarning, match="domain='source'"):
        fitted.predict(X)


def test_labels_overrule_the_many():
    X, y, X_tgt, y_tgt = make_domains()  # the source's better sensor is stuck
    wrong = [(f"wrong {i}", LogisticRegression(C=10.0**-i)) for i in range(4)]
    right = BaselineClassifier(
        make_pipeline(_FirstColumn(), LogisticRegression()), standardize=None
    )
    candidates = [*wrong, ("right", right)]
    auto = AutoDANNClassifier(candidates).fit(X, y, X_tgt)
    assert auto.results_["candidate"][-1] == "right"
    known = few_labels(y_tgt, np.arange(60))
    helped = AutoDANNClassifier(candidates).fit(X, y, X_tgt, y_tgt=known)
    assert helped.results_["candidate"][0] == "right"
    assert helped.score(X_tgt, y_tgt) > auto.score(X_tgt, y_tgt) + 0.2
    assert helped.results_["n_labelled"][0] == 60
    assert "60 labels" in helped.reason_


class _FirstColumn(StandardScaler):
    def transform(self, X, copy=None):
        return np.asarray(X)[:, :1]


def test_labels_for_the_choice_train_no_candidate():
    X, y, X_tgt, y_tgt = make_domains()
    known = few_labels(y_tgt, np.arange(40))
    plain = AutoDANNClassifier(QUICK).fit(X, y, X_tgt)
    chosen = AutoDANNClassifier(QUICK).fit(X, y, X_tgt, y_tgt=known)
    trained = AutoDANNClassifier(QUICK, label_use="training")
    trained.fit(X, y, X_tgt, y_tgt=known)
    both = AutoDANNClassifier(QUICK, label_use="both").fit(X, y, X_tgt, y_tgt=known)
    for name in plain.candidates_:
        P, P_chosen, P_trained, P_both = (
            auto.candidates_[name].predict_proba(X_tgt)
            for auto in (plain, chosen, trained, both)
        )
        np.testing.assert_allclose(P_chosen, P, atol=1e-6)
        np.testing.assert_allclose(P_both, P_trained, atol=1e-6)
        assert not np.allclose(P_trained, P, atol=1e-3)
    weights = [
        dict(zip(auto.results_["candidate"], auto.results_["weight"], strict=True))
        for auto in (chosen, both)
    ]
    assert weights[0] == pytest.approx(weights[1])
    assert "n_right" not in trained.results_


def test_a_label_that_the_source_lacks():
    X, y, X_tgt, y_tgt = make_domains()
    known = few_labels(y_tgt, np.arange(40))
    known[:5] = 7
    given = {"y_tgt": known, "classes": [0, 1, 7]}
    chosen = AutoDANNClassifier(QUICK).fit(X, y, X_tgt, **given)
    assert chosen.classes_.tolist() == [0, 1, 7]
    assert 7 not in chosen.predict(X_tgt)  # trained without these labels
    assert (chosen.results_["n_right"] <= 35).all()
    both = AutoDANNClassifier(QUICK, label_use="both").fit(X, y, X_tgt, **given)
    assert both.classes_.tolist() == [0, 1, 7]
    assert both.predict_proba(X_tgt).shape == (150, 3)


def test_strings_weights_and_data_frames():
    pd = pytest.importorskip("pandas")
    X, y, X_tgt, y_tgt = make_domains()
    names = np.array(["no", "yes"])
    X, X_tgt = (pd.DataFrame(A, columns=["weak", "strong"]) for A in (X, X_tgt))
    few = np.full(len(y_tgt), None, dtype=object)
    few[:20] = names[y_tgt[:20]]
    auto = AutoDANNClassifier(QUICK)
    auto.fit(X, names[y], X_tgt, sample_weight=np.ones(len(y)), y_tgt=few)
    assert set(auto.predict(X_tgt)) <= {"no", "yes"}
    assert auto.feature_names_in_.tolist() == ["weak", "strong"]
    assert pd.DataFrame(auto.results_).shape[0] == 4


def test_sparse_rows_stay_sparse(quick_defaults):
    X, y, X_tgt, _ = make_domains()
    X, X_tgt = (sparse.csr_matrix(np.maximum(A, 0)) for A in (X, X_tgt))
    auto = AutoDANNClassifier(random_state=0).fit(X, y, X_tgt)
    assert len(auto.candidates_) == 5
    assert auto.predict_proba(X_tgt).shape == (150, 2)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"lr": 1e30}, "DivergenceError"),
        ({"domain_classes": np.ones(2)}, "InvalidParameterError"),
    ],
)
def test_a_candidate_that_fails_is_left_out(bad, error):
    X, y, X_tgt, _ = make_domains()
    bad = DANNClassifier(**{**SMALL, **bad})
    with pytest.warns(FitFailedWarning, match=f"broken: {error}"):
        auto = AutoDANNClassifier([*QUICK, ("broken", bad)]).fit(X, y, X_tgt)
    assert auto.results_["candidate"][-1] == "broken"
    assert error in auto.results_["error"][-1]
    assert auto.results_["weight"][-1] == 0
    assert "broken" not in auto.candidates_


def test_if_all_candidates_fail_the_estimator_is_as_it_was():
    X, y, X_tgt, _ = make_domains()
    bad = DANNClassifier(**{**SMALL, "lr": 1e30})
    auto = AutoDANNClassifier([("a", bad), ("b", bad)])
    with pytest.raises(ValueError, match="No candidate could be fitted"):
        auto.fit(X, y, X_tgt)
    assert vars(auto) == vars(AutoDANNClassifier(auto.candidates))


class _Hours(Callback):
    """Let an hour pass at each epoch."""

    passed = 0

    def on_epoch_end(self, net, **kwargs):
        _Hours.passed += 1


def test_what_is_not_done_in_time_is_left_out(monkeypatch):
    X, y, X_tgt, _ = make_domains()
    monkeypatch.setattr(_Hours, "passed", 0)
    monkeypatch.setattr(time, "time", lambda: 3600 * _Hours.passed)
    slow = DANNClassifier(**{**SMALL, "max_epochs": 10**6, "callbacks": [_Hours()]})
    auto = AutoDANNClassifier([*QUICK, ("slow", slow)], max_time=7200)
    with pytest.warns(FitFailedWarning, match="slow: not done within max_time=7200"):
        auto.fit(X, y, X_tgt)
    assert 2 <= _Hours.passed <= 4
    assert "linear, source" in auto.candidates_


def test_the_progress_bar_reaches_the_end(capsys):
    X, y, X_tgt, _ = make_domains()
    AutoDANNClassifier(QUICK, verbose=1).fit(X, y, X_tgt)
    assert "candidates 100%" in capsys.readouterr().err
    AutoDANNClassifier(QUICK).fit(X, y, X_tgt)
    assert capsys.readouterr().err == ""


def test_candidates_of_the_user_are_not_touched():
    X, y, X_tgt, _ = make_domains()
    mine = LogisticRegression()
    AutoDANNClassifier([("mine", mine), *QUICK]).fit(X, y, X_tgt)
    assert not hasattr(mine, "coef_")


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([("one", LogisticRegression())], "at least two pairs"),
        ([LogisticRegression(), LogisticRegression()], "at least two pairs"),
        ([("a", LogisticRegression()), ("a", GaussianNB())], "each name once"),
        ([("a", RidgeClassifier()), ("b", GaussianNB())], "predict_proba"),
        (
            [("a", make_pipeline(StandardScaler(), DANNClassifier())), QUICK[0]],
            "goes before the whole",
        ),
    ],
)
def test_wrong_candidates_are_refused(candidates, message):
    X, y, X_tgt, _ = make_domains()
    with pytest.raises(ValueError, match=message):
        AutoDANNClassifier(candidates).fit(X, y, X_tgt)


def test_wrong_data_are_refused():
    X, y, X_tgt, _ = make_domains()
    with pytest.raises(ValueError, match=r"fit\(X, y, X_tgt\)"):
        AutoDANNClassifier().fit(X, y)
    with pytest.raises(ValueError, match="feature_extractor"):
        AutoDANNClassifier().fit(X[:, :, None], y, X_tgt[:, :, None])
    with pytest.raises(TypeError, match="AutoDANNClassifier"):
        save(AutoDANNClassifier(QUICK).fit(X, y, X_tgt), "auto.skdann")


def test_one_class_everywhere_leaves_equal_weights():
    X, y, X_tgt, _ = make_domains()
    constant = [
        (f"always {i}", DummyClassifier(strategy="constant", constant=0))
        for i in range(2)
    ]
    auto = AutoDANNClassifier(constant).fit(X, y, X_tgt)
    np.testing.assert_allclose(auto.results_["weight"], 0.5)


def test_it_clones_and_goes_into_a_pipeline():
    import sklearn

    X, y, X_tgt, y_tgt = make_domains()
    with sklearn.config_context(enable_metadata_routing=True):
        auto = clone(AutoDANNClassifier(QUICK))
        pipe = make_pipeline(StandardScaler(), auto, transform_input=["X_tgt"])
        pipe.fit(X, y, X_tgt=X_tgt)
        assert 0 <= pipe.score(X_tgt, y_tgt) <= 1
    rows, _ = rows_to_label(pipe, X_tgt, 5, random_state=0)
    assert len(set(rows)) == 5


def test_candidates_without_a_seed_get_one():
    X, y, X_tgt, _ = make_domains()
    trees = RandomForestClassifier(5)
    candidates = [("a", trees), ("b", BaselineClassifier(trees))]
    first, second = (
        AutoDANNClassifier(candidates, random_state=0).fit(X, y, X_tgt)
        for _ in range(2)
    )
    np.testing.assert_array_equal(
        first.predict_proba(X_tgt), second.predict_proba(X_tgt)
    )


class _Moody(LogisticRegression):
    """Fails as soon as it gets more rows than the source has."""

    def fit(self, X, y, sample_weight=None):
        if len(X) > 200:
            raise TimeoutError("a socket")
        return super().fit(X, y, sample_weight)


def test_what_can_not_be_trained_again_stays_as_it_was():
    X, y, X_tgt, y_tgt = make_domains()
    known = few_labels(y_tgt, np.arange(40))
    candidates = [*QUICK[:2], ("moody", _Moody())]
    chosen = AutoDANNClassifier(candidates).fit(X, y, X_tgt, y_tgt=known)
    both = AutoDANNClassifier(candidates, label_use="both")
    with pytest.warns(FitFailedWarning, match="moody: TimeoutError: a socket"):
        both.fit(X, y, X_tgt, y_tgt=known)
    np.testing.assert_allclose(
        both.predict_proba(X_tgt), chosen.predict_proba(X_tgt), atol=1e-7
    )


def test_an_interrupt_ends_the_fit_with_what_is_done():
    X, y, X_tgt, y_tgt = make_domains()
    candidates = [*QUICK[:2], ("interrupted", _Interrupted())]
    auto = AutoDANNClassifier(candidates, label_use="both")
    with pytest.warns(UserWarning, match="2 of 3 candidates are done"):
        auto.fit(X, y, X_tgt, y_tgt=few_labels(y_tgt, np.arange(20)))
    assert set(auto.candidates_) == {"linear, source", "linear, by domain"}
    with pytest.raises(KeyboardInterrupt):
        AutoDANNClassifier([("now", _Interrupted()), QUICK[0]]).fit(X, y, X_tgt)


class _Interrupted(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        raise KeyboardInterrupt
