"""Fit candidates, side by side, within a time."""

import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from tqdm.auto import tqdm

from .._base import BaseDANN
from .._baseline import try_fit
from .._multi_fit import apply_parameters, fit_many
from .._parallel import as_completed
from .._progress import finish, logger
from .._training import Watcher
from .._warn import warn, warn_again
from ..metrics._fitted import reading

_BAR = "{desc} {percentage:3.0f}% |{bar:20}| {elapsed}"


class OutOfTimeError(Exception):
    """There was no time left for a candidate."""


@dataclass
class FittedCandidate:
    """A candidate, and how its fit went.

    Attributes
    ----------
    name : str
    estimator : estimator
        Fitted, unless there is an error.
    seconds : float
    error : Exception or None
    answers : ndarray of shape (n, n_outputs) or None
        What it predicts for rows of the target, see :meth:`predict`.
    """

    name: str
    estimator: object
    seconds: float
    error: Exception | None = None
    answers: np.ndarray | None = None

    def predict(self, X_tgt, targets, judged):
        """Keep what it predicts; if nothing can be made of that, it is an error.

        Parameters
        ----------
        X_tgt : ndarray or CSR of shape (n, n_features)
            Rows of the target.
        targets : ClassTargets or RealTargets
            What y is.
        judged : type
            ``JudgedClasses`` or ``JudgedNumbers``.
        """
        try:
            answers = judged.predict(reading(self.estimator, "target"), X_tgt)
            judged.check(answers, (X_tgt.shape[0], targets.n_outputs))
            self.answers = np.asarray(answers, dtype=float)
        except Exception as error:  # of the model, which may be the user's
            self.error = error

    def reason(self, max_time):
        """Return in words why there is an error."""
        if isinstance(self.error, OutOfTimeError):
            return f"{self.name}: not done within max_time={max_time:g}"
        return f"{self.name}: {type(self.error).__name__}: {self.error}"


def fit_candidates(candidates, domains, *, ends, n_jobs, verbose):
    """Fit clones of candidates on the same data; networks as one where alike.

    Parameters
    ----------
    candidates : dict of str to estimator
        Simple models and networks, not fitted.
    domains : Domains
        Checked data.
    ends : float or None
        When, by ``time.time``. What is not done then has an ``OutOfTimeError``.
    n_jobs : int or None
        Fits at once.
    verbose : int
        1 shows a progress bar.

    Returns
    -------
    fitted : list of FittedCandidate
        In the order of the candidates. After Ctrl-C, those that are done.
    is_interrupted : bool
        Whether there was a Ctrl-C.
    """
    done, is_interrupted = [], False
    with _Progress(len(candidates), verbose) as progress:
        try:
            for some in _jobs(candidates, domains, n_jobs, ends, progress):
                done += some
                for one in some:
                    logger.info("candidate %s: %.1f s", one.name, one.seconds)
                progress.reach(len(done))
        except KeyboardInterrupt:
            if all(fitted.error is not None for fitted in done):
                raise  # there is nothing to predict by
            warn(f"Interrupted: {len(done)} of {len(candidates)} candidates are done.")
            is_interrupted = True
    names = list(candidates)
    in_order = sorted(done, key=lambda fitted: names.index(fitted.name))
    return in_order, is_interrupted


def _jobs(candidates, domains, n_jobs, ends, progress):
    """Yield fitted candidates as they are done, some at a time."""
    networks, others = {}, {}
    for name, candidate in candidates.items():
        is_network = isinstance(candidate, BaseDANN)
        (networks if is_network else others)[name] = clone(candidate)
    jobs = {
        name: partial(_fit_one, name, c, domains, ends) for name, c in others.items()
    }
    n_workers = effective_n_jobs(n_jobs)
    # what is drawn cannot be sent to another process
    watcher = _Watcher(ends, progress if n_workers == 1 else None, len(others))
    of_networks = {
        ", ".join(networks): partial(_fit_networks, networks, domains, watcher)
    }
    if networks:  # they take longest: first, if others can be fitted meanwhile
        jobs = of_networks | jobs if n_workers > 1 else jobs | of_networks
    # not spread_if_long: all networks are one job, and the others are done soon
    for fitted, warnings in as_completed(jobs, n_jobs):
        warn_again(warnings)
        yield fitted


def _fit_one(name, candidate, domains, ends):
    if ends is not None and time.time() > ends:
        return [FittedCandidate(name, candidate, 0.0, OutOfTimeError())]
    began = time.perf_counter()
    error = try_fit(candidate, domains)
    return [FittedCandidate(name, candidate, time.perf_counter() - began, error)]


def _fit_networks(networks, domains, watcher):
    began = time.perf_counter()
    estimators = list(networks.values())
    of_each = apply_parameters(estimators, domains)
    errors = fit_many(estimators, of_each, watcher=watcher)
    seconds = (time.perf_counter() - began) / len(networks)
    return [
        FittedCandidate(name, estimator, seconds, error)
        for (name, estimator), error in zip(networks.items(), errors, strict=True)
    ]


class _Progress:
    """With ``verbose``, a bar over the candidates; else nothing."""

    def __init__(self, n_candidates, verbose):
        self.bar = None  # one that is disabled would start a thread all the same
        if verbose:
            self.bar = tqdm(total=n_candidates, desc="candidates", bar_format=_BAR)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.bar is not None:
            finish(self.bar)

    def reach(self, n_done):
        """Move the bar forward to so many candidates."""
        if self.bar is not None:
            self.bar.update(max(0, n_done - self.bar.n))


class _Watcher(Watcher):
    """After each epoch of a network: is there time left, how much is done.

    Parameters
    ----------
    ends : float or None
        Of ``time.time``.
    progress : _Progress or None
        What to tell.
    n_before : int
        Candidates that were done before.
    """

    def __init__(self, ends, progress, n_before):
        self.ends = ends
        self.progress = progress
        self.n_before = n_before
        self.shares = {}

    def on_epoch_end(self, net, **kwargs):
        if self.progress is not None:
            self.shares[id(net)] = net.progress
            self.progress.reach(self.n_before + sum(self.shares.values()))
        if self.ends is not None and time.time() > self.ends:
            raise OutOfTimeError
