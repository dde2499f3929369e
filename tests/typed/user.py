"""A user's calls, read by mypy and never run.

What is wrong is marked; a mark where mypy finds nothing wrong is an error, too.
"""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skdann import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
    load,
    save,
    tabular_pipeline,
)
from skdann.datasets import fetch_adult, make_shifted_moons
from skdann.inspection import (
    AlignmentDisplay,
    ColumnShift,
    HistoryDisplay,
    adaptation_report,
    column_shift,
)
from skdann.metrics import infomax_score, proxy_a_distance
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    reverse_validation_score,
    rows_to_label,
    target_scorer,
)
from skdann.schedules import annealed_lambda, cosine

X, y, X_tgt, y_tgt = make_shifted_moons(100, random_state=np.random.RandomState(0))
assert_type(X, NDArray[Any])
assert_type(column_shift(X, pd.DataFrame(X_tgt)), ColumnShift)

# ---- what is right

clf = DANNClassifier(
    lambda_schedule=lambda p: p**2,
    lr_schedule=cosine,
    hidden_layer_sizes=[8, 8],
    n_estimators=2,
    max_epochs="auto",
    class_weight={"ill": 2.0},
    target_prior=None,
    checkpoint=Path("run.skdann"),
    random_state=0,
)
fitted = clf.fit(X, y, X_tgt, sample_weight=np.ones(100), y_tgt=y_tgt)
assert_type(fitted, DANNClassifier)
clf.fit(X.tolist(), y.tolist(), pd.DataFrame(X_tgt)).partial_fit(X, y)
clf.fit(sparse.csr_matrix(X), pd.Series(y))
assert_type(clf.predict(X_tgt), NDArray[Any])
assert_type(clf.predict_proba(X_tgt, domain="source"), NDArray[Any])
assert_type(clf.score(X_tgt, y_tgt), float)
pipe = tabular_pipeline(clf).fit(pd.DataFrame(X), y, pd.DataFrame(X_tgt), y_tgt=y_tgt)
assert_type(pipe.score(X_tgt, y_tgt, domain="target"), float)
assert_type(annealed_lambda(0.5), float)
assert_type(infomax_score(clf.predict_proba(X_tgt)), float)
assert_type(proxy_a_distance(X, X_tgt, random_state=0), float)
assert_type(reverse_validation_score(clf, X, y, X_tgt), float)

search = DANNGridSearchCV(clf, {"lambda_max": [0, 1]}, cv=2, checkpoint=Path("a"))
assert_type(search.fit(X, y, X_tgt), DANNGridSearchCV)
auto = AutoDANNClassifier([("simple", BaselineClassifier()), ("network", clf)])
assert_type(auto.fit(X, y, X_tgt), AutoDANNClassifier)
of_numbers = AutoDANNRegressor([("a", BaselineRegressor())], n_jobs=2)
assert_type(of_numbers.fit(X, y, X_tgt, y_tgt=y), AutoDANNRegressor)
rows, weight = rows_to_label(auto, X_tgt, 10)
assert_type(rows, NDArray[Any])
save(clf, "model.skdann")
assert_type(load(Path("model.skdann")), DANNClassifier | DANNRegressor | Any)
regressor = DANNRegressor(loss="huber").fit(X, X[:, :2], X_tgt, y_tgt=X_tgt[:, :2])
assert_type(regressor.predict(X_tgt, domain="target"), NDArray[Any])
assert_type(BaselineRegressor(standardize="pooled").fit(X, y), BaselineRegressor)
report = adaptation_report(clf, X, y, X_tgt)
assert_type(report.to_dict(), dict[str, Any])
assert_type(HistoryDisplay.from_estimator(clf).plot(), HistoryDisplay)
DANNClassifier().fit(X, y, X_tgt).set_params(lr=0.01)

# ---- what is wrong

DANNClassifier(0.3)  # type: ignore[call-arg]
DANNClassifier(lamda_max=0.3)  # type: ignore[call-arg]
DANNClassifier(lambda_max="strong")  # type: ignore[arg-type]
DANNClassifier(lambda_schedule="anealed")  # type: ignore[arg-type]
DANNClassifier(lr_schedule=lambda p: "fast")  # type: ignore[arg-type, return-value]
DANNClassifier(hidden_layer_sizes="wide")  # type: ignore[arg-type]
DANNClassifier(activation="reluu")  # type: ignore[arg-type]
DANNClassifier(max_epochs=None)  # type: ignore[arg-type]
DANNClassifier(standardize="target")  # type: ignore[arg-type]
DANNClassifier(random_state="0")  # type: ignore[arg-type]
clf.fit(X)  # type: ignore[call-arg]
clf.fit("source.csv", y)  # type: ignore[arg-type]
clf.fit(X, y, 3)  # type: ignore[arg-type]
clf.fit(X, y, X_tgt, y_tgt)  # type: ignore[call-arg]
clf.fit(X, y, X_target=X_tgt)  # type: ignore[call-arg]
clf.predict(X_tgt, domain="targets")  # type: ignore[arg-type]
BaselineClassifier(standardize=True)  # type: ignore[arg-type]
AutoDANNClassifier({"network": clf})  # type: ignore[arg-type]
AutoDANNClassifier(label_use="choose")  # type: ignore[arg-type]
DANNGridSearchCV(clf)  # type: ignore[call-arg]
DANNGridSearchCV("clf", {})  # type: ignore[arg-type]
DANNRandomizedSearchCV(clf, {"lr": [1]}, n_iter="10")  # type: ignore[arg-type]
rows_to_label(auto, X_tgt)  # type: ignore[call-arg]
target_scorer(1)  # type: ignore[arg-type]
infomax_score(0.5)  # type: ignore[arg-type]
annealed_lambda("half")  # type: ignore[arg-type]
fetch_adult("children")  # type: ignore[arg-type]
make_shifted_moons(rotation="35")  # type: ignore[arg-type]
AlignmentDisplay.from_estimator(clf, X, X_tgt, method="umap")  # type: ignore[arg-type]
adaptation_report(clf, X, y)  # type: ignore[call-arg]
save(clf)  # type: ignore[call-arg]
load(3)  # type: ignore[arg-type]
DANNRegressor(loss="hinge")  # type: ignore[arg-type]
n_rows: int = clf.score(X_tgt, y_tgt)  # type: ignore[assignment]
