"""A torch process group on this machine: processes that call one function together."""

import io
import os
import pickle
import re
import tempfile
import traceback
from contextlib import contextmanager, redirect_stderr
from datetime import timedelta
from pathlib import Path

from children import FOREVER, forkserver

PAGE = Path(__file__).parents[1].joinpath("docs/guide/distributed.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.S)
# The guide's, for any launcher.
PROGRAM = next(block for block in BLOCKS if "init_process_group(" in block)


class Ended:
    """How a rank ended.

    Attributes
    ----------
    value : object
        What the function returned.
    error : Exception or None
        What it raised.
    stderr : str
        What it wrote there: warnings, progress bars, the log.
    """

    def __init__(self, value=None, error=None, stderr=""):
        self.value, self.error, self.stderr = value, error, stderr


def in_ranks(size, function, *arguments, timeout=FOREVER):
    """Call a function in a group of so many ranks.

    Parameters
    ----------
    size : int
        How many.
    function : callable
        Importable by its name; called with the rank, and then the arguments.
    *arguments
        Of each rank.
    timeout : float
        Seconds after which the group gives up a rank that does not answer.

    Returns
    -------
    list of Ended or None
        Of each rank; None of one that was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            forkserver().Process(
                target=_be_rank,
                args=(folder, rank, size, timeout, function, arguments),
                daemon=True,
            )
            for rank in range(size)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(FOREVER)
            assert not process.is_alive(), f"rank of {function} hangs"
        paths = [Path(folder, str(rank)) for rank in range(size)]
        return [_read(path) if path.exists() else None for path in paths]


def values_of(size, function, *arguments):
    """Return what each rank returns."""
    ended = in_ranks(size, function, *arguments)
    for one in ended:
        assert one.error is None, one.error
    return [one.value for one in ended]


def _read(path):
    return pickle.loads(path.read_bytes())


@contextmanager
def _counted_lines():
    """Count them for `make coverage`; pytest-cov sees processes of its own alone."""
    if "COVERAGE_RCFILE" not in os.environ:
        yield
        return
    from coverage import Coverage

    coverage = Coverage(data_suffix=True)
    with coverage.collect():
        yield
    coverage.save()


def _be_rank(folder, rank, size, timeout, function, arguments):
    import torch
    from torch import distributed

    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=size,
        timeout=timedelta(seconds=timeout),
    )
    ended = Ended()
    with _counted_lines(), redirect_stderr(io.StringIO()) as stderr:
        try:
            ended.value = function(rank, *arguments)
        except Exception as error:
            error.add_note(traceback.format_exc())
            ended.error = error.with_traceback(None)
            ended.error.__cause__ = ended.error.__context__ = None
    ended.stderr = stderr.getvalue()
    part = Path(folder, f"part-{rank}")
    part.write_bytes(pickle.dumps(ended))
    part.rename(Path(folder, str(rank)))
    os._exit(0)  # a group that lost a rank would wait for it at its end
