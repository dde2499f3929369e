"""The last layer of a network that knows how frequent classes are in the target."""

import torch
from torch import Tensor, nn

from ._standardizer import Domain


class ClassPrior(nn.Module):
    r"""Correct probabilities for other proportions of the classes.

    .. math:: p'_k \propto p_k \pi^{\text{target}}_k / \pi^{\text{source}}_k

    Parameters
    ----------
    proportions : Tensor of shape (2, n_classes)
        Of the classes in the source, as the label loss weighs them, and in the target.
    shift : Tensor of shape (2, n_classes)
        What is added to the label logits of each domain: logarithms of the ratio for
        the target, or 0 where probabilities are left as they are.
    """

    def __init__(self, proportions: Tensor, shift: Tensor):
        super().__init__()
        self.register_buffer("proportions", proportions)
        self.register_buffer("shift", shift)

    def forward(self, logits: Tensor, domain: Domain) -> Tensor:
        """Return the logits of rows (..., n_classes) of a domain, corrected."""
        return logits + self.shift[domain]

    def swapped(self) -> "ClassPrior":
        """Return that of a network whose source is the target of this one."""
        return ClassPrior(
            self.proportions.flip(0),
            torch.stack([torch.zeros_like(self.shift[1]), -self.shift[1]]),
        )
