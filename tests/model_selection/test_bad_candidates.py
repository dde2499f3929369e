"""What is wrong with a candidate, a score or a fold concerns it and no other."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import SMALL, make_domains
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from torch import nn

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
from skdann.model_selection import (
    DANNGridSearchCV,
    reverse_validation_score,
    rows_to_label,
    target_scorer,
)

X, Y, X_TGT, _ = make_domains(40, 30)
FAST = DANNClassifier(**SMALL)  # three steps
GOOD = [{"lambda_max": [0.0]}, {"lambda_max": [1.0]}, {"lr": [1e-2]}]

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning"),
    pytest.mark.filterwarnings("ignore:Scores are not finite"),
]


def late(value):
    """A schedule that returns a value, or raises it, only while it is trained."""

    def schedule(progress):
        if 0 < progress < 0.5 and isinstance(value, Exception):
            raise value
        return value if 0 < progress < 0.5 else 1.0

    return schedule


class NotInTraining(nn.Linear):
    def __init__(self):
        super().__init__(2, 3)

    def forward(self, x):
        if self.training:
            raise RuntimeError("not now")
        return super().forward(x)


def of_value(value):
    def function(*args):
        if isinstance(value, Exception):
            raise value
        return value

    return function


class Incomparable:
    def __eq__(self, other):
        raise RuntimeError("compared")

    __hash__ = object.__hash__


NO_NUMBERS = [None, "x", 1j, [1.0], np.ones(2), torch.ones(2), pd.NA, 10**400]
ANYTHING = [*NO_NUMBERS, np.nan, (), {}, Incomparable(), b"x", object]

# every parameter that may differ within a stack, and what else a grid can hold
BAD = {
    **{
        name: ANYTHING
        for name in (
            *("lambda_max", "lambda_gamma", "class_confusion", "lr", "lr_alpha"),
            *("lr_beta", "momentum", "weight_decay", "dropout", "max_epochs"),
            *("n_iter_no_change", "on_divergence", "standardize", "n_estimators"),
            *("activation", "batch_size", "optimizer", "device"),
        )
    },
    "lambda_schedule": [
        late(value) for value in (*NO_NUMBERS, -0.5, ZeroDivisionError())
    ],
    "lr_schedule": [late(value) for value in (*NO_NUMBERS, -0.5, np.inf, np.nan)],
    "class_weight": [
        *({0: value} for value in (*NO_NUMBERS, -1, np.inf, {1: 2}, Incomparable())),
        *({7: 1}, {"a": 1}, {pd.NA: 1}, {None: 1}, {0: 0, 1: 0}, "x", [1, 2]),
    ],
    "target_prior": [
        *({0: value, 1: 1} for value in NO_NUMBERS),
        *([0.2, 0.2], ["a", "b"], [0.5, [0.5]], [np.nan, 1], {0: 1}, [-1, 2]),
    ],
    "hidden_layer_sizes": [
        True,
        (2, True),
        0,
        1.5,
        "8",
        [[4], [4]],
        (),
        {4: 1},
        [None],
    ],
    "feature_extractor": [
        NotInTraining,
        nn.Linear,
        lambda n: 1 / 0,
        int,
        nn.Flatten(0),
    ],
    "callbacks": [[1], [()], [("a",)], [nn.Linear], "x"],
    "random_state": [-1, 2**32, 1.5, "x", np.random.default_rng(0)],
}
for count in ("max_epochs", "batch_size", "n_iter_no_change"):  # as many as one likes
    BAD[count] = [value for value in ANYTHING if type(value) is not int]
BAD["device"] = [value for value in ANYTHING if value is not None]
BAD["standardize"] = [value for value in ANYTHING if value is not None]


def search(grid, **params):
    params = {"cv": 2, "refit": False, **params}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return DANNGridSearchCV(FAST, grid, **params).fit(X, Y, X_TGT)


@pytest.mark.parametrize("max_stacked", ["auto", 1])
def test_bad_candidates_leave_the_others_their_scores(max_stacked):
    bad = [{name: [value]} for name, values in BAD.items() for value in values]
    grid = [bad[0], GOOD[0], *bad[1:50], GOOD[1], *bad[50:], GOOD[2]]
    places = [1, 51, len(grid) - 1]
    alone = search(GOOD, max_stacked=max_stacked).cv_results_
    among = search(grid, max_stacked=max_stacked).cv_results_
    for name in ("mean_test_infomax", "mean_test_source_accuracy"):
        np.testing.assert_allclose(among[name][places], alone[name], atol=1e-5)
        failed = np.isnan(np.delete(among[name], places))
        assert [entry for entry, f in zip(bad, failed, strict=True) if not f] == []


def test_the_message_counts_all_and_tells_the_most_frequent_errors():
    values = [{"lr": [lr]} for lr in (-1, -2, -3, -4, -5)]
    with pytest.warns(FitFailedWarning) as caught:
        DANNGridSearchCV(FAST, [*GOOD, *values], cv=2).fit(X, Y, X_TGT)
    [told] = [str(w.message) for w in caught if w.category is FitFailedWarning]
    assert told.startswith("10 of 16 fits failed and score nan: 2 times Invalid")
    assert told.count("2 times") == 3
    assert told.endswith("and 2 other errors")
    with pytest.raises(ValueError, match=r"^All 6 fits failed: 4 times .*'lr' "):
        search(
            [{"lr": [-1], "lambda_max": [0.0, 1.0]}, {"lr": [-2], "lambda_max": [0]}]
        )


def test_reverse_validation_of_one_fails_alone():
    """All that the one predicts is a class whose errors cost nothing."""
    for seed in range(50):
        untrained = {**SMALL, "lr": 1e-30, "random_state": seed}
        predicted = set(DANNClassifier(**untrained).fit(X, Y, X_TGT).predict(X_TGT))
        if len(predicted) == 1:
            break
    bad = {
        "lr": [1e-30],
        "random_state": [seed],
        "class_weight": [{predicted.pop(): 0}],
    }
    scores = search([*GOOD, bad], scoring="reverse_validation").cv_results_
    assert np.isnan(scores["mean_test_score"]).tolist() == [False, False, False, True]


# ---- scores


def for_adapted(value):
    """A scorer that returns a value for the adapted candidate, .5 for the other."""

    def scorer(estimator, X, y):
        return of_value(value)() if estimator.lambda_max else 0.5

    return scorer


BOTH = {"lambda_max": [0.0, 1.0]}
NOT_FINITE = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize(
    "value", [*NO_NUMBERS, RuntimeError("mine"), *NOT_FINITE], ids=repr
)
def test_a_candidate_without_a_score_is_not_chosen(value):
    chosen = search(BOTH, scoring=for_adapted(value), refit=True)
    assert chosen.best_index_ == 0
    assert not np.isfinite(chosen.cv_results_["mean_test_score"][1])
    assert chosen.cv_results_["rank_test_score"].tolist() == [1, 2]


@pytest.mark.parametrize("value", [*NO_NUMBERS, RuntimeError("mine")], ids=repr)
def test_no_score_at_all_is_an_error(value):
    with pytest.raises(ValueError, match=r"All 4 fits failed: 4 times .*(score|mine)"):
        search(BOTH, scoring=of_value(value))


@pytest.mark.parametrize("value", NOT_FINITE)
def test_no_finite_score_at_all_is_an_error(value):
    with pytest.raises(ValueError, match=rf"'score' is finite for none .*{value}"):
        search(BOTH, scoring=of_value(value))


@pytest.mark.filterwarnings("default:Scores are not finite")
@pytest.mark.parametrize("value", [np.nan, np.inf, {}, {"other": 1.0}], ids=repr)
def test_scores_that_are_not_finite_or_missing_are_told(value):
    grid = DANNGridSearchCV(FAST, BOTH, scoring=for_adapted(value), cv=2, refit=False)
    with pytest.warns(UserWarning, match=r"not finite, or missing: 'score' of 2 fits"):
        grid.fit(X, Y, X_TGT)


@pytest.mark.parametrize(
    "value", [np.float32(0.7), np.array(0.7), torch.tensor(0.7), True, 1], ids=repr
)
def test_any_real_number_is_a_score(value):
    assert search(BOTH, scoring=for_adapted(value), refit=True).best_index_ == 1


@pytest.mark.parametrize(
    "index", [2, -1, 1.0, True, None, "x", [1], np.array([1]), np.nan, 10**30], ids=repr
)
def test_refit_must_return_a_position(index):
    with pytest.raises(ValueError, match=r"refit returned .* from 0 to 1"):
        search(BOTH, refit=of_value(index))


@pytest.mark.parametrize("index", [1, np.int64(1), np.array(1), torch.tensor(1)])
def test_refit_may_return_any_integer(index):
    chosen = search(BOTH, refit=of_value(index))
    assert (type(chosen.best_index_), chosen.best_index_) == (int, 1)


# ---- folds, and the other parameters of searches

ROWS = np.arange(40)
HALVES = [(ROWS[:20], ROWS[20:]), (ROWS[20:], ROWS[:20])]
FOLDS = {
    "lists": [(train.tolist(), test.tolist()) for train, test in HALVES],
    "ranges": [(range(20), range(20, 40)), (range(20, 40), range(20))],
    "slices": [(slice(20), slice(20, 40)), (slice(20, 40), slice(20))],
    "masks": [(ROWS < 20, ROWS >= 20), (ROWS >= 20, ROWS < 20)],
    "series": [tuple(map(pd.Series, fold)) for fold in HALVES],
    "generator": (fold for fold in HALVES),
}


def test_folds_in_any_form_are_the_same():
    scores = [
        search(BOTH, cv=cv).cv_results_["mean_test_infomax"] for cv in FOLDS.values()
    ]
    assert all(np.array_equal(one, other) for one, other in pairwise(scores))


ODD_CV = {
    "has no folds": [[], (), iter([])],
    "Fold 0 of cv: the rows to score on .* not be|Fold 0 of cv: .* not empty": [
        [(ROWS, [])],
        [([], ROWS)],
        [(ROWS[:, None], ROWS)],
    ],
    r"Fold 1 of cv: the rows to score on must be positions from 0 to 39": [
        [HALVES[0], (ROWS[:20], value)]
        for value in ([40], [0.5], ["a"], [-41], ROWS[:30] > 3, None)
    ],
    "makes no folds of the source": [[(ROWS,)], [1], [(ROWS,) * 3], 1000],
}


@pytest.mark.parametrize(
    ("message", "cv"), [(text, cv) for text, all_cv in ODD_CV.items() for cv in all_cv]
)
def test_odd_folds_are_refused_before_training(message, cv):
    with pytest.raises(ValueError, match=message):
        search(BOTH, cv=cv)


def test_a_fold_of_one_class_fails_all_and_says_why():
    ones = np.flatnonzero(Y == 1)
    message = r"^No candidate can be chosen: 2 of 4 fits failed.*one class"
    with pytest.raises(ValueError, match=message):
        search(BOTH, cv=[(ones, np.flatnonzero(Y == 0)), HALVES[0]])


@pytest.mark.parametrize(
    ("cv", "y", "message"),
    [
        ([(ROWS, ROWS[30:])], Y, r"train on up to 10 rows that they also score on"),
        (2, np.r_[2, Y[1:]], r"1 of 2 folds of cv train without some class.*\[2\]"),
    ],
)
def test_folds_that_tell_little_are_named(cv, y, message):
    grid = DANNGridSearchCV(FAST, BOTH, cv=cv, refit=False)
    with pytest.warns(UserWarning, match=message) as caught:
        grid.fit(X, y, X_TGT)
    assert {w.filename for w in caught} == {__file__}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scoring": []}, "scoring must name at least one score"),
        ({"scoring": ["infomax", 1]}, r"scoring must name .* got \[1\]"),
        ({"scoring": {1: "accuracy"}}, r"scoring must name .* got \[1\]"),
        ({"scoring": of_value({1: 2})}, r"scoring names scores by \[1\]"),
        ({"refit": "infomax"}, "refit='infomax' names none of the scores"),
        ({"pre_dispatch": 0}, "'pre_dispatch'"),
        ({"n_seeds": True}, "'n_seeds'"),
        ({"max_stacked": True}, "'max_stacked'"),
        ({"source_tolerance": 10**400}, "'source_tolerance'"),
    ],
)
def test_odd_parameters_of_a_search_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        search(BOTH, **params)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ([], "There are no candidates"),
        ({1: [2]}, r"parameters named \[1\]"),
        ({"baseline": [LogisticRegression()]}, "must be a BaselineClassifier"),
    ],
)
def test_odd_grids_are_named(grid, message):
    with pytest.raises(ValueError, match=message):
        search(grid)


# ---- candidates of a combination, and reverse validation


class Odd(LogisticRegression):
    """A classifier of the user's that answers nonsense."""

    def __init__(self, answer="nan"):
        super().__init__()
        self.answer = answer

    def predict_proba(self, X):
        P = super().predict_proba(X)
        if self.answer == "raise":
            raise RuntimeError("mine")
        odd = {"nan": P * np.nan, "narrow": P[:, :1], "text": P.astype(str) + "x"}
        return odd[self.answer]


