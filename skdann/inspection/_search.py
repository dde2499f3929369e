"""Scores of the candidates of a search against their parameters."""

import math
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_step
from .._typing import Array, Estimator
from ._axes import class_colors, make_panels, place_legend

# The value of a parameter that a candidate does not have, as simple models have none.
LACKING = "none"

# With more different values than this the axis is a scale, not a list of values.
_MAX_PLACES = 12

# What the scores of the searches measure; others bear the name of their column.
_IN_WORDS = {
    "infomax": "information maximization",
    "nuclear_norm": "nuclear norm of predictions",
    "neg_entropy": "minus entropy of predictions",
    "neg_iwv": "minus importance-weighted risk",
    "neg_dev": "minus deep embedded risk",
    "neg_devn": "minus deep embedded risk, normalized",
    "source_accuracy": "accuracy on held-out source rows",
    "source_r2": "R2 on held-out source rows",
    "ensemble_agreement": "agreement with all candidates",
    "log_posterior": "log posterior, by kappa with the others",
    "reverse_validation": "reverse validation",
}


class SearchDisplay:
    """Every score of every candidate against lambda, a color for each learning rate.

    Make it with :meth:`from_estimator` or :meth:`from_cv_results`.

    How to read it: of every score higher is better. Scores of different kinds that rise
    at the same candidates agree, and can be trusted more than one that stands alone.
    The candidate that was chosen is marked by a star in each panel. Candidates that
    lost too much source accuracy to be chosen are hollow.

    Parameters
    ----------
    x, hue : ndarray of shape (n_candidates,)
        Values of the two parameters; ``hue`` is None if there is one parameter.
    scores : dict of str to ndarray of shape (n_candidates,)
        Means over folds.
    names : (str, str)
        Of the two parameters.
    chosen : int or None
        Position of the candidate that was chosen.
    is_guarded : ndarray of bool of shape (n_candidates,), default=None
        Candidates that could not be chosen.

    Attributes
    ----------
    ax_ : ndarray of Axes
        Once plotted, one for each score.
    figure_ : Figure
        Once plotted.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> from skdann.inspection import SearchDisplay
    >>> from skdann.model_selection import DANNGridSearchCV
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> grid = {"lambda_max": [0, 0.3, 1], "lr": [1e-3, 1e-2]}
    >>> clf = DANNClassifier(n_estimators=1, max_epochs=5, random_state=0)
    >>> search = DANNGridSearchCV(clf, grid, cv=2).fit(X, y, X_tgt)
    >>> display = SearchDisplay.from_estimator(search)
    >>> "infomax" in display.scores
    True
    """

    def __init__(
        self,
        *,
        x: Array,
        hue: Array,
        scores: dict[str, Array],
        names: tuple[str, str],
        chosen: int | None = None,
        is_guarded: Array | None = None,
    ) -> None:
        self.x = x
        self.hue = hue
        self.scores = scores
        self.names = names
        self.chosen = chosen
        self.is_guarded = is_guarded

    @classmethod
    def from_estimator(
        cls,
        search: Estimator,
        *,
        x: str = "lambda_max",
        hue: str = "lr",
        scores: list[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw a fitted search.

        Parameters
        ----------
        search : fitted search, or Pipeline that ends in one
            Of :mod:`skdann.model_selection` or scikit-learn's, with ``cv_results_``.
        x, hue : str, default="lambda_max" and "lr"
            Parameters for the horizontal axis and the colors; the name of the step of
            a Pipeline may be left out. A ``hue`` that was not searched is ignored.
        scores : list of str or None, default=None
            Which; None is all.
        ax : Axes, array of Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : SearchDisplay
            Plotted.
        """
        search = last_step(search)
        if not hasattr(search, "cv_results_"):
            if hasattr(search, "fit"):
                check_is_fitted(search)
            raise ValueError(
                "SearchDisplay draws the cv_results_ of a search, but "
                f"{type(search).__name__} has none. A table of your own: "
                "SearchDisplay.from_cv_results."
            )
        return cls.from_cv_results(
            search.cv_results_,
            chosen=getattr(search, "best_index_", None),
            source_tolerance=getattr(search, "source_tolerance", None),
            x=x,
            hue=hue,
            scores=scores,
            ax=ax,
        )

    @classmethod
    def from_cv_results(
        cls,
        cv_results: dict[str, Any],
        *,
        chosen: int | None = None,
        source_tolerance: float | None = None,
        x: str = "lambda_max",
        hue: str = "lr",
        scores: list[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the table of a search.

        Parameters
        ----------
        cv_results : dict of str to array
            As ``cv_results_``; one that was stored will do.
        chosen : int or None, default=None
            Position of the candidate to mark.
        source_tolerance : float or None, default=None
            As in :class:`~skdann.model_selection.DANNGridSearchCV`.
        x, hue : str, default="lambda_max" and "lr"
            As in :meth:`from_estimator`.
        scores : list of str or None, default=None
            Which; None is all.
        ax : Axes, array of Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : SearchDisplay
            Plotted.
        """
        found = _scores_of(cv_results)
        unknown = set(scores or ()) - set(found)
        if unknown:
            raise ValueError(
                f"The search has no score {sorted(unknown)}; it has {sorted(found)}."
            )
        values = _values_of(cv_results, x)
        if values is None:
            searched = [
                k[len("param_") :] for k in cv_results if k.startswith("param_")
            ]
            raise ValueError(
                f"x={x!r} was not searched; choose from {sorted(searched)}."
            )
        is_guarded = None
        if source_tolerance is not None and "source_accuracy" in found:
            accuracy = found["source_accuracy"]
            is_guarded = ~(accuracy >= np.nanmax(accuracy) - source_tolerance)
        return cls(
            x=values,
            hue=_values_of(cv_results, hue),
            scores=found if scores is None else {name: found[name] for name in scores},
            names=(x, hue),
            chosen=chosen,
            is_guarded=is_guarded,
        ).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw a panel for each score.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            Where to draw: None makes a figure, one Axes is divided, an array has rows
            of three Axes, or of as many as there are scores, if these are fewer.

        Returns
        -------
        self : SearchDisplay
            With ``ax_`` and ``figure_``.
        """
        n_columns = min(3, len(self.scores))
        n_rows = math.ceil(len(self.scores) / n_columns)
        self.figure_, axes = make_panels(ax, n_rows, n_columns, size=(3.7, 2.9))
        self.ax_, unused = np.split(axes.ravel(), [len(self.scores)])
        for panel in unused:
            panel.set_axis_off()
        places, ticks = _place(self.x)
        for panel, (name, score) in zip(self.ax_, self.scores.items(), strict=True):
            self._draw(panel, places, score)
            panel.set_title(_title(name), fontsize="medium")
            panel.set_xlabel(self.names[0])
            panel.ticklabel_format(axis="y", useOffset=False)
            if ticks is None:
                panel.set_xscale("symlog", linthresh=_smallest(self.x))
            else:
                panel.set_xticks(range(len(ticks)), ticks)
        for panel in axes[:, 0]:
            panel.set_ylabel("better →")  # turned, the arrow points up
        if len(unused):
            drawn = self.ax_[0].get_legend_handles_labels()
            unused[0].legend(*drawn, loc="center", frameon=False)
        else:
            place_legend(axes[0, -1])
        return self

    def _draw(self, ax, places, score):
        hollow = np.zeros(len(score), dtype=bool)
        if self.is_guarded is not None:
            hollow = self.is_guarded
        groups = np.zeros(len(score)) if self.hue is None else self.hue
        values = _sorted_values(groups)
        for value, color in zip(values, class_colors(len(values)), strict=True):
            own = np.array([group == value for group in groups]) & np.isfinite(score)
            label = None if self.hue is None else f"{self.names[1]} = {_text(value)}"
            across = np.unique(places[own])
            means = [np.nanmean(score[own & (places == place)]) for place in across]
            ax.plot(across, means, color=color, linewidth=1, label=label)
            ax.scatter(places[own & ~hollow], score[own & ~hollow], color=color, s=22)
            ax.scatter(
                places[own & hollow],
                score[own & hollow],
                edgecolors=color,
                facecolors="none",
                s=22,
            )
        if self.chosen is not None:
            ax.scatter(
                places[self.chosen],
                score[self.chosen],
                marker="*",
                s=190,
                facecolors="gold",
                edgecolors="black",
                zorder=3,
                label="chosen",
            )


def _title(name):
    """Return what a score measures and, below it, the name of its column."""
    if name not in _IN_WORDS:
        return name.replace("_", " ")
    return f"{_IN_WORDS[name]}\n({name})"


def _scores_of(cv_results):
    """Return the mean test scores by name, each once."""
    prefix = "mean_test_"
    found = {
        key.removeprefix(prefix): np.asarray(value, dtype=float)
        for key, value in cv_results.items()
        if key.startswith(prefix)
    }
    for name in list(found):  # "score" repeats what was chosen by
        same = [n for n in found if np.array_equal(found[n], found[name], True)]
        if name == "score" and len(same) > 1:
            del found[name]
    return found


def _values_of(cv_results, parameter):
    """Return the values of a parameter, or None if it was not searched."""
    for key, values in cv_results.items():
        name = key.removeprefix("param_")
        if key != name and name.split("__")[-1] == parameter.split("__")[-1]:
            lacking = np.ma.getmaskarray(values)
            known = np.ma.getdata(values).astype(object)
            return np.where(lacking, LACKING, known)
    return None


def _sorted_values(values):
    unique = []
    for value in values:
        if value not in unique:
            unique.append(value)
    try:
        return sorted(unique)
    except TypeError:  # of several kinds
        return unique


def _place(values):
    """Return where to draw each value and, if each has a place, its tick labels."""
    unique = _sorted_values(values)
    numbers = all(isinstance(v, int | float | np.number) for v in unique)
    if numbers and len(unique) > _MAX_PLACES:
        return values.astype(float), None
    places = np.array([unique.index(value) for value in values])
    return places, [_text(value) for value in unique]


def _smallest(values):
    """Return the smallest value that is not 0, where the scale becomes linear."""
    return min(abs(float(v)) for v in values if v != 0)


def _text(value):
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    return getattr(value, "__name__", str(value))
