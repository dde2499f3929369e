"""Warn at the line of the user, however deep the reason is found, and only there."""

import asyncio
import concurrent
import contextlib
import functools
import multiprocessing
import os
import sys
import threading
import warnings
from importlib.util import find_spec

# Packages that only pass the user's call on, where they are installed.
_PACKAGES = ("skdann", "sklearn", "skorch", "joblib", "torch", "imblearn", "skrub")


def _folders():
    specs = filter(None, map(find_spec, _PACKAGES))
    locations = [path for spec in specs for path in spec.submodule_search_locations]
    for package in (asyncio, concurrent, multiprocessing):
        locations += package.__path__
    return tuple(os.path.join(location, "") for location in locations)


# Whoever stands in these files has only passed the user's call on.
_PASSING_ON = (
    contextlib.__file__,
    functools.__file__,
    threading.__file__,
    *_folders(),
)

_of_thread = threading.local()


def warn(message, category=UserWarning):
    """Warn as ``warnings.warn`` does, at the first line outside of this library.

    Lines of scikit-learn, skorch, joblib and torch are passed over, too: a fit within
    a search or a Pipeline warns where the user called that. A thread that holds no
    line of the user's was started by one that does: it warns where the main thread
    stands.

    Parameters
    ----------
    message : str
        What is wrong, the value, and what to do.
    category : type, default=UserWarning
        Class of the warning.
    """
    collected = getattr(_of_thread, "collected", None)
    if collected is not None:
        collected.append((message, category))
        return
    frame = _frame_of_user()
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _frame_of_user():
    """Return the innermost frame of the user's code, or else the outermost of all."""
    here = sys._getframe(2)  # of who has called ``warn``
    main = sys._current_frames().get(threading.main_thread().ident)
    for frame in (*_frames(here), *_frames(main)):
        if not frame.f_code.co_filename.startswith(_PASSING_ON):
            return frame
    return list(_frames(here))[-1]


def _frames(frame):
    """Yield a frame and who has called it, outwards."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def warn_again(warnings):
    """Warn of what :func:`collected_warnings` has collected elsewhere."""
    for message, category in warnings:
        warn(message, category)


@contextlib.contextmanager
def collected_warnings():
    """Collect what :func:`warn` is told in the body, for another thread or process.

    Yields
    ------
    list of (str, type)
        Messages and categories, in the order in which they come.
    """
    before = getattr(_of_thread, "collected", None)
    _of_thread.collected = []
    try:
        yield _of_thread.collected
    finally:
        _of_thread.collected = before


class _SilentThread(type):
    def __subclasscheck__(cls, category):
        return getattr(_of_thread, "is_silent", False)


class _InSilentThread(Warning, metaclass=_SilentThread):
    """Any warning, while the thread that gives it is silent."""


_IGNORE = ("ignore", None, _InSilentThread, None, 0)


@contextlib.contextmanager
def silent_libraries():
    """Ignore what other libraries warn of in the body: the user did not call them.

    It concerns this thread alone. ``warnings.catch_warnings`` concerns all, and where
    two overlap leaves behind what one of them has set.
    """
    before = getattr(_of_thread, "is_silent", False)
    _of_thread.is_silent = True
    warnings.filters.insert(0, _IGNORE)
    try:
        yield
    finally:
        _of_thread.is_silent = before
        with contextlib.suppress(ValueError):  # of other filters, set meanwhile
            warnings.filters.remove(_IGNORE)
