"""Choose lambda and the other parameters without target labels."""

from ._reverse_validation import reverse_validation_score
from ._rows_to_label import rows_to_label
from ._search import DANNGridSearchCV, DANNRandomizedSearchCV
from ._target_scorer import target_scorer

__all__ = [
    "DANNGridSearchCV",
    "DANNRandomizedSearchCV",
    "reverse_validation_score",
    "rows_to_label",
    "target_scorer",
]
