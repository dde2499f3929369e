"""The first layer of a network that reads columns as they come."""

import torch
from torch import Tensor, nn

# Codes of the domains.
SOURCE, TARGET = 0, 1

Domain = int | Tensor


class Standardizer(nn.Module):
    """Subtract a mean from each column and divide by a scale, each domain by its own.

    Parameters
    ----------
    mean, scale : Tensor of shape (2, n_columns)
        Of the source and of the target.
    """

    def __init__(self, mean: Tensor, scale: Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, X: Tensor, domain: Domain) -> Tensor:
        """Standardize rows.

        Parameters
        ----------
        X : Tensor of shape (..., n, n_columns)
            Rows.
        domain : int or Tensor of shape (..., n)
            ``SOURCE`` or ``TARGET``, of all rows or of each.
        """
        return (X - _of(self.mean, domain)) / _of(self.scale, domain)

    @property
    def tells_domains_apart(self) -> bool:
        """Whether rows of the domains are treated differently."""
        return not (torch.equal(*self.mean) and torch.equal(*self.scale))

    def swapped(self) -> "Standardizer":
        """Return the standardizer of a network whose source is this one's target."""
        return Standardizer(self.mean.flip(0), self.scale.flip(0))


def _of(values, domain):
    """Return the values (..., 2, n_columns) of the rows' domains."""
    if isinstance(domain, int):
        return values.narrow(-2, domain, 1)
    of_source, of_target = values.split(1, dim=-2)
    return torch.where(domain.unsqueeze(-1) == TARGET, of_target, of_source)
