"""A folder of what a search has finished, from which it goes on after it was killed."""

import errno
import hashlib
import os
import re
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from .._io._container import (
    as_path,
    errors_as_value_error,
    read_file,
    write_file,
)
from .._io._metadata import check_labels, versions
from .._progress import logger
from .._training import ROUNDING, check_path, is_first, together
from .._training._identity import hash_rows
from .._warn import warn, warn_again
from ._outcome_tree import from_tree, to_tree

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# What the folder says of the search, once for all files.
_SEARCH = "search.skdann"

# What writers that were killed have left; other hidden files are somebody's.
_PART = re.compile(r"\.(search|stack|refit)[^.]*\.skdann\.[0-9a-f]{8}\.part")

_REMOVED = "It is removed, and what it held is trained again."


@contextmanager
def open_checkpoint(folder, identify, answers_shape, ranks=None):
    """Take a folder for one search, or raise an error that says why it can't be.

    Parameters
    ----------
    folder : path or None
        The parameter ``checkpoint``.
    identify : callable
        Returns the identity of the search; called if there is a folder.
    answers_shape : tuple of int
        Of the answers of each outcome.
    ranks : Ranks or None, default=None
        Who makes the same search; the first has the folder, the others none.

    Yields
    ------
    SearchCheckpoint or NoCheckpoint
    """
    with ExitStack() as stack:
        with together(ranks, "open the checkpoint of its search"):
            folder = folder if is_first(ranks) else None
            checkpoint = stack.enter_context(_open(folder, identify, answers_shape))
        yield checkpoint


@contextmanager
def _open(folder, identify, answers_shape):
    if folder is None:
        yield NoCheckpoint()
        return
    check_path(folder)
    path = as_path(folder)
    with _errors_explained(path):
        path.mkdir(exist_ok=True)
        _check_no_other(path)
        lock = _lock(path)
    try:
        checkpoint = SearchCheckpoint(path, answers_shape)
        checkpoint.begin(identify())
        yield checkpoint
    finally:
        os.close(lock)


def _check_no_other(folder):
    """Raise ValueError for a folder of other things: it may be somebody's home."""
    names = [name for name in os.listdir(folder) if not name.startswith(".")]
    if names and _SEARCH not in names:
        raise ValueError(
            f"checkpoint={str(folder)!r} holds {min(names)!r}, and no search "
            f"({_SEARCH}). Name an empty folder, or one that is not there."
        )


def _lock(folder):
    """Return the descriptor of a file that no other search has; a kill gives it back.

    Where the system knows no locks, two searches may do the same work: each file is
    whole all the same.
    """
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ValueError(
            f"checkpoint={str(folder)!r} is in use by another search. Wait for its "
            "end, or name another folder."
        ) from None
    except OSError as error:
        logger.debug("%s can't be locked: %s", folder, error)
    return lock


@contextmanager
def _errors_explained(folder, advice="Name a folder that can be written."):
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"checkpoint={str(folder)!r} can't be used: "
            f"{error.strerror or error}. {advice}",
        ) from error


class NoCheckpoint:
    """In place of a folder if there is none."""

    def read(self, tasks):
        """Return no outcome."""
        return []

    def write(self, outcomes, warnings):
        """Write nothing."""

    @contextmanager
    def of_refit(self, position, network, given, rows):
        """Have the refit begin anew."""
        yield {}


