"""Measure an adapted model and its source-only model, without target labels."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import _safe_indexing, check_random_state, indexable
from sklearn.utils.validation import _num_samples

from ...metrics import proxy_a_distance
from ...metrics._proportions import calibrate, estimate_proportions
from ...model_selection._comparison import compare_with_source_only, fitted_classifier
from .._alignment import AlignmentDisplay
from .._fitted import features, network_input, of_each_domain, some_rows

# Rows of each domain that the distances are measured on.
_MAX_ROWS = 2000

REPORTED_SCORES = ("source_accuracy", "infomax", "reverse_validation")


@dataclass(frozen=True)
class Measures:
    """The figures of a report: of the adapted model and of its source-only model.

    Attributes
    ----------
    n_rows : (int, int)
        Of source and target.
    lambda_max : float
        Of the adapted model.
    classes : ndarray of shape (n_classes,)
        The labels.
    scores : dict of str to (float, float)
        Of the source-only and of the adapted model, both trained again on four fifths
        of the source.
    agreement : float
        Share of target rows for which these two predict the same.
    distances : dict of str to float
        Proxy A-distance in the "input", in the features of the source-only model
        ("source only") and of the adapted one ("adapted").
    proportions : dict of str to ndarray of shape (n_classes,)
        Of the classes in the "source", as predicted for the target by the source-only
        model ("source only") and the adapted one ("adapted"), and "estimated" from the
        adapted one.
    alignment : AlignmentDisplay
        Features of both models, not plotted.
    history : list of dict
        Of the adapted model.
    source_only : fitted estimator
        The source-only model: the same estimator with ``lambda_max=0``.
    """

    n_rows: tuple[int, int]
    lambda_max: float
    classes: np.ndarray
    scores: dict[str, tuple[float, float]]
    agreement: float
    distances: dict[str, float]
    proportions: dict[str, np.ndarray]
    alignment: AlignmentDisplay
    history: list
    source_only: object

    @property
    def saw_target(self):
        """Whether the model was fitted with target rows."""
        return _saw_target(self.history)

    def history_of(self, name):
        """Return a column of the history, without the epochs that lack it."""
        return np.array([epoch[name] for epoch in self.history if name in epoch])


def measure(estimator, X_src, y_src, X_tgt, *, sample_weight, y_tgt, random_state):
    """Return the :class:`Measures` of a fitted estimator.

    Parameters are those of :func:`skdann.inspection.adaptation_report`. Four networks
    are trained: the estimator and its source-only model, and both in reverse.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    classifier = fitted_classifier(estimator)
    rng = check_random_state(random_state)
    X_src, y_src, sample_weight = indexable(X_src, y_src, sample_weight)
    history = list(classifier.history_)
    comparison = compare_with_source_only(
        estimator,
        X_src,
        y_src,
        X_tgt,
        sample_weight=sample_weight,
        y_tgt=y_tgt,
        adapts=_saw_target(history),
        random_state=rng,
    )
    rows = [_safe_indexing(X, some_rows(X, _MAX_ROWS, rng)) for X in (X_src, X_tgt)]
    views = {
        "input": [_flat(network_input(estimator, X)) for X in rows],
        "source only": features(comparison.source_only, rows),
        "adapted": features(estimator, rows),
    }
    alignment = AlignmentDisplay.from_views(
        {name: views[name] for name in ("source only", "adapted")},
        [
            model.predict(X)
            for model, X in zip(of_each_domain(estimator), rows, strict=True)
        ],
        random_state=rng,
    )
    return Measures(
        n_rows=(_num_samples(X_src), _num_samples(X_tgt)),
        lambda_max=classifier.lambda_max,
        classes=classifier.classes_,
        scores={name: comparison.scores[name] for name in REPORTED_SCORES},
        agreement=comparison.agreement,
        distances={
            name: proxy_a_distance(*view, random_state=rng)
            for name, view in views.items()
        },
        proportions=_proportions(estimator, comparison, y_src, X_tgt, rng),
        alignment=alignment,
        history=history,
        source_only=comparison.source_only,
    )


def _saw_target(history):
    return any("domain_accuracy" in epoch for epoch in history)


def _proportions(estimator, comparison, y_src, X_tgt, rng):
    """Return the proportions of the classes, as :class:`Measures` has them."""
    classes = estimator.classes_
    source = _shares(np.searchsorted(classes, y_src), len(classes))
    X_tgt = _safe_indexing(X_tgt, some_rows(X_tgt, _MAX_ROWS, rng))
    predicted = [
        _shares(np.searchsorted(classes, model.predict(X_tgt)), len(classes))
        for model in (comparison.source_only, estimator)
    ]
    # The estimate needs calibrated probabilities, hence rows that were not trained on:
    # so it is made of the model that was trained on a part of the source.
    model = comparison.adapted
    known = source > 0  # y_tgt may have brought a class that the source lacks
    P = calibrate(
        of_each_domain(model)[0].predict_proba(comparison.X_test)[:, known],
        np.searchsorted(classes[known], comparison.y_test),
        model.predict_proba(X_tgt)[:, known],
    )
    estimated = np.zeros(len(classes))
    estimated[known] = estimate_proportions(P, source[known])
    return {
        "source": source,
        "source only": predicted[0],
        "adapted": predicted[1],
        "estimated": estimated,
    }


def _shares(codes, n_classes):
    return np.bincount(codes, minlength=n_classes) / len(codes)


def _flat(X):
    """Return images as rows of numbers, as a linear classifier takes them."""
    return X.reshape(len(X), -1) if getattr(X, "ndim", 2) > 2 else X
