"""Where numbers go wrong in silence: scales, dtypes, far candidates, forged files."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

import skdann
from skdann import BaselineRegressor, DANNClassifier, DANNRegressor
from skdann._io._container import read_file, write_file
from skdann.model_selection import DANNGridSearchCV, target_scorer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = 20 + 5 * X[:, 0] - 3 * X[:, 1]
X_TGT = 1.5 * X + 0.1
pytestmark = pytest.mark.filterwarnings(
    "ignore:The scores disagree", "ignore:.*columns of X_tgt lie", "ignore:These rows"
)


def quick(**params):
    return DANNRegressor(
        **{"max_epochs": 30, "n_estimators": 1, "random_state": 0, **params}
    )


def search(standardize="source", **params):
    """Search without the forests of "auto", which take most of the time."""
    regressor = quick(standardize=standardize)
    return DANNGridSearchCV(regressor, {"lambda_max": [0, 1.0]}, **{"cv": 2, **params})


def test_a_candidate_that_is_far_off_is_not_what_all_agree_with():
    wild = X_TGT.copy()
    wild[0] = 1e4
    found = DANNGridSearchCV(
        quick(standardize="domain"), {"lambda_max": [0, 0.1, 0.5]}, cv=2, baselines=True
    ).fit(X, Y, wild)
    chosen = found.cv_results_["params"][found.best_index_]
    assert getattr(chosen.get("baseline"), "standardize", "") != "source"


def test_outputs_of_unlike_units_are_each_learned():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 30))
    both = np.stack([A @ rng.normal(size=30), 1e6 * rng.normal(size=40)], axis=1)
    predicted = BaselineRegressor().fit(A, both, A).predict(A)
    assert np.corrcoef(predicted[:, 0], both[:, 0])[0, 1] > 0.999


@pytest.mark.parametrize(
    ("constant", "standardize"), [(0.0, "source"), (0.1, "auto"), (3e8, "source")]
)
def test_an_output_that_is_constant_spoils_no_score(constant, standardize):
    both = np.stack([Y, np.full(120, constant)], axis=1)
    found = search(standardize).fit(X, both, X_TGT)
    for name in ("source_r2", "neg_dev", "neg_iwv"):
        assert np.abs(found.cv_results_[f"mean_test_{name}"]).max() < 10, name
    stopped = quick(early_stopping=True).fit(X, both, X_TGT)
    assert max(map(abs, stopped.history_[:, "validation_score"])) < 10
    predicted = stopped.predict(X_TGT)[:, 1]
    size = abs(constant) or 1
    np.testing.assert_allclose(predicted, constant, atol=0.3 * size)


def test_errors_are_measured_by_the_deviation_of_the_whole_source():
    """Though y hardly varies within a fold, or a fold is one row."""
    rng = np.random.default_rng(0)
    steps = np.repeat([10.0, 20, 30, 40], 30) + 0.01 * rng.normal(size=120)
    groups = np.repeat(range(4), 30)
    found = search(cv=GroupKFold(4)).fit(X, steps, X_TGT, groups=groups)
    assert found.cv_results_["mean_test_source_r2"].min() > -50


@pytest.mark.parametrize("label_use", ["choice", "both", "training"])
def test_known_numbers_must_have_the_outputs_of_y(label_use):
    both = np.stack([Y, -Y], axis=1)
    with pytest.raises(ValueError, match="y_tgt has 1 numbers for each row, not 2"):
        search(label_use=label_use, error_score="raise").fit(X, both, X_TGT, y_tgt=Y)
    with pytest.raises(ValueError, match="y_tgt has 2 numbers for each row, not 1"):
        search(label_use=label_use, error_score="raise").fit(X, Y, X_TGT, y_tgt=both)


def test_no_known_number_is_as_if_there_were_no_labels():
    found = search(label_use="choice").fit(X, Y, X_TGT, y_tgt=np.full(120, np.nan))
    assert "mean_test_labelled_r2" not in found.cv_results_


@pytest.mark.parametrize(
    ("factor", "offset", "standardize"),
    [(1, 1e9, "source"), (1e40, 0, "auto"), (1e-40, 0, "source")],
)
def test_the_units_of_y_change_no_score(factor, offset, standardize):
    y_tgt = np.where(np.arange(120) < 20, 20 + 5 * X[:, 0] - 3 * X[:, 1], np.nan)
    scores = []
    for a, b in ((1, 0), (factor, offset)):
        found = search(standardize, label_use="choice")
        found.fit(X, a * Y + b, X_TGT, y_tgt=a * y_tgt + b)
        names = ("source_r2", "labelled_r2", "ensemble_agreement")
        scores.append([found.cv_results_[f"mean_test_{name}"] for name in names])
    np.testing.assert_allclose(*scores, atol=1e-3)


@pytest.mark.parametrize("model", [quick(max_epochs=100), BaselineRegressor()])
def test_large_numbers_that_vary_little_are_learned_from_float32(model):
    narrow = X.astype("f4"), X_TGT.astype("f4")
    model.fit(narrow[0], Y + 1.7e9, narrow[1])
    assert model.score(narrow[0], Y + 1.7e9, domain="source") > 0.9
    assert model.predict(narrow[1]).dtype == np.float64


def test_tiny_numbers_are_learned_and_huge_ones_are_refused():
    tiny = quick(max_epochs=100).fit(X, 1e-140 * Y, X_TGT)
    assert tiny.score(X, 1e-140 * Y, domain="source") > 0.9
    with pytest.raises(ValueError, match=r"y holds numbers above 1e\+150"):
        quick().fit(X, 1e200 * Y, X_TGT)


def as_rows(values):
    return [[value] for value in values]


@pytest.mark.parametrize("make", [list, np.array, as_rows])
def test_text_is_no_number_in_any_shape(make):
    text = make([str(value) for value in Y])
    for model in (quick(), BaselineRegressor(), search(error_score="raise")):
        with pytest.raises(ValueError, match=r"must hold real numbers.*str"):
            model.fit(X, text, X_TGT)


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.zeros((120, 2, 2)), r"y has shape \(120, 2, 2\)"),
        ([[1.0], [1.0, 2.0]] * 60, "rows of other lengths"),
        (np.zeros((120, 0)), "y has no columns"),
    ],
)
def test_what_has_no_columns_is_explained(y, says):
    with pytest.raises(ValueError, match=says):
        quick().fit(X, y, X_TGT)


def test_a_scorer_compares_a_column_with_a_column():
    fitted = quick().fit(X, Y, X_TGT)
    score = target_scorer("neg_dev", X_tgt=X_TGT)
    assert score(fitted, X, Y[:, None]) == score(fitted, X, Y)
    with pytest.raises(ValueError, match="y has 2 numbers for each row, but"):
        score(fitted, X, np.stack([Y, Y], axis=1))


def forged(saved, tmp_path, change):
    """Write a file in which something was changed."""
    tree = read_file(saved)
    change(tree)
    path = tmp_path / "forged.skdann"
    write_file(path, tree)
    return path


def give(**arrays):
    return lambda tree: tree["net"]["module"].update(
        {name.replace("__", "."): value for name, value in arrays.items()}
    )


def test_a_classifier_with_a_scale_of_numbers_is_refused(tmp_path):
    clf = DANNClassifier(max_epochs=1, n_estimators=1, random_state=0)
    skdann.save(clf.fit(X, Y > 20, X_TGT), tmp_path / "c.skdann")
    scale = {"response_scale__mean": np.zeros(2), "response_scale__scale": np.ones(2)}
    path = forged(tmp_path / "c.skdann", tmp_path, give(**scale))
    with pytest.raises(ValueError, match="weights of another network"):
        skdann.load(path)


@pytest.mark.parametrize(
    "change",
    [
        give(response_scale__scale=np.array([1e300])),
        give(response_scale__scale=np.array([1e-320])),
        give(response_scale__scale=np.array([np.nan])),
        give(response_scale__scale=np.array([1.0], dtype="f4")),
        give(response_scale__mean=np.array([1e308])),
        give(response_scale__mean=[1.0]),
        give(class_prior__shift=np.ones((2, 1))),
        lambda tree: tree["estimator"].update(kind=["DANNRegressor"]),
        lambda tree: tree["estimator"].update(kind="DANNClassifier"),
        lambda tree: tree["estimator"].update(kind="Popen"),
        lambda tree: tree["estimator"].update(is_column=1),
        lambda tree: tree["estimator"].pop("is_column"),
    ],
)  # fmt: skip
def test_forged_files_are_refused(tmp_path, change):
    quickest = quick(max_epochs=1, standardize="source")
    skdann.save(quickest.fit(X, Y, X_TGT), tmp_path / "r.skdann")
    with pytest.raises(ValueError, match=r"forged.skdann can't be used"):
        skdann.load(forged(tmp_path / "r.skdann", tmp_path, change))
