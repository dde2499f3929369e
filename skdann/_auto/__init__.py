"""The estimator that combines unlike candidates, by how far they agree."""

from ._auto_classifier import AutoDANNClassifier

__all__ = ["AutoDANNClassifier"]
