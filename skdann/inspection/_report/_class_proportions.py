"""Class proportions of the target, with an interval over rows and models."""

from dataclasses import dataclass

import numpy as np

from ...metrics._proportions import calibrate, estimate_proportions, total_variation

# Estimates that the interval is taken from, each of so many target rows at most.
_N_DRAWS = 100
_MAX_ROWS = 1000

# Disagreement that makes an estimate unreliable.
_DIFFER = 0.07


@dataclass(frozen=True)
class ClassProportions:
    """An estimate by several models.

    Attributes
    ----------
    draws : ndarray of shape (n_draws, n_classes)
        Estimates by drawn rows and a drawn model.
    disagreement : float
        Mean total variation of a model's estimate from that of all.
    """

    draws: np.ndarray
    disagreement: float

    @property
    def is_reliable(self):
        """Whether all come to the same."""
        return self.disagreement <= _DIFFER

    @property
    def estimate(self):
        """Mean of the draws, shape (n_classes,)."""
        return self.draws.mean(axis=0)

    @property
    def interval(self):
        """Of 90%: two arrays of shape (n_classes,)."""
        return tuple(np.quantile(self.draws, [0.05, 0.95], axis=0))

    def least_variation(self, proportions):
        """Return the total variation from others that 95% of the draws exceed."""
        return float(
            np.quantile([total_variation(d, proportions) for d in self.draws], 0.05)
        )


def class_proportions(evidence):
    """Estimate the proportions of the target, each time in another way.

    A draw takes rows of both domains with replacement and one of the models, the
    likelier the better it agrees with the others; then it counts what the model
    predicts, or estimates by maximum likelihood. Where the domains also look different
    the first goes too little away from the source, the second too far.

    Parameters
    ----------
    evidence : ClassEvidence
        What the models predict.

    Returns
    -------
    ClassProportions
    """
    rng = np.random.default_rng(0)  # the same report, the same interval
    models = rng.choice(len(evidence.names), size=_N_DRAWS, p=evidence.weights)
    ways = np.arange(_N_DRAWS) % 2
    draws = np.stack(
        [
            (_count, _likeliest)[way](evidence, evidence.names[model], rng)
            for model, way in zip(models, ways, strict=True)
        ]
    )
    return ClassProportions(draws, _disagreement(draws, 2 * models + ways))


def _count(evidence, name, rng):
    predicted = evidence.part_target[name].argmax(axis=1)
    rows = rng.integers(len(predicted), size=len(predicted))
    return np.bincount(predicted[rows], minlength=len(evidence.classes)) / len(rows)


def _likeliest(evidence, name, rng):
    P_source, P_target = evidence.part_source[name], evidence.part_target[name]
    known = evidence.source_proportions > 0  # y_tgt may bring a class that it lacks
    held_out = rng.integers(len(P_source), size=len(P_source))
    rows = rng.integers(len(P_target), size=min(len(P_target), _MAX_ROWS))
    positions = np.cumsum(known) - 1
    P = calibrate(
        P_source[held_out][:, known],
        positions[evidence.codes[held_out]],
        P_target[rows][:, known],
    )
    proportions = np.zeros(len(known))
    proportions[known] = estimate_proportions(
        P, evidence.source_proportions[known], max_iter=200, tol=1e-4
    )
    return proportions


def _disagreement(draws, groups):
    """Return the mean total variation of a draw's group from the mean of all."""
    whole = draws.mean(axis=0)
    of_group = {
        group: total_variation(draws[groups == group].mean(axis=0), whole)
        for group in np.unique(groups)
    }
    return float(np.mean([of_group[group] for group in groups]))
