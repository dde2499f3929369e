"""The public searches: their parameters, and where candidates come from."""

import os
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    ParameterSampler,
    RandomizedSearchCV,
)
from sklearn.utils._param_validation import StrOptions

from .._numbers import Count, Number
from .._typing import Estimator, PathLike, RandomState
from .._warn import silent_libraries, warn
from ._base_search import BaseDANNSearch
from ._candidates import source_only_candidates
from ._scoring import KNOWN

_OWN_CONSTRAINTS = {
    "scoring": [
        StrOptions({*get_scorer_names(), *KNOWN}),
        callable,
        list,
        tuple,
        dict,
        None,
    ],
    "n_seeds": [Count(Integral, 1, None, closed="left")],
    "max_stacked": [StrOptions({"auto"}), Count(Integral, 1, None, closed="left")],
    "pre_dispatch": [Count(Integral, 1, None, closed="left"), str],
    "source_tolerance": [Number(Real, 0, 1, closed="both")],
    "label_use": [StrOptions({"choice", "training", "both"})],
    "baselines": ["boolean"],
    "checkpoint": [str, os.PathLike, None],
}


class DANNGridSearchCV(BaseDANNSearch, GridSearchCV):
    r"""Try all combinations of parameters and choose without target labels.

    The constructor, the attributes and ``cv_results_`` are those of scikit-learn's
    ``GridSearchCV``. What differs: every fit gets the whole target, scaled as the
    source is, without metadata routing; candidates are scored on the target, which has
    no labels; a source-only candidate is always among them; and candidates that
    differ in lambda, learning rate, dropout and the like are trained as one network,
    each equal to its own fit.

    Parameters
    ----------
    estimator : DANNClassifier, DANNRegressor or Pipeline that ends in one
        What the candidates are variants of. The preprocessing is fitted once per fold
        and stack.
    param_grid : dict or list of dict
        Values to try, by parameter. Without ``lambda_max=0`` among them, it is added
        for each combination of the others.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to choose by. "infomax", "nuclear_norm", "neg_entropy", "neg_iwv",
        "neg_dev", "neg_devn" (see :func:`target_scorer`), "ensemble_agreement" (see
        :func:`~skdann.metrics.ensemble_agreement_score`), "log_posterior" (8 times the
        logarithm of the mean of Cohen's kappa with the other candidates, plus the
        number of labelled target rows that are predicted rightly, if there are labels
        for the choice), "reverse_validation" (see
        :func:`reverse_validation_score`; trains twice as many networks),
        "source_accuracy", or whatever ``GridSearchCV`` takes, computed on held-out
        source rows. None is "ensemble_agreement", which chose best, see Notes. Of
        regressors "neg_iwv", "neg_dev", "neg_devn", "ensemble_agreement" (Lin's
        concordance with the mean of all candidates), "reverse_validation" and
        "source_r2".
    n_jobs : int or None, default=None
        Stacks to train at once, by joblib, hence also on a Dask or Ray cluster. None
        begins on one core; if the search takes more than about 20 seconds, what is left
        goes to one process for each core, see Notes. 1 stays in this process, -1 uses
        all cores from the beginning.
    refit : bool, str or callable, default=True
        Whether to fit the chosen candidate on all rows. With several scores, the name
        of the one to choose by. A callable gets ``cv_results_`` and returns an index;
        then ``source_tolerance`` has no effect.
    cv : int, splitter or iterable, default=None
        Folds of the source; None is 5, stratified.
    verbose : int, default=0
        1 shows a progress bar.
    pre_dispatch : int or str, default="2*n_jobs"
        Stacks to hand out at a time, if ``n_jobs`` is given.
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
        allows, at most 16 on a CPU, where more gain nothing. 1 trains one by one.
    source_tolerance : float, default=0.05
        How much lower the accuracy, or R2, of a candidate on held-out source rows may
        be than the highest of all. 1 allows any.
    label_use : {"choice", "training", "both"}, default="training"
        What the few labels of the target, ``y_tgt``, are used for: to train all
        candidates; to choose among candidates that are trained without them; or to
        choose, and then to train the chosen one. With "choice" and "both", ``scoring``
        None is "log_posterior", and "labelled_r2" of regressors.
    baselines : bool, default=False
        Whether simple models are candidates, too: a logistic regression, scaled by the
        source and each domain by itself, and a random forest, as rows are and each
        domain by itself; see :class:`skdann.BaselineClassifier`. One that is chosen is
        ``best_estimator_``, or its last step.
    checkpoint : path or None, default=None
        A folder, new or empty at first, where each finished stack is written, and the
        refit as it goes. After a crash the same call goes on from there, without
        ``resume``, and ends with the same results to the bit. A folder of another
        search, or of other data, is refused.

    Attributes
    ----------
    cv_results_ : dict of str to array
        As scikit-learn's, a row for each candidate. Beside ``mean_test_score`` there
        are ``mean_test_infomax`` and so on, for every score that needs no target
        labels, ``mean_test_source_accuracy``, ``mean_test_ensemble_agreement``,
        ``mean_test_log_posterior`` and, with labels for the choice,
        ``mean_test_labelled_accuracy``. Of regressors the last are
        ``mean_test_source_r2`` and ``mean_test_labelled_r2``.
    best_index_ : int
        The chosen candidate: the best score among those within ``source_tolerance``;
        among equals the smallest lambda. Not always of rank 1.
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
    reason_ : str
        Whether the labels for the choice tell the two best candidates apart, and about
        how many more would; empty without such labels.
    feature_names_in_ : ndarray of str
        Names of the columns, if X had them.

    Warns
    -----
    AdaptationWarning
        If a score of another kind ("infomax", "neg_dev", "ensemble_agreement", or
        "reverse_validation" if it was computed) would choose a candidate that predicts
        another class for more than a tenth of the target.

    Notes
    -----
    Scores without target labels can be wrong: all of them are computed from predictions
    for the target, and networks can be certain and wrong. On 23 pairs of real domains,
    held out when it was chosen, the default score gained half of what target labels
    would have, and reverse validation, which takes twice the time, more;
    ``docs/choosing.md`` has the tables. The default score measures agreement with the
    mean of all candidates: use ten or more, spread over lambda and learning rate. A few
    labelled target rows tell more than any score.

    With ``n_jobs=None`` scores are the same to the bit, wherever a candidate is
    trained; with ``random_state=None`` each process draws numbers of its own. Processes
    have large arrays in common, as joblib's memory maps, and hold copies of all else,
    such as data frames; what a function of yours records is recorded in its process.
    None are started if joblib is configured otherwise (``joblib.parallel_config``), for
    networks on a GPU, for candidates that can't be pickled, and where the search is in
    a thread or a worker process itself. Like others of joblib they end when they had
    nothing to do for five minutes.

    Callbacks of scikit-learn 1.9 and later (``set_callbacks``) are called for each fit
    of a candidate, with the search as if it had chosen that one, and for the refit and
    its epochs; not for the epochs of candidates, as many are trained at once.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdann import DANNClassifier
    >>> from skdann.model_selection import DANNGridSearchCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt = X[:300, :10], y[:300], X[300:, 20:]
    >>> clf = DANNClassifier(n_estimators=1, max_epochs=10, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), clf)
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
        estimator: Estimator,
        param_grid: dict[str, Any] | list[dict[str, Any]],
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., Any] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        n_seeds: int = 1,
        max_stacked: int | Literal["auto"] = "auto",
        source_tolerance: float = 0.05,
        label_use: Literal["training", "choice", "both"] = "training",
        baselines: bool | list[tuple[str, Estimator]] = False,
        checkpoint: PathLike | None = None,
    ) -> None:
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
        self.label_use = label_use
        self.baselines = baselines
        self.checkpoint = checkpoint

    def _candidates(self):
        return ParameterGrid(self.param_grid)

    def _without_adaptation(self, candidates):
        return source_only_candidates(self.estimator, candidates)


class DANNRandomizedSearchCV(BaseDANNSearch, RandomizedSearchCV):
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
        Stacks to train at once. None is one core, and all cores for what is left of a
        search that takes long.
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
    label_use : {"choice", "training", "both"}, default="training"
        What the few labels of the target are used for.
    baselines : bool, default=False
        Whether simple models are candidates, too.
    checkpoint : path or None, default=None
        A folder from which the same call goes on after a crash. Set ``random_state``:
        other candidates are another search.

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
    ...     DANNClassifier(n_estimators=1, max_epochs=10, random_state=0),
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
        estimator: Estimator,
        param_distributions: dict[str, Any] | list[dict[str, Any]],
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., Any] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: RandomState = None,
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        n_seeds: int = 1,
        max_stacked: int | Literal["auto"] = "auto",
        source_tolerance: float = 0.05,
        label_use: Literal["training", "choice", "both"] = "training",
        baselines: bool | list[tuple[str, Estimator]] = False,
        checkpoint: PathLike | None = None,
    ) -> None:
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
        self.label_use = label_use
        self.baselines = baselines
        self.checkpoint = checkpoint

    def _candidates(self):
        sampler = ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state
        )
        with silent_libraries():
            candidates = list(sampler)
        if 0 < len(candidates) < self.n_iter:
            warn(
                f"There are {len(candidates)} candidates to draw from, fewer than "
                f"n_iter={self.n_iter}: all are tried."
            )
        return candidates

    def _without_adaptation(self, candidates):
        return source_only_candidates(self.estimator, [{}])
