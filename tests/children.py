"""Python in processes of their own, which find what this one finds."""

import multiprocessing
import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest

# Seconds. On the busiest machine, too, only what hangs takes as long.
FOREVER = 1800

# What a first fit imports takes four seconds; torch leaves some of it until then.
OF_A_FIT = ["skdann", "skdann.model_selection", "torch._dynamo"]


def environment():
    """Return the environment, with what can be imported here."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def run(*command, check=True):
    """Run Python with arguments; show what it says if it fails.

    Parameters
    ----------
    *command : str or path
        As on a command line, such as ``"-c", code``.
    check : bool
        Whether it must succeed.

    Returns
    -------
    subprocess.CompletedProcess
        With text.
    """
    child = subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=FOREVER,
        check=False,
    )
    assert not check or child.returncode == 0, child.stderr
    return child


def fork(code, *arguments, check=True):
    """Do what ``run("-c", code, *arguments)`` does, without its seconds of imports.

    The process is forked from one that has imported what a fit imports, and has done
    nothing else. Not for what is about imports, environment or command line; and at its
    end it waits for processes that it has started and not ended.
    """
    if not hasattr(os, "fork"):
        return run("-c", code, *arguments, check=check)
    arguments = ["-c", *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("stdout", "stderr")]
        process = forkserver().Process(target=_execute, args=(code, arguments, paths))
        process.start()
        process.join(FOREVER)
        if process.is_alive():
            os.killpg(process.pid, signal.SIGKILL)  # with the processes that it started
            pytest.fail(f"deadlock, or more than {FOREVER} s, in {code}")
        out, errors = (path.read_text() for path in paths)
    assert not check or process.exitcode == 0, errors
    return subprocess.CompletedProcess(arguments, process.exitcode, out, errors)


def forkserver():
    """Return the context of multiprocessing whose server has imported what fits import.

    A process of it finds the environment as it was when the first was asked for.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(OF_A_FIT)
    with mock.patch.dict(os.environ, environment()):
        multiprocessing.forkserver.ensure_running()
    return context


def _execute(code, arguments, paths):
    """Run code as Python runs that of a command line, its output in files."""
    os.setsid()
    for descriptor, path in enumerate(paths, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.argv = arguments
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), vars(main))
