"""The skorch net that trains a DANN: its batches, its step, its place in training."""

import copy
import math
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from torch import nn

from .._data._domains import Domains
from ..nn._mlp import Dropout
from ..nn._standardizer import TARGET
from ._batches import PairedBatches, are_sparse, to_tensor
from ._callbacks import LossRecord, ProgressBar, listens_to_batches
from ._dense_engine import DenseEngine
from ._device import is_small, limit_threads
from ._divergence import (
    DivergenceCheck,
    PredictionCheck,
    check_weights,
    explain_out_of_memory,
    explain_single_rows,
    whole_epoch,
)
from ._engine import AutogradEngine
from ._loop import EpochLoop
from ._optimizers import fill_in_momentum, needs_closure
from ._ranks import Ranks, together
from ._rng import seeded_torch_rng
from ._same_start import average_running_moments, take_weights_of_first
from ._settings import with_default_settings
from ._state import capture_state, restore_state

# What a copy does not need: it would hold a second network, or other processes.
_OF_TRAINING = ("engine_", "to_follow_", "ranks_")

# Events between which ranks exchange the same messages, whatever comes of callbacks.
_ENDED_TOGETHER = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")

# Rows of a prediction pass through the network in blocks of about this many values.
BLOCK_VALUES = 2**20


class DANNNet(EpochLoop, NeuralNet):
    """Train a :class:`skdann.nn.DANN` on batches of two domains.

    Of skorch's steps it replaces two: where batches come from (``get_iterator``) and
    what is computed on one (``train_step_single``). Callbacks, optimizers, history and
    saving are skorch's. Arrays passed to ``predict_proba`` yield class probabilities.

    Parameters
    ----------
    module : skdann.nn.DANN
        The network; trained in place.
    dtype : numpy.dtype
        Of the network; rows are converted to it a batch at a time.
    seed : int
        Decides the order of rows and the dropout masks.
    criterion : type, default=torch.nn.CrossEntropyLoss
        Tells skorch what the first output of the network is.
    private_generator : bool, default=True
        Whether the network draws its random numbers from a generator of the net. False
        for networks with parts by the user, whose layers draw from torch's own: it
        is then seeded and put back around the training.
    on_divergence : {"raise", "restore"}, default="raise"
        Whether to give up or to repeat the epoch at half the learning rate.
    **kwargs
        As in :class:`skorch.NeuralNet`.

    Attributes
    ----------
    engine_ : Engine
        Takes the steps.
    n_steps_ : int
        Steps taken so far, over all calls.
    planned_steps_ : int
        Steps at whose end progress is 1.
    end_epoch_ : int
        Epochs at whose end training is over.
    is_finished_ : bool
        Whether training ended, or was told to, and was not interrupted.
    lr_scale_ : float
        What the learning rate is multiplied by since training diverged.
    epoch_losses_ : dict of str to float
        Means over the last epoch's steps, for callbacks.
    """

    def __init__(
        self,
        module,
        *,
        dtype,
        seed,
        criterion=nn.CrossEntropyLoss,
        private_generator=True,
        on_divergence="raise",
        **kwargs,
    ):
        # that of the labels; it tells skorch whether outputs are logits
        super().__init__(module, criterion=criterion, **kwargs)
        self.dtype = dtype
        self.seed = seed
        self.private_generator = private_generator
        self.on_divergence = on_divergence

    # Who trains with this net, while it follows a plan.
    ranks_: Ranks | None = None

    @property
    def _default_callbacks(self):
        return [
            ("epoch_timer", EpochTimer()),
            ("divergence", DivergenceCheck()),
            ("loss_record", LossRecord()),
            ("progress_bar", ProgressBar()),
        ]

    def initialize(self):
        super().initialize()
        order, draws = np.random.SeedSequence(self.seed).spawn(2)
        n_orders = 3 * (self.module_.n_estimators or 1)
        self.rngs_ = [np.random.default_rng(s) for s in order.spawn(n_orders)]
        self.draws_ = np.random.default_rng(draws)
        self.n_steps_ = 0
        self.planned_steps_ = self.end_epoch_ = 0
        self.is_finished_ = False
        self.first_loss_ = None
        self.best_loss_ = math.inf
        self.lr_scale_ = 1.0
        self.engine_ = self._make_engine()
        return self

    def initialize_optimizer(self, *args, **kwargs):
        try:
            return super().initialize_optimizer(*args, **kwargs)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"optimizer={self.optimizer.__name__} can't train this network: {error}"
            ) from error

    @property
    def progress(self):
        """Share of the planned steps that are done, in [0, 1]."""
        return min(1.0, self.n_steps_ / self.planned_steps_)

    @property
    def progress_of_networks(self):
        """``progress`` of each network of a stack; this net is one."""
        return (self.progress,)

    @property
    def is_over(self):
        """Whether no epoch is left to train."""
        return self.is_finished_ or len(self.history) >= self.end_epoch_

    def stop(self):
        """End training after this epoch, as if no more had been planned."""
        self.is_finished_ = True

    def train_on(self, plan):
        """Train as planned, from wherever training stands.

        Interrupted, the net is as it was at the end of its last whole epoch.

        Parameters
        ----------
        plan : TrainingPlan
            For this net.

        Returns
        -------
        self : DANNNet

        Raises
        ------
        DivergenceError
            If the loss explodes; the net is then as it was before the call.
        KeyboardInterrupt
            If interrupted before one epoch is whole; likewise.
        MemoryError
            If a step needs more memory than there is; likewise.
        """
        small = is_small(self.module_, plan.domains.X, self.batch_size)
        memory = explain_out_of_memory(self.device, self.batch_size)
        single_rows = explain_single_rows(self.batch_size)
        with limit_threads(small), memory, single_rows:
            before, ranks = capture_state(self), plan.ranks
            try:
                alike = nullcontext() if ranks is None else ranks.interrupted_together()
                with alike, self.following(plan):
                    self.partial_fit(plan.domains)
                if ranks is not None:
                    take_weights_of_first(ranks, self.module_)
                if not self._is_whole(before["n_epochs"]):
                    raise KeyboardInterrupt  # at which skorch ends a fit quietly
            except BaseException:
                try:
                    restore_state(self, before)
                except BaseException:  # interrupted again, maybe before it had begun
                    restore_state(self, before)
                    raise
                raise
        return self

    def _is_whole(self, n_before):
        """Whether training came to its end, or to that of an epoch after the first."""
        new = self.history[n_before:]
        return "train_loss" in new[-1] if new else self.is_finished_

    @contextmanager
    def following(self, plan):
        """Follow a plan in the body: its schedules, its end, and its callbacks."""
        own = self.callbacks_
        try:
            self._follow(plan, own)
            yield
        finally:
            try:
                self._end_following(own)
            except BaseException:  # interrupted again, maybe before it had begun
                self._end_following(own)
                raise

    def _follow(self, plan, own):
        self.max_epochs = plan.end_epoch - len(self.history)
        self.end_epoch_, self.planned_steps_ = plan.end_epoch, plan.planned_steps
        self.is_finished_ = False
        self.are_rows_sparse_ = are_sparse(plan.domains, self.dtype)
        self.to_follow_ = plan.objective, plan.schedules.slowed(self.lr_scale_)
        self.is_engine_chosen_ = False
        self.ranks_ = plan.ranks
        fill_in_momentum(self.optimizer_)
        # after the user's callbacks, which may have put other weights back
        last_check = ("predictions", PredictionCheck())
        self.callbacks_ = [*own, last_check, *plan.callbacks]
        self.has_batch_callbacks_ = needs_closure(self.optimizer_) or any(
            listens_to_batches(callback) for _, callback in self.callbacks_
        )

    def choose_engine(self):
        """Choose who takes the steps of an epoch: the fastest that can.

        Looked at again where callbacks of the user may have changed the network.
        """
        if self.is_engine_chosen_ and not self.callbacks and self.ranks_ is None:
            return
        objective, schedules = self.to_follow_
        what = self.module_, objective, self.optimizer_, self.are_rows_sparse_
        is_dense = not (self.has_batch_callbacks_ or DenseEngine.unsupported(*what))
        if self.ranks_ is not None:  # no graph of a device holds messages
            is_dense &= torch.device(self.device).type == "cpu"
            # callbacks of one rank may be a reason for all: they exchange the same
            is_dense = not any(self.ranks_.any(not is_dense))
        if self.is_engine_chosen_ and is_dense == isinstance(self.engine_, DenseEngine):
            return
        self.engine_.end()
        self.engine_ = self._make_engine(is_dense)
        self.engine_.begin(objective, [schedules])
        self.is_engine_chosen_ = True

    def engine_for_copies(self):
        """Return who can copy and restore weights until the end of an epoch.

        Callbacks of the user may be a reason to choose another engine meanwhile.
        """
        return self._make_engine() if self.callbacks else self.engine_

    def _make_engine(self, is_dense=False):
        if is_dense:
            return DenseEngine(
                [self.module_],
                [self.optimizer_],
                are_rows_sparse=self.are_rows_sparse_,
            )
        return AutogradEngine(self.module_, self.optimizer_)

    def _end_following(self, own):
        self.engine_.end()
        self.engine_ = self._make_engine()
        self.callbacks_ = own
        self.ranks_ = None
        self.is_finished_ = self.is_over
        self._set_training(False)

    def set_lr_scale(self, scale):
        """Multiply the scheduled learning rate by another number from now on."""
        objective, schedules = self.to_follow_
        self.to_follow_ = objective, schedules.slowed(scale / self.lr_scale_)
        self.lr_scale_ = scale
        self.engine_.begin(objective, [self.to_follow_[1]])

    @contextmanager
    def whole_epoch(self):
        """Train for an epoch in the body: a whole one, or as if it had never begun."""
        with whole_epoch(self):
            yield
        if self.ranks_ is not None:
            [self.is_finished_] = self.ranks_.any(self.is_finished_)

    def notify(self, method_name, **data):
        """Call callbacks; those of all ranks go on, stop or fail together."""
        is_shared = method_name in _ENDED_TOGETHER
        what = f"call {method_name} of its callbacks"
        with together(self.ranks_ if is_shared else None, what):
            return super().notify(method_name, **data)

    def get_dataset(self, X, y=None):
        return X if isinstance(X, Domains) else super().get_dataset(X, y)

    def get_iterator(self, dataset, training=False):
        if not training:
            return super().get_iterator(dataset, training=training)
        return PairedBatches(
            dataset,
            batch_size=self.batch_size,
            dtype=self.dtype,
            device=self.device,
            rngs=self.rngs_,
            ranks=self.ranks_,
        )

    def run_single_epoch(self, iterator, training, prefix, **fit_params):
        """Take the steps of an epoch."""
        what = iterator, training, prefix
        if self.ranks_ is None:
            super().run_single_epoch(*what, **fit_params)
            return
        take_weights_of_first(self.ranks_, self.module_)
        with self.ranks_.in_step():
            super().run_single_epoch(*what, **fit_params)
        average_running_moments(self.ranks_, self.module_)

    def take_steps(self, batches):
        """Take a step on each batch; by skorch's way where a callback watches steps."""
        if self.has_batch_callbacks_:
            NeuralNet.run_single_epoch(self, batches, True, "train", self.train_step)
        else:
            super().take_steps(batches)
            self.history.new_batch()  # skorch's Checkpoint names the last one

    def train_step(self, batch, **fit_params):
        self.engine_.follow(self.progress_of_networks)
        step = super().train_step(batch)
        self.n_steps_ += 1
        return step

    def train_step_single(self, batch, **fit_params):
        return self.engine_.backward(batch)

    def set_epoch_losses(self, means):
        """Tell callbacks the losses of the epoch."""
        if self.first_loss_ is None:
            self.first_loss_ = means.first_loss()
        self.epoch_losses_ = means.means()  # one sync per epoch, not per batch

    @contextmanager
    def seeded_masks(self):
        """Seed the random layers anew for an epoch, from the net's own generator."""
        if not self.private_generator:
            with seeded_torch_rng(self._draw_seed(), torch.device(self.device)):
                yield
            return
        self.hand_out_generator(self.epoch_generator())
        yield

    def hand_out_generator(self, generator):
        """Have all layers that drop units out draw from a generator."""
        for layer in self.module_.modules():
            if isinstance(layer, Dropout):
                layer.generator = generator

    def epoch_generator(self):
        """Return the generator of the next epoch's dropout masks."""
        return torch.Generator(self.device).manual_seed(self._draw_seed())

    def _draw_seed(self):
        return int(self.draws_.integers(2**63))

    def apply(self, method, X, domain=TARGET):
        """Call a method of the network on all rows, block after block.

        Parameters
        ----------
        method : str
            Name of a method of :class:`skdann.nn.DANN` that takes rows.
        X : ndarray or CSR of shape (n, ...)
            Rows.
        domain : int, default=1
            Which they are of: 0 is the source, 1 the target.

        Returns
        -------
        ndarray
            Of the network's dtype.
        """
        function = getattr(self.module_, method)
        size = max(1, BLOCK_VALUES // math.prod(X.shape[1:]))
        result = None
        with limit_threads(False):
            for start in range(0, X.shape[0], size):
                block = slice(start, start + size)
                rows = to_tensor(X, block, self.dtype, self.device)
                answer = function(rows, domain).cpu().numpy()
                if len(answer) == X.shape[0]:
                    return answer
                if result is None:  # answers that stay would lie between what is freed
                    result = np.empty((X.shape[0], *answer.shape[1:]), answer.dtype)
                result[block] = answer
        return result

    def frozen(self, plan):
        """Return a copy that predicts as this net does now, whatever becomes of it.

        Parameters
        ----------
        plan : TrainingPlan
            Of the training under way, whose callbacks the copy does not have.
        """
        check_weights(self)
        # skorch's own way of copying needs modules that can be pickled
        copied = object.__new__(type(self))
        of_plan = [callback for _, callback in plan.callbacks]
        callbacks = [
            (name, copy.copy(callback))
            for name, callback in self.callbacks_
            if callback not in of_plan and not isinstance(callback, PredictionCheck)
        ]
        known = _cut_from_graph(self.module_) | {
            id(self): copied,
            id(self.callbacks): self.callbacks,  # the user's; they may hold files
            id(self.callbacks_): callbacks,
        }
        state = {k: v for k, v in vars(self).items() if k not in _OF_TRAINING}
        vars(copied).update(copy.deepcopy(state, known))
        copied.engine_ = copied._make_engine()
        copied._set_training(False)
        return copied

    def __getstate__(self):
        return {
            k: v for k, v in super().__getstate__().items() if k not in _OF_TRAINING
        }

    @with_default_settings
    def __setstate__(self, state):
        super().__setstate__(state)
        if self.initialized_:
            self.engine_ = self._make_engine()


def _cut_from_graph(module):
    """Copy, by id, what layers keep of their last step; torch refuses as it is."""
    kept = [value for layer in module.modules() for value in vars(layer).values()]
    return {
        id(value): value.detach().clone()
        for value in kept
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
