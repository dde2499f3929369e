"""The two losses of domain-adversarial training, as pure functions of logits."""

from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid


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
    source_logits: Tensor, target_logits: Tensor, source_weight: Tensor | None = None
) -> Tensor:
    r"""Logistic loss of the domain classifier, each domain counting one half.

    .. math:: L_d = \tfrac12 \left( \frac1n \sum_{i \in S} -\log(1 - \sigma(d_i))
              + \frac1{n'} \sum_{j \in T} -\log \sigma(d_j) \right)

    The mean over a half-source, half-target batch, as in the authors' own code; it
    stays balanced when one half is smaller. The JMLR paper prints the sum of the two
    means: a :math:`\lambda` there is half of one here.

    Parameters
    ----------
    source_logits : Tensor of shape (n_source,)
        Output :math:`d` of the domain classifier for source rows, domain 0.
    target_logits : Tensor of shape (n_target,)
        The same for target rows, domain 1.
    source_weight : Tensor of shape (n_source,) or None, default=None
        Weight of each source row, 1 on average; None weighs all alike.

    Returns
    -------
    Tensor
        A scalar; :math:`\ln 2` for a classifier that does not know.
    """
    source = -logsigmoid(-source_logits)
    if source_weight is not None:
        source = source_weight * source
    target = -logsigmoid(target_logits)
    return 0.5 * (source.mean() + target.mean())
