"""Fit what an adapted model is compared with: simple models, of unlike kinds."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ..._data._groups import if_used
from ..._pipelines import Preprocessing, last_step
from .._fitted import of_each_domain, some_rows
from ._evidence import FOREST, by_domain

N_TREES = 200

# Target rows that the models are compared on.
_MAX_ROWS = 10_000


def gather(kind, comparison, estimator, X, y, target, *, fit_params, random_state):
    """Return what all models predict for held-out source rows and for the target.

    The simple models learn what the networks do, as the preprocessing of these returns
    it: once a part of the source, once the whole.

    Parameters
    ----------
    kind : type
        Of the evidence: of classes, or of numbers.
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
    data = _Data(kind, X, y, target.X, fit_params, comparison.test, rows)
    everything = np.arange(_num_samples(X))
    of_part = data.predict(
        comparison.source_only, comparison.adapted, comparison.train, seed
    )
    of_whole = data.predict(comparison.whole_source_only, estimator, everything, seed)
    network = last_step(comparison.adapted)
    is_labelled = np.zeros(len(target.positions), dtype=bool)
    if target.y is not None:
        is_labelled = kind.is_known(target, network)
    return kind(
        target={name: answers for name, (_, answers) in of_whole.items()},
        part_source={name: answers for name, (answers, _) in of_part.items()},
        part_target={name: answers for name, (_, answers) in of_part.items()},
        rows=target.positions[rows],
        is_labelled=is_labelled[rows],
        **kind.of_y(y, comparison.test, network),
    )


@dataclass(frozen=True)
class _Data:
    """The rows that models are trained on, and those that they predict."""

    kind: type
    X: object
    y: object
    X_tgt: object
    fit_params: dict
    held_out: np.ndarray
    rows_tgt: np.ndarray

    def predict(self, source_only, adapted, train, seed):
        """Train simple models; return what all answer for both domains, by name."""
        raw = self.X, self.X_tgt
        learned, preprocessing = self._learned_rows(adapted, train)
        X, X_tgt = (flat(preprocessing.transform(A)) for A in raw)
        weight = self.fit_params["sample_weight"]
        if weight is not None:
            weight = _safe_indexing(weight, train)
        simple = self._simple_models(sparse.issparse(X), seed)
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
            **{name: self._answers(m, *raw) for name, m in networks.items()},
            **{name: self._answers(m, X, X_tgt) for name, m in simple.items()},
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

    def _answers(self, model, X, X_tgt):
        on_source, on_target = of_each_domain(model)
        return (
            self.kind.answers(on_source, _safe_indexing(X, self.held_out)),
            self.kind.answers(on_target, _safe_indexing(X_tgt, self.rows_tgt)),
        )

    def _simple_models(self, is_sparse, seed):
        """Return the simple models by name; rows that are sparse stay as they are."""
        baseline, linear = self.kind.baseline, self.kind.linear
        forest = self.kind.forest(N_TREES, random_state=seed)
        if is_sparse:
            return {
                linear: baseline(standardize=None),
                FOREST: baseline(forest, standardize=None),
            }
        return {
            linear: baseline(standardize="source"),
            by_domain(linear): baseline(standardize="domain"),
            FOREST: baseline(forest, standardize="source"),
            by_domain(FOREST): baseline(forest, standardize="domain"),
        }


def flat(X):
    """Return images as rows of numbers, as a linear classifier takes them."""
    return X.reshape(len(X), -1) if getattr(X, "ndim", 2) > 2 else X
