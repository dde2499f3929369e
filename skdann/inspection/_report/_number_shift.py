"""Whether y has another mean in the target, as unlike simple models predict it."""

from dataclasses import dataclass

import numpy as np

from ._evidence import FOREST

# Samples of the rows that the least change is taken from.
_N_DRAWS = 200


@dataclass(frozen=True)
class NumberShift:
    """Changes of the mean from source to target, in deviations of y.

    Attributes
    ----------
    of_models : dict of str to ndarray of shape (n_outputs,)
        As a linear model and a random forest predict it.
    least : ndarray of shape (n_outputs,)
        What both exceed, in one direction, in 95% of the samples of rows; 0 if they
        do not agree.
    """

    of_models: dict[str, np.ndarray]
    least: np.ndarray

    @property
    def most(self):
        """The largest change that one of the models predicts."""
        return float(np.abs(list(self.of_models.values())).max())


def number_shift(evidence):
    """Estimate how the mean of y changes, from below: predictions vary less than y.

    Only models whose columns are all scaled as the source's are asked: those that scale
    each domain by itself see no change, whatever there is.

    Parameters
    ----------
    evidence : NumberEvidence
        What the models predict.

    Returns
    -------
    NumberShift
    """
    rng = np.random.default_rng(0)  # the same report, the same figure
    names = evidence.linear, FOREST
    drawn = np.stack(
        [
            [_change(evidence, name, _some(rng)) for name in names]
            for _ in range(_N_DRAWS)
        ]
    )
    agrees = np.sign(drawn[:, 0]) == np.sign(drawn[:, 1])
    least = np.where(agrees, np.abs(drawn).min(axis=1), 0)
    of_models = {name: _change(evidence, name, lambda rows: rows) for name in names}
    return NumberShift(of_models, np.quantile(least, 0.05, axis=0))


def _some(rng):
    """Return a function that draws as many rows, with replacement."""
    return lambda rows: rows[rng.integers(len(rows), size=len(rows))]


def _change(evidence, name, draw):
    before, after = (
        draw(predicted).mean(axis=0)
        for predicted in (evidence.part_source[name], evidence.part_target[name])
    )
    return (after - before) / evidence.scale
