"""Searches that score on the target, which has no labels, and train in stacks."""

import time
import warnings
from collections import Counter
from functools import partial
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    ParameterSampler,
    RandomizedSearchCV,
    check_cv,
)
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from .._fit_tasks import seen, start_fit
from .._state import unchanged_on_error
from ._evaluation import Fold, evaluate
from ._parts import fit_preprocessing, put_together, take_apart
from ._results import (
    add_ensemble_agreement,
    by_candidate,
    make_results,
    predicted_classes,
)
from ._scoring import INDEPENDENT, KNOWN, REVERSE, understand_scoring
from ._selection import choose, warn_of_disagreement
from ._tasks import make_candidate, make_tasks, peak_of, source_only_twins

_OWN_CONSTRAINTS = {
    "scoring": [
        StrOptions({*get_scorer_names(), *KNOWN, REVERSE}),
        callable,
        list,
        tuple,
        dict,
        None,
    ],
    "n_seeds": [Interval(Integral, 1, None, closed="left")],
    "max_stacked": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "source_tolerance": [Interval(Real, 0, 1, closed="both")],
}


class _DANNSearch:
    """What both searches do; a mixin before the search of scikit-learn."""

    __metadata_request__fit = {"X_tgt": True, "y_tgt": True, "groups": True}

    @unchanged_on_error
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, X_tgt=None, *, sample_weight=None, y_tgt=None, groups=None):
        """Train and score all candidates, choose one, and fit it on all rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows. The folds divide them, and nothing else.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows, raw: each fit gets all of them, through the preprocessing
            that was fitted on its source rows.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts in training.
        y_tgt : array-like of shape (n_target,), default=None
            The few target labels that are known, as in
            :meth:`skdann.DANNClassifier.fit`. They take part in training, not in
            the choice.
        groups : array-like of shape (n_samples,), default=None
            For the splitter ``cv``.

        Returns
        -------
        self : object
            With ``best_estimator_``.

        Raises
        ------
        ValueError
            If there is no target, or if all fits fail.
        KeyboardInterrupt
            If interrupted before any candidate is done. After that, Ctrl-C ends the
            search, which chooses among the candidates that are done and fits that one.
        """
        if X_tgt is None:
            raise ValueError(
                f"{type(self).__name__} scores on the target: fit(X, y, X_tgt). "
                "Without a target use sklearn.model_selection.GridSearchCV."
            )
        take_apart(self.estimator)
        scoring = understand_scoring(self.scoring, self.estimator)
        if scoring.is_multiple:
            self._check_refit({*scoring.known, *scoring.scorers})
        X, y, sample_weight = indexable(X, y, sample_weight)
        fit_params = {"sample_weight": sample_weight, "y_tgt": y_tgt}
        cv = check_cv(self.cv, y, classifier=True)
        folds = [
            Fold(X, y, X_tgt, train, test, **fit_params)
            for train, test in cv.split(X, y, groups)
        ]
        self.n_splits_ = len(folds)
        self.scorer_ = _labelled_scorer(scoring)
        told = seen(X, y, sample_weight)
        task = self._start_task(told)
        candidates = self._all_candidates()
        outcomes = self._evaluate(candidates, folds, scoring, task)
        table = self._tabulate(candidates, outcomes, scoring)
        if self.refit or not self.multimetric_:
            self._choose(table)
        if self.refit:
            self._refit(X, y, X_tgt, fit_params, task)
        task.end(**told)
        return self

    def score(self, X, y):
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
            Accuracy; where ``scoring`` is a scorer of labelled rows, what it says.
        """
        check_is_fitted(self, "best_estimator_")
        scorer = self.scorer_
        if isinstance(scorer, dict):
            scorer = scorer.get(self.refit, _accuracy)
        return scorer(self.best_estimator_, X, y)

    def get_metadata_routing(self):
        """Say what ``fit`` takes; it goes where it belongs without routing.

        Returns
        -------
        request : MetadataRequest
            X_tgt, y_tgt and groups; sample_weight if it was requested.
        """
        return BaseEstimator.get_metadata_routing(self)

    def _check_refit(self, columns):
        """Say which score to choose by, if there are several."""
        named = isinstance(self.refit, str) and self.refit in columns
        if self.refit and not (named or callable(self.refit)):
            raise ValueError(
                "There are several scores: refit must name the one to choose by, of "
                f"{sorted(columns)}, or be callable or False; got {self.refit!r}."
            )

    def _all_candidates(self):
        """Return the candidates; training on the source alone is among them."""
        candidates = list(self._candidates())
        if any(peak_of(self.estimator, params) == 0 for params in candidates):
            return candidates
        return candidates + self._without_adaptation(candidates)

    def _start_task(self, told):
        """Return the task of this fit, having checked what the refit passes on."""
        task = start_fit(self, 1 + bool(self.refit), **told)
        for part in (self.estimator, take_apart(self.estimator)[1]):
            task.check_passable(part)
        return task

    def _evaluate(self, candidates, folds, scoring, task):
        """Return the outcomes of all fits; if interrupted, of what is complete."""
        fits_each = len(folds) * self.n_seeds
        total = fits_each * len(candidates)
        search = task.subtask("search", max_subtasks=total, sequential_subtasks=False)
        search.begin()
        jobs = self._jobs(candidates, folds, scoring, search)
        outcomes = []
        with tqdm(total=total, desc="fits", disable=not self.verbose) as bar:
            try:
                for done in self._parallel()(jobs):
                    outcomes += done
                    bar.update(len(done))
                    self._raise_if_asked(done)
            except KeyboardInterrupt:
                outcomes = _complete(outcomes, fits_each, len(candidates))
        search.end()
        return outcomes

    def _jobs(self, candidates, folds, scoring, search):
        """Return a generator of jobs; each trains one stack on one fold."""
        tasks = make_tasks(
            self.estimator,
            candidates,
            n_folds=len(folds),
            n_seeds=self.n_seeds,
            n_jobs=self.n_jobs,
            max_stacked=self.max_stacked,
        )
        # all of them now: to add one changes what joblib pickles meanwhile
        reports = [self._subtasks(search, task, len(folds)) for task in tasks]
        work = partial(
            evaluate,
            scorers=scoring.scorers,
            reverse=scoring.reverse,
            score_train=self.return_train_score,
            max_stacked=self.max_stacked,
        )
        if effective_n_jobs(self.n_jobs) > 1:
            work = partial(_without_jobs, work)
        return (
            delayed(work)(task, folds[task.fold], reports=of_members)
            for task, of_members in zip(tasks, reports, strict=True)
        )

    def _subtasks(self, search, task, n_folds):
        """Return the subtasks of the members, numbered by candidate, fold and seed."""
        return [
            search.subtask(
                "candidate-split-evaluation",
                task_id=(candidate * n_folds + task.fold) * self.n_seeds + seed,
            )
            for candidate, seed in task.members
        ]

    def _parallel(self):
        # as they come, where the backend can: so that an interrupt loses little
        backend, _ = get_active_backend()
        can = effective_n_jobs(self.n_jobs) == 1 or backend.supports_return_generator
        return Parallel(
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            return_as="generator_unordered" if can else "list",
        )

    def _raise_if_asked(self, outcomes):
        for outcome in outcomes:
            if outcome.error is not None and self.error_score == "raise":
                raise outcome.error

    def _tabulate(self, candidates, outcomes, scoring):
        """Set ``cv_results_``; return the outcomes by candidate, fold and seed."""
        _report_failures(outcomes, self.error_score)
        add_ensemble_agreement(outcomes)
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
            self._check_refit({name.removeprefix(prefix) for name in ranks})
        return table

    def _choose(self, table):
        results = self.cv_results_
        if callable(self.refit):
            self.best_index_ = self.refit(results)
        else:
            column = self.refit if self.multimetric_ else "score"
            best = self._best_by(column, *INDEPENDENT, REVERSE)
            self.best_index_ = best.pop(column)
            self.best_score_ = results[f"mean_test_{column}"][self.best_index_]
            warn_of_disagreement(
                self.best_index_, best, predicted_classes(table), results["params"]
            )
        self.best_params_ = results["params"][self.best_index_]

    def _best_by(self, *names):
        """Return the position of the best candidate by each score that there is."""
        results = self.cv_results_
        peaks = [peak_of(self.estimator, params) for params in results["params"]]
        return {
            name: choose(
                results[f"mean_test_{name}"],
                results["mean_test_source_accuracy"],
                np.array(peaks),
                tolerance=self.source_tolerance,
            )
            for name in names
            if f"mean_test_{name}" in results
        }

    def _refit(self, X, y, X_tgt, fit_params, task):
        started = time.perf_counter()
        told = seen(X, y, fit_params["sample_weight"])
        refit = task.subtask("refit-with-best-params")
        best = make_candidate(self.estimator, self.best_params_)
        preprocessing, classifier = take_apart(best)
        with refit.passed_to(classifier):
            refit.begin(**told)
            if preprocessing is not None:
                X = fit_preprocessing(preprocessing, X, y, fit_params["sample_weight"])
                X_tgt = preprocessing.transform(X_tgt)
            classifier.fit(X, y, X_tgt, **fit_params)
        self.best_estimator_ = put_together(best, preprocessing, classifier)
        self.refit_time_ = time.perf_counter() - started
        refit.end(**told, reconstruction_attributes={})
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _accuracy(estimator, X, y):
    return estimator.score(X, y)


def _labelled_scorer(scoring):
    """Return what scores labelled rows: where asked for another score, accuracy."""
    scorers = dict.fromkeys(scoring.known, _accuracy) | scoring.scorers
    return scorers if scoring.is_multiple else scorers["score"]


def _without_jobs(work, *args, **kwargs):
    """Work as one job of many: jobs of its own would wait for the others' places."""
    with parallel_config("sequential"):
        return work(*args, **kwargs)


