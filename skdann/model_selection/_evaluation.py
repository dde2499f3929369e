"""Train the candidates of a task on one fold, and score each of them."""

import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
from sklearn.utils import _safe_indexing
from threadpoolctl import ThreadpoolController

from .._baseline import try_fit
from .._data._groups import if_used
from .._multi_fit import fit_many
from .._pipelines import Preprocessing, last_step
from .._training._device import limit_threads
from .._training._sklearn_callbacks import NullFitTask, make_callback_data
from ..metrics._fitted import reading
from ..metrics._scorers import OF_FEATURES, SCORES, TargetEvaluation, check_score
from ._judged_numbers import JudgedNumbers
from ._judged_rows import JudgedRows
from ._reverse_validation import (
    are_networks,
    before_resampling,
    read_for_all,
    reverse_scores,
)


@dataclass(frozen=True)
class Task:
    """Candidates to train together on one fold, stacked where they can be.

    They have the preprocessing in common, which is fitted once for all of them.

    Attributes
    ----------
    fold : int
        Position of the fold.
    members : list of (int, int)
        Positions of candidate and seed.
    estimators : list of estimator
        One for each member, not fitted.
    """

    fold: int
    members: list[tuple[int, int]]
    estimators: list

    def __str__(self):
        """Name it as a user may: by the positions of candidates in ``cv_results_``."""
        (first, seed), (last, _) = self.members[0], self.members[-1]
        of_seed = f", seed {seed}," if seed else ""
        candidates = (
            f"candidates {first} to {last}" if last > first else f"candidate {first}"
        )
        return f"{candidates}{of_seed} on fold {self.fold}"


@dataclass(frozen=True)
class Fold:
    """One fold: the raw rows that candidates are trained and scored on.

    Attributes
    ----------
    X, y : array-like
        The source, all of it.
    X_tgt : array-like
        The target, whole: folds divide the source alone.
    train, test : ndarray of int
        Positions of source rows, as :meth:`rows` takes them.
    judged : JudgedRows or JudgedNumbers
        Target rows by which candidates are compared.
    fit_params : dict
        What training gets besides, as in :meth:`skdann.DANNClassifier.fit`.
    """

    X: object
    y: object
    X_tgt: object
    train: np.ndarray
    test: np.ndarray
    judged: JudgedRows | JudgedNumbers
    fit_params: dict = field(default_factory=dict)

    def rows(self, index):
        """Return rows of the source and their labels."""
        return _safe_indexing(self.X, index), _safe_indexing(self.y, index)

    def training_weight(self):
        """Return the weights of the training rows, if there are any."""
        weight = self.fit_params.get("sample_weight")
        return None if weight is None else _safe_indexing(weight, self.train)

    def training_params(self, classifiers):
        """Return what training gets besides, of the training rows alone."""
        params = if_used(self.fit_params, classifiers)
        params = {**params, "sample_weight": self.training_weight()}
        if params.get("groups") is not None:
            params["groups"] = _safe_indexing(params["groups"], self.train)
        return params

    def callback_data(self):
        """Return what callbacks get of the training rows, as functions.

        Most callbacks ask for none of it, and taking the rows of a fold copies them: so
        they are taken at the first call, and once.
        """
        take = cache(
            lambda: make_callback_data(*self.rows(self.train), self.training_weight())
        )
        return {
            "X": lambda: take()["X"],
            "y": lambda: take()["y"],
            "metadata": lambda: take()["metadata"],
        }


@dataclass
class Outcome:
    """Scores, or the error, of one candidate with one seed on one fold.

    Attributes
    ----------
    fold, candidate, seed : int
        Positions of the three.
    test_scores, train_scores : dict of str to float
        By name.
    answers : ndarray of shape (n, n_classes) or (n, n_outputs), float32
        Probabilities, or numbers, for the judged target rows, the same rows for all
        candidates.
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
    answers: np.ndarray | None = None
    fit_time: float = 0.0
    score_time: float = 0.0
    error: Exception | None = None


def evaluate(task, fold, scorers, *, reverse, score_train, max_stacked, fit_tasks=None):
    """Train the members of a task on one fold and score them.

    Parameters
    ----------
    task : Task
        What to train.
    fold : Fold
        On which rows.
    scorers : dict of str to callable
        The user's, called with (estimator, X, y) on raw rows. The scores that need no
        target labels are always computed.
    reverse : bool
        Whether to do reverse validation, which trains as many networks again.
    score_train : bool
        Whether to call the scorers on the training rows as well.
    max_stacked : int or "auto"
        Most networks in a stack.
    fit_tasks : list of FitTask or None, default=None
        Of each member, the task by which scikit-learn's callbacks hear of its fit;
        None where there are no callbacks.

    Returns
    -------
    list of Outcome
        One for each member.
    """
    _, outcomes = train_and_score(
        task,
        fold,
        scorers,
        reverse=reverse,
        score_train=score_train,
        max_stacked=max_stacked,
        fit_tasks=fit_tasks,
    )
    return outcomes


def train_and_score(
    task, fold, scorers, *, reverse, score_train, max_stacked, fit_tasks=None
):
    """Do what :func:`evaluate` does, and keep what was trained.

    Parameters are those of :func:`evaluate`.

    Returns
    -------
    trained : Trained or None
        None if the preprocessing failed.
    outcomes : list of Outcome
        One for each member.
    """
    fit_tasks = fit_tasks or [NullFitTask()] * len(task.members)
    callback_data = fold.callback_data()
    for fit_task in fit_tasks:
        fit_task.begin(**callback_data)
    outcomes = [Outcome(task.fold, *member) for member in task.members]
    trained = _train_timed(task, fold, outcomes, max_stacked, reverse)
    if reverse and trained is not None:
        _score_reverse(trained, outcomes, max_stacked)
    for i, (outcome, fit_task) in enumerate(zip(outcomes, fit_tasks, strict=True)):
        if outcome.error is None:
            _score_timed(trained, i, outcome, fold, scorers, score_train)
        state = None if outcome.error else partial(_as_if_chosen, trained, i)
        fit_task.end(**callback_data, reconstruction_attributes=state)
    return trained, outcomes


def _train_timed(task, fold, outcomes, max_stacked, reverse):
    """Train; return None if the preprocessing failed, which all have in common."""
    started = time.perf_counter()
    try:
        trained = _train(task, fold, max_stacked, reverse)
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
        # Beside a busy process two threads wait for each other, ten times as long as
        # one computes; and of tasks in several processes each is beside the others.
        with limit_threads(is_small=True), _one_blas_thread():
            _score(trained, i, outcome, fold, scorers, score_train)
    except Exception as error:  # in a scorer, which may be the user's
        outcome.error = error
    outcome.score_time += time.perf_counter() - started


def _one_blas_thread():
    """Return a context for numpy's products; of all threads, so the main one sets it.

    Others might overlap, and leave behind what one of them has set.
    """
    if threading.current_thread() is threading.main_thread():
        return _blas().limit(limits=1)
    return nullcontext()


@cache
def _blas():
    """Return what limits numpy's products; to look for it takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")


