"""A report on a regressor: the same object, with what makes sense for numbers."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdann import BaselineRegressor, DANNRegressor
from skdann.inspection import adaptation_report
from skdann.inspection._report import _number_measures
from skdann.inspection._report._labels import n_to_label, rows_to_label
from skdann.inspection._report._number_evidence import NumberEvidence
from skdann.inspection._report._number_shift import number_shift
from skdann.inspection._report._summary import recommend
from skdann.inspection._report._verdict import judge
from skdann.metrics._agreement import concordance
from skdann.metrics._target_error import error_estimates
from skdann.model_selection import DANNGridSearchCV

pytestmark = pytest.mark.filterwarnings("ignore:.*columns of X_tgt lie")


def make_instruments(n=120):
    """Rows that two instruments measure, the second with gains and an offset."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2 * n, 4))
    y = 20 + 5 * rows[:, 0] - 3 * rows[:, 1] + rng.normal(size=2 * n)
    return rows[:n], y[:n], rows[n:] * [1.5, 1, 0.7, 1] + 2, y[n:]


X, Y, X_TGT, Y_TGT = make_instruments()
QUICK = {
    "n_estimators": 1,
    "standardize": "domain",
    "hidden_layer_sizes": (16,),
    "domain_hidden_layer_sizes": (16,),
    "max_epochs": 30,
    "random_state": 0,
}


def quick(**params):
    return DANNRegressor(**{**QUICK, **params})


def report_on(model, X=X, y=Y, X_tgt=X_TGT, **given):
    return adaptation_report(model, X, y, X_tgt, random_state=0, **given)


def kinds(report):
    return {finding.kind for finding in report.findings}


@pytest.fixture(autouse=True, scope="module")
def small_forests():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skdann.inspection._report._simple_models.N_TREES", 30)
        yield


@pytest.fixture(scope="module")
def regressor():
    return quick().fit(X, Y, X_TGT)


@pytest.fixture(scope="module")
def report(regressor):
    return report_on(regressor)


class TestMeasures:
    def test_the_models_are_those_that_one_would_fit(self, regressor, report):
        target = report.measures.evidence.target
        source_only = quick(lambda_max=0).fit(X, Y, X_TGT)
        for name, model in {
            "adapted": regressor,
            "source only": source_only,
            "ridge regression": BaselineRegressor(standardize="source"),
            "ridge regression by domain": BaselineRegressor(standardize="domain"),
        }.items():
            if isinstance(model, BaselineRegressor):
                model.fit(X, Y, X_TGT)
            expected = model.predict(X_TGT)
            np.testing.assert_allclose(target[name][:, 0], expected, rtol=1e-4)
        assert len(target) == 6

    def test_figures_are_of_rows_held_out_and_in_the_units_of_y(self):
        X = np.eye(120)  # each row is told by its own column, and by that alone
        y = np.random.default_rng(5).normal(size=120) * 100
        model = quick(standardize="source", max_epochs=60, lr=1e-2).fit(X, y, X)
        assert model.score(X, y) > 0.8
        for figures in report_on(model, X, y, X).measures.evidence.models.values():
            assert figures["source_r2"] < 0.4
            assert 50 < figures["source_rmse"] < 250

    def test_agreement_is_lins_concordance(self, report):
        evidence = report.measures.evidence
        of_forest = evidence.models["random forest"]["concordance"]
        both = evidence.target["random forest"], evidence.target["adapted"]
        assert of_forest == pytest.approx(concordance(*both))
        before, after = evidence.agreement_with_witness
        assert evidence.change.value == pytest.approx(after - before)
        assert evidence.change.low <= evidence.change.value <= evidence.change.high

    def test_the_error_is_bounded_from_below(self, regressor, report):
        truth = np.sqrt(np.mean((regressor.predict(X_TGT) - Y_TGT) ** 2))
        assert 0.3 * truth < report.error_at_least < 1.2 * truth
        assert report.accuracy_at_most is None

    def test_other_units_tell_the_same(self, report):
        in_kilos = Y * 1e-3 + 7
        other = report_on(quick().fit(X, in_kilos, X_TGT), y=in_kilos)
        assert other.verdict == report.verdict
        assert other.error_at_least == pytest.approx(
            report.error_at_least * 1e-3, rel=0.05
        )

    def test_known_numbers_are_not_asked_for_and_train_the_models(self):
        y_tgt = np.where(np.arange(120) % 2, Y_TGT, np.nan)
        model = quick(max_epochs=2).fit(X, Y, X_TGT, y_tgt=y_tgt)
        rows = report_on(model, y_tgt=y_tgt).rows_to_label(20, random_state=0)
        assert len(set(rows)) == 20
        assert (rows % 2 == 0).all()

    def test_several_numbers_of_each_row(self):
        both = np.c_[Y, 100 * X[:, 2]]
        report = report_on(quick(max_epochs=2).fit(X, both, X_TGT), y=both)
        text = str(report)
        assert "2 numbers a row" in text
        assert "in deviations of y" in text
        assert "source_rmse" not in report.to_frame()
        assert len(report.to_dict()["change_of_mean"]["at_least"]) == 2

    @pytest.mark.parametrize("container", [pd.DataFrame, sparse.csr_matrix, list])
    def test_containers(self, container):
        given = X, Y, X_TGT
        if container is list:
            given = X.tolist(), Y.tolist(), X_TGT.tolist()
        elif container is pd.DataFrame:
            X_named, X_tgt_named = (
                pd.DataFrame(d, columns=[*"abcd"]) for d in (X, X_TGT)
            )
            given = X_named, pd.Series(Y), X_tgt_named
        else:
            given = container(X), Y, container(X_TGT)
        standardize = None if container is sparse.csr_matrix else "domain"
        model = quick(max_epochs=2, standardize=standardize).fit(*given)
        report = report_on(model, *given)
        n_models = 4 if container is sparse.csr_matrix else 6
        assert len(report.to_frame()) == n_models

    def test_images(self):
        pictures, pictures_tgt = (d.reshape(-1, 1, 2, 2) for d in (X, X_TGT))
        model = quick(feature_extractor=nn.Flatten, max_epochs=2, standardize=None)
        model.fit(pictures, Y, pictures_tgt)
        report = report_on(model, pictures, Y, pictures_tgt)
        assert report.measures.evidence.models["random forest"]["source_r2"] > 0.3

    def test_pipelines_and_searches(self, routing):
        pipe = make_pipeline(StandardScaler(), quick(max_epochs=2))
        pipe.set_params(transform_input=["X_tgt"])
        search = DANNGridSearchCV(pipe, {"dannregressor__lambda_max": [0, 0.1]}, cv=2)
        search.fit(X, Y, X_TGT)
        assert report_on(search).measures.lambda_max in (0, 0.1)

    def test_y_that_is_no_number_is_refused(self, regressor):
        with pytest.raises(ValueError, match="y_src must hold real numbers"):
            report_on(regressor, y=["a"] * 120)


