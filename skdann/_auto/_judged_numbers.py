"""What candidates answer for the target, where numbers are predicted."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import is_regressor

from .._baseline import BaselineRegressor
from .._containers._responses import mean_and_scale
from .._data._candidate_answers import NumberAnswers
from .._data._real_targets import RealTargets, read_real_targets
from .._regressor import DANNRegressor
from ..metrics._agreement import (
    concordance,
    mean_concordance,
    spread,
    weights_of_numbers,
)
from ..metrics._paired import compare_best_numbers
from ._candidates import default_candidates_of_numbers


@dataclass(frozen=True)
class JudgedNumbers:
    """As :class:`JudgedClasses`, of numbers.

    Attributes
    ----------
    predicted : ndarray of shape (n_candidates, n_rows, n_outputs)
        For rows of the target, in deviations of y.
    whole : ndarray of shape (n_rows, n_outputs)
        What the combination predicts.
    squared_errors : ndarray of shape (n_candidates, n_labelled)
        Where numbers are known, the mean over the outputs.
    weights : ndarray of shape (n_candidates,)
        Of sum 1.
    """

    predicted: np.ndarray
    whole: np.ndarray
    squared_errors: np.ndarray
    weights: np.ndarray

    network = DANNRegressor
    baseline = BaselineRegressor
    whole_name = "AutoDANNRegressor"
    others = "regressor of scikit-learn"
    default_candidates = staticmethod(default_candidates_of_numbers)
    will_do = staticmethod(is_regressor)
    read_targets = staticmethod(partial(read_real_targets, loss="squared_error"))

    @staticmethod
    def prepare(domains, candidates):
        """Return the domains as candidates are fitted on them: as they are."""
        return domains

    @staticmethod
    def predict(model, X):
        """Return the numbers that a fitted model predicts, of two axes."""
        predicted = np.asarray(model.predict(X), dtype=float)
        return predicted.reshape(len(predicted), -1)

    @staticmethod
    def check(predicted, shape):
        """Raise ValueError if these are no numbers of a shape."""
        if predicted.shape != shape or not np.isfinite(predicted).all():
            raise ValueError(
                f"predict of the candidate returns shape {predicted.shape}; it must "
                f"return finite numbers of shape {shape}."
            )

    @classmethod
    def of(cls, answers, on_labelled, domains, row_weight):
        """Weight candidates by their concordance, and by known numbers.

        Parameters are those of :meth:`JudgedClasses.of`.
        """
        mean, scale = mean_and_scale(domains.y[domains.rows])
        predicted = (answers - mean) / scale
        squared_errors = np.zeros((len(answers), 0))
        if on_labelled.shape[1]:
            errors = on_labelled - domains.y_tgt[domains.labelled_rows_tgt]
            squared_errors = ((errors / scale) ** 2).mean(axis=2)
        weights = weights_of_numbers(predicted, squared_errors, row_weight)
        whole = np.tensordot(weights, predicted, axes=1)
        return cls(predicted, whole, squared_errors, weights)

    def columns(self):
        """Return columns of the results: of each its values, and one for failures."""
        with_whole = [concordance(p, self.whole) for p in self.predicted]
        columns = {
            "agreement": (mean_concordance(self.predicted), np.nan),
            "concordance": (np.array(with_whole), np.nan),
        }
        if self.n_labelled:
            columns["labelled_r2"] = 1 - self.squared_errors.mean(axis=1), np.nan
            columns["n_labelled"] = self.n_labelled, 0
        return columns

    @property
    def n_labelled(self):
        """How many known numbers there are for the choice."""
        return self.squared_errors.shape[1]

    def explain(self, names):
        """Return in sentences how far the candidates agree, and what labels tell."""
        deviation = np.sqrt(np.mean(spread(self.predicted, self.weights) ** 2))
        told = f"On a target row they deviate by {deviation:.2g} deviations of y."
        if self.n_labelled and len(names) > 1:
            return [told, compare_best_numbers(names, self.squared_errors)]
        return [told, "rows_to_label names rows whose numbers would tell most."]

    @staticmethod
    def fitted_attributes(domains):
        """Return what a fitted combination knows of y, by name."""
        mean, scale = mean_and_scale(domains.y[domains.rows])
        of_y = domains.targets.fitted_attributes()
        return {**of_y, "_response_mean": mean, "_response_scale": scale}

    @staticmethod
    def to_label(answers, weights, fitted):
        """Return the answers by whose disagreement rows are drawn."""
        mean, scale = fitted._response_mean, fitted._response_scale
        targets = RealTargets("squared_error", fitted._is_column, mean, scale)
        rows, predicted = np.arange(answers.shape[1]), (answers - mean) / scale
        return NumberAnswers(rows, predicted, weights, None, targets)
