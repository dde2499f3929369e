"""How scikit-learn is configured changes no number of ours, and warns of nothing."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy
import sklearn
from helpers import SMALL, make_domains
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.fixes import parse_version

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier, metrics
from skdann.inspection import (
    AlignmentDisplay,
    DomainBoundaryDisplay,
    adaptation_report,
)
from skdann.model_selection import (
    DANNGridSearchCV,
    reverse_validation_score,
    rows_to_label,
    target_scorer,
)

CONFIGS = {
    "pandas": {"transform_output": "pandas"},
    "polars": {"transform_output": "polars"},
    "routing": {"enable_metadata_routing": True},
    "assumed finite": {"assume_finite": True},
    "not validated": {"skip_parameter_validation": True},
    "array API": {"array_api_dispatch": True},
    "little memory": {"working_memory": 1},
    "shown in full": {"print_changed_only": False, "display": "text"},
    "sparse arrays": {"sparse_interface": "sparray"},
}
if parse_version(scipy.__version__) < parse_version("1.14"):
    del CONFIGS["array API"]  # scikit-learn refuses it
KNOWN = {
    name: config
    for name, config in CONFIGS.items()
    if config.keys() <= sklearn.get_config().keys()
}


def frames():
    X, y, X_tgt, _ = make_domains(80, 60)
    X, X_tgt = (pd.DataFrame(A, columns=["a", "b"]) for A in (X, X_tgt))
    return X, y, X_tgt


SOURCE, Y, TARGET = frames()


def network(**params):
    return DANNClassifier(**{**SMALL, "max_epochs": 2, **params})


def encoded(clf):
    """Return a Pipeline whose rows are sparse where transformers may return such."""
    is_dense = sklearn.get_config()["transform_output"] != "default"
    columns = make_column_transformer(
        (StandardScaler(), ["a"]),
        (OneHotEncoder(sparse_output=not is_dense), ["c"]),
        sparse_threshold=0.9,
    )
    return make_pipeline(columns, clf)


def with_text(X):
    return X.assign(c=np.where(X["b"] > 1, "m", "f"))


def search(pipe, X, X_tgt):
    name = next(iter(reversed(pipe.named_steps)))
    fitted = DANNGridSearchCV(
        pipe,
        {f"{name}__lambda_max": [0.3, 0.0]},
        scoring=["infomax", "neg_dev", "reverse_validation", "accuracy"],
        refit="infomax",
        cv=2,
        error_score="raise",
        return_train_score=True,
    ).fit(X, Y, X_tgt)
    scores = [v for k, v in fitted.cv_results_.items() if k.startswith("mean_test")]
    rows, _ = rows_to_label(fitted, X_tgt, 3, random_state=0)
    return np.concatenate([*scores, rows, fitted.predict_proba(X_tgt).ravel()])


def combine():
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    auto = AutoDANNClassifier(
        [
            ("quantiles", BaselineClassifier(standardize="quantile")),
            ("by domain", BaselineClassifier()),
            ("own", scaled),
            ("network", network(standardize="domain", target_prior="estimate")),
        ],
        random_state=0,
    ).fit(SOURCE, Y, TARGET)
    return auto.predict_proba(TARGET)


def score_in_scikit_learn():
    scorer = target_scorer(["infomax", "neg_dev"], X_tgt=TARGET)
    fitted = GridSearchCV(
        network(), {"lr": [1e-3]}, scoring=scorer, refit="infomax", cv=2
    ).fit(SOURCE, Y, X_tgt=TARGET)
    return fitted.cv_results_["mean_test_neg_dev"]


def draw():
    clf = network(standardize="domain").fit(SOURCE, Y, TARGET)
    boundary = DomainBoundaryDisplay.from_estimator(clf, SOURCE, TARGET)
    alignment = AlignmentDisplay.from_estimator(clf, SOURCE, TARGET, random_state=0)
    plt.close("all")
    return np.r_[
        boundary.probabilities.ravel(),
        np.abs(alignment.projections["Features"]).ravel(),
    ]


def draw_neighbors():
    display = AlignmentDisplay.from_features(
        with_text(SOURCE).assign(c=0.0),
        with_text(TARGET).assign(c=0.0),
        method="tsne",
        random_state=0,
    )
    plt.close("all")
    return display.projections["Features"]


def report():
    clf = network().fit(SOURCE, Y, TARGET)
    report = adaptation_report(clf, SOURCE, Y, TARGET, random_state=0)
    return report.to_frame().to_numpy(dtype=float)


def features():
    clf = network().fit(SOURCE, Y, TARGET)
    of_both = clf.transform(SOURCE), clf.transform(TARGET)
    distance = metrics.proxy_a_distance(*of_both, random_state=0)
    return np.r_[metrics.density_ratio(*of_both), distance]


WHAT = {
    "search": lambda: search(
        make_pipeline(StandardScaler(), network()), SOURCE, TARGET
    ),
    "search of sparse rows": lambda: search(
        encoded(network()), with_text(SOURCE), with_text(TARGET)
    ),
    "reverse validation": lambda: reverse_validation_score(
        make_pipeline(StandardScaler(), network()), SOURCE, Y, TARGET, random_state=0
    ),
    "density ratio": lambda: metrics.density_ratio(SOURCE, TARGET),
    "density ratio elsewhere": lambda: metrics.density_ratio(SOURCE, TARGET, TARGET),
    "distance": lambda: metrics.proxy_a_distance(SOURCE, TARGET, random_state=0),
    "features": features,
    "combination": combine,
    "scorer": score_in_scikit_learn,
    "displays": draw,
}


@pytest.fixture(scope="module")
def usual():
    """Return what comes out by default, computed when it is first asked for."""
    known = {}

    def of(name, compute):
        if name not in known:
            known[name] = silently(compute)
        return known[name]

    return of


def silently(compute):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="The network")
        warnings.filterwarnings("ignore", message="The scores disagree")
        return compute()


# What passes through transformers of scikit-learn, and what through all the rest.
OF_OUTPUT, OF_OTHERS = set(WHAT), {"search of sparse rows", "combination", "distance"}

CASES = [
    (config, what)
    for config in KNOWN
    for what in sorted(OF_OUTPUT if config in ("pandas", "polars") else OF_OTHERS)
]


@pytest.mark.parametrize(("config", "what"), CASES)
def test_numbers_are_the_same_and_nothing_warns(usual, config, what):
    expected = usual(what, WHAT[what])
    with sklearn.config_context(**KNOWN[config]):
        assert_allclose(silently(WHAT[what]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("compute", [report, draw_neighbors])
def test_slow_ones_take_frames_out_of_transformers(compute):
    with sklearn.config_context(transform_output="pandas"):
        assert np.isfinite(silently(compute)).all()
