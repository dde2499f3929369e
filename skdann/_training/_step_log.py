"""What steps leave, until their losses are computed: for several steps at once."""

from functools import partial

from torch import Tensor

from ..nn._dann import Outputs
from ._batches import Batch
from ._epoch_means import EpochMeans, share_of_groups_told, share_told

# Steps that are held, and values.
MOST_STEPS = 64
MOST_VALUES = 2**18

# What losses read of a batch, and differs from step to step.
_COLUMNS = ("y", "label_weight", "domain_weight", "group")


class StepLog:
    """Logits and columns of steps, with an axis of steps and one of networks in front.

    Parameters
    ----------
    objective : Objective
        Whose losses they are.
    logits : tuple of Tensor
        Where a step leaves them: of labels (n_networks, n, n_classes), and with a
        target of domains (n_networks, n), or of groups (n_networks, n, n_groups).
    batch : Batch
        The first.
    n_each : int
        Networks over which losses are averaged.
    n_steps : int
        The most steps of an epoch.
    """

    def __init__(self, objective, logits, batch: Batch, n_each: int, n_steps: int):
        self.objective = objective
        self.logits = logits
        self.n_each = n_each
        self.has_stack_axis = isinstance(batch.X, tuple)
        self.weighs_target = batch.weighs_target
        self.n_networks = len(logits[0])
        columns = {name: self._with_networks(batch, name) for name in _COLUMNS}
        columns = {name: x for name, x in columns.items() if x is not None}
        self.domain = self._with_networks(batch, "domain")
        values = *logits, *columns.values()
        size = sum(value.numel() for value in values)
        self.n_held = max(1, min(n_steps, MOST_STEPS, MOST_VALUES // size))
        logs = [value.new_empty(self.n_held, *value.shape) for value in values]
        self.log_of_logits = logs[: len(logits)]
        self.log_of_columns = dict(zip(columns, logs[len(logits) :], strict=True))
        # of each step, the calls that keep logits, and where columns go
        self.slots = [
            (
                [partial(x.copy_, y) for x, y in zip(of_step, logits, strict=False)],
                [(name, log[k]) for name, log in self.log_of_columns.items()],
            )
            for k, of_step in enumerate(zip(*logs, strict=True))
        ]
        self.weights: list = []

    def _with_networks(self, batch, name):
        """Return a column of a batch, with one axis of networks."""
        column = getattr(batch, name)
        if column is None:
            return None
        of_row = column.shape[-1:] if name == "y" and batch.has_numbers else ()
        return column.reshape(self.n_networks, -1, *of_row)

    def restart(self, means: EpochMeans) -> None:
        """Begin an epoch, whose losses go to ``means``."""
        self.means, self.weights = means, []

    def add(self, batch: Batch, weights: list[dict[str, float]]) -> None:
        """Keep what the losses of a step are computed from.

        Parameters
        ----------
        batch : Batch
            That of the step.
        weights : list of dict of str to float
            Of the optional terms, for each network or ensemble.
        """
        calls, slots = self.slots[len(self.weights)]
        for call in calls:
            call()
        for name, slot in slots:
            slot.copy_(getattr(batch, name).reshape(slot.shape))
        self.weights.append(weights)
        if len(self.weights) == self.n_held:
            self.flush()

    def flush(self) -> None:
        """Compute the losses of the steps since the last call."""
        k = len(self.weights)
        if k == 0:
            return
        columns = {name: log[:k] for name, log in self.log_of_columns.items()}
        label, *domain = (log[:k] for log in self.log_of_logits)
        batch = Batch(
            None,
            columns["y"],
            columns.get("label_weight"),
            self.domain if not domain else self.domain.expand(k, *self.domain.shape),
            columns.get("domain_weight"),
            self.weighs_target,
            group=columns.get("group"),
        )
        outputs = Outputs(label, label, domain[0] if domain else None)
        losses = self.objective.losses(outputs, batch)
        losses["train"] = self.objective.total(losses, self._weights_of_steps())
        right = None
        if domain:
            right = self._of_answers(self._told(domain[0], batch))
        losses = {name: self._of_answers(loss) for name, loss in losses.items()}
        self.weights = []
        self.means.add_steps(losses, right)

    def _told(self, logits, batch):
        """Return the share of the rows whose domain, or group, the logits tell."""
        if batch.group is not None:
            return share_of_groups_told(logits, batch.group, batch.domain_weight)
        return share_told(logits, self.domain, batch.domain_weight)

    def _weights_of_steps(self):
        """Return weights of optional terms of shape (n_steps, n_networks)."""
        like = self.logits[0]
        return {
            name: like.new_tensor(
                [[of_network[name] for of_network in step] for step in self.weights]
            ).repeat_interleave(self.n_each, dim=1)
            for name in self.weights[0][0]
        }

    def _of_answers(self, values: Tensor) -> Tensor:
        """Return means over ensembles, without an axis of networks but for stacks."""
        if self.n_each > 1:
            values = values.unflatten(1, (-1, self.n_each)).mean(-1)
        return values if self.has_stack_axis else values.squeeze(1)
