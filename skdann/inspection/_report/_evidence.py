"""What models predict for the same rows, and how far that makes them agree."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from ...metrics._agreement import combination_weights, mean_agreement, pairwise_kappa
from ...metrics._target_accuracy import accuracy_estimates

# Names of the simple models. Sparse rows stay as they are: they have no "by domain".
LINEAR = "logistic regression"
LINEAR_BY_DOMAIN = "logistic regression by domain"
FOREST = "random forest"
FOREST_BY_DOMAIN = "random forest by domain"

# Samples of the target's rows that the interval of a change is taken from.
_N_DRAWS = 200


@dataclass(frozen=True)
class Change:
    """A figure of the adapted model less that of the source-only model.

    Attributes
    ----------
    value : float
        The change.
    low, high : float
        Interval of 90%, by the bootstrap over target rows.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """Probabilities that all models predict: the networks and the simple models.

    Each was trained twice: on the whole source, and on a part of it, so that there are
    source rows to score and to calibrate it by.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.
    target : dict of str to ndarray of shape (n, n_classes)
        Of target rows, by the models that learned the whole source: the networks
        "source only" and "adapted", then the simple models, by name.
    part_source, part_target : dict of str to ndarray of shape (n, n_classes)
        Of held-out source rows and of target rows, by those that learned a part.
    codes : ndarray of int of shape (n_held_out,)
        Classes of the held-out rows, as positions.
    source_proportions : ndarray of shape (n_classes,)
        Of the classes in the whole source.
    rows : ndarray of int of shape (n,)
        Positions of the target rows in X_tgt.
    is_labelled : ndarray of bool of shape (n,)
        Whether their labels are known.
    """

    classes: np.ndarray
    target: dict[str, np.ndarray]
    part_source: dict[str, np.ndarray]
    part_target: dict[str, np.ndarray]
    codes: np.ndarray
    source_proportions: np.ndarray
    rows: np.ndarray
    is_labelled: np.ndarray

    @property
    def names(self):
        """Of all models: both networks, then the simple ones."""
        return list(self.target)

    @property
    def simple(self):
        """Names of the simple models."""
        return self.names[2:]

    @property
    def witness(self):
        """Name of the model that is least like a network."""
        return FOREST_BY_DOMAIN if FOREST_BY_DOMAIN in self.target else FOREST

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

    @property
    def best_simple(self):
        """Name of the simple model that agrees best with all others."""
        return max(self.simple, key=lambda name: self.models[name]["agreement"])

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

    @property
    def kappa_with_witness(self):
        """Cohen's kappa of the source-only and the adapted model with the witness."""
        return _kappas(self._votes_of_networks_and(self.witness))

    @cached_property
    def change_of_kappa(self):
        """How adapting changed the agreement with the witness, a Change."""
        return self.change_of_kappa_with(self.witness)

    def change_of_kappa_with(self, name):
        """Return how adapting changed the agreement with a simple model, a Change."""
        votes, n = self._votes_of_networks_and(name), len(self.rows)
        rng = np.random.default_rng(0)  # the same report, the same interval
        drawn = [
            np.diff(_kappas(votes[:, rng.integers(n, size=n)])) for _ in range(_N_DRAWS)
        ]
        low, high = np.quantile(drawn, [0.05, 0.95]).tolist()
        return Change(float(np.diff(_kappas(votes))[0]), low, high)

    def _votes_of_networks_and(self, name):
        return self.votes[[0, 1, self.names.index(name)]]


def _kappas(votes):
    """Return the agreement of the first two with the third."""
    return tuple(pairwise_kappa(votes)[:2, 2].tolist())


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
