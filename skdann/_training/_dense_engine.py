"""An engine for networks of dense layers: derivatives by hand, no graph."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..nn._dann import DANN, PARTS
from ..nn._dense import plan_layers
from ..nn._ensemble import EnsembleDANN
from ..nn._loss_gradients import LABEL_GRADIENTS
from ._batches import Batch
from ._cuda_graph import can_capture
from ._dense_step import TERMS, DenseStep
from ._engine import ScheduledEngine, Schedules
from ._epoch_means import EpochMeans
from ._first_step import AutogradStep, capture_or_replace
from ._flat_weights import FlatWeights, unsupported_optimizer
from ._objective import Objective


class DenseEngine(ScheduledEngine):
    """Networks of dense layers, by derivatives that were worked out beforehand.

    Each array that a step needs is there before the step, see :mod:`skdann.nn._dense`.
    Losses are recorded by the functions of the objective, for several steps at once,
    from the logits that the steps leave. On a CUDA device gradients are computed by a
    graph, see :mod:`skdann._training._cuda_graph`, unless autograd finds others.

    Parameters
    ----------
    networks : sequence of DANN
        Of one architecture: one network, or those of a stack. Ensembles count as one.
    optimizers : sequence of Optimizer
        Of each.
    lanes : sequence of int or None, default=None
        For each network, which of the rows in ``Batch.X`` it sees. None: all see the
        same.
    are_rows_sparse : bool, default=False
        Whether rows could come as sparse matrices.
    """

    reads_rows_at_once = True

    def __init__(
        self,
        networks: Sequence[DANN],
        optimizers: Sequence[torch.optim.Optimizer],
        lanes: Sequence[int] | None = None,
        *,
        are_rows_sparse: bool = False,
    ):
        self.networks = networks
        self.optimizers = optimizers
        self.lanes = [0] * len(networks) if lanes is None else lanes
        self.reads_sparse_rows = are_rows_sparse and all(map(_keeps_sparse, networks))
        self.flat: FlatWeights | None = None
        self.descent: DenseStep | AutogradStep | None = None

    @staticmethod
    def unsupported(
        network: DANN,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        are_rows_sparse: bool = False,
    ) -> str | None:
        """Say in a sentence why this engine can't train it; None if it can."""
        known = objective.terms.keys() <= TERMS
        if not known or objective.label_loss not in LABEL_GRADIENTS:
            return "The derivative of a loss term is not known."
        of_parts = unsupported_network(network) or unsupported_optimizer(optimizer)
        if of_parts or not (are_rows_sparse and _keeps_sparse(network)):
            return of_parts
        is_on_cpu = next(network.parameters()).is_cpu
        return None if is_on_cpu else "Sparse rows are multiplied on the CPU alone."

    def begin(self, objective: Objective, schedules: Sequence[Schedules]) -> None:
        """Take the objective, and schedules: one, or one for each network."""
        super().begin(objective, schedules)
        if self.flat is None:
            self.flat = FlatWeights(
                [self._trained_weights(network) for network in self.networks],
                self.optimizers,
                has_columns_first=self.reads_sparse_rows,
            )
        self.flat.attach()

    def begin_epoch(self, n_steps: int) -> None:
        """Take weights and moments as they are now, for an epoch of so many steps."""
        super().begin_epoch(n_steps)
        self.flat.attach()
        if self.descent is not None:
            self.descent.restart(self.means, n_steps)

    def _trained_weights(self, network):
        """Return what a step changes: without a target, nothing of the domains."""
        parts = PARTS if self.objective.has_target else PARTS[:2]
        return [w for name in parts for w in getattr(network, name).parameters()]

    def step(self, batch: Batch, progress: Sequence[float]) -> None:
        """Take a step at a progress in [0, 1]: one, or one for each network."""
        self.follow(progress)
        if self.descent is None:
            self.descent = self._make_step(batch)
            self.descent.restart(self.means, self.n_steps)
        self.descent.compute_gradients(batch, self.lambdas, self.weights)
        if batch.own is not None:
            batch.own.ranks.add_up(self.flat.grad)
        self.flat.step()

    def _make_step(self, batch):
        """Return who computes gradients, of batches like this one."""
        flat = self.flat
        what = self.networks, self.lanes, self.objective
        grads = flat.split(flat.grad)
        step = DenseStep(*what, flat.split(flat.vector), grads, batch, self.n_steps)
        if not can_capture(flat.vector.device):
            return step
        by_autograd = AutogradStep(*what, flat.weights, grads, step)
        return capture_or_replace(step, by_autograd, batch, flat.grad)

    def finish_epoch(self) -> EpochMeans:
        """Return the losses of the epoch."""
        self.descent.log.flush()
        for network, lambda_ in zip(self.networks, self.lambdas, strict=True):
            network.set_lambdas([lambda_])
        return self.means

    def end(self) -> None:
        """Give the networks memory of their own again."""
        if self.flat is not None:
            self.flat.detach()
        self.flat = self.descent = None

    def _param_groups(self):
        return [
            (i, group)
            for i, optimizer in enumerate(self.optimizers)
            for group in optimizer.param_groups
        ]

    def snapshot(self) -> tuple[list[Tensor], list[float]]:
        """Return a copy of all that steps change: also the learning rates."""
        lrs = [group["lr"] for _, group in self._param_groups()]
        return self.flat.snapshot(), lrs

    def go_back(self, snapshot: tuple[list[Tensor], list[float]]) -> None:
        """Return to a copy, made in this training."""
        vectors, lrs = snapshot
        self.flat.go_back(vectors)
        for (_, group), lr in zip(self._param_groups(), lrs, strict=True):
            group["lr"] = lr
        self.lrs = None


def unsupported_network(network: DANN) -> str | None:
    """Say in a sentence why a network can't be trained here; None if it can."""
    if type(network) not in (DANN, EnsembleDANN):
        return f"A {type(network).__name__} may compute something else."
    for name in PARTS:
        if plan_layers(getattr(network, name)) is None:
            return f"The {name} is not of dense layers alone."
    weights = list(network.parameters())
    n_names = len(list(network.named_parameters(remove_duplicate=False)))
    if n_names != len(weights) or not all(w.requires_grad for w in weights):
        return "Some weights are tied, or are not trained."
    dtype, device = weights[0].dtype, weights[0].device
    has_kernels = device.type == "cpu" or can_capture(device)
    if dtype not in (torch.float32, torch.float64) or not has_kernels:
        return f"It computes in {dtype} on {device}."
    return "It has hooks." if has_hooks(network) else None


def _keeps_sparse(network):
    """Whether sparse rows of a network need not be standardized, which fills them."""
    return network.standardizer is None


def has_hooks(module):
    """Whether a module, or a part or a weight of it, has hooks."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    hooks += ("_backward_pre_hooks",)
    things = [*module.modules(), *module.parameters()]
    return any(getattr(thing, name, None) for thing in things for name in hooks)
