"""Stop a training that no longer improves, and put its best epoch back."""

from collections.abc import Callable

import torch

from .._io._container import map_leaves

# Half-way the paper's lambda has reached .99 of its peak: before, the network that is
# scored is not yet the one that is trained for.
RAMPED = 0.5

# The least that counts as an improvement, as in scikit-learn's MLPClassifier.
TOLERANCE = 1e-4

# An epoch that knows the source worse than the best by this much is not a good one,
# whatever its score: the same guard as of the searches.
SOURCE_TOLERANCE = 0.05


class EarlyStopping:
    """Score each epoch; from half-way on, keep the best and wait for a better one.

    Parameters
    ----------
    score : callable
        Called with the net and the domains after each epoch; returns a score, the
        higher the better, and the accuracy on held-out source rows.
    patience : int
        Epochs without an improvement after which training stops.
    start : int, default=0
        Epochs of earlier calls, on data that may be others.
    """

    def __init__(self, score: Callable, patience: int, start: int = 0):
        self.score = score
        self.patience = patience
        self.start = start
        self.best: dict | None = None

    def after_epoch(self, net, domains) -> bool:
        """Record the scores in the history; return whether to stop."""
        score, accuracy = self.score(net, domains)
        row, n_epochs = net.history[-1], len(net.history)
        is_best = net.progress > RAMPED and self._is_best(net.history, score, accuracy)
        row["validation_score"], row["validation_accuracy"] = score, accuracy
        row["validation_score_best"] = is_best
        if is_best:
            weights = dict(net.module_.state_dict())
            self.best = {
                "n_epochs": n_epochs,
                "score": score,
                "accuracy": accuracy,
                "module": map_leaves(weights, torch.Tensor, torch.clone),
            }
        return bool(self.best) and n_epochs - self.best["n_epochs"] >= self.patience

    def _is_best(self, history, score, accuracy):
        if self.best is None:
            return True  # the first after the ramp, to have one to return to
        known = [row.get("validation_accuracy", 0) for row in history[self.start :]]
        least = max(accuracy, *known) - SOURCE_TOLERANCE
        is_better = score > self.best["score"] + TOLERANCE
        return accuracy >= least and (is_better or self.best["accuracy"] < least)

    def at_end(self, net) -> None:
        """Put the weights of the best epoch back."""
        if self.best is not None:
            net.module_.load_state_dict(self.best["module"])