class TestFindings:
    def test_nothing_was_adapted(self):
        report = report_on(quick(lambda_max=0, max_epochs=2).fit(X, Y, X_TGT))
        [finding] = (f for f in report.findings if f.kind == "not_adapted")
        assert "lambda_max=0.1" in finding.advice

    def test_a_weak_adversary_has_no_effect(self):
        report = report_on(quick(lambda_max=1e-9, max_epochs=5).fit(X, Y, X_TGT))
        assert "no_effect" in kinds(report)
        assert report.verdict == "open"

    def test_y_of_another_mean(self):
        order = np.argsort(np.r_[Y, Y_TGT])
        rows, y = (
            np.r_[X, (X_TGT - 2) / [1.5, 1, 0.7, 1]][order],
            np.r_[Y, Y_TGT][order],
        )
        low, high = np.arange(0, 160), np.arange(80, 240)
        model = quick(standardize="source", lambda_max=1e-3)
        model.fit(rows[low], y[low], rows[high])
        report = report_on(model, rows[low], y[low], rows[high])
        assert report.verdict == "open"
        assert "other_mean" in kinds(report)
        change = (y[high].mean() - y[low].mean()) / y[low].std()
        [least] = report.to_dict()["change_of_mean"]["at_least"]
        assert 0.3 * change < least < change

    def test_an_instrument_with_an_offset_is_no_proof_of_another_mean(self):
        model = quick(max_epochs=2).fit(X, Y, X_TGT + 3)
        report = report_on(model, X_tgt=X_TGT + 3)
        assert "mean_unknown" in kinds(report)
        assert "other_mean" not in kinds(report)

    def test_one_mean_is_not_reported(self):
        report = report_on(quick().fit(X, Y, X), X_tgt=X)
        assert not kinds(report) & {"other_mean", "mean_unknown"}

    def test_predictions_that_are_one_number(self):
        same = np.repeat(X_TGT[:1], 50, axis=0) + 1e-6 * X_TGT[:50]
        model = quick(standardize="source", lambda_max=1e-3).fit(X, Y, same)
        assert "collapsed" in kinds(report_on(model, X_tgt=same))

    def test_rows_beyond_the_source(self):
        far = X_TGT * 4
        model = quick(standardize="source", lambda_max=1e-3).fit(X, Y, far)
        assert "beyond_source" in kinds(report_on(model, X_tgt=far))


class TestRendering:
    def test_text_and_page_say_the_same(self, report, tmp_path):
        text = str(report)
        assert max(map(len, text.splitlines())) <= 88
        assert "120 source rows, 120 target rows, numbers, lambda_max=0.1" in text
        assert f"at least about {report.error_at_least:.3g}" in re.sub(
            r"\s+", " ", text
        )
        assert text.splitlines()[2] == report.recommendation
        page = report.to_html(tmp_path / "report.html")
        assert page.count('<img alt="') == 2
        assert "Lin's concordance" in page.replace("&#x27;", "'")
        for of_classes in ("accuracy and AUC", "kappa", "infomax", "classes"):
            assert of_classes not in text

    def test_values_for_json_and_a_table(self, report):
        values = report.to_dict()
        assert json.loads(json.dumps(values)) == values
        assert values["error_at_least"] == min(values["error_estimates"].values())
        assert "change_of_concordance" in values
        frame = report.to_frame()
        assert frame.loc["adapted", "concordance"] == 1
        assert list(frame)[:2] == ["source_r2", "source_rmse"]


