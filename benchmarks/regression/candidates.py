"""What is fitted on a problem; each returns predictions for the target's rows."""

from dataclasses import replace

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict

from skdann import DANNRegressor
from skdann._data._real_targets import standardize_response
from skdann._data._response_shift import agreements, separability

ALPHAS = np.logspace(-6, 4, 21)
FOLDS = KFold(5, shuffle=True, random_state=0)


def mean(seed):
    return DummyRegressor()


def ridge(seed):
    return RidgeCV(ALPHAS)


def pls(seed):
    """Partial least squares; the source decides how many components."""
    return GridSearchCV(
        _PLS(),
        {"n_components": [1, 2, 3, 4, 6, 8, 10, 12, 15]},
        scoring="neg_root_mean_squared_error",
        cv=FOLDS,
        error_score=-np.inf,  # more components than columns
    )


def forest(seed):
    return RandomForestRegressor(200, min_samples_leaf=2, random_state=seed)


class _PLS(PLSRegression):
    """On columns as they come."""

    def __init__(self, n_components=2):
        super().__init__(n_components, scale=False)


def scaled(problem, how):
    """Return source and target rows, columns on scales of one kind."""
    X, X_tgt = problem.X, problem.X_tgt
    if how == "none":
        return X, X_tgt
    of_target = X if how == "source" else X_tgt
    if how == "centered":
        return X - X.mean(axis=0), X_tgt - X_tgt.mean(axis=0)
    return tuple(
        (rows - known.mean(axis=0)) / known.std(axis=0)
        for rows, known in ((X, X), (X_tgt, of_target))
    )


def simple(make, how):
    """Return a candidate: a model that learns the source on scales of one kind."""

    def predict(problem, seed):
        X, X_tgt = scaled(problem, how)
        return make(seed).fit(X, problem.y).predict(X_tgt).ravel()

    return predict


def on_target(make, how):
    """Return a candidate that knows the target's numbers, by cross-validation."""

    def predict(problem, seed):
        _, X_tgt = scaled(problem, how)
        return cross_val_predict(make(seed), X_tgt, problem.y_tgt, cv=FOLDS).ravel()

    return predict


def network(**parameters):
    def predict(problem, seed):
        X, X_tgt = (rows.astype(np.float32) for rows in (problem.X, problem.X_tgt))
        network = DANNRegressor(random_state=seed, **parameters)
        return network.fit(X, problem.y, X_tgt).predict(X_tgt)

    return predict


def logarithm(candidate):
    """Return a candidate that learns the logarithm of numbers above 0."""

    def predict(problem, seed):
        of_log = replace(problem, y=np.log(problem.y))
        return np.exp(candidate(of_log, seed))

    return predict


def evidence(problem, seed):
    """Return what "auto" goes by: two agreements, and how separate the domains are."""
    network = DANNRegressor(standardize=None)
    domains = network._validate_domains(problem.X, problem.y, problem.X_tgt)
    domains = standardize_response(domains)
    return [*agreements(domains), float(separability(domains))]
