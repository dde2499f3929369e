"""The two losses of domain-adversarial training, as pure functions of logits."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy


def label_loss(logits: Tensor, codes: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Mean cross-entropy of the label classifier, :math:`L_y`.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Output of the label classifier.
    codes : Tensor of shape (n,), int64
        True classes, as positions in ``classes_``.
    weight : Tensor of shape (n,) or None, default=None
        Weight of each row, 1 on average over the whole data set; None weighs all alike.

    Returns
    -------
    Tensor
        A scalar.
    """
    if weight is None:
        return cross_entropy(logits, codes)
    return (weight * cross_entropy(logits, codes, reduction="none")).mean()


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
    logits : Tensor of shape (n,)
        Output :math:`d` of the domain classifier.
    is_target : Tensor of shape (n,), of the dtype of logits
        0 for rows of the source, 1 for rows of the target.
    weight : Tensor of shape (n,) or None, default=None
        Share of each row in the loss. None is ``domain_weight``.

    Returns
    -------
    Tensor
        A scalar; :math:`\ln 2` for a classifier that does not know.
    """
    if weight is None:
        weight = domain_weight(is_target)
    return binary_cross_entropy_with_logits(logits, is_target, weight, reduction="sum")


def domain_weight(is_target: Tensor) -> Tensor:
    """Give each domain one half of the loss, shared equally by its rows.

    Parameters
    ----------
    is_target : Tensor of shape (n,)
        0 for rows of the source, 1 for rows of the target.

    Returns
    -------
    Tensor
        Of the shape of ``is_target``; sums to 1 if both domains have rows.
    """
    n_target = is_target.sum()
    n_source = len(is_target) - n_target
    return 0.5 * torch.where(is_target > 0, 1 / n_target, 1 / n_source)
