"""Which nets can be trained as one network, and how a stack of them is trained.

A stack has the network axis in front of all others: weights (n_networks, ...), rows
(n_networks, n, ...), losses (n_networks,). It goes through the loop, the engine, the
objective and the callbacks of a single net. The weights of its members are slices of
the stack's, so that at the end of an epoch each of them can be asked what it predicts.
A member that is done, or that has to go back an epoch, leaves; the others are stacked
anew.
"""

import copy
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from itertools import groupby

import numpy as np
import torch
from torch import nn

from ..exceptions import DivergenceError
from ..nn import GradientReversal
from ..nn._mlp import Dropout
from ..nn._stacked_modules import (
    Stacked,
    StackedDropout,
    release,
    stack_modules,
    stacked_parts,
)
from ._batches import Batch, PairedBatches, to_tensor
from ._device import is_small, limit_threads
from ._divergence import Rollback
from ._early_stopping import EarlyStopping
from ._engine import AutogradEngine
from ._loop import EpochLoop
from ._optimizers import OPTIMIZERS
from ._plan import TrainingPlan
from ._state import capture_state, restore_state

# On a CPU a larger stack takes as much time for each net; on a GPU it takes less.
MAX_NETS_CPU = 32
MAX_BYTES_CPU = 2**30

Errors = dict[TrainingPlan, Exception]


def train(
    plans: Sequence[TrainingPlan], max_stacked: int | str = "auto"
) -> list[Exception | None]:
    """Train nets as planned, as one network where they are alike.

    Each ends as if it had been trained by itself, up to rounding: sums are in another
    order.

    Parameters
    ----------
    plans : sequence of TrainingPlan
        One for each net.
    max_stacked : int or "auto", default="auto"
        Most nets in a stack; "auto" is what memory allows, and on a CPU no more than
        pays.

    Returns
    -------
    list of Exception or None
        Why a net could not be trained. It does not concern the others.
    """
    errors: Errors = {}
    stacks = make_stacks(plans, max_stacked)
    while stacks:
        stack = stacks.pop(0)
        if len(stack) == 1:
            _train_alone(stack[0], errors)
        else:
            stacks += _train_stack_or_halve(stack, errors)
    return [errors.get(plan) for plan in plans]


def _train_alone(plan, errors):
    try:
        plan.net.train_on(plan)
    except Exception as error:
        errors[plan] = error


def _train_stack_or_halve(plans, errors):
    """Train a stack; if it fails as a whole, return two halves, as before training.

    One of its nets may be at fault, which ends up alone so, or there may be too little
    memory for all.
    """
    before = {plan: capture_state(plan.net) for plan in plans}
    try:
        _train_stack(plans, errors)
    except Exception as error:
        traceback.clear_frames(error.__traceback__)  # they hold the stack's memory
        for plan in plans:
            _make_independent(plan.net)
            restore_state(plan.net, before[plan])
        middle = len(plans) // 2
        return [plans[:middle], plans[middle:]]
    return []


def make_stacks(
    plans: Sequence[TrainingPlan], max_stacked: int | str
) -> list[list[TrainingPlan]]:
    """Divide plans into stacks.

    Nets stack that have one architecture, one optimizer and the same rows. Their
    weights, seeds, schedules, labels, momentum, weight decay, dropout, class weights,
    numbers of epochs and early stopping are their own. What can't be stacked comes as a
    list of one.

    Parameters
    ----------
    plans, max_stacked
        As in :func:`train`.

    Returns
    -------
    list of list of TrainingPlan
    """
    alike: dict[object, list[TrainingPlan]] = {}
    for plan in plans:
        alike.setdefault(_stack_key(plan), []).append(plan)
    stacks = []
    for key, group in alike.items():
        size = 1
        if len(group) > 1 and key[0] is not None and _vmap_is_exact(group):
            size = _auto_size(group[0]) if max_stacked == "auto" else max_stacked
        stacks += [group[i : i + size] for i in range(0, len(group), size)]
    return stacks


def _train_stack(plans, errors):
    """Train plans as a stack, and stacks of what is left as members leave it."""
    net, X = plans[0].net, plans[0].domains.X
    failed: Errors = {}
    with ExitStack() as contexts:
        for plan in plans:
            contexts.enter_context(plan.net.watched_by(plan))
        # a stack could use more threads, but beside a busy neighbor they cost six times
        # what they bring; whoever has cores for it divides the candidates among
        # processes
        contexts.enter_context(limit_threads(is_small(net.module_, X, net.batch_size)))
        for plan in plans:
            _tell(plan, failed, "on_train_begin", X=plan.domains, y=None)
        groups = [[plan for plan in plans if plan not in failed]]
        while groups:
            groups += _train_until_one_leaves(groups.pop(), failed)
    errors |= failed


