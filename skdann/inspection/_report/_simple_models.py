"""Fit what an adapted model is compared with: simple models, of unlike kinds."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ..._baseline import BaselineClassifier
from ..._data._groups import if_used
from ..._data._targets import UNLABELLED, encode_known_labels
from ..._pipelines import Preprocessing
from .._fitted import of_each_domain, some_rows
from ._evidence import FOREST, FOREST_BY_DOMAIN, LINEAR, LINEAR_BY_DOMAIN, Evidence

N_TREES = 200

# Target rows that the models are compared on.
_MAX_ROWS = 10_000


def gather(comparison, estimator, X, y, target, *, fit_params, random_state):
    """Return what all models predict for held-out source rows and for the target.

    The simple models learn what the networks do, as the preprocessing of these returns
    it: once a part of the source, once the whole.

    Parameters
    ----------
    comparison : Comparison
        Networks that were trained on a part of the source.
    estimator : fitted estimator
        The adapted model, trained on the whole source.
    X, y : array-like
        The source.
    target : TargetRows
        The target.
    fit_params : dict
        What ``fit`` gets besides.
    random_state : RandomState
        Decides the trees, and which rows are drawn.

    Returns
    -------
    Evidence
    """
    seed = random_state.randint(2**31 - 1)
    rows = some_rows(target.X, _MAX_ROWS, random_state)
    data = _Data(X, y, target.X, fit_params, comparison.test, rows)
    everything = np.arange(_num_samples(X))
    of_part = data.predict(
        comparison.source_only, comparison.adapted, comparison.train, seed
    )
    of_whole = data.predict(comparison.whole_source_only, estimator, everything, seed)
    classes = comparison.adapted.classes_
    codes = np.searchsorted(classes, y)
    return Evidence(
        classes=classes,
        target={name: P for name, (_, P) in of_whole.items()},
        part_source={name: P for name, (P, _) in of_part.items()},
        part_target={name: P for name, (_, P) in of_part.items()},
        codes=codes[comparison.test],
        source_proportions=np.bincount(codes, minlength=len(classes)) / len(codes),
        rows=target.positions[rows],
        is_labelled=_is_labelled(target, classes)[rows],
    )


@dataclass(frozen=True)
class _Data:
    """The rows that models are trained on, and those that they predict."""

    X: object
    y: object
    X_tgt: object
    fit_params: dict
    held_out: np.ndarray
    rows_tgt: np.ndarray

    def predict(self, source_only, adapted, train, seed):
        """Train simple models; return probabilities of both domains, by name."""
        raw = self.X, self.X_tgt
        learned, preprocessing = self._learned_rows(adapted, train)
        X, X_tgt = (flat(preprocessing.transform(A)) for A in raw)
        weight = self.fit_params["sample_weight"]
        if weight is not None:
            weight = _safe_indexing(weight, train)
        simple = _simple_models(sparse.issparse(X), seed)
        given = if_used(self.fit_params, simple.values())
        given = {**given, "sample_weight": weight}
        for model in simple.values():
            model.fit(
                *learned,
                X_tgt,
                **given,
            )
        networks = {"source only": source_only, "adapted": adapted}
        return {
            **{name: self._probabilities(m, *raw) for name, m in networks.items()},
            **{name: self._probabilities(m, X, X_tgt) for name, m in simple.items()},
        }

    def _learned_rows(self, adapted, train):
        """Return rows and labels as a network learned them, and its preprocessing.

        Samplers keep nothing of their rows: with one, all is fitted again.
        """
        X, y = (_safe_indexing(data, train) for data in (self.X, self.y))
        preprocessing = Preprocessing(adapted)
        if preprocessing.samplers:
            preprocessing = Preprocessing(clone(adapted))
            X, y = preprocessing.fit(X, y)
        else:
            X = preprocessing.transform(X)
        return (flat(X), y), preprocessing

    def _probabilities(self, model, X, X_tgt):
        on_source, on_target = of_each_domain(model)
        return (
            on_source.predict_proba(_safe_indexing(X, self.held_out)),
            on_target.predict_proba(_safe_indexing(X_tgt, self.rows_tgt)),
        )


def _is_labelled(target, classes):
    """Return for which target rows ``y_tgt`` has a class, not the mark of unknown."""
    if target.y is None:
        return np.zeros(len(target.positions), dtype=bool)
    return encode_known_labels(target.y, target.X, classes) != UNLABELLED


def _simple_models(is_sparse, seed):
    """Return the simple models by name; rows that are sparse stay as they are."""
    forest = RandomForestClassifier(N_TREES, random_state=seed)
    if is_sparse:
        return {
            LINEAR: BaselineClassifier(standardize=None),
            FOREST: BaselineClassifier(forest, standardize=None),
        }
    return {
        LINEAR: BaselineClassifier(standardize="source"),
        LINEAR_BY_DOMAIN: BaselineClassifier(standardize="domain"),
        FOREST: BaselineClassifier(forest, standardize="source"),
        FOREST_BY_DOMAIN: BaselineClassifier(forest, standardize="domain"),
    }


def flat(X):
    """Return images as rows of numbers, as a linear classifier takes them."""
    return X.reshape(len(X), -1) if getattr(X, "ndim", 2) > 2 else X
