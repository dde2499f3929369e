"""Files of fitted estimators: networks, Pipelines that end in one, combinations."""

from ._save import load, save

__all__ = ["load", "save"]
