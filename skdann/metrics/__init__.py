"""Scores of a model on an unlabelled target, and distances between domains."""

from ._distance import density_ratio, proxy_a_distance
from ._probabilities import (
    ensemble_agreement_score,
    infomax_score,
    neg_entropy_score,
    nuclear_norm_score,
)
from ._risk import deep_embedded_risk, importance_weighted_risk

__all__ = [
    "deep_embedded_risk",
    "density_ratio",
    "ensemble_agreement_score",
    "importance_weighted_risk",
    "infomax_score",
    "neg_entropy_score",
    "nuclear_norm_score",
    "proxy_a_distance",
]
