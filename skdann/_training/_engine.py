"""An engine takes one step of training; the first leaves derivatives to autograd."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import torch

from ..nn._dann import DANN, PARTS
from ..nn._mlp import Dropout
from ..schedules import ScaledSchedule
from ._batches import Batch
from ._epoch_means import EpochMeans, Step
from ._objective import Objective
from ._own_rows import OwnRows, add_up_gradients
from ._state import copy_of_weights, restore_weights


class Schedules(NamedTuple):
    """What training follows, as functions of its progress.

    Attributes
    ----------
    lambda_, lr : ScaledSchedule
        Strength of the adversary, and learning rate.
    weights : tuple of (str, ScaledSchedule)
        Weights of optional loss terms, by name.
    """

    lambda_: ScaledSchedule
    lr: ScaledSchedule
    weights: tuple[tuple[str, ScaledSchedule], ...] = ()

    def slowed(self, factor: float) -> "Schedules":
        """Return the same with another peak of the learning rate."""
        return self._replace(lr=replace(self.lr, peak=self.lr.peak * factor))


class Engine(Protocol):
    """Takes steps of training a network, or a stack of networks.

    ``begin`` gives the objective to descend on, and the schedules; then come epochs,
    each of them steps between ``begin_epoch`` and ``finish_epoch``, and ``end``.

    Attributes
    ----------
    reads_rows_at_once : bool
        Whether the rows of a batch are of no use after its step.
    reads_sparse_rows : bool
        Whether sparse rows are to stay so.
    """

    reads_rows_at_once: bool
    reads_sparse_rows: bool

    @staticmethod
    def unsupported(
        network: DANN,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        are_rows_sparse: bool = False,
    ) -> str | None:
        """Say in a sentence why this engine can't train it; None if it can."""

    def begin(self, objective: Objective, schedules: Sequence[Schedules]) -> None:
        """Take the objective, and schedules: one, or one for each network."""

    def begin_epoch(self, n_steps: int) -> None:
        """Take weights and moments as they are now, for an epoch of so many steps."""

    def step(self, batch: Batch, progress: Sequence[float]) -> None:
        """Take a step at a progress in [0, 1]: one, or one for each network."""

    def finish_epoch(self) -> EpochMeans:
        """Return the losses of the epoch."""

    def hand_out(self, i: int) -> None:
        """Bring the i-th network, and its optimizer, to where training stands."""

    def end(self) -> None:
        """Bring all of them there, with memory of their own."""

    def snapshot(self) -> object:
        """Return a copy of all that steps change: weights, and optimizer's state."""

    def go_back(self, snapshot: object) -> None:
        """Return to a copy, made by this engine in this training."""


class ScheduledEngine:
    """What engines have in common: they follow schedules, and record losses."""

    reads_rows_at_once = False
    reads_sparse_rows = False

    def begin(self, objective: Objective, schedules: Sequence[Schedules]) -> None:
        """Take the objective, and schedules: one, or one for each network."""
        self.objective = objective
        self.schedules = schedules
        self.lrs: list[float] | None = None

    def begin_epoch(self, n_steps: int) -> None:
        """Begin to record the losses of an epoch of so many steps."""
        self.n_steps = n_steps
        self.means = EpochMeans()

    def finish_epoch(self) -> EpochMeans:
        """Return the losses of the epoch."""
        return self.means

    def hand_out(self, i: int) -> None:
        """Do nothing: whoever looks at a network finds what is trained."""

    def end(self) -> None:
        """Do nothing, likewise."""

    def follow(self, progress: Sequence[float]) -> None:
        """Set lambda, learning rate and weights of loss terms for the next step."""
        schedules = list(zip(self.schedules, progress, strict=True))
        self.lambdas = [s.lambda_(p) for s, p in schedules]
        lrs = [s.lr(p) for s, p in schedules]
        if lrs != self.lrs:  # a constant one is left to skorch's schedulers
            self.lrs = lrs
            for i, group in self._param_groups():
                group["lr"] = lrs[i]
        self.weights = [
            {name: weight(p) for name, weight in s.weights} for s, p in schedules
        ]


class AutogradEngine(ScheduledEngine):
    """Any network and any optimizer, by torch's autograd.

    Parameters
    ----------
    network : DANN
        One network, or a stack of networks.
    optimizer : torch.optim.Optimizer
        Of its weights. A group of weights of a stack tells by ``"network"`` the first
        network that it is of.
    """

    def __init__(self, network: DANN, optimizer: torch.optim.Optimizer):
        self.network = network
        self.optimizer = optimizer
        self.own: OwnRows | None = None

    @staticmethod
    def unsupported(
        network: DANN,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        are_rows_sparse: bool = False,
    ) -> str | None:
        """Return None: autograd trains whatever torch can compute."""
        return None

    def step(self, batch: Batch, progress: Sequence[float]) -> None:
        """Take a step at a progress in [0, 1]: one, or one for each network."""
        self.follow(progress)
        self.optimizer.zero_grad()
        self.backward(batch)
        self.optimizer.step()

    def follow(self, progress: Sequence[float]) -> None:
        """Set lambda, learning rate and weights of loss terms for the next step."""
        super().follow(progress)
        self.network.set_lambdas(self.lambdas)

    def backward(self, batch: Batch) -> dict:
        """Compute gradients, record losses, and return loss and logits for skorch."""
        if batch.own is not self.own:
            self._share_masks(batch.own)
        outputs = self.objective.outputs(self.network, batch)
        losses = self.objective.losses(outputs, batch)
        total = self.objective.total(losses, self._weights_of_terms())
        # no weight is in the losses of two networks: the gradient of the sum is that
        # of each
        loss = total.sum() if total.ndim else total
        loss.backward()
        if batch.own is not None:
            add_up_gradients(batch.own.ranks, list(self.network.parameters()))
        known = {name: value.detach() for name, value in losses.items()}
        known["train"] = total.detach()
        if self.network.n_estimators is not None:
            known = {name: value.mean(-1) for name, value in known.items()}
        logits = outputs.domain_logits
        self.means.add(Step(known, None if logits is None else logits.detach()), batch)
        return {"loss": loss, "y_pred": outputs.label_logits}

    def _share_masks(self, own):
        """Have layers draw the masks of all rows, and use those of this rank's."""
        self.own = own
        for name in PARTS:
            rows = None
            if own is not None:
                n_rows = own.count(name, self.objective.reads_all_labels)
                rows = own.places_of(n_rows), n_rows
            for layer in getattr(self.network, name).modules():
                if isinstance(layer, Dropout):
                    layer.rows = rows

    def end(self) -> None:
        """Have layers draw the masks of the rows that they get."""
        self._share_masks(None)

    def snapshot(self) -> dict:
        """Return a copy of weights and of the state of the optimizer."""
        return copy_of_weights(self.network, self.optimizer)

    def go_back(self, snapshot: dict) -> None:
        """Return to a copy, of this network or of one built alike."""
        restore_weights(self.network, self.optimizer, snapshot)

    def _param_groups(self):
        groups = self.optimizer.param_groups
        return [(group.get("network", 0), group) for group in groups]

    def _weights_of_terms(self):
        """Return the weights of optional terms: numbers, or a column of the stack."""
        network, first = self.network, self.weights[0]
        if not network.n_stack_axes:
            return first
        shape = (-1,) + (1,) * (network.n_network_axes - network.n_stack_axes)
        return {
            name: network.like.new_tensor([w[name] for w in self.weights]).view(shape)
            for name in first
        }
