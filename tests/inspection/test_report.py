"""The report measures what it says, and finds what is there."""

import copy
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdann import BaselineClassifier
from skdann.datasets import make_shifted_moons
from skdann.inspection import adaptation_report
from skdann.metrics import proxy_a_distance
from skdann.metrics._proportions import estimate_proportions
from skdann.model_selection import DANNGridSearchCV

pytestmark = pytest.mark.usefixtures("small_forests")


def report_on(clf, X, y, X_tgt, **kwargs):
    return adaptation_report(clf, X, y, X_tgt, random_state=0, **kwargs)


def kinds(report):
    return {finding.kind for finding in report.findings}


def two_clouds(n, share, seed, shift=0.0):
    """Rows of two classes; ``share`` of them are of class 1."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < share * n).astype(int)
    X = rng.normal(size=(n, 2)) + 4.0 * y[:, None]
    X[:, 1] += shift
    return X, y


class TestMeasures:
    def test_the_source_only_model_differs_in_lambda_alone(self, small, domains):
        X, y, X_tgt = domains
        clf = small(dropout=0.1).fit(X, y, X_tgt)
        source_only = report_on(clf, X, y, X_tgt).measures.source_only
        assert source_only.get_params() == {**clf.get_params(), "lambda_max": 0}

    def test_scores_are_of_source_rows_that_were_held_out(self, small):
        X = np.eye(200)  # each row is told by its own column, and by that alone
        y = np.random.default_rng(5).integers(2, size=200)
        clf = small(lambda_max=1e-3, max_epochs=60, lr=1e-2).fit(X, y, X)
        assert clf.score(X, y) > 0.95
        measures = report_on(clf, X, y, X).measures
        assert max(measures.scores["source_accuracy"]) < 0.75
        for figures in measures.evidence.models.values():
            assert figures["source_accuracy"] < 0.75

    def test_the_models_are_those_that_one_would_fit(self, small, domains):
        X, y, X_tgt = domains
        clf = small().fit(X, y, X_tgt)
        evidence = report_on(clf, X, y, X_tgt).measures.evidence
        simple = BaselineClassifier(standardize="source").fit(X, y, X_tgt)
        source_only = small(lambda_max=0).fit(X, y, X_tgt)
        for name, model in {
            "adapted": clf,
            "source only": source_only,
            "logistic regression": simple,
        }.items():
            assert_allclose(evidence.target[name], model.predict_proba(X_tgt))

    def test_proportions_are_those_of_labels_and_predictions(self, small):
        X, y = two_clouds(200, 0.3, seed=0)
        X_tgt, _ = two_clouds(100, 0.3, seed=1)
        clf = small().fit(X, y, X_tgt)
        measures = report_on(clf, X, y, X_tgt).measures
        assert_allclose(measures.proportions["source"], [0.7, 0.3])
        predicted = clf.predict(X_tgt).mean()
        assert_allclose(measures.proportions["adapted"], [1 - predicted, predicted])
        for shares in measures.proportions.values():
            assert_allclose(shares.sum(), 1)

    def test_distances_are_of_input_and_features(self, small, domains):
        X, y, X_tgt = domains
        clf = small(max_epochs=20).fit(X, y, X_tgt)
        distances = report_on(clf, X, y, X_tgt).measures.distances
        # other halves of the rows: nearly the same
        expected = proxy_a_distance(X, X_tgt, random_state=1)
        assert_allclose(distances["input"], expected, atol=0.2)
        features = clf.transform(X), clf.transform(X_tgt)
        expected = proxy_a_distance(*features, random_state=1)
        assert_allclose(distances["adapted"], expected, atol=0.4)

    def test_the_estimator_stays_as_it_was(self, small, domains):
        X, y, X_tgt = domains
        clf = small().fit(X, y, X_tgt)
        before = copy.deepcopy(clf)
        report_on(clf, X, y, X_tgt)
        assert vars(clf).keys() == vars(before).keys()
        assert_array_equal(clf.predict_proba(X), before.predict_proba(X))
        assert clf.history_ == before.history_

    def test_one_seed_one_report(self, small, domains):
        clf = small().fit(*domains)
        first, second = (report_on(clf, *domains) for _ in range(2))
        assert str(first) == str(second)
        assert first.to_html() == second.to_html()

    @pytest.mark.parametrize("container", [pd.DataFrame, sparse.csr_matrix, list])
    def test_containers_and_labels_of_text(self, small, domains, container):
        X, y, X_tgt = domains
        if container is pd.DataFrame:
            X, X_tgt = (pd.DataFrame(rows, columns=["a", "b"]) for rows in (X, X_tgt))
        elif container is list:
            X, X_tgt = X.tolist(), X_tgt.tolist()
        else:
            X, X_tgt = container(X), container(X_tgt)
        y = np.array(["ill", "well"])[y]
        clf = small().fit(X, y, X_tgt)
        report = report_on(clf, X, y, X_tgt)
        assert "ill" in str(report)
        assert report.measures.n_rows == (200, 150)

    def test_pipelines_and_searches(self, small, domains, routing):
        X, y, X_tgt = domains
        pipe = make_pipeline(StandardScaler(), small(), transform_input=["X_tgt"])
        search = DANNGridSearchCV(pipe, {"dannclassifier__lambda_max": [0, 1]}, cv=2)
        search.fit(X, y, X_tgt)
        pipe.fit(X, y, X_tgt=X_tgt)
        measures = report_on(pipe, X, y, X_tgt).measures
        # the scaler changes nothing of a distance of standardized columns
        assert_allclose(
            measures.distances["input"], proxy_a_distance(X, X_tgt), atol=0.2
        )
        assert report_on(search, X, y, X_tgt).measures.lambda_max in (0, 1)

    def test_weights_and_known_target_labels(self, small, domains):
        X, y, X_tgt = domains
        y_tgt = np.full(len(X_tgt), -1)
        y_tgt[:5] = 1
        given = {"sample_weight": np.linspace(0.5, 1.5, len(X)), "y_tgt": y_tgt}
        clf = small().fit(X, y, X_tgt, **given)
        with_them, without = (report_on(clf, X, y, X_tgt, **g) for g in (given, {}))
        assert with_them.measures.scores != without.measures.scores
        labelled = set(range(5))
        assert not labelled & set(with_them.rows_to_label(150))

    @pytest.mark.parametrize("mark", [-1, np.nan, None])
    def test_rows_that_have_a_label_are_not_asked_for(self, small, domains, mark):
        X, y, X_tgt = domains
        y_tgt = np.full(len(X_tgt), mark, dtype=object if mark is None else None)
        if mark is None:
            y = np.array(["ill", "well"], dtype=object)[y]
        y_tgt[::2] = y[0]
        clf = small(max_epochs=2).fit(X, y, X_tgt, y_tgt=y_tgt)
        report = report_on(clf, X, y, X_tgt, y_tgt=y_tgt)
        assert_array_equal(
            report.measures.evidence.is_labelled, np.arange(150) % 2 == 0
        )
        assert (report.rows_to_label(150) % 2 == 1).all()

    def test_images(self, small):
        rng = np.random.default_rng(0)
        y = np.arange(80) % 2
        X = rng.normal(size=(80, 1, 4, 4)).astype(np.float32) + y[:, None, None, None]
        X_tgt = X[:60] + np.float32(0.3)
        clf = small(feature_extractor=nn.Flatten, max_epochs=2).fit(X, y, X_tgt)
        figures = report_on(clf, X, y, X_tgt).measures.evidence.models
        assert figures["random forest"]["source_accuracy"] > 0.6

    def test_a_class_of_a_single_row(self, small, domains):
        X, y, X_tgt = domains
        y = np.where(np.arange(len(y)) == 3, 2, y)
        with pytest.raises(ValueError, match=r"the rarest class has 1 of 200\. Leave"):
            report_on(small().fit(X, y, X_tgt), X, y, X_tgt)

    def test_not_fitted_or_of_another_kind(self, small, domains):
        with pytest.raises(NotFittedError):
            report_on(small(), *domains)
        X, y, X_tgt = domains
        with pytest.raises(ValueError, match="must be a DANNClassifier"):
            report_on(LogisticRegression().fit(X, y), X, y, X_tgt)


class AlwaysSource(nn.Module):
    """A domain classifier that cannot learn."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, features):
        return 0 * (features[:, :1] + self.unused) - 1


