"""A report of a pair, beside the truth."""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import numpy as np
from domains import load
from run import path_of

from skdann.inspection._report._class_evidence import ClassEvidence
from skdann.inspection._report._class_proportions import class_proportions
from skdann.inspection._report._class_rules import proportions_differ
from skdann.inspection._report._summary import recommend
from skdann.inspection._report._verdict import judge


@dataclass(frozen=True)
class Judged:
    """A pair, its report, and the truth."""

    name: str
    data: str | None
    evidence: ClassEvidence

    @cached_property
    def pair(self):
        return load(self.name, self.data)

    def accuracy_of(self, cell):
        """Return the accuracy of the first fit of a cell."""
        y = self.pair.y_test
        with np.load(path_of(cell, "none", self.name)) as file:
            return float(np.mean(file["P"][0, -len(y) :].argmax(axis=1) == y))

    @cached_property
    def source_only(self):
        return self.accuracy_of("default, source only")

    @cached_property
    def adapted(self):
        return self.accuracy_of("default")

    @property
    def gain(self):
        return self.adapted - self.source_only

    @cached_property
    def measures(self):
        """What the verdict needs of a report's measures."""
        measures = SimpleNamespace(
            evidence=self.evidence,
            class_proportions=class_proportions(self.evidence),
            n_rows=(len(self.pair.y), len(self.pair.X_tgt)),
            effect="",
            may_differ=False,
        )
        measures.differs = proportions_differ(measures)
        return measures

    @cached_property
    def verdict(self):
        return judge(self.measures)

    @property
    def advice(self):
        """The first line of the report, in short."""
        return recommend(self.measures, self.verdict).split()[0].lower()

    @property
    def proportions(self):
        """Those of the classes that the source has, in the target."""
        y = self.pair.y_test
        return np.bincount(y[y >= 0], minlength=len(self.evidence.classes)) / len(y)

    @property
    def knows_target(self):
        """Whether the labels are of the rows that the report has seen."""
        return self.pair.X_test is self.pair.X_tgt

    def is_right(self, model):
        """Return on which target rows a model of the report is right."""
        return self.evidence.target[model].argmax(axis=1) == self.pair.y_test

    @property
    def data_set(self):
        return self.pair.data_set
