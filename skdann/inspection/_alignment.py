"""Both domains in two dimensions, before and after adapting."""

from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from .._containers._labels import read_known_labels
from .._containers._tables import as_indexable, check_names, column_names, read_rows
from .._typing import (
    Array,
    Estimator,
    MatrixLike,
    RandomState,
    VectorLike,
    validate_params,
)
from ._axes import SOURCE, TARGET, class_colors, make_panels, place_legend
from ._fitted import (
    check_attributes,
    features,
    known_or_predicted,
    network_input,
    of_each_domain,
    some_rows,
)

_INSTEAD = "Features of others: AlignmentDisplay.from_features."

# More colors are no legend.
MOST_CLASSES = 12

_PROJECTION = {
    "method": [StrOptions({"pca", "tsne"})],
    "max_samples": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


class AlignmentDisplay:
    """Rows of source and target as points in the plane, by domain and by class.

    Of a regressor, by domain and by the number that it predicts.

    Make it with :meth:`from_estimator` or :meth:`from_features`.

    How to read it: above, the two colors should lie apart on the left and be mixed on
    the right. Below, the classes should stay apart on the right, and crosses of the
    target lie among dots of the same class. A plane does not show everything that a
    domain classifier sees: domains that look mixed may still be told apart.

    Parameters
    ----------
    projections : dict of str to ndarray of shape (n, 2)
        Points of each column of panels, by its title; source rows first.
    is_target : ndarray of bool of shape (n,)
        Of each point.
    labels : ndarray of shape (n,) or None
        Class, or number, of each point; None draws the domains alone.

    Attributes
    ----------
    ax_ : ndarray of Axes of shape (1 or 2, n_columns)
        Once plotted: the domains above, the classes below.
    figure_ : Figure
        Once plotted.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> from skdann.inspection import AlignmentDisplay
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> clf = DANNClassifier(max_epochs=20, random_state=0).fit(X, y, X_tgt)
    >>> display = AlignmentDisplay.from_estimator(clf, X, X_tgt, y_src=y)
    >>> list(display.projections), display.ax_.shape
    (['Input', 'Features'], (2, 2))
    """

    def __init__(
        self,
        *,
        projections: dict[str, Array],
        is_target: Array,
        labels: Array | None = None,
    ) -> None:
        self.projections = projections
        self.is_target = is_target
        self.labels = labels

    @classmethod
    @validate_params(_PROJECTION, prefer_skip_nested_validation=True)
    def from_estimator(
        cls,
        estimator: Estimator,
        X_src: MatrixLike,
        X_tgt: MatrixLike,
        *,
        y_src: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        before: Estimator | None = None,
        method: Literal["pca", "tsne"] = "pca",
        max_samples: int = 1000,
        random_state: RandomState = None,
        ax: Any = None,
    ) -> Self:
        """Draw both domains in the features of a fitted estimator.

        Parameters
        ----------
        estimator : fitted DANNClassifier, DANNRegressor, Pipeline or search
            With ``transform`` and ``predict``.
        X_src, X_tgt : array-like or sparse matrix of shape (n, n_features)
            Rows of each domain, raw.
        y_src, y_tgt : array-like of shape (n,), default=None
            Their labels, for the colors alone. Where there is none, or none is known,
            what the estimator predicts is taken.
        before : fitted estimator or None, default=None
            Whose features to draw on the left, for example of the same estimator with
            ``lambda_max=0``. None draws the rows as the network gets them.
        method : {"pca", "tsne"}, default="pca"
            How the plane is found: "pca" shows the two directions of the largest
            variance, fast and without distortion; "tsne" shows which rows are near each
            other, and distances between groups mean nothing.
        max_samples : int, default=1000
            Most rows of each domain, drawn at random.
        random_state : int, RandomState or None, default=None
            Decides which rows are drawn, and t-SNE.
        ax : Axes, array of 4 Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : AlignmentDisplay
            Plotted.
        """
        for model in (estimator,) if before is None else (estimator, before):
            check_attributes(model, cls, ["transform", "predict"], _INSTEAD)
        rng = check_random_state(random_state)
        whole = as_indexable(X_src, "X_src"), as_indexable(X_tgt, "X_tgt")
        rows = [some_rows(X, max_samples, rng) for X in whole]
        X = list(map(_safe_indexing, whole, rows))
        models = of_each_domain(estimator)
        labels = [
            known_or_predicted(models[0], whole[0], y_src, rows[0], "y_src"),
            known_or_predicted(models[1], whole[1], y_tgt, rows[1], "y_tgt"),
        ]
        if before is None:
            views = {"Input": [network_input(estimator, rows) for rows in X]}
        else:
            views = {"Features, before": features(before, X)}
        name = "Features" if before is None else "Features, after"
        views[name] = features(estimator, X)
        return cls.from_views(views, labels, method=method, random_state=rng).plot(ax)

    @classmethod
    @validate_params(_PROJECTION, prefer_skip_nested_validation=True)
    def from_features(
        cls,
        features_src: MatrixLike,
        features_tgt: MatrixLike,
        *,
        y_src: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        method: Literal["pca", "tsne"] = "pca",
        max_samples: int = 1000,
        random_state: RandomState = None,
        ax: Any = None,
    ) -> Self:
        """Draw features that were computed elsewhere.

        Parameters
        ----------
        features_src, features_tgt : array-like of shape (n, n_features)
            Of each domain.
        y_src, y_tgt : array-like of shape (n,), default=None
            Labels, or what was predicted. If one is None, classes are not drawn.
        method : {"pca", "tsne"}, default="pca"
            As in :meth:`from_estimator`.
        max_samples : int, default=1000
            Most rows of each domain, drawn at random.
        random_state : int, RandomState or None, default=None
            Decides which rows are drawn, and t-SNE.
        ax : Axes, array of Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : AlignmentDisplay
            Plotted.
        """
        rng = check_random_state(random_state)
        names = "features_src", "features_tgt"
        both = features_src, features_tgt
        check_names(*map(column_names, both, names), *names)
        both = list(map(read_rows, both, names))
        rows = [some_rows(features, max_samples, rng) for features in both]
        view = list(map(_safe_indexing, both, rows))
        labels = None
        if y_src is not None and y_tgt is not None:
            labels = list(map(read_known_labels, (y_src, y_tgt), ("y_src", "y_tgt")))
            _check_lengths({"features": both}, labels)
            labels = list(map(_safe_indexing, labels, rows))
        return cls.from_views(
            {"Features": view}, labels, method=method, random_state=rng
        ).plot(ax)

    @classmethod
    def from_views(
        cls,
        views: dict[str, tuple[VectorLike, VectorLike]],
        labels: tuple[VectorLike, VectorLike] | None,
        *,
        method: Literal["pca", "tsne"] = "pca",
        random_state: RandomState = None,
    ) -> Self:
        """Compute a display of several representations, without drawing it.

        Parameters
        ----------
        views : dict of str to (array-like, array-like)
            Rows of source and target, by the title of their column.
        labels : (array-like, array-like) or None
            Classes of the rows of source and target.
        method : {"pca", "tsne"}, default="pca"
            As in :meth:`from_estimator`.
        random_state : int, RandomState or None, default=None
            Decides t-SNE.

        Returns
        -------
        display : AlignmentDisplay
            Not plotted.
        """
        read = {title: _read_view(view, title) for title, view in views.items()}
        if labels is not None:
            labels = list(map(read_known_labels, labels, ("y_src", "y_tgt")))
        n_rows = _check_lengths(read, labels)
        return cls(
            projections={
                title: _project(view, method, random_state)
                for title, view in read.items()
            },
            is_target=np.repeat([False, True], n_rows),
            labels=None if labels is None else np.concatenate(labels),
        )

    def plot(self, ax: Any = None) -> Self:
        """Draw the panels.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            Where to draw: None makes a figure, one Axes is divided, an array has one
            Axes for each panel.

        Returns
        -------
        self : AlignmentDisplay
            With ``ax_`` and ``figure_``.
        """
        n_rows = 1 if self.labels is None else 2
        self.figure_, self.ax_ = make_panels(ax, n_rows, len(self.projections))
        for title, points, column in zip(
            self.projections, self.projections.values(), self.ax_.T, strict=True
        ):
            column[0].set_title(title)
            self._draw_domains(column[0], points)
            if self.labels is not None:
                draw = self._draw_numbers if self._has_numbers else self._draw_classes
                draw(column[1], points)
            for panel in column:
                panel.set(xticks=[], yticks=[])
        by_y = "by number" if self._has_numbers else "by class"
        for row, name in zip(self.ax_, ("by domain", by_y), strict=False):
            row[0].set_ylabel(name)
            place_legend(row[-1])
        return self

    @property
    def _has_numbers(self):
        """Whether labels are numbers, of which a scale tells more than names."""
        has = self.labels is not None and self.labels.dtype.kind == "f"
        return has and len(np.unique(self.labels)) > MOST_CLASSES

    def _draw_domains(self, ax, points):
        # source and target in turn, so that neither hides the other
        shuffled = np.random.default_rng(0).permutation(len(points))
        color = np.where(self.is_target, TARGET, SOURCE)
        ax.scatter(*points[shuffled].T, c=color[shuffled], s=10, linewidths=0)
        for name, color in (("source", SOURCE), ("target", TARGET)):
            ax.scatter([], [], c=color, s=20, label=name)

    def _draw_classes(self, ax, points):
        classes = np.unique(self.labels)
        colors = class_colors(len(classes))
        for label, color in zip(classes, colors, strict=True):
            for of_target, marker in ((False, "."), (True, "x")):
                shown = (self.labels == label) & (self.is_target == of_target)
                ax.scatter(
                    *points[shown].T, color=color, marker=marker, s=18, linewidths=0.8
                )
            if len(classes) <= MOST_CLASSES:
                ax.scatter([], [], color=color, s=20, label=str(label))
        _explain_markers(ax)

    def _draw_numbers(self, ax, points):
        ends = {"vmin": self.labels.min(), "vmax": self.labels.max()}
        for of_target, marker in ((False, "."), (True, "x")):
            shown = self.is_target == of_target
            drawn = ax.scatter(
                *points[shown].T,
                c=self.labels[shown],
                marker=marker,
                s=18,
                linewidths=0.8,
                **ends,
            )
        if ax is self.ax_[-1, -1]:
            self.figure_.colorbar(drawn, ax=ax, location="bottom", fraction=0.06)
        _explain_markers(ax)


def _explain_markers(ax):
    for name, marker in (("source", "."), ("target", "x")):
        ax.scatter([], [], color="0.4", marker=marker, s=24, label=name)


def _read_view(view, title):
    """Return the rows of both domains as checked arrays or CSR matrices."""
    names = f"{title}, source", f"{title}, target"
    check_names(*map(column_names, view, names), *names)
    return list(map(read_rows, view, names))


def _check_lengths(views, labels):
    """Return how many rows the domains have; raise ValueError if views differ."""
    lengths = {title: tuple(x.shape[0] for x in view) for title, view in views.items()}
    if labels is not None:
        lengths["labels"] = tuple(map(len, labels))
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "Views and labels must be of the same rows; these have (rows of the source,"
            f" rows of the target): {lengths}."
        )
    return next(iter(lengths.values()))


def _project(view, method, random_state):
    """Return the rows of both domains, one after the other, in the plane."""
    dense = [x.toarray() if sparse.issparse(x) else np.asarray(x) for x in view]
    both = np.concatenate([x.reshape(len(x), -1) for x in dense], dtype=np.float64)
    if method == "tsne" and both.shape[1] > 2:
        perplexity = min(30, (len(both) - 1) / 3)
        tsne = TSNE(perplexity=perplexity, init="pca", random_state=random_state)
        return tsne.set_output(transform="default").fit_transform(both)
    n_components = min(2, *both.shape)
    pca = PCA(n_components, random_state=random_state)
    with np.errstate(invalid="ignore"):  # columns of one value have no variance
        points = pca.set_output(transform="default").fit_transform(both)
    return np.pad(points, [(0, 0), (0, 2 - n_components)])