def test_bad_candidates_of_a_combination_leave_the_others_their_weights():
    good = [("network", FAST), ("simple", BaselineClassifier())]
    bad = [
        *(Odd(answer) for answer in ("nan", "narrow", "text", "raise")),
        BaselineClassifier(Odd("nan")),
        BaselineClassifier(standardize="x"),
        LogisticRegression(C=-1),
        *(
            DANNClassifier(**SMALL).set_params(**params)
            for params in (
                {"lambda_max": -1},
                {"class_weight": {0: "x"}},
                {"lr_schedule": late(-1)},
                {"feature_extractor": NotInTraining},
                {"early_stopping": True, "scoring": of_value(np.nan)},
            )
        ),
    ]
    alone = AutoDANNClassifier(good, random_state=0).fit(X, Y, X_TGT)
    mixed = [(f"bad {i}", candidate) for i, candidate in enumerate(bad)]
    mixed = [*mixed[:5], good[0], *mixed[5:], good[1]]
    with pytest.warns(
        FitFailedWarning, match=f"^{len(bad)} of {len(mixed)} candidates"
    ):
        auto = AutoDANNClassifier(mixed, random_state=0).fit(X, Y, X_TGT)
    weights = dict(
        zip(auto.results_["candidate"], auto.results_["weight"], strict=True)
    )
    expected = zip(alone.results_["candidate"], alone.results_["weight"], strict=True)
    assert {name: weights[name] for name, _ in good} == pytest.approx(dict(expected))
    assert auto.predict_proba(X_TGT).shape == (30, 2)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None, "x", [1], 31, np.nan], ids=repr)
def test_a_number_of_rows_to_label_that_is_none(n):
    auto = AutoDANNClassifier([("a", BaselineClassifier()), ("b", FAST)])
    with pytest.raises(ValueError, match=r"n=.* there are 30 rows"):
        rows_to_label(auto.fit(X, Y, X_TGT), X_TGT, n)


@pytest.mark.parametrize("score", [None, 5, "x", [], ["x"], [None], [["a"]]], ids=repr)
def test_a_score_that_is_none(score):
    with pytest.raises(ValueError, match="There is no score"):
        target_scorer(score)


def test_reverse_validation_says_what_is_wrong():
    clf = DANNClassifier(**{**SMALL, "class_weight": {0: "x"}})
    with pytest.raises(ValueError, match=r"class_weight holds \{0: 'x'\}"):
        reverse_validation_score(clf, X, Y, X_TGT)
