"""The last layer of a network that predicts numbers in units of their own."""

from torch import Tensor, nn


class ResponseScale(nn.Module):
    r"""Bring outputs, which are learned in deviations, to the units of y.

    .. math:: \hat y = \mu + \sigma o

    Parameters
    ----------
    mean, scale : Tensor of float64 of shape (n_outputs,)
        Of y in the source. What is predicted is of this dtype, too: large numbers that
        vary little would be all the same in float32.
    """

    def __init__(self, mean: Tensor, scale: Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, outputs: Tensor) -> Tensor:
        """Return outputs (..., n_outputs) in the units of y."""
        return outputs.to(self.scale.dtype) * self.scale + self.mean

    def swapped(self) -> "ResponseScale":
        """Return that of a network whose source is the target of this one: itself."""
        return self
