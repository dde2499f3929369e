"""Compare an estimator with its source-only model, trained and scored on the same rows.

The report of :mod:`skdann.inspection` needs this of model selection; it imports nothing
else from there.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from ._candidates import set_source_only
from ._evaluation import Fold, Task, evaluate
from ._judged_rows import JudgedRows
from ._pipeline import check_estimator, classifier_prefix, join_pipeline, split_pipeline

# Share of the source that both models are scored on.
_TEST_SIZE = 0.2


@dataclass(frozen=True)
class Comparison:
    """The source-only and the adapted model, trained on the same part of the source.

    Attributes
    ----------
    source_only, adapted : fitted estimator
        They take raw rows.
    scores : dict of str to (float, float)
        Of both, by name, in that order.
    agreement : float
        Share of target rows for which both predict the same class.
    X_test, y_test : array-like
        The source rows that neither was trained on.
    """

    source_only: object
    adapted: object
    scores: dict[str, tuple[float, float]]
    agreement: float
    X_test: object
    y_test: object


def fitted_classifier(estimator):
    """Return the classifier of a fitted estimator, or raise that there is none.

    Parameters
    ----------
    estimator : fitted DANNClassifier or Pipeline that ends in one
    """
    check_estimator(estimator)
    _, classifier = split_pipeline(estimator)
    check_is_fitted(classifier)
    return classifier


def compare_with_source_only(
    estimator, X, y, X_tgt, *, sample_weight, y_tgt, adapts, random_state
):
    """Train an estimator with and without adaptation on four fifths of the source.

    Both are trained as the candidates of a search are: as one stack, and again in
    reverse for reverse validation.

    Parameters
    ----------
    estimator : DANNClassifier or Pipeline that ends in one
        Not modified.
    X, y : array-like
        The source.
    X_tgt : array-like
        The target.
    sample_weight, y_tgt : array-like or None
        As in :meth:`skdann.DANNClassifier.fit`.
    adapts : bool
        Whether the estimator was fitted with a target. If not, both models are trained
        without adaptation: the comparison must not adapt what the user did not.
    random_state : int, RandomState or None
        Decides which source rows are held out.

    Returns
    -------
    Comparison
    """
    train, test = _split(y, random_state)
    judged = JudgedRows.of(X_tgt, y, y_tgt)
    weights = {"sample_weight": sample_weight, "y_tgt": y_tgt}
    fold = Fold(X, y, X_tgt, train, test, judged, **weights)
    source_only, adapted = clone(estimator), clone(estimator)
    models = [set_source_only(source_only), adapted]
    if not adapts:
        set_source_only(adapted)
    for model in models:
        model.set_params(**{classifier_prefix(model) + "verbose": 0})
    task = Task(0, [(0, 0), (1, 0)], models)
    outcomes = evaluate(
        task, fold, {}, reverse=True, score_train=False, max_stacked="auto"
    )
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    before, after = (outcome.test_scores for outcome in outcomes)
    predicted = [outcome.probabilities.argmax(axis=1) for outcome in outcomes]
    preprocessing, _ = split_pipeline(source_only)  # fitted in the first, for both
    source_only, adapted = (
        join_pipeline(model, preprocessing, split_pipeline(model)[1])
        for model in models
    )
    X_test, y_test = fold.rows(test)
    return Comparison(
        source_only=source_only,
        adapted=adapted,
        scores={name: (float(before[name]), float(after[name])) for name in before},
        agreement=float(np.mean(predicted[0] == predicted[1])),
        X_test=X_test,
        y_test=y_test,
    )


def _split(y, random_state):
    try:
        return train_test_split(
            np.arange(len(y)),
            test_size=_TEST_SIZE,
            stratify=y,
            random_state=random_state,
        )
    except ValueError as error:
        rarest = np.unique(y, return_counts=True)[1].min()
        raise ValueError(
            "A fifth of the source is held out, rows of each class, but the rarest "
            f"class has {rarest} of {len(y)}. Leave it out and fit again, or label "
            f"more rows. ({error})"
        ) from error
