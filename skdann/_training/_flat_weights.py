"""Weights, gradients and moments of many layers as one vector each."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._runs import runs

# What torch's optimizers keep of each weight, beside a count of steps, and the kernel
# that takes a step of all. None of them looks at more than one value of a weight: so
# they can't tell the weights of one layer from those of all.
_ADAM = ("exp_avg", "exp_avg_sq")
_KERNELS = {
    torch.optim.Adam: torch._fused_adam_,
    torch.optim.AdamW: torch._fused_adamw_,
    torch.optim.SGD: torch._fused_sgd_,
}

# Variants, with the value for which the kernels are asked here.
_WITHOUT = {
    "amsgrad": False,
    "dampening": 0,
    "differentiable": False,
    "maximize": False,
    "nesterov": False,
}


def unsupported_optimizer(optimizer: torch.optim.Optimizer) -> str | None:
    """Say in a sentence why an optimizer's step can't be taken here."""
    kind = type(optimizer)
    if kind not in _KERNELS:
        return f"{kind.__name__} is none of {[k.__name__ for k in _KERNELS]}."
    if len(optimizer.param_groups) != 1:
        return "The optimizer has several groups of weights."
    [group] = optimizer.param_groups
    for name, value in _WITHOUT.items():
        if group.get(name, value) != value:
            return f"The optimizer has {name}={group[name]}."
    is_watched = "step" in vars(optimizer) or any(
        vars(optimizer).get(name)
        for name in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
    )
    return "Something watches the optimizer's steps." if is_watched else None


class Run(NamedTuple):
    """What one call of a kernel trains: the same rate, options and number of steps.

    Attributes
    ----------
    groups : list of dict
        Learning rate and options, of each of its networks.
    weights, grads : list of Tensor
        Slices of the vectors.
    moments : list of list of Tensor
        Likewise, of each moment.
    n_steps : list of Tensor
        For each slice the count, a tensor without an axis.
    """

    groups: list[dict]
    weights: list[Tensor]
    grads: list[Tensor]
    moments: list[list[Tensor]]
    n_steps: list[Tensor]


class FlatWeights:
    """Weights of networks of one architecture, with what an optimizer needs of them.

    A weight of all networks is one stretch of a vector, network after network. The
    networks' own weights, and what their optimizers keep, are views of it: whoever
    looks at a network, saves it or goes back finds what is trained.

    Parameters
    ----------
    weights : list of list of Parameter
        Of each network, in the same order.
    optimizers : list of Optimizer
        Of each network, of one class; see ``unsupported_optimizer``.
    has_columns_first : bool, default=False
        Whether the first weight lies with its last axis before the one in front of it,
        as products with sparse rows want it.
    """

    def __init__(
        self,
        weights: Sequence[Sequence[nn.Parameter]],
        optimizers: Sequence[torch.optim.Optimizer],
        *,
        has_columns_first: bool = False,
    ):
        self.weights = weights
        self.optimizers = optimizers
        self.has_columns_first = has_columns_first
        self.kernel = _KERNELS[type(optimizers[0])]
        self.keys_of = [_moments_of(optimizer) for optimizer in optimizers]
        first = weights[0]
        n_networks = len(weights)
        self.shapes = [(n_networks, *weight.shape) for weight in first]
        self.sizes = [n_networks * weight.numel() for weight in first]
        size = sum(self.sizes)
        zeros = first[0].detach().new_zeros
        self.vector, self.grad = zeros(size), zeros(size)
        self.moments = {key: zeros(size) for key in max(self.keys_of, key=len)}
        # float32 whatever the weights are, as torch keeps it
        self.n_steps = torch.zeros(n_networks, len(first), device=self.vector.device)
        self.runs: list[Run] = []
        self.places = self._make_places()

    def split(self, vector: Tensor) -> list[Tensor]:
        """Return the weights in a vector, each of shape (n_networks, ...)."""
        parts = vector.split(self.sizes)
        views = [p.view(shape) for p, shape in zip(parts, self.shapes, strict=True)]
        if self.has_columns_first:
            *networks, n_out, n_in = self.shapes[0]
            views[0] = parts[0].view(*networks, n_in, n_out).transpose(-2, -1)
        return views

    def _make_places(self):
        """Return each weight, with the views that it and its moments are to be."""
        vectors = {key: self.split(vector) for key, vector in self.moments.items()}
        places = []
        for j, values in enumerate(self.split(self.vector)):
            for i, optimizer in enumerate(self.optimizers):
                moments = {key: vectors[key][j][i] for key in self.keys_of[i]}
                if self.keys_of[i] == _ADAM:
                    moments = {"step": self.n_steps[i, j], **moments}
                places.append((self.weights[i][j], values[i], optimizer, moments))
        return places

    @torch.no_grad()
    def attach(self) -> None:
        """Make the weights and moments of the networks views of the vectors.

        What is a view already is left; somebody may have put others in its place.
        """
        for weight, view, optimizer, moments in self.places:
            if _is_elsewhere(weight, view):
                weight.data = view.copy_(weight)
            for key, place in moments.items():
                state = optimizer.state[weight]
                held = state.get(key)
                if held is None or _is_elsewhere(held, place):
                    state[key] = place.zero_() if held is None else place.copy_(held)
                    self.runs = []  # maybe of another number of steps

    @torch.no_grad()
    def detach(self) -> None:
        """Give the networks weights and moments of their own again."""
        for optimizer, weights in zip(self.optimizers, self.weights, strict=True):
            for weight in weights:
                weight.data = _own(weight.data)
                state = optimizer.state.get(weight, {})
                state |= {k: _own(v) for k, v in state.items() if _is_tensor(v)}

    def step(self) -> None:
        """Take the optimizers' steps along the gradients."""
        if not all(map(_has_one_rate, self.runs)) or not self.runs:
            self.runs = self._make_runs()
        self.n_steps += 1
        for (group, *_), weights, grads, moments, n_steps in self.runs:
            options = {k: group[k] for k in ("lr", "weight_decay", "maximize")}
            if self.kernel is torch._fused_sgd_:
                self.kernel(
                    weights,
                    grads,
                    *(moments if group["momentum"] else ([],)),
                    **options,
                    momentum=group["momentum"],
                    dampening=0,
                    nesterov=False,
                    is_first_step=False,
                )
            else:
                beta1, beta2 = group["betas"]
                self.kernel(
                    weights,
                    grads,
                    *moments,
                    [],
                    n_steps,
                    **options,
                    beta1=beta1,
                    beta2=beta2,
                    eps=group["eps"],
                    amsgrad=False,
                )

    def _make_runs(self):
        """Divide the vectors into what shares a rate, options and a number of steps."""
        groups = [optimizer.param_groups[0] for optimizer in self.optimizers]
        found = []
        for i, stop in runs([_options(group) for group in groups]):
            for j, end in runs(self.n_steps[i].tolist()):
                stretches = self._stretches(i, stop, j, end)
                vectors = self.vector, self.grad, *self.moments.values()
                w, g, *moments = ([v[of] for of in stretches] for v in vectors)
                counts = [self.n_steps[i, j]] * len(w)
                found.append(Run(groups[i:stop], w, g, moments, counts))
        return found

    def _stretches(self, i, stop, j, end):
        """Return where weights j to end of networks i to stop are in the vectors."""
        starts = [0, *itertools.accumulate(self.sizes)]
        n_networks = len(self.optimizers)
        if stop - i == n_networks:  # they are neighbors
            return [slice(starts[j], starts[end])]
        of_each = [size // n_networks for size in self.sizes]
        return [
            slice(starts[k] + i * of_each[k], starts[k] + stop * of_each[k])
            for k in range(j, end)
        ]

    def snapshot(self) -> list[Tensor]:
        """Return a copy of all that steps change."""
        return [v.clone() for v in self._changing()]

    def go_back(self, snapshot: list[Tensor]) -> None:
        """Return to a copy."""
        for vector, values in zip(self._changing(), snapshot, strict=True):
            vector.copy_(values)

    def _changing(self):
        return [self.vector, *self.moments.values(), self.n_steps]


def _moments_of(optimizer):
    """Return the names of what it keeps of each weight, beside a count of steps."""
    [group] = optimizer.param_groups
    if "betas" in group:
        return _ADAM
    return ("momentum_buffer",) if group["momentum"] else ()


def _is_elsewhere(tensor, view):
    return tensor.data_ptr() != view.data_ptr()


def _own(view):
    return view.clone(memory_format=torch.contiguous_format)


def _is_tensor(value):
    return isinstance(value, Tensor)


def _has_one_rate(run):
    """Whether schedules have not parted since the run was made."""
    lr = run.groups[0]["lr"]
    return all(group["lr"] == lr for group in run.groups)


def _options(group):
    """Return what networks of a run share."""
    return {k: v for k, v in group.items() if k != "params"}
