"""The losses of domain-adversarial training, as pure functions of outputs.

They reduce the last axes alone: logits of one network yield a scalar, those of a stack
of networks, along a first axis, one value for each.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
)


def label_loss(logits: Tensor, codes: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Mean cross-entropy of the label classifier, :math:`L_y`.

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Output of the label classifier.
    codes : Tensor of shape (..., n), int64
        True classes, as positions in ``classes_``.
    weight : Tensor of shape (..., n) or None, default=None
        Weight of each row, 1 on average over the whole data set; None weighs all alike.

    Returns
    -------
    Tensor of shape (...)
        A scalar for one network.
    """
    if logits.ndim == 2 and weight is None:  # one kernel, forwards and backwards
        return cross_entropy(logits, codes)
    # torch wants classes on the second axis, so that rows of all networks are one axis
    flat = cross_entropy(logits.flatten(0, -2), codes.flatten(), reduction="none")
    loss = flat.view(codes.shape)
    return (loss if weight is None else weight * loss).mean(-1)


def squared_error_loss(
    outputs: Tensor, y: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Half the mean squared error, :math:`\frac12 (o - y)^2`.

    One half, so that near the optimum it weighs as :func:`huber_error_loss` does.

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_outputs)
        What is predicted, in deviations of y.
    y : Tensor of shape (..., n, n_outputs)
        The true numbers, likewise.
    weight : Tensor of shape (..., n) or None, default=None
        Weight of each row, 1 on average over the whole data set; None weighs all alike.

    Returns
    -------
    Tensor of shape (...)
        A scalar for one network; the mean over the outputs.
    """
    return _mean_of_rows(mse_loss(outputs, y, reduction="none") / 2, weight)


def absolute_error_loss(
    outputs: Tensor, y: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean absolute error; large errors count no more than their size.

    Parameters are those of :func:`squared_error_loss`.
    """
    return _mean_of_rows(l1_loss(outputs, y, reduction="none"), weight)


