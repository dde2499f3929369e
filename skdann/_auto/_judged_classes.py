"""What candidates answer for the target, where y is of classes.

What y is decides what candidates may be, what they answer and how that is compared:
``_judged_numbers.py`` has a class with the same members.
"""

from dataclasses import dataclass

import numpy as np

from .._baseline import BaselineClassifier, check_probabilities
from .._classifier import DANNClassifier
from .._data._candidate_answers import ClassAnswers
from .._data._shift import resolve_shift
from .._data._targets import read_class_targets
from ..metrics._agreement import combination_weights, mean_agreement
from ..metrics._paired import compare_best
from ._candidates import default_candidates

# Rows on which less than this share of the weight agrees are those to label.
AGREED = 2 / 3


@dataclass(frozen=True)
class JudgedClasses:
    """Candidates, and how much each counts.

    Attributes
    ----------
    votes : ndarray of int of shape (n_candidates, n_rows)
        Positions of the classes that they predict for rows of the target.
    whole : ndarray of int of shape (n_rows,)
        What the combination predicts.
    is_right : ndarray of bool of shape (n_candidates, n_labelled)
        On labelled rows.
    weights : ndarray of shape (n_candidates,)
        Of sum 1.
    """

    votes: np.ndarray
    whole: np.ndarray
    is_right: np.ndarray
    weights: np.ndarray

    network = DANNClassifier
    baseline = BaselineClassifier
    whole_name = "AutoDANNClassifier"
    others = "classifier of scikit-learn with predict_proba"
    default_candidates = staticmethod(default_candidates)
    read_targets = staticmethod(read_class_targets)

    @staticmethod
    def will_do(estimator):
        """Whether it can be a candidate that learns the source as it is."""
        return hasattr(estimator, "predict_proba")

    @staticmethod
    def prepare(domains, candidates):
        """Return the domains as candidates are fitted on them.

        The proportions of the classes are estimated once for all: scales by domain are
        wrong where these differ.
        """
        if any(map(_depends_on_shift, candidates)):
            return resolve_shift(domains, "auto", "estimate")
        return domains

    @staticmethod
    def predict(model, X):
        """Return the probabilities that a fitted model predicts."""
        return model.predict_proba(X)

    @staticmethod
    def check(P, shape):
        """Raise ValueError if these are no probabilities of a shape."""
        check_probabilities(P, shape, "the candidate")

    @classmethod
    def of(cls, answers, on_labelled, domains, row_weight):
        """Weight candidates by their agreement, and by labels.

        Parameters
        ----------
        answers : ndarray of shape (n_candidates, n_rows, n_classes)
            For rows of the target.
        on_labelled : ndarray of shape (n_candidates, n_labelled, n_classes)
            For the rows whose label is known for the choice.
        domains : Domains
            With these labels.
        row_weight : ndarray of shape (n_rows,) or None
            How often each row counts.
        """
        votes = answers.argmax(axis=2)
        is_right = np.zeros((len(answers), 0), dtype=bool)
        if on_labelled.shape[1]:
            codes = domains.y_tgt[domains.labelled_rows_tgt]
            is_right = on_labelled.argmax(axis=2) == codes
        weights = combination_weights(votes, is_right.sum(axis=1), row_weight)
        whole = np.tensordot(weights, answers, axes=1).argmax(axis=1)
        return cls(votes, whole, is_right, weights)

    def columns(self):
        """Return columns of the results: of each its values, and one for failures."""
        columns = {
            "agreement": (mean_agreement(self.votes), np.nan),
            "same_prediction": ((self.votes == self.whole).mean(axis=1), np.nan),
        }
        if self.n_labelled:
            columns["n_right"] = self.is_right.sum(axis=1), 0
            columns["n_labelled"] = self.n_labelled, 0
        return columns

    @property
    def n_labelled(self):
        """How many labels there are for the choice."""
        return self.is_right.shape[1]

    def explain(self, names):
        """Return in sentences how far the candidates agree, and what labels tell."""
        share = np.mean(self._agreed_weight() < AGREED)
        told = (
            f"On {share:.0%} of the target rows less than two thirds of the weight "
            "agrees."
        )
        if self.n_labelled and len(names) > 1:
            return [told, compare_best(names, self.is_right)]
        if share:
            return [told, "rows_to_label names rows whose labels would tell most."]
        return [told]

    def _agreed_weight(self):
        """Return the weight of the class that most weight predicts, for each row."""
        codes = range(self.votes.max() + 1)
        shares = [self.weights @ (self.votes == code) for code in codes]
        return np.max(shares, axis=0)

    @staticmethod
    def fitted_attributes(domains):
        """Return what a fitted combination knows of y, by name."""
        return domains.targets.fitted_attributes()

    @staticmethod
    def to_label(answers, weights, fitted):
        """Return the answers by whose disagreement rows are drawn.

        Parameters
        ----------
        answers : ndarray of shape (n_candidates, n_rows, n_outputs)
            For rows of the target.
        weights : ndarray of shape (n_candidates,)
            Of sum 1.
        fitted : AutoDANNClassifier or AutoDANNRegressor
            The combination.
        """
        votes = answers.argmax(axis=2)
        rows = np.arange(votes.shape[1])
        return ClassAnswers(rows, votes, weights, None, fitted.classes_)


def _depends_on_shift(candidate):
    """Whether it reads how the domains differ: not what learns the source as it is."""
    is_network = isinstance(candidate, DANNClassifier)
    return is_network or candidate.standardize not in (None, "source", "pooled")