def _complete(outcomes, fits_each, n_candidates):
    """Keep the candidates whose fits are all done, or pass the interrupt on."""
    counts = Counter(outcome.candidate for outcome in outcomes)
    finished = {candidate for candidate, n in counts.items() if n == fits_each}
    if not finished:
        raise KeyboardInterrupt
    warnings.warn(
        f"Interrupted: {len(finished)} of {n_candidates} candidates are done; the best "
        "of them is taken.",
        stacklevel=6,
    )
    return [outcome for outcome in outcomes if outcome.candidate in finished]


def _report_failures(outcomes, error_score):
    errors = Counter(
        f"{type(o.error).__name__}: {o.error}" for o in outcomes if o.error is not None
    )
    if not errors:
        return
    n_failed = sum(errors.values())
    texts = "; ".join(f"{n} times {text}" for text, n in errors.items())
    if n_failed == len(outcomes):
        raise ValueError(f"All {n_failed} fits failed: {texts}")
    warnings.warn(
        f"{n_failed} of {len(outcomes)} fits failed and score {error_score}: {texts}",
        FitFailedWarning,
        stacklevel=6,
    )


class DANNGridSearchCV(_DANNSearch, GridSearchCV):
    r"""Try all combinations of parameters and choose without target labels.

    The constructor, the attributes and ``cv_results_`` are those of scikit-learn's
    ``GridSearchCV``. What differs: every fit gets the whole target, scaled as the
    source is, without metadata routing; candidates are scored on the target, which has
    no labels; training on the source alone is always among them; and candidates that
    differ in lambda, learning rate, dropout and the like are trained as one network,
    each equal to its own fit.

    Parameters
    ----------
    estimator : DANNClassifier or Pipeline that ends in one
        What the candidates are variants of. The preprocessing is fitted once per fold
        and stack.
    param_grid : dict or list of dict
        Values to try, by parameter. Without ``lambda_max=0`` among them, it is added
        for each combination of the others.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to choose by. "infomax", "nuclear_norm", "neg_entropy", "neg_iwv",
        "neg_dev", "neg_devn" (see :func:`target_scorer`), "ensemble_agreement" (see
        :func:`~skdann.metrics.ensemble_agreement_score`), "reverse_validation" (see
        :func:`reverse_validation_score`; trains twice as many networks),
        "source_accuracy", or whatever ``GridSearchCV`` takes, computed on held-out
        source rows. None is
        "ensemble_agreement", which chose best, see Notes.
    n_jobs : int or None, default=None
        Stacks to train at once, by joblib, hence also on a Dask or Ray cluster. None is
        1, on one core; -1 uses all cores.
    refit : bool, str or callable, default=True
        Whether to fit the chosen candidate on all rows. With several scores, the name
        of the one to choose by. A callable gets ``cv_results_`` and returns an index;
        then nothing guards the choice.
    cv : int, splitter or iterable, default=None
        Folds of the source; None is 5, stratified.
    verbose : int, default=0
        1 shows a progress bar.
    pre_dispatch : int or str, default="2*n_jobs"
        Stacks to hand out at a time.
    error_score : "raise" or float, default=np.nan
        Score of a candidate that fails, for example because it diverges; the others
        go on.
    return_train_score : bool, default=False
        Whether to compute scores of labelled rows on the training folds as well.
    n_seeds : int, default=1
        How often to train each candidate, with different seeds; scores are means. The
        first seed is the candidate's own ``random_state``.
    max_stacked : int or "auto", default="auto"
        Most networks to train as one. More take more memory; "auto" is what memory
        allows, at most 32 on a CPU, where more gain nothing. 1 trains one by one.
    source_tolerance : float, default=0.05
        How much accuracy on held-out source rows a candidate may lose against the best
        there. 1 lifts the guard.

    Attributes
    ----------
    cv_results_ : dict of str to array
        As scikit-learn's, a row for each candidate. Beside ``mean_test_score`` there
        are ``mean_test_infomax`` and so on, for every score that needs no target
        labels, ``mean_test_source_accuracy`` and ``mean_test_ensemble_agreement``.
    best_index_ : int
        The chosen candidate: the best score among those that the guard lets pass; among
        equals the smallest lambda. Not always of rank 1.
    best_params_ : dict
        Its parameters.
    best_score_ : float
        Its mean score.
    best_estimator_ : estimator
        Fitted on all rows, if ``refit``.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds of the last fit.
    multimetric_ : bool
        Whether several scores were asked for.
    scorer_ : callable or dict
        What ``score`` uses; accuracy where candidates are scored on the target.
    feature_names_in_ : ndarray of str
        Names of the columns, if X had them.

    Warns
    -----
    AdaptationWarning
        If what another kind of score would choose predicts another class for more than
        a tenth of the target: "infomax", "neg_dev", "ensemble_agreement", or
        "reverse_validation" if it was computed.

    Notes
    -----
    No score without labels is safe: all of them are computed from what networks say of
    the target, and networks can be certain and wrong. On 23 pairs of real domains,
    apart from those it was chosen on, agreement with the other candidates brought half
    of what target labels would have, and reverse validation, which takes twice the
    time, more; ``docs/choosing.md`` has the tables. Agreement needs a crowd: spread the
    candidates over lambda and learning rate. A few labelled target rows tell more than
    any score.

    Callbacks of scikit-learn 1.9 and later (``set_callbacks``) are told of each fit of
    a candidate, with the search as if it had chosen that one, and of the refit with its
    epochs; epochs of candidates are not reported, as many are trained at once.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdann import DANNClassifier
    >>> from skdann.model_selection import DANNGridSearchCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt = X[:300, :10], y[:300], X[300:, 20:]
    >>> pipe = make_pipeline(StandardScaler(), DANNClassifier(random_state=0))
    >>> grid = {
    ...     "dannclassifier__lambda_max": [0, 0.3, 1],
    ...     "dannclassifier__lr": [1e-3, 3e-3],
    ... }
    >>> search = DANNGridSearchCV(pipe, grid, cv=2).fit(X_src, y_src, X_tgt)
    >>> search.predict(X_tgt).shape
    (269,)
    >>> len(search.cv_results_["mean_test_infomax"])
    6
    """

    _parameter_constraints = {**GridSearchCV._parameter_constraints, **_OWN_CONSTRAINTS}

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        n_seeds=1,
        max_stacked="auto",
        source_tolerance=0.05,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.n_seeds = n_seeds
        self.max_stacked = max_stacked
        self.source_tolerance = source_tolerance

    def _candidates(self):
        return ParameterGrid(self.param_grid)

    def _without_adaptation(self, candidates):
        return source_only_twins(self.estimator, candidates)


