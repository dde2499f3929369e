"""Snapshot and restore the training state: weights, optimizer, generators, counters."""

import numpy as np
import torch

from ._optimizers import OPTIMIZERS

COUNTERS = ("n_steps_", "planned_steps_", "first_loss_", "best_loss_", "lr_scale_")


def map_leaves(tree, kind, function):
    """Return a tree with ``function`` applied to its leaves of a kind."""
    if isinstance(tree, kind):
        return function(tree)
    if isinstance(tree, dict):
        return {key: map_leaves(value, kind, function) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(map_leaves(value, kind, function) for value in tree)
    return tree


def capture_state(net) -> dict:
    """Return a copy of all that training changes in a net, but its history.

    It costs a copy of the weights and of the optimizer's moments.
    """
    state = {
        **net.engine_.state_dict(),
        "generators": [rng.bit_generator.state for rng in (*net.rngs_, net.draws_)],
        "counters": {name: getattr(net, name) for name in COUNTERS},
        "n_epochs": len(net.history),
    }
    return map_leaves(state, torch.Tensor, torch.clone)


def restore_state(net, state: dict) -> None:
    """Return a net to a state that it had, or that a net built alike had.

    Parameters
    ----------
    net : DANNNet
        Initialized.
    state : dict
        From :func:`capture_state`; the net keeps none of its tensors.

    Raises
    ------
    ValueError, RuntimeError, KeyError
        If it is the state of a net of other shapes.
    """
    optimizer = _checked_optimizer_state(net.optimizer_, state["optimizer"])
    optimizer = map_leaves(optimizer, torch.Tensor, torch.clone)  # torch would keep it
    net.engine_.load_state_dict({"module": state["module"], "optimizer": optimizer})
    rngs = [*net.rngs_, net.draws_]
    for rng, generator in zip(rngs, state["generators"], strict=True):
        rng.bit_generator.state = generator
    for name in COUNTERS:
        setattr(net, name, state["counters"][name])
    del net.history[state["n_epochs"] :]


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
        From :func:`skdann._io._container.read_file`.
    """
    state = map_leaves(saved["net"], np.ndarray, torch.tensor)
    if state["dtype"] != net.dtype.name:
        raise ValueError(
            f"its network computes in {state['dtype']}, this one in {net.dtype.name}"
        )
    for name, weight in state["module"].items():
        if weight.is_floating_point() and not weight.isfinite().all():
            raise ValueError(f"the weights {name} are not finite")
    rows = [{str(k): v for k, v in dict(row).items()} for row in state["history"]]
    net.history[:] = [{"batches": [], **row} for row in rows]
    if len(rows) != state["n_epochs"]:
        raise ValueError(f"it has {len(rows)} rows of {state['n_epochs']} epochs")
    restore_state(net, state)
    net.seed = int(state["seed"])
    if rows:
        net.module_.set_lambdas([float(rows[-1]["lambda"])])


def to_numpy(tensor):
    """Return the values of a tensor as an array."""
    return tensor.detach().cpu().numpy()


def _checked_optimizer_state(optimizer, state):
    """Check the state of an optimizer; options that it lacks are the present ones.

    Torch adds options with its versions, and looks at shapes only at the next step.
    """
    present = optimizer.state_dict()["param_groups"]
    groups = [
        {**new, **old} for new, old in zip(present, state["param_groups"], strict=True)
    ]
    if type(optimizer) in OPTIMIZERS.values():
        weights = [w for g in optimizer.param_groups for w in g["params"]]
        for i, values in state["state"].items():
            for value in values.values():
                shape = getattr(value, "shape", ())
                if shape not in ((), weights[i].shape):
                    raise ValueError(
                        f"the optimizer's state of weight {i} has shape "
                        f"{tuple(shape)} instead of {tuple(weights[i].shape)}"
                    )
    return {"state": state["state"], "param_groups": groups}


def _is_plain(value):
    """Whether a file can hold it: of what callbacks record, anything may come."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return isinstance(value, bool | int | float | str | np.number | np.bool_)
