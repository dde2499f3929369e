"""``sample_weight_tgt``: a row that counts twice is a row that is there twice."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from helpers import make_domains
from scipy import sparse

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier, metrics
from skdann.inspection import adaptation_report
from skdann.metrics._agreement import pairwise_kappa
from skdann.metrics._proportions import estimate_proportions
from skdann.model_selection import DANNGridSearchCV, rows_to_label

X, Y, X_TGT, Y_TGT = make_domains(60, 40)
WEIGHT = 1 + np.arange(40) % 2 + (Y_TGT == 1)  # 1 to 3
REPEATED = np.repeat(np.arange(40), WEIGHT)
SOME = (np.arange(40) % 3 > 0).astype(float)  # 0 or 1
KEPT = np.flatnonzero(SOME)

# One batch holds all rows, so that steps see the same rows, however often.
WHOLE_BATCH = {
    "batch_size": 512,
    "dropout": 0.0,
    "n_estimators": 1,
    "max_epochs": 5,
    "target_prior": None,
    "random_state": 0,
}
MODELS = {
    "network": DANNClassifier(**{**WHOLE_BATCH, "target_prior": "estimate"}),
    "network that is told the proportions": DANNClassifier(
        **{**WHOLE_BATCH, "target_prior": [0.3, 0.7]}, standardize="pooled"
    ),
    "class confusion": DANNClassifier(**WHOLE_BATCH, class_confusion=1.0),
    "ensemble": DANNClassifier(**{**WHOLE_BATCH, "n_estimators": 2}),
    "by domain": BaselineClassifier(standardize="domain"),
    "quantiles": BaselineClassifier(standardize="quantile"),
    "combination": AutoDANNClassifier(
        [
            ("network", DANNClassifier(**WHOLE_BATCH)),
            ("source", BaselineClassifier(standardize="source")),
            ("domain", BaselineClassifier(standardize="domain")),
        ]
    ),
}


@pytest.mark.parametrize("name", [name for name in MODELS if name != "quantiles"])
def test_weights_are_repetitions(name):
    weighted = MODELS[name].fit(X, Y, X_TGT, sample_weight_tgt=10 * WEIGHT)
    P = weighted.predict_proba(X_TGT)
    repeated = MODELS[name].fit(X, Y, X_TGT[REPEATED])
    np.testing.assert_allclose(P, repeated.predict_proba(X_TGT), rtol=1e-4)
    alike = MODELS[name].fit(X, Y, X_TGT)
    assert not np.allclose(P, alike.predict_proba(X_TGT), rtol=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_rows_of_weight_0_are_as_if_they_were_not_there(name):
    y_tgt = np.where(np.arange(40) < 9, Y_TGT, -1)
    P = (
        MODELS[name]
        .fit(X, Y, X_TGT, sample_weight_tgt=SOME, y_tgt=y_tgt)
        .predict_proba(X_TGT)
    )
    without = MODELS[name].fit(
        X, Y, X_TGT[KEPT], sample_weight_tgt=SOME[KEPT], y_tgt=y_tgt[KEPT]
    )
    assert np.array_equal(P, without.predict_proba(X_TGT))


def test_a_labelled_row_that_counts_more_is_learned_more():
    y_tgt, weight = np.full(40, -1), np.ones(40)
    contrary = np.flatnonzero(Y_TGT == 1)[:3]
    y_tgt[contrary], weight[contrary] = 0, 50
    given = {"y_tgt": y_tgt}
    clf = DANNClassifier(**{**WHOLE_BATCH, "max_epochs": 50, "lambda_max": 0.0})
    alike = clf.fit(X, Y, X_TGT, **given).predict_proba(X_TGT)[contrary, 0]
    weighted = clf.fit(X, Y, X_TGT, sample_weight_tgt=weight, **given)
    assert (weighted.predict_proba(X_TGT)[contrary, 0] > alike).all()


def search(X_tgt, **given):
    one = DANNClassifier(**WHOLE_BATCH)
    return DANNGridSearchCV(one, {"lambda_max": [0.0, 1.0]}, cv=2).fit(
        X, Y, X_tgt, **given
    )


def scores(search):
    return np.array(
        [
            values
            for name, values in search.cv_results_.items()
            if name.startswith("mean_test")
        ]
    )


def test_a_search_weights_its_scores():
    weighted = scores(search(X_TGT, sample_weight_tgt=WEIGHT))
    repeated = scores(search(X_TGT[REPEATED]))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-3)
    assert not np.allclose(weighted, scores(search(X_TGT)), rtol=1e-3)


def test_a_search_leaves_rows_of_weight_0_out_and_names_the_others_as_they_were():
    y_tgt = np.where(np.arange(40) < 9, Y_TGT, -1)
    weighted = search(X_TGT, sample_weight_tgt=SOME, y_tgt=y_tgt)
    without = search(X_TGT[KEPT], sample_weight_tgt=SOME[KEPT], y_tgt=y_tgt[KEPT])
    np.testing.assert_array_equal(scores(weighted), scores(without))
    drawn, _ = rows_to_label(weighted, X_TGT, 5, y_tgt=y_tgt, random_state=0)
    among, _ = rows_to_label(without, X_TGT[KEPT], 5, y_tgt=y_tgt[KEPT], random_state=0)
    assert np.array_equal(drawn, KEPT[among])


@pytest.mark.usefixtures("small_forests")
def test_a_report_leaves_rows_of_weight_0_out():
    clf = DANNClassifier(**WHOLE_BATCH).fit(X, Y, X_TGT, sample_weight_tgt=SOME)
    report = adaptation_report(
        clf, X, Y, X_TGT, sample_weight_tgt=SOME, random_state=0
    ).to_dict()
    without = adaptation_report(clf, X, Y, X_TGT[KEPT], random_state=0).to_dict()
    assert report["models"] == without["models"]


def test_scores_and_estimates_of_weighted_rows_are_those_of_repeated_rows():
    rng = np.random.default_rng(0)
    P = rng.dirichlet([1, 2, 1], 40)
    for score in (
        metrics.infomax_score,
        metrics.nuclear_norm_score,
        metrics.neg_entropy_score,
    ):
        assert score(P, WEIGHT) == pytest.approx(score(P[REPEATED]), rel=1e-9)
    both = np.stack([P, P[::-1]])
    np.testing.assert_allclose(
        metrics.ensemble_agreement_score(both, WEIGHT),
        metrics.ensemble_agreement_score(both[:, REPEATED]),
    )
    np.testing.assert_allclose(
        metrics.density_ratio(X, X_TGT, sample_weight_tgt=WEIGHT),
        metrics.density_ratio(X, X_TGT[REPEATED]),
        rtol=1e-3,
    )
    np.testing.assert_allclose(
        estimate_proportions(P, [0.2, 0.5, 0.3], WEIGHT),
        estimate_proportions(P[REPEATED], [0.2, 0.5, 0.3]),
        rtol=1e-4,
    )
    votes = both.argmax(axis=2)
    np.testing.assert_allclose(
        pairwise_kappa(votes, WEIGHT), pairwise_kappa(votes[:, REPEATED])
    )


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (np.zeros(40), "sample_weight_tgt (leaves no row|must hold)"),
        (np.ones(39), "sample_weight_tgt must hold.*39"),
        (np.full(40, -1.0), "sample_weight_tgt must hold.*Negative"),
        (np.full(40, np.nan), "sample_weight_tgt must hold.*NaN"),
        (["a"] * 40, "sample_weight_tgt must hold"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weight, says):
    for model in (DANNClassifier(**WHOLE_BATCH), BaselineClassifier()):
        with pytest.raises(ValueError, match=says):
            model.fit(X, Y, X_TGT, sample_weight_tgt=weight)
    with pytest.raises(ValueError, match=says):
        search(X_TGT, sample_weight_tgt=weight)


FITTED = DANNClassifier(**{**WHOLE_BATCH, "max_epochs": 1}).fit(X, Y, X_TGT)
P = FITTED.predict_proba(X_TGT)

# Whoever takes weights of 40 rows, and what it calls them.
DOORS = {
    "fit": (lambda w: FITTED.fit(X[:40], Y[:40], X_TGT, sample_weight=w), "_weight"),
    "search": (
        lambda w: DANNGridSearchCV(FITTED, {"lr": [0.01]}, cv=2).fit(
            X[:40], Y[:40], X_TGT, sample_weight=w
        ),
        "_weight",
    ),
    "report": (
        lambda w: adaptation_report(FITTED, X[:40], Y[:40], X_TGT, sample_weight=w),
        "_weight",
    ),
    "accuracy": (lambda w: FITTED.score(X_TGT, Y_TGT, sample_weight=w), "_weight"),
    "infomax": (lambda w: metrics.infomax_score(P, w), "_weight"),
    "nuclear norm": (lambda w: metrics.nuclear_norm_score(P, w), "_weight"),
    "entropy": (lambda w: metrics.neg_entropy_score(P, w), "_weight"),
    "ensemble": (lambda w: metrics.ensemble_agreement_score([P, P], w), "_weight"),
    "ratio": (
        lambda w: metrics.density_ratio(X, X_TGT, sample_weight_tgt=w),
        "_weight_tgt",
    ),
}
NO_WEIGHTS = {
    "zeros": np.zeros(40),
    "NaN": np.where(np.arange(40) == 3, np.nan, 1.0),
    "infinity": np.where(np.arange(40) == 3, np.inf, 1.0),
    "negative": np.where(np.arange(40) == 3, -1.0, 1.0),
    "a column": np.ones((40, 1)),
    "too few": np.ones(39),
    "a generator": (1.0 for _ in range(40)),
    "a dict": dict.fromkeys(range(40), 1.0),
    "sparse": sparse.csr_array(np.ones((40, 1))),
    "masked": np.ma.array(np.ones(40), mask=np.arange(40) == 3),
    "NA": pd.array([None, *range(39)], dtype="Float64"),
    "dates": pd.date_range("2020", periods=40),
    "times that passed": pl.Series(range(40)).cast(pl.Duration("ms")),
}


@pytest.mark.parametrize("case", NO_WEIGHTS)
@pytest.mark.parametrize("door", DOORS)
def test_weights_that_are_none_are_refused_by_whoever_takes_them(door, case):
    call, name = DOORS[door]
    with pytest.raises(ValueError, match=rf"^sample{name} must hold a number"):
        call(NO_WEIGHTS[case])


@pytest.mark.parametrize("make", [list, pd.Series, pl.Series, pa.array, torch.tensor])
@pytest.mark.parametrize("door", ["accuracy", "infomax", "nuclear norm", "ratio"])
def test_weights_come_in_any_container(door, make):
    call, _ = DOORS[door]
    np.testing.assert_allclose(call(make(WEIGHT.tolist())), call(WEIGHT))


@pytest.mark.parametrize(
    "risk", [metrics.importance_weighted_risk, metrics.deep_embedded_risk]
)
def test_a_risk_does_not_pair_each_loss_with_each_weight(risk):
    with pytest.raises(ValueError, match=r"\(40,\) and \(40, 1\)"):
        risk(np.ones(40), np.ones((40, 1)))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (NO_WEIGHTS["masked"], "contains NaN"),
        (NO_WEIGHTS["a dict"], "must hold one number for each row"),
        (np.array(1.0), "must hold one number for each row"),
        (pd.DataFrame({"weight": np.ones(40)}), r"\(40, 1\)"),
        (NO_WEIGHTS["sparse"], "must hold one number for each row"),
    ],
    ids=["masked", "dict", "one number", "frame", "sparse"],
)
@pytest.mark.parametrize(
    "risk", [metrics.importance_weighted_risk, metrics.deep_embedded_risk]
)
def test_risks_say_what_is_wrong_with_a_loss_or_a_weight(risk, wrong, says):
    with pytest.raises(ValueError, match=f"weight.*{says}"):
        risk(np.ones(40), wrong)
    with pytest.raises(ValueError, match=f"loss.*{says}"):
        risk(wrong, np.ones(40))


def test_weights_need_a_target():
    with pytest.raises(ValueError, match=r"sample_weight_tgt.*X_tgt is None"):
        DANNClassifier().fit(X, Y, sample_weight_tgt=WEIGHT)
