"""Torch's global settings: its defaults, while something of ours computes."""

import functools
import threading

import torch

from .._typing import Function
from ._device import limit_threads, number_of_threads
from ._fork import SETTINGS, hold_across_forks, is_forked

# Devices for which autocast may be on, of those that networks are tested on.
_AUTOCAST = ("cpu", "cuda")

# Zero where the processor flushes denormal numbers: torch has no function that tells.
_SMALLEST = 5e-324

# Whether there may be a default device: at each prediction, cheaper than to try.
_may_have_device = getattr(torch._C, "_is_torch_function_mode_enabled", lambda: True)


def with_default_settings(function: Function) -> Function:
    """Let a function compute as if the caller had changed no setting of torch.

    So what ``random_state`` decides does not depend on the default dtype, the default
    device, autocast, modes of autograd, the precision of products, or on whether
    denormal numbers are flushed. All of them are put back afterwards. What chooses
    among implementations, such as ``torch.use_deterministic_algorithms``, and what
    watches, such as a profiler, stays as it is.

    Dtype and precision are those of the process: other threads find the defaults as
    long as one computes in here. The rest is that of each thread.

    Parameters
    ----------
    function : callable
        Whatever runs torch and is called by users, or by what they call.
    """

    @functools.wraps(function)
    def with_defaults(*args, **kwargs):
        call, before = object(), _modes()
        try:
            _OF_PROCESS.enter(call)
            return _call(_changes_of_thread(), function, args, kwargs)
        finally:
            try:
                _put_back(call, before)
            except BaseException:  # interrupted again, maybe before it had begun
                _put_back(call, before)
                raise

    return with_defaults


def _modes():
    return number_of_threads(), torch.is_grad_enabled()


def _put_back(call, before):
    """Leave settings as they were, some of them for the second time.

    Contexts within, those of torch among them, may have been interrupted between what
    they set and the instruction from which on they put it back.
    """
    if before != _modes():
        n_threads, has_gradients = before
        torch.set_num_threads(n_threads)
        torch.set_grad_enabled(has_gradients)
    _OF_PROCESS.leave(call)


def _call(contexts, function, args, kwargs):
    """Call a function within contexts."""
    if not contexts:
        return function(*args, **kwargs)
    with contexts[0]:
        return _call(contexts[1:], function, args, kwargs)


def _changes_of_thread():
    """Return contexts that undo what the caller has set for this thread."""
    contexts = [
        torch.autocast(device, enabled=False)
        for device in _AUTOCAST
        if torch.is_autocast_enabled(device)
    ]
    if torch.is_inference_mode_enabled() or not torch.is_grad_enabled():
        contexts.append(torch.inference_mode(False))  # it enables gradients as well
    if _SMALLEST == 0.0:
        contexts.append(_Denormals(False))
    if _may_have_device() and not torch.empty(0).is_cpu:
        contexts.append(torch.device("cpu"))
    if is_forked():  # where OpenMP's threads have not come along
        contexts.append(limit_threads(False))
    return contexts


class _Denormals:
    """A context in which this thread takes numbers next to zero as zero, or not."""

    def __init__(self, are_flushed):
        self.are_flushed = are_flushed

    def __enter__(self):
        torch.set_flush_denormal(self.are_flushed)

    def __exit__(self, *error):
        torch.set_flush_denormal(not self.are_flushed)


def flushed_denormals():
    """Return a context in which steps are taken: moments of dead units cost nothing.

    A fifth of them end so near to zero that a processor takes many times as long to
    compute with them. Nothing is lost: what they are added to does not change.
    """
    return _Denormals(True)


class _Dtype:
    """The dtype that torch makes of Python's numbers."""

    default = torch.float32

    def read(self):
        return torch.get_default_dtype()

    def write(self, dtype):
        torch.set_default_dtype(dtype)


class _Precision:
    """In how many bits float32 is multiplied: a word, and from torch 2.9 on by backend.

    If the word says in full, the backends agree.
    """

    def __init__(self):
        mkldnn = [getattr(torch.backends.mkldnn, k, None) for k in ("matmul", "conv")]
        owners = [*mkldnn, torch.backends.cuda.matmul]
        self.backends = [o for o in owners if hasattr(o, "fp32_precision")]
        self.default = "highest", ("ieee",) * len(self.backends)

    def read(self):
        try:
            word = torch.get_float32_matmul_precision()
        except RuntimeError:  # there is no word for backends that differ
            word = None
        if word == "highest":
            return self.default
        return word, tuple(backend.fp32_precision for backend in self.backends)

    def write(self, precision):
        word, values = precision
        torch.set_float32_matmul_precision(word or "highest")
        for backend, value in zip(self.backends, values, strict=True):
            backend.fp32_precision = value


class _SettingsOfProcess:
    """Settings that all threads have in common.

    The first call that finds one changed sets the default, the last puts it back.

    Parameters
    ----------
    *settings : object
        Has ``read``, ``write`` and ``default``.
    """

    def __init__(self, *settings):
        self.settings = settings
        self.defaults = [setting.default for setting in settings]
        self.lock = threading.RLock()
        self.calls = set()
        self.before = {}

    def enter(self, call):
        """Compute with the defaults until this call, too, has left."""
        hold_across_forks(self.lock, SETTINGS)
        with self.lock:
            values = [setting.read() for setting in self.settings]
            if values == self.defaults and not self.calls:
                return  # as most of the time
            self.calls.add(call)
            for setting, value in zip(self.settings, values, strict=True):
                if value != setting.default:
                    self.before[setting] = value
                    setting.write(setting.default)

    def leave(self, call):
        """Put back what was found, if no call is left. A second time changes nothing.

        A setting that somebody has changed meanwhile stays as it is.
        """
        if not self.calls and not self.before:
            return
        with self.lock:
            self.calls.discard(call)
            if self.calls:
                return
            for setting, value in list(self.before.items()):
                if setting.read() == setting.default:
                    setting.write(value)
                del self.before[setting]


_OF_PROCESS = _SettingsOfProcess(_Dtype(), _Precision())
