"""An interrupt at any moment of what borrows global state leaves it as it was."""

import dis
import itertools
import sys
import threading
from contextlib import ExitStack, suppress

import numpy as np
import pytest
import sklearn
import torch
from helpers import make_domains

from skdann._training import _device, _fork, _rng, _settings, seeded_torch_rng
from skdann._training import with_default_settings as under_default_settings

CPU = torch.device("cpu")
X, Y, X_TGT, _ = make_domains(n_source=24, n_target=20)


def interrupted_wherever_python_looks(call, *modules):
    """Call again and again, interrupted a moment later each time; yield after each.

    Python looks for signals where a function begins, after calls, and where a loop
    begins again.
    """
    files = {module.__file__ for module in modules}
    for last in itertools.count():
        moments = itertools.count()
        sys.settrace(_Tracer(files, moments, last))
        try:
            call()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        if next(moments) <= last:
            return
        yield last


class _Tracer:
    """Raise KeyboardInterrupt in one of the moments in which a signal could."""

    def __init__(self, files, moments, last):
        self.files, self.moments, self.last = files, moments, last
        self.after_call = None  # the frame that has called a function of C, or loops
        self.begun = set()  # a generator is traced as called whenever it goes on

    def __call__(self, frame, event, arg):
        code, was_called = frame.f_code, self.after_call is frame
        self.after_call = None
        if code.co_filename not in self.files:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        begins = event == "call" and frame not in self.begun
        self.begun.add(frame)
        looks = begins or (event == "opcode" and was_called)
        if looks and next(self.moments) == self.last:
            raise KeyboardInterrupt
        if event == "opcode":
            name = dis.opname[code.co_code[frame.f_lasti]]
            if name.startswith(("CALL", "JUMP_BACKWARD")):
                self.after_call = frame
        return self


def now():
    """Return what must not change, of this thread and of the next one."""
    return (
        (torch.get_num_threads(), in_a_thread(torch.get_num_threads)),
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_float32_matmul_precision(),
        torch.is_autocast_enabled("cpu"),
        torch.is_grad_enabled(),
        sklearn.get_config(),
        np.geterr(),
    )


@under_default_settings
def borrow():
    with seeded_torch_rng(3, CPU), _device.limit_threads(True):
        assert torch.get_num_threads() == 1
        torch.rand(2)


@pytest.mark.usefixtures("two_threads")
def test_settings_threads_and_generators_are_put_back():
    torch.set_default_dtype(torch.float64)
    torch.set_float32_matmul_precision("high")
    try:
        with torch.autocast("cpu"), torch.no_grad():
            before = now()
            modules = _device, _rng, _settings, _fork, threading
            for last in interrupted_wherever_python_looks(borrow, *modules):
                assert now() == before, last
            assert last > 50
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_float32_matmul_precision("highest")


@pytest.mark.usefixtures("two_threads")
def test_no_thread_is_left_that_waits():
    """What ``threading.Thread`` waits for, an interrupt can keep from ever coming."""
    n_threads = threading.active_count()

    def limit():
        with _device.limit_threads(True):
            pass

    for _ in interrupted_wherever_python_looks(limit, _device, threading):
        assert threading.active_count() == n_threads


def are_locks_free():
    """Whether another thread can take all locks."""
    with ExitStack() as stack:
        for lock in (_rng._LOCK, _device._LOCK, _settings._OF_PROCESS.lock):
            if not lock.acquire(timeout=5):
                return False
            stack.callback(lock.release)
    return True


def test_no_lock_is_left_taken():
    modules = _device, _rng, _settings, _fork
    for _ in interrupted_wherever_python_looks(borrow, *modules):
        assert in_a_thread(are_locks_free)


def test_an_interrupted_fork_holds_no_lock():
    def fork():
        for hook in (_fork._take, _fork._give_back, _fork._give_back):
            with suppress(KeyboardInterrupt):  # os.fork prints it, and goes on
                hook()

    borrow()  # from now on a fork waits for the locks
    for _ in interrupted_wherever_python_looks(fork, _fork):
        assert in_a_thread(are_locks_free)


def in_a_thread(call):
    """Return what a call returns in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]
