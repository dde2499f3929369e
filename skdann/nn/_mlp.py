"""The default network for tables: a multi-layer perceptron."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Dropout(nn.Module):
    """Dropout that can draw its masks from a generator of its own.

    ``torch.nn.Dropout`` draws from the process-wide generator, which a library must
    leave alone and which threads share.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a value is set to zero; the rest are divided by ``1 - p``.

    Attributes
    ----------
    generator : torch.Generator or None
        Where masks come from; None is torch's process-wide generator.
    rows : (Tensor of int, int) or None
        If processes share a batch, the places of the rows that come here, and of how
        many: masks are drawn for all.
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None
        self.rows: tuple[Tensor, int] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        return x * keep_mask(self._draw(x), self.p, torch.empty_like(x))

    def _draw(self, x):
        if self.rows is None:
            return draw_int16(x.shape, self.generator, x.device)
        places, n_rows = self.rows
        shape = *x.shape[:-2], n_rows, x.shape[-1]
        return draw_int16(shape, self.generator, x.device).index_select(-2, places)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"

    def __getstate__(self):
        # a copy or a pickle is for predicting; whoever trains hands out generators
        return {**super().__getstate__(), "generator": None, "rows": None}


def draw_int16(
    shape: Sequence[int], generator: torch.Generator | None, device: torch.device
) -> Tensor:
    """Draw integers uniformly from all of int16: four from each 64-bit draw."""
    n = math.prod(shape)
    draws = torch.empty(-(-n // 4), dtype=torch.int64, device=device)
    return draw_bits(draws, generator).view(torch.int16)[:n].view(shape)


def draw_bits(out: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw integers uniformly from all of int64, into an array."""
    return out.random_(-(2**63), None, generator=generator)  # None: to the largest


def keep_mask(draws: Tensor, p: float, out: Tensor) -> Tensor:
    """Write 0 with probability ``p``, to a multiple of 2**-16, else 1 / (1 - p)."""
    n_kept = max(1, round((1 - p) * 2**16))  # of the 2**16 values of a draw
    torch.le(draws, n_kept - 1 - 2**15, out=out)
    return out.mul_(1 / (1 - p))


def make_mlp(
    in_features: int,
    hidden_layer_sizes: Sequence[int],
    out_features: int | None = None,
    *,
    activation: str = "relu",
    dropout: float = 0.0,
) -> nn.Sequential:
    """Stack linear layers, each hidden one followed by activation and dropout.

    Parameters
    ----------
    in_features : int
        Number of input columns.
    hidden_layer_sizes : sequence of int
        Width of each hidden layer.
    out_features : int or None, default=None
        Width of a last, purely linear layer; None ends with the hidden layers.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Probability of dropping a hidden unit during training.

    Returns
    -------
    nn.Sequential
        The layers.
    """
    layers: list[nn.Module] = []
    for width in hidden_layer_sizes:
        layers += [nn.Linear(in_features, width), ACTIVATIONS[activation]()]
        if dropout > 0:
            layers.append(Dropout(dropout))
        in_features = width
    if out_features is not None:
        layers.append(nn.Linear(in_features, out_features))
    return nn.Sequential(*layers)
