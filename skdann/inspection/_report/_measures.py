"""The figures of a report, whatever is predicted."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._alignment import AlignmentDisplay
from .._column_shift import ColumnShift
from ._evidence import Evidence

# What the forest that decides the verdict has found, whatever is predicted.
OF_WITNESS = {
    "for": (
        "A random forest, a model of another kind, agrees more with the adapted than "
        "with the source-only model."
    ),
    "open": (
        "A random forest, a model of another kind, does not agree more with the "
        "adapted model."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Measures(ABC):
    """The figures of a report: of the adapted model and of its source-only model.

    A subclass says what is of y: figures, findings, tables and words.

    Attributes
    ----------
    n_rows : (int, int)
        Of source and target.
    lambda_max : float
        Of the adapted model.
    scores : dict of str to (float, float)
        Of the source-only and of the adapted model, both trained again on four fifths
        of the source.
    distances : dict of str to float
        Proxy A-distance in the "input", in the features of the source-only model
        ("source only") and of the adapted one ("adapted").
    column_shift : ColumnShift or None
        Of the rows as they were given, at most 2,000 of each domain; None if they are
        no table, or one of more than 1,000 columns.
    alignment : AlignmentDisplay
        Features of both models, not plotted.
    history : list of dict
        Of the adapted model.
    source_only : fitted estimator
        The source-only model: the same estimator with ``lambda_max=0``.
    evidence : Evidence
        What both and the simple models predict.
    chance : float
        Domain accuracy of whoever always answers the same.
    """

    n_rows: tuple[int, int]
    lambda_max: float
    scores: dict[str, tuple[float, float]]
    distances: dict[str, float]
    column_shift: ColumnShift | None
    alignment: AlignmentDisplay
    history: list
    source_only: object
    evidence: Evidence
    chance: float

    # Names of the scores that are reported, that of the source first.
    reported: ClassVar[tuple[str, ...]]

    # Values of lambda_max for advice: the usual one, and larger ones.
    usual_lambda: ClassVar[float]
    larger_lambdas: ClassVar[str]

    # How the score of the source is called, and written.
    of_source: ClassVar[str]
    score_format: ClassVar[str]

    @property
    @abstractmethod
    def kind(self):
        """What is predicted, for the title."""

    @property
    @abstractmethod
    def differs(self):
        """Whether models agree that y is distributed otherwise in the target."""

    @property
    @abstractmethod
    def may_differ(self):
        """Whether that may be without their agreeing: nothing is to be deployed."""

    @property
    @abstractmethod
    def effect(self):
        """In words, how little adapting changed the predictions; "" if it matters."""

    @abstractmethod
    def find_collapse(self):
        """Return the finding that predictions are too much alike, or None."""

    @abstractmethod
    def find_of_y(self):
        """Return other findings that are of y, a list; some may be None."""

    @abstractmethod
    def reasons(self, verdict):
        """Return sentences that say why, and how often that was right."""

    @abstractmethod
    def tables(self):
        """Return the tables: title, heads, rows of texts."""

    @abstractmethod
    def values(self):
        """Return what is of y, as values that JSON can hold, by name."""

    @property
    def saw_target(self):
        """Whether the model was fitted with target rows."""
        return saw_target(self.history)

    def history_of(self, name):
        """Return a column of the history, without the epochs that lack it."""
        return np.array([epoch[name] for epoch in self.history if name in epoch])


def saw_target(history):
    """Return whether a network of this history was fitted with target rows."""
    return any("domain_accuracy" in epoch for epoch in history)
