"""Torch's process-wide generator, borrowed and put back."""

import threading
from contextlib import contextmanager

import torch

# The generator is one for all threads: whoever borrows it must have it alone.
_LOCK = threading.RLock()


@contextmanager
def borrowed_torch_generator(seed: int, device: torch.device):
    """Run the body as if torch had just been seeded; then restore its generators.

    Torch initializes layers and draws the masks of ``torch.nn.Dropout`` from
    generators of the process, without a way to pass one's own.

    Parameters
    ----------
    seed : int
        What the body finds the generators seeded with.
    device : torch.device
        Where the body computes; the generator of the CPU is borrowed in any case.
    """
    accelerators = [device.index or 0] if device.type == "cuda" else []
    with _LOCK, torch.random.fork_rng(devices=accelerators):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed sets every GPU
        for index in accelerators:
            torch.cuda.default_generators[index].manual_seed(seed)
        yield
