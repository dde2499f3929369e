"""DANNRegressor: numbers in, numbers out, and all that the classifier does besides."""

import pickle

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.base import clone, is_regressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from torch import nn

import skdann
from skdann import AdaptationWarning, DANNRegressor
from skdann.inspection import AlignmentDisplay, HistoryDisplay

RNG = np.random.default_rng(0)


def make_instruments(n=150, seed=0):
    """Rows that two instruments measure, one of them with other gains and offsets."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(2 * n, 5))
    y = 20 + 5 * rows[:, 0] - 3 * rows[:, 1]
    return rows[:n], y[:n], 2 * rows[n:] + 8, y[n:]


X, Y, X_TGT, Y_TGT = make_instruments()
QUICK = {
    "n_estimators": 1,
    "standardize": "domain",
    "hidden_layer_sizes": (16,),
    "domain_hidden_layer_sizes": (16,),
    "max_epochs": 3,
    "random_state": 0,
}
pytestmark = pytest.mark.filterwarnings("ignore:.*columns of X_tgt lie more than 3")


def quick(**params):
    return DANNRegressor(**{**QUICK, **params})


@pytest.fixture
def fitted():
    return quick(dropout=0.2).fit(X, Y, X_TGT)


def test_it_adapts_from_one_instrument_to_another():
    scores = {
        how: quick(standardize=how, max_epochs=100).fit(X, Y, X_TGT).score(X_TGT, Y_TGT)
        for how in ("auto", "source")
    }
    assert scores["auto"] > 0.9
    assert scores["auto"] > scores["source"] + 0.2


def test_predictions_are_in_the_units_and_the_shape_of_y():
    one = quick(max_epochs=60).fit(X, Y, X_TGT)
    assert one.predict(X_TGT).shape == (150,)
    column = quick(max_epochs=60).fit(X, Y[:, None], X_TGT)
    assert np.array_equal(column.predict(X_TGT), one.predict(X_TGT)[:, None])
    large = quick(max_epochs=60).fit(X, 1e6 * Y - 3e8, X_TGT)
    expected = 1e6 * one.predict(X_TGT) - 3e8
    np.testing.assert_allclose(large.predict(X_TGT), expected, rtol=1e-6)


def test_several_outputs_are_learned_at_once():
    both = np.stack([Y, -100 * X[:, 2]], axis=1)
    truth = np.stack([Y_TGT, -100 * (X_TGT[:, 2] - 8) / 2], axis=1)
    regressor = quick(max_epochs=100).fit(X, both, X_TGT)
    assert regressor.n_outputs_ == 2
    assert regressor.score(X_TGT, truth) > 0.85
    assert regressor.score(X, both, domain="source") > 0.9


def test_outliers_pull_less_at_the_other_losses():
    y = Y.copy()
    y[::10] += 400
    error = {
        loss: np.abs(
            quick(loss=loss, max_epochs=100).fit(X, y, X_TGT).predict(X_TGT) - Y_TGT
        ).mean()
        for loss in ("squared_error", "absolute_error", "huber")
    }
    assert error["absolute_error"] < 0.7 * error["squared_error"]
    assert error["huber"] < 0.7 * error["squared_error"]


CONTAINERS = {
    "list": list,
    "series": pd.Series,
    "nullable": lambda y: pd.Series(y).astype("Float64"),
    "frame": lambda y: pd.DataFrame({"y": y}),
    "polars": pl.Series,
    "arrow": pa.array,
    "float32 memory": lambda y: np.asarray(y, dtype="f4").astype(float),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_numbers_come_in_any_container(name, fitted):
    y = CONTAINERS[name](Y)
    found = quick(dropout=0.2).fit(X, y, X_TGT)
    atol = 1e-4 if "32" in name else 1e-12
    np.testing.assert_allclose(
        found.predict(X_TGT).ravel(), fitted.predict(X_TGT), atol=atol
    )
    assert found.score(X, y, domain="source") == pytest.approx(
        fitted.score(X, Y, domain="source"), abs=1e-4
    )


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.where(np.arange(150) == 4, np.nan, Y), "NaN.*row 4"),
        (np.where(np.arange(150) == 4, np.inf, Y), "infinity"),
        (["a"] * 150, "must hold real numbers.*str"),
        (Y + 1j, "[Cc]omplex|real numbers"),
        (Y[:-1], "inconsistent numbers of samples"),
        (np.zeros((150, 0)), "no columns"),
        ([], "empty|inconsistent"),
    ],
)
def test_what_are_no_numbers_is_explained(y, says):
    regressor = quick()
    before = dict(vars(regressor))
    with pytest.raises(ValueError, match=says):
        regressor.fit(X, y, X_TGT)
    assert vars(regressor) == before


def mark(y_tgt, missing, dtype=object):
    values = np.array(y_tgt, dtype=dtype)
    values[20:] = missing
    return values


@pytest.mark.parametrize(
    "few",
    [
        mark(Y_TGT, np.nan, float),
        mark(Y_TGT, None),
        pd.Series(mark(Y_TGT, None)).astype("Float64"),
        pl.Series(mark(Y_TGT, None).tolist()),
        pa.array(mark(Y_TGT, None).tolist()),
    ],
)
def test_known_numbers_of_the_target_are_learned(few):
    learned, without = (
        quick(max_epochs=40).fit(X, Y + 50, X_TGT, y_tgt=known).predict(X_TGT[:20])
        for known in (few, None)
    )
    assert learned.mean() < without.mean() - 2


def test_minus_one_is_a_number_and_marks_nothing():
    few = mark(np.full(150, -1.0), np.nan, float)
    learned, without = (
        quick(max_epochs=40).fit(X, Y, X_TGT, y_tgt=known).predict(X_TGT[:20])
        for known in (few, None)
    )
    assert learned.mean() < without.mean() - 2


@pytest.mark.parametrize(
    ("y_tgt", "says"),
    [
        (Y_TGT[:-1], "y_tgt has 149 entries, but X_tgt has 150"),
        (np.stack([Y_TGT, Y_TGT], 1), "y_tgt has 2 numbers for each row, not 1"),
        (["a"] * 150, "y_tgt must hold real numbers"),
    ],
)
def test_known_numbers_that_make_no_sense_are_refused(y_tgt, says):
    with pytest.raises(ValueError, match=says):
        quick().fit(X, Y, X_TGT, y_tgt=y_tgt)


def test_a_row_of_which_some_outputs_are_known_is_refused():
    y_tgt = np.stack([Y_TGT, np.full(150, np.nan)], axis=1)
    with pytest.raises(ValueError, match="some of the 2 outputs"):
        quick().fit(X, np.stack([Y, Y], axis=1), X_TGT, y_tgt=y_tgt)


def test_weights_are_repetitions():
    weight = np.arange(150) % 3
    whole = {"batch_size": 2000, "dropout": 0, "standardize": "source"}
    weighted = quick(**whole).fit(X, Y, X_TGT, sample_weight=weight)
    rows = np.repeat(np.arange(150), weight)
    repeated = quick(**whole).fit(X[rows], Y[rows], X_TGT)
    np.testing.assert_allclose(
        weighted.predict(X_TGT), repeated.predict(X_TGT), rtol=1e-6
    )


def test_epochs_of_partial_fit_are_a_fit_to_the_bit(fitted):
    by_parts = quick(dropout=0.2)
    for _ in range(3):
        by_parts.partial_fit(X, Y, X_TGT)
    assert np.array_equal(by_parts.predict(X_TGT), fitted.predict(X_TGT))
    narrow = [A.astype("f4") for A in (X, Y, X_TGT)]
    parts, whole = quick(), quick().fit(*narrow)
    for _ in range(3):
        parts.partial_fit(*narrow)
    assert np.array_equal(parts.predict(narrow[2]), whole.predict(narrow[2]))


def test_a_warm_start_goes_on_in_the_units_of_the_first(fitted):
    regressor = quick(warm_start=True).fit(X, Y, X_TGT)
    regressor.fit(X, Y + 5, X_TGT)
    assert regressor.module_.response_scale.mean.item() == pytest.approx(Y.mean())
    with pytest.raises(ValueError, match="y has 2 numbers for each row, not 1"):
        regressor.fit(X, np.stack([Y, Y], 1), X_TGT)


def test_files_pickles_and_clones(fitted, tmp_path):
    path = tmp_path / "model.skdann"
    skdann.save(fitted, path)
    loaded = skdann.load(path)
    assert type(loaded) is DANNRegressor
    for other in (loaded, pickle.loads(pickle.dumps(fitted))):
        assert np.array_equal(other.predict(X_TGT), fitted.predict(X_TGT))
        assert other.n_outputs_ == 1
        other.partial_fit(X, Y, X_TGT)
        assert other.n_iter_ == fitted.n_iter_ + 1
    assert is_regressor(clone(fitted))


def test_a_checkpoint_goes_on_to_the_bit(fitted, tmp_path):
    path = tmp_path / "fit.skdann"
    params = {"checkpoint": path, "checkpoint_interval": 1, "dropout": 0.2}
    whole = quick(**params, early_stopping=True).fit(X, Y, X_TGT)
    assert type(skdann.load(path)) is DANNRegressor
    again = quick(**params, early_stopping=True).fit(X, Y, X_TGT, resume=True)
    assert np.array_equal(again.predict(X_TGT), whole.predict(X_TGT))
    with pytest.raises(ValueError, match=r"other.*\by\b"):
        quick(**params, early_stopping=True).fit(X, 2 * Y, X_TGT, resume=True)


@pytest.mark.parametrize(("dtype", "n_outputs"), [("f4", 1), ("f8", 2)])
def test_onnx_predicts_the_same(tmp_path, dtype, n_outputs):
    y = np.stack([Y, -Y], axis=1)[:, :n_outputs]
    regressor = quick(n_estimators=3).fit(X.astype(dtype), y, X_TGT.astype(dtype))
    regressor.to_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    [found] = session.run(["variable"], {"X": X_TGT.astype(dtype)})
    np.testing.assert_allclose(
        found, regressor.predict(X_TGT.astype(dtype)), rtol=1e-4, atol=1e-3
    )


def test_early_stopping_looks_at_squared_errors_of_rows_like_the_target():
    regressor = quick(early_stopping=True, max_epochs=60).fit(X, Y, X_TGT)
    history = regressor.history_
    assert max(history[:, "validation_r2"]) > 0.3
    assert all(score < 0 for score in history[:, "validation_score"])
    assert any(history[:, "validation_score_best"])
    with pytest.raises(ValueError, match="scoring"):
        quick(early_stopping=True, scoring="infomax").fit(X, Y, X_TGT)


def test_pipelines_and_stock_searches_pass_the_target_on():
    holes = X.copy()
    holes[::7, 0] = np.nan
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = Pipeline(
            [("impute", SimpleImputer()), ("dann", quick())], transform_input=["X_tgt"]
        )
        search = GridSearchCV(pipe, {"dann__loss": ["huber", "squared_error"]}, cv=2)
        search.fit(holes, Y, X_tgt=X_TGT)
        assert search.predict(X_TGT).shape == (150,)
        scores = cross_val_score(
            quick(max_epochs=30), X, Y, cv=2, params={"X_tgt": X_TGT}
        )
    assert scores.shape == (2,)


def test_a_network_of_ones_own():
    def convolutions():
        return nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten())

    rows, rows_tgt = X[:, None].astype("f4"), X_TGT[:, None].astype("f4")
    regressor = quick(feature_extractor=convolutions, standardize=None)
    assert regressor.fit(rows, Y, rows_tgt).predict(rows_tgt).shape == (150,)
    with pytest.raises(ValueError, match="there are 1 outputs"):
        quick(label_classifier=lambda n: nn.Linear(n, 2)).fit(X, Y, X_TGT)


def test_one_number_for_all_rows_is_told():
    with pytest.warns(sklearn.exceptions.ConvergenceWarning, match="learned nothing"):
        quick(label_classifier=Constant).fit(X, Y, X_TGT)


class Constant(nn.Module):
    """Answers 0 for each row, whatever is learned."""

    def __init__(self, n_features):
        super().__init__()
        self.weight = nn.Parameter(nn.init.zeros_(nn.Linear(n_features, 1).weight))

    def forward(self, features):
        return 0 * (features @ self.weight.T)


def test_no_target_and_a_constant_response():
    with pytest.warns(AdaptationWarning, match="no target"):
        alone = quick(standardize="auto").fit(X, Y)
    assert alone.standardize_ == "source"
    constant = quick().fit(X, np.full(150, 3.0), X_TGT)
    assert np.abs(constant.predict(X_TGT) - 3).max() < 3


def test_two_fits_with_one_seed_are_the_same_and_features_tell_the_domain():
    one, two = (quick(dropout=0.2).fit(X, Y, X_TGT) for _ in range(2))
    assert np.array_equal(one.predict(X_TGT), two.predict(X_TGT))
    assert one.transform(X_TGT).shape == (150, 16)
    assert one.predict_domain(X_TGT).shape == (150,)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_displays_draw_numbers_by_their_size(n_outputs, no_figure_stays):
    y, y_tgt = (np.stack([v, -v], axis=1)[:, :n_outputs] for v in (Y, Y_TGT))
    known = np.where(np.arange(150)[:, None] < 9, y_tgt, np.nan)
    regressor = quick(max_epochs=20).fit(X, y, X_TGT)
    display = AlignmentDisplay.from_estimator(regressor, X, X_TGT, y_src=y, y_tgt=known)
    assert np.array_equal(display.labels[:150], y[:, 0])
    assert np.array_equal(display.labels[150:159], y_tgt[:9, 0])
    predicted = regressor.predict(X_TGT).reshape(150, -1)[9:, 0]
    assert np.array_equal(display.labels[159:], predicted)
    assert display.ax_[1, 0].get_ylabel() == "by number"
    assert HistoryDisplay.from_estimator(regressor).ax_.shape == (2, 2)
    with pytest.raises(ValueError, match="y_src has 3 entries"):
        AlignmentDisplay.from_estimator(regressor, X, X_TGT, y_src=y[:3])