def _train_until_one_leaves(plans, failed):
    """Return the groups of plans that are to be trained on."""
    if not plans:
        return []
    stack = StackedNet(plans)
    stack.fit_loop(None)
    stack.release_members()
    failed |= stack.failed
    groups = []
    for plan, (rollback, error) in stack.diverged.items():
        try:
            rollback.at_half_the_lr(error)
            groups.append([plan])
        except DivergenceError as final:
            failed[plan] = final
    left = [plan for plan in plans if plan not in failed and plan not in stack.diverged]
    for plan in left:
        if plan.net.is_over:
            _tell(plan, failed, "on_train_end", X=plan.domains, y=None)
    return [*groups, [plan for plan in left if not plan.net.is_over]]


def _tell(plan, failed, event, **data):
    """Tell a net's callbacks; what they raise concerns that net alone."""
    try:
        plan.net.notify(event, **data)
    except Exception as error:
        failed[plan] = error


class StackedNet(EpochLoop):
    """Nets as one, over stacked modules; trained until the first of them leaves.

    Ordered so that equals are neighbors: ``lanes`` are runs of nets with one seed and
    the same rows in use, which see the same batches and draw the same masks.

    Parameters
    ----------
    plans : sequence of TrainingPlan
        Whose nets are set to them, see :meth:`DANNNet.watched_by`.

    Attributes
    ----------
    failed : dict of TrainingPlan to Exception
        Who leaves for good, and why.
    diverged : dict of TrainingPlan to (Rollback, DivergenceError)
        Who leaves to go back an epoch.
    """

    def __init__(self, plans: Sequence[TrainingPlan]):
        lane_key = _lane_numbers(plans)
        group_key = _rank(map(_optimizer_key, plans))
        order = sorted(range(len(plans)), key=lambda i: (lane_key[i], group_key[i]))
        self.plans = [plans[i] for i in order]
        self.nets = [plan.net for plan in self.plans]
        self.lanes = _runs([lane_key[i] for i in order])
        for start, stop in self.lanes:
            for net in self.nets[start + 1 : stop]:  # alike: they draw as one
                net.rngs_, net.draws_ = self.nets[start].rngs_, self.nets[start].draws_
        self.module_ = stack_modules([net.module_ for net in self.nets])
        groups = _runs([(lane_key[i], group_key[i]) for i in order])
        self.optimizer_ = StackedOptimizer(self.nets, self.module_, groups)
        self.engine_ = AutogradEngine(self.module_, self.optimizer_)
        self.engine_.begin(
            self.plans[0].objective,
            [plan.schedules.slowed(plan.net.lr_scale_) for plan in self.plans],
        )
        self.n_steps_ = self.nets[0].n_steps_
        self.failed: Errors = {}
        self.diverged: dict = {}
        self.rollbacks: dict = {}

    @property
    def progress_of_networks(self):
        """Share of the planned steps that are done, of each net."""
        n = self.n_steps_
        return [min(1.0, n / net.planned_steps_) for net in self.nets]

    @property
    def is_over(self):
        """Whether a net leaves the stack."""
        return bool(self.failed or self.diverged) or any(n.is_over for n in self.nets)

    def whole_epoch(self):
        """Keep the way back for those who may want it."""
        self.rollbacks = {
            plan: self._rollback(i)
            for i, plan in enumerate(self.plans)
            if plan.net.on_divergence == "restore"
        }
        return nullcontext()

    def _rollback(self, i):
        self.optimizer_.write_state(i)
        return Rollback(self.nets[i])

    def notify(self, event, **data):
        """Pass an event on to the callbacks of each net, with its own data."""
        for plan in self.plans:
            try:
                own = {"dataset_train": plan.domains, "dataset_valid": None}
                plan.net.notify(event, **own)
            except DivergenceError as error:
                if plan in self.rollbacks:
                    self.diverged[plan] = self.rollbacks[plan], error
                else:
                    self.failed[plan] = error
            except Exception as error:
                self.failed[plan] = error
            if event == "on_epoch_end" and "dur" in plan.net.history[-1]:
                plan.net.history[-1]["dur"] /= len(self.plans)

    def get_iterator(self, X, training=True):
        """Return the batches of the lanes, joined."""
        return StackedBatches(
            [
                PairedBatches(
                    _join_labels([plan.domains for plan in self.plans[start:stop]]),
                    batch_size=self.nets[start].batch_size,
                    dtype=self.nets[start].dtype,
                    device=self.nets[start].device,
                    rngs=self.nets[start].rngs_,
                )
                for start, stop in self.lanes
            ],
            [stop - start for start, stop in self.lanes],
        )

    def _set_training(self, training):
        for net in self.nets:
            net._set_training(training)
        self.module_.train(training)

    def seeded_masks(self):
        """Hand out generators, seeded anew for an epoch as each net would by itself."""
        generators = []
        for start, stop in self.lanes:
            generators += [self.nets[start].epoch_generator()] * (stop - start)
        for part in self.module_.modules():
            if isinstance(part, StackedDropout):
                part.generators = generators
        return nullcontext()

    def set_epoch_losses(self, means):
        """Tell each net the losses of the epoch, and where training stands."""
        first, losses = means.first_loss(), means.means()
        engine = self.engine_
        for i, net in enumerate(self.nets):
            if net.first_loss_ is None:
                net.first_loss_ = first[i]
            net.epoch_losses_ = {name: values[i] for name, values in losses.items()}
            net.n_steps_ = self.n_steps_
            net.module_.set_lambdas([engine.lambdas[i]])
            net.optimizer_.param_groups[0]["lr"] = engine.lrs[i]

    def release_members(self):
        """Give each net weights, optimizer and generators of its own."""
        for i, net in enumerate(self.nets):
            self.optimizer_.write_state(i)
            _make_independent(net)


