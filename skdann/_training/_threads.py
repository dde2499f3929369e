"""Torch's threads: no more than a step can use."""

from contextlib import contextmanager

import torch
from torch import nn

# Multiplications in the largest layer of a step that are worth a second thread.
# Below, threads that wait for one another cost more than they bring; if another
# process has a core, several times more.
WORTH_THREADS = 2**26


@contextmanager
def no_idle_threads(module: nn.Module, n_rows: int):
    """Compute on one thread if the network is small; then restore the setting.

    Parameters
    ----------
    module : nn.Module
        The network. Only linear layers are judged: with others, nothing is changed.
    n_rows : int
        Rows of a step.
    """
    before = torch.get_num_threads()
    if before == 1 or not _is_small(module, n_rows):
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _is_small(module, n_rows):
    weights = [weight for weight in module.parameters() if weight.ndim > 1]
    if any(weight.ndim > 2 for weight in weights):
        return False  # a convolution reuses its weights as often as its input is large
    return n_rows * max(weight.numel() for weight in weights) < WORTH_THREADS
