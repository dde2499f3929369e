"""The estimators that combine unlike candidates, by how far they agree."""

from ._auto_classifier import AutoDANNClassifier
from ._auto_regressor import AutoDANNRegressor

__all__ = ["AutoDANNClassifier", "AutoDANNRegressor"]
