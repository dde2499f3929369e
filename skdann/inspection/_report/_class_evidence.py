"""Evidence of classes: probabilities, votes, and the accuracy that they allow."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from ..._baseline import BaselineClassifier
from ..._data._targets import UNLABELLED, encode_known_labels
from ...metrics._agreement import (
    combination_weights,
    disagreement,
    mean_agreement,
    pairwise_kappa,
)
from ...metrics._target_accuracy import accuracy_estimates
from ._evidence import Evidence

# Share of the target above which it does not matter which of two models predicts.
_ALIKE = 0.98


@dataclass(frozen=True, kw_only=True)
class ClassEvidence(Evidence):
    """Probabilities that all models predict.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.
    codes : ndarray of int of shape (n_held_out,)
        Classes of the held-out rows, as positions.
    source_proportions : ndarray of shape (n_classes,)
        Of the classes in the whole source.
    """

    classes: np.ndarray
    codes: np.ndarray
    source_proportions: np.ndarray

    linear: ClassVar[str] = "logistic regression"
    source_score: ClassVar[str] = "source_accuracy"
    baseline: ClassVar[type] = BaselineClassifier
    forest: ClassVar[type] = RandomForestClassifier

    @staticmethod
    def answers(model, X):
        """Return what a fitted model answers for rows."""
        return model.predict_proba(X)

    @staticmethod
    def is_known(target, network):
        """Return for which target rows ``y_tgt`` has a class, not the mark of none."""
        known = encode_known_labels(target.y, target.X, network.classes_)
        return known != UNLABELLED

    @staticmethod
    def of_y(y, held_out, network):
        """Return the attributes that are of y."""
        classes = network.classes_
        codes = np.searchsorted(classes, y)
        shares = np.bincount(codes, minlength=len(classes)) / len(codes)
        return {
            "classes": classes,
            "codes": codes[held_out],
            "source_proportions": shares,
        }

    @cached_property
    def votes(self):
        """Classes that are predicted for the target, shape (n_models, n)."""
        return np.stack([P.argmax(axis=1) for P in self.target.values()])

    @cached_property
    def weights(self):
        """How much each model counts, by its agreement with the others."""
        return combination_weights(self.votes)

    @cached_property
    def models(self):
        """The figures of each model, a dict of str to float, by its name.

        AUC and rank correlation are of two classes alone.
        """
        adapted = self.target["adapted"]
        agreement = mean_agreement(self.votes)
        return {
            name: {
                "source_accuracy": _accuracy(self.part_source[name], self.codes),
                **_auc(self.part_source[name], self.codes),
                "same_prediction": float(np.mean(self.votes[i] == self.votes[1])),
                "agreement": float(agreement[i]),
                **_rank_correlation(self.target[name], adapted),
            }
            for i, name in enumerate(self.names)
        }

    @cached_property
    def accuracy(self):
        """Estimates of the adapted model's accuracy on the target, by name."""
        others = [self.part_target[name].argmax(axis=1) for name in self.simple]
        return accuracy_estimates(
            self.part_source["adapted"],
            self.codes,
            self.part_target["adapted"],
            np.stack(others),
        )

    @property
    def accuracy_at_most(self):
        """The highest of the estimates, which the truth rarely exceeds."""
        return max(self.accuracy.values())

    def _agreements_with(self, name, rows):
        votes = self.votes[[0, 1, self.names.index(name)]][:, rows]
        return tuple(pairwise_kappa(votes)[:2, 2].tolist())

    def disagreement(self):
        """Return the entropy of the weighted votes on each row."""
        return disagreement(self.votes, self.weights)

    def differ(self, name, other):
        """Return for which rows two models predict unlike classes."""
        i, j = map(self.names.index, (name, other))
        return self.votes[i] != self.votes[j]

    def is_alike(self, name):
        """Whether a model predicts nearly the same classes as the adapted one."""
        return self.models[name]["same_prediction"] >= _ALIKE

    def likeness(self, name):
        """Return in words how far the adapted model predicts as another."""
        return f"predicts {self.models[name]['same_prediction']:.0%} alike"


def _accuracy(P, codes):
    return float(np.mean(P.argmax(axis=1) == codes))


def _auc(P, codes):
    if P.shape[1] != 2 or len(np.unique(codes)) < 2:
        return {}
    return {"auc": float(roc_auc_score(codes, P[:, 1]))}


def _rank_correlation(P, of_adapted):
    scores = P[:, -1], of_adapted[:, -1]
    if P.shape[1] != 2 or min(map(np.ptp, scores)) == 0:
        return {}
    return {"rank_correlation": float(spearmanr(*scores).statistic)}
