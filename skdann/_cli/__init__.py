"""The command: ``python -m skdann``, or ``skdann``."""

from ._main import main

__all__ = ["main"]
