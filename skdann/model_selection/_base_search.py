"""The search that both public searches share: train in stacks, score on the target."""

import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from functools import cache, partial
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _num_samples, check_is_fitted
from tqdm.auto import tqdm

from .._containers._tables import as_indexable, check_not_lazy, without_batch
from .._containers._weights import read_weight_if_given
from .._data._groups import if_used
from .._data._target_rows import TargetRows
from .._parallel import (
    START_UP,
    LostJobError,
    as_completed,
    may_start_workers,
    spread_if_long,
    without_jobs,
)
from .._pipelines import Preprocessing, last_step
from .._progress import finish, logger
from .._restore import restore_attributes_on_error
from .._training import (
    before_joining,
    check_alike,
    device_of_turn,
    from_first,
    is_forked,
    joined_ranks,
    may_join,
    together,
    validated_on_all_ranks,
)
from .._training._sklearn_callbacks import make_callback_data, start_fit
from .._typing import MatrixLike, VectorLike, fit_context
from .._warn import warn, warn_again
from ._candidates import (
    baseline_candidates,
    check_candidates,
    is_on_gpu,
    is_source_only,
    lambda_max_of,
    make_candidate,
    make_tasks,
    without_done,
)
from ._check_estimator import check_estimator
from ._evaluation import Fold, evaluate
from ._failures import explain_why_none, report_failures, warn_of_scores_not_finite
from ._folds import split
from ._judged_numbers import JudgedNumbers
from ._judged_rows import JudgedRows
from ._results import by_candidate, make_results
from ._scoring import REVERSE, UNRELATED_SCORES, own_score, understand_scoring
from ._search_checkpoint import open_checkpoint
from ._search_identity import search_identity
from ._selection import check_index, choose, warn_of_disagreement

# Of a stack that ends its process.
_ADVICE = (
    "Lower n_jobs, max_stacked or batch_size. With checkpoint=folder what is finished "
    "is kept: the same call, with another n_jobs or max_stacked, trains the rest."
)


