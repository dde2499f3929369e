"""Write checkpoints of a training, and resume it from there."""

import errno
import hashlib
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback

from .._data._domains import Domains
from .._data._rows import take_rows
from .._io._container import (
    check_writable,
    errors_as_value_error,
    read_file,
    remove_parts,
    write_file,
)
from ._divergence import check_weights
from ._early_stopping import EarlyStopping
from ._state import from_plain, map_leaves, to_numpy, to_plain

# Rows of each domain that tell one set of data from another.
N_FINGERPRINTED = 256


class Checkpoint(Callback):
    """Write a file from which a training that was killed goes on, bit-identical.

    Parameters
    ----------
    path : str or PathLike
        The file.
    interval : int
        Epochs from one writing to the next.
    description : dict
        What else is in the file: the estimator, so that it can be loaded.
    defaults : dict of str to str
        Identity of parameters that a file of an older version may lack.
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
        defaults: dict,
        domains: Domains,
        early_stopping: EarlyStopping | None,
    ):
        self.path = Path(path)
        self.interval = interval
        self.description = description
        self.defaults = defaults
        self.data = fingerprint(domains)
        self.early_stopping = early_stopping
        self.end = 0
        self.n_written = 0

    def check(self, n_epochs: int) -> None:
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
            Epochs, those already trained included, at which training ends.

        Raises
        ------
        ValueError
            If the file is not one of this very training.
        """
        saved = read_file(self.path)
        with errors_as_value_error(self.path):
            self._check_same(saved)
            from_plain(net, saved)
            run = saved["run"]
            if self.early_stopping is not None:
                best = map_leaves(run["best"], np.ndarray, torch.tensor)
                self.early_stopping.resume(best, run["start"])
            end = len(net.history) if run["is_finished"] else run["end"]
        self.n_written = len(net.history)
        return end

    def on_epoch_end(self, net, **kwargs):
        # the last epoch is written once, when training is known to have finished
        if not net.is_over and len(net.history) % self.interval == 0:
            self.write(net)

    def on_train_end(self, net, **kwargs):
        last = net.history[-1] if len(net.history) else {}
        is_scored = self.early_stopping is None or "validation_score_best" in last
        if "train_loss" in last and is_scored:
            self.write(net, is_finished=net.is_over)

    def write(self, net, *, is_finished: bool = False) -> None:
        """Write the file now.

        Parameters
        ----------
        net : DANNNet
            At the end of an epoch.
        is_finished : bool, default=False
            Whether no epoch is left to train.
        """
        check_weights(net)  # a last step may have gone wrong: the old file is better
        early = self.early_stopping
        run = {
            "data": self.data,
            "end": self.end,
            "is_finished": is_finished,
            "start": early and early.start,
            "best": map_leaves(early and early.best, torch.Tensor, to_numpy),
        }
        try:
            write_file(self.path, {**self.description, **to_plain(net), "run": run})
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

    def _check_same(self, saved):
        present = self.description["estimator"]["identity"]
        written = {**self.defaults, **saved["estimator"]["identity"]}
        changed = [k for k, value in present.items() if written.get(k) != value]
        if changed:
            raise ValueError(
                f"it was written with other values of {', '.join(changed)}; give the "
                "old ones, or another file"
            )
        if saved["run"]["data"] != self.data:
            raise ValueError(
                "it was written while training on other data; give the same, or "
                "another file"
            )


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
    columns = (
        domains.y,
        domains.label_weight,
        domains.row_weight,
        domains.y_tgt,
        domains.row_weight_tgt,
    )
    for column in columns:
        digest.update(b"None" if column is None else column.tobytes())
    return digest.hexdigest()
