"""What is no adapted network is refused in the words of what the user called."""

import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
from skdann.inspection import (
    AlignmentDisplay,
    DomainBoundaryDisplay,
    HistoryDisplay,
    SearchDisplay,
    adaptation_report,
)
from skdann.model_selection import (
    DANNGridSearchCV,
    reverse_validation_score,
    rows_to_label,
)

SIMPLE = [
    ("source", BaselineClassifier(standardize="source")),
    ("domain", BaselineClassifier(standardize="domain")),
]


@pytest.fixture(scope="module")
def others():
    """Return fitted estimators that are no adapted network, by kind."""
    from helpers import SMALL, make_domains

    X, y, X_tgt, _ = make_domains(60, 40)
    clf = DANNClassifier(**{**SMALL, "max_epochs": 1, "lambda_max": 0})
    calibrated = CalibratedClassifierCV(clf, cv=2)
    return {
        "wraps": [
            calibrated.fit(X, y),
            make_pipeline(StandardScaler(), make_pipeline(calibrated)).fit(X, y),
            TunedThresholdClassifierCV(clf, cv=2).fit(X, y),
            CalibratedClassifierCV(FrozenEstimator(clf.fit(X, y))).fit(X, y),
            CalibratedClassifierCV(make_pipeline(StandardScaler(), clf)).fit(X, y),
        ],
        "another": [
            AutoDANNClassifier(SIMPLE).fit(X, y, X_tgt),
            BaselineClassifier().fit(X, y),
            make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y),
            GridSearchCV(LogisticRegression(), {}, cv=2).fit(X, y),
            Pipeline([]),
            make_pipeline(StandardScaler(), "passthrough").fit(X, y),
        ],
        "not chosen": [
            DANNGridSearchCV(clf, {}),
            DANNGridSearchCV(clf, {"lr": [1e-3]}, cv=2, refit=False).fit(X, y, X_tgt),
            make_pipeline(StandardScaler(), GridSearchCV(clf, {})),
        ],
    }, (X, y, X_tgt)


CALLS = {
    "report": lambda model, X, y, X_tgt: adaptation_report(model, X, y, X_tgt),
    "reverse": lambda model, X, y, X_tgt: reverse_validation_score(model, X, y, X_tgt),
    "search": lambda model, X, y, X_tgt: DANNGridSearchCV(model, {}).fit(X, y, X_tgt),
    "alignment": lambda model, X, y, X_tgt: AlignmentDisplay.from_estimator(
        model, X, X_tgt
    ),
    "before": lambda model, X, y, X_tgt: AlignmentDisplay.from_estimator(
        DANNClassifier(max_epochs=1, n_estimators=1).fit(X, y, X_tgt),
        X,
        X_tgt,
        before=model,
    ),
    "boundary": lambda model, X, y, X_tgt: DomainBoundaryDisplay.from_estimator(
        model, X, X_tgt
    ),
    "history": lambda model, X, y, X_tgt: HistoryDisplay.from_estimator(model),
    "curves": lambda model, X, y, X_tgt: SearchDisplay.from_estimator(model),
    "rows": lambda model, X, y, X_tgt: rows_to_label(model, X_tgt, 1),
}

OF_WRAPPED = {
    "report": "wraps a DANNClassifier. A report is of one adapted network: fit that",
    "reverse": "wraps a DANNClassifier. Reverse validation trains .* give it that by",
    "search": "wraps a DANNClassifier. Search over that, and wrap what",
    "alignment": "AlignmentDisplay draws .* has no transform. If it wraps or combines",
    "before": "AlignmentDisplay draws .* has no transform. If it wraps or combines",
    "boundary": "DomainBoundaryDisplay draws .* has no predict_domain. If it wraps",
    "history": "HistoryDisplay draws .* has no history_. If it wraps or combines",
    "curves": "SearchDisplay draws the cv_results_ of a search, but .* has none",
    "rows": "rows_to_label needs candidates .* a single network, .*adaptation_report",
}

OF_OTHERS = OF_WRAPPED | {
    "report": "got .* A report is of one adapted network; an AutoDANNClassifier, or",
    "reverse": "got .* Reverse validation trains .* scores in skdann.metrics",
    "search": "got .* For others use sklearn.model_selection.GridSearchCV",
    "boundary": "DomainBoundaryDisplay draws .* predict_domain. If it wraps",
    "alignment": "AlignmentDisplay draws .* has no transform",
    "before": "AlignmentDisplay draws .* has no transform",
}


# Of the others, those that a call is right for.
WELCOME = {"curves": GridSearchCV, "rows": AutoDANNClassifier}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("kind", "expected"), [("wraps", OF_WRAPPED), ("another", OF_OTHERS)]
)
def test_others_are_refused_by_what_was_called(others, call, kind, expected):
    estimators, data = others
    for model in estimators[kind]:
        if isinstance(model, WELCOME.get(call, ())):
            continue
        with pytest.raises(ValueError, match=f"(?s){expected[call]}"):
            CALLS[call](model, *data)


@pytest.mark.parametrize("call", ["report", "alignment", "boundary", "history"])
def test_a_search_that_has_chosen_nothing_is_not_fitted(others, call):
    estimators, data = others
    for model in estimators["not chosen"]:
        with pytest.raises(NotFittedError, match=r"no best_estimator_.*refit=True"):
            CALLS[call](model, *data)
