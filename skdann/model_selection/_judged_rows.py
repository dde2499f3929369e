"""The target rows by which the candidates of a search are compared."""

from dataclasses import dataclass

import numpy as np

from .._data._targets import UNLABELLED, read_class_targets
from ..metrics._agreement import log_posterior
from ..metrics._paired import compare_best
from ..metrics._sampling import evenly_spaced_rows


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

    @classmethod
    def of(cls, target, y, classes=None, *, for_choice=False):
        """Take the rows of a target; labels count if they are there for the choice."""
        targets, _, codes = read_class_targets(y, target.y, target.X, classes=classes)
        n_target = len(target.positions)
        if codes is None or not for_choice:
            codes = np.full(n_target, UNLABELLED)
        labelled = np.flatnonzero(codes != UNLABELLED)
        rows = np.union1d(evenly_spaced_rows(n_target), labelled)
        return cls(
            n_given=target.n_given,
            rows=rows,
            positions=target.positions[rows],
            row_weight=None if target.weight is None else target.weight[rows],
            codes=codes[rows],
            classes=targets.classes,
        )

    def probabilities(self, P, classes):
        """Return probabilities of the judged rows, a column for each of all labels.

        Parameters
        ----------
        P : ndarray of shape (n_target, n_known)
            Predicted for the target.
        classes : ndarray of shape (n_known,)
            What the model knows: a fold may lack a class.
        """
        of_all = np.zeros((len(self.rows), len(self.classes)), dtype=np.float32)
        with np.errstate(under="ignore"):  # of what is almost 0
            of_all[:, np.searchsorted(self.classes, classes)] = P[self.rows]
        return of_all

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
        for fold in {outcome.fold for outcome in outcomes}:
            done = [o for o in outcomes if o.fold == fold and o.error is None]
            if not done:
                continue
            votes = np.stack([o.probabilities.argmax(axis=1) for o in done])
            is_right = self.is_right(votes)
            n_right = is_right.sum(axis=1)
            columns = {"log_posterior": log_posterior(votes, n_right, self.row_weight)}
            if is_right.shape[1]:
                columns["labelled_accuracy"] = is_right.mean(axis=1)
            for name, values in columns.items():
                for outcome, value in zip(done, values.tolist(), strict=True):
                    outcome.test_scores[name] = value

    def explain(self, params, votes):
        """Say what the labels tell of the best two candidates; "" without labels."""
        if len(votes) < 2 or not self.is_labelled.any():
            return ""
        return compare_best(params, self.is_right(votes))


def candidate_votes(table):
    """Return which candidates were fitted each time, and what each predicts.

    Parameters
    ----------
    table : list of list of list of Outcome
        Candidates, folds, seeds.

    Returns
    -------
    positions : list of int
        Of the candidates.
    votes : ndarray of int of shape (n_positions, n_judged)
        By the mean of the probabilities of all fits of a candidate.
    """
    of_each = [[o for fold in folds for o in fold] for folds in table]
    positions = [i for i, fits in enumerate(of_each) if not any(o.error for o in fits)]
    means = [np.mean([o.probabilities for o in of_each[i]], axis=0) for i in positions]
    return positions, np.array([P.argmax(axis=1) for P in means])
