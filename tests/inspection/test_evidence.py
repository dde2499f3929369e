"""Verdict, proportions and rows to label follow from what the models predict."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import cohen_kappa_score

from skdann.inspection._report import _class_measures
from skdann.inspection._report._class_evidence import ClassEvidence
from skdann.inspection._report._class_proportions import class_proportions
from skdann.inspection._report._class_rules import proportions_differ
from skdann.inspection._report._labels import n_to_label, rows_to_label
from skdann.inspection._report._summary import recommend
from skdann.inspection._report._verdict import judge

SIMPLE = [
    "logistic regression",
    "logistic regression by domain",
    "random forest",
    "random forest by domain",
]


def flipped(y, share, seed):
    """Return labels of two classes, a share of them wrong."""
    return np.where(np.random.default_rng(seed).random(len(y)) < share, 1 - y, y)


def evidence_of(votes, y, *, classes=2):
    """Return evidence of models that are sure of what they predict.

    ``votes`` are those for the target: source only, adapted, then the simple models.
    """
    names = ["source only", "adapted", *SIMPLE]
    P = {n: 0.9 * np.eye(classes)[v] + 0.05 for n, v in zip(names, votes, strict=True)}
    codes = np.arange(100) % classes
    known = 0.9 * np.eye(classes)[flipped(codes, 0.05, 9) % classes] + 0.05
    return ClassEvidence(
        classes=np.arange(classes),
        target=P,
        part_source=dict.fromkeys(names, known),
        part_target=P,
        codes=codes,
        source_proportions=np.bincount(codes) / len(codes),
        rows=1000 + np.arange(len(y)),
        is_labelled=np.zeros(len(y), dtype=bool),
    )


def measures_of(evidence):
    measures = SimpleNamespace(
        evidence=evidence,
        class_proportions=class_proportions(evidence),
        n_rows=(500, len(evidence.rows)),
        effect="",
        may_differ=False,
    )
    measures.differs = proportions_differ(measures)
    return measures


def models(y, *wrong):
    """Return predictions of which these shares are wrong, each model in its way."""
    return [flipped(y, share, seed) for seed, share in enumerate(wrong)]


@pytest.fixture
def y():
    return np.random.default_rng(0).permutation(np.arange(600) % 2)


class TestVerdict:
    def test_unlike_models_support_the_adapted_model(self, y):
        measures = measures_of(evidence_of(models(y, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2), y))
        assert judge(measures) == "for"
        assert recommend(measures, "for") == "Deploy the adapted model."

    def test_less_agreement_is_against_if_the_source_was_lost(self, y):
        evidence = evidence_of(models(y, 0.1, 0.3, 0.2, 0.2, 0.2, 0.2), y)
        assert evidence.change.high < 0
        assert judge(measures_of(evidence)) == "open"
        lost = 1 - evidence.part_source["adapted"]
        part_source = {**evidence.part_source, "adapted": lost}
        measures = measures_of(replace(evidence, part_source=part_source))
        assert judge(measures) == "against"
        assert recommend(measures, "against").startswith("Stay with the ")

    def test_a_model_that_simple_ones_surpass_waits_for_labels(self, y):
        measures = measures_of(evidence_of(models(y, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1), y))
        assert judge(measures) == "for"
        assert recommend(measures, "for").startswith("Label ")

    def test_kinds_that_do_not_tell_them_apart(self, y):
        measures = measures_of(evidence_of(models(y, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2), y))
        assert judge(measures) == "open"
        n = n_to_label(measures.evidence)
        assert recommend(measures, "open") == (
            f"Label {n} target rows first: report.rows_to_label({n})."
        )

    def test_other_proportions_leave_it_open(self, y):
        of_one_class = np.maximum(y, flipped(y, 0.8, 9))
        votes = models(of_one_class, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0)
        measures = measures_of(evidence_of(votes, of_one_class))
        assert measures.evidence.change.low > 0
        assert judge(measures) == "open"

    def test_the_change_is_that_of_kappa_with_its_interval(self, y):
        votes = models(y, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2)
        change = evidence_of(votes, y).change
        before, after = (cohen_kappa_score(vote, votes[-1]) for vote in votes[:2])
        assert change.value == pytest.approx(after - before)
        assert change.low < change.value < change.high

    def test_models_that_predict_alike_need_no_labels(self, y):
        measures = measures_of(evidence_of([y] * 6, y))
        assert n_to_label(measures.evidence) == 0
        assert "predicts 100% alike" in recommend(measures, "open")


class TestModels:
    def test_figures_are_those_of_scikit_learn(self, y):
        votes = models(y, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2)
        evidence = evidence_of(votes, y)
        figures = evidence.models["random forest"]
        assert figures["same_prediction"] == np.mean(votes[4] == votes[1])
        others = [cohen_kappa_score(votes[4], votes[i]) for i in (0, 1, 2, 3, 5)]
        assert figures["agreement"] == pytest.approx(np.mean(others))
        assert figures["rank_correlation"] == pytest.approx(
            np.corrcoef(votes[4], votes[1])[0, 1]
        )

    def test_several_classes_have_no_auc(self):
        y = np.arange(90) % 3
        figures = evidence_of([y] * 6, y, classes=3).models["adapted"]
        assert set(figures) == {"source_accuracy", "same_prediction", "agreement"}

    def test_the_best_simple_model_is_the_one_that_agrees(self, y):
        votes = models(y, 0.1, 0.1, 0.4, 0.05, 0.2, 0.2)
        assert evidence_of(votes, y).best_simple == "logistic regression by domain"


class TestProportions:
    def test_models_that_disagree_are_not_relied_on(self, y):
        ones, none = (
            np.maximum(y, flipped(y, 0.8, 1)),
            np.minimum(y, flipped(y, 0.8, 1)),
        )
        evidence = evidence_of([ones, none, ones, none, ones, none], y)
        assert not class_proportions(evidence).is_reliable

    def test_those_that_agree_have_an_interval(self, y):
        evidence = evidence_of([y] * 6, y)
        proportions = class_proportions(evidence)
        assert proportions.is_reliable
        low, high = proportions.interval
        assert_allclose(high - low, 2 * 1.64 * 0.5 / np.sqrt(len(y)), rtol=0.4)


class TestRowsToLabel:
    def test_they_are_rows_of_disagreement(self, y):
        wrong = 1 - y[:30]
        evidence = evidence_of([y, *[np.r_[wrong, y[30:]]] * 2, y, y, y], y)
        rows = rows_to_label(evidence, 20, 0)
        assert len(np.unique(rows)) == 20
        assert rows.min() >= 1000
        assert rows.max() < 1030

    def test_there_may_be_fewer(self, y):
        evidence = evidence_of([y] * 5 + [np.r_[1 - y[:7], y[7:]]], y)
        assert_array_equal(np.sort(rows_to_label(evidence, 50, 0)), 1000 + np.arange(7))
        assert len(rows_to_label(evidence_of([y] * 6, y), 50, 0)) == 0

    def test_one_seed_one_draw(self, y):
        evidence = evidence_of(models(y, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2), y)
        first, second = (rows_to_label(evidence, 10, 3) for _ in range(2))
        assert_array_equal(first, second)

    def test_the_closer_two_models_the_more_rows(self, y):
        far, near = (
            evidence_of(models(y, 0.1, wrong, 0.05, 0.2, 0.2, 0.2), y)
            for wrong in (0.3, 0.0)
        )
        assert n_to_label(far) < n_to_label(near)


def test_what_the_report_says_of_itself_was_measured():
    path = Path(__file__).parents[2] / "docs" / "results" / "reports.json"
    record = json.loads(path.read_text())
    tables = {name: table["rows"] for name, table in record["tables"].items()}
    *verdicts, (_, n_pairs, *_) = tables["verdicts"]
    assert n_pairs == _class_measures.N_PAIRS == record["settings"]["pairs"]
    assert {v: (gained, n) for v, n, gained, *_ in verdicts} == _class_measures.GAINED
    [(_, excess, _, held, _)] = (row for row in tables["accuracies"] if ":" in row[0])
    assert held == _class_measures.N_HELD
    assert excess == pytest.approx(_class_measures.EXCESS, abs=0.005)
