"""Snapshot and restore the training state: weights, optimizer, generators, counters."""

import torch

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
    return {**copy_of_weights(net.module_, net.optimizer_), **capture_training(net)}


def copy_of_weights(module, optimizer) -> dict:
    """Return copies of weights and of what an optimizer keeps."""
    state = {"module": dict(module.state_dict()), "optimizer": optimizer.state_dict()}
    return map_leaves(state, torch.Tensor, torch.clone)


def capture_training(net) -> dict:
    """Return what else training changes: generators, counters, number of epochs."""
    return {
        "generators": [rng.bit_generator.state for rng in (*net.rngs_, net.draws_)],
        "counters": {name: getattr(net, name) for name in COUNTERS},
        "n_epochs": len(net.history),
    }


def restore_state(net, state: dict) -> None:
    """Return a net to a state that it had, or that a net built alike had.

    Parameters
    ----------
    net : DANNNet
        Initialized.
    state : dict
        From :func:`capture_state`; the net keeps none of its tensors.

    """
    restore_weights(net.module_, net.optimizer_, state)
    restore_training(net, state)


def restore_weights(module, optimizer, state: dict) -> None:
    """Return weights, and what an optimizer keeps, to copies of them."""
    module.load_state_dict(state["module"])
    # another copy, as torch keeps the tensors
    kept = map_leaves(state["optimizer"], torch.Tensor, torch.clone)
    optimizer.load_state_dict(kept)


def restore_training(net, state: dict) -> None:
    """Return generators, counters and history of a net to a state.

    The history comes last: interrupted before, the net still tells of an epoch that was
    broken off, and so whoever catches that goes back further.
    """
    rngs = [*net.rngs_, net.draws_]
    for rng, generator in zip(rngs, state["generators"], strict=True):
        rng.bit_generator.state = generator
    for name in COUNTERS:
        setattr(net, name, state["counters"][name])
    del net.history[state["n_epochs"] :]


def to_numpy(tensor):
    """Return the values of a tensor as an array."""
    return tensor.detach().cpu().numpy()
