"""Stop a training that no longer improves, and put its best epoch back."""

import math
from collections.abc import Callable

import torch
from skorch.callbacks import Callback

from ._state import map_leaves

# Half-way the paper's lambda has reached .99 of its peak: before, the network that is
# scored is not yet the one that is trained for.
RAMPED = 0.5

# The least that counts as an improvement, as in scikit-learn's MLPClassifier.
TOLERANCE = 1e-4

# An epoch that knows the source worse than the best by this much of accuracy, or of R2,
# is not a good one, whatever its score: the same guard as of the searches.
SOURCE_TOLERANCE = 0.05


class EarlyStopping(Callback):
    """Score each epoch; from half-way on, keep the best and wait for a better one.

    Not a subclass of skorch's: that stops by raising KeyboardInterrupt, which can't be
    told from Ctrl-C, counts epochs before the ramp, and of a network in a stack would
    copy the weights of all.

    Parameters
    ----------
    score : callable
        Called with the net and the domains after each epoch; returns a score, the
        higher the better, and the accuracy, or R2, on held-out source rows.
    patience : int
        Epochs without an improvement after which training stops.
    column : str, default="validation_accuracy"
        Of the latter in the history.

    Attributes
    ----------
    best : dict or None
        ``n_epochs``, ``score``, ``accuracy`` and ``module``, the weights, of the best
        epoch so far. Set at once: an interrupt finds the old one or the new one.
    start : int
        Epochs of earlier calls, on data that may be others.
    """

    def __init__(
        self, score: Callable, patience: int, column: str = "validation_accuracy"
    ):
        self.score = score
        self.patience = patience
        self.column = column
        self.best: dict | None = None
        self.start = 0
        self.is_resumed = False

    def resume(self, best: dict | None, start: int) -> None:
        """Go on where a checkpoint was written."""
        self.best, self.start, self.is_resumed = best, start, True

    def on_train_begin(self, net, **kwargs):
        if not self.is_resumed:
            self.best, self.start = None, len(net.history)
        self.is_resumed = False

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        score, accuracy = self.score(net, dataset_train)
        row, n_epochs = net.history[-1], len(net.history)
        is_best = net.progress > RAMPED and self._is_best(net.history, score, accuracy)
        if is_best:
            weights = dict(net.module_.state_dict())
            self.best = {
                "n_epochs": n_epochs,
                "score": score,
                "accuracy": accuracy,
                "module": map_leaves(weights, torch.Tensor, torch.clone),
            }
        row["validation_score"], row[self.column] = score, accuracy
        row["validation_score_best"] = (
            is_best  # last: so an epoch is known to be scored
        )
        if self.best and n_epochs - self.best["n_epochs"] >= self.patience:
            net.stop()

    def _is_best(self, history, score, accuracy):
        if not math.isfinite(score):
            return False
        if self.best is None:
            return True  # the first after the ramp, to have one to return to
        rows = history[self.start :]
        known = [row[self.column] for row in rows if self.column in row]
        least = max(accuracy, *known) - SOURCE_TOLERANCE
        is_better = score > self.best["score"] + TOLERANCE
        return accuracy >= least and (is_better or self.best["accuracy"] < least)

    def on_train_end(self, net, **kwargs):
        # after Ctrl-C the last whole epoch stays; a user's callback may stop as well
        if not (net.is_over or net.callbacks):
            return
        if self.best is not None:
            net.module_.load_state_dict(self.best["module"])
        elif net.progress > RAMPED:
            raise ValueError(
                "early_stopping found no best epoch: scoring returned no finite number "
                "after any of the second half of the training, at last "
                f"{net.history[-1]['validation_score']}."
            )
