"""The torch building blocks: networks, gradient reversal and losses."""

from ._dann import DANN
from ._gradient_reversal import GradientReversal, reverse_gradient
from ._losses import domain_loss, label_loss

__all__ = ["DANN", "GradientReversal", "domain_loss", "label_loss", "reverse_gradient"]
