"""The objective: named loss terms, each a function of outputs and batch, and weights.

A term that is added here is trained, recorded in the history and shown by the progress
bar and by ``HistoryDisplay`` under its name. If it is optional, its weight is the
estimator's parameter of the same name.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from ..nn._conditioning import Conditioning
from ..nn._dann import DANN, Outputs
from ..nn._losses import (
    LABEL_LOSSES,
    certainty_weight,
    class_confusion_loss,
    domain_loss,
    entropy_loss,
    group_loss,
)
from ..nn._standardizer import SOURCE
from ._batches import Batch


class LossTerm(NamedTuple):
    """One term of the objective.

    Attributes
    ----------
    loss : callable
        Called with :class:`~skdann.nn._dann.Outputs` and
        :class:`~skdann._training._batches.Batch`; returns one number for each network
        of a stack, a scalar for one.
    is_optional : bool
        Whether it is left out unless it has a weight.
    needs_target : bool
        Whether it is left out without a target.
    reads_all_labels : bool
        Whether it reads label logits of rows without a label.
    """

    loss: Callable[[Outputs, Batch], Tensor]
    is_optional: bool = False
    needs_target: bool = False
    reads_all_labels: bool = False


def label_term(name: str) -> LossTerm:
    """Return the label loss of a name in ``LABEL_LOSSES``: what y is decides it."""
    compute = LABEL_LOSSES[name]

    def loss(outputs, batch):
        logits = outputs.label_logits
        if logits.shape[-2] != batch.n_labelled:
            logits = logits.narrow(-2, 0, batch.n_labelled)
        return compute(logits, batch.y, batch.label_weight)

    return LossTerm(loss)


def domain_term(conditioning: Conditioning | None = None) -> LossTerm:
    """Return the domain loss of a network; a conditional one reads all label logits."""
    is_conditional = conditioning is not None
    by_entropy = is_conditional and conditioning.by_entropy

    def loss(outputs, batch):
        weight = batch.domain_weight
        if by_entropy:
            weight = certainty_weight(outputs.label_logits, batch.domain, weight)
        if batch.group is not None:
            return group_loss(outputs.domain_logits, batch.group, weight)
        return domain_loss(outputs.domain_logits, batch.domain, weight)

    return LossTerm(loss, needs_target=True, reads_all_labels=is_conditional)


def target_term(compute: Callable) -> LossTerm:
    """Return an optional term of the label logits of target rows, and their weights."""

    def loss(outputs, batch):
        of_target = batch.n_labelled, batch.domain.shape[-1] - batch.n_labelled
        weight = None
        if batch.weighs_target:
            weight = batch.domain_weight.narrow(-1, *of_target)
        return compute(outputs.label_logits.narrow(-2, *of_target), weight=weight)

    return LossTerm(loss, is_optional=True, needs_target=True, reads_all_labels=True)


LOSS_TERMS = {
    "label": label_term("cross_entropy"),
    "domain": domain_term(),
    "class_confusion": target_term(class_confusion_loss),
    "target_entropy": target_term(entropy_loss),
}

# Parameters of estimators: the weights of the optional terms.
OPTIONAL_TERMS = tuple(name for name, term in LOSS_TERMS.items() if term.is_optional)


class Objective:
    r"""The sum of loss terms that a step descends on.

    .. math:: L = L_y + L_d + \sum_k w_k L_k

    The strength of the adversary is no weight of :math:`L_d`: it multiplies the
    gradient that leaves the domain classifier for the features, see
    :func:`skdann.nn.reverse_gradient`.

    Parameters
    ----------
    label_loss : str
        Key of ``LABEL_LOSSES``.
    weighted : sequence of str
        Optional terms to add.
    has_target : bool
        Whether there are target rows.
    conditioning : Conditioning or None, default=None
        That of the network.
    """

    def __init__(
        self,
        label_loss: str,
        weighted=(),
        has_target: bool = True,
        conditioning: Conditioning | None = None,
    ):
        terms = {**LOSS_TERMS, "label": label_term(label_loss)}
        if conditioning is not None:
            terms["domain"] = domain_term(conditioning)
        self.label_loss = label_loss
        self.has_target = has_target
        self.terms = {
            name: term
            for name, term in terms.items()
            if (has_target or not term.needs_target)
            and (name in weighted or not term.is_optional)
        }
        self.reads_all_labels = any(t.reads_all_labels for t in self.terms.values())

    def outputs(self, network: DANN, batch: Batch) -> Outputs:
        """Pass a batch through a network, as far as the terms need it."""
        n_labelled = None if self.reads_all_labels else batch.n_labelled_here
        domain = SOURCE if batch.domain is None else batch.domain_here
        outputs = network.compute_outputs(batch.X, domain, n_labelled, self.has_target)
        return outputs if batch.own is None else self._of_all_ranks(outputs, batch)

    def _of_all_ranks(self, outputs, batch):
        """Return the logits of a batch that ranks share."""
        own, domain_logits = batch.own, outputs.domain_logits
        n_labels = own.count("label_classifier", self.reads_all_labels)
        if domain_logits is not None:
            axis = -1 if batch.group is None else -2
            domain_logits = own.to_all(domain_logits, own.n_rows, axis)
        label_logits = own.to_all(outputs.label_logits, n_labels, -2)
        return Outputs(outputs.features, label_logits, domain_logits)

    def losses(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """Return each term by its name, without its weight."""
        return {name: t.loss(outputs, batch) for name, t in self.terms.items()}

    @staticmethod
    def total(
        losses: dict[str, Tensor], weights: Mapping[str, float | Tensor]
    ) -> Tensor:
        """Return the weighted sum; terms without a weight count once."""
        terms = iter(losses.items())
        _, total = next(terms)
        for name, loss in terms:
            total = total + (weights[name] * loss if name in weights else loss)
        return total
