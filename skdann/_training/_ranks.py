"""The processes that train one network together: a torch process group, joined."""

import functools
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from joblib.parallel import get_active_backend
from sklearn import get_config
from torch import Tensor, distributed

from .._pipelines import last_step
from .._progress import silence
from .._typing import Function
from ..exceptions import DivergenceError


class Ranks:
    """All processes of the group that was initialized; each of them makes the same.

    Whatever is asked of it, all of them have to ask, in the same order. It is a group
    of its own: what else the program sends is apart, and a rank that fails leaves it,
    which the others notice at once, while that of the program stays as it is.

    Attributes
    ----------
    rank : int
        Which of them this one is.
    size : int
        How many there are.
    """

    def __init__(self):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.is_interrupted = self.is_out_of_step = False
        with self._lost_explained():
            distributed.barrier()  # notices at once who has ended
            self.group = distributed.new_group(timeout=_timeout_of_program())

    def leave(self) -> None:
        """Have nothing more to do with the others."""
        # the last reference: only then are connections closed. torch 2.4 waits for the
        # threads of a group with Python's lock in hand, which they may need to end; of
        # a backend without it
        backend = self.group._get_backend(_device())
        distributed.destroy_process_group(self.group)
        self.group = None
        del backend

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def add_up(self, values: Tensor) -> None:
        """Replace values by their sum over all ranks: the same everywhere."""
        with self._lost_explained():
            distributed.all_reduce(values, group=self.group)

    def broadcast(self, values: Tensor, sender: int) -> None:
        """Replace values by those of one rank."""
        with self._lost_explained():
            distributed.broadcast(values, sender, group=self.group)

    def gather(self, value: Any) -> list:
        """Return the value of each rank."""
        values = [None] * self.size
        with self._lost_explained():
            distributed.all_gather_object(values, value, group=self.group)
        return values

    def find_other(self, value: Any) -> tuple[int, Any, Any] | None:
        """Return a rank that has another value than the first, and both values."""
        first, *others = self.gather(value)
        found = ((i, other) for i, other in enumerate(others, start=1))
        return next(((i, first, other) for i, other in found if other != first), None)

    def from_first(self, value: Any) -> Any:
        """Return the value that the first rank has."""
        values = [value]
        with self._lost_explained():
            distributed.broadcast_object_list(values, group=self.group)
        return values[0]

    def any(self, *facts: bool) -> list[bool]:
        """Return of each fact whether it is one on any rank."""
        counts = torch.tensor(facts, dtype=torch.float32, device=_device())
        self.add_up(counts)
        return (counts > 0).tolist()

    def end_alike(self, error: BaseException | None, what: str) -> None:
        """Raise an error on all ranks where one has it, see :func:`together`."""
        if self.is_out_of_step:
            raise KeyboardInterrupt
        if error is None and self.is_interrupted:
            self.is_interrupted, error = False, KeyboardInterrupt()
        kind = next((end for end in _ENDS[::-1] if isinstance(error, end)), None)
        found = self.any(*(kind is end for end in _ENDS))
        if not any(found):
            return
        worst = _ENDS[found.index(True)]
        of_ranks = self.gather(_told(error) if kind is worst else None)
        if kind is worst:
            raise error
        rank, (name, said) = next((r, told) for r, told in enumerate(of_ranks) if told)
        if worst is Exception:
            raise RuntimeError(f"Rank {rank} could not {what}. {name}: {said}")
        raise worst(said)

    @contextmanager
    def in_step(self) -> Iterator[None]:
        """Exchange messages in the body; who is interrupted there has lost the others.

        Skorch takes an interrupt for the end of training, and would go on to it.
        """
        try:
            yield
        except KeyboardInterrupt:
            self.is_out_of_step = True
            raise

    @contextmanager
    def interrupted_together(self) -> Iterator[None]:
        """Have Ctrl-C, in the body, interrupt all ranks: the next time that they agree.

        Elsewhere the others would be left in the middle of an exchange. A second one
        does that.
        """
        is_in_main_thread = threading.current_thread() is threading.main_thread()
        is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if not (is_in_main_thread and is_default):
            yield
            return
        signal.signal(signal.SIGINT, self._note_interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.is_interrupted:  # after the last time
            raise KeyboardInterrupt

    def _note_interrupt(self, *of_signal):
        if self.is_interrupted:
            self.is_out_of_step = True
            raise KeyboardInterrupt
        self.is_interrupted = True

    @contextmanager
    def _lost_explained(self):
        """Say what it means if the others can't be reached."""
        try:
            yield
        except RuntimeError as error:
            # less the line of C++ that it begins with, and what gloo advises
            reason = re.sub(r"^\[\S*\] ", "", str(error)).split("\n")[0]
            reason = reason.partition(". ")[0][:200]
            raise ConnectionError(
                f"Rank {self.rank} of {self.size} has lost another one ({reason}): "
                "that process failed with an error of its own, see there, or ended, or "
                "did not make the same call within the time-out of the group. All "
                "ranks have to make the same calls; with checkpoint, fit(..., "
                "resume=True) goes on from the last epoch that was written."
            ) from error


# How a body can end before its time; where ranks differ, the first counts.
_ENDS = Exception, DivergenceError, KeyboardInterrupt


def _told(error):
    return type(error).__name__, str(error)


def _device():
    """Return where the group wants small messages."""
    return torch.device("cuda" if distributed.get_backend() == "nccl" else "cpu")


def _timeout_of_program():
    """Return the time-out that the program gave its group; None where torch hides it.

    No function of torch tells it, and a new group would have half an hour.
    """
    backend = distributed.group.WORLD._get_backend(_device())
    return getattr(getattr(backend, "options", None), "_timeout", None)


@contextmanager
def joined_ranks(setting: str | bool) -> Iterator[Ranks | None]:
    """Join the process group, if there is one; in the body the first rank alone speaks.

    Parameters
    ----------
    setting : "auto" or False
        The estimator's parameter ``distributed``.

    Yields
    ------
    Ranks or None
        None if this process trains by itself.
    """
    ranks = Ranks() if setting and _is_one_of_many() else None
    try:
        with nullcontext() if is_first(ranks) else silence():
            yield ranks
    finally:
        if ranks is not None:
            ranks.leave()


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


def from_first(ranks: Ranks | None, value: Any) -> Any:
    """Return the value that the first rank has; of one process, its own."""
    return value if ranks is None else ranks.from_first(value)


@contextmanager
def together(ranks: Ranks | None, what: str) -> Iterator[None]:
    """Do the body on all ranks: as it ends on one, by an error, it ends on all.

    DivergenceError and KeyboardInterrupt are what they are on all of them; of another
    error the others raise RuntimeError. In the body nothing is asked of other ranks.

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
    error = None
    try:
        yield
    except (Exception, KeyboardInterrupt) as caught:
        error = caught
    ranks.end_alike(error, what)


@contextmanager
def before_joining(estimator: Any) -> Iterator[None]:
    """Have an error of the body be one of all ranks, though it has yet to join them.

    What they ask first, once they are joined, is how the body of :func:`together` has
    ended; else they would wait for this one until their time-out.

    Parameters
    ----------
    estimator : estimator
        That is to be fitted: a network, or a search among some.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        joined = joined_ranks(may_join(estimator))
        with joined as ranks, together(ranks, "begin"):
            raise error


def may_join(estimator: Any) -> str | bool:
    """Return the parameter ``distributed`` of a network, or of those of a search."""
    network = last_step(getattr(estimator, "estimator", estimator))
    return getattr(network, "distributed", False)


def validated_on_all_ranks(method: Function) -> Function:
    """Decorate ``fit``: parameters that are wrong on one rank are an error on all.

    Goes outside of ``fit_context``, which validates them before ranks are joined.
    """

    @functools.wraps(method)
    def wrapper(estimator, *args, **kwargs):
        if _is_one_of_many() and not get_config()["skip_parameter_validation"]:
            with before_joining(estimator):
                estimator._validate_params()
        return method(estimator, *args, **kwargs)

    return wrapper
