"""What a file says of a net, and the one table of what it may say."""

import math

import numpy as np
import torch

from .._io._claims import (
    is_any_number,
    is_flag,
    is_list_of_dicts,
    number,
    whole,
)
from ..nn._build import Budget
from ..nn._class_prior import ClassPrior
from ..nn._domain_groups import DomainGroups
from ..nn._response_scale import ResponseScale
from ..nn._standardizer import Standardizer
from ._divergence import MIN_LR_SCALE
from ._objective import LOSS_TERMS
from ._optimizers import load_optimizer_state
from ._state import capture_state, map_leaves, restore_training, to_numpy

LOSS = number(0, math.inf)

COUNTERS = {
    "n_steps_": whole(0),
    "planned_steps_": whole(1),
    "first_loss_": lambda value: value is None or LOSS(value),
    "best_loss_": LOSS,
    "lr_scale_": number(MIN_LR_SCALE, 1),
}

# Of a row of the history; what callbacks of the user record may be any plain value.
ROW = {
    "train_loss": is_any_number,
    "lambda": number(),
    "lr": number(),
    "n_steps": whole(0),
}
# Scores of held-out source rows, by the column of the history.
SOURCE_SCORES = {
    "validation_accuracy": number(0, 1),
    "validation_r2": number(high=1),
}
MAYBE_IN_ROW = {
    **{f"{name}_loss": is_any_number for name in LOSS_TERMS},
    "batches": is_list_of_dicts,
    "domain_accuracy": number(0, 1),
    "dur": number(0),
    "epoch": whole(1),
    "train_batch_count": whole(0),
    "train_loss_best": is_flag,
    **SOURCE_SCORES,
    "validation_score": is_any_number,
    "validation_score_best": is_flag,
}

GENERATOR = {
    "bit_generator": lambda value: value == "PCG64",
    "has_uint32": whole(0, 1),
    "uinteger": whole(0, 2**32 - 1),
}
# An even increment gives a generator that comes back too early, or never leaves 0:
# whoever draws from that until a number is small enough draws forever.
GENERATOR_STATE = {
    "state": whole(0, 2**128 - 1),
    "inc": lambda value: whole(0, 2**128 - 1)(value) and value % 2 == 1,
}

NET = {
    "n_epochs": whole(0),
    "seed": whole(0),
    "history": is_list_of_dicts,
    "module": lambda value: type(value) is dict,
    "counters": lambda value: type(value) is dict,
    "generators": is_list_of_dicts,
}

RUN = {"is_finished": is_flag, "end": whole(0)}
BEST = {"score": is_any_number}


def to_plain(net) -> dict:
    """Return what a file says of a net, as plain values and arrays."""
    history = [
        {key: value for key, value in row.items() if _is_plain(value)}
        for row in net.history
    ]
    state = {**capture_state(net), "history": history}
    state |= {"seed": net.seed, "dtype": net.dtype.name}
    return {"net": map_leaves(state, torch.Tensor, to_numpy)}


def from_plain(net, saved: dict) -> None:
    """Bring a net to the state that a file describes, checked.

    Parameters
    ----------
    net : DANNNet
        Initialized, of the same parts.
    saved : dict
        From :func:`skdann._io._container.read_file`. Without a state of the optimizer
        that of the net stays as it is new.

    Raises
    ------
    ValueError, RuntimeError, LookupError, TypeError
        If it is the state of another net, or says what no net can say.
    """
    # pickles of earlier versions hold numbers of numpy
    state = map_leaves(saved["net"], np.generic, np.generic.item)
    if state["dtype"] != net.dtype.name:
        raise ValueError(
            f"its network computes in {state['dtype']}, this one in {net.dtype.name}"
        )
    check_state(state, n_generators=len(net.rngs_) + 1)
    check_weights_like(state["module"], net.module_.state_dict())
    state = map_leaves(state, np.ndarray, torch.tensor)
    copy_weights(state["module"], net.module_)
    if state["optimizer"] is not None:
        load_optimizer_state(net.optimizer_, state["optimizer"])
    rows = [{str(k): v for k, v in row.items()} for row in state["history"]]
    net.history[:] = [{"batches": [], **row} for row in rows]
    restore_training(net, state)
    net.seed = state["seed"]
    if rows:
        net.module_.set_lambdas([float(rows[-1]["lambda"])])


def check_state(state: dict, n_generators: int) -> None:
    """Check counters, history and generators of a file against the table."""
    check_claims("net", state, NET)
    check_claims("counters", state["counters"], COUNTERS)
    for i, row in enumerate(state["history"], start=1):
        check_claims(f"row {i} of its history", row, ROW, MAYBE_IN_ROW)
        if not _is_plain({k: v for k, v in row.items() if k not in MAYBE_IN_ROW}):
            raise ValueError(f"row {i} of its history holds what is no plain value")
    n_rows = len(state["history"])
    if n_rows != state["n_epochs"]:
        raise ValueError(f"it has {n_rows} rows of {state['n_epochs']} epochs")
    if len(state["generators"]) != n_generators:
        raise ValueError(f"it has other generators than the {n_generators} of its net")
    for generator in state["generators"]:
        check_claims("generator", generator, GENERATOR)
        check_claims("generator", generator["state"], GENERATOR_STATE)


