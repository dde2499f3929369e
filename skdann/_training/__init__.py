"""From checked data to trained weights: batches, objective, engine, the skorch net."""

from ._batches import to_tensor
from ._callbacks import Watcher, check_callbacks
from ._checkpoint import ROUNDING, Checkpoint, check_path
from ._device import device_of_turn, resolve_device
from ._divergence import check_predictions, explain_out_of_memory
from ._early_stopping import EarlyStopping
from ._engine import Schedules
from ._fork import is_forked
from ._identity import hash_parts
from ._net import DANNNet
from ._objective import OPTIONAL_TERMS
from ._optimizers import OPTIMIZERS, optimizer_settings
from ._plan import TrainingPlan
from ._ranks import (
    Ranks,
    before_joining,
    from_first,
    is_first,
    joined_ranks,
    may_join,
    together,
    validated_on_all_ranks,
)
from ._rng import draw_seeds, seeded_torch_rng
from ._same_start import check_alike, check_same, start_as_first
from ._saved_net import count_weights, from_plain, read_fixed_parts, to_plain
from ._settings import with_default_settings
from ._stacking import MAX_NETS_CPU
from ._train import train

__all__ = [
    "MAX_NETS_CPU",
    "OPTIMIZERS",
    "OPTIONAL_TERMS",
    "ROUNDING",
    "Checkpoint",
    "DANNNet",
    "EarlyStopping",
    "Ranks",
    "Schedules",
    "TrainingPlan",
    "Watcher",
    "before_joining",
    "check_alike",
    "check_callbacks",
    "check_path",
    "check_predictions",
    "check_same",
    "count_weights",
    "device_of_turn",
    "draw_seeds",
    "explain_out_of_memory",
    "from_first",
    "from_plain",
    "hash_parts",
    "is_first",
    "is_forked",
    "joined_ranks",
    "may_join",
    "optimizer_settings",
    "read_fixed_parts",
    "resolve_device",
    "seeded_torch_rng",
    "start_as_first",
    "to_plain",
    "to_tensor",
    "together",
    "train",
    "validated_on_all_ranks",
    "with_default_settings",
]
