"""What a user sees of a long call: progress bars, and the log named ``skdann``."""

import logging
import threading
from contextlib import contextmanager

from tqdm.auto import tqdm

from ._warn import collected_warnings

_of_thread = threading.local()

# Silent unless the program asks: logging.basicConfig(level="INFO").
logger = logging.getLogger("skdann")
logger.addHandler(logging.NullHandler())
logger.addFilter(lambda record: not is_silent())


def is_silent() -> bool:
    """Whether this thread says nothing, because another process says it."""
    return getattr(_of_thread, "is_silent", False)


@contextmanager
def silence():
    """Log and warn of nothing in the body, and draw no bar."""
    before = is_silent()
    _of_thread.is_silent = True
    try:
        with collected_warnings():
            yield
    finally:
        _of_thread.is_silent = before


def finish(bar: tqdm) -> None:
    """Close a progress bar; in a notebook leave its last state as text.

    There a bar is a widget, of which nothing is left in a page that is exported.
    """
    last_state = str(bar)
    bar.close()
    if hasattr(bar, "container"):
        print(last_state)
