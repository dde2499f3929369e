"""A warning names the line of the user, however deep its reason is found."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdann
from skdann import AdaptationWarning
from skdann.model_selection import DANNGridSearchCV, target_scorer


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
