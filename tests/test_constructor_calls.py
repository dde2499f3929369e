"""Whatever a constructor is given, there is a fit or an error that names what is wrong.

Values are drawn for all parameters of all estimators, valid ones and others; a campaign
draws more of them: ``SKDANN_EXAMPLES=3000 pytest tests/test_constructor_calls.py``.
"""

import os
import re
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import SMALL
from hypothesis import strategies as st
from sklearn.base import clone, is_regressor
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from skorch.callbacks import Callback, EarlyStopping
from test_properties import for_all
from torch import nn

from skdann import (
    AutoDANNClassifier,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
)
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    target_scorer,
)

# ---- what is drawn


class Returning:
    """A function that returns one value, at first or after some calls."""

    def __init__(self, value, first=1.0, n_first=0):
        self.value, self.first, self.n_first = value, first, n_first
        self.n_calls = 0

    def __call__(self, *args):
        self.n_calls += 1
        return self.first if self.n_calls <= self.n_first else self.value

    def __repr__(self):
        return f"Returning({self.value!r}, {self.first!r}, {self.n_first})"


ODD_NUMBERS = [
    *(0, 1, 2, 0.5, -1, -0.0, 5e-324, 1e-30, 1e3, 1e30, 1.7e308, 10**30, 10**400),
    *(np.nan, np.inf, -np.inf, 1j, True, False, Fraction(1, 2)),
    *(np.float32(0.5), np.float64(0.5), np.int64(2), np.bool_(True), np.array(2)),
    *(torch.tensor(0.5), torch.ones(2)),
]
ODD_THINGS = [
    *(None, "", "x", "auto", b"x", pd.NA, object(), int, nn.Linear, Callback),
    *([], (), [1], (2, 3), [0.5, 0.5], [[1], [2]], [1, [2]], ["a"], [None], {3}),
    *({}, {"a": 1}, {0: 1.0}, {0: "x", 1: 2}, {None: 1}, range(2)),
    *(np.ones(2), np.array([[1, 2]]), pd.Series([0.5, 0.5]), np.array([None, "a"])),
]
SCALARS = [*ODD_NUMBERS, None, "x", pd.NA]
ODD = [*ODD_NUMBERS, *ODD_THINGS]

functions = st.builds(
    Returning,
    st.sampled_from(SCALARS),
    st.sampled_from([1.0, 0.5, 0, np.nan]),
    st.integers(0, 8),
)


class WithNorm(nn.Module):
    """A module that can't learn from a single row."""

    def __init__(self, n_columns):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_columns, 3), nn.BatchNorm1d(3))

    def forward(self, x):
        return self.layers(x)


class NoFeatures(nn.Module):
    def forward(self, x):
        return x[:, :0]


PARTS = [None, nn.Linear, nn.Identity, WithNorm, nn.Softmax(1), nn.Sequential()]
PARTS += [nn.LazyLinear(2), nn.LazyLinear(1), NoFeatures, print]
PARTS += [lambda a, b: nn.Linear(a, b), lambda a, b: nn.Linear(b, a), lambda: 1 / 0]
OPTIMIZERS = ["adam", "sgd", torch.optim.RMSprop, torch.optim.LBFGS, torch.optim.Rprop]
OPTIMIZERS += [torch.optim.SparseAdam, torch.optim.Optimizer, torch.optim.Adadelta]
SEEDS = [None, 0, 2**32 - 1, 2**32, np.random.RandomState(0), np.random.default_rng(0)]
SIZES = [1, 5, (8,), [3, 2], np.array([4]), np.int64(3), (3, 0), (2, True), (2.0,)]
SIZES += [(10**15,), (2**31,), "64", ("8",), {4: 1}, (), pd.Series([3]), (3, (2, 1))]
WEIGHTS = ["balanced", {0: 2}, {1: 0}, {0: 0, 1: 0}, {0: np.float32(2)}, {True: 1}]
WEIGHTS += [{0: 1e308, 1: 5e-324}, {np.int64(1): 3}, {7: 1}, {"0": 1}, {pd.NA: 1}]
WEIGHTS += [{0: None}, {0: np.nan}, {0: -1}, {0: [1]}, {0: 1j}, {0: 10**400}]
PRIORS = ["estimate", [0.5, 0.5], (1, 0), [0, 1], {0: 0.3, 1: 0.7}, {0: 1}, [0.2, 0.2]]
PRIORS += [pd.Series({1: 0.3, 0: 0.7}), pd.Series({"a": 0.3, "b": 0.7}), [1j, 0]]
CALLBACKS = [[Callback()], [Callback], [("mine", Callback())], [("mine",)], [()], (1,)]
CALLBACKS += [[EarlyStopping("train_loss", patience=1)], [EarlyStopping()]]
SCORES = ["infomax", "nuclear_norm", "neg_entropy", "neg_iwv", "neg_dev", "neg_devn"]
PATHS = ["run.skdann", Path("other"), "no/such/folder/x", "", ".", "\0", "a" * 300]


