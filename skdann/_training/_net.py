"""The skorch net that trains a DANN: its batches, its step, its place in training."""

import copy
import math
import warnings
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from torch import nn

from .._data._domains import Domains
from ..exceptions import DivergenceError
from ..metrics._scorers import evenly_spaced_rows
from ..nn import domain_loss, label_loss
from ..nn._mlp import Dropout
from ._batches import PairedBatches, to_tensor
from ._callbacks import LossRecord, ProgressBar, listens_to_batches
from ._memory import memory_explained
from ._rng import borrowed_torch_generator
from ._settings import needs_closure
from ._sklearn_callbacks import Unheard
from ._state import put_back, state_of
from ._threads import count_threads, no_idle_threads

# Rows of a prediction pass through the network in blocks of about this many values.
BLOCK_VALUES = 2**20

# With on_divergence="restore": after ten halvings it is not the learning rate.
MIN_LR_SCALE = 2**-10


class DANNNet(NeuralNet):
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
    n_steps_ : int
        Steps taken so far, over all calls.
    planned_steps_ : int
        Steps at whose end progress is 1.
    lr_scale_ : float
        What the learning rate is multiplied by since training diverged.
    lambda_at, lr_at : callable
        Value of lambda and of the learning rate at a progress in [0, 1].
    """

    def __init__(
        self,
        module,
        *,
        dtype,
        seed,
        private_generator=True,
        on_divergence="raise",
        **kwargs,
    ):
        # the criterion of the labels; it tells skorch that outputs are logits
        super().__init__(module, criterion=nn.CrossEntropyLoss, **kwargs)
        self.dtype = dtype
        self.seed = seed
        self.private_generator = private_generator
        self.on_divergence = on_divergence

    @property
    def _default_callbacks(self):
        return [
            ("epoch_timer", EpochTimer()),
            ("loss_record", LossRecord()),
            ("progress_bar", ProgressBar()),
        ]

    def initialize(self):
        super().initialize()
        order, draws = np.random.SeedSequence(self.seed).spawn(2)
        self.rngs_ = [np.random.default_rng(s) for s in order.spawn(3)]
        self.draws_ = np.random.default_rng(draws)
        self.n_steps_ = 0
        self.planned_steps_ = 0
        self.first_loss_ = None
        self.best_loss_ = math.inf
        self.lr_scale_ = 1.0
        return self

    @property
    def progress(self):
        """Share of the planned steps that are done, in [0, 1]."""
        return min(1.0, self.n_steps_ / self.planned_steps_)

    def train(
        self,
        domains,
        *,
        epochs,
        planned_steps,
        lambda_at,
        lr_at,
        tasks=None,
        early_stopping=None,
        checkpoint=None,
    ):
        """Train for some epochs, from wherever training stands.

        Interrupted, the net is as it was at the end of its last whole epoch.

        Parameters
        ----------
        domains : Domains
            The data.
        epochs : int
            Passes over the larger domain.
        planned_steps : int
            Steps, those already taken included, at which progress reaches 1.
        lambda_at, lr_at : callable
            Schedules, functions of progress.
        tasks : Epochs or None, default=None
            Whom to tell of each epoch, and who may stop training at its end.
        early_stopping : EarlyStopping or None, default=None
            Who stops training when it no longer pays, and puts the best epoch back.
        checkpoint : Checkpoint or None, default=None
            Who writes down where training stands.

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
        before = state_of(self)
        self.max_epochs, self.planned_steps_ = epochs, planned_steps
        self.lambda_at, self.lr_at = lambda_at, lr_at
        self.current_lr_ = None
        self.is_watched_ = needs_closure(self.optimizer_) or any(
            listens_to_batches(callback) for _, callback in self.callbacks_
        )
        self.is_finished_ = False
        try:
            threads = no_idle_threads(self.module_, domains.X, self.batch_size)
            with threads, memory_explained(self.device, self.batch_size):
                self.partial_fit(
                    domains,
                    tasks=tasks or Unheard(),
                    early_stopping=early_stopping,
                    checkpoint=checkpoint,
                )
            self.check_predictions(domains)
            if not self.is_finished_ and len(self.history) == before["n_epochs"]:
                raise KeyboardInterrupt  # at which skorch ends a fit quietly
            if early_stopping is not None:
                early_stopping.at_end(self)
            if checkpoint is not None and self.is_finished_:
                checkpoint.write(self, is_finished=True)
        except BaseException:
            put_back(self, before)
            raise
        finally:
            self._set_training(False)
        return self

    def fit_loop(
        self, X, y=None, epochs=None, *, tasks, early_stopping, checkpoint, **fit_params
    ):
        batches = self.get_iterator(X, training=True)
        end = len(self.history) + self.max_epochs
        is_over = False
        while len(self.history) < end and not is_over:
            n_epochs = len(self.history)
            tasks.begin()
            try:
                self._train_epoch(batches, X)
                if early_stopping is not None:
                    is_over = early_stopping.after_epoch(self, X)
            except KeyboardInterrupt:  # by which skorch's callbacks stop, too
                tasks.end(is_complete=len(self.history) > n_epochs)
                if checkpoint is not None and self._is_scored(early_stopping):
                    checkpoint.write(self)
                raise
            is_over = tasks.end() or is_over
            if checkpoint is not None and not is_over:  # then train writes the last one
                checkpoint.after_epoch(self)
        self.is_finished_ = True
        return self

    def _is_scored(self, early_stopping):
        """Whether there is an epoch, and nothing of the last is missing."""
        last = self.history[-1] if self.history else {}
        return "train_loss" in last and (
            early_stopping is None or "validation_score" in last
        )

    def _train_epoch(self, batches, domains):
        """Train for one epoch: a whole one, or it is as if it had never begun."""
        told = {"dataset_train": domains, "dataset_valid": None}
        before = state_of(self)
        while len(self.history) == before["n_epochs"]:
            try:
                self.notify("on_epoch_begin", **told)
                self.run_single_epoch(batches, training=True, prefix="train")
                self.notify("on_epoch_end", **told)
            except KeyboardInterrupt:
                if self.history and "train_loss" not in self.history[-1]:
                    put_back(self, before)
                raise
            except DivergenceError as error:
                if self.on_divergence != "restore" or self.lr_scale_ <= MIN_LR_SCALE:
                    raise
                lr_scale = self.lr_scale_ / 2
                put_back(self, before)
                self._slow_down(lr_scale, error)

    def _slow_down(self, lr_scale, error):
        self.lr_scale_ = lr_scale
        warnings.warn(
            f"{str(error).partition(' Lower')[0]} It goes on from the epoch before "
            f"with {self.lr_scale_:g} of the learning rate, because "
            "on_divergence='restore'. A lower lr spares the detour.",
            ConvergenceWarning,
            stacklevel=11,  # the line that called fit
        )

    def n_steps_per_epoch(self, domains):
        """Count the steps of an epoch over ``domains``."""
        return len(self.get_iterator(domains, training=True))

    def apply(self, method, X):
        """Call a method of the network on all rows, block after block.

        Parameters
        ----------
        method : str
            Name of a method of :class:`skdann.nn.DANN` that takes rows.
        X : ndarray or CSR of shape (n, ...)
            Rows.

        Returns
        -------
        ndarray
            Of the network's dtype.
        """
        count_threads()  # a new thread may begin here
        function = getattr(self.module_, method)
        size = max(1, BLOCK_VALUES // math.prod(X.shape[1:]))
        blocks = []
        for start in range(0, X.shape[0], size):
            rows = to_tensor(X, slice(start, start + size), self.dtype, self.device)
            blocks.append(function(rows).cpu().numpy())
        return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]

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
        )

    def run_single_epoch(self, iterator, training, prefix, **fit_params):
        if not self.module_.training:  # setting it visits every layer
            self._set_training(True)
        with torch.enable_grad(), self._seeded_draws():
            if self.is_watched_:
                super().run_single_epoch(iterator, training, prefix, self.train_step)
            else:
                for batch in iterator:
                    self.train_step(batch)
                self.history.new_batch()  # skorch's Checkpoint names the last one

    def train_step(self, batch, **fit_params):
        self._follow_schedules()
        if self.is_watched_:
            step = super().train_step(batch)
        else:
            self.optimizer_.zero_grad()
            step = self.train_step_single(batch)
            self.optimizer_.step()
        self.n_steps_ += 1
        if self.first_loss_ is None:
            self.first_loss_ = step["loss"].item()
        self.epoch_means_.add(*step["losses"])
        return step

    def train_step_single(self, batch, **fit_params):
        X, labels = batch
        module = self.module_
        features = module.extract(X)
        logits = module.label_classifier(features[: len(labels.codes)])
        loss = label_loss(logits, labels.codes, labels.label_weight)
        losses = [loss.detach()]
        if labels.is_target is not None:
            domain = labels.is_target, labels.domain_weight
            domain_logits = module.discriminate(features)
            of_domain = domain_loss(domain_logits, *domain)
            loss = loss + of_domain
            losses += [of_domain.detach(), domain_logits.detach(), *domain]
        loss.backward()
        return {"loss": loss, "y_pred": logits, "losses": losses}

    def _follow_schedules(self):
        """Set lambda and the learning rate for the next step."""
        progress = self.progress
        self.module_.gradient_reversal.lambda_ = self.lambda_at(progress)
        lr = self.lr_at(progress) * self.lr_scale_
        if lr != self.current_lr_:  # a constant one is left to skorch's schedulers
            self.current_lr_ = lr
            for group in self.optimizer_.param_groups:
                group["lr"] = lr

    @contextmanager
    def _seeded_draws(self):
        """Seed the random layers anew for an epoch, from the net's own generator."""
        if not self.private_generator:
            with borrowed_torch_generator(self._draw_seed(), torch.device(self.device)):
                yield
            return
        generator = self.epoch_generator()
        for layer in self.module_.modules():
            if isinstance(layer, Dropout):
                layer.generator = generator
        yield

    def epoch_generator(self):
        """Return the generator of the next epoch's dropout masks."""
        return torch.Generator(self.device).manual_seed(self._draw_seed())

    def _draw_seed(self):
        return int(self.draws_.integers(2**63))

    @torch.no_grad()
    def label_loss_of(self, domains):
        """Label loss of the first rows; a last step that went wrong shows in it."""
        self.check_weights()
        self._set_training(False)
        rows = domains.rows[: self.batch_size]
        X = to_tensor(domains.X, rows, self.dtype, self.device)
        codes = torch.from_numpy(domains.y[rows]).to(self.device)
        logits = self.module_.label_classifier(self.module_.extract(X))
        return label_loss(logits, codes, None).item()

    def check_weights(self):
        """Raise DivergenceError if a weight is not finite."""
        for name, weight in self.module_.named_parameters():
            if not weight.isfinite().all():
                raise DivergenceError(
                    f"Training diverged in epoch {len(self.history)}: the weights "
                    f"{name} are not finite. Lower lr={self.lr:g}, for example to "
                    f"{self.lr / 10:g}, or scale X, for example with StandardScaler."
                )

    def check_predictions(self, domains):
        """Raise DivergenceError if a weight or a prediction is not finite.

        Weights can be finite and so large that nothing that they yield is.
        """
        self.check_weights()
        self._set_training(False)
        for X in (domains.X, domains.X_tgt):
            if X is None:
                continue
            some = X[evenly_spaced_rows(X.shape[0])]
            if not np.isfinite(self.apply("predict_proba", some)).all():
                raise DivergenceError(
                    f"Training diverged in epoch {len(self.history)}: what the network "
                    f"predicts is not finite. Lower lr={self.lr:g}, for example to "
                    f"{self.lr / 10:g}, or scale X and X_tgt, for example with "
                    "StandardScaler."
                )

    def frozen(self):
        """Return a copy that predicts as this net does now, whatever becomes of it."""
        self.check_weights()
        # skorch's own way of copying needs modules that can be pickled
        copied = object.__new__(type(self))
        callbacks = [(name, copy.copy(callback)) for name, callback in self.callbacks_]
        known = _cut_from_graph(self.module_) | {
            id(self): copied,
            id(self.callbacks): self.callbacks,  # the user's; they may hold files
            id(self.callbacks_): callbacks,
        }
        vars(copied).update(copy.deepcopy(vars(self), known))
        copied._set_training(False)
        return copied


def _cut_from_graph(module):
    """Copy, by id, what layers keep of their last step; torch refuses as it is."""
    kept = [value for layer in module.modules() for value in vars(layer).values()]
    return {
        id(value): value.detach().clone()
        for value in kept
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
