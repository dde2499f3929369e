"""Measure an adapted model and its source-only model, without target labels."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import (
    _safe_indexing,
    check_consistent_length,
    check_random_state,
)
from sklearn.utils.validation import _num_samples

from ..._containers._tables import as_indexable
from ..._containers._weights import read_weight_if_given
from ..._data._target_rows import TargetRows
from ..._data._targets import read_source_labels
from ..._domain_aware import DOMAINS
from ..._pipelines import resolve_search
from ...metrics import proxy_a_distance
from ...model_selection._comparison import compare_with_source_only, fitted_classifier
from .._alignment import AlignmentDisplay
from .._fitted import features, network_input, of_each_domain, some_rows
from ._class_proportions import ClassProportions, class_proportions
from ._evidence import Evidence
from ._simple_models import flat, gather

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
    distances : dict of str to float
        Proxy A-distance in the "input", in the features of the source-only model
        ("source only") and of the adapted one ("adapted").
    proportions : dict of str to ndarray of shape (n_classes,)
        Of the classes in the "source", as predicted for the target by the source-only
        model ("source only") and the adapted one ("adapted"), and "estimated".
    class_proportions : ClassProportions
        The estimate, with its interval.
    alignment : AlignmentDisplay
        Features of both models, not plotted.
    history : list of dict
        Of the adapted model.
    source_only : fitted estimator
        The source-only model: the same estimator with ``lambda_max=0``.
    evidence : Evidence
        What both and the simple models predict.
    chance : float
        Domain accuracy of whoever always answers the same.
    """

    n_rows: tuple[int, int]
    lambda_max: float
    classes: np.ndarray
    scores: dict[str, tuple[float, float]]
    distances: dict[str, float]
    proportions: dict[str, np.ndarray]
    class_proportions: ClassProportions
    alignment: AlignmentDisplay
    history: list
    source_only: object
    evidence: Evidence
    chance: float = 0.5

    @property
    def agreement(self):
        """Share of target rows for which both models predict the same."""
        return self.evidence.models["source only"]["same_prediction"]

    @property
    def saw_target(self):
        """Whether the model was fitted with target rows."""
        return _saw_target(self.history)

    def history_of(self, name):
        """Return a column of the history, without the epochs that lack it."""
        return np.array([epoch[name] for epoch in self.history if name in epoch])


def measure(
    estimator,
    X_src,
    y_src,
    X_tgt,
    *,
    sample_weight,
    sample_weight_tgt,
    y_tgt,
    groups,
    groups_tgt,
    random_state,
):
    """Return the :class:`Measures` of a fitted estimator.

    Parameters are those of :func:`skdann.inspection.adaptation_report`.
    """
    estimator = resolve_search(estimator)
    classifier = fitted_classifier(estimator)
    rng = check_random_state(random_state)
    X_src, y_src = as_indexable(X_src, "X_src"), read_source_labels(y_src)
    check_consistent_length(X_src, y_src)
    sample_weight = read_weight_if_given(sample_weight, X_src)
    target = TargetRows.of(X_tgt, y_tgt, sample_weight_tgt)
    fit_params = {
        "sample_weight": sample_weight,
        "sample_weight_tgt": target.weight,
        "y_tgt": target.y,
        "groups": groups,
        "groups_tgt": target.take(groups_tgt, "groups_tgt"),
        "classes": classifier.classes_,
    }
    given = {"fit_params": fit_params, "random_state": rng}
    history = list(classifier.history_)
    comparison = compare_with_source_only(
        estimator, X_src, y_src, target, adapts=_saw_target(history), **given
    )
    networks = {"source only": comparison.whole_source_only, "adapted": estimator}
    evidence = gather(comparison, estimator, X_src, y_src, target, **given)
    estimated = class_proportions(evidence)
    distances, alignment = _distances(networks, X_src, target.X, rng)
    return Measures(
        n_rows=(_num_samples(X_src), target.n_given),
        lambda_max=classifier.lambda_max,
        classes=classifier.classes_,
        scores={name: comparison.scores[name] for name in REPORTED_SCORES},
        distances=distances,
        proportions=_proportions(networks, y_src, target.X, estimated.estimate, rng),
        class_proportions=estimated,
        alignment=alignment,
        history=history,
        source_only=comparison.whole_source_only,
        evidence=evidence,
        chance=_chance(classifier),
    )


def _chance(classifier):
    """Return the share of the largest group: those of a domain share one half."""
    if not hasattr(classifier, "groups_"):
        return 0.5
    sides = classifier.groups_[:, 0].tolist()
    return 0.5 / min(sides.count(side) for side in DOMAINS)


def _saw_target(history):
    return any("domain_accuracy" in epoch for epoch in history)


def _distances(networks, X_src, X_tgt, rng):
    """Return distances of the domains, and features of both networks."""
    rows = [_safe_indexing(X, some_rows(X, _MAX_ROWS, rng)) for X in (X_src, X_tgt)]
    adapted = networks["adapted"]
    of_networks = {name: features(model, rows) for name, model in networks.items()}
    inputs = [flat(network_input(adapted, X)) for X in rows]
    distances = {
        name: proxy_a_distance(*view, random_state=rng)
        for name, view in {"input": inputs, **of_networks}.items()
    }
    predicted = [
        model.predict(X) for model, X in zip(of_each_domain(adapted), rows, strict=True)
    ]
    return distances, AlignmentDisplay.from_views(
        of_networks, predicted, random_state=rng
    )


def _proportions(models, y_src, X_tgt, estimated, rng):
    """Return the proportions of the classes, as :class:`Measures` has them."""
    classes = models["adapted"].classes_

    def shares(labels):
        codes = np.searchsorted(classes, labels)
        return np.bincount(codes, minlength=len(classes)) / len(codes)

    X_tgt = _safe_indexing(X_tgt, some_rows(X_tgt, _MAX_ROWS, rng))
    predicted = {name: shares(model.predict(X_tgt)) for name, model in models.items()}
    return {"source": shares(y_src), **predicted, "estimated": estimated}
