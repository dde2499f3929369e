"""Which of the groups that a domain classifier tells apart are of the target."""

import torch
from torch import Tensor, nn


class DomainGroups(nn.Module):
    """What makes of the probability of each group that of the target.

    Parameters
    ----------
    is_target : Tensor of shape (n_groups,)
        Of each group, in the order of the domain classifier's outputs, 1 if it is of
        the target, else 0.
    """

    def __init__(self, is_target: Tensor):
        super().__init__()
        self.register_buffer("is_target", is_target)

    @property
    def n_groups(self) -> int:
        """Number of groups, of both domains together."""
        return len(self.is_target)

    def forward(self, P: Tensor) -> Tensor:
        """Return the probability of the target, of those (..., n_groups) of groups."""
        return (P @ self.is_target).clamp(max=1)  # rounding may lead beyond

    def swapped(self) -> "DomainGroups":
        """Return that of a network whose source is the target of this one."""
        return DomainGroups(torch.ones_like(self.is_target) - self.is_target)
