"""A domain classifier for skada: it must bring the gradient reversal itself."""

from skada.deep.modules import GradientReversalLayer
from torch import nn


class ReversedHead(nn.Module):
    """Probability of the target, from features whose gradient is reversed.

    Parameters
    ----------
    layers : torch module
        Maps features to one logit.
    """

    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, features, sample_weight=None):
        reversed_ = GradientReversalLayer.apply(features, 1.0)
        return self.layers(reversed_).sigmoid().flatten()