SIMPLE = [
    "ridge regression",
    "ridge regression by domain",
    "random forest",
    "random forest by domain",
]


def evidence_of(y, *errors, part=0.3):
    """Return evidence of models whose errors have these deviations, each its own."""
    rng = np.random.default_rng(0)
    names = ["source only", "adapted", *SIMPLE]
    target = {
        name: (y + error * rng.normal(size=len(y)))[:, None]
        for name, error in zip(names, errors, strict=True)
    }
    held_out = rng.normal(size=100)
    known = (held_out + part * rng.normal(size=100))[:, None]
    return NumberEvidence(
        target=target,
        part_source=dict.fromkeys(names, known),
        part_target=target,
        rows=1000 + np.arange(len(y)),
        is_labelled=np.zeros(len(y), dtype=bool),
        y=held_out[:, None],
        mean=np.zeros(1),
        scale=np.ones(1),
    )


def measures_of(evidence, **said):
    said = {"differs": False, "may_differ": False, "effect": "", **said}
    return SimpleNamespace(evidence=evidence, **said)


class TestVerdict:
    y = np.random.default_rng(1).normal(size=400)

    def test_unlike_models_support_the_adapted_model(self):
        measures = measures_of(evidence_of(self.y, 0.9, 0.3, 0.5, 0.5, 0.5, 0.5))
        assert judge(measures) == "for"
        assert recommend(measures, "for") == "Deploy the adapted model."
        for said in ({"differs": True}, {"effect": "it changed nothing"}):
            assert judge(measures_of(measures.evidence, **said)) == "open"
        unsure = measures_of(measures.evidence, may_differ=True)
        assert recommend(unsure, "for").startswith("Label ")

    def test_less_agreement_is_against_if_the_source_was_lost(self):
        evidence = evidence_of(self.y, 0.3, 0.9, 0.5, 0.5, 0.5, 0.5)
        assert judge(measures_of(evidence)) == "open"
        lost = evidence.part_source["adapted"] + 0.5
        part_source = {**evidence.part_source, "adapted": lost}
        evidence = replace(evidence, part_source=part_source)
        measures = measures_of(evidence)
        assert judge(measures) == "against"
        assert recommend(measures, "against").startswith("Stay with the ")

    def test_a_model_that_predicts_the_same_makes_labels_needless(self):
        evidence = evidence_of(self.y, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01)
        assert n_to_label(evidence) == 0
        assert "of its error on the source" in recommend(measures_of(evidence), "open")
        unsure = measures_of(evidence, may_differ=True)
        assert recommend(unsure, "open").startswith("Label 29 ")

    def test_rows_of_disagreement_are_drawn(self):
        evidence = evidence_of(self.y, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)
        for name in SIMPLE[:2]:
            evidence.target[name][:40] += 8
        drawn = np.concatenate([rows_to_label(evidence, 10, i) for i in range(20)])
        assert np.mean(drawn < 1040) > 0.2  # of all rows a tenth
        assert 29 <= n_to_label(evidence) <= 400

    def test_a_change_of_the_mean_is_one_that_unlike_models_agree_on(self):
        evidence = evidence_of(self.y + 1, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)
        [least] = number_shift(evidence).least
        assert 0.7 < least < 1
        evidence.part_target["ridge regression"] -= 3
        assert number_shift(evidence).least == 0
        assert number_shift(evidence).most > 1.5


def test_what_the_report_says_of_itself_was_measured():
    path = Path(__file__).parents[2] / "docs" / "results" / "regression_reports.json"
    tables = json.loads(path.read_text())["tables"]
    of_all = {row[1]: row[2:4] for row in tables["verdicts"]["rows"] if row[0] == "all"}
    gained = {verdict: (g, n) for verdict, (n, g) in of_all.items()}
    assert gained == _number_measures.GAINED
    [(_, _, n, held, excess, _)] = (
        row for row in tables["errors"]["rows"] if row[0] == "all" and ":" in row[1]
    )
    assert (n, held) == (_number_measures.N_PROBLEMS, _number_measures.N_HELD)
    assert excess == pytest.approx(_number_measures.EXCESS, abs=0.05)


def test_errors_that_are_independent_are_told_by_disagreement():
    rng = np.random.default_rng(0)
    one, *others = rng.normal(size=(4, 4000, 1)) * 3
    found = error_estimates(one, np.zeros((4000, 1)), one, np.array(others))
    assert found["held-out source rows"] == pytest.approx(3, rel=0.05)
    assert found["disagreement"] == pytest.approx(3, rel=0.05)
