"""Understand what is asked, do it, and say in one line what is wrong."""

import sys

from ._arguments import make_parser
from ._errors import InputError

INTERRUPTED = 130


def main(arguments=None):
    """Run a command, and return its exit code.

    Parameters
    ----------
    arguments : list of str or None, default=None
        None are those of the process.
    """
    options = make_parser().parse_args(arguments)
    try:
        return _command(options.command)(options)
    except InputError as error:
        print(f"skdann: {error}", file=sys.stderr)
    except MemoryError:
        print(
            "skdann: the files do not fit into memory. Give fewer rows or columns.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("skdann: interrupted; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    return 2


def _command(name):
    """Return the function of a command: what reads tables is imported when needed."""
    try:
        import pandas as pd  # noqa: F401
        import skrub  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"The command needs {error.name}: pip install 'skdann[tables]', or in a "
            "clone pip install '.[tables]'."
        ) from error
    from ._adapt import adapt
    from ._predict import predict
    from ._show import show

    return {"adapt": adapt, "predict": predict, "report": show}[name]
