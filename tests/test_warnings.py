"""A warning names the line of the user, however deep its reason is found."""

import contextlib
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from helpers import SMALL, make_domains
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdann
from skdann import (
    AdaptationWarning,
    AutoDANNClassifier,
    BaselineClassifier,
    DANNClassifier,
    metrics,
)
from skdann._warn import silent_libraries
from skdann.inspection import adaptation_report
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    reverse_validation_score,
    target_scorer,
)


def explode_once():
    """A learning rate that is far too high for one step, the first time."""
    seen = []

    def schedule(progress):
        seen.append(progress)
        first = seen.count(progress) == 1
        return 1e30 if 0.4 < progress < 0.45 and first else 1.0

    return schedule


RESTORING = {"on_divergence": "restore", "optimizer": "sgd", "lr": 0.01}
GRID = {"lambda_max": [0.0, 1.0]}


def fit_restoring(clf, X, y, X_tgt):
    clf.set_params(**RESTORING, lr_schedule=explode_once()).fit(X, y, X_tgt)


def search_restoring(clf, X, y, X_tgt):
    clf.set_params(**RESTORING, lr_schedule=explode_once())
    DANNGridSearchCV(clf, {**GRID, "max_epochs": [3, 4]}, cv=2).fit(X, y, X_tgt)


def stock_search_unscaled(clf, X, y, X_tgt):
    search = GridSearchCV(clf, GRID, scoring=target_scorer("infomax"), cv=2, n_jobs=1)
    search.fit(X, y, X_tgt=X_tgt + 1000)


def load_without_code(clf, X, y, X_tgt, path):
    skdann.save(clf.set_params(lr_schedule=lambda p: 1.0).fit(X, y, X_tgt), path)
    skdann.load(path)


CASES = {
    "no target": (lambda clf, X, y, X_tgt: clf.fit(X, y), AdaptationWarning),
    "unscaled": (
        lambda clf, X, y, X_tgt: clf.fit(X, y, X_tgt + 1000),
        AdaptationWarning,
    ),
    "unscaled in partial_fit": (
        lambda clf, X, y, X_tgt: clf.partial_fit(X, y, X_tgt + 1000, classes=[0, 1]),
        AdaptationWarning,
    ),
    "unscaled in a Pipeline": (
        lambda clf, X, y, X_tgt: make_pipeline(StandardScaler(), clf).fit(
            X, y, dannclassifier__X_tgt=X_tgt + 1000
        ),
        AdaptationWarning,
    ),
    "unscaled in our search": (
        lambda clf, X, y, X_tgt: DANNGridSearchCV(clf, GRID, cv=2).fit(
            X, y, X_tgt + 1000
        ),
        AdaptationWarning,
    ),
    "unscaled in a stock search": (stock_search_unscaled, AdaptationWarning),
    "restored": (fit_restoring, ConvergenceWarning),
    "restored in our search": (search_restoring, ConvergenceWarning),
}


@pytest.mark.filterwarnings("default::skdann.AdaptationWarning")
@pytest.mark.parametrize("case", CASES)
def test_the_place_is_the_users_line(small, domains, case, request):
    act, category = CASES[case]
    if "stock" in case:
        request.getfixturevalue("routing")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act(small(), *domains)
    places = {w.filename for w in caught if issubclass(w.category, category)}
    assert places == {__file__}


def test_loading_names_the_users_line(small, domains, tmp_path):
    with pytest.warns(UserWarning, match="can't hold the code") as caught:
        load_without_code(small(), *domains, tmp_path / "model.skdann")
    assert {w.filename for w in caught} == {__file__}


@pytest.mark.filterwarnings("default:The network")
def test_a_collapse_names_the_users_line(small, domains):
    X, y, X_tgt = domains
    with pytest.warns(AdaptationWarning, match="every row of the target") as caught:
        small(lambda_max=0, max_epochs=60).fit(X, y, X_tgt)
    assert {w.filename for w in caught} == {__file__}


# ---- from wherever a fit is called

X, Y, X_TGT, _ = make_domains(40, 30)
FAR = X_TGT + 1000
FAST = DANNClassifier(**{**SMALL, "max_epochs": 2})


class Mine(DANNClassifier):
    """A subclass in a file of the user's."""

    def __init__(self, *, max_epochs=2, random_state=0):
        super().__init__(max_epochs=max_epochs, random_state=random_state)

    def fit(self, X, y, X_tgt):
        return super().fit(X, y, X_tgt)


def fit_far(clf=FAST):
    return clf.fit(X, Y, FAR)


def in_a_thread():
    thread = threading.Thread(target=fit_far)
    thread.start()
    thread.join()


def in_a_pool():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(FAST.fit, X, Y, FAR).result()


def by_joblib():
    jobs = [joblib.delayed(FAST.fit)(X, Y, FAR) for _ in range(2)]
    joblib.Parallel(2, prefer="threads")(jobs)


def by_threads_of_a_search():
    with joblib.parallel_config("threading", n_jobs=2):
        fit_far(DANNGridSearchCV(FAST, GRID, cv=2))


def by_a_frozen_one():
    clf = DANNClassifier(**{**SMALL, "standardize": "domain"}).fit(X, Y, FAR)
    FrozenEstimator(clf).predict(X)


