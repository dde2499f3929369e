"""What a report says of classes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.utils import _safe_indexing

from ..._data._targets import read_source_labels
from .._fitted import some_rows
from ._class_evidence import ClassEvidence
from ._class_proportions import ClassProportions, class_proportions
from ._class_rules import lost_infomax, one_class, other_proportions, proportions_differ
from ._class_tables import tables
from ._measures import OF_WITNESS, Measures

# Of 69 pairs of real domains, from docs/results/reports.json; docs/reliability.md.
N_PAIRS = 69
GAINED = {"for": (15, 15), "open": (27, 51), "against": (1, 3)}
N_HELD = 65  # pairs whose accuracy was at most the highest estimate
EXCESS = 0.15  # of this estimate over the truth, on average

# Target rows whose predictions are counted.
_MAX_ROWS = 2000

# Agreement with the source-only model. Of 33 pairs of domains the highest was .97.
_NO_EFFECT = 0.99

_REASONS = {
    **OF_WITNESS,
    "against": (
        "Adapting has cost accuracy on the source, and a random forest, a model of "
        "another kind, does not agree more with the adapted model."
    ),
    "other proportions": (
        "The classes have other proportions in the target: then agreement of unlike "
        "models says little."
    ),
}


@dataclass(frozen=True, kw_only=True)
class ClassMeasures(Measures):
    """The figures of a report on a classifier.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.
    proportions : dict of str to ndarray of shape (n_classes,)
        Of the classes in the "source", as predicted for the target by the source-only
        model ("source only") and the adapted one ("adapted"), and "estimated".
    class_proportions : ClassProportions
        The estimate, with its interval.
    """

    classes: np.ndarray
    proportions: dict[str, np.ndarray]
    class_proportions: ClassProportions

    read_y = staticmethod(read_source_labels)
    of_evidence: ClassVar[type] = ClassEvidence
    reported: ClassVar[tuple[str, ...]] = (
        *("source_accuracy", "infomax"),
        "reverse_validation",
    )
    usual_lambda: ClassVar[float] = 1
    larger_lambdas: ClassVar[str] = "3, 10"
    of_source: ClassVar[str] = "Accuracy"
    score_format: ClassVar[str] = "{:.1%}"

    @staticmethod
    def fit_params(network):
        """Return what ``fit`` has to know of y."""
        return {"classes": network.classes_}

    @classmethod
    def of_y(cls, networks, y, X_tgt, evidence, rng):
        """Return the attributes that are of y.

        Parameters
        ----------
        networks : dict of str to fitted estimator
            "source only" and "adapted".
        y : ndarray
            Of the source.
        X_tgt : array-like
            Target rows.
        evidence : ClassEvidence
            What all models predict.
        rng : RandomState
            Decides which rows are counted.
        """
        estimated = class_proportions(evidence)

        def shares(labels):
            codes = np.searchsorted(evidence.classes, labels)
            return np.bincount(codes, minlength=len(evidence.classes)) / len(codes)

        X_tgt = _safe_indexing(X_tgt, some_rows(X_tgt, _MAX_ROWS, rng))
        predicted = {name: shares(m.predict(X_tgt)) for name, m in networks.items()}
        return {
            "classes": evidence.classes,
            "proportions": {
                "source": shares(y),
                **predicted,
                "estimated": estimated.estimate,
            },
            "class_proportions": estimated,
        }

    @property
    def kind(self):
        """How many classes there are."""
        return f"{len(self.classes)} classes"

    @property
    def agreement(self):
        """Share of target rows for which both models predict the same."""
        return self.evidence.models["source only"]["same_prediction"]

    @property
    def differs(self):
        """Whether models agree that the classes have other proportions."""
        return proportions_differ(self)

    @property
    def effect(self):
        """In words, that adapting changed hardly any prediction; else ""."""
        if self.agreement < _NO_EFFECT:
            return ""
        return f"{self.agreement:.1%} of the target get the same prediction"

    @property
    def may_differ(self):
        """Whether labels must tell if proportions differ; where models agree, not."""
        return False

    def find_collapse(self):
        """Return the finding that classes are not predicted, or None."""
        return one_class(self)

    def find_of_y(self):
        """Return what else is found of the classes."""
        return [other_proportions(self), lost_infomax(self)]

    def reasons(self, verdict):
        """Return sentences that say why, and how often that was right."""
        key = "other proportions" if self.differs else verdict
        gained, of = GAINED[verdict]
        estimates = self.evidence.accuracy.values()
        return [
            f"{_REASONS[key]} Where the verdict was {verdict!r} on {N_PAIRS} pairs of "
            f"real domains, adapting had gained in {gained} of {of}.",
            f"Accuracy on the target: at most about {max(estimates):.2f} (estimates "
            f"from {min(estimates):.2f}). That held on {N_HELD} of these pairs; the "
            f"truth was {EXCESS:.2f} lower on average.",
        ]

    def tables(self):
        """Return the tables: title, heads, rows of texts."""
        return tables(self)

    def values(self):
        """Return what is of classes, as values that JSON can hold."""
        low, high = self.class_proportions.interval
        return {
            "classes": np.asarray(self.classes).tolist(),
            "change_of_kappa": vars(self.evidence.change),
            "accuracy_at_most": self.evidence.accuracy_at_most,
            "accuracy_estimates": self.evidence.accuracy,
            "proportions": {
                **{name: p.tolist() for name, p in self.proportions.items()},
                "low": low.tolist(),
                "high": high.tolist(),
                "is_reliable": bool(self.class_proportions.is_reliable),
            },
        }
