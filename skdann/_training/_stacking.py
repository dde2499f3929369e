"""Train several nets as one network: their own batches and masks, one step for all."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import numpy as np
import torch
from torch import nn
from torch.func import vmap

from .._data._domains import Domains
from ..exceptions import DivergenceError
from ..nn import GradientReversal, domain_loss, label_loss, reverse_gradient
from ..nn._mlp import Dropout
from ..nn._stacked_modules import Stacked, StackedDropout, stack_modules, write_back
from ._batches import PairedBatches, to_tensor
from ._callbacks import EpochMeans
from ._early_stopping import EarlyStopping
from ._net import DANNNet
from ._settings import OPTIMIZERS, Scaled
from ._threads import no_idle_threads

# On a CPU a larger stack takes as much time for each net; on a GPU it takes less.
MAX_NETS_CPU = 32
MAX_BYTES_CPU = 2**30


@dataclass(frozen=True)
class Plan:
    """What a net is to be trained on, for how long, along which schedules.

    Attributes
    ----------
    net : DANNNet
        Initialized, not yet trained.
    domains : Domains
        Its data.
    epochs : int
        Passes over the larger domain.
    lambda_at, lr_at : Scaled
        Schedules.
    early_stopping : EarlyStopping or None
        Who may end it earlier; it is then trained by itself.
    """

    net: DANNNet
    domains: Domains
    epochs: int
    lambda_at: Scaled
    lr_at: Scaled
    early_stopping: EarlyStopping | None = None


def make_stacks(plans: Sequence[Plan], max_stacked: int | str) -> list[list[Plan]]:
    """Divide plans into stacks that can be trained by :func:`train_stacked`.

    Nets stack that have one architecture, one optimizer and the same rows. Their
    weights, seeds, schedules, labels, momentum, weight decay, dropout and class
    weights are their own. What can't be stacked comes as a list of one.

    Parameters
    ----------
    plans : sequence of Plan
        One for each net.
    max_stacked : int or "auto"
        Most nets in a stack; "auto" is what memory allows, and on a CPU no more
        than pays.

    Returns
    -------
    list of list of Plan
    """
    alike: dict[object, list[Plan]] = {}
    for plan in plans:
        alike.setdefault(_kind(plan), []).append(plan)
    stacks = []
    for kind, group in alike.items():
        size = 1
        if len(group) > 1 and kind[0] is not None and _survives_stacking(group):
            size = _auto_size(group[0]) if max_stacked == "auto" else max_stacked
        stacks += [group[i : i + size] for i in range(0, len(group), size)]
    return stacks


def train_stacked(plans: Sequence[Plan]) -> list[DivergenceError | None]:
    """Train nets as one network; each ends as if it had been trained by itself.

    Up to rounding: sums are in another order. The nets are then for predicting: their
    optimizers have not moved.

    Parameters
    ----------
    plans : sequence of Plan
        One stack of :func:`make_stacks`.

    Returns
    -------
    list of DivergenceError or None
        Of each net; the others are not disturbed by one that diverges.
    """
    stack = _Stack(plans)
    net = plans[0].net
    # a stack could use more threads, but beside a busy neighbor they cost six times
    # what they bring; whoever has cores for it divides the candidates among processes
    threads = no_idle_threads(net.module_, plans[0].domains.X, net.batch_size)
    with torch.enable_grad(), threads:
        stack.train()
    return [stack.errors.get(id(plan.net)) for plan in plans]


class _Stack:
    """Nets in training together, ordered so that equals are neighbors.

    ``lanes`` are runs of nets with one seed: they see the same rows and draw the same
    masks. ``groups`` are runs, within a lane, with one learning rate and options.
    """

    def __init__(self, plans):
        lane_key, group_key = _rank(p.net.seed for p in plans), _rank(map(_pace, plans))
        order = sorted(range(len(plans)), key=lambda i: (lane_key[i], group_key[i]))
        self.plans = [plans[i] for i in order]
        self.nets = [plan.net for plan in self.plans]
        lanes = _runs([lane_key[i] for i in order])
        groups = _runs([(lane_key[i], group_key[i]) for i in order])
        self.lane_sizes = [stop - start for start, stop in lanes]
        self.lane_nets = [self.nets[start] for start, _ in lanes]
        self.lanes = [
            PairedBatches(
                _join_labels([plan.domains for plan in self.plans[start:stop]]),
                batch_size=net.batch_size,
                dtype=net.dtype,
                device=net.device,
                rngs=net.rngs_,
            )
            for net, (start, stop) in zip(self.lane_nets, lanes, strict=True)
        ]
        self.epochs = self.plans[0].epochs
        self.planned_steps = self.epochs * len(self.lanes[0])
        self.n_steps = 0
        self.errors = {}
        self._stack_networks(groups)

    def _stack_networks(self, groups):
        modules = [net.module_.train() for net in self.nets]
        self.extractor = stack_modules([m.feature_extractor for m in modules])
        self.labeller = stack_modules([m.label_classifier for m in modules])
        self.critic = stack_modules([m.domain_classifier for m in modules])
        self.parts = nn.ModuleList([self.extractor, self.labeller, self.critic])
        self.weights = [
            weight
            for part in self.parts.modules()
            if isinstance(part, Stacked)
            for weight in part.weights.values()
        ]
        # the optimizer sees, for each group, the slices of all weights that are its own
        self.groups = groups
        self.paces = [self.plans[start].lr_at for start, _ in groups]
        self.optimizer = type(self.nets[0].optimizer_)(
            [
                {
                    **_options(self.plans[start]),
                    "params": [
                        nn.Parameter(w.detach()[start:stop]) for w in self.weights
                    ],
                }
                for start, stop in groups
            ]
        )

    def train(self):
        for _ in range(self.epochs):
            started = time.perf_counter()
            self._seed_masks()
            means = EpochMeans()
            for batches in zip(*self.lanes, strict=True):
                means.add(*self._step(batches))
            self._record(means.means(), time.perf_counter() - started)
        write_back(self.parts)
        for plan in self.plans:
            self._note(plan.net, partial(plan.net.check_predictions, plan.domains))

    def _step(self, batches):
        progress = self.n_steps / self.planned_steps
        X, codes, label_weight, is_target, share = self._join(batches)
        features = self.extractor(X).flatten(2)
        logits = self.labeller(features[:, : codes.shape[1]])
        in_dims = (0, 0, None if label_weight is None else 0)
        loss = vmap(label_loss, in_dims)(logits, codes, label_weight)
        losses = [loss.detach()]
        if is_target is not None:
            lambda_ = [[plan.lambda_at(progress)] for plan in self.plans]
            reversed_ = reverse_gradient(
                features, features.new_tensor(lambda_)[..., None]
            )
            domain_logits = self.critic(reversed_).flatten(1)
            of_domain = vmap(domain_loss)(domain_logits, is_target, share)
            loss = loss + of_domain
            losses += [of_domain.detach(), domain_logits.detach(), is_target, share]
        loss.sum().backward()  # no weight is in two of the losses
        self._descend(progress)
        self.n_steps += 1
        if self.n_steps == 1:
            for net, first in zip(self.nets, loss.tolist(), strict=True):
                net.first_loss_ = first
        return losses

    def _descend(self, progress):
        groups = self.optimizer.param_groups
        for (start, stop), pace, group in zip(
            self.groups, self.paces, groups, strict=True
        ):
            group["lr"] = pace(progress)
            for piece, weight in zip(group["params"], self.weights, strict=True):
                piece.grad = None if weight.grad is None else weight.grad[start:stop]
        self.optimizer.step()
        for weight in self.weights:
            weight.grad = None

    def _join(self, batches):
        """Bring the batches of all lanes to shape (n_nets, n, ...)."""
        columns = []
        for (X, labels), size in zip(batches, self.lane_sizes, strict=True):
            # what is known of each net of the lane came as columns
            own = [
                x if x is None or x.ndim == 1 else x.T
                for x in (labels.codes, labels.label_weight)
            ]
            shared = (labels.is_target, labels.domain_weight)
            columns.append(
                [X.expand(size, *X.shape)]
                + [
                    x if x is None or x.ndim == 2 else x.expand(size, -1)
                    for x in (*own, *shared)
                ]
            )
        if len(columns) == 1:
            return columns[0]
        return [
            None if parts[0] is None else torch.cat(parts)
            for parts in zip(*columns, strict=True)
        ]

    def _seed_masks(self):
        """Hand out generators, seeded anew for an epoch as each net would by itself."""
        generators = []
        for net, size in zip(self.lane_nets, self.lane_sizes, strict=True):
            generators += [net.epoch_generator()] * size
        for part in self.parts.modules():
            if isinstance(part, StackedDropout):
                part.generators = generators

    def _record(self, means, seconds):
        """Write the epoch into the history of each net that has not diverged."""
        progress = (self.n_steps - 1) / self.planned_steps
        for plan, *row in zip(self.plans, *means, strict=True):
            net = plan.net
            if id(net) in self.errors:
                continue
            net.n_steps_, net.planned_steps_ = self.n_steps, self.planned_steps
            net.module_.gradient_reversal.lambda_ = plan.lambda_at(progress)
            net.optimizer_.param_groups[0]["lr"] = plan.lr_at(progress)
            net.history.new_epoch()
            net.history.record("epoch", len(net.history))
            net.history.record("dur", seconds / len(self.nets))
            self._note(
                net, lambda net=net, row=row: _loss_record(net).record(net, *row)
            )

    def _note(self, net, check):
        """Keep the first error of a net; it does not concern the others."""
        try:
            check()
        except DivergenceError as error:
            self.errors.setdefault(id(net), error)


def _loss_record(net):
    return dict(net.callbacks_)["loss_record"]


def _pace(plan):
    """Return what the optimizer of a net is told; equal ones may share a call."""
    return plan.lr_at, tuple(_options(plan).items())


def _options(plan):
    group = plan.net.optimizer_.param_groups[0]
    return {k: v for k, v in group.items() if k != "params" and k != "lr"}


def _rank(keys):
    """Return the number of each key, by first appearance."""
    ranks: dict[object, int] = {}
    return [ranks.setdefault(key, len(ranks)) for key in keys]


def _runs(keys):
    """Return (start, stop) of each run of equal keys."""
    runs, start = [], 0
    for _, run in groupby(keys):
        stop = start + len(list(run))
        runs.append((start, stop))
        start = stop
    return runs


def _join_labels(domains):
    """One ``Domains`` for nets that share rows; what differs has a column for each."""
    first = domains[0]

    def join(name):
        values = [getattr(d, name) for d in domains]
        if all(value is values[0] for value in values):
            return values[0]
        n_rows = next(len(value) for value in values if value is not None)
        values = [np.ones(n_rows) if value is None else value for value in values]
        return np.stack(values, axis=1)

    names = ("y", "label_weight", "label_weight_tgt")
    return replace(first, **{name: join(name) for name in names})


def _kind(plan):
    """Return what nets of a stack must share; unique for one that can't be stacked."""
    net, domains = plan.net, plan.domains
    optimizer = type(net.optimizer_)
    module = net.module_
    n_weights = len(list(module.named_parameters(remove_duplicate=False)))
    if (
        optimizer not in OPTIMIZERS.values()  # it may look at a weight as a whole
        or net.callbacks  # they expect a net that trains
        or net.on_divergence == "restore"  # at a learning rate of its own
        or plan.early_stopping is not None  # it may stop before the others
        or n_weights != len(list(module.parameters()))  # tied weights
    ):
        return None, id(net)
    shared = [domains.X, domains.X_tgt, domains.rows, domains.row_weight, domains.y_tgt]
    if domains.y_tgt is not None:
        shared.append(domains.y)
    settings = (net.batch_size, net.dtype, net.device, plan.epochs)
    return optimizer, _structure(module), settings, tuple(map(id, shared))


