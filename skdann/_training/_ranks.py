"""The processes that train one network together: a torch process group, joined."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from joblib.parallel import get_active_backend
from torch import Tensor, distributed

from .._progress import silence


class Ranks:
    """All processes of the group that was initialized; each of them makes the same.

    Whatever is asked of it, all of them have to ask, in the same order.

    Attributes
    ----------
    rank : int
        Which of them this one is.
    size : int
        How many there are.
    """

    def __init__(self):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def add_up(self, values: Tensor) -> None:
        """Replace values by their sum over all ranks: the same everywhere."""
        with self._lost_explained():
            distributed.all_reduce(values)

    def broadcast(self, values: Tensor, sender: int) -> None:
        """Replace values by those of one rank."""
        with self._lost_explained():
            distributed.broadcast(values, sender)

    def gather(self, value: Any) -> list:
        """Return the value of each rank."""
        values = [None] * self.size
        with self._lost_explained():
            distributed.all_gather_object(values, value)
        return values

    def from_first(self, value: Any) -> Any:
        """Return the value that the first rank has."""
        values = [value]
        with self._lost_explained():
            distributed.broadcast_object_list(values)
        return values[0]

    @contextmanager
    def _lost_explained(self):
        """Say what it means if the others can't be reached."""
        try:
            yield
        except RuntimeError as error:
            reason = str(error).split("\n")[0][:200]
            raise ConnectionError(
                f"Rank {self.rank} of {self.size} has lost another one ({reason}): "
                "that process ended, or did not answer within the time-out of the "
                "group. Start all of them again; with checkpoint, fit(..., "
                "resume=True) goes on from the last epoch that was written."
            ) from error


@contextmanager
def joined_ranks(may_join: str | bool) -> Iterator[Ranks | None]:
    """Join the process group, if there is one; in the body the first rank alone speaks.

    Parameters
    ----------
    may_join : "auto" or False
        The estimator's parameter ``distributed``.

    Yields
    ------
    Ranks or None
        None if this process trains by itself.
    """
    ranks = Ranks() if may_join and _is_one_of_many() else None
    with nullcontext() if is_first(ranks) else silence():
        yield ranks


def _is_one_of_many():
    """Whether this process is one of a group, and the other ranks make the same."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return False
    backend, _ = get_active_backend()
    is_worker = backend.nesting_level > 0  # its fits come in an order of their own
    return distributed.get_world_size() > 1 and not is_worker


def is_first(ranks: Ranks | None) -> bool:
    """Whether this process writes files: of several the first."""
    return ranks is None or ranks.is_first


@contextmanager
def together(ranks: Ranks | None, what: str) -> Iterator[None]:
    """Do the body on all ranks: where it fails on one, it fails on all.

    Parameters
    ----------
    ranks : Ranks or None
        None does it on this process alone.
    what : str
        What the body does, for the message of the others: "read its data".
    """
    if ranks is None:
        yield
        return
    try:
        yield
    except Exception as error:
        ranks.gather(f"{type(error).__name__}: {error}")
        raise
    for rank, failure in enumerate(ranks.gather(None)):
        if failure is not None:
            raise RuntimeError(f"Rank {rank} could not {what}. {failure}")
