"""Stop a training that no longer improves, and put its best epoch back."""

from collections.abc import Callable

import skorch.callbacks
import torch
from skorch.utils import noop

from ._state import map_leaves

# Half-way the paper's lambda has reached .99 of its peak: before, the network that is
# scored is not yet the one that is trained for.
RAMPED = 0.5

# The least that counts as an improvement, as in scikit-learn's MLPClassifier.
TOLERANCE = 1e-4

# An epoch that knows the source worse than the best by this much is not a good one,
# whatever its score: the same guard as of the searches.
SOURCE_TOLERANCE = 0.05


class EarlyStopping(skorch.callbacks.EarlyStopping):
    """Score each epoch; from half-way on, keep the best and wait for a better one.

    Parameters
    ----------
    score : callable
        Called with the net and the domains after each epoch; returns a score, the
        higher the better, and the accuracy on held-out source rows.
    patience : int
        Epochs without an improvement after which training stops.
    """

    def __init__(self, score: Callable, patience: int):
        super().__init__(
            monitor="validation_score",
            patience=patience,
            threshold=TOLERANCE,
            threshold_mode="abs",
            lower_is_better=False,
            sink=noop,
        )
        self.score = score
        self.is_resumed = False

    def on_train_begin(self, net, **kwargs):
        if self.is_resumed:
            self.is_resumed = False
            return
        super().on_train_begin(net, **kwargs)
        self.best_accuracy_, self.best_weights_ = None, None
        self.start_ = len(net.history)  # epochs before were on data that may be others

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        row = net.history[-1]
        score, accuracy = self.score(net, dataset_train)
        known = [r.get("validation_accuracy", 0) for r in net.history[self.start_ : -1]]
        self.accuracy_ = accuracy
        self.least_ = max(accuracy, *known, 0) - SOURCE_TOLERANCE
        row["validation_score"], row["validation_accuracy"] = score, accuracy
        row["validation_score_best"] = False
        if net.progress <= RAMPED:
            return
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt:
            if self.misses_ < self.patience:  # it was Ctrl-C
                raise
            net.stop()
        if self.best_epoch_ == row["epoch"]:
            row["validation_score_best"] = True
            self.best_score_, self.best_accuracy_ = score, accuracy
            # not skorch's deepcopy: of a slice it would copy the weights of all nets
            weights = dict(net.module_.state_dict())
            self.best_weights_ = map_leaves(weights, torch.Tensor, torch.clone)

    def _is_score_improved(self, score):
        if self.best_weights_ is None:
            return True  # the first after the ramp, to have one to return to
        is_better = super()._is_score_improved(score)
        return self.accuracy_ >= self.least_ and (
            is_better or self.best_accuracy_ < self.least_
        )

    def on_train_end(self, net, **kwargs):
        if net.is_over and self.best_weights_ is not None:
            net.module_.load_state_dict(self.best_weights_)

    def best(self) -> dict | None:
        """Return the best epoch so far, for a checkpoint."""
        if self.best_weights_ is None:
            return None
        return {
            "n_epochs": self.best_epoch_,
            "score": self.best_score_,
            "accuracy": self.best_accuracy_,
            "module": self.best_weights_,
        }

    def resume(self, best: dict | None, start: int, n_epochs: int) -> None:
        """Go on where a checkpoint was written.

        Parameters
        ----------
        best : dict or None
            From :meth:`best`.
        start : int
            Epochs before the training that was interrupted.
        n_epochs : int
            Epochs trained, those included.
        """
        super().on_train_begin(None)
        self.start_, self.is_resumed = start, True
        self.best_accuracy_, self.best_weights_ = None, None
        if best is not None:
            self.best_epoch_ = best["n_epochs"]
            self.best_score_ = best["score"]
            self.dynamic_threshold_ = self._calc_new_threshold(self.best_score_)
            self.best_accuracy_, self.best_weights_ = best["accuracy"], best["module"]
            self.misses_ = n_epochs - self.best_epoch_
