"""Callbacks that every fit has: the record of losses and the progress bar."""

from skorch.callbacks import Callback
from tqdm.auto import tqdm
from tqdm.std import TqdmDefaultWriteLock

from .._progress import finish, is_silent, logger
from ._fork import PROGRESS_BAR, hold_across_forks


def listens_to_batches(callback) -> bool:
    """Whether a callback wants to hear of every step, and not of epochs alone."""
    return any(
        getattr(type(callback), event) is not getattr(Callback, event)
        for event in ("on_batch_begin", "on_batch_end", "on_grad_computed")
    )


def check_callbacks(callbacks) -> list:
    """Return the user's callbacks as a list, or say which one can't work here.

    Parameters
    ----------
    callbacks : sequence or None
        Skorch callbacks, their classes or (name, callback) pairs.
    """
    callbacks = list(callbacks or [])
    for entry in callbacks:
        is_named = isinstance(entry, tuple) and len(entry) == 2
        callback = entry[1] if is_named else entry
        cls = callback if isinstance(callback, type) else type(callback)
        if not issubclass(cls, Callback):
            raise ValueError(
                f"callbacks holds {callback!r}; it must hold skorch callbacks, for "
                "example skorch.callbacks.EarlyStopping(monitor='train_loss')."
            )
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor.startswith("valid"):
            raise ValueError(
                f"{cls.__name__} in callbacks monitors {monitor!r}, but training keeps "
                "no rows back for validation. Set its monitor to 'train_loss', "
                "'label_loss' or 'domain_loss' (for Checkpoint 'train_loss_best')."
            )
    return callbacks


class Watcher(Callback):
    """A callback that leaves weights and optimizer alone: nets that have it stack."""


class LossRecord(Callback):
    """Write the epoch's mean losses into the history, each under its name."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > 1:
            del net.history[-2]["batches"][:]  # one epoch of them is enough to hold

    def on_epoch_end(self, net, **kwargs):
        losses = dict(net.epoch_losses_)
        total, accuracy = losses.pop("train"), losses.pop("domain_accuracy", None)
        row = net.history[-1]
        row["train_loss_best"] = total < net.best_loss_
        for name, loss in losses.items():
            row[f"{name}_loss"] = loss
        if accuracy is not None:
            row["domain_accuracy"] = accuracy
        row["lambda"] = net.module_.gradient_reversal.lambda_
        row["lr"] = net.optimizer_.param_groups[0]["lr"]
        row["n_steps"] = net.n_steps_
        net.best_loss_ = min(net.best_loss_, total)
        row["train_loss"] = total  # last: by it a net knows that an epoch is whole
        logger.debug("epoch %d of %d: %s", len(net.history), net.max_epochs, losses)


class ProgressBar(Callback):
    """With ``verbose``, one bar over the epochs: losses, domain accuracy, lambda."""

    # with two losses all of it fits in a terminal of 80 columns
    FORMAT = "{desc} {n_fmt}/{total_fmt} |{bar:8}| {remaining}{postfix}"

    def on_train_begin(self, net, **kwargs):
        self.bar = None  # one that is disabled would start a thread all the same
        if net.verbose and not is_silent():
            hold_across_forks(TqdmDefaultWriteLock.th_lock, PROGRESS_BAR)
            self.bar = tqdm(total=net.max_epochs, desc="DANN", bar_format=self.FORMAT)

    def on_epoch_end(self, net, **kwargs):
        if self.bar is None:
            return
        row = net.history[-1]
        names = [k for k in net.epoch_losses_ if k not in ("train", "domain_accuracy")]
        shown = {name: f"{row[f'{name}_loss']:.3f}" for name in names}
        if "domain_accuracy" in row:
            shown["acc"] = f"{row['domain_accuracy']:.2f}"
            shown["lambda"] = f"{row['lambda']:.2f}"
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def on_train_end(self, net, **kwargs):
        if self.bar is not None:
            finish(self.bar)
        del self.bar

    def __getstate__(self):
        # a copy or a pickle made during training has no terminal
        return {k: v for k, v in vars(self).items() if k != "bar"}