def huber_error_loss(
    outputs: Tensor, y: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Mean of :math:`e^2 / 2` for errors up to one deviation of y, else |e| - 1/2.

    Parameters are those of :func:`squared_error_loss`.
    """
    return _mean_of_rows(huber_loss(outputs, y, reduction="none"), weight)


def _mean_of_rows(loss, weight):
    """Return the mean over outputs and rows of losses of shape (..., n, n_outputs)."""
    of_rows = loss.mean(-1)
    return (of_rows if weight is None else weight * of_rows).mean(-1)


def domain_loss(
    logits: Tensor, is_target: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Logistic loss of the domain classifier, each domain counting one half.

    .. math:: L_d = \tfrac12 \left( \frac1n \sum_{i \in S} -\log(1 - \sigma(d_i))
              + \frac1{n'} \sum_{j \in T} -\log \sigma(d_j) \right)

    The mean over a half-source, half-target batch, as in the authors' own code; it
    stays balanced when one half is smaller. The JMLR paper prints the sum of the two
    means: a :math:`\lambda` there is half of one here.

    Parameters
    ----------
    logits : Tensor of shape (..., n)
        Output :math:`d` of the domain classifier.
    is_target : Tensor of shape (..., n)
        0 for rows of the source, 1 for rows of the target, of any dtype.
    weight : Tensor of shape (..., n) or None, default=None
        Weight of each row in the loss. None is ``balanced_domain_weight``.

    Returns
    -------
    Tensor of shape (...)
        A scalar for one network; :math:`\ln 2` for a classifier that does not know.
    """
    is_target = is_target.to(logits.dtype)
    if weight is None:
        weight = balanced_domain_weight(is_target)
    # summing in the kernel saves two more, forwards and backwards
    reduction = "sum" if logits.ndim == 1 else "none"
    loss = binary_cross_entropy_with_logits(
        logits, is_target, weight, reduction=reduction
    )
    return loss if logits.ndim == 1 else loss.sum(-1)


def group_loss(logits: Tensor, groups: Tensor, weight: Tensor) -> Tensor:
    r"""Cross-entropy of a domain classifier that tells all groups apart.

    .. math:: L_d = \tfrac12 \left( \frac1a \sum_{g=1}^a \frac1{n_g}
              \sum_{i \in S_g} -\log p_g(f_i) + \frac1b \sum_{h=a+1}^{a+b}
              \frac1{n_h} \sum_{j \in T_h} -\log p_h(f_j) \right)

    for :math:`a` groups of the source and :math:`b` of the target, with the softmax
    :math:`p` of the logits. Of one group each it is :func:`domain_loss` of the
    difference of the two logits.

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_groups)
        Output of the domain classifier.
    groups : Tensor of shape (..., n), int64
        Of each row, which output is that of its group.
    weight : Tensor of shape (..., n)
        Weight of each row in the loss.

    Returns
    -------
    Tensor of shape (...)
        A scalar for one network.
    """
    flat = cross_entropy(logits.flatten(0, -2), groups.flatten(), reduction="none")
    return (weight * flat.view(groups.shape)).sum(-1)


def balanced_domain_weight(is_target: Tensor) -> Tensor:
    """Give each domain one half of the loss, shared equally by its rows.

    Parameters
    ----------
    is_target : Tensor of shape (..., n)
        0 for rows of the source, 1 for rows of the target.

    Returns
    -------
    Tensor
        Of the shape of ``is_target``; sums to 1 if both domains have rows.
    """
    n_target = is_target.sum(-1, keepdim=True)
    n_source = is_target.shape[-1] - n_target
    return 0.5 * torch.where(is_target > 0, 1 / n_target, 1 / n_source)


def certainty_weight(logits: Tensor, is_target: Tensor, weight: Tensor) -> Tensor:
    r"""Have rows that are predicted with certainty count more in the domain loss [1]_.

    .. math:: w'_i \propto w_i \, (1 + e^{-H(p_i)}), \quad p_i = \mathrm{softmax}(z_i)

    with the entropy :math:`H`: up to twice as much as a row of which nothing is known.
    The rows of each domain together count as before. No gradient passes through it.

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Label logits :math:`z`.
    is_target : Tensor of shape (..., n)
        0 for rows of the source, 1 for rows of the target.
    weight : Tensor of shape (..., n)
        Weight :math:`w` of each row in the domain loss.

    Returns
    -------
    Tensor of shape (..., n)

    References
    ----------
    .. [1] M. Long, Z. Cao, J. Wang and M. I. Jordan, "Conditional Adversarial Domain
       Adaptation", NeurIPS 2018, arXiv:1705.10667, equation 9.
    """
    log_p = logits.detach().log_softmax(-1)
    certain = weight * (1 + (log_p.exp() * log_p).sum(-1).exp())
    shares = []
    for of in (is_target == 0, is_target != 0):
        total = (certain * of).sum(-1, keepdim=True)
        total = total.clamp_min(torch.finfo(weight.dtype).tiny)  # all may count nothing
        shares.append((weight * of).sum(-1, keepdim=True) / total)
    return certain * torch.where(is_target == 0, *shares)


def class_confusion_loss(
    logits: Tensor, temperature: float = 2.5, weight: Tensor | None = None
) -> Tensor:
    r"""Minimum class confusion of unlabelled rows [1]_.

    How often the network hesitates between two classes: low if each row is predicted
    as one class with certainty, whichever it is, and classes keep their proportions.

    .. math:: \hat y_i = \mathrm{softmax}(z_i / T), \quad
              w_i = \frac{n \, (1 + e^{-H(\hat y_i)})}
                        {\sum_{i'} (1 + e^{-H(\hat y_{i'})})}, \quad
              C_{jk} = \sum_i w_i \hat y_{ij} \hat y_{ik}, \quad
              L = \frac1K \sum_j \sum_{k \ne j} \frac{C_{jk}}{\sum_l C_{jl}}

    with the entropy :math:`H` of a row, so that rows which the network is sure of count
    more. As in the authors' code no gradient passes through :math:`w`.

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Label logits :math:`z` of rows of the target.
    temperature : float, default=2.5
        :math:`T`: larger values spare the network's overconfidence. The default is the
        paper's.
    weight : Tensor of shape (..., n) or None, default=None
        How often each row counts, on any scale. None counts all alike.

    Returns
    -------
    Tensor of shape (...)
        In [0, 1 - 1 / n_classes]; a scalar for one network.

    References
    ----------
    .. [1] Y. Jin, X. Wang, M. Long and J. Wang, "Minimum Class Confusion for Versatile
       Domain Adaptation", ECCV 2020, arXiv:1912.03699, equations 2 to 6.

    Examples
    --------
    >>> import torch
    >>> from skdann.nn import class_confusion_loss
    >>> certain = torch.tensor([[50.0, 0.0], [0.0, 50.0]])
    >>> round(class_confusion_loss(certain).item(), 4)
    0.0
    >>> round(class_confusion_loss(torch.zeros(2, 2)).item(), 4)
    0.5
    """
    log_p = (logits / temperature).log_softmax(-1)
    p = log_p.exp()
    with torch.no_grad():
        certainty = 1 + (p * log_p).sum(-1, keepdim=True).exp()
        if weight is not None:
            certainty = certainty * weight.unsqueeze(-1)
        share = certainty / certainty.mean(-2, keepdim=True)
    confusion = (share * p).transpose(-2, -1) @ p
    # a class whose probability underflows in all rows would be 0 / 0
    total = confusion.sum(-1, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny)
    confusion = confusion / total
    return 1 - confusion.diagonal(dim1=-2, dim2=-1).mean(-1)


def entropy_loss(logits: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Mean entropy of the predictions for unlabelled rows [1]_.

    Low if each row is predicted with certainty, whichever class that is: borders
    between classes then run where there are few rows. It does not ask for all classes
    to be there: one class for all rows has none.

    .. math:: L = -\frac1n \sum_i \sum_k p_{ik} \log p_{ik}, \quad
              p_i = \mathrm{softmax}(z_i)

    Parameters
    ----------
    logits : Tensor of shape (..., n, n_classes)
        Label logits :math:`z` of rows of the target.
    weight : Tensor of shape (..., n) or None, default=None
        How often each row counts, on any scale. None counts all alike.

    Returns
    -------
    Tensor of shape (...)
        In [0, log n_classes]; a scalar for one network.

    References
    ----------
    .. [1] Y. Grandvalet and Y. Bengio, "Semi-supervised Learning by Entropy
       Minimization", NeurIPS 2004.

    Examples
    --------
    >>> import torch
    >>> from skdann.nn import entropy_loss
    >>> round(entropy_loss(torch.zeros(3, 2)).item(), 4)
    0.6931
    """
    log_p = logits.log_softmax(-1)
    entropy = -(log_p.exp() * log_p).sum(-1)
    if weight is None:
        return entropy.mean(-1)
    total = weight.sum(-1).clamp_min(torch.finfo(weight.dtype).tiny)
    return (weight * entropy).sum(-1) / total


LabelLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]

# Of numbers, by the values of the parameter ``loss``.
RESPONSE_LOSSES: dict[str, LabelLoss] = {
    "squared_error": squared_error_loss,
    "absolute_error": absolute_error_loss,
    "huber": huber_error_loss,
}

# What a label classifier is trained by, by the kind of y.
LABEL_LOSSES: dict[str, LabelLoss] = {"cross_entropy": label_loss, **RESPONSE_LOSSES}
