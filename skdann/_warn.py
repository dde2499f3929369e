"""Warn at the line of the user, however deep the reason is found."""

import contextlib
import os
import sys
import warnings
from importlib.util import find_spec

# Whoever stands in these files has only passed the user's call on.
_PASSING_ON = (
    contextlib.__file__,
    *(
        os.path.join(location, "")
        for package in ("skdann", "sklearn", "skorch", "joblib", "torch")
        for location in find_spec(package).submodule_search_locations
    ),
)


def warn(message, category=UserWarning):
    """Warn as ``warnings.warn`` does, at the first line outside of this library.

    Lines of scikit-learn, skorch, joblib and torch are passed over, too: a fit within
    a search or a Pipeline warns where the user called that. Python 3.12 can do this
    by itself (``skip_file_prefixes``).

    Parameters
    ----------
    message : str
        What is wrong, the value, and what to do.
    category : type, default=UserWarning
        Class of the warning.
    """
    frame, level = sys._getframe(1), 2  # stacklevel 2 is the caller of this function
    while frame.f_back and frame.f_code.co_filename.startswith(_PASSING_ON):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
