"""Mean losses of an epoch, gathered without waiting for the device at each step."""

from collections import deque
from typing import NamedTuple

import torch
from torch import Tensor

from ._batches import Batch


class Step(NamedTuple):
    """What is known after a step, detached; the dots are the networks of a stack.

    Attributes
    ----------
    losses : dict of str to Tensor of shape (...)
        Each term by its name, without its weight, and "train": what was minimized. Of
        an ensemble the mean.
    domain_logits : Tensor of shape (..., n) or None
        Of the domain classifier before the step; (..., n_estimators, n) of ensembles;
        with an axis of groups behind if it tells these apart.
    """

    losses: dict[str, Tensor]
    domain_logits: Tensor | None


def share_told(logits: Tensor, domain: Tensor, weight: Tensor) -> Tensor:
    """Return the share of the rows, by their weight, whose domain the logits tell."""
    return (weight * ((logits > 0) == (domain > 0))).sum(-1)


def share_of_groups_told(logits: Tensor, group: Tensor, weight: Tensor) -> Tensor:
    """Return the share of the rows, by their weight, whose group the logits tell.

    A step may lack rows of a small group, so that the weights have another sum.
    """
    right = weight * (logits.argmax(-1) == group)
    return right.sum(-1) / weight.sum(-1)


class EpochMeans:
    """Mean losses over the steps of an epoch, gathered without a sync at each step.

    Of one network or of each in a stack.
    """

    # To stack them is cheaper than to add at each step. But what is held lies between
    # blocks that each step frees, and they don't fit again: memory grows until then.
    HELD_STEPS = 16

    def __init__(self):
        self.pending = deque()
        self.sums = 0.0
        self.n_steps = 0
        self.first = None

    def add(self, step: Step, batch: Batch):
        """Add what is known after a step on a batch."""
        self.pending.append((step, batch.domain, batch.group, batch.domain_weight))
        if len(self.pending) == self.HELD_STEPS:
            self._flush()

    def means(self) -> dict:
        """Return the mean of each loss, and with a target the domain accuracy.

        Numbers, or lists of numbers for a stack. It waits for the device.
        """
        self._flush()
        means = (self.sums / self.n_steps).tolist()
        return dict(zip(self.names, means, strict=True))

    def first_loss(self):
        """Return the loss of the first step: a number, or a list of numbers."""
        self._flush()
        return self.first.tolist()

    def add_steps(self, losses: dict[str, Tensor], right: Tensor | None) -> None:
        """Add what is known of several steps.

        Parameters
        ----------
        losses : dict of str to Tensor of shape (n_steps, ...)
            As of :class:`Step`.
        right : Tensor of shape (n_steps, ...) or None
            Share of the rows whose domain was told.
        """
        if self.first is None:
            self.first = losses["train"][0]
        if right is not None:
            losses = {**losses, "domain_accuracy": right}
        self.names = list(losses)
        self.n_steps += len(losses["train"])
        self.sums = self.sums + torch.stack(list(losses.values())).sum(1)

    def _flush(self):
        if not self.pending:
            return
        steps, domains, groups, weights = zip(*self.pending, strict=True)
        self.pending.clear()
        losses = {
            name: torch.stack([step.losses[name] for step in steps])
            for name in steps[0].losses
        }
        right = None
        if steps[0].domain_logits is not None:
            logits = torch.stack([step.domain_logits for step in steps])
            has_groups = groups[0] is not None
            share, truth = (
                (share_of_groups_told, groups) if has_groups else (share_told, domains)
            )
            right = share(logits, torch.stack(truth), torch.stack(weights))
            # of an ensemble the mean, as its losses are
            right = right.mean(-1) if right.ndim > losses["train"].ndim else right
        self.add_steps(losses, right)
