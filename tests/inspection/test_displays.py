"""Displays hold what the estimator says, and draw it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann.inspection import (
    AlignmentDisplay,
    DomainBoundaryDisplay,
    HistoryDisplay,
    SearchDisplay,
)
from skdann.model_selection import DANNGridSearchCV, DANNRandomizedSearchCV

pytestmark = pytest.mark.usefixtures("no_figure_stays")


@pytest.fixture
def fitted(small, domains):
    return small().fit(*domains)


@pytest.fixture
def pipeline(small, domains, routing):
    pipe = make_pipeline(StandardScaler(), small(), transform_input=["X_tgt"])
    X, y, X_tgt = domains
    return pipe.fit(X, y, X_tgt=X_tgt)


@pytest.fixture(scope="module")
def grid():
    return {"lambda_max": [0, 0.3, 1], "lr": [1e-3, 1e-2]}


@pytest.fixture
def search(small, domains, grid):
    return DANNGridSearchCV(small(), grid, cv=2).fit(*domains)


def texts_of_legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestAlignment:
    def test_points_are_the_principal_components_of_both_domains(self, fitted, domains):
        X, y, X_tgt = domains
        display = AlignmentDisplay.from_estimator(fitted, X, X_tgt, y_src=y)
        both = np.concatenate([X, X_tgt])
        for title, rows in (("Input", both), ("Features", fitted.transform(both))):
            expected = PCA(2, random_state=0).fit_transform(rows)
            assert_allclose(np.abs(display.projections[title]), np.abs(expected), 1e-3)
        assert_array_equal(display.is_target, np.arange(len(both)) >= len(X))

    def test_labels_are_those_given_else_those_predicted(self, fitted, domains):
        X, y, X_tgt = domains
        display = AlignmentDisplay.from_estimator(fitted, X, X_tgt, y_src=1 - y)
        expected = np.concatenate([1 - y, fitted.predict(X_tgt)])
        assert_array_equal(display.labels, expected)

    def test_rows_come_in_lists(self, fitted, domains):
        X, _, X_tgt = domains
        expected = AlignmentDisplay.from_estimator(fitted, X, X_tgt, random_state=0)
        X, X_tgt = X.tolist(), X_tgt.tolist()
        display = AlignmentDisplay.from_estimator(fitted, X, X_tgt, random_state=0)
        assert_array_equal(display.labels, expected.labels)
        for title, points in expected.projections.items():
            assert_allclose(display.projections[title], points)

    def test_columns_of_one_value_warn_of_nothing(self):
        AlignmentDisplay.from_features(np.ones((9, 2)), np.ones((9, 2)))

    @pytest.mark.parametrize("lengths", [(8, 9), (9, 8), (10, 9)])
    def test_labels_are_of_the_rows(self, lengths):
        labels = [np.arange(n) % 2 for n in lengths]
        view = np.eye(9), np.eye(9)
        with pytest.raises(ValueError, match=r"same rows.*\(9, 9\)"):
            AlignmentDisplay.from_features(*view, y_src=labels[0], y_tgt=labels[1])
        with pytest.raises(ValueError, match=r"same rows.*\(9, 9\)"):
            AlignmentDisplay.from_views({"View": view}, labels)

    def test_views_are_of_the_same_rows(self):
        views = {"a": (np.eye(9), np.eye(9)), "b": (np.eye(9), np.eye(8, 9))}
        with pytest.raises(ValueError, match=r"same rows.*'b': \(9, 8\)"):
            AlignmentDisplay.from_views(views, None)

    def test_another_estimator_can_stand_before(self, small, fitted, domains):
        X, y, X_tgt = domains
        source_only = small(lambda_max=0).fit(X, y, X_tgt)
        display = AlignmentDisplay.from_estimator(fitted, X, X_tgt, before=source_only)
        before = display.projections["Features, before"]
        expected = PCA(2, random_state=0).fit_transform(
            np.concatenate([source_only.transform(X), source_only.transform(X_tgt)])
        )
        assert_allclose(np.abs(before), np.abs(expected), 1e-3)

    def test_the_input_is_what_the_network_gets(self, pipeline, domains):
        X, _, X_tgt = domains
        display = AlignmentDisplay.from_estimator(pipeline, X, X_tgt)
        scaled = pipeline[0].transform(np.concatenate([X, X_tgt]))
        expected = PCA(2, random_state=0).fit_transform(scaled)
        assert_allclose(np.abs(display.projections["Input"]), np.abs(expected), 1e-3)

    def test_many_rows_are_drawn_from_both_domains(self, fitted, domains):
        X, y, X_tgt = domains
        first, second = (
            AlignmentDisplay.from_estimator(
                fitted, X, X_tgt, y_src=y, max_samples=20, random_state=0
            )
            for _ in range(2)
        )
        assert_array_equal(first.is_target, np.repeat([False, True], 20))
        assert_array_equal(first.projections["Input"], second.projections["Input"])
        assert len(first.labels) == 40

    @pytest.mark.parametrize("container", [sparse.csr_matrix, pd.DataFrame])
    def test_containers(self, small, domains, container):
        X, y, X_tgt = domains
        X, X_tgt = (
            container(rows) if container is sparse.csr_matrix else to_frame(rows)
            for rows in (X, X_tgt)
        )
        clf = small().fit(X, y, X_tgt)
        display = AlignmentDisplay.from_estimator(clf, X, X_tgt, max_samples=50)
        assert display.projections["Input"].shape == (100, 2)

    def test_tsne_keeps_neighbors_together(self):
        rng = np.random.default_rng(0)
        near, far = rng.normal(size=(30, 5)), rng.normal(50, size=(30, 5))
        display = AlignmentDisplay.from_features(
            near, far, method="tsne", random_state=0
        )
        points = display.projections["Features"]
        centers = points[:30].mean(axis=0), points[30:].mean(axis=0)
        spread = points[:30].std(axis=0).max()
        assert np.linalg.norm(centers[0] - centers[1]) > 3 * spread

    def test_one_feature_is_drawn_on_a_line(self):
        display = AlignmentDisplay.from_features(np.ones((3, 1)), np.zeros((4, 1)))
        assert_array_equal(display.projections["Features"][:, 1], np.zeros(7))

    def test_domains_alone_where_there_are_no_labels(self, domains):
        X, y, X_tgt = domains
        assert AlignmentDisplay.from_features(X, X_tgt, y_src=y).ax_.shape == (1, 1)

    def test_each_point_has_the_color_of_its_domain(self, fitted, domains):
        X, _, X_tgt = domains
        display = AlignmentDisplay.from_estimator(fitted, X, X_tgt)
        points = display.ax_[0, 0].collections[0]
        blue = to_rgba("tab:blue")
        is_blue = (points.get_facecolors() == blue).all(axis=1)
        assert is_blue.sum() == len(X)
        # drawn in another order, but each with its own color
        drawn = {tuple(p) for p in points.get_offsets()[is_blue].data}
        assert drawn == {tuple(p) for p in display.projections["Input"][: len(X)]}

    def test_legend_names_domains_and_classes(self, small, domains):
        X, y, X_tgt = domains
        names = np.array(["ill", "well"])[y]
        clf = small().fit(X, names, X_tgt)
        display = AlignmentDisplay.from_estimator(clf, X, X_tgt, y_src=names)
        assert texts_of_legend(display.ax_[0, 1]) == ["source", "target"]
        assert texts_of_legend(display.ax_[1, 1]) == ["ill", "well", "source", "target"]

    @pytest.mark.parametrize(
        ("wrong", "match"),
        [({"method": "umap"}, "method"), ({"max_samples": 1}, "max_samples")],
    )
    def test_wrong_parameters(self, fitted, domains, wrong, match):
        X, _, X_tgt = domains
        with pytest.raises(ValueError, match=match):
            AlignmentDisplay.from_estimator(fitted, X, X_tgt, **wrong)


def to_frame(rows):
    return pd.DataFrame(rows, columns=["left", "right"])


class TestHistory:
    def test_columns_are_those_of_the_history(self, fitted):
        display = HistoryDisplay.from_estimator(fitted)
        assert_array_equal(display.epochs, [1, 2, 3])
        for name in ("label_loss", "domain_loss", "domain_accuracy", "lambda", "lr"):
            assert_allclose(display.columns[name], fitted.history_[:, name])
            assert any(
                np.array_equal(line.get_ydata(), display.columns[name])
                for ax in display.ax_.flat
                for line in ax.lines
            )

    def test_without_a_target_there_is_no_domain_loss(self, small, domains):
        X, y, _ = domains
        display = HistoryDisplay.from_estimator(small(lambda_max=0).fit(X, y))
        assert np.isnan(display.columns["domain_loss"]).all()
        assert np.isfinite(display.columns["label_loss"]).all()

    def test_another_loss_is_drawn_under_its_name(self, fitted):
        history = [
            {
                **epoch,
                "class_confusion_loss": -0.1 * i,
                "train_loss": 9,
                "valid_loss": 9,
            }
            for i, epoch in enumerate(fitted.history_)
        ]
        del history[1]["class_confusion_loss"]
        display = HistoryDisplay.from_history(history)
        losses = display.ax_[0, 0]
        drawn = {line.get_label(): line for line in losses.lines}
        assert list(drawn)[:-1] == ["label loss", "domain loss", "class confusion loss"]
        assert list(drawn)[-1] == "domain loss at chance"
        assert_array_equal(drawn["class confusion loss"].get_ydata(), [0, np.nan, -0.2])
        assert losses.get_ylim()[0] < -0.2
        colors = [line.get_color() for line in drawn.values()]
        assert colors[:2] == ["tab:blue", "tab:orange"]
        assert len(set(colors)) == 4

    def test_of_pipelines_and_searches(self, pipeline, search):
        for wrapped, last in (
            (pipeline, pipeline[-1]),
            (search, search.best_estimator_),
        ):
            display = HistoryDisplay.from_estimator(wrapped)
            assert len(display.epochs) == last.n_iter_

    def test_not_fitted(self, small):
        with pytest.raises(NotFittedError):
            HistoryDisplay.from_estimator(small())

    def test_a_single_axes_is_divided(self, fitted):
        figure, (left, _) = plt.subplots(1, 2)
        display = HistoryDisplay.from_estimator(fitted, ax=left)
        assert display.figure_ is figure
        assert display.ax_.shape == (2, 2)
        edge = left.get_position().x1
        assert all(ax.get_position().x1 <= edge + 1e-6 for ax in display.ax_.flat)

    @pytest.mark.parametrize("layout", [None, "constrained"])
    def test_axes_that_no_grid_placed_are_divided(self, fitted, layout):
        fig, _ = plt.subplots(layout=layout)
        ax = fig.add_axes((0.1, 0.2, 0.3, 0.6))
        display = HistoryDisplay.from_estimator(fitted, ax=ax)
        fig.canvas.draw()
        panels = np.array([panel.get_position().extents for panel in display.ax_.flat])
        assert_allclose(panels[:, :2].min(axis=0), [0.1, 0.2])
        assert_allclose(panels[:, 2:].max(axis=0), [0.4, 0.8])
        first, second, third, _ = panels
        assert first[2] < second[0]  # side by side
        assert third[3] < first[1]  # one below the other

    def test_a_display_can_be_plotted_again(self, fitted):
        display = HistoryDisplay.from_estimator(fitted)
        figure, axes = plt.subplots(4)
        assert display.plot(axes).figure_ is figure

    def test_too_few_axes(self, fitted):
        with pytest.raises(ValueError, match=r"3 Axes, but 4 are drawn on"):
            HistoryDisplay.from_estimator(fitted, ax=plt.subplots(3)[1])


class TestSearch:
    def test_scores_are_the_means_of_the_table(self, search):
        display = SearchDisplay.from_estimator(search)
        for name in ("infomax", "neg_dev", "source_accuracy", "ensemble_agreement"):
            expected = search.cv_results_[f"mean_test_{name}"]
            assert_array_equal(display.scores[name], expected)
        assert "score" not in display.scores  # it repeats what was chosen by
        assert len(display.ax_) == len(display.scores)

    def test_the_chosen_candidate_bears_the_star(self, search):
        display = SearchDisplay.from_estimator(search, scores=["infomax"])
        star = display.ax_[0].collections[-1].get_offsets()[0]
        params = search.best_params_
        score = search.cv_results_["mean_test_infomax"][search.best_index_]
        assert_allclose(star, [[0, 0.3, 1].index(params["lambda_max"]), score])

    def test_candidates_that_lost_the_source_are_hollow(self, search):
        table = dict(search.cv_results_)
        accuracy = np.full(len(table["params"]), 0.9)
        accuracy[1] = 0.8
        table["mean_test_source_accuracy"] = accuracy
        display = SearchDisplay.from_cv_results(table, source_tolerance=0.05)
        assert_array_equal(np.flatnonzero(display.is_guarded), [1])
        hollow = [
            points
            for points in display.ax_[0].collections
            if len(points.get_facecolors()) == 0 and len(points.get_offsets())
        ]
        assert sum(len(points.get_offsets()) for points in hollow) == 1

    def test_panels_say_in_words_what_is_better(self, search):
        display = SearchDisplay.from_estimator(search)
        titles = [ax.get_title() for ax in display.ax_]
        assert "minus deep embedded risk\n(neg_dev)" in titles
        assert not any("_" in title.split("\n")[0] for title in titles)
        assert [ax.get_ylabel() for ax in display.ax_[:2]] == ["better →", ""]

    def test_the_legend_fills_the_place_that_is_left(self, search):
        scores = ["infomax", "neg_dev", "neg_iwv", "neg_entropy", "nuclear_norm"]
        display = SearchDisplay.from_estimator(search, scores=scores)
        assert all(ax.get_legend() is None for ax in display.ax_)
        assert "chosen" in texts_of_legend(display.figure_.axes[5])

    def test_of_scikit_learns_search_over_a_pipeline(self, pipeline, domains):
        X, y, X_tgt = domains
        params = {"dannclassifier__lambda_max": [0, 1]}
        search = GridSearchCV(pipeline, params, cv=2).fit(X, y, X_tgt=X_tgt)
        display = SearchDisplay.from_estimator(search)
        assert list(display.scores) == ["score"]
        assert display.hue is None
        assert [t.get_text() for t in display.ax_[0].get_xticklabels()] == ["0", "1"]

    def test_any_parameter_can_be_an_axis(self, small, domains):
        grid = {"hidden_layer_sizes": [(4,), (8, 8)], "lambda_max": [0, 1]}
        search = DANNGridSearchCV(small(), grid, cv=2).fit(*domains)
        display = SearchDisplay.from_estimator(
            search, x="hidden_layer_sizes", hue="lambda_max"
        )
        labels = [t.get_text() for t in display.ax_[0].get_xticklabels()]
        assert labels == ["(4,)", "(8, 8)"]

    def test_many_values_make_a_scale(self, small, domains):
        rng = np.random.default_rng(0)
        values = {"lambda_max": [0, *rng.uniform(0.1, 3, 13)]}
        search = DANNRandomizedSearchCV(
            small(), values, n_iter=14, cv=2, random_state=0
        ).fit(*domains)
        display = SearchDisplay.from_estimator(search, scores=["infomax"])
        assert display.ax_[0].get_xscale() == "symlog"

    def test_what_was_not_searched(self, search):
        with pytest.raises(ValueError, match=r"'dropout' was not searched.*lambda_max"):
            SearchDisplay.from_estimator(search, x="dropout")
        with pytest.raises(ValueError, match=r"no score \['accuracy'\]; it has"):
            SearchDisplay.from_estimator(search, scores=["accuracy"])

    def test_not_fitted(self, small, grid):
        with pytest.raises(NotFittedError):
            SearchDisplay.from_estimator(DANNGridSearchCV(small(), grid))


class TestDomainBoundary:
    def test_the_plane_is_what_the_estimator_predicts(self, fitted, domains):
        X, y, X_tgt = domains
        display = DomainBoundaryDisplay.from_estimator(
            fitted, X, X_tgt, y_src=y, grid_resolution=7
        )
        row = [[display.xx0[2, 5], display.xx1[2, 5]]]
        assert_allclose(display.probabilities[2, 5], fitted.predict_proba(row)[0])
        assert_allclose(display.domains[2, 5], fitted.predict_domain(row)[0])
        both = np.concatenate([X, X_tgt])
        assert display.xx0.min() == both[:, 0].min() - 0.5
        assert display.xx1.max() == both[:, 1].max() + 0.5

    def test_raw_rows_go_through_the_pipeline(self, pipeline, domains):
        X, _, X_tgt = domains
        display = DomainBoundaryDisplay.from_estimator(
            pipeline, X, X_tgt, grid_resolution=5
        )
        row = [[display.xx0[1, 3], display.xx1[1, 3]]]
        assert_allclose(display.probabilities[1, 3], pipeline.predict_proba(row)[0])

    def test_sparse_rows_are_drawn(self, fitted, domains):
        X, _, X_tgt = domains
        expected = DomainBoundaryDisplay.from_estimator(
            fitted, X, X_tgt, grid_resolution=5
        )
        display = DomainBoundaryDisplay.from_estimator(
            fitted, *map(sparse.csr_array, (X, X_tgt)), grid_resolution=5
        )
        assert_array_equal(display.X_src, expected.X_src)
        assert_allclose(display.domains, expected.domains)

    def test_columns_keep_their_names(self, small, domains, recwarn):
        X, y, X_tgt = domains
        X, X_tgt = to_frame(X), to_frame(X_tgt)
        clf = small().fit(X, y, X_tgt)
        DomainBoundaryDisplay.from_estimator(clf, X, X_tgt, grid_resolution=5)
        assert not [w for w in recwarn if "feature names" in str(w.message)]

    def test_three_columns(self, small, domains):
        X, y, X_tgt = domains
        X, X_tgt = (np.c_[rows, rows[:, 0]] for rows in (X, X_tgt))
        with pytest.raises(ValueError, match="a plane needs 2"):
            DomainBoundaryDisplay.from_estimator(small().fit(X, y, X_tgt), X, X_tgt)

    def test_fitted_without_a_target(self, small, domains):
        X, y, X_tgt = domains
        clf = small(lambda_max=0).fit(X, y)
        with pytest.raises(ValueError, match="fitted without X_tgt"):
            DomainBoundaryDisplay.from_estimator(clf, X, X_tgt)

    def test_many_classes(self, small):
        rng = np.random.default_rng(0)
        X = rng.uniform(size=(240, 2))
        y = (12 * X[:, 0]).astype(int)
        clf = small().fit(X, y, X + 0.1)
        display = DomainBoundaryDisplay.from_estimator(clf, X, X + 0.1, y_src=y)
        assert display.probabilities.shape[2] == 12
