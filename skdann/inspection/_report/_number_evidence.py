"""Evidence of numbers: predictions, concordance, and the error that they imply."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from ..._baseline import BaselineRegressor
from ..._containers._responses import mean_and_scale, read_responses
from ...metrics._agreement import (
    concordance,
    mean_concordance,
    spread,
    weights_of_numbers,
)
from ...metrics._target_error import error_estimates
from ._evidence import Evidence

# Difference of two models, by the error on the source, below which it does not matter
# which of them predicts: if it is unrelated to the error, that changes by 2%.
_ALIKE = 0.2


@dataclass(frozen=True, kw_only=True)
class NumberEvidence(Evidence):
    """Numbers that all models predict, in the units of y.

    Attributes
    ----------
    y : ndarray of shape (n_held_out, n_outputs)
        Of the held-out rows.
    mean, scale : ndarray of shape (n_outputs,)
        Of y in the whole source.
    """

    y: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    linear: ClassVar[str] = "ridge regression"
    source_score: ClassVar[str] = "source_r2"
    baseline: ClassVar[type] = BaselineRegressor
    forest: ClassVar[type] = RandomForestRegressor

    @staticmethod
    def answers(model, X):
        """Return what a fitted model answers for rows."""
        predicted = model.predict(X)
        return np.reshape(predicted, (len(predicted), -1)).astype(float)

    @staticmethod
    def is_known(target, network):
        """Return for which target rows ``y_tgt`` has a number."""
        known = read_responses(target.y, "y_tgt")
        return ~np.isnan(known.reshape(len(known), -1)).any(axis=1)

    @staticmethod
    def of_y(y, held_out, network):
        """Return the attributes that are of y."""
        y = y.reshape(len(y), -1)
        mean, scale = mean_and_scale(y)
        return {"y": y[held_out], "mean": mean, "scale": scale}

    @cached_property
    def in_deviations(self):
        """Of target rows, in deviations of y, shape (n_models, n, n_outputs)."""
        return (np.stack(list(self.target.values())) - self.mean) / self.scale

    @cached_property
    def weights(self):
        """How much each model counts, by its agreement with the others."""
        no_errors = np.empty((len(self.names), 0))
        return weights_of_numbers(self.in_deviations, no_errors)

    @cached_property
    def models(self):
        """The figures of each model, a dict of str to float, by its name.

        What is in the units of y is of one number alone.
        """
        agreement = mean_concordance(self.in_deviations)
        return {
            name: {
                **self._on_source(name),
                "concordance": self._concordance(name, "adapted"),
                "agreement": float(agreement[i]),
                **self._moments(name),
            }
            for i, name in enumerate(self.names)
        }

    def _on_source(self, name):
        """Return the figures on held-out source rows."""
        squares = ((self.part_source[name] - self.y) / self.scale) ** 2
        figures = {"source_r2": float(1 - squares.mean())}
        if self.y.shape[1] == 1:
            rmse = np.sqrt(squares.mean()) * self.scale[0]
            figures["source_rmse"] = float(rmse)
        return figures

    def _moments(self, name):
        """Return mean and deviation of what is predicted for the target."""
        if len(self.scale) > 1:
            return {}
        predicted = self.target[name]
        return {
            "target_mean": float(predicted.mean()),
            "target_deviation": float(predicted.std()),
        }

    @cached_property
    def error(self):
        """Estimates of the adapted model's error on the target, by name.

        In the units of y; of several numbers, in deviations of each.
        """
        unit = self.scale if len(self.scale) > 1 else np.ones(1)
        source, target = (
            {name: of_model / unit for name, of_model in found.items()}
            for found in (self.part_source, self.part_target)
        )
        others = np.stack([target[name] for name in self.simple])
        return error_estimates(
            source["adapted"], self.y / unit, target["adapted"], others
        )

    @property
    def error_at_least(self):
        """The lowest of the estimates, which the truth rarely stays below."""
        return min(self.error.values())

    def _agreements_with(self, name, rows):
        i = self.names.index(name)
        predicted = self.in_deviations[:, rows]
        return tuple(concordance(predicted[k], predicted[i]) for k in (0, 1))

    def _concordance(self, name, other):
        i, j = map(self.names.index, (name, other))
        return concordance(self.in_deviations[i], self.in_deviations[j])

    def disagreement(self):
        """Return the deviation of the weighted predictions on each row."""
        return spread(self.in_deviations, self.weights)

    def differ(self, name, other):
        """Return for which rows two models predict numbers that matter as unlike."""
        return self._distances(name, other) > _ALIKE

    def _distances(self, name, other):
        """Return how far apart two models are on each row, by the source's error."""
        i, j = map(self.names.index, (name, other))
        squares = (self.in_deviations[i] - self.in_deviations[j]) ** 2
        error = 1 - self.models["adapted"]["source_r2"]
        return np.sqrt(squares.mean(axis=1) / max(error, np.finfo(float).tiny))

    def distance(self, name):
        """Return how far a model is from the adapted one, by the source's error."""
        return float(np.sqrt(np.mean(self._distances(name, "adapted") ** 2)))

    def is_alike(self, name):
        """Whether a model predicts nearly the same numbers as the adapted one."""
        return self.distance(name) <= _ALIKE

    def likeness(self, name):
        """Return in words how far the adapted model predicts as another."""
        return f"differs by {self.distance(name):.0%} of its error on the source"
