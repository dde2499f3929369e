"""What a conditional domain classifier reads: features and predictions, multiplied."""

import math

import numpy as np
import torch
from torch import Tensor, nn

# With more products than this a random projection of so many values takes their place:
# the bound of the paper, and the width of the authors' code.
MOST_PRODUCTS = 4096
RANDOM_WIDTH = 1024


class Conditioning(nn.Module):
    r"""The multilinear map of conditional adversarial domain adaptation [1]_.

    For features :math:`f` and class probabilities :math:`p`, all products :math:`p_k
    f_j`; of more than 4,096 of them

    .. math:: \frac{1}{\sqrt d} \, (R_f f) \odot (R_p p), \quad d = 1024

    with matrices of standard normal numbers, drawn once, whose scalar products are on
    average those of the products themselves. As in the authors' code no gradient passes
    through :math:`p`: the adversary moves features, not predictions.

    Parameters
    ----------
    n_features, n_classes : int
        Sizes of both.
    by_entropy : bool, default=False
        Whether rows that are predicted with certainty count more in the domain loss,
        see :func:`skdann.nn._losses.certainty_weight`.

    References
    ----------
    .. [1] M. Long, Z. Cao, J. Wang and M. I. Jordan, "Conditional Adversarial Domain
       Adaptation", NeurIPS 2018, arXiv:1705.10667, equations 4 to 8.
    """

    def __init__(self, n_features: int, n_classes: int, by_entropy: bool = False):
        super().__init__()
        self.sizes = n_features, n_classes
        self.by_entropy = by_entropy
        self.register_buffer("of_features", None)
        self.register_buffer("of_classes", None)
        if self.is_random:
            # the same for all networks of these sizes, so that a stack has one of it
            rng = np.random.default_rng(0)
            drawn = (rng.standard_normal((n, RANDOM_WIDTH)) for n in self.sizes)
            self.of_features, self.of_classes = map(torch.from_numpy, drawn)
            self.of_classes /= math.sqrt(RANDOM_WIDTH)

    @property
    def is_random(self) -> bool:
        """Whether a random projection takes the place of the products."""
        return math.prod(self.sizes) > MOST_PRODUCTS

    @property
    def n_out(self) -> int:
        """Number of values that are made of a row."""
        return RANDOM_WIDTH if self.is_random else math.prod(self.sizes)

    @staticmethod
    def count_values(n_features: int, n_classes: int) -> int:
        """Count the values of the matrices, before memory is taken for them."""
        is_random = n_features * n_classes > MOST_PRODUCTS
        return is_random * (n_features + n_classes) * RANDOM_WIDTH

    def forward(self, features: Tensor, label_logits: Tensor) -> Tensor:
        """Map (..., n, n_features) and (..., n, n_classes) to (..., n, n_out)."""
        p = label_logits.detach().softmax(-1)
        if self.is_random:
            return (features @ self.of_features) * (p @ self.of_classes)
        return (p.unsqueeze(-1) * features.unsqueeze(-2)).flatten(-2)

    def extra_repr(self) -> str:
        n_features, n_classes = self.sizes
        return f"{n_features=}, {n_classes=}, by_entropy={self.by_entropy}"
