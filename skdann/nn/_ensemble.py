"""Several networks of one architecture that learn side by side, and are averaged."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._dann import DANN, flatten
from ._mlp import ACTIVATIONS, Dropout


class EnsembleDANN(DANN):
    """Networks that are trained as one, and answer with the mean of what they predict.

    Their weights, and in training rows, features, logits and losses have an axis of
    networks in front: of shape (n_estimators, ...).

    Parameters
    ----------
    networks : sequence of DANN
        Of the same architecture, initialized each for itself. Their weights are copied.
    """

    def __init__(self, networks: Sequence[DANN]):
        super().__init__(
            join_modules([network.feature_extractor for network in networks]),
            join_modules([network.label_classifier for network in networks]),
            join_modules([network.domain_classifier for network in networks]),
            conditioning=networks[0].conditioning,  # the same of all
        )
        self.n_estimators = len(networks)

    def combine_features(self, features: Tensor) -> Tensor:
        """Put the features of all networks side by side: (n, sum of n_features)."""
        return features.movedim(0, 1).flatten(1)

    def combine_predictions(self, P: Tensor) -> Tensor:
        """Average over the networks."""
        return P.mean(0)


def join_modules(modules: Sequence[nn.Module]) -> nn.Module:
    """Return one module that maps x[i] as ``modules[i]`` does, with weights of its own.

    Parameters
    ----------
    modules : sequence of nn.Module
        Of the same architecture. Linear layers become one product; what is not known
        here is called one after the other.
    """
    kind = type(modules[0])
    if kind is nn.Sequential:
        return nn.Sequential(*map(join_modules, zip(*modules, strict=True)))
    if kind is nn.Linear:
        return EnsembleLinear(modules)
    if kind is Dropout or kind in ACTIVATIONS.values():
        return modules[0]  # draws masks of the shape of its input: others for each
    return Members(map(copy.deepcopy, modules))


class EnsembleLinear(nn.Module):
    """Linear layers as one product.

    Parameters
    ----------
    layers : sequence of nn.Linear
        Of the same shape.
    """

    def __init__(self, layers: Sequence[nn.Linear]):
        super().__init__()
        self.weight = _join([layer.weight for layer in layers])
        self.bias = None
        if layers[0].bias is not None:
            self.bias = _join([layer.bias for layer in layers])

    def forward(self, x: Tensor) -> Tensor:
        return linear_of_networks(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        n_estimators, n_out, n_in = self.weight.shape
        has_bias = self.bias is not None
        return (
            f"n_estimators={n_estimators}, in_features={n_in}, out_features={n_out}, "
            f"bias={has_bias}"
        )


class Members(nn.ModuleList):
    """Modules of any kind; the i-th maps x[i]."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([part(rows) for part, rows in zip(self, x, strict=True)])


def linear_of_networks(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Map rows of several networks, each by its own linear layer.

    Parameters
    ----------
    x : Tensor of shape (*networks, n, ..., n_in)
        Rows of each; views of the same where all networks see the same.
    weight : Tensor of shape (*networks, n_out, n_in)
        As of :class:`torch.nn.Linear`.
    bias : Tensor of shape (*networks, n_out) or None
        Likewise.

    Returns
    -------
    Tensor of shape (*networks, n, ..., n_out)
    """
    *networks, n_out, _ = weight.shape
    n_axes = len(networks)
    if not any(x.stride()[:n_axes]):  # the same rows for all: one large product
        rows = x[(0,) * n_axes]
        y = nn.functional.linear(
            rows, weight.flatten(0, -2), None if bias is None else bias.flatten()
        )
        y = y.unflatten(-1, (*networks, n_out))
        # counted from the front: torch 2.4 does not export other positions
        first = y.ndim - 1 - n_axes
        return y.movedim(tuple(range(first, y.ndim - 1)), tuple(range(n_axes)))
    rows = flatten(flatten(x, 0, n_axes - 1), 1, -2)
    weight = weight.flatten(0, -3).transpose(-2, -1)
    if bias is None:
        y = torch.bmm(rows, weight)
    else:
        y = torch.baddbmm(bias.flatten(0, -2).unsqueeze(1), rows, weight)
    return y if y.ndim == x.ndim else y.view(*x.shape[:-1], n_out)


def _join(weights):
    joined = torch.stack([weight.detach() for weight in weights])
    return nn.Parameter(joined, requires_grad=weights[0].requires_grad)
