"""Train some candidates on a fold, together, and score each of them."""

import time
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
from sklearn.utils import _safe_indexing

from .._multi_fit import fit_many, validate_many
from .._training._sklearn_callbacks import NullFitTask, callback_data
from ..metrics._scorers import SCORES, Evidence, some_positions
from ._pipeline import fit_preprocessing, put_together, take_apart
from ._reverse_validation import reverse_scores


@dataclass(frozen=True)
class Task:
    """Candidates to train together on one fold; they share the preprocessing.

    Attributes
    ----------
    fold : int
        Which.
    members : list of (int, int)
        Positions of candidate and seed.
    estimators : list of estimator
        One for each member, not fitted.
    """

    fold: int
    members: list[tuple[int, int]]
    estimators: list


@dataclass(frozen=True)
class Fold:
    """The raw rows that candidates learn from and are scored on.

    Attributes
    ----------
    X, y : array-like
        The source, all of it.
    X_tgt : array-like
        The target, which is not divided.
    train, test : ndarray of int
        Rows of the source.
    sample_weight, y_tgt : array-like or None
        As in :meth:`skdann.DANNClassifier.fit`.
    """

    X: object
    y: object
    X_tgt: object
    train: np.ndarray
    test: np.ndarray
    sample_weight: object = None
    y_tgt: object = None

    def rows(self, index):
        """Return rows of the source and their labels."""
        return _safe_indexing(self.X, index), _safe_indexing(self.y, index)

    def training_weight(self):
        """Return the weights of the training rows, if there are any."""
        if self.sample_weight is None:
            return None
        return _safe_indexing(self.sample_weight, self.train)

    def seen(self):
        """Return what callbacks are told of the training rows, taken if they ask."""
        take = cache(
            lambda: callback_data(*self.rows(self.train), self.training_weight())
        )
        return {
            "X": lambda: take()["X"],
            "y": lambda: take()["y"],
            "metadata": lambda: take()["metadata"],
        }


@dataclass
class Outcome:
    """What became of one candidate, with one seed, on one fold.

    Attributes
    ----------
    fold, candidate, seed : int
        Which it is.
    test_scores, train_scores : dict of str to float
        By name.
    probabilities : ndarray of shape (n, n_classes), float32
        Of at most ``MAX_COMPARED`` rows of the target.
    fit_time, score_time : float
        Seconds; of a stack, an equal share.
    error : Exception or None
        Why there are no scores.
    """

    fold: int
    candidate: int
    seed: int
    test_scores: dict[str, float] = field(default_factory=dict)
    train_scores: dict[str, float] = field(default_factory=dict)
    probabilities: np.ndarray | None = None
    fit_time: float = 0.0
    score_time: float = 0.0
    error: Exception | None = None


def evaluate(task, fold, scorers, *, reverse, score_train, max_stacked, reports=None):
    """Train the members of a task on one fold and score them.

    Parameters
    ----------
    task : Task
        What to train.
    fold : Fold
        On which rows.
    scorers : dict of str to callable
        The user's, called with (estimator, X, y) on raw rows. The scores that need no
        target labels come besides.
    reverse : bool
        Whether to do reverse validation, which trains as many networks again.
    score_train : bool
        Whether the scorers see the training rows as well.
    max_stacked : int or "auto"
        Most networks in a stack.
    reports : list of FitTask or None, default=None
        Whom to tell of each member; None tells nobody.

    Returns
    -------
    list of Outcome
        One for each member.
    """
    reports = reports or [NullFitTask()] * len(task.members)
    told = fold.seen()
    for report in reports:
        report.begin(**told)
    outcomes = [Outcome(task.fold, *member) for member in task.members]
    trained = _train_timed(task, fold, outcomes, max_stacked)
    if reverse and trained is not None:
        _score_reverse(trained, outcomes, max_stacked)
    for i, (outcome, report) in enumerate(zip(outcomes, reports, strict=True)):
        if outcome.error is None:
            _score_timed(trained, i, outcome, fold, scorers, score_train)
        state = None if outcome.error else partial(_as_if_chosen, trained, i)
        report.end(**told, reconstruction_attributes=state)
    return outcomes