def one_of(*values):
    """Draw one of the values that make sense, or seldom any other."""
    odd = st.sampled_from(ODD)
    return st.sampled_from(values) | st.sampled_from(values) | odd


NUMBERS = one_of(0, 0.1, 1, np.float32(0.3), 1e30)
SCHEDULES = one_of("annealed", "linear", "constant", "cosine") | functions
COUNTS = st.sampled_from([1, 2, 3, np.int64(2), 0, -1, 1.5, True, "x", None, 10**30])

OF_NETWORK = {
    "lambda_max": NUMBERS,
    "lambda_schedule": SCHEDULES,
    "lambda_gamma": NUMBERS,
    "lr": one_of(1e-3, 1e-2, 0, np.float32(1e-3)),
    "lr_schedule": SCHEDULES,
    "lr_alpha": NUMBERS,
    "lr_beta": NUMBERS,
    "standardize": one_of("auto", "source", "domain", "pooled", None),
    "n_estimators": st.sampled_from([1, 2, 3, "auto", 0, True, 10**9, 2.0, "x", None]),
    "hidden_layer_sizes": one_of(*SIZES),
    "domain_hidden_layer_sizes": one_of(*SIZES),
    "activation": one_of("relu", "leaky_relu", "gelu", "silu", "tanh"),
    "dropout": one_of(0, 0.5, 0.999999, 1.0),
    "feature_extractor": one_of(*PARTS),
    "label_classifier": one_of(*PARTS),
    "domain_classifier": one_of(*PARTS),
    "optimizer": one_of(*OPTIMIZERS),
    "momentum": one_of(0, 0.9, 0.999999),
    "weight_decay": NUMBERS,
    "domain_classes": one_of("binary", "groups"),
    "conditional": one_of(True, False, "entropy"),
    "class_confusion": NUMBERS,
    "target_entropy": NUMBERS,
    "batch_size": one_of(2, 3, 100, 10**9),
    "max_epochs": st.sampled_from([1, 2, 4, 0, -1, 1.0, True, "x", None, np.int64(2)]),
    "class_weight": one_of(*WEIGHTS),
    "target_prior": one_of(*PRIORS),
    "early_stopping": one_of(True, False),
    "validation_fraction": one_of(0.1, 0.5, 0.999, 1e-9),
    "n_iter_no_change": one_of(1, 2),
    "scoring": one_of(*SCORES) | functions,
    "on_divergence": one_of("raise", "restore"),
    "checkpoint": one_of(None, *PATHS),
    "checkpoint_interval": one_of(1, 10),
    "device": st.sampled_from(["auto", "cpu", torch.device("cpu"), "cuda:7", "x", ""]),
    "distributed": one_of("auto", False, True, "all"),
    "warm_start": one_of(True, False),
    "callbacks": one_of(None, *CALLBACKS),
    "random_state": one_of(*SEEDS),
    "verbose": st.sampled_from([0, 0, 0, 1, -1, "x", None]),
}
SIMPLE = KNeighborsClassifier(1)
OF_BASELINE = {
    "estimator": one_of(None, SIMPLE, DecisionTreeClassifier(), KNeighborsClassifier),
    "standardize": one_of("domain", "source", "pooled", "quantile", None),
}


OF_CLASSES = ("class_confusion", "class_weight", "conditional", "target_entropy")
OF_CLASSES += ("target_prior",)
OF_REGRESSOR = {k: v for k, v in OF_NETWORK.items() if k not in OF_CLASSES}
OF_REGRESSOR["loss"] = one_of("squared_error", "absolute_error", "huber")
OF_REGRESSOR["scoring"] = (
    one_of("neg_iwv", "neg_dev", "neg_devn", "infomax") | functions
)


