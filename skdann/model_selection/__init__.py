"""Choose lambda and the other parameters without target labels."""

from ._reverse_validation import reverse_validation_score
from ._scorers import target_scorer
from ._search import DANNGridSearchCV, DANNRandomizedSearchCV

__all__ = [
    "DANNGridSearchCV",
    "DANNRandomizedSearchCV",
    "reverse_validation_score",
    "target_scorer",
]
