"""Calls that a CUDA device repeats as one: a graph of all that they launch.

Most of what a small step takes on a device is the time between its calls. A graph is
noted while they run once, and then launched without them. So it repeats the very same
operations: at the same addresses, and with the numbers that they were given as numbers.
Whatever changes from step to step must be the value of an array, and is written there
before. Nor may a call in it wait for the device, or copy from the CPU.
"""

import os
import threading
from collections.abc import Sequence

import torch

from ..nn._dense import Call

# Torch notes one graph at a time.
_LOCK = threading.Lock()

# Libraries choose kernels and take memory at first calls, which can't be noted.
N_BEFORE = 3


# Nobody has run a graph on a device yet: it is for those who ask for it.
SWITCH = "SKDANN_CUDA_GRAPH"


def can_capture(device: torch.device) -> bool:
    """Whether calls on a device can be noted as a graph, and the user wants that."""
    return device.type == "cuda" and os.environ.get(SWITCH) == "1"


class CudaGraph:
    """A call that repeats others.

    They run a few times before: they must read nothing that they have changed.

    Parameters
    ----------
    calls : sequence of Call
        On arrays that stay where they are.
    device : torch.device
        For which ``can_capture``.

    Raises
    ------
    RuntimeError
        If a call does what a graph can't repeat.
    """

    def __init__(self, calls: Sequence[Call], device: torch.device):
        self.calls = calls  # whose arrays the graph knows by address alone
        with _LOCK, torch.cuda.device(device):
            self.graph = torch.cuda.CUDAGraph()
            self._capture(torch.cuda.Stream())

    def _capture(self, stream):
        outside = torch.cuda.current_stream()
        stream.wait_stream(outside)
        try:
            # after an error torch's own context leaves its stream the current one
            with torch.cuda.stream(stream):
                for _ in range(N_BEFORE):
                    self._call_all()
                # other threads may use the device meanwhile
                note = torch.cuda.graph(
                    self.graph, stream=stream, capture_error_mode="thread_local"
                )
                with note:
                    self._call_all()
        finally:
            outside.wait_stream(stream)

    def _call_all(self):
        for call in self.calls:
            call()

    def __call__(self) -> None:
        """Repeat all of them, on the current stream."""
        self.graph.replay()