def calls(estimator, pool, quick, **required):
    """Draw constructor calls; what is not drawn is quick."""

    @st.composite
    def draw_call(draw):
        few = st.lists(st.sampled_from(sorted(pool)), unique=True, max_size=4)
        chosen = {name: draw(pool[name]) for name in draw(few)}
        needed = {name: draw(strategy) for name, strategy in required.items()}
        return estimator(**{**quick, **needed, **chosen})

    return draw_call()


QUICK = {**SMALL, "max_epochs": 2}
networks = calls(DANNClassifier, OF_NETWORK, QUICK)
baselines = calls(BaselineClassifier, OF_BASELINE, {})
QUICK_OF_NUMBERS = {k: v for k, v in QUICK.items() if k not in OF_CLASSES}
of_numbers = st.one_of(
    calls(DANNRegressor, OF_REGRESSOR, QUICK_OF_NUMBERS),
    calls(BaselineRegressor, OF_BASELINE, {}),
)

CANDIDATES = [DANNClassifier(**QUICK), BaselineClassifier(), SIMPLE]
candidates = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", 1]),
        st.sampled_from([*CANDIDATES, KNeighborsClassifier, 5]) | networks | baselines,
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda pair: str(pair[0]),
)
OF_AUTO = {
    "candidates": candidates | st.sampled_from([[], (), "x", [1], {"a": 1}, [("a",)]]),
    "label_use": one_of("choice", "training", "both"),
    "max_time": one_of(None, 60.0),
    "n_jobs": st.sampled_from([None, 1, 0, 1.5, "x"]),
    "random_state": one_of(*SEEDS),
    "verbose": st.sampled_from([0, 0, 1, -1, "x"]),
}
FIXED = [("network", CANDIDATES[0]), ("simple", CANDIDATES[1])]


@st.composite
def grids(draw):
    """Draw values of a few parameters, some of which no fit can have."""
    names = [*OF_NETWORK, "unknown"]
    few = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)
    return {
        name: [draw(OF_NETWORK.get(name, NUMBERS)) for _ in range(draw(st.just(2)))]
        for name in draw(few)
    }


FOLDS = [(range(4), range(4, 8)), (range(4, 8), range(4))]
ODD_FOLDS = [[], [FOLDS[0]], [(range(9), [99])], [([], [1])], [([0.5], [1])], [(1,)]]
OF_SEARCH = {
    "estimator": networks,
    "scoring": one_of(*SCORES, "accuracy", "reverse_validation", None, {}, ["x"])
    | functions
    | st.sampled_from([["infomax", "accuracy"], {"a": "infomax"}, ["infomax", 1]])
    | st.just(target_scorer("infomax")),
    "n_jobs": st.sampled_from([None, 1, 0, 1.5, "x"]),
    "refit": one_of(True, False, "infomax", "a") | functions,
    "cv": one_of(2, KFold(2), ShuffleSplit(1), FOLDS, *ODD_FOLDS, KFold, 1000),
    "verbose": st.sampled_from([0, 0, 1, -1, "x"]),
    "pre_dispatch": st.sampled_from(["2*n_jobs", "all", 1, 0, "x", None]),
    "error_score": one_of(np.nan, "raise", 0.0),
    "return_train_score": one_of(True, False),
    "n_seeds": st.sampled_from([1, 2, 0, True, "x"]),
    "max_stacked": one_of("auto", 1, 2),
    "source_tolerance": one_of(0, 0.05, 1),
    "label_use": one_of("choice", "training", "both"),
    "baselines": one_of(False, True),
    "checkpoint": one_of(None, *PATHS),
}
SEARCH = {"estimator": DANNClassifier(**{**QUICK, "max_epochs": 1}), "cv": 2}
odd_grids = st.sampled_from([{}, [], "x", {1: [2]}, {"lr": 1}, [{"lr": [1e-3]}, {}]])
SEARCHED = {"param_grid": grids() | odd_grids}
DRAWN_AT_RANDOM = {"param_distributions": grids() | odd_grids}
OF_RANDOM_SEARCH = {**OF_SEARCH, "n_iter": COUNTS, "random_state": one_of(*SEEDS)}
any_call = st.one_of(
    networks,
    baselines,
    of_numbers,
    calls(AutoDANNClassifier, OF_AUTO, {"candidates": FIXED}),
    calls(DANNGridSearchCV, OF_SEARCH, SEARCH, **SEARCHED),
    calls(
        DANNRandomizedSearchCV,
        OF_RANDOM_SEARCH,
        {**SEARCH, "n_iter": 2},
        **DRAWN_AT_RANDOM,
    ),
)


