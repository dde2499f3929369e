"""Callbacks that every fit has: the record of losses and the progress bar."""

import torch
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from ..exceptions import DivergenceError

# No label loss is a thousand times that of an untrained network by honest means.
EXPLOSION = 1e3


def listens_to_batches(callback) -> bool:
    """Whether a callback wants to hear of every step, and not of epochs alone."""
    return any(
        getattr(type(callback), event) is not getattr(Callback, event)
        for event in ("on_batch_begin", "on_batch_end", "on_grad_computed")
    )


class EpochMeans:
    """Mean losses over the steps of an epoch, gathered without a sync at each step.

    Of one net, or of each in a stack: then what is added has a first axis for them.
    """

    # To stack them is cheaper than to add at each step. But what is held lies between
    # blocks that each step frees, and they don't fit again: memory grows until then.
    HELD_STEPS = 16

    def __init__(self):
        self.pending = []
        self.sums = 0.0
        self.n_steps = 0

    def add(self, *step):
        """Add label loss and, with a target: domain loss, logits, domains, shares."""
        self.pending.append(step)
        if len(self.pending) == self.HELD_STEPS:
            self._flush()

    def means(self):
        """Return label loss; with a target also domain loss and domain accuracy."""
        self._flush()
        return (self.sums / self.n_steps).tolist()

    def _flush(self):
        if not self.pending:
            return
        columns = [torch.stack(column) for column in zip(*self.pending, strict=True)]
        self.n_steps += len(self.pending)
        self.pending = []
        sums = [column.sum(0) for column in columns[:2]]
        if len(columns) > 1:
            logits, is_target, share = columns[2:]
            sums.append((share * ((logits > 0) == (is_target > 0))).sum(-1).sum(0))
        self.sums = self.sums + torch.stack(sums)


class LossRecord(Callback):
    """Write the epoch's mean losses into the history; stop if they explode."""

    def on_epoch_begin(self, net, **kwargs):
        net.epoch_means_ = EpochMeans()
        if len(net.history) > 1:
            del net.history[-2]["batches"][:]  # one epoch of them is enough to hold

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        means = net.epoch_means_.means()  # one sync per epoch
        if net.on_divergence == "restore":
            self._check(net, net.label_loss_of(dataset_train))
        self.record(net, *means)

    def record(self, net, label, *of_domain):
        """Write label loss and, with a target, domain loss and accuracy."""
        self._check(net, label, *of_domain)
        loss = label + sum(of_domain[:1])
        row = net.history[-1]
        row["train_loss_best"] = loss < net.best_loss_
        row["label_loss"] = label
        if of_domain:
            row["domain_loss"], row["domain_accuracy"] = of_domain
        row["lambda"] = net.module_.gradient_reversal.lambda_
        row["lr"] = net.optimizer_.param_groups[0]["lr"]
        row["n_steps"] = net.n_steps_
        net.best_loss_ = min(net.best_loss_, loss)
        row["train_loss"] = loss  # last: by it a net knows that an epoch is whole

    def _check(self, net, label, *of_domain):
        loss = label + sum(of_domain[:1])
        # not >: a comparison with NaN is false
        if not loss <= EXPLOSION * (net.first_loss_ + 1):
            losses = f"label loss {label:.3g}"
            if of_domain:
                losses += f", domain loss {of_domain[0]:.3g}"
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
        self.bar = None  # one that is disabled would start a thread all the same
        if net.verbose:
            self.bar = tqdm(total=net.max_epochs, desc="DANN", bar_format=self.FORMAT)

    def on_epoch_end(self, net, **kwargs):
        if self.bar is None:
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
        if self.bar is not None:
            self.bar.close()
        del self.bar

    def __getstate__(self):
        # a copy or a pickle made during training has no terminal
        return {k: v for k, v in vars(self).items() if k != "bar"}
