"""What a fork must not break: locks that a child would find taken, and threads."""

import os
import threading

_PROCESS = os.getpid()  # of the import

# By the order in which whoever needs several takes them; a fork must keep to it, too.
GENERATOR, THREADS, SETTINGS, PROGRESS_BAR = range(4)
_held: dict = {}
_taken = threading.local()


def is_forked() -> bool:
    """Return whether this process was forked after skdann was imported."""
    return os.getpid() != _PROCESS


def hold_across_forks(lock, rank: int) -> None:
    """Have every fork from now on wait for a lock, so that no child finds it taken.

    Call it before the lock is first taken, not at import: it concerns all forks of the
    process, also those of programs that import skdann and never use it.

    Parameters
    ----------
    lock : threading.RLock
        A lock that is taken for a short while.
    rank : int
        Its place in the order above.
    """
    if rank in _held or not hasattr(os, "register_at_fork"):
        return
    if not _held:
        os.register_at_fork(before=_take)
        for _ in range(2):  # an interrupt may keep one of them from beginning
            os.register_at_fork(after_in_parent=_give_back, after_in_child=_give_back)
    _held[rank] = lock


def _take():
    locks = [lock for _, lock in sorted(_held.items())]
    _taken.holder = _hold(locks)
    next(_taken.holder)


def _give_back():
    if hasattr(_taken, "holder"):  # else an interrupt came before it, which is no error
        _taken.holder.close()


def _hold(locks):
    """Hold locks until closed: an interrupt, too, leaves none of them taken."""
    if not locks:
        yield
        return
    with locks[0]:
        yield from _hold(locks[1:])
