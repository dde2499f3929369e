"""Measure an adapted model and its source-only model, without target labels."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import (
    _safe_indexing,
    check_consistent_length,
    check_random_state,
)
from sklearn.utils.validation import _num_samples

from ..._containers._tables import as_indexable
from ..._containers._weights import read_weight_if_given
from ..._data._target_rows import TargetRows
from ..._domain_aware import DOMAINS
from ..._pipelines import resolve_search
from ...metrics import proxy_a_distance
from ...model_selection._comparison import compare_with_source_only, fitted_network
from .._alignment import AlignmentDisplay
from .._column_shift import column_shift
from .._fitted import features, network_input, of_each_domain, some_rows
from ._class_measures import ClassMeasures
from ._measures import saw_target
from ._number_measures import NumberMeasures
from ._simple_models import flat, gather

# Rows of each domain that the distances are measured on.
_MAX_ROWS = 2000

# Columns of wider tables are words or pixels: one by one they tell nothing.
_MAX_COLUMNS = 1000


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
    network = fitted_network(estimator)
    kind = NumberMeasures if is_regressor(network) else ClassMeasures
    rng = check_random_state(random_state)
    X_src, y_src = as_indexable(X_src, "X_src"), kind.read_y(y_src)
    check_consistent_length(X_src, y_src)
    sample_weight = read_weight_if_given(sample_weight, X_src)
    target = TargetRows.of(X_tgt, y_tgt, sample_weight_tgt)
    fit_params = {
        "sample_weight": sample_weight,
        "sample_weight_tgt": target.weight,
        "y_tgt": target.y,
        "groups": groups,
        "groups_tgt": target.take(groups_tgt, "groups_tgt"),
        **kind.fit_params(network),
    }
    given = {"fit_params": fit_params, "random_state": rng}
    history = list(network.history_)
    comparison = compare_with_source_only(
        estimator, X_src, y_src, target, adapts=saw_target(history), **given
    )
    networks = {"source only": comparison.whole_source_only, "adapted": estimator}
    evidence = gather(
        kind.of_evidence, comparison, estimator, X_src, y_src, target, **given
    )
    distances, alignment = _distances(networks, X_src, target.X, rng)
    of_y = kind.of_y(networks, y_src, target.X, evidence, rng)
    return kind(
        n_rows=(_num_samples(X_src), target.n_given),
        lambda_max=network.lambda_max,
        scores={name: comparison.scores[name] for name in kind.reported},
        distances=distances,
        alignment=alignment,
        history=history,
        source_only=comparison.whole_source_only,
        evidence=evidence,
        chance=_chance(network),
        column_shift=_column_shift(X_src, target.X, rng),
        **of_y,
    )


def _chance(network):
    """Return the share of the largest group: those of a domain share one half."""
    if not hasattr(network, "groups_"):
        return 0.5
    sides = network.groups_[:, 0].tolist()
    return 0.5 / min(sides.count(side) for side in DOMAINS)


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
        _first(model.predict(X))
        for model, X in zip(of_each_domain(adapted), rows, strict=True)
    ]
    return distances, AlignmentDisplay.from_views(
        of_networks, predicted, random_state=rng
    )


def _column_shift(X_src, X_tgt, rng):
    """Return how columns of the rows as they were given differ, or None."""
    rows = [_safe_indexing(X, some_rows(X, _MAX_ROWS, rng)) for X in (X_src, X_tgt)]
    shapes = [getattr(X, "shape", None) or np.shape(X) for X in rows]
    if any(len(shape) != 2 or shape[1] > _MAX_COLUMNS for shape in shapes):
        return None
    return column_shift(*rows, random_state=rng)


def _first(predicted):
    """Return what colors the rows: of several numbers the first."""
    return predicted if predicted.ndim == 1 else predicted[:, 0]
