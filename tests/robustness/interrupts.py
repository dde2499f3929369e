"""Interrupt at random moments: `interrupts.py number seed threads [what ...]`.

To be run with ``tests`` in PYTHONPATH, in a process of its own.

Another process sends SIGINT, as Ctrl-C does to all processes of a terminal, one time in
three a second one while the first is handled. After each the state of the process, of
the estimator and of its file is compared with what it may be. Processes that write are
also ended by SIGTERM. The last line is a JSON object of counts; "wrong" says what was.
"""

import faulthandler
import hashlib
import json
import logging
import math
import os
import random
import signal
import struct
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import sklearn
import torch
from helpers import SMALL, make_domains
from skorch.callbacks import Callback
from torch import nn

import skdann
from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
from skdann._training import to_plain
from skdann.inspection import adaptation_report
from skdann.model_selection import DANNGridSearchCV, target_scorer

DEADLINE = 100  # seconds; whatever is not over then is counted as never

X, Y, X_TGT, _ = make_domains(n_source=40, n_target=30)
SCORE = target_scorer("infomax", X_tgt=X_TGT)
# Threads of a pool, which joblib keeps for the next call.
OF_WORKERS = {"ExecutorManagerThread", "QueueFeederThread"}

FAST = {**SMALL, "max_epochs": 3, "dropout": 0.2, "batch_size": 64}


def extractor(n_columns):
    """Layers that draw from torch's own generator."""
    return nn.Sequential(nn.Linear(n_columns, 8), nn.ReLU(), nn.Dropout(0.2))


class Interrupts:
    """Interrupts of this process, which another one sends after given times."""

    def __init__(self):
        self.raises = None  # an exception, while a call may be interrupted
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, self._handle)
        if os.fork() == 0:
            os.close(self.orders)  # or it would never read the end
            _send_as_told(orders, answers, os.getppid())

    def _handle(self, *_):
        if self.raises is not None:
            raise self.raises

    def during(self, call, times, raises=KeyboardInterrupt):
        """Call, interrupted at the times; return what it raised, or None."""
        os.write(self.orders, struct.pack("2d", *times))
        error = None
        try:
            try:
                self.raises = raises
                call()
            finally:
                self.raises = None
        except raises as caught:
            error = type(caught)
        os.read(self.answers, 1)
        return error