def _as_if_chosen(trained, i):
    """Return the attributes of a search that has chosen one of its candidates.

    A callback that asks for the fitted estimator of a candidate's fit gets the search
    itself, which predicts by this candidate.
    """
    # with refit=False a search refuses to predict, even if it has a best_estimator_
    return {"best_estimator_": trained.whole(i), "refit": True}


@dataclass
class Trained:
    """Trained classifiers, and the rows as their preprocessing returns them.

    Attributes
    ----------
    estimators : list of estimator
        Those of the task.
    preprocessing : Preprocessing
        Fitted, for all of them.
    classifiers : list of DANNClassifier or BaselineClassifier
        Fitted, but for those with an error.
    domains : list of Domains or Exception
        For each, what reverse validation swaps.
    errors : list of Exception or None
        Of each.
    X_test, y_test, X_tgt : array-like
        Held-out rows of the source, and the target.
    """

    estimators: list
    preprocessing: Preprocessing
    classifiers: list
    domains: list
    errors: list
    X_test: object
    y_test: object
    X_tgt: object

    def whole(self, i):
        """Return a fitted estimator that takes raw rows."""
        return self.preprocessing.join(self.estimators[i], self.classifiers[i])


def _train(task, fold, max_stacked, reverse):
    preprocessing = Preprocessing(task.estimators[0])
    classifiers = list(map(last_step, task.estimators))
    given = fold.training_params(classifiers)
    X_train, y_train = fold.rows(fold.train)
    X, y = preprocessing.fit(X_train, y_train, given["sample_weight"])
    X_test, y_test = fold.rows(fold.test)
    X_test, X_tgt = map(preprocessing.transform, (X_test, fold.X_tgt))
    domains = read_for_all(classifiers, X, y, X_tgt, **given)
    if are_networks(classifiers):
        errors = fit_many(classifiers, domains, max_stacked=max_stacked)
    else:
        errors = list(map(try_fit, classifiers, domains))
    if reverse:
        domains = before_resampling(
            domains, preprocessing, classifiers, X_train, y_train, X_tgt, **given
        )
    return Trained(
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
    evaluation = TargetEvaluation(
        classifier,
        trained.X_test,
        trained.y_test,
        trained.X_tgt,
        fold.fit_params.get("sample_weight_tgt"),
        fold.judged.scale,
    )
    has_features = hasattr(classifier, "transform")
    judged = fold.judged
    for name in judged.scores:
        can = has_features or name not in OF_FEATURES
        outcome.test_scores[name] = SCORES[name](evaluation) if can else np.nan
    outcome.test_scores[judged.source_score] = 1 - evaluation.errors.mean()
    # a sample in half the bytes: a process sends this back for each candidate and fold
    outcome.answers = judged.answers(evaluation, classifier)
    if not scorers:
        return
    whole = reading(trained.whole(i), "source")
    parts = [(outcome.test_scores, fold.test)]
    if score_train:
        parts.append((outcome.train_scores, fold.train))
    for scores, index in parts:
        for name, scorer in scorers.items():
            scores |= _check_scores(scorer(whole, *fold.rows(index)), name)


def _check_scores(returned, name):
    """Return what a scorer of the user's returned as scores by name."""
    scores = returned if isinstance(returned, dict) else {name: returned}
    wrong = [key for key in scores if not isinstance(key, str)]
    if wrong:
        raise ValueError(f"scoring names scores by {wrong}; names must be text.")
    return {
        key: check_score(value, f"scoring {key!r}") for key, value in scores.items()
    }
