"""What goes wrong on one rank alone, in the middle of a fit."""

import os
import signal
import warnings

import fits
import torch
from skorch.callbacks import Callback
from torch import distributed

from skdann import DANNClassifier, DivergenceError


class Acts(Callback):
    """Do something after the second epoch, on some ranks."""

    def __init__(self, act, ranks=(1,)):
        self.act, self.ranks = act, ranks

    def on_epoch_end(self, net, **kwargs):
        if distributed.get_rank() in self.ranks and len(net.history) == 2:
            self.act(net)


class ActsInStep(Callback):
    """Do something after the fifth step, on some ranks."""

    def __init__(self, act, ranks=(1,)):
        self.act, self.ranks = act, ranks

    def on_batch_end(self, net, **kwargs):
        if distributed.get_rank() in self.ranks and net.n_steps_ == 5:
            self.act(net)


def fail(net):
    """Raise an error."""
    raise KeyError("the file of mine")


def diverge(net):
    """Find losses too large that another processor finds small enough."""
    raise DivergenceError("Training diverged.")


def press_ctrl_c(net):
    """Send this process what a terminal sends."""
    os.kill(os.getpid(), signal.SIGINT)


def press_ctrl_c_twice(net):
    """Send it a second time, when the first has been noted."""
    press_ctrl_c(net)
    press_ctrl_c(net)


def interrupt(net):
    """Raise what skorch takes for the end of training."""
    raise KeyboardInterrupt


def stop(net):
    """Stop as early stopping does."""
    net.stop()


@torch.no_grad()
def round_otherwise(net):
    """Change a weight in its last digits."""
    next(net.module_.parameters()).add_(1e-9)


# by name: the callbacks of each rank
FALLS = {
    "nothing": lambda rank: [],
    "fails after an epoch": lambda rank: [Acts(fail)],
    "fails in a step": lambda rank: [ActsInStep(fail)],
    "diverges": lambda rank: [Acts(diverge)],
    "Ctrl-C": lambda rank: [ActsInStep(press_ctrl_c)],
    "Ctrl-C on all": lambda rank: [ActsInStep(press_ctrl_c, (0, 1))],
    "Ctrl-C twice": lambda rank: [ActsInStep(press_ctrl_c_twice)],
    "interrupts a step": lambda rank: [ActsInStep(interrupt)],
    "stops": lambda rank: [Acts(stop)],
    "rounds otherwise": lambda rank: [Acts(round_otherwise)],
    "watches steps": lambda rank: [fits.SeesSteps()] if rank == 0 else [],
}


def fit_and_fall(rank):
    """Return of each fall how the fit ended, and what one after it predicts."""
    warnings.simplefilter("ignore")
    X, y, X_tgt = fits.make_data()
    found = {}
    for name, callbacks_of in FALLS.items():
        given = {**fits.SMALL, "callbacks": callbacks_of(rank)}
        clf = DANNClassifier(**given)
        try:
            clf.fit(X, y, X_tgt)
            end = clf.n_iter_, clf.predict_proba(X_tgt)
        except BaseException as error:
            end = type(error).__name__, str(error), hasattr(clf, "net_")
        after = DANNClassifier(**fits.SMALL).fit(X, y, X_tgt).predict_proba(X_tgt)
        is_restored = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        found[name] = end, after, is_restored
    return found
