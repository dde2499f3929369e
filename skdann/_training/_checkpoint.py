"""Write checkpoints of a training, and resume it from there."""

import errno
import functools
import os

import numpy as np
import torch
from skorch.callbacks import Callback

from .._data._domains import Domains
from .._io._container import (
    as_path,
    check_tree,
    check_writable,
    errors_as_value_error,
    read_file,
    remove_parts,
    write_file,
)
from .._io._metadata import NOT_IDENTITY
from .._progress import logger
from .._warn import warn
from ._divergence import check_predictions
from ._early_stopping import EarlyStopping
from ._identity import fingerprint, hash_data, hash_parts, is_same_setting
from ._plan import resolve_max_epochs
from ._saved_net import check_run, from_plain, to_plain
from ._state import map_leaves, to_numpy

# Other versions of them may round differently.
ROUNDING = ("torch", "numpy", "scikit-learn", "skdann")


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
    defaults : dict
        Values of parameters that a file of an older version may lack.
    code : dict
        The parameters that are code, which the description has by name alone.
    domains : Domains
        The data; another run must have the same to go on.
    early_stopping : EarlyStopping or None
        Whose best epoch so far is written as well.
    is_writer : bool, default=True
        Whether this process writes it: of ranks that train together the first.
    """

    def __init__(
        self,
        path,
        interval: int,
        description: dict,
        defaults: dict,
        code: dict,
        domains: Domains,
        early_stopping: EarlyStopping | None,
        is_writer: bool = True,
    ):
        check_path(path)
        self.path = as_path(path)
        self.interval = interval
        self.description = description
        self.defaults = defaults
        self.code = code
        self.domains = domains
        self.early_stopping = early_stopping
        self.is_writer = is_writer
        self.end = 0
        self.n_written = 0

    @functools.cached_property
    def data(self):
        """Digests of the data, made once: it takes a second for a gigabyte or two."""
        return hash_data(self.domains)

    def check(self, net, n_epochs: int) -> None:
        """Make sure, before hours of training, that the file can be written.

        Parameters
        ----------
        net : DANNNet
            To be trained.
        n_epochs : int
            Epochs, those already trained included, at which training ends.

        Raises
        ------
        OSError
            If it can't.
        ValueError
            If there is a file of another kind.
        TypeError
            If a parameter, a label or a weight is of a kind that no file can hold.
        """
        self.end = n_epochs
        self.digests = hash_parts(net.module_, self.code)
        try:
            check_tree({**self.description, **to_plain(net), "data": self.data})
        except TypeError as error:
            raise TypeError(
                f"checkpoint={str(self.path)!r} can't be written: {error} Set "
                "checkpoint=None, or use plain values."
            ) from error
        try:
            check_writable(self.path)
        except OSError as error:
            raise self._explained(error) from error
        if self.path.exists() and not self.n_written:  # else resume has read it
            self._check_replaceable()
        remove_parts(self.path)

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
            self._check_same(saved, net)
            from_plain(net, saved)
            run = saved["run"]
            stopping = self.early_stopping
            column = None if stopping is None else stopping.column
            check_run(run, saved["net"], self._most_epochs(), column)
            if stopping is not None:
                best = map_leaves(run["best"], np.ndarray, torch.tensor)
                stopping.resume(best, run["start"])
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
        # a last step may have gone wrong: the old file is better
        check_predictions(net, self.domains)
        if self.is_writer:
            self._write(net, is_finished)
        self.n_written = len(net.history)

    def _write(self, net, is_finished):
        early = self.early_stopping
        run = {
            "data": self.data,
            "code": self.digests,
            "end": self.end,
            "is_finished": is_finished,
            "start": early and early.start,
            "best": map_leaves(early and early.best, torch.Tensor, to_numpy),
        }
        try:
            write_file(self.path, {**self.description, **to_plain(net), "run": run})
        except OSError as error:
            raise self._explained(error, len(net.history)) from error
        logger.debug("checkpoint %s after epoch %d", self.path, len(net.history))

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

    def _most_epochs(self):
        """Return the most epochs that can be left of a fit."""
        max_epochs = self.description["estimator"]["parameters"]["max_epochs"]
        return resolve_max_epochs(max_epochs, steps_per_epoch=1)

    def _check_same(self, saved, net):
        changed = self._changed_settings(saved)
        if changed:
            raise ValueError(
                f"it was written with other values of {', '.join(changed)}; give the "
                "old ones, or another file"
            )
        changed = self._changed_data(saved)
        if changed:
            raise ValueError(
                f"it was written while training on other data: {', '.join(changed)} "
                "differ; give the same, or another file"
            )
        versions = self._changed_versions(saved)
        if not any(text.startswith("python") for text in versions):
            self._check_code(saved, net)
        if versions and not saved["run"]["is_finished"]:
            warn(
                f"{self.path} was written by other versions ({', '.join(versions)}): "
                "the training goes on, but may end a little different from one that "
                "was not interrupted. To avoid that, install those versions."
            )

    def _changed_settings(self, saved):
        """Return the names of parameters that have another value than in a file."""
        written = {**self.defaults, **saved["estimator"]["parameters"]}
        present = self.description["estimator"]["parameters"]
        return [
            name
            for name, value in present.items()
            if name not in NOT_IDENTITY and not is_same_setting(written[name], value)
        ]

    def _changed_data(self, saved):
        """Return what of the data is not as in a file."""
        written, present = saved["estimator"], self.description["estimator"]
        digests = saved["run"]["data"]
        if isinstance(digests, str):  # as files of skdann 0.1 have it
            is_same = digests == fingerprint(self.domains)
            changed = [] if is_same else ["X, y, X_tgt or weights"]
        else:
            names = {**digests, **self.data}
            changed = [k for k in names if digests.get(k) != self.data.get(k)]
        if written["feature_names"] != present["feature_names"]:
            changed.append("the names of the columns")
        if _labels(written) != _labels(present):
            changed.append("the labels")
        return changed

    def _changed_versions(self, saved):
        """Return what else was installed, in the versions of a file."""
        written, present = saved["versions"], self.description["versions"]
        names = [name for name in ROUNDING if written.get(name) != present[name]]
        minor = [str(v["python"]).split(".")[:2] for v in (written, present)]
        names += ["python"] if minor[0] != minor[1] else []
        return [f"{name} {str(written.get(name))[:30]}" for name in names]

    def _check_code(self, saved, net):
        """Raise ValueError if code of the user's is not what it was."""
        written = saved["run"].get("code", {})
        changed = [
            name
            for name, digest in hash_parts(net.module_, self.code).items()
            if written.get(name, digest) != digest
        ]
        if changed:
            raise ValueError(
                f"it was written with other code of {', '.join(changed)}; give the "
                "old one, or another file"
            )


def _labels(description):
    """Return what a description tells of y."""
    classes = description.get("classes")
    return description.get("is_column"), None if classes is None else classes.tolist()


def check_path(path):
    """Raise ValueError if no file can be named so."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # whether it can be written is looked at later
    except (OSError, ValueError) as error:
        raise ValueError(
            f"checkpoint={path!r} can't be the name of a file: {error}"
        ) from error
