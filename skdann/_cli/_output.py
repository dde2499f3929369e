"""Write all files of an output at once, or none."""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from ._errors import InputError
from ._read import first_few

FILES = ("predictions.csv", "report.html", "report.json", "model.skdann")


def check_new(path, force):
    """Raise InputError if an output has no folder, or is there and must not be.

    Parameters
    ----------
    path : Path
        Of the output.
    force : bool
        Whether one that is there may be replaced.
    """
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent} for the output.")
    if path.exists() and not force:
        raise InputError(
            f"{path} is there already. Give another --output, or --force to replace it."
        )


def check_free(path, force):
    """Raise InputError if an output can't be written without loss.

    Parameters
    ----------
    path : Path
        Of a folder of ours.
    force : bool
        Whether one that is there may be replaced; other folders never are.
    """
    check_new(path, force)
    if not path.exists():
        return
    others = [] if path.is_dir() else [path.name]
    if path.is_dir() and not path.is_symlink():
        others = sorted(p.name for p in path.iterdir() if p.name not in FILES)
    if others or path.is_symlink():
        raise InputError(
            f"{path} holds what this command has not written ({first_few(others, 3)}) "
            "and is not replaced. Give another --output."
        )


@contextmanager
def folder_at_once(path):
    """Yield a folder to write into, which becomes ``path`` if all goes well.

    Parameters
    ----------
    path : Path
        As :func:`check_free` has found it.
    """
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        written = part / "new"
        written.mkdir()
        yield written
        if path.exists():
            path.rename(part / "old")
        written.rename(path)
    finally:
        if (part / "old").exists() and not path.exists():
            (part / "old").rename(path)
        shutil.rmtree(part, ignore_errors=True)
