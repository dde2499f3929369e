"""Compare an estimator with its source-only model, trained and scored on the same rows.

The report of :mod:`skdann.inspection` needs this of model selection; it imports nothing
else from there.
"""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_step, last_step_prefix
from ._candidates import set_source_only
from ._check_estimator import OF_REPORTS, check_estimator
from ._evaluation import Fold, Task, train_and_score
from ._judged_numbers import JudgedNumbers
from ._judged_rows import JudgedRows

# Share of the source that both models are scored on.
_TEST_SIZE = 0.2


@dataclass(frozen=True)
class Comparison:
    """The source-only and the adapted model.

    Attributes
    ----------
    source_only, adapted : fitted estimator
        Trained on the same part of the source. They take raw rows.
    whole_source_only : fitted estimator
        Trained on the whole source, as the estimator was.
    scores : dict of str to (float, float)
        Of both, by name, in that order.
    train, test : ndarray of int
        Positions of the source rows that both were trained on, and of the others.
    """

    source_only: object
    adapted: object
    whole_source_only: object
    scores: dict[str, tuple[float, float]]
    train: np.ndarray
    test: np.ndarray


def fitted_network(estimator):
    """Return the network of a fitted estimator, or raise that there is none.

    Parameters
    ----------
    estimator : fitted DANNClassifier or DANNRegressor, or Pipeline that ends in one
    """
    check_estimator(estimator, OF_REPORTS)
    network = last_step(estimator)
    check_is_fitted(network)
    return network


def compare_with_source_only(
    estimator, X, y, target, *, fit_params, adapts, random_state
):
    """Train an estimator with and without adaptation on four fifths of the source.

    Both are trained as the candidates of a search are: as one stack, and again in
    reverse for reverse validation. The source-only model is also trained on the whole.

    Parameters
    ----------
    estimator : fitted DANNClassifier or DANNRegressor, or Pipeline that ends in one
        Not modified.
    X, y : array-like
        The source.
    target : TargetRows
        The target.
    fit_params : dict
        What ``fit`` gets besides.
    adapts : bool
        Whether the estimator was fitted with a target. If not, both models are trained
        without adaptation: the comparison must not adapt what the user did not.
    random_state : int, RandomState or None
        Decides which source rows are held out.

    Returns
    -------
    Comparison
    """
    kind = JudgedNumbers if is_regressor(last_step(estimator)) else JudgedRows
    train, test = _split(y, random_state, of_classes=kind is JudgedRows)
    judged = kind.of(target, y, fit_params.get("classes"))
    fold = Fold(X, y, target.X, train, test, judged, fit_params)
    models = [set_source_only(_quiet(estimator)), _quiet(estimator)]
    if not adapts:
        set_source_only(models[1])
    outcomes, (source_only, adapted) = _train(models, fold, reverse=True)
    before, after = (outcome.test_scores for outcome in outcomes)
    if adapts:
        fold = replace(fold, train=np.arange(len(y)))
        model = set_source_only(_quiet(estimator))
        _, [whole_source_only] = _train([model], fold, reverse=False)
    return Comparison(
        source_only=source_only,
        adapted=adapted,
        whole_source_only=whole_source_only if adapts else estimator,
        scores={name: (float(before[name]), float(after[name])) for name in before},
        train=train,
        test=test,
    )


def _quiet(estimator):
    """Return a clone that prints nothing."""
    model = clone(estimator)
    return model.set_params(**{last_step_prefix(model) + "verbose": 0})


def _train(models, fold, *, reverse):
    """Return outcomes and fitted estimators that take raw rows, or raise an error."""
    task = Task(0, [(i, 0) for i in range(len(models))], models)
    trained, outcomes = train_and_score(
        task, fold, {}, reverse=reverse, score_train=False, max_stacked="auto"
    )
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return outcomes, [trained.whole(i) for i in range(len(models))]


def _split(y, random_state, *, of_classes):
    try:
        return train_test_split(
            np.arange(len(y)),
            test_size=_TEST_SIZE,
            stratify=y if of_classes else None,
            random_state=random_state,
        )
    except ValueError as error:
        rarest = np.unique(y, return_counts=True)[1].min()
        raise ValueError(
            "A fifth of the source is held out, rows of each class, but the rarest "
            f"class has {rarest} of {len(y)}. Leave it out and fit again, or label "
            f"more rows. ({error})"
        ) from error