class TestColumns:
    def test_the_columns_that_shifted_most_are_named(self, small, domains):
        X, y, X_tgt = domains
        frame, frame_tgt = (
            pd.DataFrame(A, columns=["good", "stuck"]) for A in (X, X_tgt)
        )
        report = report_on(small().fit(frame, y, frame_tgt), frame, y, frame_tgt)
        assert report.measures.column_shift.shifts[0].column == "stuck"
        assert "  stuck  number" in str(report)
        assert json.loads(json.dumps(report.to_dict()))["column_shift"]["auc"] > 0.9

    def test_text_is_no_table(self, small):
        texts = ["good fine", "bad awful", "fine fine", "awful bad"] * 10
        y = np.tile([1, 0], 20)
        clf = small()
        pipe = make_pipeline(CountVectorizer(), clf)
        with sklearn.config_context(enable_metadata_routing=True):
            pipe.set_params(transform_input=["X_tgt"]).fit(texts, y, X_tgt=texts[:20])
        report = report_on(pipe, texts, y, texts[:20])
        assert report.measures.column_shift is None
        assert "Columns that shifted" not in str(report)


class TestFindings:
    def test_nothing_was_adapted(self, small, domains):
        clf = small(lambda_max=0).fit(*domains)
        assert "not_adapted" in kinds(report_on(clf, *domains))

    def test_fitted_without_a_target(self, small, domains):
        X, y, X_tgt = domains
        clf = small(lambda_max=0).fit(X, y)
        report = report_on(clf, X, y, X_tgt)
        assert "not_adapted" in kinds(report)
        assert np.isnan(report.measures.alignment.projections["adapted"]).sum() == 0

    def test_what_was_not_adapted_is_measured_as_it_is(self, small, domains):
        X, y, X_tgt = domains
        clf = small(max_epochs=20)
        with pytest.warns(UserWarning, match="There is no target"):
            clf.fit(X, y)
        report = report_on(clf, X, y, X_tgt)
        measures = report.measures
        assert measures.lambda_max == 1
        assert measures.agreement == 1
        assert all(one == other for one, other in measures.scores.values())
        assert "Nothing was adapted: it was fitted without X_tgt." in str(report)

    @pytest.mark.parametrize("labels", [np.array, pd.Series])
    def test_predictions_collapsed(self, small, labels):
        X, y = two_clouds(200, 0.5, seed=0)
        y = labels(np.array(["ill", "well"], dtype=object)[y])
        X_tgt = X + 60
        clf = small(lambda_max=1e-3, max_epochs=30)
        with pytest.warns(UserWarning, match="of the columns of X_tgt"):
            clf.fit(X, y, X_tgt)
        with pytest.warns(UserWarning, match="of the columns of X_tgt"):
            report = report_on(clf, X, y, X_tgt)
        [finding] = (f for f in report.findings if f.kind == "one_class")
        assert "100.0% of the target are predicted as 'well'" in finding.what

    def test_a_class_is_missing(self, small):
        rng = np.random.default_rng(0)
        y = np.arange(300) % 3
        X = 0.3 * rng.normal(size=(300, 2)) + np.array([[0, 0], [4, 0], [0, 4]])[y]
        X_tgt = X[y != 2]
        clf = small(lambda_max=1e-3, max_epochs=40).fit(X, y, X_tgt)
        [finding] = (
            f
            for f in report_on(clf, X, y, X_tgt).findings
            if f.kind == "missing_classes"
        )
        assert "predicted as 2." in finding.what

    def test_domains_that_are_alike(self, small):
        (X, y), (X_tgt, _) = (two_clouds(3000, 0.5, seed=seed) for seed in (0, 1))
        clf = small(max_epochs=2).fit(X, y, X_tgt)
        assert "domains_alike" in kinds(report_on(clf, X, y, X_tgt))

    def test_a_domain_classifier_that_never_learned(self, small):
        X, y = two_clouds(200, 0.5, seed=0)
        X_tgt, _ = two_clouds(200, 0.5, seed=1, shift=3)
        clf = small(domain_classifier=AlwaysSource).fit(X, y, X_tgt)
        report = report_on(clf, X, y, X_tgt)
        assert "never_learned" in kinds(report)
        assert "domains_alike" not in kinds(report)

    def test_a_domain_classifier_that_always_wins_without_effect(self, small):
        X, y = two_clouds(200, 0.5, seed=0)
        X_tgt, _ = two_clouds(200, 0.5, seed=1, shift=6)
        clf = small(lambda_max=1e-9, max_epochs=100).fit(X, y, X_tgt)
        report = report_on(clf, X, y, X_tgt)
        assert {"always_wins", "no_effect"} <= kinds(report)
        assert report.verdict == "open"
        assert report.measures.agreement == 1

    def test_other_proportions_are_estimated(self, small):
        X, y = two_clouds(400, 0.5, seed=0)
        X_tgt, _ = two_clouds(400, 0.9, seed=1)
        clf = small(lambda_max=1e-3, max_epochs=20).fit(X, y, X_tgt)
        report = report_on(clf, X, y, X_tgt)
        estimated = report.measures.proportions["estimated"]
        assert_allclose(estimated, [0.1, 0.9], atol=0.05)
        assert "other_proportions" in kinds(report)
        assert report.verdict == "open"

    def test_the_interval_of_the_proportions_covers_the_truth(self, small):
        X, y = two_clouds(400, 0.5, seed=0)
        X_tgt, _ = two_clouds(400, 0.8, seed=1)
        clf = small(lambda_max=1e-3, max_epochs=20).fit(X, y, X_tgt)
        proportions = report_on(clf, X, y, X_tgt).to_dict()["proportions"]
        assert proportions["is_reliable"]
        assert proportions["low"][1] < 0.8 < proportions["high"][1]
        assert proportions["high"][1] - proportions["low"][1] < 0.2

    def test_equal_proportions_are_not_reported(self, small):
        (X, y), (X_tgt, _) = (two_clouds(400, 0.5, seed=seed) for seed in (0, 1))
        clf = small(lambda_max=1e-3, max_epochs=20).fit(X, y, X_tgt)
        found = kinds(report_on(clf, X, y, X_tgt))
        assert not found & {"other_proportions", "proportions_unknown"}

    def test_too_strong_an_adversary_costs_the_source(self, small):
        rng = np.random.default_rng(0)
        y = np.arange(300) % 6
        X = 3 * np.eye(6)[y] + rng.normal(size=(300, 6))
        X_tgt = 0.3 * rng.normal(size=(300, 6))  # of no class
        clf = small(lambda_max=10, lambda_schedule="constant", lr=1e-2, max_epochs=40)
        report = report_on(clf.fit(X, y, X_tgt), X, y, X_tgt)
        assert {"lost_source", "lost_reverse", "lost_infomax"} <= kinds(report)
        assert report.verdict == "against"

    def test_moons_gain(self, small):
        X, y, X_tgt, y_tgt = make_shifted_moons(random_state=0)
        clf = small(hidden_layer_sizes=(64, 64), max_epochs=150, dropout=0.25)
        clf.fit(X, y, X_tgt)
        report = report_on(clf, X, y, X_tgt)
        source_only = report.measures.source_only
        assert clf.score(X_tgt, y_tgt) > source_only.score(X_tgt, y_tgt)
        assert report.verdict == "for"
        assert report.recommendation == "Deploy the adapted model."
        assert clf.score(X_tgt, y_tgt) <= report.accuracy_at_most


