"""Before the first step on a device: what it computes is compared with autograd."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..nn._dann import DANN
from ..nn._mlp import Dropout
from ._batches import Batch
from ._cuda_graph import CudaGraph
from ._dense_step import DenseStep
from ._epoch_means import EpochMeans
from ._objective import Objective

# By how much gradients may differ, as a share of the largest.
TOLERANCES = {torch.float32: 1e-3, torch.float64: 1e-8}


def capture_or_replace(
    step: DenseStep, by_autograd: "AutogradStep", batch: Batch, grad: Tensor
) -> "DenseStep | AutogradStep":
    """Return a step as a graph; or autograd, if it fails or computes something else.

    Parameters
    ----------
    step : DenseStep
        On a device; its calls are replaced by a graph of them.
    by_autograd : AutogradStep
        That leaves gradients in the same place.
    batch : Batch
        The first.
    grad : Tensor of shape (n_values,)
        Where both leave them.
    """
    try:
        step.calls = [CudaGraph(step.calls, grad.device)]
        gradients = try_step(step, by_autograd, batch, grad)
    except RuntimeError:
        return by_autograd
    expected = try_step(by_autograd, by_autograd, batch, grad)
    return step if are_alike(gradients, expected) else by_autograd


def are_alike(gradients: Tensor, expected: Tensor) -> bool:
    """Whether gradients differ by rounding alone."""
    bound = TOLERANCES[expected.dtype] * expected.abs().max()
    return bool((gradients - expected).abs().max() <= bound)


def try_step(
    step: "DenseStep | AutogradStep",
    by_autograd: "AutogradStep",
    batch: Batch,
    grad: Tensor,
) -> Tensor:
    """Return a copy of the gradients that a step leaves, without consequences.

    Each term has its full weight, also the adversary, who begins a training with none.
    """
    networks, objective = by_autograd.networks, by_autograd.objective
    optional = [name for name, term in objective.terms.items() if term.is_optional]
    with _same_masks(networks, grad.device):
        step.restart(EpochMeans(), 1)
        step.compute_gradients(
            batch, [1.0] * len(networks), [dict.fromkeys(optional, 1.0)] * len(networks)
        )
    return grad.clone()


@contextmanager
def _same_masks(networks, device):
    """Have all networks draw the same masks each time, from generators for once."""
    before = [(layer, layer.generator) for n in networks for layer in _dropouts(n)]
    try:
        for network in networks:
            generator = torch.Generator(device).manual_seed(0)
            for layer in _dropouts(network):
                layer.generator = generator
        yield
    finally:
        for layer, generator in before:
            layer.generator = generator


def _dropouts(network):
    return [layer for layer in network.modules() if isinstance(layer, Dropout)]


class AutogradStep:
    """Does what a :class:`DenseStep` does by autograd, network after network.

    Parameters
    ----------
    networks : sequence of DANN
        Of one architecture; ensembles count as one.
    lanes : sequence of int
        For each, which of the rows of a batch it sees.
    objective : Objective
        What is descended on.
    weights : list of list of Parameter
        Of each network, what is trained.
    grads : list of Tensor of shape (n_networks, ...)
        Where their gradients go, in the same order.
    step : DenseStep
        Whose log it writes.
    """

    def __init__(
        self,
        networks: Sequence[DANN],
        lanes: Sequence[int],
        objective: Objective,
        weights: Sequence[Sequence[nn.Parameter]],
        grads: list[Tensor],
        step: DenseStep,
    ):
        self.networks = networks
        self.lanes = lanes
        self.objective = objective
        self.weights = weights
        self.grads = grads
        self.log = step.log
        self.n_each = step.n_each

    def restart(self, means: EpochMeans, n_steps: int) -> None:
        """Begin an epoch of so many steps, whose losses go to ``means``."""
        self.log.restart(means)

    def compute_gradients(
        self,
        batch: Batch,
        lambdas: list[float],
        weights: list[dict[str, float]],
    ) -> None:
        """Compute the gradients of a batch; as of :class:`DenseStep`."""
        states = [_states(network) for network in self.networks]
        for i, network in enumerate(self.networks):
            for generator, state in states[i]:  # neighbors that share one draw as one
                generator.set_state(state)
            network.set_lambdas([lambdas[i]])
            self._compute_one(i, _batch_of(batch, i, self.lanes[i]), weights[i])
        self.log.add(batch, weights)

    def _compute_one(self, i, batch, weights):
        outputs = self.objective.outputs(self.networks[i], batch)
        losses = self.objective.losses(outputs, batch)
        total = self.objective.total(losses, weights).sum()
        found = torch.autograd.grad(total, self.weights[i])
        for grad, values in zip(self.grads, found, strict=True):
            grad[i].copy_(values)
        of_network = slice(i * self.n_each, (i + 1) * self.n_each)
        logits = outputs.label_logits, outputs.domain_logits
        for place, values in zip(self.log.logits, logits, strict=False):
            place[of_network].copy_(values.detach())


def _states(network):
    """Return the generators that a network draws from, and their states."""
    generators = {id(d.generator): d.generator for d in _dropouts(network)}
    return [(g, g.get_state()) for g in generators.values() if g is not None]


def _batch_of(batch, i, lane):
    """Return what the i-th network of a stack sees of a batch."""
    if not isinstance(batch.X, tuple):
        return batch
    names = "y", "label_weight", "domain", "domain_weight", "group"
    columns = {name: getattr(batch, name) for name in names}
    own = {name: None if x is None else x[i] for name, x in columns.items()}
    return replace(batch, X=batch.X[lane], **own)
