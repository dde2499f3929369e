"""The gradients of networks of dense layers: a list of calls on arrays that stay."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ..nn._dann import DANN, PARTS
from ..nn._dense import ALL, DenseLayer, backward, forward, plan_layers
from ..nn._dense_conditioning import DenseConditioning
from ..nn._loss_gradients import (
    LABEL_GRADIENTS,
    TARGET_GRADIENTS,
    domain_loss_gradient,
    label_loss_gradient,
)
from ..nn._losses import certainty_weight
from ..nn._sparse_layer import SparseLayer
from ..nn._standardizer import SOURCE
from ._batches import Batch
from ._epoch_means import EpochMeans
from ._masks import Masks
from ._objective import Objective
from ._own_rows import Logits, LogitsOfRanks
from ._runs import runs
from ._step_log import StepLog

# Terms of the objective whose gradients are known here.
TERMS = {"label", "domain", *TARGET_GRADIENTS}


class DenseStep:
    """Computes gradients of the objective, for batches of one form.

    Parameters
    ----------
    networks : sequence of DANN
        Of one architecture; ensembles count as one.
    lanes : sequence of int
        For each, which of the rows of a batch it sees.
    objective : Objective
        What is descended on.
    weights, grads : list of Tensor
        Weights of all networks, and where their gradients go, in the order of the
        layers: (n_networks, ...), or of ensembles (n_networks, n_estimators, ...).
    batch : Batch
        The first.
    n_steps : int
        The most steps of an epoch.
    """

    def __init__(
        self,
        networks: Sequence[DANN],
        lanes: Sequence[int],
        objective: Objective,
        weights: list[Tensor],
        grads: list[Tensor],
        batch: Batch,
        n_steps: int,
    ):
        self.objective = objective
        self.n_each = networks[0].n_estimators or 1
        self.has_target = batch.domain is not None
        self.n_labelled = batch.n_labelled
        self.own = batch.own
        self.rows = rows_of(batch)
        self.is_sparse = isinstance(self.rows[0], list)
        if self.is_sparse:
            self.rows = [list(x) for x in self.rows]
        elif not batch.shares_rows:
            self.rows = [torch.empty_like(x) for x in self.rows]
        n_rows = (self.rows[0][0] if self.is_sparse else self.rows[0]).shape[-2]
        of_labels = n_rows if objective.reads_all_labels else batch.n_labelled_here
        sizes = dict(zip(PARTS, (n_rows, of_labels, n_rows), strict=True))
        plans = [
            {name: plan_layers(getattr(network, name)) for name in PARTS}
            for network in networks
        ]
        n_axes = 1 if networks[0].n_estimators is None else 2
        memory = iter(
            (w.flatten(0, n_axes - 1), g.flatten(0, n_axes - 1))
            for w, g in zip(weights, grads, strict=True)
        )
        self.layers = {}
        kind = SparseLayer if self.is_sparse else DenseLayer  # of the first
        for name in PARTS if self.has_target else PARTS[:2]:
            self.layers[name] = []
            for plan in plans[0][name]:
                (weight, weight_grad), (bias, bias_grad) = next(memory), next(memory)
                arrays = weight, bias, weight_grad, bias_grad
                self.layers[name].append(kind(plan, *arrays, sizes[name]))
                kind = DenseLayer
        self.masks = self._make_masks(plans, n_steps)
        self.logits = self._make_logits()
        self._make_arrays(batch, networks[0].conditioning)
        logits = [self.logits.h[0]]
        if self.has_target:
            logits.append(self.domain_logits)
        self.log = StepLog(objective, logits, batch, self.n_each, n_steps)
        self.calls = [*self._read_rows(networks, lanes, batch), *self._calls()]

    @property
    def extract(self):
        """Layers of the feature extractor."""
        return self.layers["feature_extractor"]

    @property
    def label(self):
        """Layers of the label classifier."""
        return self.layers["label_classifier"]

    def _rows_of_ranks(self, names):
        """Return how many rows of all ranks come to parts of a network."""
        return [self.own.count(n, self.objective.reads_all_labels) for n in names]

    def _make_logits(self):
        """Return where logits of all rows are: of one process, those of its layers."""
        names = PARTS[1:] if self.has_target else PARTS[1:2]
        layers = [self.layers[name][-1] for name in names]
        if self.own is None:
            return Logits(layers)
        return LogitsOfRanks(layers, self.own, self._rows_of_ranks(names))

    def _make_masks(self, plans, n_steps):
        with_dropout = [
            (name, j)
            for name, layers in self.layers.items()
            for j in range(len(layers))
            if plans[0][name][j].dropout
        ]
        if not with_dropout:
            return None
        return Masks(
            [self.layers[name][j] for name, j in with_dropout],
            [[plan[name][j].dropout for name, j in with_dropout] for plan in plans],
            n_steps,
            self.own,
            self._rows_of_ranks(name for name, _ in with_dropout) if self.own else (),
        )

    def _make_arrays(self, batch, conditioning):
        """Make what the calls read beside rows and weights."""
        last = self.logits.h[0]
        self.logits.g[0].zero_()  # of rows that no loss reads it stays so
        n_networks, _, n_classes = last.shape
        self.truth = last.new_empty(n_networks, self.n_labelled, n_classes)
        self.share: float | Tensor = 1 / self.n_labelled
        if batch.label_weight is not None:
            self.share = last.new_empty(n_networks, self.n_labelled, 1)
        # one number for each network, as a factor of what is of rows
        self.reversal = last.new_zeros(n_networks, 1, 1)
        of_target = [name for name in TARGET_GRADIENTS if name in self.objective.terms]
        self.factors = {name: torch.zeros_like(self.reversal) for name in of_target}
        self.lambdas = self.weights = None
        if not self.has_target:
            return
        self.domain_weight = batch.domain_weight.reshape(n_networks, -1).clone()
        self.domain_weight_read = batch.domain_weight
        self.certain_weight = self.condition = None
        if conditioning is not None:
            features = self.extract[-1].h
            of_rows = self.label[-1].h
            self.condition = DenseConditioning(conditioning, features, of_rows)
            if conditioning.by_entropy:
                self.certain_weight = torch.empty_like(self.domain_weight)
        self.is_target = batch.domain.reshape(n_networks, -1).to(last.dtype)
        _, of_domains = self.logits.h
        self.domain_logits = of_domains.squeeze(-1)
        self.group_truth = None
        if batch.group is not None:
            self.domain_logits = of_domains
            self.group_truth = torch.empty_like(of_domains)

    def _read_rows(self, networks, lanes, batch):
        """Yield the calls that standardize rows, and note who reads which."""
        pairs = zip(networks, lanes, strict=True)
        self.inputs = []
        for start, stop in runs([_input_key(*pair) for pair in pairs]):
            rows, network = self.rows[lanes[start]], networks[start]
            if network.standardizer is not None:
                standardized = torch.empty_like(rows)
                yield from _standardize(network.standardizer, rows, standardized, batch)
                rows = standardized
            if self.is_sparse:
                n = self.n_each
                of_all = range(start * n, stop * n)
                self.inputs += [(rows, i % n, i) for i in of_all]
            elif network.n_estimators is None:  # a product for all of them
                x = rows.expand(stop - start, *rows.shape)
                self.inputs.append((x, slice(start, stop)))
            else:
                n = self.n_each
                of_each = [slice(n * i, n * (i + 1)) for i in range(start, stop)]
                self.inputs += [(rows, of) for of in of_each]

    def _calls(self):
        """Yield the calls of a step: forwards, then backwards.

        A device may repeat them as they are: numbers in them are the same at each step.
        """
        features, of_features = self.extract[-1].h, self.extract[-1].g
        n = self.label[-1].h.shape[1]
        of_labelled = of_features
        yield from forward(self.extract, self.inputs)
        yield from forward(self.label, [(features[:, :n], ALL)])
        if not self.has_target:
            yield from self.logits.exchange()
        else:
            yield from self._of_domains(features, of_features)
            yield partial(of_features.mul_, self.reversal)
            of_labelled = torch.empty_like(of_features[:, :n])
        yield from self._of_label_logits()
        yield from backward(self.label, of_labelled)
        if self.has_target:
            yield partial(of_features[:, :n].add_, of_labelled)
        yield from backward(self.extract)

    def _of_domains(self, features, of_features):
        """Yield the calls to the domain logits and back to the features."""
        domain, condition = self.layers["domain_classifier"], self.condition
        x, of_x = features, of_features
        if condition is not None:
            x, of_x = condition.x, condition.g
            yield from condition.forward()
        yield from forward(domain, [(x, ALL)])
        yield from self.logits.exchange()
        if self.certain_weight is not None:
            yield self._weigh_by_certainty
        yield self._of_domain_logits(self.logits.g[1])
        yield from self.logits.hand_back(1)
        yield from backward(domain, of_x)
        if condition is not None:
            yield from condition.backward(of_features)

    def _weigh_by_certainty(self):
        weight = self.logits.h[0], self.is_target, self.domain_weight
        self.certain_weight.copy_(certainty_weight(*weight))

    def _of_domain_logits(self, gradient):
        """Return the call that computes the gradient of the domain logits."""
        logits, weight = self.domain_logits, self.domain_weight
        if self.certain_weight is not None:
            weight = self.certain_weight
        if self.group_truth is not None:  # a cross-entropy, as of labels
            share, truth = weight.unsqueeze(-1), self.group_truth
            return partial(label_loss_gradient, logits, truth, share, gradient)
        gradient = gradient.squeeze(-1)
        return partial(domain_loss_gradient, logits, self.is_target, weight, gradient)

    def _of_label_logits(self):
        """Yield the calls that compute gradients of the label logits."""
        logits, gradient, n = self.logits.h[0], self.logits.g[0], self.n_labelled
        of_label = LABEL_GRADIENTS[self.objective.label_loss]
        yield partial(of_label, logits[:, :n], self.truth, self.share, gradient[:, :n])
        weight = self.domain_weight[:, n:] if self.log.weighs_target else None
        of_target = gradient[:, n:]
        for i, (name, factor) in enumerate(self.factors.items()):
            out = torch.empty_like(of_target) if i else of_target
            yield partial(TARGET_GRADIENTS[name], logits[:, n:], weight, out)
            yield partial(out.mul_, factor)
            if i:
                yield partial(of_target.add_, out)
        yield from self.logits.hand_back(0)

    def restart(self, means: EpochMeans, n_steps: int) -> None:
        """Begin an epoch of so many steps, whose losses go to ``means``."""
        self.log.restart(means)
        if self.masks is not None:
            self.masks.restart(n_steps)

    def compute_gradients(
        self,
        batch: Batch,
        lambdas: list[float],
        weights: list[dict[str, float]],
    ) -> None:
        """Compute the gradients of a batch.

        Parameters
        ----------
        batch : Batch
            As long as the first.
        lambdas : list of float
            Strength of the adversary, of each network or ensemble.
        weights : list of dict of str to float
            Likewise, of optional loss terms.
        """
        self._read(batch)
        self._set_factors(lambdas, weights)
        if self.masks is not None:
            self.masks.next()
        for call in self.calls:
            call()
        self.log.add(batch, weights)

    def _read(self, batch):
        """Bring a batch into the arrays that the calls read."""
        for rows, x in zip(self.rows, rows_of(batch), strict=True):
            if self.is_sparse:
                rows[:] = x
            elif x is not rows:
                rows.copy_(x)
        if batch.has_numbers:
            self.truth.copy_(batch.y.reshape(self.truth.shape))
        else:
            _write_one_hot(batch.y, self.truth)
        if batch.group is not None:
            _write_one_hot(batch.group, self.group_truth)
        if batch.label_weight is not None:
            weight = batch.label_weight.reshape(self.share.shape)
            torch.div(weight, self.n_labelled, out=self.share)
        if self.has_target and batch.domain_weight is not self.domain_weight_read:
            self.domain_weight_read = batch.domain_weight
            weight = batch.domain_weight.reshape(self.domain_weight.shape)
            self.domain_weight.copy_(weight)

    def _set_factors(self, lambdas, weights):
        """Tell the calls how strong the adversary is, and optional terms."""
        if lambdas != self.lambdas:
            self.lambdas = lambdas
            self._write([-lambda_ for lambda_ in lambdas], self.reversal)
        if weights != self.weights:
            self.weights = weights
            for name, factor in self.factors.items():
                self._write([w[name] for w in weights], factor)

    def _write(self, values, out):
        if len(set(values)) == 1:
            out.fill_(values[0])
            return
        column = self.truth.new_tensor(values).repeat_interleave(self.n_each)
        out.copy_(column.view(out.shape))


def _write_one_hot(codes, out):
    """Write 1 where a code points to, and 0 elsewhere."""
    out.zero_().scatter_(2, codes.reshape(*out.shape[:2], 1), 1.0)


def rows_of(batch: Batch) -> tuple[Tensor, ...]:
    """Return the rows of each lane of a batch."""
    return batch.X if isinstance(batch.X, tuple) else (batch.X,)


def _input_key(network, lane):
    """Return what networks share that read the same numbers."""
    part = network.standardizer
    values = () if part is None else (part.mean.tolist(), part.scale.tolist())
    return lane, values


def _standardize(standardizer, rows, out, batch):
    """Yield the calls that standardize rows, each domain by its scales."""
    n_source = rows.shape[-2]
    if batch.domain is not None:
        domain = batch.domain_here.reshape(-1, n_source)[0]
        n_source = int((domain == SOURCE).sum())
    for domain, of in enumerate((slice(n_source), slice(n_source, None))):
        mean, scale = standardizer.mean[domain], standardizer.scale[domain]
        part = out[..., of, :]
        if part.numel():
            yield partial(torch.sub, rows[..., of, :], mean, out=part)
            yield partial(part.div_, scale)
