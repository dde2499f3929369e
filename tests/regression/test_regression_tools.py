"""What tools for regressors do with the target, as the guide lists it."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers import SMALL, make_domains
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import DANNRegressor

X, _, X_TGT, _ = make_domains(60, 45)
Y = X[:, 0]
TWO = np.c_[Y, X[:, 1]]
TGT = {"X_tgt": X_TGT}


class Spy(DANNRegressor):
    """Notes the target that each fit receives."""

    seen = []

    def fit(self, X, y, X_tgt=None):
        Spy.seen.append(X_tgt)
        return super().fit(X, y, X_tgt)


@pytest.fixture
def pipe(routing):
    Spy.seen = []
    params = {k: v for k, v in SMALL.items() if k != "target_prior"}
    spy = Spy(**params | {"max_epochs": 1})
    return make_pipeline(StandardScaler(), spy, transform_input=["X_tgt"])


PASS_IT_ON = {
    "VotingRegressor": lambda p: VotingRegressor([("a", p), ("b", Ridge())]).fit(
        X, Y, **TGT
    ),
    "BaggingRegressor": lambda p: BaggingRegressor(p, n_estimators=2).fit(X, Y, **TGT),
    "TransformedTargetRegressor": lambda p: TransformedTargetRegressor(
        p, func=np.exp, inverse_func=np.log, check_inverse=False
    ).fit(X, Y, **TGT),
    "MultiOutputRegressor": lambda p: MultiOutputRegressor(p).fit(X, TWO, **TGT),
}
WITH_A_SETTING = {
    "StackingRegressor": lambda p: StackingRegressor(
        [("a", p.fit(X, Y, **TGT))], cv="prefit"
    ).fit(X, Y),
}
DO_NOT = {
    "AdaBoostRegressor": (
        lambda p: AdaBoostRegressor(p).fit(X, Y, **TGT),
        TypeError,
        "X_tgt",
    ),
    "RegressorChain": (
        lambda p: RegressorChain(p).fit(X, TWO, **TGT),
        ValueError,
        r"is expecting . features",
    ),
}


@pytest.mark.parametrize("tool", PASS_IT_ON | WITH_A_SETTING)
def test_tools_pass_the_whole_target_on(pipe, tool):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the logarithm of one epoch
        fitted = (PASS_IT_ON | WITH_A_SETTING)[tool](pipe)
        assert len(fitted.predict(X_TGT)) == 45
    assert Spy.seen
    assert all(len(seen) == 45 for seen in Spy.seen)


@pytest.mark.parametrize("tool", DO_NOT)
def test_tools_that_do_not_say_so(pipe, tool):
    fit, error, reason = DO_NOT[tool]
    with pytest.raises(error, match=reason):
        fit(pipe)


@pytest.mark.parametrize("final", [None, Ridge()], ids=["default", "Ridge"])
def test_stacking_hands_the_target_to_its_final_estimator(pipe, final):
    with pytest.raises(TypeError, match="X_tgt"):
        StackingRegressor([("a", pipe)], final, cv=2).fit(X, Y, **TGT)
    assert all(len(seen) == 45 for seen in Spy.seen)


def test_the_guide_lists_these_tools():
    page = Path(__file__).parents[2] / "docs" / "guide" / "pipeline.md"
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", page.read_text(), re.M)
    listed = {name: word for cell, word in rows for name in re.findall("`(.*?)`", cell)}
    assert {name: listed[name] for name in listed if "Regressor" in name} == {
        **dict.fromkeys(PASS_IT_ON, "yes"),
        **dict.fromkeys(WITH_A_SETTING, "with a setting"),
        **dict.fromkeys(DO_NOT, "no"),
    }