class BaseDANNSearch:
    """Fit, scoring and choice of both searches; a mixin before scikit-learn's search.

    A subclass says where candidates come from (``_candidates``), and which of them to
    add where all of them adapt (``_without_adaptation``).
    """

    # Seconds that workers take to start, by which a search decides whether to.
    _start_up = START_UP

    __metadata_request__fit = {
        "X_tgt": True,
        "y_tgt": True,
        "classes": True,
        "groups": True,
        "groups_tgt": True,
    }

    @restore_attributes_on_error
    @validated_on_all_ranks
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        classes: VectorLike | None = None,
        groups: VectorLike | None = None,
        groups_tgt: VectorLike | None = None,
    ) -> Self:
        """Train and score all candidates, choose one, and fit it on all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows. The folds divide them, not the target.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows, raw: each fit gets all of them, through the preprocessing
            that was fitted on its source rows.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts in training.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts, in training and in the scores. Rows of
            weight 0 are as if they were not there.
        y_tgt : array-like of shape (n_target,), default=None
            The few target labels, or numbers, that are known, marked as in ``fit`` of
            the estimator. What they are used for is ``label_use``.
        classes : array-like of shape (n_classes,), default=None
            All labels, if the target has some that y lacks.
        groups : array-like of shape (n_samples,), default=None
            For the splitter ``cv``; and for candidates with
            ``domain_classes="groups"``, each fit getting those of its rows.
        groups_tgt : array-like of shape (n_target,), default=None
            For these candidates alone.

        Returns
        -------
        self : object
            With ``best_estimator_``.

        Raises
        ------
        ValueError
            If there is no target, if all fits fail, or if ``checkpoint`` is a folder of
            another search.
        OSError
            If ``checkpoint`` can't be written; what is there is kept.
        RuntimeError
            If a stack ends its worker process three times.
        KeyboardInterrupt
            If interrupted before any candidate is done. After that, Ctrl-C ends the
            search, which chooses among the candidates that are done and fits that one.
        """
        with before_joining(self):
            if X_tgt is None:
                raise ValueError(
                    f"{type(self).__name__} scores on the target: fit(X, y, X_tgt). "
                    "Without a target use sklearn.model_selection.GridSearchCV."
                )
            check_estimator(self.estimator)
            judged_kind = JudgedNumbers if _has_numbers(self.estimator) else JudgedRows
            of_choice = None
            if self.label_use != "training" and judged_kind.has_labels(y_tgt):
                of_choice = y_tgt
            is_for_choice = of_choice is not None
            scoring = understand_scoring(
                self.scoring, self.estimator, has_labels=is_for_choice
            )
            self._check_refit(scoring)
            X = as_indexable(X, "X")
            y = judged_kind.read_y(y)
            check_consistent_length(X, y)
            sample_weight = read_weight_if_given(sample_weight, X)
            target = TargetRows.of(X_tgt, y_tgt, sample_weight_tgt)
            X_tgt, y_tgt = target.X, target.y
            judged = judged_kind.of(target, y, classes, for_choice=is_for_choice)
            fit_params = {"sample_weight": sample_weight, "classes": classes}
            fit_params["sample_weight_tgt"] = target.weight
            check_not_lazy(groups, "groups")
            check_not_lazy(groups_tgt, "groups_tgt")
            fit_params["groups"] = without_batch(groups)
            fit_params["groups_tgt"] = target.take(groups_tgt, "groups_tgt")
            if self.label_use == "training":
                fit_params["y_tgt"] = y_tgt
            folds = [
                Fold(X, y, X_tgt, train, test, judged, fit_params)
                for train, test in split(
                    self.cv, X, y, groups, of_classes=judged_kind is JudgedRows
                )
            ]
            self.n_splits_ = len(folds)
            self.scorer_ = scoring.labelled_scorer()
            callback_data = make_callback_data(X, y, sample_weight)
            fit_task = self._start_fit_task(callback_data)
            candidates = self._all_candidates()
            data = {**fit_params, "X": X, "y": y, "X_tgt": X_tgt, "y_tgt": y_tgt}
            identify = cache(  # for the ranks and for the folder
                partial(search_identity, self, candidates, folds, scoring, data)
            )
        with (
            self._joined_ranks(identify) as ranks,
            open_checkpoint(
                self.checkpoint, identify, judged.answers_shape, ranks
            ) as checkpoint,
        ):
            outcomes = self._evaluate(
                candidates, folds, scoring, fit_task, checkpoint, ranks
            )
            with together(ranks, "choose a candidate"):
                judged.add_scores(outcomes)
                table = self._tabulate(candidates, outcomes, scoring, judged)
                self._judged_table = judged, table
                self.reason_ = judged.explain(self.cv_results_["params"], table)
                if self.refit or not self.multimetric_:
                    self._choose(judged, table)
                    logger.info("%s: chosen %s", type(self).__name__, self.best_params_)
            if self.refit:
                if self.label_use == "both":
                    fit_params["y_tgt"] = y_tgt
                # not best_index_: after an interrupt results lack candidates
                is_chosen = [params is self.best_params_ for params in candidates]
                of_refit = partial(checkpoint.of_refit, is_chosen.index(True))
                self._refit(X, y, X_tgt, fit_params, fit_task, of_refit, ranks)
        fit_task.end(**callback_data)
        return self

    def score(self, X: MatrixLike, y: VectorLike) -> float:
        """Score the chosen estimator on labelled rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows from either domain.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        score : float
            Accuracy, or R2 of a regressor; of ``scoring``, if that is a scorer of
            labelled rows.
        """
        check_is_fitted(self, "best_estimator_")
        scorer = self.scorer_
        if isinstance(scorer, dict):
            scorer = scorer.get(self.refit, own_score)
        return scorer(self.best_estimator_, X, y)

    def get_metadata_routing(self) -> Any:
        """Return what ``fit`` requests; a search passes it on without routing enabled.

        Returns
        -------
        request : MetadataRequest
            X_tgt, y_tgt and groups; sample_weight if it was requested.
        """
        return BaseEstimator.get_metadata_routing(self)

    def _check_refit(self, scoring):
        """Raise an error if refit must name a score and does not."""
        columns = [*scoring.known, *scoring.scorers]
        if scoring.is_multiple:
            self._check_named_score(columns)
        elif isinstance(self.refit, str) and not (
            callable(self.scoring) or self.refit in ("score", self.scoring)
        ):
            raise ValueError(
                f"refit={self.refit!r} names none of the scores: there is one, "
                f"scoring={self.scoring!r}. Set refit=True, or name several in scoring."
            )

    def _check_named_score(self, columns):
        """Raise an error if there are several scores and refit names none of them."""
        named = isinstance(self.refit, str) and self.refit in columns
        if self.refit and not (named or callable(self.refit)):
            raise ValueError(
                "There are several scores: refit must name the one to choose by, of "
                f"{sorted(columns)}, or be callable or False; got {self.refit!r}."
            )

    def _all_candidates(self):
        """Return the candidates, source-only ones among them."""
        candidates = list(self._candidates())
        check_candidates(candidates)
        if not any(is_source_only(self.estimator, params) for params in candidates):
            candidates += self._without_adaptation(candidates)
        return candidates + (
            baseline_candidates(self.estimator) if self.baselines else []
        )

    def _start_fit_task(self, callback_data):
        """Return this fit as a task that scikit-learn's callbacks hear of.

        The refit will pass the callbacks on to the classifier. Whether it can is
        checked here, before the candidates are trained.
        """
        fit_task = start_fit(self, 1 + bool(self.refit), **callback_data)
        for part in (self.estimator, last_step(self.estimator)):
            fit_task.check_propagation(part)
        return fit_task

    @contextmanager
    def _joined_ranks(self, identify):
        """Join the process group, if the refit will, and check that all do the same."""
        with joined_ranks(may_join(self)) as ranks:
            if ranks is not None:
                with together(ranks, "begin its search"):
                    identity = identify()
                check_alike(ranks, identity)
            yield ranks

    def _evaluate(self, candidates, folds, scoring, fit_task, checkpoint, ranks):
        """Return the outcomes of all fits; if interrupted, of what is complete.

        On several ranks each computes them, and those of the first count: so all choose
        the same, also where seeds are drawn or numbers are rounded in another way.
        """
        tasks = self._tasks(candidates, len(folds))
        with together(ranks, "read the checkpoint of its search"):
            outcomes = checkpoint.read(tasks)
        outcomes = from_first(ranks, outcomes)
        with together(ranks, "train its candidates"):
            outcomes = self._with_missing(
                outcomes, tasks, candidates, folds, scoring, fit_task, checkpoint
            )
        return from_first(ranks, outcomes)

    def _with_missing(
        self, outcomes, tasks, candidates, folds, scoring, fit_task, checkpoint
    ):
        """Return outcomes that are done, and those of the fits that are not."""
        fits_each = len(folds) * self.n_seeds
        self._raise_if_asked(outcomes)
        tasks = without_done(tasks, outcomes)
        n_left = sum(len(task.members) for task in tasks)
        search_task = fit_task.subtask(
            "search", max_subtasks=n_left, sequential_subtasks=False
        )
        search_task.begin()
        jobs = self._jobs(tasks, folds, scoring, search_task)
        try:
            with closing(self._run(jobs, tasks)) as done_jobs:
                for done, warnings in self._counted(done_jobs, n_left, len(outcomes)):
                    self._raise_if_asked(done)
                    checkpoint.write(done, warnings)
                    outcomes += done
                    warn_again(warnings)
        except KeyboardInterrupt:
            outcomes = _complete(outcomes, fits_each, len(candidates))
        except LostJobError as error:
            raise LostJobError(f"{error} {_ADVICE}") from error
        # sums over them are then rounded alike, whichever was done first
        outcomes.sort(key=lambda o: (o.candidate, o.fold, o.seed))
        search_task.end()
        if not outcomes:
            raise ValueError(
                f"pre_dispatch={self.pre_dispatch!r} hands out no fit at all. Use the "
                "default, '2*n_jobs'."
            )
        return outcomes

    def _tasks(self, candidates, n_folds):
        return make_tasks(
            self.estimator,
            candidates,
            n_folds=n_folds,
            n_seeds=self.n_seeds,
            n_jobs=self.n_jobs,
            max_stacked=self.max_stacked,
        )

    def _run(self, jobs, tasks):
        """Return a generator of what jobs return and warn of: lists of outcomes."""
        if self.n_jobs is None and self._may_spread(tasks):
            return spread_if_long(jobs, self._start_up)
        return as_completed(jobs, self.n_jobs, pre_dispatch=self.pre_dispatch)

    @staticmethod
    def _may_spread(tasks):
        """Whether other processes may be started, and could do the same."""
        if is_forked() or not may_start_workers():
            return False
        return not any(is_on_gpu(last_step(task.estimators[0])) for task in tasks)

    def _counted(self, done_jobs, n_left, n_done):
        """Yield what jobs return; with ``verbose``, a bar counts the outcomes."""
        if not self.verbose:
            yield from done_jobs
            return
        bar = tqdm(total=n_done + n_left, initial=n_done, desc="fits")
        try:
            for outcomes, warnings in done_jobs:
                bar.update(len(outcomes))
                yield outcomes, warnings
        finally:
            finish(bar)

    def _jobs(self, tasks, folds, scoring, search_task):
        """Return jobs by name; each trains the candidates of a task together."""
        # All of them now: a new subtask changes the context of the search, which joblib
        # may be pickling in another thread.
        fit_tasks = [
            self._candidate_fit_tasks(search_task, task, len(folds)) for task in tasks
        ]
        work = partial(
            evaluate,
            scorers=scoring.scorers,
            reverse=scoring.reverse,
            score_train=self.return_train_score,
            max_stacked=self.max_stacked,
        )
        jobs = {
            str(task): partial(work, task, folds[task.fold], fit_tasks=of_members)
            for task, of_members in zip(tasks, fit_tasks, strict=True)
        }
        if effective_n_jobs(self.n_jobs) == 1:
            return jobs
        return {
            name: partial(without_jobs, _on_device_of_turn, turn, job)
            for turn, (name, job) in enumerate(jobs.items())
        }

    def _candidate_fit_tasks(self, search_task, task, n_folds):
        """Return what callbacks hear of: a task for each candidate, fold and seed."""
        return [
            search_task.subtask(
                "candidate-split-evaluation",
                task_id=(candidate * n_folds + task.fold) * self.n_seeds + seed,
            )
            for candidate, seed in task.members
        ]

    def _raise_if_asked(self, outcomes):
        for outcome in outcomes:
            if outcome.error is not None and self.error_score == "raise":
                raise outcome.error

    def _tabulate(self, candidates, outcomes, scoring, judged):
        """Set ``cv_results_``; return the outcomes by candidate, fold and seed."""
        report_failures(outcomes, self.error_score)
        warn_of_scores_not_finite(outcomes)
        for outcome in outcomes:
            scores = outcome.test_scores
            own = {c: scores[n] for c, n in scoring.known.items() if n in scores}
            outcome.test_scores = own | scores
        by_index = by_candidate(outcomes, len(candidates))
        done = [i for i, folds in enumerate(by_index) if folds]
        table = [by_index[i] for i in done]
        params = [candidates[i] for i in done]
        self.cv_results_ = make_results(params, table, self.error_score)
        self.multimetric_ = "mean_test_score" not in self.cv_results_
        if self.multimetric_:  # also if a single scorer returned several scores
            prefix = "rank_test_"
            ranks = [name for name in self.cv_results_ if name.startswith(prefix)]
            self._check_named_score([name.removeprefix(prefix) for name in ranks])
        return table

    def _candidate_answers(self, X_tgt):
        """Return what candidates predict for the judged rows, and their weights.

        Parameters
        ----------
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows, those of the fit.

        Returns
        -------
        ClassAnswers or NumberAnswers
        """
        judged, table = self._judged_table
        if _num_samples(X_tgt) != judged.n_given:
            raise ValueError(
                f"X_tgt has {_num_samples(X_tgt)} rows, but the search has judged its "
                f"candidates on the {judged.n_given} target rows of its fit: pass "
                "those."
            )
        return judged.candidate_answers(table)

    def _choose(self, judged, table):
        results = self.cv_results_
        if callable(self.refit):
            self.best_index_ = check_index(self.refit(results), len(results["params"]))
        else:
            column = self.refit if self.multimetric_ else "score"
            if not self._is_known(f"mean_test_{column}"):
                outcomes = [o for folds in table for fold in folds for o in fold]
                why = explain_why_none(outcomes, column)
                raise ValueError(f"No candidate can be chosen: {why}")
            best = self._best_by(judged, column, *UNRELATED_SCORES, REVERSE)
            self.best_index_ = best.pop(column)
            self.best_score_ = results[f"mean_test_{column}"][self.best_index_]
            warn_of_disagreement(
                self.best_index_,
                best,
                partial(judged.disagreement, table),
                results["params"],
                judged.of_disagreement,
            )
        self.best_params_ = results["params"][self.best_index_]

    def _best_by(self, judged, *names):
        """Return the position of the best candidate by each score.

        The first is chosen by; of the others those that were computed for any: simple
        models have no features, and no score of these.
        """
        results = self.cv_results_
        lambdas = [
            lambda_max_of(self.estimator, params) for params in results["params"]
        ]
        return {
            name: choose(
                results[f"mean_test_{name}"],
                results[f"mean_test_{judged.source_score}"],
                np.array(lambdas),
                tolerance=self.source_tolerance,
            )
            for name in names
            if name == names[0] or self._is_known(f"mean_test_{name}")
        }

    def _is_known(self, column):
        """Whether any candidate has this score."""
        return bool(np.isfinite(self.cv_results_.get(column, [])).any())

    def _refit(self, X, y, X_tgt, fit_params, fit_task, of_refit, ranks):
        started = time.perf_counter()
        callback_data = make_callback_data(X, y, fit_params["sample_weight"])
        refit_task = fit_task.subtask("refit-with-best-params")
        best = make_candidate(self.estimator, self.best_params_)
        preprocessing, classifier = Preprocessing(best), last_step(best)
        given = {k: v for k, v in fit_params.items() if v is not None}
        given = if_used(given, [classifier])
        with refit_task.propagate_to(classifier), ExitStack() as stack:
            with together(ranks, "begin its refit"):
                refit_task.begin(**callback_data)
                X, y = preprocessing.fit(X, y, fit_params["sample_weight"])
                rows = X, y, preprocessing.transform(X_tgt)
                resume = stack.enter_context(of_refit(classifier, given, rows))
            classifier.fit(*rows, **given, **resume)
        self.best_estimator_ = preprocessing.join(best, classifier)
        self.refit_time_ = time.perf_counter() - started
        refit_task.end(**callback_data, reconstruction_attributes={})
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _has_numbers(estimator):
    return is_regressor(last_step(estimator))


def _complete(outcomes, fits_each, n_candidates):
    """Return the outcomes of candidates with all fits done; raise if there is none."""
    counts = Counter(outcome.candidate for outcome in outcomes)
    finished = {candidate for candidate, n in counts.items() if n == fits_each}
    if not finished:
        raise KeyboardInterrupt
    warn(
        f"Interrupted: {len(finished)} of {n_candidates} candidates are done; the best "
        "of them is taken."
    )
    return [outcome for outcome in outcomes if outcome.candidate in finished]


def _on_device_of_turn(turn, job):
    with device_of_turn(turn):
        return job()
