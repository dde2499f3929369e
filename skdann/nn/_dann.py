"""The domain-adversarial network: one feature extractor under two classifiers."""

import torch
from torch import Tensor, nn

from ._gradient_reversal import GradientReversal


class DANN(nn.Module):
    r"""Feature extractor :math:`G_f`, label classifier :math:`G_y`, domain :math:`G_d`.

    Labels are predicted by :math:`G_y \circ G_f` alone. The domain classifier hangs
    behind a gradient reversal layer, so that minimizing the sum of both losses trains
    it to tell the domains apart and the features to make that impossible.

    Parameters
    ----------
    feature_extractor : nn.Module
        Maps rows to features; features of more than two dimensions are flattened.
    label_classifier : nn.Module
        Maps features to one logit per class.
    domain_classifier : nn.Module
        Maps features to one logit, positive for the target.

    Attributes
    ----------
    gradient_reversal : GradientReversal
        Its ``lambda_`` is the strength of the adversary; 0 until training sets it.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skdann.nn import DANN
    >>> network = DANN(nn.Linear(5, 3), nn.Linear(3, 2), nn.Linear(3, 1))
    >>> label_logits, domain_logits = network(torch.zeros(4, 5))
    >>> label_logits.shape, domain_logits.shape
    (torch.Size([4, 2]), torch.Size([4]))
    """

    def __init__(
        self,
        feature_extractor: nn.Module,
        label_classifier: nn.Module,
        domain_classifier: nn.Module,
    ):
        super().__init__()
        self.feature_extractor = feature_extractor
        self.label_classifier = label_classifier
        self.gradient_reversal = GradientReversal(0.0)
        self.domain_classifier = domain_classifier

    def extract(self, X: Tensor) -> Tensor:
        """Features of shape (n, n_features_out)."""
        return self.feature_extractor(X).flatten(1)

    def discriminate(self, features: Tensor) -> Tensor:
        """Domain logits of shape (n,); their gradient reaches features reversed."""
        reversed_ = self.gradient_reversal(features)
        return self.domain_classifier(reversed_).flatten()

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor]:
        features = self.extract(X)
        return self.label_classifier(features), self.discriminate(features)

    @torch.inference_mode()
    def predict_proba(self, X: Tensor) -> Tensor:
        """Class probabilities of shape (n, n_classes)."""
        return self.label_classifier(self.extract(X)).softmax(1)

    @torch.inference_mode()
    def predict_domain(self, X: Tensor) -> Tensor:
        """Probability of shape (n,) that a row comes from the target."""
        return self.discriminate(self.extract(X)).sigmoid()

    @torch.inference_mode()
    def transform(self, X: Tensor) -> Tensor:
        """Features of shape (n, n_features_out), without a gradient."""
        return self.extract(X)
