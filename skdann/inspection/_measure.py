"""Everything about an adapted model that can be measured without target labels."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_random_state, indexable
from sklearn.utils.validation import _num_samples, check_is_fitted

from ..metrics import proxy_a_distance
from ..model_selection._evaluation import Fold, Task, evaluate
from ..model_selection._pipeline import classifier_prefix, join_pipeline, split_pipeline
from ._alignment import AlignmentDisplay
from ._fitted import network_input, some_rows
from ._proportions import calibrate, estimate_proportions

# Rows of each domain that the distances are measured on.
_MAX_ROWS = 2000

# Share of the source that both networks are scored on.
_TEST_SIZE = 0.2

SCORES = ("source_accuracy", "infomax", "reverse_validation")


@dataclass(frozen=True)
class Measures:
    """What is known of an adapted model and its source-only twin.

    Attributes
    ----------
    n_rows : (int, int)
        Of source and target.
    lambda_max : float
        Of the model.
    classes : ndarray of shape (n_classes,)
        The labels.
    scores : dict of str to (float, float)
        Of the twin and of the model, both trained again on a part of the source.
    agreement : float
        Share of target rows for which both of them predict the same.
    distances : dict of str to float
        Proxy A-distance in the "input", in the features of the twin ("source only")
        and of the model ("adapted").
    proportions : dict of str to ndarray of shape (n_classes,)
        Of the classes in the "source", as predicted for the target by the twin
        ("source only") and the model ("adapted"), and "estimated" from the model.
    alignment : AlignmentDisplay
        Features of the twin and of the model, not plotted.
    history : list of dict
        Of the model.
    twin : fitted estimator
        The same without adaptation.
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
    twin: object

    @property
    def saw_target(self):
        """Whether the model was fitted with target rows."""
        return _saw_target(self.history)

    def history_of(self, name):
        """Return a column of the history, as far as there is one."""
        return np.array([epoch[name] for epoch in self.history if name in epoch])


def measure(estimator, X_src, y_src, X_tgt, *, sample_weight, y_tgt, random_state):
    """Return the :class:`Measures` of a fitted estimator; its parameters are as there.

    Trains it and its twin again, each also in reverse.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    _, classifier = split_pipeline(estimator)
    check_is_fitted(classifier)
    rng = check_random_state(random_state)
    X_src, y_src, sample_weight = indexable(X_src, y_src, sample_weight)
    fold = _make_fold(X_src, y_src, X_tgt, sample_weight, y_tgt, rng)
    history = list(classifier.history_)
    adapted = _saw_target(history)
    pair, scores, agreement = _compare_with_twin(estimator, fold, adapted=adapted)

    rows = [_safe_indexing(X, some_rows(X, _MAX_ROWS, rng)) for X in (X_src, X_tgt)]
    views = {
        "input": [_flat(network_input(estimator, X)) for X in rows],
        "source only": [pair[0].transform(X) for X in rows],
        "adapted": [estimator.transform(X) for X in rows],
    }
    alignment = AlignmentDisplay.from_views(
        {name: views[name] for name in ("source only", "adapted")},
        [estimator.predict(X) for X in rows],
        random_state=rng,
    )
    return Measures(
        n_rows=(_num_samples(X_src), _num_samples(X_tgt)),
        lambda_max=classifier.lambda_max,
        classes=classifier.classes_,
        scores=scores,
        agreement=agreement,
        distances={
            name: proxy_a_distance(*view, random_state=rng)
            for name, view in views.items()
        },
        proportions=_proportions(estimator, pair, fold, rng),
        alignment=alignment,
        history=history,
        twin=pair[0],
    )


def _saw_target(history):
    return any("domain_accuracy" in epoch for epoch in history)


def _make_fold(X, y, X_tgt, sample_weight, y_tgt, rng):
    try:
        train, test = train_test_split(
            np.arange(len(y)), test_size=_TEST_SIZE, stratify=y, random_state=rng
        )
    except ValueError as error:
        rarest = np.unique(y, return_counts=True)[1].min()
        raise ValueError(
            "The report holds out a fifth of the source, rows of each class, but the "
            f"rarest class has {rarest} of {len(y)}. Leave it out and fit again, or "
            f"label more rows. ({error})"
        ) from error
    return Fold(X, y, X_tgt, train, test, sample_weight=sample_weight, y_tgt=y_tgt)


def _compare_with_twin(estimator, fold, *, adapted):
    """Train the twin and the model again; return them and what tells them apart.

    A model that was not ``adapted`` is not adapted here either.
    """
    pair = [clone(estimator), clone(estimator)]
    prefix = classifier_prefix(estimator)
    for one in pair:
        one.set_params(**{prefix + "verbose": 0})
    for one in pair[:1] if adapted else pair:
        one.set_params(**{prefix + "lambda_max": 0})
    task = Task(0, [(0, 0), (1, 0)], pair)
    outcomes = evaluate(
        task, fold, {}, reverse=True, score_train=False, max_stacked="auto"
    )
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    scores = {
        name: tuple(float(o.test_scores[name]) for o in outcomes) for name in SCORES
    }
    predicted = [o.probabilities.argmax(axis=1) for o in outcomes]
    preprocessing, _ = split_pipeline(pair[0])  # fitted once, for both
    pair = [join_pipeline(one, preprocessing, split_pipeline(one)[1]) for one in pair]
    return pair, scores, float(np.mean(predicted[0] == predicted[1]))


def _proportions(estimator, pair, fold, rng):
    """Return the proportions of the classes in the source and, four times, judged."""
    classes = estimator.classes_
    source = _shares(np.searchsorted(classes, fold.y), len(classes))
    X_tgt = _safe_indexing(fold.X_tgt, some_rows(fold.X_tgt, _MAX_ROWS, rng))
    counted = [
        _shares(np.searchsorted(classes, model.predict(X_tgt)), len(classes))
        for model in (pair[0], estimator)
    ]
    X_test, y_test = fold.rows(fold.test)
    known = source > 0  # y_tgt may have brought a class that the source lacks
    P = calibrate(
        pair[1].predict_proba(X_test)[:, known],
        np.searchsorted(classes[known], y_test),
        pair[1].predict_proba(X_tgt)[:, known],
    )
    estimated = np.zeros(len(classes))
    estimated[known] = estimate_proportions(P, source[known])
    return {
        "source": source,
        "source only": counted[0],
        "adapted": counted[1],
        "estimated": estimated,
    }


def _shares(codes, n_classes):
    return np.bincount(codes, minlength=n_classes) / len(codes)


def _flat(X):
    return X.reshape(len(X), -1) if getattr(X, "ndim", 2) > 2 else X