ONE_FAILS = [("network", FAST), ("simple", BaselineClassifier())]
ONE_FAILS += [("bad", DANNClassifier(lambda_max=-1))]
PLACES = {
    "a subclass": lambda: fit_far(Mine()),
    "fit_transform": lambda: FAST.fit_transform(X, Y, FAR),
    "a thread": in_a_thread,
    "a pool": in_a_pool,
    "joblib": by_joblib,
    "threads of a search": by_threads_of_a_search,
    "a search by processes": lambda: fit_far(
        DANNGridSearchCV(FAST, {"lambda_max": [0.0, -1.0]}, cv=2, n_jobs=2)
    ),
    "a random search": lambda: fit_far(DANNRandomizedSearchCV(FAST, GRID, n_iter=9)),
    "a combination": lambda: fit_far(AutoDANNClassifier(ONE_FAILS)),
    "a combination by processes": lambda: fit_far(
        AutoDANNClassifier(ONE_FAILS, n_jobs=2)
    ),
    "a report": lambda: adaptation_report(fit_far(), X, Y, FAR),
    "reverse validation": lambda: reverse_validation_score(FAST, X, Y, FAR),
    "a frozen one": by_a_frozen_one,
    "no target": lambda: FAST.fit(X, Y),
}
FAR_ROUTED = {"X_tgt": FAR}
BY_SKLEARN = {
    "cross_val_score": lambda: cross_val_score(FAST, X, Y, params=FAR_ROUTED, cv=2),
    "calibration": lambda: CalibratedClassifierCV(FAST, cv=2).fit(X, Y, X_tgt=FAR),
    "voting": lambda: VotingClassifier([("a", FAST)]).fit(X, Y, X_tgt=FAR),
    "bagging": lambda: BaggingClassifier(FAST, 2).fit(X, Y, X_tgt=FAR),
}


def caught_from(act):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return caught


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("name", PLACES)
def test_every_place_is_the_users_line(name):
    caught = caught_from(PLACES[name])
    assert {w.filename for w in caught} == {__file__}, list(map(str, caught))
    ours = {AdaptationWarning, FitFailedWarning, ConvergenceWarning, UserWarning}
    assert {w.category for w in caught} <= ours
    if "processes" in name:  # which tell it to the one that waits for them
        assert {w.category for w in caught} >= {AdaptationWarning, FitFailedWarning}


@pytest.mark.parametrize("name", BY_SKLEARN)
def test_every_place_under_scikit_learn_is_the_users_line(name, routing):
    assert {w.filename for w in caught_from(BY_SKLEARN[name])} == {__file__}


# ---- what other libraries warn of while they work for us

FEW = X[:4], Y[:4], X_TGT[:2]
AUTO = DANNClassifier(max_epochs=1, random_state=0)
QUIET = {
    "few rows": lambda: AUTO.fit(*FEW),
    "few sparse rows": lambda: AUTO.fit(
        sparse.csr_array(X[:4]), Y[:4], sparse.csr_array(X_TGT[:2])
    ),
    "constant columns": lambda: AUTO.fit(0 * X, Y, 0 * X_TGT),
    "huge values": lambda: AUTO.fit(1e200 * X, Y, 1e200 * X_TGT),
    "largest values": lambda: AUTO.fit(1e305 * X, Y, 1e305 * X_TGT),
    "tiny values": lambda: AUTO.fit(1e-310 * X, Y, 1e-310 * X_TGT),
    "simple models": lambda: [
        BaselineClassifier(standardize=scales).fit(
            size * X[:n], Y[:n], size * X_TGT[:n]
        )
        for scales in ("source", "domain", "pooled", "quantile", None)
        for size, n in ((1, 4), (0, 40), (1e300, 40), (1e-310, 40))
    ],
    "hardly scaled": lambda: BaselineClassifier(standardize=None).fit(
        np.geomspace(1, 1e12, 40)[:, None] * X, Y, X_TGT
    ),
    "a density ratio": lambda: metrics.density_ratio(0 * X, 1e100 * X_TGT),
    "a distance": lambda: metrics.proxy_a_distance(1e100 * X, 0 * X_TGT),
}


def refused_or_not(act):
    with contextlib.suppress(ValueError):  # of values that are too large
        act()


@pytest.mark.parametrize("name", QUIET)
def test_other_libraries_are_not_heard(name):
    caught = caught_from(lambda: refused_or_not(QUIET[name]))
    assert {w.filename for w in caught} <= {__file__}


def test_filters_are_as_they_were():
    before = list(warnings.filters)
    AUTO.fit(*FEW)
    assert list(warnings.filters) == before


def test_silence_is_of_one_thread():
    with silent_libraries(), ThreadPoolExecutor(1) as pool:
        warnings.warn("not heard", stacklevel=1)
        with pytest.warns(UserWarning, match="^heard$"):
            pool.submit(warnings.warn, "heard", stacklevel=1).result()


def test_a_model_of_the_users_is_heard():
    clf = BaselineClassifier(LogisticRegression(max_iter=1))
    with pytest.warns(ConvergenceWarning):
        clf.fit(X, Y, X_TGT)
