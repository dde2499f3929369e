"""Where training computes: the device, and on a CPU how many threads."""

import _thread
import math
import threading
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from ._fork import THREADS, hold_across_forks, is_forked

# Multiply-adds per step of the largest layer from which a second thread pays. Below, a
# second thread is slower or gains little (benchmarks/bench_threads.py); beside another
# busy process, two threads that wait for each other take up to six times as long.
WORTH_THREADS = 2**26

# Held while the number of threads to come is not the user's.
_LOCK = threading.RLock()


def resolve_device(device):
    """Return a device that works here; "auto" is a GPU if there is one.

    Parameters
    ----------
    device : str or torch.device
        What the user asked for.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If torch can't use the device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(device)
        if device.type == "cpu" and device.index:
            raise RuntimeError("all of the CPU is one device")
        number = torch.zeros(1, device=device)
        number.cpu()  # "meta" has shapes alone
    except Exception as error:  # of any kind: for some, torch imports their module
        reason = str(error).split("\n")[0][:200]
        raise ValueError(
            f"device={str(device)!r} cannot be used here ({reason}). Use 'auto' or "
            "'cpu'."
        ) from error
    return number.device


@contextmanager
def device_of_turn(turn: int):
    """Have "cuda" mean one device after the other, where a machine has several.

    Parameters
    ----------
    turn : int
        Of the work in the body among all that is done at once.
    """
    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    with torch.cuda.device(turn % n_devices) if n_devices > 1 else nullcontext():
        yield


def number_of_threads() -> int:
    """Return torch's number; a thread that first asks takes over the process's.

    So it has to wait while that is the number of one computation.
    """
    hold_across_forks(_LOCK, THREADS)
    with _LOCK:
        n_threads = torch.get_num_threads()
    return n_threads


@contextmanager
def limit_threads(is_small: bool):
    """Compute on one thread where more do not pay; then restore the setting.

    A process that was forked always gets one: a fork leaves OpenMP's threads behind,
    and GNU's implementation waits for them forever. So whatever computes does so within
    this context, or within one that has it.

    threadpoolctl can't do this: it lowers the number that OpenMP and
    ``torch.get_num_threads`` tell, but the matrix products of torch's MKL, which is
    linked into torch where threadpoolctl does not find it, go on with all threads.

    Parameters
    ----------
    is_small : bool
        Whether a second thread would not pay, see :func:`is_small`.
    """
    before = number_of_threads()
    if before == 1 or not (is_small or is_forked()):
        yield
        return
    try:
        _set_threads_here(1, elsewhere=before)
        yield
    finally:
        torch.set_num_threads(before)


def _set_threads_here(n_threads, elsewhere):
    """Set the number of this thread alone.

    Torch makes it that of threads to come as well. So one of these sets theirs back.
    It is started by hand: ``threading.Thread`` waits for its start under a lock that an
    interrupt may leave taken, and then neither the thread nor the process ever ends.
    """
    done = _thread.allocate_lock()
    done.acquire()

    def set_elsewhere():
        torch.set_num_threads(elsewhere)
        done.release()

    with _LOCK:
        torch.set_num_threads(n_threads)
        try:
            _thread.start_new_thread(set_elsewhere, ())
        except RuntimeError:  # if none can begin, none takes over the wrong number
            return
        done.acquire()


def is_small(module: nn.Module, X, n_rows: int) -> bool:
    """Return whether a second thread would not pay in training a network.

    Parameters
    ----------
    module : nn.Module
        The network.
    X : ndarray or CSR of shape (n, ...)
        Data like those that go into it.
    n_rows : int
        Rows of a step.
    """
    # a convolution uses its weights at each place of its input; at most so many here
    n_places = math.prod(X.shape[2:])
    uses = (w.numel() * (n_places if w.ndim > 2 else 1) for w in module.parameters())
    return n_rows * max(uses) < WORTH_THREADS
