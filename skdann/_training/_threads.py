"""Torch's threads: no more than a step can use."""

import math
import os
import threading
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn
from tqdm.std import TqdmDefaultWriteLock

# Multiplications in the largest layer of a step that are worth a second thread.
# Below, threads that wait for one another bring little or cost more than they bring;
# if another process has a core, many times more.
WORTH_THREADS = 2**26


def lock_across_forks(lock):
    """Return the lock; a fork now waits for it, so that no child finds it taken."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire,
            after_in_parent=lock.release,
            after_in_child=lock.release,
        )
    return lock


# A progress bar's. Registered first, it is taken last: a thread that holds one of ours
# may show a bar.
lock_across_forks(TqdmDefaultWriteLock.th_lock)

# Held while threads that begin would take over what is meant for another.
_LOCK = lock_across_forks(threading.RLock())

# A fork leaves OpenMP's threads behind, and GNU's waits for them forever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


@contextmanager
def no_idle_threads(module: nn.Module, X, n_rows: int):
    """Compute on one thread if the network is small; then restore the setting.

    Parameters
    ----------
    module : nn.Module
        The network.
    X : ndarray or CSR of shape (n, ...)
        Data like those that go into it.
    n_rows : int
        Rows of a step.
    """
    before = count_threads()
    if before == 1 or not _is_small(module, n_rows, X.shape[2:]):
        yield
        return
    try:
        _set_here(1, elsewhere=before)
        yield
    finally:
        torch.set_num_threads(before)


def count_threads() -> int:
    """Return how many threads torch may use here.

    A thread takes over the number of the process when it first computes, and keeps it.
    Call this before, so that it is not the one that a fit has set for itself.
    """
    with _LOCK:
        return torch.get_num_threads()


def _set_here(n_threads, *, elsewhere):
    """Set the number of this thread alone.

    Torch makes it that of threads to come as well. So one of these sets theirs back.
    """
    is_set = threading.Event()

    def set_elsewhere():
        is_set.wait()
        torch.set_num_threads(elsewhere)

    newcomer = threading.Thread(target=set_elsewhere)
    try:
        newcomer.start()
    except RuntimeError:  # if none can begin, none takes over the wrong number
        torch.set_num_threads(n_threads)
        return
    with _LOCK:
        torch.set_num_threads(n_threads)
        is_set.set()
        newcomer.join()


def _is_small(module, n_rows, image_shape):
    # a convolution uses its weights at each place of its input; at most so many here
    n_places = math.prod(image_shape)
    uses = (w.numel() * (n_places if w.ndim > 2 else 1) for w in module.parameters())
    return n_rows * max(uses) < WORTH_THREADS
