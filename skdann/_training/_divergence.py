"""Notice that training diverged or memory ran out, explain it, and go back."""

from contextlib import contextmanager

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from .._warn import warn
from ..exceptions import DivergenceError
from ..metrics._sampling import spread_rows
from ..nn._losses import LABEL_LOSSES
from ..nn._standardizer import SOURCE, TARGET
from ._batches import to_tensor
from ._state import capture_training, restore_training

# A loss 1000 times that of the untrained network is counted as divergence.
EXPLOSION = 1e3

# With on_divergence="restore": after ten halvings it is not the learning rate.
MIN_LR_SCALE = 2**-10

_SIGNS_OF_FULL_MEMORY = (
    "out of memory",
    "allocate memory",
    "not enough memory",
    "overflow",
)


class DivergenceCheck(Callback):
    """Raise DivergenceError if the losses of an epoch explode."""

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        if net.on_divergence == "restore":
            # the last step has no loss yet; later, one epoch back would not be enough
            loss = _label_loss_after(net, dataset_train)
            _check_losses(net, {"label": loss, "train": loss})
        _check_losses(net, net.epoch_losses_)


class PredictionCheck(Callback):
    """Raise DivergenceError if predictions are not finite at the end of training."""

    def on_train_end(self, net, X=None, **kwargs):
        check_predictions(net, X)


def _check_losses(net, losses):
    # not >: a comparison with NaN is false
    if losses["train"] <= EXPLOSION * (net.first_loss_ + 1):
        return
    terms = {k: v for k, v in losses.items() if k not in ("train", "domain_accuracy")}
    said = ", ".join(f"{name} loss {loss:.3g}" for name, loss in terms.items())
    raise DivergenceError(
        f"Training diverged in epoch {len(net.history)} ({said}). Lower "
        f"lr={net.lr:g}, for example to {net.lr / 10:g}, or scale X, for example with "
        "StandardScaler; if only the domain loss is large, lower lambda_max."
    )


@torch.no_grad()
def _label_loss_after(net, domains):
    """Label loss of the first rows, as the weights are now."""
    check_weights(net)
    net.module_.eval()
    rows = domains.rows[: net.batch_size]
    X = to_tensor(domains.X, rows, net.dtype, net.device)
    y = torch.from_numpy(domains.y[rows]).to(net.device)
    X = net.module_.rows_of_networks(X)
    logits = net.module_.compute_outputs(X, SOURCE, with_domains=False).label_logits
    y = y.expand(*logits.shape[:-2], *y.shape)
    return LABEL_LOSSES[domains.targets.loss](logits, y).mean().item()


def check_weights(net):
    """Raise DivergenceError if a weight is not finite."""
    for name, weight in net.module_.named_parameters():
        if not weight.isfinite().all():
            raise DivergenceError(
                f"Training diverged in epoch {len(net.history)}: the weights "
                f"{name} are not finite. Lower lr={net.lr:g}, for example to "
                f"{net.lr / 10:g}, or scale X, for example with StandardScaler."
            )


def check_predictions(net, domains):
    """Raise DivergenceError if a weight or a prediction is not finite.

    Weights can be finite and so large that nothing that they yield is.
    """
    check_weights(net)
    net.module_.eval()
    for domain, X in {SOURCE: domains.X, TARGET: domains.X_tgt}.items():
        if X is None:
            continue
        some = X[spread_rows(X.shape[0])]
        if not np.isfinite(net.apply("predict", some, domain)).all():
            raise DivergenceError(
                f"Training diverged in epoch {len(net.history)}: what the network "
                f"predicts is not finite. Lower lr={net.lr:g}, for example to "
                f"{net.lr / 10:g}, or scale X and X_tgt, for example with "
                "StandardScaler."
            )


class Rollback:
    """The way back to the end of the last epoch.

    It costs a copy of weights and moments an epoch.

    Parameters
    ----------
    net : DANNNet
        At the end of an epoch, or before the first.
    """

    def __init__(self, net):
        self.net, self.engine = net, net.engine_for_copies()
        self.weights, self.before = self.engine.snapshot(), capture_training(net)

    def to_last_epoch(self):
        """Undo the epoch that was broken off, if it is not whole."""
        history = self.net.history
        is_begun = len(history) > self.before["n_epochs"]
        if is_begun and "train_loss" not in history[-1]:
            self._go_back()

    def _go_back(self):
        self.engine.go_back(self.weights)
        restore_training(self.net, self.before)

    def at_half_the_lr(self, error):
        """Undo the epoch that diverged and halve the learning rate, or raise.

        Parameters
        ----------
        error : DivergenceError
            How it diverged.
        """
        net, lr_scale = self.net, self.net.lr_scale_ / 2
        if net.on_divergence != "restore" or lr_scale < MIN_LR_SCALE:
            raise error
        self._go_back()
        net.set_lr_scale(lr_scale)
        warn(
            f"{str(error).partition(' Lower')[0]} It goes on from the epoch before "
            f"with {lr_scale:g} of the learning rate, because "
            "on_divergence='restore'. Set a lower lr to avoid restarts.",
            ConvergenceWarning,
        )


@contextmanager
def whole_epoch(net):
    """Train for one epoch in the body: a whole one, or as if it had never begun."""
    rollback = Rollback(net)
    try:
        yield
    except KeyboardInterrupt:  # by which skorch's callbacks stop, too
        rollback.to_last_epoch()
        raise
    except DivergenceError as error:
        rollback.at_half_the_lr(error)


@contextmanager
def explain_single_rows(batch_size):
    """Say what to do where a batch normalization gets a single row.

    Parameters
    ----------
    batch_size : int
        Rows of a step.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ValueError(
            f"A batch normalization in one of your modules gets a single row ({error})."
            f" Raise batch_size={batch_size}, give more rows, or use a LayerNorm."
        ) from error


@contextmanager
def explain_out_of_memory(device, batch_size):
    """Turn out-of-memory errors, also torch's, into a MemoryError with advice.

    Parameters
    ----------
    device : torch.device
        Whose memory it is.
    batch_size : int
        Rows of a step.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's are RuntimeErrors
        is_of_memory = any(sign in str(error) for sign in _SIGNS_OF_FULL_MEMORY)
        if not (is_of_memory or isinstance(error, MemoryError)):
            raise
        raise MemoryError(
            f"The network, or a step of training it, needs more memory than device "
            f"{device} has. Lower the widths of its layers, for example "
            f"hidden_layer_sizes, or batch_size={batch_size}."
        ) from error
