"""What a step changes in a net: taken, and put back."""

import torch

from .._io._container import map_leaves
from ._settings import OPTIMIZERS

COUNTERS = ("n_steps_", "planned_steps_", "first_loss_", "best_loss_", "lr_scale_")


def state_of(net) -> dict:
    """Return a copy of weights, optimizer, generators and counters of a net."""
    state = {
        "module": dict(net.module_.state_dict()),
        "optimizer": net.optimizer_.state_dict(),
        "generators": [rng.bit_generator.state for rng in (*net.rngs_, net.draws_)],
        "counters": {name: getattr(net, name) for name in COUNTERS},
        "n_epochs": len(net.history),
    }
    return map_leaves(state, torch.Tensor, torch.clone)


def put_back(net, state: dict) -> None:
    """Return a net to a state that it had, or that a net built alike had.

    Parameters
    ----------
    net : DANNNet
        Initialized.
    state : dict
        From :func:`state_of`; the net keeps none of its tensors.

    Raises
    ------
    ValueError, RuntimeError, KeyError
        If it is the state of a net of other shapes.
    """
    net.module_.load_state_dict(state["module"])
    net.optimizer_.load_state_dict(_of_optimizer(net, state["optimizer"]))
    rngs = [*net.rngs_, net.draws_]
    for rng, generator in zip(rngs, state["generators"], strict=True):
        rng.bit_generator.state = generator
    for name in COUNTERS:
        setattr(net, name, state["counters"][name])
    del net.history[state["n_epochs"] :]


def _of_optimizer(net, state):
    """Check the state of an optimizer; options that it lacks are the present ones.

    Torch adds options with its versions, and looks at shapes only at the next step.
    """
    present = net.optimizer_.state_dict()["param_groups"]
    groups = [
        {**new, **old} for new, old in zip(present, state["param_groups"], strict=True)
    ]
    if type(net.optimizer_) in OPTIMIZERS.values():
        weights = [w for g in net.optimizer_.param_groups for w in g["params"]]
        for i, values in state["state"].items():
            for value in values.values():
                shape = getattr(value, "shape", ())
                if shape not in ((), weights[i].shape):
                    raise ValueError(
                        f"the optimizer's state of weight {i} has shape "
                        f"{tuple(shape)} instead of {tuple(weights[i].shape)}"
                    )
    return {"state": state["state"], "param_groups": groups}
