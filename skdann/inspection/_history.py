"""Training curves: losses, domain accuracy, lambda and learning rate by epoch."""

import itertools
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._typing import Array, Estimator
from ._axes import SOURCE, TARGET, make_panels
from ._fitted import unwrap

# Loss of a domain classifier that answers one half to everything.
CHANCE_LOSS = float(np.log(2))

# Always there; other losses join them.
_COLUMNS = ("label_loss", "domain_loss", "domain_accuracy", "lambda", "lr")

# Sums that skorch records of itself: the terms tell more.
_NOT_TERMS = ("train_loss", "valid_loss")

_LOSS_COLORS = {"label_loss": SOURCE, "domain_loss": TARGET}
_MORE_LOSS_COLORS = ("tab:purple", "tab:brown", "tab:pink", "tab:olive", "tab:cyan")


class HistoryDisplay:
    """Losses, domain accuracy, lambda and learning rate against epochs.

    Make it with :meth:`from_estimator` or :meth:`from_history`.

    How to read it: the label loss should fall. The domain accuracy tells how well the
    domain classifier knows the domains apart, 0.5 being chance. It should rise at
    first, while lambda is small, and fall towards one half as lambda grows. At one
    half from the first epoch on, the domains are alike or the domain classifier is too
    weak to see how they differ; near 1 to the end, the features are not aligned. That
    it ends at one half is no proof of alignment: the features may only deceive this
    domain classifier, see :func:`skdann.metrics.proxy_a_distance`.

    Parameters
    ----------
    epochs : ndarray of shape (n_epochs,)
        From 1.
    columns : dict of str to ndarray of shape (n_epochs,)
        ``label_loss``, ``domain_loss``, ``domain_accuracy``, ``lambda``, ``lr``, and
        every other loss that the history has. Those of the domains are NaN where there
        was no target.

    Attributes
    ----------
    ax_ : ndarray of Axes of shape (2, 2)
        Once plotted.
    figure_ : Figure
        Once plotted.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> from skdann.inspection import HistoryDisplay
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> clf = DANNClassifier(max_epochs=10, random_state=0).fit(X, y, X_tgt)
    >>> display = HistoryDisplay.from_estimator(clf)
    >>> display.ax_.shape
    (2, 2)
    """

    def __init__(self, *, epochs: Array, columns: dict[str, Array]) -> None:
        self.epochs = epochs
        self.columns = columns

    @classmethod
    def from_estimator(cls, estimator: Estimator, *, ax: Any = None) -> Self:
        """Draw the history of a fitted estimator.

        Parameters
        ----------
        estimator : fitted DANNClassifier, Pipeline or search
            Has ``history_``, or ends in what has.
        ax : Axes, array of 4 Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : HistoryDisplay
            Plotted.
        """
        _, last = unwrap(estimator)
        check_is_fitted(last, "history_")
        return cls.from_history(last.history_, ax=ax)

    @classmethod
    def from_history(cls, history: list[dict[str, Any]], *, ax: Any = None) -> Self:
        """Draw a history.

        Parameters
        ----------
        history : list of dict
            One for each epoch, as :class:`skdann.DANNClassifier` keeps in
            ``history_``.
        ax : Axes, array of 4 Axes or None, default=None
            Where to draw.

        Returns
        -------
        display : HistoryDisplay
            Plotted.
        """
        columns = {
            name: np.array([epoch.get(name, np.nan) for epoch in history], dtype=float)
            for name in (*_COLUMNS, *_other_losses(history))
        }
        epochs = np.arange(1, len(columns["lr"]) + 1)
        return cls(epochs=epochs, columns=columns).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : Axes, array of 4 Axes or None, default=None
            Where to draw: None makes a figure, one Axes is divided.

        Returns
        -------
        self : HistoryDisplay
            With ``ax_`` and ``figure_``.
        """
        self.figure_, self.ax_ = make_panels(ax, 2, 2, size=(4.2, 2.8))
        losses, accuracy, lambda_, lr = self.ax_.flat
        self._draw_losses(losses)
        if np.isfinite(self.columns["domain_loss"]).any():
            _mark_chance(losses, CHANCE_LOSS, "domain loss at chance")
        losses.legend(frameon=False, fontsize="small")
        self._draw(accuracy, "domain_accuracy", TARGET)
        _mark_chance(accuracy, 0.5, "chance")
        accuracy.set(title="Accuracy of the domain classifier", ylim=(0.35, 1.02))
        accuracy.legend(frameon=False, fontsize="small")
        self._draw(lambda_, "lambda", "tab:green")
        highest = self.columns["lambda"].max() or 1
        lambda_.set(title="Lambda", xlabel="epoch", ylim=(0, 1.05 * highest))
        self._draw(lr, "lr", "tab:red")
        lr.set(title="Learning rate", xlabel="epoch", ylim=(0, None))
        return self

    def _draw_losses(self, ax):
        """Draw each loss under its name; it needs no entry here to be drawn."""
        more_colors = itertools.cycle(_MORE_LOSS_COLORS)
        names = list(filter(_is_loss, self.columns))
        for name in names:
            color = _LOSS_COLORS.get(name) or next(more_colors)
            self._draw(ax, name, color, label=name.replace("_", " "))
        ax.set(title="Losses")
        if not any((self.columns[name] < 0).any() for name in names):
            ax.set(ylim=(0, None))  # a term such as minus an entropy goes below

    def _draw(self, ax, name, color, **kwargs):
        marker = "o" if len(self.epochs) == 1 else None  # one epoch is no line
        ax.plot(self.epochs, self.columns[name], color=color, marker=marker, **kwargs)


def _is_loss(name):
    return name.endswith("_loss") and name not in _NOT_TERMS


def _other_losses(history):
    """Return the names of further losses, in the order of their first appearance."""
    names = dict.fromkeys(name for epoch in history for name in epoch)
    return [name for name in names if _is_loss(name) and name not in _COLUMNS]


def _mark_chance(ax, value, label):
    ax.axhline(value, color="0.5", linestyle="--", linewidth=0.8, label=label)
