"""Domain-adversarial training of neural networks, for scikit-learn."""

from importlib.metadata import version

from ._auto import AutoDANNClassifier, AutoDANNRegressor
from ._baseline import BaselineClassifier, BaselineRegressor
from ._classifier import DANNClassifier
from ._persistence import load, save
from ._regressor import DANNRegressor
from ._tabular_pipeline import tabular_pipeline
from .exceptions import AdaptationWarning, DivergenceError

__version__ = version("skdann")

__all__ = [
    "AdaptationWarning",
    "AutoDANNClassifier",
    "AutoDANNRegressor",
    "BaselineClassifier",
    "BaselineRegressor",
    "DANNClassifier",
    "DANNRegressor",
    "DivergenceError",
    "load",
    "save",
    "tabular_pipeline",
]