def check_run(run: dict, state: dict, most_epochs: int, column: str | None) -> None:
    """Check what a checkpoint says of the fit that wrote it, if it is to go on.

    Parameters
    ----------
    run : dict
        Its end, and what early stopping knows.
    state : dict
        What the file says of the net, checked.
    most_epochs : int
        That can be left.
    column : str or None
        Where early stopping notes the score of the source; None if there is none, so
        that what the file says of it does not matter.
    """
    n_epochs, best = state["n_epochs"], run["best"]
    check_claims("run", run, {**RUN, "end": whole(n_epochs, n_epochs + most_epochs)})
    if column is None:
        return
    check_claims("run", run, {"start": whole(0, n_epochs)})
    if best is None:  # of the epochs so far
        return
    table = {**BEST, "accuracy": SOURCE_SCORES[column], "n_epochs": whole(1, n_epochs)}
    check_claims("best epoch", best, table)
    like = {name: torch.as_tensor(value) for name, value in state["module"].items()}
    check_weights_like(best["module"], like)


def check_claims(what: str, claims: dict, required: dict, others: dict | None = None):
    """Raise ValueError if a value is not what the table says of its name."""
    for name, is_right in {**required, **(others or {})}.items():
        if name in required and name not in claims:
            raise ValueError(f"its {what} lacks {name}".replace("its row", "row"))
        if name in claims and not is_right(claims[name]):
            said = repr(claims[name])[:50]
            raise ValueError(
                f"{name} of its {what} is {said}".replace("its row", "row")
            )


@torch.no_grad()
def copy_weights(weights: dict, module: torch.nn.Module) -> None:
    """Copy checked weights into a module.

    Torch's own way takes time quadratic in the number of layers; it is left to modules
    that keep other things than tensors.
    """
    own = module.state_dict()
    if not all(isinstance(value, torch.Tensor) for value in own.values()):
        module.load_state_dict(weights)
        return
    for name, value in own.items():
        value.copy_(weights[name])


def check_weights_like(weights: dict, like: dict) -> None:
    """Raise ValueError if arrays are not finite, or not those of a network.

    A value that the dtype of the network can't hold would be infinite in it: so
    dtypes must be the same, too.
    """
    like = {k: v for k, v in like.items() if isinstance(v, torch.Tensor)}
    arrays = {k: v for k, v in weights.items() if isinstance(v, np.ndarray)}
    for name, present in like.items():
        if name not in arrays:
            raise ValueError(f"it lacks the weights {name}")
        values, wanted = arrays[name], str(present.dtype).removeprefix("torch.")
        if values.shape != present.shape or values.dtype.name != wanted:
            raise ValueError(
                f"the weights {name} are of shape {values.shape} and {values.dtype}, "
                f"not of {tuple(present.shape)} and {wanted}"
            )
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"the weights {name} are not finite")
    if surplus := sorted(set(arrays) - set(like)):
        raise ValueError(f"it holds weights of another network: {surplus[:3]}")


def _is_plain(value):
    """Whether a file can hold it: of what callbacks record, anything may come."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return isinstance(value, bool | int | float | str | np.number | np.bool_)


def count_weights(weights):
    """Return how many arrays and values a file holds of each part of a network."""
    sizes = {}
    for name, values in weights.items():
        sizes.setdefault(name.partition(".")[0], []).append(np.size(values))
    return {name: Budget(len(of_part), sum(of_part)) for name, of_part in sizes.items()}


def read_fixed_parts(weights, row_shape, targets, dtype):
    """Return the parts of a saved network that the data have decided, checked.

    Parameters
    ----------
    weights : dict of str to ndarray
        Of the network.
    row_shape : tuple of int
        Shape of a row.
    targets : ClassTargets or RealTargets
        What y is.
    dtype : numpy.dtype
        In which it computes.
    """
    parts = {}
    n_outputs = targets.n_outputs
    n_groups = np.size(weights.get("domain_groups.is_target", ()))
    table = [
        ("standardizer", Standardizer, ("mean", "scale"), (2, *row_shape), dtype),
        ("domain_groups", DomainGroups, ("is_target",), (n_groups,), dtype),
    ]
    if targets.has_numbers:
        scale = ("mean", "scale"), (n_outputs,), np.dtype(np.float64)
        table.append(("response_scale", ResponseScale, *scale))
    else:
        prior = ("proportions", "shift"), (2, n_outputs), dtype
        table.append(("class_prior", ClassPrior, *prior))
    for name, part, leaves, shape, of_dtype in table:
        values = [weights.get(f"{name}.{leaf}") for leaf in leaves]
        if all(value is None for value in values):
            continue
        if any(np.shape(v) != shape or v.dtype != of_dtype for v in values):
            raise ValueError(f"its {name} is not of the shape {shape} and {of_dtype}")
        if not np.isfinite(values).all():
            raise ValueError(f"its {name} is not finite")
        parts[name] = part(*map(torch.tensor, values))
    if "standardizer" in parts and not (parts["standardizer"].scale > 0).all():
        raise ValueError("its standardizer divides by numbers that are not positive")
    return parts
