"""What a fitted classifier shows without target labels, and the scores made of it."""

from functools import cached_property

import numpy as np

from ._distance import density_ratio
from ._probabilities import infomax_score, neg_entropy_score, nuclear_norm_score
from ._risk import deep_embedded_risk, importance_weighted_risk

# Target rows that are looked at to compare networks with one another.
MAX_COMPARED = 2000


def some_positions(n_rows):
    """Return positions, evenly spread, of at most ``MAX_COMPARED`` rows."""
    return np.linspace(0, n_rows - 1, min(n_rows, MAX_COMPARED)).astype(int)


class Evidence:
    """What a fitted classifier shows without target labels, computed once.

    Parameters
    ----------
    estimator : fitted classifier
        With ``predict_proba``; for the risks also ``transform``.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Source rows that it was not fitted on.
    y : array-like of shape (n_samples,)
        Their labels.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows.
    """

    def __init__(self, estimator, X, y, X_tgt):
        self.estimator = estimator
        self.X = X
        self.y = np.asarray(y)
        self.X_tgt = X_tgt

    @cached_property
    def probabilities(self):
        """Of the target rows, shape (n_target, n_classes)."""
        return self.estimator.predict_proba(self.X_tgt)

    @cached_property
    def errors(self):
        """1 for each source row that is predicted wrongly, else 0."""
        return (self.estimator.predict(self.X) != self.y).astype(float)

    @cached_property
    def weights(self):
        """Density ratio of target to source at the source rows, in feature space."""
        if not hasattr(self.estimator, "transform"):
            raise ValueError(
                f"{type(self.estimator).__name__} has no transform, and so no features "
                "to compare the domains in. Use 'infomax', 'nuclear_norm' or "
                "'neg_entropy'."
            )
        features, features_tgt = map(self.estimator.transform, (self.X, self.X_tgt))
        return density_ratio(features, features_tgt)


SCORES = {
    "infomax": lambda seen: infomax_score(seen.probabilities),
    "nuclear_norm": lambda seen: nuclear_norm_score(seen.probabilities),
    "neg_entropy": lambda seen: neg_entropy_score(seen.probabilities),
    "neg_iwv": lambda seen: -importance_weighted_risk(seen.errors, seen.weights),
    "neg_dev": lambda seen: -deep_embedded_risk(seen.errors, seen.weights),
    "neg_devn": lambda seen: (
        -deep_embedded_risk(seen.errors, seen.weights, normalize=True)
    ),
}
