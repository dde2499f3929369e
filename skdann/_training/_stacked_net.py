"""Several nets as one, over stacked modules.

A stack has the network axis in front of all others: weights (n_networks, ...), rows
(n_networks, n, ...), losses (n_networks,). It goes through the loop, the engine, the
objective and the callbacks of a single net. The weights of its members are slices of
the stack's, so that at the end of an epoch each of them can be asked what it predicts.
"""

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from ..exceptions import DivergenceError
from ..nn._stacked_modules import release, stack_modules, stacked_parts
from ._batches import Batch, PairedBatches, are_sparse
from ._dense_engine import DenseEngine
from ._divergence import Rollback
from ._engine import AutogradEngine
from ._loop import EpochLoop
from ._plan import TrainingPlan
from ._runs import runs


class StackedNet(EpochLoop):
    """Nets as one, over stacked modules; trained until the first of them leaves.

    Ordered so that equals are neighbors: ``lanes`` are runs of nets with one seed and
    the same rows in use, which see the same batches and draw the same masks.

    Parameters
    ----------
    plans : sequence of TrainingPlan
        Whose nets follow them, see :meth:`DANNNet.following`.

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
        self.lanes = runs([lane_key[i] for i in order])
        for start, stop in self.lanes:
            for net in self.nets[start + 1 : stop]:  # alike: they draw as one
                net.rngs_, net.draws_ = self.nets[start].rngs_, self.nets[start].draws_
        objective = self.plans[0].objective
        self.engine_ = self._make_engine(objective, order, lane_key, group_key)
        self.engine_.begin(
            objective,
            [plan.schedules.slowed(plan.net.lr_scale_) for plan in self.plans],
        )
        self.n_steps_ = self.nets[0].n_steps_
        self.failed: dict[TrainingPlan, Exception] = {}
        self.diverged: dict = {}
        self.rollbacks: dict = {}

    def _make_engine(self, objective, order, lane_key, group_key):
        first = self.nets[0]
        is_sparse = are_sparse(self.plans[0].domains, first.dtype)
        what = first.module_, objective, first.optimizer_, is_sparse
        if DenseEngine.unsupported(*what):
            groups = runs([(lane_key[i], group_key[i]) for i in order])
            return StackedAutogradEngine(self.nets, groups)
        return DenseEngine(
            [net.module_ for net in self.nets],
            [net.optimizer_ for net in self.nets],
            [lane_key[i] for i in order],
            are_rows_sparse=is_sparse,
        )

    def choose_engine(self):
        """Do nothing: members of a stack have no callbacks that could change them."""

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
        self.engine_.hand_out(i)
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
            joins_rows=isinstance(self.engine_, AutogradEngine),
        )

    def _set_training(self, training):
        for net in self.nets:
            net._set_training(training)

    def seeded_masks(self):
        """Hand out generators, seeded anew for an epoch as each net would by itself."""
        for start, stop in self.lanes:
            generator = self.nets[start].epoch_generator()
            for net in self.nets[start:stop]:
                net.hand_out_generator(generator)
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
        self.engine_.end()
        for net in self.nets:
            make_independent(net)
        # tracebacks of what members raised may keep this object, but not its memory
        del self.engine_


def make_independent(net):
    """Give a net that was in a stack weights and generators of its own."""
    release(net.module_)
    net._set_training(False)  # stacking wants all of them in one mode
    net.rngs_, net.draws_ = copy.deepcopy((net.rngs_, net.draws_))


class StackedAutogradEngine(AutogradEngine):
    """Autograd over the stacked modules of several nets.

    Parameters
    ----------
    nets : sequence of DANNNet
        Whose weights become slices of the stack's.
    groups : list of (int, int)
        First and last + 1 of the nets that share a learning rate and options.
    """

    def __init__(self, nets, groups):
        network = stack_modules([net.module_ for net in nets])
        super().__init__(network, StackedOptimizer(nets, network, groups))
        self.nets = nets

    def begin_epoch(self, n_steps):
        """Begin to record the losses of an epoch of so many steps."""
        super().begin_epoch(n_steps)
        self.network.train()

    def hand_out(self, i):
        """Give a net's own optimizer a copy of its part of the state."""
        self.optimizer.write_state(i)

    def end(self):
        """Give each net's own optimizer a copy of its part of the state."""
        for i in range(len(self.nets)):
            self.hand_out(i)


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
    joins_rows : bool
        Whether ``X`` of a batch is to have the axis of networks, too; if not, it is a
        tuple of the rows of each lane.
    """

    def __init__(self, lanes, sizes, *, joins_rows):
        self.lanes = lanes
        self.sizes = sizes
        self.joins_rows = joins_rows
        self.n_axes = int(lanes[0].is_of_ensemble)
        self.reuses_rows = self.keeps_sparse = False
        self.dtype = torch.from_numpy(np.empty(0, lanes[0].dtype)).dtype

    def __len__(self):
        return len(self.lanes[0])

    def __iter__(self):
        for lane in self.lanes:
            lane.reuses_rows = self.reuses_rows
            lane.keeps_sparse = self.keeps_sparse
        for batches in zip(*self.lanes, strict=True):
            yield self._join(batches)

    def _join(self, batches):
        if self.joins_rows:
            return self._join_columns(batches)
        joined = self._join_columns([replace(batch, X=None) for batch in batches])
        joined.X = tuple(batch.X for batch in batches)
        joined.shares_rows = batches[0].shares_rows
        return joined

    def _join_columns(self, batches):
        is_weighted = any(batch.label_weight is not None for batch in batches)
        columns = [
            _expand(batch, size, is_weighted, self.n_axes, self.dtype)
            for batch, size in zip(batches, self.sizes, strict=True)
        ]
        weighs_target = batches[0].weighs_target  # lanes have their target in common
        if len(columns) == 1:
            *of_rows, group = columns[0]
            return Batch(*of_rows, weighs_target, group=group)
        *joined, group = (
            None if parts[0] is None else torch.cat(parts)
            for parts in zip(*columns, strict=True)
        )
        return Batch(*joined, weighs_target, group=group)


def _expand(batch, size, is_weighted, n_axes, dtype):
    """Return the fields of a lane's batch with the axis of its networks in front.

    What differs between them (labels, weights of labels) has come as columns, behind
    the axes of ensembles and rows.
    """

    def expand(x, n_own=n_axes + 1):
        if x is None:
            return None
        if x.ndim == n_own:
            return x.expand(size, *x.shape)
        return x.movedim(n_axes + 1, 0)

    label_weight = batch.label_weight
    if is_weighted and label_weight is None:  # another lane has weights
        label_weight = batch.y.new_ones(batch.y.shape[: n_axes + 1], dtype=dtype)
    rows = None if batch.X is None else batch.X.expand(size, *batch.X.shape)
    y = expand(batch.y, n_axes + 1 + batch.has_numbers)
    columns = label_weight, batch.domain, batch.domain_weight, batch.group
    return [rows, y, *map(expand, columns)]


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
    """Return learning rate and options of a net's optimizer, by which nets share it."""
    lr = plan.schedules.slowed(plan.net.lr_scale_).lr
    return lr, plan.planned_steps, tuple(_options(plan.net).items())


def _options(net):
    group = net.optimizer_.param_groups[0]
    return {k: v for k, v in group.items() if k != "params" and k != "lr"}


def _rank(keys):
    """Return the number of each key, by first appearance."""
    ranks: dict[object, int] = {}
    return [ranks.setdefault(key, len(ranks)) for key in keys]
