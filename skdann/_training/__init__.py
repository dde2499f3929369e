"""How a network is trained: pairing of domains, the skorch net, its callbacks."""

from ._batches import to_tensor
from ._checkpoint import Checkpoint, restore, stored
from ._early_stopping import EarlyStopping
from ._memory import memory_explained
from ._net import DANNNet
from ._rng import borrowed_torch_generator, draw_seeds
from ._settings import (
    OPTIMIZERS,
    check_callbacks,
    n_epochs,
    optimizer_settings,
    resolve_device,
    schedules_of,
)
from ._stacking import MAX_NETS_CPU, Plan, make_stacks, train_stacked

__all__ = [
    "MAX_NETS_CPU",
    "OPTIMIZERS",
    "Checkpoint",
    "DANNNet",
    "EarlyStopping",
    "Plan",
    "borrowed_torch_generator",
    "check_callbacks",
    "draw_seeds",
    "make_stacks",
    "memory_explained",
    "n_epochs",
    "optimizer_settings",
    "resolve_device",
    "restore",
    "schedules_of",
    "stored",
    "to_tensor",
    "train_stacked",
]
