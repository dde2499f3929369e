"""Callbacks that every fit has: the clock of the schedules and the record of losses."""

import math

from skorch.callbacks import Callback
from tqdm.auto import tqdm

from ..exceptions import DivergenceError

# No label loss is a thousand times that of an untrained network by honest means.
EXPLOSION = 1e3


class ProgressClock(Callback):
    """Set lambda and the learning rate before each step, from training progress."""

    def on_train_begin(self, net, **kwargs):
        self.lr = None

    def on_batch_begin(self, net, training=True, **kwargs):
        if not training:
            return
        progress = net.progress
        net.module_.gradient_reversal.lambda_ = net.lambda_at(progress)
        lr = net.lr_at(progress)
        if lr != self.lr:  # a constant one is left to skorch's own schedulers
            self.lr = lr
            for group in net.optimizer_.param_groups:
                group["lr"] = lr

    def on_batch_end(self, net, training=True, **kwargs):
        net.n_steps_ += training


class LossRecord(Callback):
    """Write the epoch's mean losses into the history; stop if they explode."""

    def initialize(self):
        self.best = math.inf
        return self

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > 1:
            del net.history[-2]["batches"][:]  # one epoch of them is enough to hold
        self.sums = 0.0
        self.n_batches = 0

    def on_batch_end(self, net, training=True, losses=None, **kwargs):
        if training:
            if net.first_loss_ is None:
                net.first_loss_ = kwargs["loss"].item()
            self.sums = self.sums + losses
            self.n_batches += 1

    def on_epoch_end(self, net, **kwargs):
        # one sync per epoch, not per batch
        label, domain, accuracy = (self.sums / self.n_batches).tolist()
        has_target = not math.isnan(accuracy)
        loss = label + domain if has_target else label
        self._check(net, loss, label, domain)
        row = net.history[-1]
        row["train_loss"] = loss
        row["train_loss_best"] = loss < self.best
        row["label_loss"] = label
        if has_target:
            row["domain_loss"] = domain
            row["domain_accuracy"] = accuracy
        row["lambda"] = net.module_.gradient_reversal.lambda_
        row["lr"] = net.optimizer_.param_groups[0]["lr"]
        row["n_steps"] = net.n_steps_
        self.best = min(self.best, loss)

    def _check(self, net, loss, label, domain):
        # not >: a comparison with NaN is false
        if not loss <= EXPLOSION * (net.first_loss_ + 1):
            losses = f"label loss {label:.3g}"
            if not math.isnan(domain):
                losses += f", domain loss {domain:.3g}"
            raise DivergenceError(
                f"Training diverged in epoch {len(net.history)} ({losses}). Lower "
                f"lr={net.lr:g}, for example to {net.lr / 10:g}, or scale X, for "
                "example with StandardScaler; if only the domain loss is large, lower "
                "lambda_max."
            )


class ProgressBar(Callback):
    """With ``verbose``, one bar over the epochs: losses, domain accuracy, lambda."""

    # all of it fits in a terminal of 80 columns
    FORMAT = "{desc} {n_fmt}/{total_fmt} |{bar:8}| {remaining}{postfix}"

    def on_train_begin(self, net, **kwargs):
        self.bar = tqdm(
            total=net.max_epochs,
            desc="DANN",
            bar_format=self.FORMAT,
            disable=not net.verbose,
        )

    def on_epoch_end(self, net, **kwargs):
        if self.bar.disable:
            return
        row = net.history[-1]
        shown = {"label": f"{row['label_loss']:.3f}"}
        if "domain_loss" in row:
            shown["domain"] = f"{row['domain_loss']:.3f}"
            shown["acc"] = f"{row['domain_accuracy']:.2f}"
            shown["lambda"] = f"{row['lambda']:.2f}"
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def on_train_end(self, net, **kwargs):
        self.bar.close()
        del self.bar