class DANNRandomizedSearchCV(_DANNSearch, RandomizedSearchCV):
    """Try parameters drawn at random and choose without target labels.

    As :class:`DANNGridSearchCV` in all but where candidates come from, and as
    scikit-learn's ``RandomizedSearchCV`` in that.

    Parameters
    ----------
    estimator : DANNClassifier or Pipeline that ends in one
        What the candidates are variants of.
    param_distributions : dict or list of dict
        Lists to draw from, or distributions with a method ``rvs``.
    n_iter : int, default=10
        How many candidates to draw. Without ``lambda_max=0`` among them, the estimator
        itself with ``lambda_max=0`` is one more.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to choose by, as in :class:`DANNGridSearchCV`.
    n_jobs : int or None, default=None
        Stacks to train at once.
    refit : bool, str or callable, default=True
        Whether to fit the chosen candidate on all rows.
    cv : int, splitter or iterable, default=None
        Folds of the source; None is 5, stratified.
    verbose : int, default=0
        1 shows a progress bar.
    pre_dispatch : int or str, default="2*n_jobs"
        Stacks to hand out at a time.
    random_state : int, RandomState or None, default=None
        Decides what is drawn.
    error_score : "raise" or float, default=np.nan
        Score of a candidate that fails.
    return_train_score : bool, default=False
        Whether to compute scores of labelled rows on the training folds as well.
    n_seeds : int, default=1
        How often to train each candidate, with different seeds.
    max_stacked : int or "auto", default="auto"
        Most networks to train as one.
    source_tolerance : float, default=0.05
        How much accuracy on held-out source rows a candidate may lose.

    Attributes
    ----------
    cv_results_, best_index_, best_params_, best_score_, best_estimator_
        As in :class:`DANNGridSearchCV`, as all other attributes.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import make_moons
    >>> from skdann import DANNClassifier
    >>> from skdann.model_selection import DANNRandomizedSearchCV
    >>> X, y = make_moons(200, noise=0.05, random_state=0)
    >>> search = DANNRandomizedSearchCV(
    ...     DANNClassifier(max_epochs=50, random_state=0),
    ...     {"lambda_max": loguniform(0.1, 3), "lr": loguniform(1e-3, 1e-2)},
    ...     n_iter=3,
    ...     cv=2,
    ...     random_state=0,
    ... ).fit(X, y, X + [0.3, 0])
    >>> len(search.cv_results_["params"])
    4
    """

    _parameter_constraints = {
        **RandomizedSearchCV._parameter_constraints,
        **_OWN_CONSTRAINTS,
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        n_seeds=1,
        max_stacked="auto",
        source_tolerance=0.05,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.n_seeds = n_seeds
        self.max_stacked = max_stacked
        self.source_tolerance = source_tolerance

    def _candidates(self):
        return ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state
        )

    def _without_adaptation(self, candidates):
        return source_only_twins(self.estimator, [{}])
