"""The torch building blocks: networks, gradient reversal and losses."""

from ._dann import DANN
from ._gradient_reversal import GradientReversal, reverse_gradient
from ._losses import class_confusion_loss, domain_loss, entropy_loss, label_loss
from ._papers import gtsrb_network, mnist_network, office_network, svhn_network

__all__ = [
    "DANN",
    "GradientReversal",
    "class_confusion_loss",
    "domain_loss",
    "entropy_loss",
    "gtsrb_network",
    "label_loss",
    "mnist_network",
    "office_network",
    "reverse_gradient",
    "svhn_network",
]
