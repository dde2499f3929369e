"""What candidates that predict numbers are compared by, on rows of the target."""

from dataclasses import dataclass, replace

import numpy as np

from .._containers._responses import (
    mean_and_scale,
    read_known_responses,
    read_responses,
)
from .._data._candidate_answers import NumberAnswers
from .._data._real_targets import RealTargets, read_real_targets
from ..metrics._agreement import concordance, mean_concordance, weights_of_numbers
from ..metrics._paired import compare_best_numbers
from ..metrics._sampling import spread_rows
from ..metrics._scorers import OF_FEATURES
from ._judged_rows import mean_answers, of_each_fold, set_scores


@dataclass(frozen=True)
class JudgedNumbers:
    """As :class:`JudgedRows`, of numbers.

    Attributes
    ----------
    n_given, rows, positions, row_weight
        As of :class:`JudgedRows`.
    values : ndarray of shape (n_judged, n_outputs)
        The known numbers in deviations, NaN elsewhere.
    targets : RealTargets
        By mean and scale of y in the source: answers and known numbers are brought to
        deviations, which half the bytes can hold.
    """

    n_given: int
    rows: np.ndarray
    positions: np.ndarray
    row_weight: np.ndarray | None
    values: np.ndarray
    targets: RealTargets

    scores = OF_FEATURES
    source_score = "source_r2"
    of_disagreement = "how far its predictions are from those, 1 less Lin's concordance"

    @staticmethod
    def has_labels(y_tgt):
        """Whether any number of the target is known."""
        return y_tgt is not None and not np.isnan(read_responses(y_tgt, "y_tgt")).all()

    @staticmethod
    def read_y(y):
        """Return y as an array of floats, none missing."""
        return read_known_responses(y, "y")

    @classmethod
    def of(cls, target, y, classes=None, *, for_choice=False):
        """Take the rows of a target; numbers count if they are for the choice."""
        if classes is not None:
            raise ValueError("classes are of a classifier; a regressor has none.")
        targets, of_source, known = read_real_targets(
            y, target.y, target.X, loss="squared_error"
        )
        mean, scale = mean_and_scale(of_source)
        targets = replace(targets, mean=mean, scale=scale)
        n_target = len(target.positions)
        values = np.full((n_target, targets.n_outputs), np.nan)
        if for_choice:
            values = targets.encode(known)
        labelled = np.flatnonzero(~np.isnan(values).any(axis=1))
        rows = np.union1d(spread_rows(n_target), labelled)
        return cls(
            n_given=target.n_given,
            rows=rows,
            positions=target.positions[rows],
            row_weight=None if target.weight is None else target.weight[rows],
            values=values[rows],
            targets=targets,
        )

    @property
    def scale(self):
        """Of y in the source, by which errors are divided."""
        return self.targets.scale

    def answers(self, evaluation, regressor):
        """Return the numbers predicted for the judged rows."""
        return self.targets.encode(evaluation.predictions[self.rows]).astype(np.float32)

    @property
    def answers_shape(self):
        """Shape of what :meth:`answers` returns."""
        return len(self.rows), self.targets.n_outputs

    def add_scores(self, outcomes):
        """Score each outcome by its agreement with the others, and by labels."""
        for done in of_each_fold(outcomes):
            answers = np.stack([o.answers for o in done]).astype(float)
            columns = {"ensemble_agreement": mean_concordance(answers, self.row_weight)}
            if self.is_labelled.any():
                columns["labelled_r2"] = 1 - self.squared_errors(answers).mean(axis=1)
            set_scores(done, columns)

    @property
    def is_labelled(self):
        """Which of the rows have a known number."""
        return ~np.isnan(self.values).any(axis=1)

    def squared_errors(self, answers):
        """Return those of candidates where numbers are known, (n_candidates, n)."""
        return ((answers - self.values)[:, self.is_labelled] ** 2).mean(axis=2)

    def explain(self, params, table):
        """Say what known numbers tell of the best two candidates; "" without any."""
        positions, means = mean_answers(table)
        if len(means) < 2 or not self.is_labelled.any():
            return ""
        errors = self.squared_errors(np.array(means, dtype=float))
        return compare_best_numbers([params[i] for i in positions], errors)

    def candidate_answers(self, table):
        """Return what candidates predict for the judged rows, and their weights."""
        _, means = mean_answers(table)
        answers = np.array(means, dtype=float)
        errors = self.squared_errors(answers)
        weights = weights_of_numbers(answers, errors, self.row_weight)
        return NumberAnswers(
            self.positions, answers, weights, self.row_weight, self.targets
        )

    def disagreement(self, table, i, j):
        """Return how far two candidates are from predicting the same, in [0, 2]."""
        of_both = [[o for fold in table[k] for o in fold] for k in (i, j)]
        if any(outcome.error for fits in of_both for outcome in fits):
            return 1.0
        means = (np.mean([o.answers for o in fits], axis=0) for fits in of_both)
        return 1 - concordance(*(m.astype(float) for m in means), self.row_weight)
