"""The domain-adversarial network: one feature extractor under two classifiers."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._class_prior import ClassPrior
from ._conditioning import Conditioning
from ._domain_groups import DomainGroups
from ._gradient_reversal import GradientReversal
from ._response_scale import ResponseScale
from ._standardizer import TARGET, Domain, Standardizer


def flatten(x: Tensor, first: int, last: int = -1) -> Tensor:
    """Join the axes from first to last; what is a single axis stays as it is.

    torch does so, too, but torch 2.4 exports it to ONNX as a reshape, which fails where
    there are no rows.
    """
    return x if first == last % x.ndim else x.flatten(first, last)


# Modules that users may replace by their own, and what is trained.
PARTS = ("feature_extractor", "label_classifier", "domain_classifier")


class Outputs(NamedTuple):
    """What a network computes of a batch; the dots are the networks of a stack.

    Attributes
    ----------
    features : Tensor of shape (..., n, n_features)
        What both classifiers read.
    label_logits : Tensor of shape (..., n_labelled, n_classes)
        Of the first rows.
    domain_logits : Tensor of shape (..., n), or (..., n, n_groups), or None
        One for each row, positive for the target, or one for each group; None if not
        asked for.
    """

    features: Tensor
    label_logits: Tensor
    domain_logits: Tensor | None


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
        Maps features to one logit, positive for the target, or to one for each group.
    standardizer : nn.Module or None, default=None
        Called with rows and their domains before anything else. None leaves rows as
        they are.
    class_prior : nn.Module or None, default=None
        Called with label logits and the domain of their rows before probabilities are
        computed. None leaves them as they are.
    response_scale : nn.Module or None, default=None
        Of a network that predicts numbers: called with its outputs. None is a network
        that predicts classes.
    domain_groups : nn.Module or None, default=None
        Of a network that tells groups of both domains apart: called with their
        probabilities, it returns that of the target. None tells the domains apart.
    conditioning : nn.Module or None, default=None
        Called with features and label logits: what the domain classifier reads. None
        lets it read the features.

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

    # A stack of networks has one axis more in front, see StackedDANN, and an ensemble
    # one between that and the rows, see EnsembleDANN.
    n_stack_axes = 0
    n_estimators: int | None = None

    def __init__(
        self,
        feature_extractor: nn.Module,
        label_classifier: nn.Module,
        domain_classifier: nn.Module,
        standardizer: Standardizer | None = None,
        class_prior: ClassPrior | None = None,
        response_scale: ResponseScale | None = None,
        domain_groups: DomainGroups | None = None,
        conditioning: Conditioning | None = None,
    ):
        super().__init__()
        self.standardizer = standardizer
        self.class_prior = class_prior
        self.response_scale = response_scale
        self.domain_groups = domain_groups
        self.conditioning = conditioning
        self.feature_extractor = feature_extractor
        self.label_classifier = label_classifier
        self.gradient_reversal = GradientReversal(0.0)
        self.domain_classifier = domain_classifier

    @property
    def n_network_axes(self) -> int:
        """Number of axes in front of the rows in what is computed."""
        return self.n_stack_axes + (self.n_estimators is not None)

    def extract(self, X: Tensor, domain: Domain = TARGET) -> Tensor:
        """Features of shape (n, n_features_out), of an ensemble those of each network.

        Its networks may see other rows: X has an axis for them.
        """
        if self.standardizer is not None:
            X = self.standardizer(X, domain)
        return flatten(self.feature_extractor(X), self.n_network_axes + 1)

    def rows_of_networks(self, X: Tensor) -> Tensor:
        """Return rows for all networks of an ensemble, with their axis."""
        if self.n_estimators is None:
            return X
        axis = self.n_stack_axes
        shape = *X.shape[:axis], self.n_estimators, *X.shape[axis:]
        return X.unsqueeze(axis).expand(shape)

    def domain_input(
        self, features: Tensor, label_logits: Tensor | None = None
    ) -> Tensor:
        """Return what the domain classifier reads: features, or products of them."""
        if self.conditioning is None:
            return features
        if label_logits is None:
            label_logits = self.label_classifier(features)
        return self.conditioning(features, label_logits)

    def discriminate(
        self, features: Tensor, label_logits: Tensor | None = None
    ) -> Tensor:
        """Domain logits of shape (n,), or (n, n_groups), behind the reversal.

        Their gradient reaches the features reversed. Label logits of the same rows are
        read if the domain classifier is conditional, and computed if they are None.
        """
        x = self.domain_input(self.gradient_reversal(features), label_logits)
        logits = self.domain_classifier(x)
        if self.domain_groups is not None:
            return logits
        return logits.flatten(self.n_network_axes)

    def combine_features(self, features: Tensor) -> Tensor:
        """Return what ``transform`` answers: the features themselves."""
        return features

    def combine_predictions(self, P: Tensor) -> Tensor:
        """Return what is answered of predictions: themselves."""
        return P

    def forward(self, X: Tensor, domain: int = TARGET) -> tuple[Tensor, Tensor]:
        """Label logits of shape (n, n_classes) and domain logits of shape (n,).

        Instead of label logits, of a network that predicts numbers these; domain logits
        of a network that tells groups apart have shape (n, n_groups).
        """
        X = self.rows_of_networks(X)
        _, label_logits, domain_logits = self.compute_outputs(X, domain)
        if self.n_estimators is not None:
            domain_logits = self._mean_domain_logits(domain_logits)
        if self.response_scale is not None:
            return self._predictions(label_logits, domain), domain_logits
        if self.n_estimators is not None:
            return self._predictions(label_logits, domain).log(), domain_logits
        if self.class_prior is not None:
            label_logits = self.class_prior(label_logits, domain)
        return label_logits, domain_logits

    def _mean_domain_logits(self, logits):
        """Return the logits of the mean probabilities of an ensemble."""
        if self.domain_groups is not None:
            return self.combine_predictions(logits.softmax(-1)).log()
        return self.combine_predictions(logits.sigmoid()).logit()

    def compute_outputs(
        self,
        X: Tensor,
        domain: Domain = TARGET,
        n_labelled: int | None = None,
        with_domains: bool = True,
    ) -> Outputs:
        """Compute what the loss terms read; ``forward`` and training are this pass.

        Of an ensemble X, and all that is computed, has an axis of networks in front.

        Parameters
        ----------
        X : Tensor of shape (n, ...)
            Rows.
        domain : int or Tensor of shape (n,), default=1
            0 for rows of the source, 1 for rows of the target: how they are
            standardized.
        n_labelled : int or None, default=None
            Compute label logits for so many of the first rows; None is all. Rows
            without a label need none, unless a loss term or a conditional domain
            classifier reads them.
        with_domains : bool, default=True
            Whether to compute domain logits.

        Returns
        -------
        Outputs
        """
        features = self.extract(X, domain)
        labelled = features
        if n_labelled is not None:
            labelled = features.narrow(-2, 0, n_labelled)
        label_logits = self.label_classifier(labelled)
        domain_logits = None
        if with_domains:
            domain_logits = self.discriminate(features, label_logits)
        return Outputs(features, label_logits, domain_logits)

    @property
    def fixed_parts(self) -> dict[str, nn.Module]:
        """What the data decided before training, by name."""
        names = ("standardizer", "class_prior", "response_scale", "domain_groups")
        parts = {name: getattr(self, name) for name in names}
        return {name: part for name, part in parts.items() if part is not None}

    def with_swapped_domains(self) -> "DANN":
        """Return the network, not copied, that reads source rows as the target's."""
        swapped = copy.copy(self)
        parts = {name: part.swapped() for name, part in self.fixed_parts.items()}
        swapped._modules = {**self._modules, **parts}
        return swapped

    def set_lambdas(self, lambdas: Sequence[float]) -> None:
        """Set the strength of the adversary: one value, or one a network of a stack."""
        [self.gradient_reversal.lambda_] = lambdas

    @torch.inference_mode()
    def predict(self, X: Tensor, domain: int = TARGET) -> Tensor:
        """Class probabilities of shape (n, n_classes), or numbers (n, n_outputs)."""
        return self.compute_predictions(X, domain)

    def compute_predictions(self, X: Tensor, domain: int = TARGET) -> Tensor:
        """Class probabilities, or numbers in the units of y, with a gradient."""
        X = self.rows_of_networks(X)
        return self._predictions(self.label_classifier(self.extract(X, domain)), domain)

    def _predictions(self, outputs, domain):
        """Return what is predicted of outputs of the label classifier."""
        if self.response_scale is not None:
            return self.response_scale(self.combine_predictions(outputs))
        if self.class_prior is not None:
            outputs = self.class_prior(outputs, domain)
        return self.combine_predictions(outputs.softmax(-1))

    @torch.inference_mode()
    def predict_domain(self, X: Tensor, domain: int = TARGET) -> Tensor:
        """Probability of shape (n,) that a row comes from the target."""
        if self.domain_groups is not None:
            return self.domain_groups(self.predict_groups(X, domain))
        X = self.rows_of_networks(X)
        P = self.discriminate(self.extract(X, domain)).sigmoid()
        return self.combine_predictions(P)

    @torch.inference_mode()
    def predict_groups(self, X: Tensor, domain: int = TARGET) -> Tensor:
        """Probabilities of shape (n, n_groups) that a row comes from each group."""
        X = self.rows_of_networks(X)
        P = self.discriminate(self.extract(X, domain)).softmax(-1)
        return self.combine_predictions(P)

    @torch.inference_mode()
    def transform(self, X: Tensor, domain: int = TARGET) -> Tensor:
        """Features of shape (n, n_features_out), without a gradient."""
        X = self.rows_of_networks(X)
        return self.combine_features(self.extract(X, domain))
