"""Between dense layers: features times predictions, derived by hand."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from ._conditioning import Conditioning
from ._dense import Call


class DenseConditioning:
    r"""What :class:`Conditioning` computes for all networks, with the way back.

    Of the products :math:`x_{kj} = p_k f_j` it is :math:`g_{f_j} = \sum_k p_k
    g_{x_{kj}}`; of the projection :math:`x = u \odot (f R_f)` with :math:`u = p R_p`
    it is :math:`g_f = (u \odot g_x) R_f^\top`. None leads to the predictions.

    Parameters
    ----------
    conditioning : Conditioning
        The same of all networks.
    features : Tensor of shape (n_networks, n_rows, n_features)
        Where they are.
    logits : Tensor of shape (n_networks, n_rows, n_classes)
        Where those of the labels are.

    Attributes
    ----------
    x : Tensor of shape (n_networks, n_rows, n_out)
        What is computed.
    g : Tensor of the same shape
        The gradient of the loss with respect to it; the way back overwrites it.
    """

    def __init__(self, conditioning: Conditioning, features: Tensor, logits: Tensor):
        self.is_random = conditioning.is_random
        self.features, self.logits = features, logits
        self.p = torch.empty_like(logits)
        self.x = features.new_empty(*features.shape[:2], conditioning.n_out)
        self.g = torch.empty_like(self.x)
        if self.is_random:
            self.u = torch.empty_like(self.x)
            self.of_features, self.of_classes = (
                matrix.expand(len(features), -1, -1)
                for matrix in (conditioning.of_features, conditioning.of_classes)
            )

    def forward(self) -> Iterator[Call]:
        """Yield the calls that compute x."""
        yield partial(torch.softmax, self.logits, -1, out=self.p)
        if self.is_random:
            yield partial(torch.bmm, self.p, self.of_classes, out=self.u)
            yield partial(torch.bmm, self.features, self.of_features, out=self.x)
            yield partial(self.x.mul_, self.u)
        else:
            p, features = self.p.unsqueeze(-1), self.features.unsqueeze(-2)
            yield partial(torch.mul, p, features, out=self._by_class(self.x))

    def backward(self, out: Tensor) -> Iterator[Call]:
        """Yield the calls that write the gradient of the features."""
        if self.is_random:
            yield partial(self.g.mul_, self.u)
            yield partial(torch.bmm, self.g, self.of_features.transpose(1, 2), out=out)
        else:
            g = self._by_class(self.g)
            yield partial(g.mul_, self.p.unsqueeze(-1))
            yield partial(torch.sum, g, 2, out=out)

    def _by_class(self, x):
        """Return products with axes of classes and features of their own."""
        return x.unflatten(-1, (self.logits.shape[-1], self.features.shape[-1]))