class SearchCheckpoint:
    """The files of a folder: of each finished stack, and of the refit.

    Parameters
    ----------
    folder : Path
        Nobody else writes there meanwhile.
    answers_shape : tuple of int
        Of the answers of each outcome.
    """

    def __init__(self, folder, answers_shape):
        self.folder = folder
        self.answers_shape = answers_shape

    def begin(self, identity):
        """Make sure that what the folder holds is of this search, if it holds any.

        Parameters
        ----------
        identity : dict of str to str
            Digests of all that decides.

        Raises
        ------
        ValueError
            If it is of another search, or of none.
        OSError
            If it can't be written.
        """
        self.identity = identity
        path = self.folder / _SEARCH
        if path.exists():
            self._check_same(path)
        else:
            self._write(path, {"search": identity, "versions": versions()})
        for name in filter(_PART.fullmatch, os.listdir(self.folder)):
            (self.folder / name).unlink(missing_ok=True)

    def _check_same(self, path):
        saved = read_file(path, f"Remove {str(self.folder)!r}, or name another folder.")
        written = saved.get("search"), saved.get("versions")
        if not all(isinstance(part, dict) for part in written):
            raise ValueError(f"{path} is of no search. Name another folder.")
        names = {**written[0], **self.identity}
        changed = [n for n in names if written[0].get(n) != self.identity.get(n)]
        if changed:
            raise ValueError(
                f"checkpoint={str(self.folder)!r} is of another search: it differs in "
                f"{', '.join(_closest(changed))}. Give what it was begun with, name "
                f"another folder, or remove this one.{_hint_of_seeds(changed)}"
            )
        self._warn_of_versions(written[1])

    def _warn_of_versions(self, written):
        present = versions()
        changed = [name for name in ROUNDING if written.get(name) != present[name]]
        if changed:
            by = ", ".join(f"{name} {written.get(name)}" for name in changed)
            warn(
                f"{self.folder} was begun by other versions ({by}): the search goes "
                "on, but scores may differ a little from those of one version. To "
                "avoid that, install those versions."
            )

    def read(self, tasks):
        """Return the outcomes that are finished, of those to be had from tasks.

        Parameters
        ----------
        tasks : list of Task
            All of the search.

        Returns
        -------
        list of Outcome
        """
        wanted = {(task.fold, *member) for task in tasks for member in task.members}
        found = {}
        files = filter(Path.is_file, sorted(self.folder.glob("stack-*.skdann")))
        for path in files:
            try:
                outcomes, warnings = self._read_stack(path, wanted)
            except ValueError as error:
                warn(str(error))
                path.unlink()
                continue
            found |= {(o.fold, o.candidate, o.seed): o for o in outcomes}
            warn_again(warnings)
        return list(found.values())

    def _read_stack(self, path, wanted):
        saved = read_file(path, _REMOVED)
        with errors_as_value_error(path, _REMOVED):
            if saved["search"] != self.identity:
                raise ValueError("it is of another search")
            outcomes, warnings = from_tree(saved, self.answers_shape)
            if any((o.fold, o.candidate, o.seed) not in wanted for o in outcomes):
                raise ValueError("it is of no fit of this search")
        return outcomes, warnings

    def write(self, outcomes, warnings):
        """Write what a stack has come to, at once.

        Fits that failed for want of memory, or by a file, are left out: that may be
        otherwise the next time.

        Parameters
        ----------
        outcomes : list of Outcome
            Of the stack.
        warnings : list of (str, type)
            What it warned of.
        """
        by_chance = MemoryError | OSError
        lasting = [o for o in outcomes if not isinstance(o.error, by_chance)]
        if not lasting:
            return
        tree = {"search": self.identity, **to_tree(lasting, warnings)}
        first = lasting[0]
        name = f"stack-fold{first.fold}-candidate{first.candidate}-seed{first.seed}"
        self._write(self.folder / f"{name}.skdann", tree)

    def _write(self, path, tree):
        advice = "Mend it; then the same call goes on with what is finished."
        with _errors_explained(self.folder, advice):
            write_file(path, tree)

    @contextmanager
    def of_refit(self, position, network, given, rows):
        """Have the refit of a candidate write a checkpoint, and go on from there.

        The file is of these very rows: a preprocessing that draws, or rounds in another
        way, comes to others each time, and the refit then begins anew.

        Parameters
        ----------
        position : int
            Of the candidate.
        network : estimator
            To be fitted. One with a ``checkpoint`` of its own writes that, and what has
            no such parameter is fitted anew.
        given : dict
            What its ``fit`` gets besides the rows.
        rows : list of array-like
            What it gets first: X, y and X_tgt, preprocessed.

        Yields
        ------
        dict
            Arguments of ``fit``.
        """
        is_free = getattr(network, "checkpoint", self.folder) is None
        if not is_free or not _can_hold(given):
            yield {}
            return
        name = f"refit-candidate{position}-"
        path = self.folder / f"{name}{_digest_of(rows)}.skdann"
        for old in self.folder.glob(f"{name}*.skdann"):
            if old != path:
                old.unlink(missing_ok=True)
        try:
            if path.exists():
                read_file(path, _REMOVED)
        except ValueError as error:
            warn(str(error))
            path.unlink()
        network.set_params(checkpoint=path)
        yield {"resume": True}
        network.set_params(checkpoint=None)


def _digest_of(rows):
    return hashlib.sha256(" ".join(map(hash_rows, rows)).encode()).hexdigest()[:8]


def _can_hold(given):
    """Whether a file can hold the names of groups, of which it can't hold dates."""
    try:
        for name in {"groups", "groups_tgt"} & given.keys():
            check_labels(np.unique(np.asarray(given[name])), name)
    except TypeError as error:
        logger.info("the refit writes no checkpoint: %s", error)
        return False
    return True


def _closest(names):
    """Return the names of what differs; of steps their own parameters alone."""
    inner = [name for name in names if "__" in name]
    outer = ("the estimator's steps", *(name.rpartition("__")[0] for name in inner))
    return [name for name in names if not (inner and name in outer)]


def _hint_of_seeds(changed):
    if not {"the candidates", "the folds of cv"} & set(changed):
        return ""
    return (
        " (Candidates and folds that are drawn need a random_state: without one they "
        "are others at each call.)"
    )
