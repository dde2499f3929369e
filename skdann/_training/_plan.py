"""What a net is to be trained on, for how long, along which schedules."""

import math
from dataclasses import dataclass, field

from .._data._domains import Domains
from ._batches import count_steps
from ._engine import Schedules
from ._net import DANNNet
from ._objective import Objective
from ._ranks import Ranks

# What max_epochs="auto" grants: small data needs steps, large data needs passes. The
# networks of an ensemble need fewer: what one has not learned, another has.
_MIN_STEPS = 1000
_MIN_STEPS_OF_ENSEMBLE = 400
_MIN_EPOCHS = 10


def resolve_max_epochs(max_epochs, steps_per_epoch, is_ensemble=False):
    """Resolve ``max_epochs``, an int or "auto"."""
    if max_epochs != "auto":
        return max_epochs
    steps = _MIN_STEPS_OF_ENSEMBLE if is_ensemble else _MIN_STEPS
    return max(_MIN_EPOCHS, math.ceil(steps / steps_per_epoch))


@dataclass(eq=False)
class TrainingPlan:
    """A training to come; the one place that multiplies epochs by steps.

    Attributes
    ----------
    net : DANNNet
        Initialized; new, or trained before.
    domains : Domains
        The data.
    schedules : Schedules
        Lambda, learning rate and weights of loss terms.
    end_epoch : int
        Epochs, those of earlier calls included, at which training is over.
    planned_steps : int
        Steps, those of earlier calls included, at which progress is 1.
    callbacks : list of (str, skorch.callbacks.Callback)
        Who watches this training alone, after the net's own callbacks.
    ranks : Ranks or None
        Processes that train together, each with its share of every batch.
    """

    net: DANNNet
    domains: Domains
    schedules: Schedules
    end_epoch: int
    planned_steps: int
    callbacks: list = field(default_factory=list)
    ranks: Ranks | None = None

    @classmethod
    def for_fit(cls, net, domains, schedules, max_epochs):
        """Plan ``max_epochs`` more epochs."""
        n_steps = count_steps(domains, net.batch_size)
        epochs = resolve_max_epochs(max_epochs, n_steps, _is_ensemble(net))
        end, planned = len(net.history) + epochs, net.n_steps_ + epochs * n_steps
        return cls(net, domains, schedules, end, planned)

    @classmethod
    def for_one_epoch(cls, net, domains, schedules, max_epochs):
        """Plan one epoch of the ``max_epochs`` that the first call has planned."""
        n_steps = count_steps(domains, net.batch_size)
        epochs = resolve_max_epochs(max_epochs, n_steps, _is_ensemble(net))
        planned = net.planned_steps_ or epochs * n_steps
        return cls(net, domains, schedules, len(net.history) + 1, planned)

    @classmethod
    def for_the_rest(cls, net, domains, schedules, end_epoch):
        """Plan what was left when a checkpoint was written."""
        left = (end_epoch - len(net.history)) * count_steps(domains, net.batch_size)
        if left and net.planned_steps_ != net.n_steps_ + left:
            raise ValueError(
                f"The checkpoint has planned {net.planned_steps_} steps, but its "
                f"{net.n_steps_} steps and the {left} that are left are another number."
            )
        return cls(net, domains, schedules, end_epoch, net.planned_steps_)

    @property
    def objective(self):
        """What the steps descend on."""
        weighted = [name for name, _ in self.schedules.weights]
        has_target = self.domains.X_tgt is not None
        conditioning = self.net.module_.conditioning
        return Objective(self.domains.targets.loss, weighted, has_target, conditioning)


def _is_ensemble(net):
    return net.module_.n_estimators is not None
