"""The gradient reversal layer: identity forwards, times -lambda backwards."""

import torch
from torch import Tensor, nn


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lambda_):
        ctx.lambda_ = lambda_
        return x.view_as(x)  # autograd needs a new tensor, not a copy

    @staticmethod
    def backward(ctx, grad):
        return -ctx.lambda_ * grad, None


def reverse_gradient(x: Tensor, lambda_: float | Tensor) -> Tensor:
    r"""Return ``x``; on the way back multiply its gradient by ``-lambda_``.

    The operator :math:`R_\lambda` of the paper [1]_: it lets one optimizer minimize
    the domain loss in the domain classifier and maximize it in the features.

    Parameters
    ----------
    x : Tensor
        The features, of any shape.
    lambda_ : float or Tensor that broadcasts with x
        Strength of the reversed gradient, at least 0. Gradients of whatever consumes
        the result are not scaled: only the one that travels on into ``x``.

    Returns
    -------
    Tensor
        The values of ``x``.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495, equations 9 and 10.

    Examples
    --------
    >>> import torch
    >>> from skdann.nn import reverse_gradient
    >>> x = torch.ones(2, requires_grad=True)
    >>> reverse_gradient(x, 0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000, -0.5000])
    """
    return _ReverseGradient.apply(x, lambda_)


class GradientReversal(nn.Module):
    """:func:`reverse_gradient` as a layer, for use in one's own networks.

    Parameters
    ----------
    lambda_ : float, default=1.0
        Strength of the reversed gradient. A plain attribute: set it at any time.

    Examples
    --------
    >>> import torch
    >>> from skdann.nn import GradientReversal
    >>> GradientReversal(0.5)(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, lambda_: float = 1.0):
        super().__init__()
        self.lambda_ = lambda_

    def forward(self, x: Tensor) -> Tensor:
        return reverse_gradient(x, self.lambda_)

    def extra_repr(self) -> str:
        return f"lambda_={self.lambda_:g}"
