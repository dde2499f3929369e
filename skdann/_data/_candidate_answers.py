"""What candidates answer for rows of a target, and which of these rows to label.

What y is decides what is compared: :class:`ClassAnswers` is of classes,
:class:`NumberAnswers` has the same members.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..metrics._agreement import (
    combination_weights,
    disagreement,
    spread,
    weights_of_numbers,
)
from ._real_targets import RealTargets, read_target_numbers
from ._targets import UNLABELLED, ClassTargets, known_target_labels, where_known


@dataclass(frozen=True)
class ClassAnswers:
    """The classes that candidates predict, and how much each counts.

    Attributes
    ----------
    rows : ndarray of int of shape (n_rows,)
        Positions in the target.
    answers : ndarray of int of shape (n_candidates, n_rows)
        Positions of the predicted classes.
    weights : ndarray of shape (n_candidates,)
        Of sum 1.
    row_weight : ndarray of shape (n_rows,) or None
        How often each row counts.
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    rows: np.ndarray
    answers: np.ndarray
    weights: np.ndarray
    row_weight: np.ndarray | None
    classes: np.ndarray

    def read(self, y_tgt, X_tgt):
        """Return the known labels of these rows, encoded."""
        known, is_known = known_target_labels(y_tgt, X_tgt, self.classes)
        codes = ClassTargets(self.classes).encode(known, "y_tgt")
        return where_known(codes, is_known)[self.rows]

    @staticmethod
    def is_known(encoded):
        """Return which rows have a label."""
        return encoded != UNLABELLED

    def weighted_by(self, encoded):
        """Return the same, weighted also by who is right on the known labels."""
        is_right = (self.answers == encoded)[:, self.is_known(encoded)]
        n_right = is_right.sum(axis=1)
        weights = combination_weights(self.answers, n_right, self.row_weight)
        return replace(self, weights=weights)

    def disagreement(self):
        """Return how far the candidates disagree on each row, at least 0."""
        return disagreement(self.answers, self.weights)


@dataclass(frozen=True)
class NumberAnswers:
    """As :class:`ClassAnswers`, of numbers.

    Attributes
    ----------
    rows, weights, row_weight
        As of :class:`ClassAnswers`.
    answers : ndarray of shape (n_candidates, n_rows, n_outputs)
        The predicted numbers, as ``targets`` encodes them.
    targets : RealTargets
        What y is.
    """

    rows: np.ndarray
    answers: np.ndarray
    weights: np.ndarray
    row_weight: np.ndarray | None
    targets: RealTargets

    def read(self, y_tgt, X_tgt):
        """Return the known numbers of these rows, encoded; NaN elsewhere."""
        return read_target_numbers(y_tgt, X_tgt, self.targets)[self.rows]

    def is_known(self, encoded):
        """Return which rows have a number."""
        return self.targets.is_known(encoded)

    def weighted_by(self, encoded):
        """Return the same, weighted also by how far off each is on known numbers."""
        errors = (self.answers - encoded)[:, self.is_known(encoded)]
        squared = (errors**2).mean(axis=2)
        weights = weights_of_numbers(self.answers, squared, self.row_weight)
        return replace(self, weights=weights)

    def disagreement(self):
        """Return how far the candidates disagree on each row, at least 0."""
        return spread(self.answers, self.weights)
