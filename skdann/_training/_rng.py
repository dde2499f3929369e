"""Seeds from ``random_state``; torch's global generator, seeded for a while."""

import threading
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state

from ._device import limit_threads
from ._fork import GENERATOR, hold_across_forks

# The generator is one for all threads: whoever seeds it must have it alone. A fork
# waits as well, or the child's would be seeded and, in the midst of a draw, locked.
_LOCK = threading.RLock()


@contextmanager
def seeded_torch_rng(seed: int, device: torch.device):
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
    hold_across_forks(_LOCK, GENERATOR)
    with _LOCK, limit_threads(False):
        generators = _generators(device)
        before = [generator.get_state() for generator in generators]
        try:
            for generator in generators:
                generator.manual_seed(seed)
            yield
        finally:
            try:
                _set_states(generators, before)
            except BaseException:  # interrupted again, maybe before it had begun
                _set_states(generators, before)
                raise


def _generators(device):
    """Return what the process draws from on a device, and on the CPU in any case."""
    if device.type != "cuda":
        return [torch.default_generator]
    torch.cuda.init()
    return [torch.default_generator, torch.cuda.default_generators[device.index or 0]]


def _set_states(generators, states):
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)


def draw_seeds(random_state, n: int) -> list[int]:
    """Draw seeds from what the user gave as ``random_state``.

    Parameters
    ----------
    random_state : int, RandomState or None
        None is fresh entropy: numpy's global generator is not ours to advance.
    n : int
        How many.
    """
    if random_state is None:
        random_state = np.random.RandomState()
    rng = check_random_state(random_state)
    return [int(seed) for seed in rng.randint(2**31 - 1, size=n)]
