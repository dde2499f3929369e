"""Write down where training stands, so that it can go on from there."""

import errno
import hashlib
from pathlib import Path

import numpy as np
import torch

from .._data._domains import Domains
from .._data._rows import take_rows
from .._io._container import (
    check_writable,
    map_leaves,
    read_file,
    remove_parts,
    understood,
    write_file,
)
from ._early_stopping import EarlyStopping
from ._state import put_back, state_of

# Rows of each domain that tell one set of data from another.
N_FINGERPRINTED = 256


class Checkpoint:
    """The file of a training that may be killed, and the way back from it.

    Parameters
    ----------
    path : str or PathLike
        The file.
    interval : int
        Epochs from one writing to the next.
    description : dict
        What else the file tells: of the estimator, so that it can be loaded.
    domains : Domains
        The data; another run must have the same to go on.
    early_stopping : EarlyStopping or None
        Whose best epoch so far is written as well.
    """

    def __init__(
        self,
        path,
        interval: int,
        description: dict,
        domains: Domains,
        early_stopping: EarlyStopping | None,
    ):
        self.path = Path(path)
        self.interval = interval
        self.description = description
        self.data = fingerprint(domains)
        self.early_stopping = early_stopping
        self.end = 0
        self.n_written = 0

    def begin(self, n_epochs: int) -> None:
        """Make sure, before hours of training, that the file can be written.

        Parameters
        ----------
        n_epochs : int
            Epochs, those already trained included, at which training ends.

        Raises
        ------
        OSError
            If it can't.
        ValueError
            If there is a file of another kind.
        """
        self.end = n_epochs
        if self.path.exists() and not self.n_written:  # else resume has read it
            self._check_replaceable()
        remove_parts(self.path)
        try:
            check_writable(self.path)
        except OSError as error:
            raise self._explained(error) from error

    def _check_replaceable(self):
        try:
            is_checkpoint = "run" in read_file(self.path)
        except ValueError as error:
            raise self._would_overwrite("no checkpoint, or a damaged one") from error
        if not is_checkpoint:
            raise self._would_overwrite("a model that skdann.save has written")

    def _would_overwrite(self, what):
        return ValueError(
            f"checkpoint={str(self.path)!r} would overwrite a file that is {what}. "
            "Remove it, or name another."
        )

    def resume(self, net) -> int:
        """Bring a new net to where the file says that training stood.

        Parameters
        ----------
        net : DANNNet
            Built as that of the file was.

        Returns
        -------
        int
            Epochs left to train.

        Raises
        ------
        ValueError
            If the file is not one of this very training.
        """
        tree = read_file(self.path)
        with understood(self.path):
            self._check_same(tree)
            restore(net, tree)
            run = tree["run"]
            if self.early_stopping is not None:
                best = map_leaves(run["best"], np.ndarray, torch.tensor)
                self.early_stopping.best = best
                self.early_stopping.start = run["start"]
            left = 0 if run["is_finished"] else run["end"] - len(net.history)
        self.n_written = len(net.history)
        return left

    def after_epoch(self, net) -> None:
        """Write the file every ``interval`` epochs."""
        if len(net.history) % self.interval == 0:
            self.write(net)

    def write(self, net, *, is_finished: bool = False) -> None:
        """Write the file now.

        Parameters
        ----------
        net : DANNNet
            At the end of an epoch.
        is_finished : bool, default=False
            Whether no epoch is left to train.
        """
        net.check_weights()  # a last step may have gone wrong: the old file is better
        early = self.early_stopping
        run = {
            "data": self.data,
            "end": self.end,
            "is_finished": is_finished,
            "start": early and early.start,
            "best": map_leaves(early and early.best, torch.Tensor, _to_numpy),
        }
        try:
            write_file(self.path, {**self.description, **stored(net), "run": run})
        except OSError as error:
            raise self._explained(error, len(net.history)) from error
        self.n_written = len(net.history)

    def _explained(self, error, n_epochs=0):
        kept = (
            f" The one of epoch {self.n_written} is kept: mend it, then "
            "fit(..., resume=True) goes on from there."
            if self.n_written
            else ""
        )
        what = f"The checkpoint of epoch {n_epochs}" if n_epochs else "A checkpoint"
        reason = error.strerror or str(error)
        return OSError(
            error.errno or errno.EIO,
            f"{what} can't be written to {str(self.path)!r}: {reason}.{kept}",
        )

    def _check_same(self, tree):
        mine, theirs = self.description["estimator"], tree["estimator"]
        changed = [
            name
            for name, value in mine["identity"].items()
            if theirs["identity"].get(name) != value
        ]
        if changed:
            raise ValueError(
                f"it was written with other values of {', '.join(changed)}; give the "
                "old ones, or another file"
            )
        if tree["run"]["data"] != self.data:
            raise ValueError(
                "it was written while training on other data; give the same, or "
                "another file"
            )


def stored(net) -> dict:
    """Return what a file tells of a net, as plain values and arrays."""
    state = state_of(net)
    rows = [
        {key: value for key, value in row.items() if _is_plain(value)}
        for row in net.history
    ]
    net_ = {**state, "history": rows, "seed": net.seed, "dtype": net.dtype.name}
    return {"net": map_leaves(net_, torch.Tensor, _to_numpy)}


def restore(net, tree: dict) -> None:
    """Bring a net to the state that a file tells of, checked.

    Parameters
    ----------
    net : DANNNet
        Initialized, of the same parts.
    tree : dict
        From :func:`skdann._io._container.read_file`.
    """
    told = map_leaves(tree["net"], np.ndarray, torch.tensor)
    if told["dtype"] != net.dtype.name:
        raise ValueError(
            f"its network computes in {told['dtype']}, this one in {net.dtype.name}"
        )
    for name, weight in told["module"].items():
        if weight.is_floating_point() and not weight.isfinite().all():
            raise ValueError(f"the weights {name} are not finite")
    rows = [{str(k): v for k, v in dict(row).items()} for row in told["history"]]
    net.history[:] = [{"batches": [], **row} for row in rows]
    if len(rows) != told["n_epochs"]:
        raise ValueError(f"it has {len(rows)} rows of {told['n_epochs']} epochs")
    put_back(net, told)
    net.seed = int(told["seed"])
    if rows:
        net.module_.gradient_reversal.lambda_ = float(rows[-1]["lambda"])


def fingerprint(domains: Domains) -> str:
    """Return a digest that other data, or other labels, would not have."""
    digest = hashlib.sha256()
    for X in (domains.X, domains.X_tgt):
        if X is None:
            digest.update(b"None")
            continue
        digest.update(f"{X.shape} {X.dtype.str}".encode())
        some = np.linspace(0, X.shape[0] - 1, N_FINGERPRINTED).astype(int)
        digest.update(np.ascontiguousarray(take_rows(X, some)).tobytes())
    columns = (domains.y, domains.label_weight, domains.row_weight, domains.y_tgt)
    for column in columns:
        digest.update(b"None" if column is None else column.tobytes())
    return digest.hexdigest()


def _is_plain(value):
    """Whether a file can hold it: of what callbacks record, anything may come."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return isinstance(value, bool | int | float | str | np.number | np.bool_)


def _to_numpy(tensor):
    return tensor.detach().cpu().numpy()
