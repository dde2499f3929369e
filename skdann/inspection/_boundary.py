"""Class and domain boundaries of a network, for data of two columns."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import Interval

from .._containers._tables import as_frame_like, check_names, column_names, read_rows
from .._data._rows import take_rows
from .._data._targets import UNLABELLED, encode_known_labels
from .._typing import Array, Estimator, MatrixLike, VectorLike, validate_params
from ..metrics._fitted import reading, unwrap
from ._axes import SOURCE, TARGET, class_colors, make_panels
from ._fitted import check_attributes

_INSTEAD = "Borders of others: sklearn.inspection.DecisionBoundaryDisplay."


class DomainBoundaryDisplay:
    """Borders between the classes and between the domains, for data of two columns.

    Make it with :meth:`from_estimator`.

    How to read it: on the left each region has the color of the class that is predicted
    there. On the right the plane is blue where the domain classifier takes a row for
    the source, orange where for the target, and white where it is undecided: the whiter
    the regions that hold data, the better the features hide the domain.

    Parameters
    ----------
    xx0, xx1 : ndarray of shape (n, n)
        Coordinates of the grid.
    probabilities : ndarray of shape (n, n, n_classes)
        Of each class.
    domains : ndarray of shape (n, n)
        Predicted probability of the target.
    labels : ndarray of shape (n_classes,)
        The classes.
    X_src, X_tgt : ndarray of shape (n_samples, 2)
        Rows of each domain.
    y_src, y_tgt : array-like of shape (n_samples,) or None
        Their labels, for colors; rows without a label are marked as for ``fit``.

    Attributes
    ----------
    ax_ : ndarray of Axes of shape (2,)
        Once plotted: classes and domains.
    figure_ : Figure
        Once plotted.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> from skdann.inspection import DomainBoundaryDisplay
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> clf = DANNClassifier(n_estimators=1, max_epochs=20, random_state=0)
    >>> clf = clf.fit(X, y, X_tgt)
    >>> display = DomainBoundaryDisplay.from_estimator(clf, X, X_tgt, y_src=y)
    >>> display.domains.shape
    (150, 150)
    """

    def __init__(
        self,
        *,
        xx0: Array,
        xx1: Array,
        probabilities: Array,
        domains: Array,
        labels: Array,
        X_src: MatrixLike,
        X_tgt: MatrixLike,
        y_src: VectorLike,
        y_tgt: VectorLike,
    ) -> None:
        self.xx0 = xx0
        self.xx1 = xx1
        self.probabilities = probabilities
        self.domains = domains
        self.labels = labels
        self.X_src = X_src
        self.X_tgt = X_tgt
        self.y_src = y_src
        self.y_tgt = y_tgt

    @classmethod
    @validate_params(
        {
            "grid_resolution": [Interval(Integral, 2, None, closed="left")],
            "eps": [Interval(Real, 0, None, closed="left")],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator: Estimator,
        X_src: MatrixLike,
        X_tgt: MatrixLike,
        *,
        y_src: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        grid_resolution: int = 150,
        eps: float = 0.5,
        ax: Any = None,
    ) -> Self:
        """Draw the borders of a fitted estimator.

        Parameters
        ----------
        estimator : fitted DANNClassifier, Pipeline or search
            Fitted with a target, on two columns.
        X_src, X_tgt : array-like of shape (n, 2)
            Rows of each domain, raw.
        y_src, y_tgt : array-like of shape (n,), default=None
            Their labels, for the colors of the points alone. Rows of the source
            without are black, of the target gray.
        grid_resolution : int, default=150
            Points of the grid along each axis.
        eps : float, default=0.5
            Margin around the data.
        ax : Axes, array of 2 Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : DomainBoundaryDisplay
            Plotted.
        """
        check_attributes(estimator, cls, ["predict_proba", "predict_domain"], _INSTEAD)
        both = (X_src, "X_src"), (X_tgt, "X_tgt")
        check_names(*(column_names(*named) for named in both), "X_src", "X_tgt")
        raw = X_src
        X_src, X_tgt = (take_rows(read_rows(X, name), slice(None)) for X, name in both)
        if X_src.shape[1] != 2 or X_tgt.shape[1] != 2:
            raise ValueError(
                f"X_src has {X_src.shape[1]} columns and X_tgt {X_tgt.shape[1]}; a "
                "plane needs 2 of each. For more use AlignmentDisplay."
            )
        both = np.concatenate([X_src, X_tgt])
        axes = np.linspace(
            both.min(axis=0) - eps, both.max(axis=0) + eps, grid_resolution
        )
        xx0, xx1 = np.meshgrid(*axes.T)
        plane = np.stack([xx0.ravel(), xx1.ravel()], axis=1)
        preprocessing, last = unwrap(reading(estimator, "target"))
        grid = preprocessing.transform(as_frame_like(raw, plane))
        return cls(
            xx0=xx0,
            xx1=xx1,
            probabilities=last.predict_proba(grid).reshape(*xx0.shape, -1),
            domains=last.predict_domain(grid).reshape(xx0.shape),
            labels=last.classes_,
            X_src=X_src,
            X_tgt=X_tgt,
            y_src=y_src,
            y_tgt=y_tgt,
        ).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw both panels.

        Parameters
        ----------
        ax : Axes, array of 2 Axes or None, default=None
            Where to draw: None makes a figure, one Axes is divided.

        Returns
        -------
        self : DomainBoundaryDisplay
            With ``ax_`` and ``figure_``.
        """
        from matplotlib.colors import LinearSegmentedColormap, ListedColormap

        self.figure_, axes = make_panels(ax, 1, 2, size=(4.4, 3.6))
        self.ax_ = axes[0]
        left, right = self.ax_
        colors = class_colors(len(self.labels))
        classes = self.probabilities.argmax(axis=2)
        top = len(self.labels) - 1
        self._fill(left, classes, ListedColormap(colors), alpha=0.3, top=top)
        for position in range(top + 1):
            others = np.delete(self.probabilities, position, axis=2).max(axis=2)
            self._line(left, self.probabilities[..., position] - others, 0)
        domains = LinearSegmentedColormap.from_list("", [SOURCE, "white", TARGET])
        shown = self._fill(right, self.domains, domains, alpha=0.8, top=1)
        self._line(right, self.domains, 0.5)
        self.figure_.colorbar(shown, ax=right, label="probability of the target")
        for panel, title in ((left, "Classes"), (right, "Domains")):
            self._draw_rows(panel, colors)
            panel.set(title=title, xticks=[], yticks=[])
        left.legend(frameon=True, fontsize="small", loc="best")
        return self

    def _fill(self, ax, values, cmap, *, alpha, top):
        return ax.pcolormesh(
            self.xx0,
            self.xx1,
            values,
            cmap=cmap,
            alpha=alpha,
            vmin=0,
            vmax=top,
            shading="nearest",
            linewidth=0,
            rasterized=True,
        )

    def _line(self, ax, values, level):
        if values.min() < level < values.max():
            ax.contour(
                self.xx0, self.xx1, values, [level], colors="black", linewidths=1
            )

    def _draw_rows(self, ax, colors):
        from matplotlib.colors import to_hex

        domains = (
            ("source", "o", self.X_src, self.y_src, "black", "y_src"),
            ("target", "x", self.X_tgt, self.y_tgt, "0.35", "y_tgt"),
        )
        for name, marker, X, y, plain, of_labels in domains:
            color = np.full(len(X), plain, dtype=object)
            if y is not None:
                codes = encode_known_labels(y, X, self.labels, of_labels)
                is_class = (codes != UNLABELLED) & (codes < len(self.labels))
                color[is_class] = [to_hex(colors[code]) for code in codes[is_class]]
            ax.scatter(*X.T, c=color, marker=marker, s=9, linewidths=0.8)
            ax.scatter([], [], c=plain, marker=marker, s=16, label=name)
