"""What models predict for the same rows, and whether that makes them agree."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

FOREST = "random forest"

# Samples of the target's rows that the interval of a change is taken from.
_N_DRAWS = 200


def by_domain(name):
    """Return the name of a simple model whose columns are scaled domain by domain."""
    return f"{name} by domain"


@dataclass(frozen=True)
class Change:
    """A figure of the adapted model less that of the source-only model.

    Attributes
    ----------
    value : float
        The change.
    low, high : float
        Interval of 90%, by the bootstrap over target rows.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Evidence(ABC):
    """What all models answer: the networks and the simple models.

    Each was trained twice: on the whole source, and on a part of it, so that there are
    source rows to score and to calibrate it by. A subclass says what answers are, and
    how they are compared.

    Attributes
    ----------
    target : dict of str to ndarray of shape (n, n_outputs)
        Of target rows, by the models that learned the whole source: the networks
        "source only" and "adapted", then the simple models, by name.
    part_source, part_target : dict of str to ndarray of shape (n, n_outputs)
        Of held-out source rows and of target rows, by those that learned a part.
    rows : ndarray of int of shape (n,)
        Positions of the target rows in X_tgt.
    is_labelled : ndarray of bool of shape (n,)
        Whether their labels are known.
    """

    target: dict[str, np.ndarray]
    part_source: dict[str, np.ndarray]
    part_target: dict[str, np.ndarray]
    rows: np.ndarray
    is_labelled: np.ndarray

    # Names of a linear model, and of the score on held-out source rows.
    linear: ClassVar[str]
    source_score: ClassVar[str]

    @property
    def names(self):
        """Of all models: both networks, then the simple ones."""
        return list(self.target)

    @property
    def simple(self):
        """Names of the simple models."""
        return self.names[2:]

    @property
    def witness(self):
        """Name of the model that is least like a network.

        Sparse rows stay as they are: they have no "by domain".
        """
        name = by_domain(FOREST)
        return name if name in self.target else FOREST

    @property
    @abstractmethod
    def models(self):
        """The figures of each model, a dict of str to float, by its name.

        Among them "agreement", the mean with all others on the target.
        """

    @property
    def best_simple(self):
        """Name of the simple model that agrees best with all others."""
        return max(self.simple, key=lambda name: self.models[name]["agreement"])

    @property
    def agreement_with_witness(self):
        """Of the source-only and of the adapted model."""
        return self._agreements_with(self.witness, slice(None))

    @cached_property
    def change(self):
        """How adapting changed the agreement with the witness, a Change."""
        return self.change_with(self.witness)

    def change_with(self, name):
        """Return how adapting changed the agreement with a simple model, a Change."""
        n = len(self.rows)
        rng = np.random.default_rng(0)  # the same report, the same interval
        drawn = [
            np.diff(self._agreements_with(name, rng.integers(n, size=n)))
            for _ in range(_N_DRAWS)
        ]
        low, high = np.quantile(drawn, [0.05, 0.95]).tolist()
        value = np.diff(self._agreements_with(name, slice(None)))[0]
        return Change(float(value), low, high)

    @property
    def lost_on_source(self):
        """How much of the score on held-out source rows adapting cost."""
        before, after = (
            self.models[name][self.source_score] for name in ("source only", "adapted")
        )
        return before - after

    @abstractmethod
    def _agreements_with(self, name, rows):
        """Return the agreement of both networks with a model, on some rows."""

    @abstractmethod
    def disagreement(self):
        """Return how far the models disagree on each row, at least 0."""

    @abstractmethod
    def differ(self, name, other):
        """Return on which rows two models predict what is not the same."""

    @abstractmethod
    def is_alike(self, name):
        """Whether a model predicts as the adapted one: it matters not which is used."""

    @abstractmethod
    def likeness(self, name):
        """Return in words how far the adapted model predicts as another."""