@st.composite
def data(draw):
    """Draw two small domains; a few are such that nothing can be learned."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_target = draw(st.sampled_from([(8, 6), (12, 5), (9, 9), (8, 1), (2, 1)]))
    X, X_tgt = rng.normal(size=(n, 2)), rng.normal(size=(n_target, 2))
    size = draw(st.sampled_from([1, 1, 1, 1, 0, 1e-300, 1e30, 1e300]))
    y = np.arange(n) % draw(st.sampled_from([2, 2, 2, 2, 3, 3, 1]))
    y_tgt = np.where(np.arange(n_target) < draw(st.integers(0, 2)), y[0], -1)
    return size * X, y, size * X_tgt, y_tgt


# ---- what must hold

ARGUMENTS = ["X", "X_tgt", "y", "y_tgt", "labels?", "class(es)?", "fits?", "lambda"]
ARGUMENTS += ["candidates?", "scores?", "predict_proba", "estimator", "n_splits"]


def names_something(estimator):
    """Return a pattern of all that a message can name."""
    names = {*estimator.get_params(deep=False), *OF_NETWORK, *OF_BASELINE, *ARGUMENTS}
    return re.compile(rf"\b({'|'.join(sorted(names))})\b")


def fit(estimator, X, y, X_tgt, y_tgt):
    """Fit, or return the error; whatever is said is said of this line."""
    of_rows = {"y_tgt": y_tgt}
    if isinstance(estimator, DANNClassifier):
        of_rows["groups"] = np.arange(len(X)) % 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = None
        try:
            estimator.fit(X, y, X_tgt, **of_rows)
        except (ValueError, TypeError, MemoryError, OSError) as refused:
            error = refused
    for warning in caught:
        assert warning.filename == __file__, warnings.formatwarning(
            warning.message, warning.category, warning.filename, warning.lineno
        )
    return error


@pytest.fixture(scope="module", autouse=True)
def _in_a_folder_of_its_own(tmp_path_factory):
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("calls"))
    yield
    os.chdir(before)


@for_all(estimator=any_call, rows=data())
def test_any_call_is_a_fit_or_an_error_that_names_what_is_wrong(estimator, rows):
    before = dict(vars(estimator))
    error = fit(estimator, *rows)
    if error is not None:
        after = vars(estimator)
        assert before.keys() == after.keys()
        assert all(after[name] is value for name, value in before.items())
        assert names_something(estimator).search(str(error)), repr(error)
    elif is_regressor(estimator):
        predicted = estimator.predict(rows[2])
        assert predicted.shape == (len(rows[2]),)
        assert np.isfinite(predicted).all()
    elif getattr(estimator, "refit", True) is not False:
        P = estimator.predict_proba(rows[2])
        assert P.shape == (len(rows[2]), len(estimator.classes_))
        assert np.isfinite(P).all()
        np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-5)


def test_pools_hold_all_parameters():
    for estimator, pool, required in [
        (CANDIDATES[0], OF_NETWORK, ()),
        (BaselineClassifier(), OF_BASELINE, ()),
        (BaselineRegressor(), OF_BASELINE, ()),
        (DANNRegressor(), OF_REGRESSOR, ()),
        (AutoDANNClassifier(), OF_AUTO, ()),
        (DANNGridSearchCV(**SEARCH, param_grid={}), OF_SEARCH, SEARCHED),
        (
            DANNRandomizedSearchCV(**SEARCH, param_distributions={}),
            OF_RANDOM_SEARCH,
            DRAWN_AT_RANDOM,
        ),
    ]:
        assert clone(estimator).get_params(deep=False).keys() == {*pool, *required}
