"""The target rows by which the candidates of a search are compared.

What y is decides what candidates answer for them, and how answers are compared:
:class:`JudgedRows` is of classes, :class:`JudgedNumbers` has the same members.
"""

from dataclasses import dataclass

import numpy as np

from .._data._candidate_answers import ClassAnswers
from .._data._targets import UNLABELLED, read_class_targets, read_source_labels
from ..metrics._agreement import combination_weights, log_posterior
from ..metrics._paired import compare_best
from ..metrics._probabilities import ensemble_agreement_score
from ..metrics._sampling import spread_rows
from ..metrics._scorers import SCORES


@dataclass(frozen=True)
class JudgedRows:
    """Evenly spaced rows of the target, and all whose labels decide the choice.

    Attributes
    ----------
    n_given : int
        Rows of the target, those of weight 0 among them.
    rows : ndarray of int of shape (n_judged,)
        Positions among the rows of positive weight, increasing.
    positions : ndarray of int of shape (n_judged,)
        Positions in the target.
    row_weight : ndarray of shape (n_judged,) or None
        How often each counts.
    codes : ndarray of int of shape (n_judged,)
        Positions of the known labels among the classes; ``UNLABELLED`` elsewhere.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.
    """

    n_given: int
    rows: np.ndarray
    positions: np.ndarray
    row_weight: np.ndarray | None
    codes: np.ndarray
    classes: np.ndarray

    # Scores of one candidate by itself, and the one of labelled source rows.
    scores = tuple(SCORES)
    source_score = "source_accuracy"
    scale = None  # classes have none

    # What the shares in a warning of scores that disagree are.
    of_disagreement = "for how many rows of the target it predicts another class"

    read_y = staticmethod(read_source_labels)

    @staticmethod
    def has_labels(y_tgt):
        """Whether there are labels of the target, though none may be known."""
        return y_tgt is not None

    @classmethod
    def of(cls, target, y, classes=None, *, for_choice=False):
        """Take the rows of a target; labels count if they are there for the choice."""
        targets, _, codes = read_class_targets(y, target.y, target.X, classes=classes)
        n_target = len(target.positions)
        if codes is None or not for_choice:
            codes = np.full(n_target, UNLABELLED)
        labelled = np.flatnonzero(codes != UNLABELLED)
        rows = np.union1d(spread_rows(n_target), labelled)
        return cls(
            n_given=target.n_given,
            rows=rows,
            positions=target.positions[rows],
            row_weight=None if target.weight is None else target.weight[rows],
            codes=codes[rows],
            classes=targets.classes,
        )

    def answers(self, evaluation, classifier):
        """Return probabilities of the judged rows, a column for each of all labels.

        Parameters
        ----------
        evaluation : TargetEvaluation
            Of a candidate.
        classifier : fitted classifier
            The candidate; a fold may lack a class.
        """
        P = evaluation.probabilities
        of_all = np.zeros((len(self.rows), len(self.classes)), dtype=np.float32)
        with np.errstate(under="ignore"):  # of what is almost 0
            known = np.searchsorted(self.classes, classifier.classes_)
            of_all[:, known] = P[self.rows]
        return of_all

    @property
    def answers_shape(self):
        """Shape of what :meth:`answers` returns."""
        return len(self.rows), len(self.classes)

    @property
    def is_labelled(self):
        """Which of the rows have a label."""
        return self.codes != UNLABELLED

    def is_right(self, votes):
        """Return whether candidates are right on the labelled rows.

        Parameters
        ----------
        votes : ndarray of int of shape (n_candidates, n_judged)
            Classes that they predict.

        Returns
        -------
        ndarray of bool of shape (n_candidates, n_labelled)
        """
        return (votes == self.codes)[:, self.is_labelled]

    def add_scores(self, outcomes):
        """Score each outcome by its agreement with others on its fold, and by labels.

        Parameters
        ----------
        outcomes : list of Outcome
            Of all fits.
        """
        for done in of_each_fold(outcomes):
            answers = [o.answers for o in done]
            votes = np.stack([P.argmax(axis=1) for P in answers])
            is_right = self.is_right(votes)
            n_right = is_right.sum(axis=1)
            columns = {
                "ensemble_agreement": ensemble_agreement_score(
                    answers, self.row_weight
                ),
                "log_posterior": log_posterior(votes, n_right, self.row_weight),
            }
            if is_right.shape[1]:
                columns["labelled_accuracy"] = is_right.mean(axis=1)
            set_scores(done, columns)

    def explain(self, params, table):
        """Say what the labels tell of the best two candidates; "" without labels."""
        positions, votes = self._votes(table)
        if len(votes) < 2 or not self.is_labelled.any():
            return ""
        return compare_best([params[i] for i in positions], self.is_right(votes))

    def candidate_answers(self, table):
        """Return what candidates predict for the judged rows, and their weights."""
        _, votes = self._votes(table)
        n_right = self.is_right(votes).sum(axis=1)
        weights = combination_weights(votes, n_right, self.row_weight)
        return ClassAnswers(
            self.positions, votes, weights, self.row_weight, self.classes
        )

    def _votes(self, table):
        """Return who was fitted each time, and the classes that each predicts."""
        positions, means = mean_answers(table)
        return positions, np.array([P.argmax(axis=1) for P in means])

    def disagreement(self, table, i, j):
        """Return the share of rows for which two candidates predict other classes."""
        return np.mean(predicted_classes(table[i]) != predicted_classes(table[j]))


def of_each_fold(outcomes):
    """Yield the outcomes without an error, fold after fold."""
    for fold in {outcome.fold for outcome in outcomes}:
        done = [o for o in outcomes if o.fold == fold and o.error is None]
        if done:
            yield done


def set_scores(outcomes, columns):
    """Add scores, by name, to outcomes, which they come in the order of."""
    for name, values in columns.items():
        for outcome, value in zip(outcomes, np.asarray(values).tolist(), strict=True):
            outcome.test_scores[name] = value


def mean_answers(table):
    """Return which candidates were fitted each time, and what each answers.

    Parameters
    ----------
    table : list of list of list of Outcome
        Candidates, folds, seeds.

    Returns
    -------
    positions : list of int
        Of the candidates.
    means : list of ndarray of shape (n_judged, n_outputs)
        Of the answers of all fits of a candidate.
    """
    of_each = [[o for fold in folds for o in fold] for folds in table]
    positions = [i for i, fits in enumerate(of_each) if not any(o.error for o in fits)]
    return positions, [
        np.mean([o.answers for o in of_each[i]], axis=0) for i in positions
    ]


def predicted_classes(folds):
    """Return the classes that a candidate predicts, fit after fit; -1 if one failed."""
    fits = [outcome for fold in folds for outcome in fold]
    n_rows = max((len(o.answers) for o in fits if o.error is None), default=0)
    return np.concatenate(
        [np.full(n_rows, -1) if o.error else o.answers.argmax(axis=1) for o in fits]
    )
