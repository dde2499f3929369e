"""Ranks stay alike: same data, weights of the first, no moments of their own."""

from typing import Any

import torch
from torch import nn

from .._data._domains import Domains
from .._warn import warn
from ._early_stopping import EarlyStopping
from ._identity import hash_data
from ._ranks import Ranks
from ._state import capture_state, map_leaves, restore_state


def check_same(ranks: Ranks, domains: Domains, settings: dict[str, Any]) -> None:
    """Raise ValueError on all ranks if what they were given differs.

    Parameters
    ----------
    ranks : Ranks
        Those that are to train together.
    domains : Domains
        The data; of each rank all of them.
    settings : dict of str to object
        Parameters, and digests of those that are code, by name.
    """
    given = {name: repr(value) for name, value in settings.items()}
    check_alike(ranks, {**given, **hash_data(domains)})


def check_alike(ranks: Ranks, given: dict[str, str]) -> None:
    """Raise ValueError on all ranks if a text that they give differs.

    Parameters
    ----------
    ranks : Ranks
        All of them call this.
    given : dict of str to str
        By the names that the error tells.
    """
    if found := ranks.find_other(given):
        rank, first, other = found
        names = [k for k in {**first, **other} if first.get(k) != other.get(k)]
        raise ValueError(
            f"Rank {rank} differs from rank 0 in {', '.join(names)}. All ranks have to "
            "call fit with the same parameters and the same rows, since each takes its "
            "share of every batch; what is drawn needs a random_state. Set "
            "distributed=False to train without the others."
        )


def start_as_first(
    ranks: Ranks,
    net,
    early_stopping: EarlyStopping | None,
    end_epoch: int | None,
) -> int | None:
    """Bring a net to where that of the first rank stands, which may have been resumed.

    Its seeds are everybody's, too: without ``random_state`` each has drawn others.

    Parameters
    ----------
    ranks : Ranks
        Those that train together.
    net : DANNNet
        Built alike on all of them.
    early_stopping : EarlyStopping or None
        What it has found so far comes along.
    end_epoch : int or None
        At which training ends, if it is resumed.

    Returns
    -------
    int or None
        ``end_epoch`` of the first rank.
    """
    _warn_of_batch_norm(net.module_)
    state = None
    if ranks.is_first:
        state = capture_state(net), net.seed, list(net.history), end_epoch
        stopping = early_stopping and (early_stopping.best, early_stopping.start)
        state = map_leaves((*state, stopping), torch.Tensor, torch.Tensor.cpu)
    state, seed, history, end_epoch, stopping = ranks.from_first(state)
    if not ranks.is_first:
        net.seed, net.history[:] = seed, history
        restore_state(net, state)
        if end_epoch is not None and early_stopping is not None:
            early_stopping.resume(*stopping)
    return end_epoch


def _warn_of_batch_norm(module):
    """Warn of what does not compute the same on several ranks as in one process."""
    kinds = {type(norm).__name__ for norm in _batch_norms(module)}
    if kinds:
        warn(
            f"One of your modules has a {' and a '.join(sorted(kinds))}: on several "
            "ranks it sees the rows of its own, not of the whole batch, so that the "
            "network is not that of one process. Use a LayerNorm or GroupNorm, or on "
            "CUDA a SyncBatchNorm, to have the same."
        )


@torch.no_grad()
def take_weights_of_first(ranks: Ranks, module: nn.Module) -> None:
    """Give a module on all ranks the weights of the first, in one message.

    They differ where another processor has rounded in another way. In an epoch that
    matters little; over many it could grow.
    """
    values = [*module.parameters(), *module.buffers()]
    parts = [value.detach().flatten().view(torch.uint8) for value in values]
    message = torch.cat(parts)
    ranks.broadcast(message, 0)
    for value, part in zip(values, message.split(list(map(len, parts))), strict=True):
        value.copy_(part.clone().view(value.dtype).view_as(value))


def average_running_moments(ranks: Ranks, module: nn.Module) -> None:
    """Give batch normalizations of all ranks the mean of what each has seen."""
    for norm in _batch_norms(module):
        for moments in (norm.running_mean, norm.running_var):
            if moments is not None:
                ranks.add_up(moments)
                moments /= ranks.size


def _batch_norms(module):
    """Return the layers that look at other rows, and at those of this rank alone."""
    return [
        layer
        for layer in module.modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm)
        and not isinstance(layer, nn.SyncBatchNorm)
    ]
