"""Python in processes of their own, which find what this one finds."""

import os
import subprocess
import sys

# Seconds. On the busiest machine, too, only what hangs takes as long.
FOREVER = 1800


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