def _send_as_told(orders, answers, group):
    """Send signals, after the times that are read, until there are no more to read."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)
    while order := os.read(orders, 16):
        for seconds in struct.unpack("2d", order):
            if seconds >= 0:
                time.sleep(seconds)
                os.killpg(group, signal.SIGINT)
        os.write(answers, b".")
    os._exit(0)


def environment():
    """Return what a call must leave as it was, whatever ends it."""
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return {
        "numpy's generator": digest(np.random.get_state()),  # noqa: NPY002 - it stays
        "torch's generator": digest(torch.get_rng_state().numpy()),
        "torch's threads": [torch.get_num_threads(), *found],
        "torch's dtype": torch.get_default_dtype(),
        "torch's device": torch.empty(0).device.type,
        "autocast": torch.is_autocast_enabled("cpu"),
        "autograd": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "precision": torch.get_float32_matmul_precision(),
        "scikit-learn": sklearn.get_config(),
        "numpy's errors": np.geterr(),
        "warnings": list(warnings.filters),
        "log": logging.getLogger("torch").level,
        "threads": {t.name for t in threading.enumerate()} - OF_WORKERS,
    }


def digest(value):
    """Return what tells one state from another, to the bit."""
    found = hashlib.sha256()
    _feed(found, value)
    return found.hexdigest()[:16]


def _feed(found, value):
    if isinstance(value, dict):
        for key in sorted(map(str, value)):
            if key not in ("dur", "event_lr"):
                found.update(key.encode())
                _feed(found, {str(k): v for k, v in value.items()}[key])
    elif isinstance(value, list | tuple):
        for item in value:
            _feed(found, item)
    elif isinstance(value, np.ndarray):
        found.update(value.tobytes())
    else:
        found.update(repr(value).encode())


def state(estimator):
    """Return a digest of an estimator, fitted or not."""
    if not hasattr(estimator, "net_"):
        return digest(sorted(vars(estimator)))
    if estimator.n_iter_ != len(estimator.history_):
        return "n_iter_ is not the number of epochs"
    if len(estimator.net_.callbacks_) != len(estimator.net_.callbacks or ()) + 4:
        return "callbacks are left over"
    if estimator.module_.training:
        return "the network is in training mode"
    return digest(to_plain(estimator.net_))


class InterruptAt(Callback):
    """Interrupt a fit when an epoch begins."""

    epoch = 0

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == InterruptAt.epoch:
            raise KeyboardInterrupt


class Fit:
    """A fit, the first or with a warm start, and how it may leave the estimator."""

    def __init__(self, warm=False, **params):
        self.params = {**FAST, **params, "warm_start": warm}
        self.before = state(self.begin())
        self.whole = state(self.call(self.begin()))
        self.allowed = {self.before, self.whole, *self.states_after_epochs()}

    def begin(self, **params):
        clf = DANNClassifier(**self.params, **params)
        return self.call(clf) if clf.warm_start else clf

    def call(self, clf):
        return clf.fit(X, Y, X_TGT)

    def states_after_epochs(self):
        """Return the states at the ends of epochs."""
        for n_epochs in range(1, self.params["max_epochs"]):
            InterruptAt.epoch = 0
            clf = self.begin(callbacks=[InterruptAt()])
            InterruptAt.epoch = n_epochs + 1 + getattr(clf, "n_iter_", 0)
            yield state(self.call(clf))

    def wrong(self, clf):
        """Return what is wrong after an interrupt, or nothing."""
        if state(clf) not in self.allowed:
            return f"at no whole epoch: {state(clf)}"
        if hasattr(clf, "net_"):
            clf.predict(X_TGT)
        again = self.call(self.begin())
        return "" if state(again) == self.whole else "the next fit differs"


class EarlyStopped(Fit):
    """A fit whose last whole epoch may be one that was being scored."""

    def states_after_epochs(self):
        yield from super().states_after_epochs()
        for n_epochs in range(1, self.params["max_epochs"] + 1):
            self.scored, self.interrupted = 0, n_epochs
            yield state(self.call(self.begin(scoring=self.score)))

    def score(self, estimator, X, y, X_tgt):
        self.scored += 1
        if self.scored == self.interrupted:
            raise KeyboardInterrupt
        return SCORE(estimator, X, y)


class Search:
    """A search; what it may leave is what it found, or a choice among what is done."""

    def __init__(self, n_jobs=1):
        self.n_jobs = n_jobs
        grid = [Fit(lambda_max=value) for value in self.grid()["lambda_max"]]
        self.allowed = {s for fit in grid for s in fit.allowed if s != fit.before}
        self.before = vars(self.begin()).keys()
        self.whole = self.states(self.call(self.begin()))

    @staticmethod
    def grid():
        return {"lambda_max": [0.0, 0.5]}

    def begin(self):
        clf = DANNClassifier(**FAST)
        return DANNGridSearchCV(clf, self.grid(), cv=2, n_jobs=self.n_jobs)

    def call(self, search):
        return search.fit(X, Y, X_TGT)

    def states(self, search):
        scores = search.cv_results_["mean_test_infomax"]
        return digest([scores, search.best_index_]), state(search.best_estimator_)

    def wrong(self, search):
        if vars(search).keys() == self.before:
            return ""
        if self.states(search)[1] not in self.allowed:
            return "what is chosen is at no whole epoch"
        search.predict(X_TGT)
        again = self.states(self.call(self.begin()))
        return "" if again == self.whole else "the next search differs"


class Auto(Search):
    """A combination of candidates, which may be those that are done."""

    def __init__(self):
        self.before = vars(self.begin()).keys()
        self.whole = self.states(self.call(self.begin()))

    def begin(self):
        dann = DANNClassifier(**FAST)
        return AutoDANNClassifier([("dann", dann), ("simple", BaselineClassifier())])

    def states(self, auto):
        return digest(auto.predict_proba(X_TGT))

    def wrong(self, auto):
        if vars(auto).keys() == self.before:
            return ""
        if not np.isfinite(auto.predict_proba(X_TGT)).all():
            return "it can't predict"
        again = self.states(self.call(self.begin()))
        return "" if again == self.whole else "the next fit differs"


class Use:
    """What reads a fitted estimator, and must leave it and say the same again.

    What ``numpy.errstate`` sets may stay, if it is interrupted itself.
    """

    unwatched = ("numpy's errors",)

    def __init__(self, use):
        self.use = use
        self.clf = DANNClassifier(**FAST).fit(X, Y, X_TGT)
        self.before = state(self.clf)
        self.answer = use(self.clf)

    def begin(self):
        return self.clf

    def call(self, clf):
        return self.use(clf)

    def wrong(self, clf):
        if state(clf) != self.before:
            return "reading has changed it"
        return "" if self.use(clf) == self.answer else "the next answer differs"


class Save:
    """Writing a file, which is the old one or the new one at any moment."""

    def __init__(self, folder):
        self.path = Path(folder) / "model.skdann"
        self.versions = [DANNClassifier(**FAST).fit(X, Y, X_TGT)]
        self.versions.append(DANNClassifier(**FAST, lr=0.01).fit(X, Y, X_TGT))
        self.states = [state(clf) for clf in self.versions]
        self.call(0)

    def begin(self):
        return 1 - self.states.index(state(skdann.load(self.path)))

    def call(self, i):
        skdann.save(self.versions[i], self.path)

    def wrong(self, _):
        if state(skdann.load(self.path)) not in self.states:
            return "the file is another"
        return left_beside(self.path)

    def wrong_after_end(self):
        """Return what is wrong after a process was ended, which may leave a part."""
        left_beside(self.path)
        return self.wrong(None)


def left_beside(path):
    """Remove what is left beside a file; return what it was, or nothing."""
    left = [file for file in path.parent.iterdir() if file != path]
    for file in left:
        file.unlink()
    return f"left over: {len(left)} files" if left else ""


class Resume(Fit):
    """A fit that writes checkpoints, and goes on from them."""

    def __init__(self, folder):
        self.path = Path(folder) / "run.skdann"
        super().__init__(dropout=0.3)
        self.params |= {"checkpoint": self.path, "checkpoint_interval": 1}

    def wrong(self, clf):
        if state(clf) not in self.allowed:
            return f"at no whole epoch: {state(clf)}"
        return self.wrong_after_end()

    def wrong_after_end(self):
        """Return what is wrong with the file, and with a fit that goes on from it."""
        if self.path.exists() and state(skdann.load(self.path)) not in self.allowed:
            return "the checkpoint is at no whole epoch"
        resumed = self.begin().fit(X, Y, X_TGT, resume=True)
        left = left_beside(self.path)
        self.path.unlink()
        return left if state(resumed) == self.whole else "resuming ends elsewhere"


def report(clf):
    return str(adaptation_report(clf, X, Y, X_TGT, random_state=0))


# With the share of the number that each is interrupted; some take long.
JOBS = {
    "fit": (1, Fit),
    "warm start": (1, partial(Fit, warm=True)),
    "torch's generator": (1, partial(Fit, feature_extractor=extractor)),
    "early stopping": (1, partial(EarlyStopped, early_stopping=True, lr=0.01)),
    "five networks": (0.1, partial(Fit, n_estimators=5, standardize="auto")),
    "restored": (1, partial(Fit, on_divergence="restore")),
    "search": (0.3, Search),
    "combination": (0.3, Auto),
    "predict": (2, partial(Use, lambda clf: digest(clf.predict_proba(X_TGT)))),
    "report": (0.05, partial(Use, report)),
    "save": (2, Save),
    "checkpoint": (1, Resume),
    "search, n_jobs=2": (0.03, partial(Search, n_jobs=2)),  # last: its processes stay
}


def make_job(name, folder):
    """Return what is interrupted."""
    _, make = JOBS[name]
    if make not in (Save, Resume):
        return make()
    (Path(folder) / name).mkdir()
    return make(Path(folder) / name)


def interrupt(job, interrupts, rng, longest):
    """Interrupt a job once or twice; return whether it raised, and what is wrong."""
    thing, before = job.begin(), environment()
    early = rng.random() < 0.25
    first = rng.uniform(0, longest / 20 if early else longest)
    second = rng.expovariate(1000) if rng.random() < 0.33 else -1
    raises = SystemExit if rng.random() < 0.2 else KeyboardInterrupt
    error = interrupts.during(lambda: job.call(thing), (first, second), raises)
    after = environment()
    watched = before.keys() - getattr(job, "unwatched", ())
    wrong = [f"{k}: {before[k]} > {after[k]}" for k in watched if before[k] != after[k]]
    return error is not None, [*wrong, job.wrong(thing)]


def terminate(job, rng, longest):
    """End a process that does a job; return whether in time, and what is wrong."""
    thing = job.begin()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        job.call(thing)
        os._exit(0)
    time.sleep(rng.uniform(0, longest))
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status), [job.wrong_after_end()]


def run(name, folder, number, interrupts, rng):
    """Interrupt one thing again and again; return counts, and what went wrong."""
    job, counts, wrong = make_job(name, folder), Counter(), Counter()
    began, thing = time.monotonic(), job.begin()
    job.call(thing)
    longest = 1.1 * (time.monotonic() - began)
    for _ in range(number):
        faulthandler.dump_traceback_later(DEADLINE, exit=True)
        if hasattr(job, "wrong_after_end") and rng.random() < 0.3:
            in_time, found = terminate(job, rng, longest)
            counts["SIGTERM"] += 1
        else:
            in_time, found = interrupt(job, interrupts, rng, longest)
            counts["SIGINT"] += 1
        counts["in time"] += in_time
        wrong.update(f"{name}: {what}" for what in found if what)
        faulthandler.cancel_dump_traceback_later()
    return counts, wrong


def main(number, seed, n_threads, *names):
    interrupts = Interrupts()  # before there are threads that a fork would leave behind
    torch.set_num_threads(int(n_threads))
    warnings.simplefilter("ignore")
    rng, names = random.Random(int(seed)), names or JOBS
    counts, wrong = Counter(), Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            share = math.ceil(int(number) * JOBS[name][0])
            counted, found = run(name, folder, share, interrupts, rng)
            counts += counted
            wrong += found
            print(name, dict(counted), dict(found), flush=True)
    print(json.dumps({**counts, "wrong": wrong}))


if __name__ == "__main__":
    main(*sys.argv[1:])
