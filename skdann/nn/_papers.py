"""The image networks of the papers, as parts of a ``DANNClassifier``."""

import copy
from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn

from ._gradient_reversal import reverse_gradient
from ._mlp import make_mlp

Parts = dict[str, Callable[..., nn.Module]]


def mnist_network() -> Parts:
    r"""Return the network for MNIST and MNIST-M of [1]_, figure 4a.

    ========  ===========================================================
    features  conv 5x5x32, ReLU, pool 2; conv 5x5x48, ReLU, pool 2
    labels    100, ReLU, 100, ReLU, classes
    domain    100, ReLU, 1
    ========  ===========================================================

    Returns
    -------
    dict of str to callable
        The three parts, by the names of the parameters of ``DANNClassifier``. Sizes
        that depend on the data, such as the number of color channels, are inferred
        at ``fit``; ``random_state`` decides the weights.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> import numpy as np
    >>> from skdann import DANNClassifier
    >>> from skdann.nn import mnist_network
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((20, 3, 28, 28), dtype=np.float32)
    >>> clf = DANNClassifier(**mnist_network(), max_epochs=1, random_state=0)
    >>> clf.fit(X, np.arange(20) % 10, X + 0.5).transform(X).shape  # 48 x 4 x 4
    (20, 768)
    """
    return {
        "feature_extractor": _mnist_features,
        "label_classifier": partial(_head, hidden=(100, 100)),
        "domain_classifier": partial(_head, hidden=(100,)),
    }


def svhn_network() -> Parts:
    r"""Return the network for street-view house numbers of [1]_, figure 4b.

    ========  ===========================================================
    features  conv 5x5x64, ReLU, pool 3/2; the same again;
              conv 5x5x128, ReLU
    labels    3072, ReLU, dropout, 2048, ReLU, dropout, classes
    domain    1024, ReLU, 1024, ReLU, 1
    ========  ===========================================================

    For images of 32 x 32. Convolutions are padded to keep their size, without which
    nothing is left to the third. The paper also bounds the norm of weights, by a value
    that it does not state: there is no such bound here.

    Returns
    -------
    dict of str to callable
        The three parts, by the names of the parameters of ``DANNClassifier``.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.nn import svhn_network
    >>> clf = DANNClassifier(**svhn_network(), optimizer="sgd", lr=0.01)
    """
    return {
        "feature_extractor": _svhn_features,
        "label_classifier": partial(_head, hidden=(3072, 2048), dropout=0.5),
        "domain_classifier": partial(_head, hidden=(1024, 1024)),
    }


def gtsrb_network() -> Parts:
    r"""Return the network for traffic signs of [1]_, figure 4c.

    ========  ===========================================================
    features  conv 5x5x96, ReLU, pool 2; conv 3x3x144, ReLU, pool 2;
              conv 5x5x256, ReLU, pool 2
    labels    512, ReLU, classes
    domain    1024, ReLU, 1024, ReLU, 1
    ========  ===========================================================

    For images of 40 x 40.

    Returns
    -------
    dict of str to callable
        The three parts, by the names of the parameters of ``DANNClassifier``.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.nn import gtsrb_network
    >>> clf = DANNClassifier(**gtsrb_network(), optimizer="sgd", lr=0.01)
    """
    return {
        "feature_extractor": _gtsrb_features,
        "label_classifier": partial(_head, hidden=(512,)),
        "domain_classifier": partial(_head, hidden=(1024, 1024)),
    }


def office_network(backbone: nn.Module, *, backbone_pace: float = 0.1) -> Parts:
    r"""Return a pre-trained network with a bottleneck, as [1]_ adapts Office-31.

    ========  ===========================================================
    features  ``backbone``, 256, ReLU
    labels    classes
    domain    1024, ReLU, dropout, 1024, ReLU, dropout, 1
    ========  ===========================================================

    Parameters
    ----------
    backbone : Module
        Pre-trained, without its last layer: returns features of images. Copied at each
        fit, never modified.
    backbone_pace : float, default=0.1
        Learning rate of the backbone over that of the fresh layers. The gradient is
        scaled by it on its way into the backbone, which is the same with "sgd" (except
        that its weight decay is not scaled) and has no effect with "adam" or "adamw".

    Returns
    -------
    dict of str to callable
        The three parts, by the names of the parameters of ``DANNClassifier``.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> from torch import nn
    >>> from skdann import DANNClassifier
    >>> from skdann.nn import office_network
    >>> backbone = nn.Sequential(nn.Conv2d(3, 8, 11, stride=4), nn.ReLU())
    >>> clf = DANNClassifier(**office_network(backbone), optimizer="sgd", lr=0.01)
    """
    return {
        "feature_extractor": partial(_Bottleneck, backbone, backbone_pace),
        "label_classifier": nn.Linear,
        "domain_classifier": partial(_head, hidden=(1024, 1024), dropout=0.5),
    }


def _mnist_features(n_channels: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(n_channels, 32, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 48, 5), nn.ReLU(), nn.MaxPool2d(2)),
    )


def _svhn_features(n_channels: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(n_channels, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 128, 5, padding=2), nn.ReLU()),
    )


def _gtsrb_features(n_channels: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(n_channels, 96, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(96, 144, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(144, 256, 5), nn.ReLU(), nn.MaxPool2d(2)),
    )


def _head(
    n_features: int, n_logits: int, *, hidden: Sequence[int], dropout: float = 0.0
) -> nn.Module:
    return make_mlp(n_features, hidden, n_logits, activation="relu", dropout=dropout)


class _Bottleneck(nn.Module):
    """A copy of a pre-trained network at a pace of its own, and a layer of 256."""

    def __init__(self, backbone: nn.Module, pace: float):
        super().__init__()
        self.backbone = copy.deepcopy(backbone)
        self.pace = pace
        self.bottleneck = nn.LazyLinear(256)

    def forward(self, x: Tensor) -> Tensor:
        features = reverse_gradient(self.backbone(x).flatten(1), -self.pace)
        return self.bottleneck(features).relu()
