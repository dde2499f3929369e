"""The named scores of a fitted estimator that need no target labels."""

from functools import cached_property

from sklearn.base import is_regressor

from .._containers._labels import read_known_labels
from .._containers._responses import mean_and_scale, read_known_responses
from .._numbers import as_float
from ._distance import density_ratio
from ._fitted import reading
from ._probabilities import infomax_score, neg_entropy_score, nuclear_norm_score
from ._risk import deep_embedded_risk, importance_weighted_risk


class TargetEvaluation:
    """What the scores of one fitted estimator are computed from.

    Each part is computed when it is first asked for, and once: several scores share the
    predictions and the density ratio, which cost most.

    Parameters
    ----------
    estimator : fitted classifier or regressor
        With ``predict_proba`` if a classifier; for the risks also ``transform``.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Held-out source rows.
    y : array-like of shape (n_samples,)
        Their labels.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows.
    sample_weight_tgt : ndarray of shape (n_target,) or None, default=None
        How often each of them counts.
    scale : ndarray of shape (n_outputs,) or None, default=None
        Deviation of y by which errors of numbers are divided; None is that of ``y``.
    """

    def __init__(self, estimator, X, y, X_tgt, sample_weight_tgt=None, scale=None):
        self.estimator = estimator
        self.X = X
        self.has_numbers = is_regressor(estimator)
        read = read_known_responses if self.has_numbers else read_known_labels
        self.y = read(y, "y")
        self.scale = scale
        self.X_tgt = X_tgt
        self.sample_weight_tgt = sample_weight_tgt

    @cached_property
    def predictions(self):
        """Of the target rows, shape (n_target,) or (n_target, n_outputs)."""
        return self.estimator.predict(self.X_tgt)

    @cached_property
    def probabilities(self):
        """Of the target rows, shape (n_target, n_classes)."""
        if self.has_numbers:
            raise ValueError(
                "'infomax', 'nuclear_norm' and 'neg_entropy' are of probabilities of "
                f"classes. For a regressor use one of {list(OF_FEATURES)}."
            )
        return self.estimator.predict_proba(self.X_tgt)

    @cached_property
    def errors(self):
        """1 for each source row that is predicted wrongly, else 0.

        Of numbers the squared error, in variances of y, the mean over the outputs.
        """
        predicted = self.on_source.predict(self.X)
        if not self.has_numbers:
            return (predicted != self.y).astype(float)
        predicted, y = (v.reshape(len(v), -1) for v in (predicted, self.y))
        if predicted.shape != y.shape:
            raise ValueError(
                f"y has {y.shape[1]} numbers for each row, but "
                f"{type(self.estimator).__name__} predicts {predicted.shape[1]}."
            )
        scale = mean_and_scale(y)[1] if self.scale is None else self.scale
        return (((predicted - y) / scale) ** 2).mean(axis=1)

    @cached_property
    def on_source(self):
        """The estimator, for rows of the source."""
        return reading(self.estimator, "source")

    @cached_property
    def weights(self):
        """Density ratio of target to source at the source rows, in feature space."""
        if not hasattr(self.estimator, "transform"):
            of_classes = [name for name in SCORES if name not in OF_FEATURES]
            instead = "" if self.has_numbers else f" Use one of {of_classes}."
            raise ValueError(
                f"{type(self.estimator).__name__} has no transform, and so no features "
                f"to compare the domains in.{instead}"
            )
        features = self.on_source.transform(self.X)
        features_tgt = self.estimator.transform(self.X_tgt)
        return density_ratio(
            features, features_tgt, sample_weight_tgt=self.sample_weight_tgt
        )


def check_score(value, name="scoring"):
    """Return what a scorer returned as a float, or raise ValueError if it is no number.

    Parameters
    ----------
    value : object
        What it returned. NaN and infinity are numbers here: whoever chooses by scores
        has to pass them over.
    name : str
        Of the scorer or of the score, for the error.
    """
    score = as_float(value)
    if score is None:
        raise ValueError(
            f"{name} returns {value!r} (a {type(value).__name__}); a score must be one "
            "real number, the higher the better."
        )
    return score


def _infomax(evaluation):
    return infomax_score(evaluation.probabilities, evaluation.sample_weight_tgt)


def _nuclear_norm(evaluation):
    return nuclear_norm_score(evaluation.probabilities, evaluation.sample_weight_tgt)


def _neg_entropy(evaluation):
    return neg_entropy_score(evaluation.probabilities, evaluation.sample_weight_tgt)


def _neg_iwv(evaluation):
    return -importance_weighted_risk(evaluation.errors, evaluation.weights)


def _neg_dev(evaluation):
    return -deep_embedded_risk(evaluation.errors, evaluation.weights)


def _neg_devn(evaluation):
    return -deep_embedded_risk(evaluation.errors, evaluation.weights, normalize=True)


# Those that need features, of which only a network has any.
OF_FEATURES = ("neg_iwv", "neg_dev", "neg_devn")

# The registry: parameter constraints, error messages and columns of ``cv_results_``
# follow it. Each function maps a TargetEvaluation to a number, the higher the better.
SCORES = {
    "infomax": _infomax,
    "nuclear_norm": _nuclear_norm,
    "neg_entropy": _neg_entropy,
    "neg_iwv": _neg_iwv,
    "neg_dev": _neg_dev,
    "neg_devn": _neg_devn,
}
