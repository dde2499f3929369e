"""An engine takes one step of training; the first leaves derivatives to autograd."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..nn._dann import DANN
from ..schedules import ScaledSchedule
from ._batches import Batch
from ._objective import Objective


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


class Step(NamedTuple):
    """What is known after a step, detached; the dots are the networks of a stack.

    Attributes
    ----------
    losses : dict of str to Tensor of shape (...)
        Each term by its name, without its weight, and "train": what was minimized. Of
        an ensemble the mean.
    domain_logits : Tensor of shape (..., n) or None
        Of the domain classifier before the step; (..., n_estimators, n) of ensembles.
    """

    losses: dict[str, Tensor]
    domain_logits: Tensor | None


class Engine(Protocol):
    """Takes steps of training a network, or a stack of networks.

    Made from a network and its optimizer; ``begin`` gives the objective to descend on,
    and the schedules.
    """

    network: DANN
    optimizer: torch.optim.Optimizer

    @staticmethod
    def unsupported(
        network: DANN, objective: Objective, optimizer: torch.optim.Optimizer
    ) -> str | None:
        """Say in a sentence why this engine can't train it; None if it can."""

    def begin(self, objective: Objective, schedules: Sequence[Schedules]) -> None:
        """Take the objective, and schedules: one, or one for each network."""

    def step(self, batch: Batch, progress: Sequence[float]) -> Step:
        """Take a step at a progress in [0, 1]: one, or one for each network."""

    def state_dict(self) -> dict:
        """Return weights and the state of the optimizer, not copied."""

    def load_state_dict(self, state: dict) -> None:
        """Go back to a state of this network, or of one built alike."""


class AutogradEngine:
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

    @staticmethod
    def unsupported(
        network: DANN, objective: Objective, optimizer: torch.optim.Optimizer
    ) -> str | None:
        """Return None: autograd trains whatever torch can compute."""
        return None

    def begin(self, objective: Objective, schedules: Sequence[Schedules]) -> None:
        """Take the objective, and schedules: one, or one for each network."""
        self.objective = objective
        self.schedules = schedules
        self.lrs: list[float] | None = None

    def step(self, batch: Batch, progress: Sequence[float]) -> Step:
        """Take a step at a progress in [0, 1]: one, or one for each network."""
        self.follow(progress)
        self.optimizer.zero_grad()
        step, _ = self.backward(batch)
        self.optimizer.step()
        return step

    def follow(self, progress: Sequence[float]) -> None:
        """Set lambda, learning rate and weights of loss terms for the next step."""
        schedules = list(zip(self.schedules, progress, strict=True))
        self.lambdas = [s.lambda_(p) for s, p in schedules]
        self.network.set_lambdas(self.lambdas)
        lrs = [s.lr(p) for s, p in schedules]
        if lrs != self.lrs:  # a constant one is left to skorch's schedulers
            self.lrs = lrs
            for group in self.optimizer.param_groups:
                group["lr"] = lrs[group.get("network", 0)]
        self.weights = self._weights(schedules)

    def backward(self, batch: Batch) -> tuple[Step, dict]:
        """Compute gradients; return what is known and, for skorch, loss and logits."""
        outputs = self.objective.outputs(self.network, batch)
        losses = self.objective.losses(outputs, batch)
        total = self.objective.total(losses, self.weights)
        # no weight is in the losses of two networks: the gradient of the sum is that
        # of each
        loss = total.sum() if total.ndim else total
        loss.backward()
        known = {name: value.detach() for name, value in losses.items()}
        known["train"] = total.detach()
        if self.network.n_estimators is not None:
            known = {name: value.mean(-1) for name, value in known.items()}
        logits = outputs.domain_logits
        step = Step(known, None if logits is None else logits.detach())
        return step, {"loss": loss, "y_pred": outputs.label_logits}

    def state_dict(self) -> dict:
        """Return weights and the state of the optimizer, not copied."""
        return {
            "module": dict(self.network.state_dict()),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        """Go back to a state of this network, or of one built alike."""
        self.network.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _weights(self, schedules):
        """Return the weights of optional terms: numbers, or a column of the stack."""
        first, p = schedules[0]
        if not first.weights:
            return {}
        if not self.network.n_stack_axes:
            return {name: schedule(p) for name, schedule in first.weights}
        values = [{name: w(p) for name, w in s.weights} for s, p in schedules]
        network = self.network
        shape = (-1,) + (1,) * (network.n_network_axes - network.n_stack_axes)
        return {
            name: network.like.new_tensor([w[name] for w in values]).view(shape)
            for name, _ in first.weights
        }
