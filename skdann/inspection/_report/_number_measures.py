"""What a report says of numbers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..._containers._responses import read_known_responses
from ._measures import OF_WITNESS, Measures
from ._number_evidence import NumberEvidence
from ._number_rules import (
    beyond_source,
    collapsed,
    mean_differs,
    mean_may_differ,
    other_mean,
)
from ._number_shift import NumberShift, number_shift
from ._number_tables import tables

# Of 48 problems, from docs/results/regression_reports.json; docs/regression.md.
N_PROBLEMS = 48
GAINED = {"for": (6, 8), "open": (10, 36), "against": (0, 4)}
N_HELD = 43  # problems whose error was not below the lowest estimate
EXCESS = 1.6  # the error, by this estimate, median

_REASONS = {
    **OF_WITNESS,
    "against": (
        "Adapting has cost R2 on the source, and a random forest, a model of another "
        "kind, does not agree more with the adapted model."
    ),
    "no effect": "Adapting has changed next to nothing.",
    "other mean": (
        "y has another mean in the target: then agreement of unlike models says little."
    ),
}


@dataclass(frozen=True, kw_only=True)
class NumberMeasures(Measures):
    """The figures of a report on a regressor.

    Attributes
    ----------
    shift : NumberShift
        How the mean of y changes, as unlike models predict it.
    ends : ndarray of shape (2, n_outputs)
        The smallest and the largest y of the source.
    """

    shift: NumberShift
    ends: np.ndarray

    of_evidence: ClassVar[type] = NumberEvidence
    reported: ClassVar[tuple[str, ...]] = ("source_r2", "reverse_validation")
    usual_lambda: ClassVar[float] = 0.1
    larger_lambdas: ClassVar[str] = "0.3, 1"
    of_source: ClassVar[str] = "R2"
    score_format: ClassVar[str] = "{:.2f}"

    @staticmethod
    def read_y(y):
        """Return y as an array of floats, none missing."""
        return read_known_responses(y, "y_src")

    @staticmethod
    def fit_params(network):
        """Return what ``fit`` has to know of y: nothing."""
        return {}

    @classmethod
    def of_y(cls, networks, y, X_tgt, evidence, rng):
        """Return the attributes that are of y.

        Parameters are those of :meth:`ClassMeasures.of_y`.
        """
        y = y.reshape(len(y), -1)
        ends = np.stack([y.min(axis=0), y.max(axis=0)])
        return {"shift": number_shift(evidence), "ends": ends}

    @property
    def n_outputs(self):
        """How many numbers a row has."""
        return self.ends.shape[1]

    @property
    def kind(self):
        """How many numbers there are."""
        return "numbers" if self.n_outputs == 1 else f"{self.n_outputs} numbers a row"

    @property
    def unit(self):
        """What errors are in, if it is not y."""
        return "" if self.n_outputs == 1 else " in deviations of y"

    @property
    def differs(self):
        """Whether models agree that y has another mean in the target."""
        return mean_differs(self)

    @property
    def effect(self):
        """In words, that adapting changed predictions hardly at all; else ""."""
        if not self.evidence.is_alike("source only"):
            return ""
        share = self.evidence.distance("source only")
        return f"predictions differ by {share:.0%} of the error on the source"

    @property
    def may_differ(self):
        """Whether some model finds that y has another mean in the target."""
        return mean_may_differ(self)

    def find_collapse(self):
        """Return the finding that all predictions are nearly one number, or None."""
        return collapsed(self)

    def find_of_y(self):
        """Return what else is found of the numbers."""
        return [other_mean(self), beyond_source(self)]

    def reasons(self, verdict):
        """Return sentences that say why, and how often that was right."""
        key = "other mean" if self.differs else "no effect" if self.effect else verdict
        gained, of = GAINED[verdict]
        return [
            f"{_REASONS[key]} Where the verdict was {verdict!r} on {N_PROBLEMS} "
            f"problems, adapting had gained in {gained} of {of}.",
            f"Root mean squared error on the target{self.unit}: at least about "
            f"{self.evidence.error_at_least:.3g}. That held on {N_HELD} of these "
            f"problems; on half of them the truth was {EXCESS} times as much, or more.",
        ]

    def tables(self):
        """Return the tables: title, heads, rows of texts."""
        return tables(self)

    def values(self):
        """Return what is of numbers, as values that JSON can hold."""
        shift = self.shift
        return {
            "n_outputs": self.n_outputs,
            "change_of_concordance": vars(self.evidence.change),
            "error_at_least": self.evidence.error_at_least,
            "error_estimates": self.evidence.error,
            "change_of_mean": {
                **{name: change.tolist() for name, change in shift.of_models.items()},
                "at_least": shift.least.tolist(),
            },
        }
