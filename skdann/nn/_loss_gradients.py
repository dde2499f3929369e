"""Gradients of the losses with respect to their logits, derived by hand.

Each belongs to the function of :mod:`skdann.nn._losses` that is named like it.
"""

import torch
from torch import Tensor


def label_loss_gradient(
    logits: Tensor, truth: Tensor, share: float | Tensor, out: Tensor
) -> Tensor:
    r"""Write the gradient of the label loss with respect to the logits.

    .. math:: \frac{\partial L_y}{\partial z_{ik}}
              = \frac{w_i}{n} \left( \mathrm{softmax}(z_i)_k - [y_i = k] \right)

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Output :math:`z` of the label classifier.
    truth : Tensor of shape (..., n, n_classes)
        1 at the true class of each row, 0 elsewhere.
    share : float or Tensor of shape (..., n, 1)
        Of each row in the mean, :math:`w_i / n`.
    out : Tensor of shape (..., n, n_classes)
        Where to.
    """
    return torch.softmax(logits, -1, out=out).sub_(truth).mul_(share)


def squared_error_gradient(
    outputs: Tensor, y: Tensor, share: float | Tensor, out: Tensor
) -> Tensor:
    r"""Write the gradient of half the squared error, :math:`e_{ik} w_i / (n K)`.

    Parameters
    ----------
    outputs, y : Tensor of shape (..., n, n_outputs)
        What is predicted, and what is true; :math:`e` is their difference, of
        :math:`K` outputs.
    share : float or Tensor of shape (..., n, 1)
        Of each row in the mean, :math:`w_i / n`.
    out : Tensor of shape (..., n, n_outputs)
        Where to.
    """
    return torch.sub(outputs, y, out=out).mul_(share).div_(y.shape[-1])


def absolute_error_gradient(
    outputs: Tensor, y: Tensor, share: float | Tensor, out: Tensor
) -> Tensor:
    r"""Write the gradient of the absolute error, the sign of :math:`e_{ik}`.

    Parameters are those of :func:`squared_error_gradient`.
    """
    return torch.sub(outputs, y, out=out).sign_().mul_(share).div_(y.shape[-1])


def huber_error_gradient(
    outputs: Tensor, y: Tensor, share: float | Tensor, out: Tensor
) -> Tensor:
    r"""Write the gradient of Huber's loss, :math:`e_{ik}` within [-1, 1].

    Parameters are those of :func:`squared_error_gradient`.
    """
    return torch.sub(outputs, y, out=out).clamp_(-1, 1).mul_(share).div_(y.shape[-1])


# By the keys of ``LABEL_LOSSES``: of logits or outputs, the truth in the same shape (1
# at the true class, or numbers), and shares.
LABEL_GRADIENTS = {
    "cross_entropy": label_loss_gradient,
    "squared_error": squared_error_gradient,
    "absolute_error": absolute_error_gradient,
    "huber": huber_error_gradient,
}


def domain_loss_gradient(
    logits: Tensor, is_target: Tensor, weight: Tensor, out: Tensor
) -> Tensor:
    r"""Write the gradient of the domain loss with respect to the logits.

    .. math:: \frac{\partial L_d}{\partial d_i} = w_i (\sigma(d_i) - [i \in T])

    Parameters
    ----------
    logits, is_target, weight : Tensor of shape (..., n)
        Output :math:`d` of the domain classifier; 1 for rows of the target, in the
        dtype of the logits; weight of each row.
    out : Tensor of shape (..., n)
        Where to.
    """
    torch.sigmoid(logits, out=out)
    return out.sub_(is_target).mul_(weight)


def class_confusion_loss_gradient(
    logits: Tensor, weight: Tensor | None, out: Tensor, temperature: float = 2.5
) -> Tensor:
    r"""Write the gradient of minimum class confusion with respect to the logits.

    With :math:`t_j = \sum_k C_{jk}`, and the weights :math:`w` held fixed,

    .. math:: \frac{\partial L}{\partial C_{jk}}
              = -\frac1K \left( \frac{[j = k]}{t_j} - \frac{C_{jj}}{t_j^2} \right)
              =: D_{jk}, \quad
              \frac{\partial L}{\partial \hat y_i} = w_i \, (D + D^\top) \, \hat y_i

    and through the softmax :math:`\partial L / \partial z_{ij} = \hat y_{ij}
    (v_j - \sum_k \hat y_{ik} v_k) / T` of a gradient :math:`v`. A total that is held
    above 0 has no derivative: the second term of D is then left out.

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Label logits of rows of the target.
    weight : Tensor of shape (..., n) or None
        How often each row counts.
    out : Tensor of shape (..., n, n_classes)
        Where to.
    temperature : float, default=2.5
        As of the loss.
    """
    log_p = (logits / temperature).log_softmax(-1)
    p = log_p.exp()
    certainty = 1 + (p * log_p).sum(-1, keepdim=True).exp()
    if weight is not None:
        certainty = certainty * weight.unsqueeze(-1)
    share = certainty / certainty.mean(-2, keepdim=True)
    confusion = (share * p).transpose(-2, -1) @ p
    least = torch.finfo(p.dtype).tiny
    sums = confusion.sum(-1, keepdim=True)
    total = sums.clamp_min(least)
    diagonal = confusion.diagonal(dim1=-2, dim2=-1).unsqueeze(-1)
    of_total = torch.where(sums < least, 0, diagonal / total**2)
    n_classes = p.shape[-1]
    # made on the device: a copy would wait for it
    one = torch.eye(n_classes, dtype=p.dtype, device=p.device)
    of_confusion = (of_total - one / total) / n_classes
    of_p = share * (p @ (of_confusion + of_confusion.transpose(-2, -1)))
    of_p -= (p * of_p).sum(-1, keepdim=True)
    return torch.mul(p, of_p, out=out).div_(temperature)


def entropy_loss_gradient(logits: Tensor, weight: Tensor | None, out: Tensor) -> Tensor:
    r"""Write the gradient of the mean entropy with respect to the logits.

    .. math:: \frac{\partial L}{\partial z_{ik}}
              = -\frac{w_i}{\sum_j w_j} \, p_{ik} (\log p_{ik} + H_i)

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Label logits of rows of the target.
    weight : Tensor of shape (..., n) or None
        How often each row counts.
    out : Tensor of shape (..., n, n_classes)
        Where to.
    """
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    negative_entropy = (p * log_p).sum(-1, keepdim=True)
    torch.mul(p, negative_entropy - log_p, out=out)
    if weight is None:
        return out.div_(logits.shape[-2])
    total = weight.sum(-1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
    return out.mul_((weight / total).unsqueeze(-1))


# Of optional terms that read the target's label logits, by the name of the term.
TARGET_GRADIENTS = {
    "class_confusion": class_confusion_loss_gradient,
    "target_entropy": entropy_loss_gradient,
}
