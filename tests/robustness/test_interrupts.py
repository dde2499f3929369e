"""Ctrl-C and SIGTERM at random moments; many more of them are in `make soak`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