def _make_independent(net):
    """Give a net that was in a stack weights and generators of its own."""
    release(net.module_)
    net.rngs_, net.draws_ = copy.deepcopy((net.rngs_, net.draws_))


class StackedOptimizer:
    """The optimizers of several nets as one, whose groups are slices of the stack.

    Parameters
    ----------
    nets : sequence of DANNNet
        Their optimizers tell class, options and state.
    module : nn.Module
        Their networks, stacked.
    groups : list of (int, int)
        First and last + 1 of the nets that share a learning rate and options.
    """

    def __init__(self, nets, module, groups):
        self.nets = nets
        self.groups = groups
        self.weights = []
        self.originals = []  # of each weight, the parameters of the nets
        for part in stacked_parts(module):
            for name, weight in part.weights.items():
                self.weights.append(weight)
                self.originals.append([o.get_parameter(name) for o in part.originals])
        self.optimizer = type(nets[0].optimizer_)(
            [
                {
                    **_options(nets[start]),
                    "network": start,
                    "params": [
                        nn.Parameter(w.detach()[start:stop]) for w in self.weights
                    ],
                }
                for start, stop in groups
            ]
        )
        self._read_states()

    @property
    def param_groups(self):
        """Groups of the optimizer; "network" is the first net of each."""
        return self.optimizer.param_groups

    def zero_grad(self):
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    def step(self):
        """Step with the slices of the gradients."""
        for (start, stop), group in zip(self.groups, self.param_groups, strict=True):
            for piece, weight in zip(group["params"], self.weights, strict=True):
                piece.grad = None if weight.grad is None else weight.grad[start:stop]
        self.optimizer.step()

    def _read_states(self):
        for (start, stop), group in zip(self.groups, self.param_groups, strict=True):
            for piece, originals in zip(group["params"], self.originals, strict=True):
                states = [
                    net.optimizer_.state.get(original, {})
                    for net, original in zip(
                        self.nets[start:stop], originals[start:stop], strict=True
                    )
                ]
                if states[0]:
                    self.optimizer.state[piece] = {
                        key: _merge([state[key] for state in states])
                        for key in states[0]
                    }

    def write_state(self, i):
        """Give a net's own optimizer a copy of its part of the state."""
        k, (start, _) = next(
            (k, group) for k, group in enumerate(self.groups) if i in range(*group)
        )
        pieces = self.param_groups[k]["params"]
        for piece, originals in zip(pieces, self.originals, strict=True):
            if piece in self.optimizer.state:
                self.nets[i].optimizer_.state[originals[i]] = {
                    key: _part(value, i - start)
                    for key, value in self.optimizer.state[piece].items()
                }


def _merge(values):
    """Join a value of the state of several optimizers; counts of steps are alike."""
    first = values[0]
    if not isinstance(first, torch.Tensor):
        return first
    return torch.stack(values) if first.ndim else first.clone()


def _part(value, i):
    if not isinstance(value, torch.Tensor):
        return value
    return value[i].clone() if value.ndim else value.clone()


