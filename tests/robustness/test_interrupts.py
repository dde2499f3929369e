"""Ctrl-C and SIGTERM at random moments; many more of them are in `make soak`."""

import itertools
import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import mock

import interrupts
import pytest

from skdann._training._dense_engine import DenseEngine
from skdann._training._net import DANNNet
from skdann._training._state import restore_training

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs fork and groups of processes"
)

SCRIPT = Path(__file__).with_name("interrupts.py")


def test_whatever_is_interrupted_is_as_before_or_at_a_whole_epoch():
    """And so are generators, threads, settings and files; the process ends."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "6", "1", "2", "fit", "warm start", "save"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "2"},
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts.pop("wrong") == {}
    assert counts["SIGINT"] + counts["SIGTERM"] == 6 + 6 + 12
    assert counts["in time"] > 6


SITUATIONS = {
    "fit": interrupts.Fit,
    "warm start": lambda: interrupts.Fit(warm=True),
    "restored": lambda: interrupts.Fit(on_divergence="restore"),
    "early stopping": lambda: interrupts.EarlyStopped(early_stopping=True),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_interrupt_after_any_step_leaves_a_whole_epoch(name):
    """To the bit, with all that a file would say: also the learning rate."""
    situation = SITUATIONS[name]()
    for last in range(1, 100):
        clf = situation.begin()
        with interrupted_after(last) as n_taken, suppress(KeyboardInterrupt):
            situation.call(clf)
        if next(n_taken) <= last:
            break
        assert interrupts.state(clf) in situation.allowed, last
    assert last > 4


@pytest.mark.parametrize(
    ("function", "n_steps"),
    [(DANNNet._follow, 99), (DANNNet._end_following, 99), (restore_training, 3)],
    ids=["the start", "the end", "the way back from another interrupt"],
)
def test_an_interrupt_at_any_line_leaves_a_whole_epoch(function, n_steps):
    """It ends the call as an interrupt, and not as an error of ours."""
    situation = interrupts.Fit(on_divergence="restore")
    for line in itertools.count(1):
        clf = situation.begin()
        with (
            interrupted_after(n_steps),
            interrupted_at_line(line, function) as lines,
            suppress(KeyboardInterrupt),
        ):
            situation.call(clf)
        assert interrupts.state(clf) in situation.allowed, line
        if next(lines) <= line:
            break
    assert line > 5


@contextmanager
def interrupted_at_line(number, function):
    """Interrupt a function, at the line that is that number; the target counts."""
    lines = itertools.count(1)

    def trace(frame, event, arg):
        if frame.f_code is not function.__code__:
            return None
        if event == "line" and next(lines) == number:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


@contextmanager
def interrupted_after(n_steps):
    """Interrupt training after so many steps; the target counts them."""
    step, n_taken = DenseEngine.step, itertools.count(1)

    def step_and_interrupt(engine, *args):
        step(engine, *args)
        if next(n_taken) == n_steps:
            raise KeyboardInterrupt

    with mock.patch.object(DenseEngine, "step", step_and_interrupt):
        yield n_taken