def _train_timed(task, fold, outcomes, max_stacked):
    """Train; return None if the preprocessing failed, which all have in common."""
    started = time.perf_counter()
    try:
        trained = _train(task, fold, max_stacked)
    except Exception as error:
        for outcome in outcomes:
            outcome.error = error
        return None
    fit_time = (time.perf_counter() - started) / len(outcomes)
    for outcome, error in zip(outcomes, trained.errors, strict=True):
        outcome.fit_time, outcome.error = fit_time, error
    return trained


def _score_timed(trained, i, outcome, fold, scorers, score_train):
    started = time.perf_counter()
    try:
        _score(trained, i, outcome, fold, scorers, score_train)
    except Exception as error:  # in a scorer, which may be the user's
        outcome.error = error
    outcome.score_time += time.perf_counter() - started


def _as_if_chosen(trained, i):
    """Return the attributes of a search that has chosen one of its candidates."""
    # with refit=False a search would refuse to predict, whatever it has chosen
    return {"best_estimator_": trained.whole(i), "refit": True}


@dataclass
class _Trained:
    """Classifiers, with the rows as their preprocessing returns them."""

    estimators: list
    preprocessing: object
    classifiers: list
    domains: list
    errors: list
    X_test: object
    y_test: object
    X_tgt: object

    def whole(self, i):
        """Return a fitted estimator that takes raw rows."""
        classifier = self.classifiers[i]
        return put_together(self.estimators[i], self.preprocessing, classifier)


def _train(task, fold, max_stacked):
    preprocessing, _ = take_apart(task.estimators[0])
    classifiers = [take_apart(estimator)[1] for estimator in task.estimators]
    X, y = fold.rows(fold.train)
    X_test, y_test = fold.rows(fold.test)
    X_tgt, weight = fold.X_tgt, fold.training_weight()
    if preprocessing is not None:
        X = fit_preprocessing(preprocessing, X, y, weight)
        X_test, X_tgt = map(preprocessing.transform, (X_test, X_tgt))
    domains = validate_many(
        classifiers, X, y, X_tgt, sample_weight=weight, y_tgt=fold.y_tgt
    )
    errors = fit_many(classifiers, domains, max_stacked=max_stacked)
    return _Trained(
        task.estimators,
        preprocessing,
        classifiers,
        domains,
        errors,
        X_test,
        y_test,
        X_tgt,
    )


def _score_reverse(trained, outcomes, max_stacked):
    started = time.perf_counter()
    fine = [i for i, outcome in enumerate(outcomes) if outcome.error is None]
    scores = reverse_scores(
        [trained.classifiers[i] for i in fine],
        [trained.domains[i] for i in fine],
        trained.X_test,
        trained.y_test,
        max_stacked=max_stacked,
    )
    score_time = (time.perf_counter() - started) / max(1, len(fine))
    for i, (score, error) in zip(fine, scores, strict=True):
        outcomes[i].test_scores["reverse_validation"] = score
        outcomes[i].score_time += score_time
        outcomes[i].error = error


def _score(trained, i, outcome, fold, scorers, score_train):
    classifier = trained.classifiers[i]
    seen = Evidence(classifier, trained.X_test, trained.y_test, trained.X_tgt)
    outcome.test_scores |= {name: score(seen) for name, score in SCORES.items()}
    outcome.test_scores["source_accuracy"] = 1 - seen.errors.mean()
    compared = some_positions(len(seen.probabilities))
    outcome.probabilities = seen.probabilities[compared].astype(np.float32)
    if not scorers:
        return
    whole = trained.whole(i)
    parts = [(outcome.test_scores, fold.test)]
    if score_train:
        parts.append((outcome.train_scores, fold.train))
    for scores, index in parts:
        for name, scorer in scorers.items():
            value = scorer(whole, *fold.rows(index))
            scores |= value if isinstance(value, dict) else {name: value}