class StackedBatches:
    """Batches of several lanes as one, of shape (n_networks, n, ...).

    Parameters
    ----------
    lanes : list of PairedBatches
        Each serves nets that see the same rows.
    sizes : list of int
        How many.
    """

    def __init__(self, lanes, sizes):
        self.lanes = lanes
        self.sizes = sizes

    def __iter__(self):
        for batches in zip(*self.lanes, strict=True):
            yield self._join(batches)

    def _join(self, batches):
        columns = []
        for batch, size in zip(batches, self.sizes, strict=True):
            # what is known of each net of the lane came as columns
            own = [x if x is None or x.ndim == 1 else x.T for x in batch[1:3]]
            shared = batch[3:]
            columns.append(
                [batch.X.expand(size, *batch.X.shape)]
                + [
                    x if x is None or x.ndim == 2 else x.expand(size, -1)
                    for x in (*own, *shared)
                ]
            )
        if len(columns) == 1:
            return Batch(*columns[0])
        joined = (
            None if parts[0] is None else torch.cat(parts)
            for parts in zip(*columns, strict=True)
        )
        return Batch(*joined)


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


def _lane_numbers(plans):
    """Return the number of each plan's lane: its seed, and the rows in use."""
    lanes: list[TrainingPlan] = []
    numbers = []
    for plan in plans:
        alike = (i for i, lane in enumerate(lanes) if _are_one_lane(plan, lane))
        number = next(alike, len(lanes))
        if number == len(lanes):
            lanes.append(plan)
        numbers.append(number)
    return numbers


def _are_one_lane(plan, other):
    rows, others = plan.domains.rows, other.domains.rows
    same_seed = plan.net.seed == other.net.seed
    return same_seed and (rows is others or np.array_equal(rows, others))


def _optimizer_key(plan):
    """Return what the optimizer of a net is told; equal ones may share a call."""
    lr = plan.schedules.slowed(plan.net.lr_scale_).lr
    return lr, plan.planned_steps, tuple(_options(plan.net).items())


def _options(net):
    group = net.optimizer_.param_groups[0]
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


def _stack_key(plan):
    """Return what nets of a stack must share; unique for one that can't be stacked."""
    net, domains = plan.net, plan.domains
    optimizer = type(net.optimizer_)
    module = net.module_
    n_weights = len(list(module.named_parameters(remove_duplicate=False)))
    if (
        optimizer not in OPTIMIZERS.values()  # it may look at a weight as a whole
        or net.callbacks  # the user's expect a net whose optimizer moves
        or not all(isinstance(c, EarlyStopping) for _, c in plan.callbacks)
        or n_weights != len(list(module.parameters()))  # tied weights
    ):
        return None, id(net)
    shared = [domains.X, domains.X_tgt, domains.row_weight, domains.y_tgt]
    if domains.y_tgt is not None:
        shared.append(domains.y)
    settings = (net.batch_size, net.dtype, net.device, len(domains.rows), net.n_steps_)
    terms = tuple(plan.objective.terms), domains.targets.loss
    return (
        optimizer,
        _module_signature(module),
        settings,
        terms,
        tuple(map(id, shared)),
    )


def _module_signature(module):
    layers = [
        (name, type(part), "" if _may_differ(part) else part.extra_repr())
        for name, part in module.named_modules()
    ]
    values = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    shapes = [(k, v.shape, v.dtype, v.requires_grad) for k, v in values.items()]
    return tuple(layers), tuple(shapes)


def _may_differ(part):
    return isinstance(part, Dropout | GradientReversal)


def _vmap_is_exact(plans):
    """Whether parts that only vmap can stack give there what they give alone."""
    net, domains = plans[0].net, plans[0].domains
    rows = to_tensor(domains.X, slice(0, 4), net.dtype, net.device)
    features = net.module_.transform(rows)
    modules = [copy.deepcopy(plan.net.module_).train() for plan in plans]
    return all(
        _matches_unstacked([getattr(module, name) for module in modules], x)
        for name, x in [
            ("feature_extractor", rows),
            ("label_classifier", features),
            ("domain_classifier", features),
        ]
    )


@torch.no_grad()
def _matches_unstacked(parts, x):
    stacked = stack_modules(parts)
    if not any(type(part) is Stacked for part in stacked.modules()):
        return True  # what is known here needs no trial
    try:
        together = stacked(x.expand(len(parts), *x.shape))
    except Exception:  # whatever vmap raises, or a layer that meets it
        return False
    expected = torch.stack([part(x) for part in parts])
    return torch.allclose(together, expected, rtol=1e-3, atol=1e-5)


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
