"""What a fork must not break: locks that a child would find taken, and threads."""

import os

_PROCESS = os.getpid()  # of the import
_held = []


def is_forked() -> bool:
    """Return whether this process was forked after skdann was imported."""
    return os.getpid() != _PROCESS


def hold_across_forks(lock) -> None:
    """Have every fork from now on wait for a lock, so that no child finds it taken.

    Call it before the lock is first taken, not at import: it concerns all forks of the
    process.

    Parameters
    ----------
    lock : threading.RLock
        A lock that is taken for a short while.
    """
    if not hasattr(os, "register_at_fork") or lock in _held:
        return
    _held.append(lock)
    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
    )