def _structure(module):
    layers = [
        (name, type(part), "" if _may_differ(part) else part.extra_repr())
        for name, part in module.named_modules()
    ]
    values = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    shapes = [(k, v.shape, v.dtype, v.requires_grad) for k, v in values.items()]
    return tuple(layers), tuple(shapes)


def _may_differ(part):
    return isinstance(part, Dropout | GradientReversal)


def _survives_stacking(plans):
    """Whether parts that only vmap can stack give there what they give alone."""
    net, domains = plans[0].net, plans[0].domains
    rows = to_tensor(domains.X, slice(0, 4), net.dtype, net.device)
    features = net.module_.transform(rows)
    modules = [copy.deepcopy(plan.net.module_).train() for plan in plans]
    return all(
        _stack_alike([getattr(module, name) for module in modules], x)
        for name, x in [
            ("feature_extractor", rows),
            ("label_classifier", features),
            ("domain_classifier", features),
        ]
    )


@torch.no_grad()
def _stack_alike(parts, x):
    stacked = stack_modules(parts)
    if not any(type(part) is Stacked for part in stacked.modules()):
        return True  # what is known here needs no trial
    try:
        together = stacked(x.expand(len(parts), *x.shape))
    except Exception:  # whatever vmap raises, or a layer that meets it
        return False
    alone = torch.stack([part(x) for part in parts])
    return torch.allclose(together, alone, rtol=1e-3, atol=1e-5)


def _auto_size(plan):
    """As many nets as memory allows, and on a CPU no more than pays."""
    net = plan.net
    if net.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(net.device)
        return max(1, free // 2 // _bytes(plan))
    return max(1, min(MAX_NETS_CPU, MAX_BYTES_CPU // _bytes(plan)))


def _bytes(plan):
    """Memory that a net takes in training: states of its weights, activations."""
    net = plan.net
    weights = {w.data_ptr(): w.nbytes for w in net.module_.parameters()}
    rows = to_tensor(plan.domains.X, slice(0, 2), net.dtype, net.device)
    saved = {}

    def count(tensor):
        if tensor.data_ptr() not in weights:
            saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, _same):
        net.module_(rows)
    # weight, gradient, two moments, a spare; activation, its gradient, a spare
    per_row = sum(saved.values()) // len(rows)
    return 5 * sum(weights.values()) + 3 * net.batch_size * per_row


def _same(tensor):
    return tensor
