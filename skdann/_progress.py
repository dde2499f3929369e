"""What a user sees of a long call: progress bars, and the log named ``skdann``."""

import logging

from tqdm.auto import tqdm

# Silent unless the program asks: logging.basicConfig(level="INFO").
logger = logging.getLogger("skdann")
logger.addHandler(logging.NullHandler())


def finish(bar: tqdm) -> None:
    """Close a progress bar; in a notebook leave its last state as text.

    There a bar is a widget, of which nothing is left in a page that is exported.
    """
    last_state = str(bar)
    bar.close()
    if hasattr(bar, "container"):
        print(last_state)