class Reader(HTMLParser):
    """Collect what a page shows, and where it points."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


class TestRendering:
    @pytest.fixture
    def report(self, small, domains):
        X, y, X_tgt = domains
        names = np.array(["<script>alert(1)</script>", "b & c"])[y]
        return report_on(small().fit(X, names, X_tgt), X, names, X_tgt)

    def test_text_fits_and_says_all(self, report):
        text = str(report)
        assert max(map(len, text.splitlines())) <= 88
        flat = re.sub(r"\s+", " ", text)
        for finding in report.findings:
            for part in (finding.what, finding.meaning, finding.advice):
                assert part in flat
        for pair in report.measures.scores.values():
            assert all(f"{value:.3f}" in text for value in pair)
        for name in report.measures.evidence.models:
            assert f"  {name}" in text
        assert text.splitlines()[2] == report.recommendation
        assert f"at most about {report.accuracy_at_most:.2f}" in flat
        assert repr(report).startswith(f"AdaptationReport(verdict={report.verdict!r}")

    def test_page_needs_nothing_else_and_runs_nothing(
        self, report, tmp_path, monkeypatch
    ):
        path = tmp_path / "report.html"
        monkeypatch.setenv("HOME", str(tmp_path))
        page = report.to_html("~/report.html")
        assert path.read_text(encoding="utf-8") == page
        reader = Reader()
        reader.feed(page)
        assert reader.tags.count("img") == 2
        assert all(link.startswith("data:image/png;base64,") for link in reader.links)
        assert "script" not in reader.tags
        assert "<script>alert(1)</script>" in reader.text
        assert "reverse validation" in reader.text

    def test_the_page_says_what_the_text_says(self, report):
        reader = Reader()
        reader.feed(report.to_html())
        shown = re.sub(r"\s+", "", reader.text)
        for line in str(report).splitlines():
            for word in line.lstrip("!- ").split():
                assert word in shown

    def test_as_values_for_json(self, report):
        values = report.to_dict()
        assert json.loads(json.dumps(values)) == values
        assert values["verdict"] == report.verdict
        assert values["recommendation"] == report.recommendation
        assert [f["kind"] for f in values["findings"]] == [
            finding.kind for finding in report.findings
        ]

    def test_as_a_table(self, report):
        frame = report.to_frame()
        models = report.measures.evidence.models
        assert list(frame.index) == list(models)
        assert frame.loc["adapted", "same_prediction"] == 1
        assert frame.loc["random forest", "auc"] == models["random forest"]["auc"]

    def test_without_pandas_there_is_no_table(self, report, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ImportError, match="to_frame needs pandas: pip install"):
            report.to_frame()

    def test_rows_to_label_are_drawn_from_the_target(self, report):
        rows = report.rows_to_label(5, random_state=0)
        assert set(rows) <= set(range(report.measures.n_rows[1]))

    def test_a_notebook_gets_a_part_of_a_page(self, report):
        part = report._repr_html_()
        assert part.startswith('<div class="skdann-report">')
        assert "<html" not in part
        style = re.sub(
            r"@media[^{]*{", "", re.search("<style>(.*)</style>", part, re.S)[1]
        )
        for selectors in re.findall(r"([^{}]+){", style):
            for selector in selectors.split(","):
                assert selector.strip().startswith(".skdann-report")

    def test_without_matplotlib_there_are_no_figures(self, report, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        reader = Reader()
        reader.feed(report.to_html())
        assert "img" not in reader.tags
        assert "infomax" in reader.text

    def test_many_classes_are_cut_to_those_that_differ(self, small):
        rng = np.random.default_rng(0)
        y = np.arange(400) % 20
        X = np.c_[y, rng.normal(size=400)]
        report = report_on(small().fit(X, y, X[y > 2]), X, y, X[y > 2])
        assert "12 that differ less" in str(report)


class TestProportions:
    def test_mixture_of_two_normals(self):
        rng = np.random.default_rng(0)
        y = rng.random(20000) < 0.8
        x = rng.normal(size=20000) + 2 * y
        # where both come equally often, P(1 | x) is the logistic function of 2 x - 2
        p = 1 / (1 + np.exp(-(2 * x - 2)))
        estimated = estimate_proportions(np.c_[1 - p, p], [0.5, 0.5])
        assert_allclose(estimated, [0.2, 0.8], atol=0.01)

    def test_sure_predictions_are_counted(self):
        P = np.eye(3)[[0, 0, 0, 1]]
        assert_allclose(estimate_proportions(P, [0.2, 0.3, 0.5]), [0.75, 0.25, 0])
