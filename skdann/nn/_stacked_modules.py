"""Several networks of one architecture as one, their weights along a first axis."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ._dann import DANN
from ._ensemble import EnsembleDANN, EnsembleLinear, linear_of_networks
from ._mlp import ACTIVATIONS, Dropout, draw_int16, keep_mask
from ._standardizer import Domain, Standardizer


def stack_modules(modules: Sequence[nn.Module]) -> nn.Module:
    """Return one module that maps x[i] as ``modules[i]`` does.

    Linear layers become batched products; whatever is not known here goes through
    ``torch.vmap``.

    Parameters
    ----------
    modules : sequence of nn.Module
        Of the same architecture. Their weights become slices of the stack's, until
        :func:`release` gives one its own again.

    Returns
    -------
    nn.Module
        Made of :class:`Stacked` parts, :class:`StackedDropout` and activations.
    """
    kind = type(modules[0])
    if kind is DANN or kind is EnsembleDANN:
        return StackedDANN(modules)
    if kind is nn.Sequential:
        return nn.Sequential(*map(stack_modules, zip(*modules, strict=True)))
    if kind is nn.Linear or kind is EnsembleLinear:
        return StackedLinear(modules)
    if kind is Dropout:
        return StackedDropout(modules)
    if kind in ACTIVATIONS.values():
        return modules[0]
    return Stacked(modules)


def stacked_parts(stacked: nn.Module) -> Iterator["Stacked"]:
    """Yield the parts of a stack that hold weights or buffers."""
    return (part for part in stacked.modules() if isinstance(part, Stacked))


@torch.no_grad()
def release(module: nn.Module) -> None:
    """Give a module whose weights were slices of a stack its own, with their values."""
    for weight in module.parameters():
        weight.data = weight.data.clone()
    for part in module.modules():
        for name, buffer in part.named_buffers(recurse=False):
            setattr(part, name, buffer.clone())


class StackedDANN(DANN):
    """Networks of one architecture: what :class:`DANN` computes, for each of them.

    Rows have shape (n_networks, n, ...), and so have features and logits; those of
    ensembles have shape (n_networks, n_estimators, n, ...).

    Parameters
    ----------
    networks : sequence of DANN
        Of the same architecture, or ensembles of as many.
    """

    n_stack_axes = 1

    def __init__(self, networks: Sequence[DANN]):
        super().__init__(
            stack_modules([network.feature_extractor for network in networks]),
            stack_modules([network.label_classifier for network in networks]),
            stack_modules([network.domain_classifier for network in networks]),
            _stack_standardizers([network.standardizer for network in networks]),
            domain_groups=networks[0].domain_groups,  # the same of all
            conditioning=networks[0].conditioning,  # likewise
        )
        self.like = next(networks[0].parameters()).detach()
        self.n_estimators = networks[0].n_estimators

    def set_lambdas(self, lambdas: Sequence[float]) -> None:
        values = self.like.new_tensor(lambdas)
        of_rows = (-1,) + (1,) * (self.n_network_axes + 1)
        self.gradient_reversal.lambda_ = values.view(of_rows)


class Stacked(nn.Module):
    """Any module, several times, by ``torch.vmap``.

    Parameters
    ----------
    modules : sequence of nn.Module
        Of the same architecture.

    Attributes
    ----------
    weights, state : dict of str to Tensor of shape (n_modules, ...)
        Parameters and buffers; ``weights`` are leaves of the autograd graph. Those of
        the modules are views of them, so that each module is as it is trained.
    """

    def __init__(self, modules: Sequence[nn.Module]):
        super().__init__()
        self.originals = list(modules)  # a list, so that torch does not register them
        self.weights, self.state = stack_module_state(self.originals)
        for i, module in enumerate(self.originals):
            for name, values in self.weights.items():
                module.get_parameter(name).data = values.detach()[i]
            for name, values in self.state.items():
                owner, _, leaf = name.rpartition(".")
                setattr(module.get_submodule(owner), leaf, values[i])

    def forward(self, x: Tensor) -> Tensor:
        return vmap(self._call_one)(self.weights, self.state, x)

    def _call_one(self, weights, state, x):
        return functional_call(self.originals[0], (weights, state), (x,))

    def train(self, mode: bool = True) -> nn.Module:
        self.originals[0].train(mode)  # which is what vmap calls
        return super().train(mode)


class StackedLinear(Stacked):
    """Linear layers as one product."""

    def forward(self, x: Tensor) -> Tensor:
        return linear_of_networks(x, self.weights["weight"], self.weights.get("bias"))


class StackedStandardizer(Stacked):
    """Standardizers, each for the rows of its network."""

    def forward(self, X: Tensor, domain: Domain) -> Tensor:
        # of ensembles, the networks' axis is not the last before those of a row
        state = {
            name: values.unflatten(0, (-1, *[1] * (X.ndim - values.ndim)))
            for name, values in self.state.items()
        }
        return functional_call(self.originals[0], state, (X, domain))


def _stack_standardizers(standardizers):
    """Return one for all networks; equal ones are one, which all of them share."""
    first = standardizers[0]
    if first is None:
        return None
    state = first.state_dict()
    if all(
        all(torch.equal(value, state[name]) for name, value in s.state_dict().items())
        for s in standardizers
    ):
        return _SharedStandardizer(first)
    return StackedStandardizer(standardizers)


class _SharedStandardizer(nn.Module):
    """A standardizer of all networks: rows that they share are standardized once."""

    def __init__(self, standardizer: Standardizer):
        super().__init__()
        self.standardizer = standardizer

    def forward(self, X: Tensor, domain: Domain) -> Tensor:
        if X.stride(0) == 0:
            of_rows = domain if isinstance(domain, int) else domain[0]
            return self.standardizer(X[0], of_rows).expand(X.shape)
        return self.standardizer(X, domain)


class StackedDropout(nn.Module):
    """Dropout with the masks that each network would draw by itself.

    Parameters
    ----------
    modules : sequence of Dropout
        Of each network; those that share a generator share its draws.
    """

    def __init__(self, modules: Sequence[Dropout]):
        super().__init__()
        self.originals = list(modules)  # a list, so that torch does not register them

    def forward(self, x: Tensor) -> Tensor:
        draws, masks, index = {}, {}, []
        for original in self.originals:
            generator, p = key = original.generator, original.p
            if generator not in draws:
                draws[generator] = draw_int16(x.shape[1:], generator, x.device)
            if key not in masks:
                mask = keep_mask(draws[generator], p, torch.empty_like(x[0]))
                masks[key] = len(masks), mask
            index.append(masks[key][0])
        stacked = torch.stack([mask for _, mask in masks.values()])
        return x * (stacked if len(masks) == 1 else stacked[index])
