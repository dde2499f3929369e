"""``AutoDANNClassifier``: fit unlike candidates, combine those that agree."""

import math
import time
from dataclasses import replace
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._data._candidate_answers import ClassAnswers
from .._data._column_scales import column_scales
from .._data._domains import read_domains
from .._data._groups import if_used
from .._data._rows import check_rows_to_predict
from .._data._scale_check import warn_if_of_source
from .._data._shift import resolve_shift
from .._domain_aware import DomainAwareClassifier
from .._multi_fit import share_columns
from .._numbers import Number
from .._restore import restore_attributes_on_error
from .._typing import (
    Array,
    Domain,
    Estimator,
    MatrixLike,
    RandomState,
    VectorLike,
    fit_context,
)
from .._warn import warn
from ..metrics._agreement import combination_weights
from ..metrics._fitted import reading
from ..metrics._sampling import evenly_spaced_rows
from ._candidates import check_candidates, default_candidates, depends_on_shift
from ._fit import fit_candidates
from ._results import Evidence, explain, make_results, probabilities

# Candidates of less weight are left out of predictions: they would change nothing.
LEAST_WEIGHT = 1e-3


class AutoDANNClassifier(DomainAwareClassifier, BaseEstimator):
    r"""Combine networks that adapt with simple models, without labels of the target.

    Which way of adapting is best differs from pair to pair of domains, and without
    labels nobody knows. So candidates of unlike kinds are fitted under unlike scales of
    the columns: logistic regressions, random forests, extremely randomized trees and
    domain-adversarial networks. Their probabilities are averaged, each weighted by how
    far it agrees with the others on the target: where models are wrong, unlike models
    are wrong in unlike ways. A few labels of the target, if there are any, decide
    better still.

    Parameters
    ----------
    candidates : list of (str, estimator) or None, default=None
        Names, and a :class:`DANNClassifier`, a :class:`BaselineClassifier` or any
        classifier of scikit-learn with ``predict_proba``, which learns the source as it
        is. None is 13 candidates of four kinds; of sparse X 5.
    label_use : {"choice", "training", "both"}, default="choice"
        What labels of the target, ``y_tgt``, are used for: to weight the candidates,
        which are trained without them; to train the candidates, which are weighted
        without them; or for one after the other, which takes twice as long: what is
        weighted is then not quite what predicts. Never for both at once: a candidate
        would be judged by what it has seen.
    max_time : float or None, default=None
        Seconds for the candidates. Asked between candidates and after each epoch of a
        network; those that are not done are left out.
    n_jobs : int or None, default=None
        Candidates to fit at once, by joblib. None is 1; -1 uses all cores.
    random_state : int, RandomState or None, default=None
        Decides all that is random, and in candidates of yours all whose own
        ``random_state`` is None. Two fits with one int are the same on one machine.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    results_ : dict of str to array
        A row for each candidate, by falling weight; ``pandas.DataFrame(results_)`` is
        a table. ``candidate``; ``weight``, of sum 1; ``agreement``, its mean kappa with
        the others; ``same_prediction``, the share of target rows for which it predicts
        what the whole does; ``fit_time`` in seconds; ``error``, a text if it failed;
        and with labels for the choice ``n_right`` of ``n_labelled``.
    reason_ : str
        Why it predicts as it does, in a few sentences.
    candidates_ : dict of str to estimator
        The fitted candidates.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.

    See Also
    --------
    skdann.model_selection.rows_to_label : Which rows of the target to label.

    Notes
    -----
    The weight of candidate k is

    .. math:: w_k \propto a_k^8 \, e^{r_k}

    for :math:`a_k`, the mean of Cohen's kappa between its predictions for the target
    and those of each other candidate, at least .1, and :math:`r_k`, the number of
    labelled rows that it predicts rightly. The proportions of the classes in the target
    are estimated once, as :class:`DANNClassifier` does, and scales by domain are as if
    the source had them.

    If the candidates agree they can all be wrong in the same way, as where a column
    means something else in the target. Only labels tell that.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdann import AutoDANNClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt, y_tgt = X[:300, :10], y[:300], X[300:, 20:], y[300:]
    >>> auto = AutoDANNClassifier(random_state=0).fit(X_src, y_src, X_tgt)
    >>> bool(auto.score(X_tgt, y_tgt) > 0.9)
    True
    >>> len(auto.results_["candidate"])
    13
    """

    __metadata_request__fit = {
        "X_tgt": True,
        "y_tgt": True,
        "classes": True,
        "groups": True,
        "groups_tgt": True,
    }

    _parameter_constraints = {
        "candidates": [list, None],
        "label_use": [StrOptions({"choice", "training", "both"})],
        "max_time": [Number(Real, 0, math.inf, closed="neither"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        candidates: list[tuple[str, Estimator]] | None = None,
        *,
        label_use: Literal["choice", "training", "both"] = "choice",
        max_time: float | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.candidates = candidates
        self.label_use = label_use
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @restore_attributes_on_error
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
        """Fit all candidates, and weight them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows, with the columns of X.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts in training.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts in training, and where candidates are
            compared.
        y_tgt : array-like of shape (n_target,), default=None
            The few target labels that are known, marked as in
            :meth:`skdann.DANNClassifier.fit`. What they are used for is ``label_use``.
        classes : array-like of shape (n_classes,), default=None
            All labels, if the target has some that y lacks.
        groups : array-like of shape (n_samples,), default=None
            Of each source row the site, sensor, patient or month that it comes from,
            for candidates of yours with ``domain_classes="groups"``. Those by default
            tell source and target apart alone.
        groups_tgt : array-like of shape (n_target,), default=None
            The same of each target row.

        Returns
        -------
        self : AutoDANNClassifier
            Fitted.

        Raises
        ------
        ValueError
            If the data or the parameters make no sense, or if no candidate could be
            fitted; the message says what to do.
        KeyboardInterrupt
            If interrupted before any candidate is done. After that, Ctrl-C ends the
            fit, with the candidates that are done.

        Warns
        -----
        FitFailedWarning
            If a candidate could not be fitted, or not in time; the others are.
        """
        candidates = check_candidates(self.candidates, self.random_state)
        domains = self._read(
            candidates,
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
            classes=classes,
            groups=groups,
            groups_tgt=groups_tgt,
        )
        candidates = candidates or default_candidates(domains, self.random_state)
        self._row_shape = domains.X.shape[1:]
        self._scales = column_scales(domains, "domain")
        if self.label_use == "training":
            all_fitted, _ = self._fit_candidates(candidates, domains, self.max_time)
            no_labels = Evidence.of(replace(domains, y_tgt=None))
            return self._combine(all_fitted, domains, no_labels)
        unlabelled = domains.without_target_labels()
        trains_again = self.label_use == "both" and domains.y_tgt is not None
        max_time = self.max_time and self.max_time / (1 + trains_again)
        all_fitted, is_interrupted = self._fit_candidates(
            candidates, unlabelled, max_time
        )
        self._combine(all_fitted, unlabelled, Evidence.of(domains))
        if trains_again and not is_interrupted:
            in_use = {name: candidates[name] for name in self._weight_of}
            self._train_again(in_use, domains, max_time)
        return self

    def predict_proba(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the probability of each class: the weighted mean of the candidates.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; candidates scale the domains differently. None is the target.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        domain, is_assumed = self._domain_of_rows(domain)
        checked = check_rows_to_predict(self, X, self._row_shape)
        if is_assumed:
            warn_if_of_source(checked, *self._scales)
        in_use = {k: w for k, w in self._weight_of.items() if w >= LEAST_WEIGHT}
        P = sum(
            weight * reading(self.candidates_[name], domain).predict_proba(X)
            for name, weight in in_use.items()
        )
        return P / sum(in_use.values())

    def _candidate_answers(self, X_tgt):
        """Return what candidates predict for rows of the target, and their weights.

        Parameters
        ----------
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows.

        Returns
        -------
        ClassAnswers
        """
        votes = probabilities(self.candidates_.values(), X_tgt).argmax(axis=2)
        weights = np.array(list(self._weight_of.values()))
        rows = np.arange(votes.shape[1])
        return ClassAnswers(rows, votes, weights, None, self.classes_)

    def _read(self, candidates, X, y, X_tgt, **of_rows):
        """Check and encode the data, groups only if a candidate looks at them."""
        if X_tgt is None:
            raise ValueError(
                f"{type(self).__name__} weights its candidates on the target: "
                "fit(X, y, X_tgt). Without a target use a classifier of scikit-learn."
            )
        of_rows = if_used(of_rows, candidates.values())
        domains = read_domains(self, X, y, X_tgt, **of_rows)
        if domains.X.ndim != 2:
            raise ValueError(
                f"{type(self).__name__} is for tables, but X has rows of shape "
                f"{domains.X.shape[1:]}. Use a DANNClassifier with a feature_extractor."
            )
        return domains

    def _fit_candidates(self, candidates, domains, max_time):
        """Return the candidates as they are after their fits, one at least fitted.

        The proportions of the classes are estimated once for all: scales by domain are
        wrong where these differ.
        """
        ends = None if max_time is None else time.time() + max_time
        if any(map(depends_on_shift, candidates.values())):
            domains = resolve_shift(domains, "auto", "estimate")
        all_fitted, is_interrupted = fit_candidates(
            candidates, domains, ends=ends, n_jobs=self.n_jobs, verbose=self.verbose
        )
        some = domains.X_tgt[evenly_spaced_rows(domains.n_target)]
        for fitted in all_fitted:
            if fitted.error is None:
                fitted.predict(some, domains.targets.n_outputs)
        failed = [fitted for fitted in all_fitted if fitted.error is not None]
        reasons = "; ".join(fitted.reason(max_time) for fitted in failed)
        if len(failed) == len(all_fitted):
            raise ValueError(f"No candidate could be fitted. {reasons}")
        if failed:
            share = f"{len(failed)} of {len(candidates)}"
            warn(f"{share} candidates are left out. {reasons}", FitFailedWarning)
        return all_fitted, is_interrupted

    def _train_again(self, candidates, domains, max_time):
        """Train with labels what is weighted already, or leave it as it is."""
        try:
            again, _ = self._fit_candidates(candidates, domains, max_time)
        except KeyboardInterrupt:
            warn("Interrupted: the candidates stay as they were without the labels.")
            return
        done = [fitted for fitted in again if fitted.error is None]
        if len(done) == len(candidates):
            self._set_candidates(again, domains, self._weight_of)
        else:
            warn(
                "All candidates stay as they were without the labels: not all of those "
                "that are weighted could be trained with them.",
                FitFailedWarning,
            )

    def _combine(self, all_fitted, domains, evidence):
        """Weight the candidates, and say how it came."""
        done = [fitted for fitted in all_fitted if fitted.error is None]
        models = [fitted.estimator for fitted in done]
        row_weight = domains.row_weight_tgt
        if row_weight is not None:
            row_weight = row_weight[evenly_spaced_rows(domains.n_target)]
        P = np.stack([fitted.P for fitted in done])
        votes = P.argmax(axis=2)
        is_right = evidence.is_right(models)
        weights = combination_weights(votes, is_right.sum(axis=1), row_weight)
        names = [fitted.name for fitted in done]
        weight_of = dict(zip(names, weights, strict=True))
        self._set_candidates(all_fitted, domains, weight_of)
        whole = np.tensordot(weights, P, axes=1).argmax(axis=1)
        self.results_ = make_results(all_fitted, votes, weights, whole, is_right)
        self.reason_ = explain(names, votes, weights, is_right)
        return self

    def _set_candidates(self, all_fitted, domains, weight_of):
        """Keep fitted candidates, with the names of the columns, and their weights."""
        done = {f.name: f.estimator for f in all_fitted if f.error is None}
        for candidate in done.values():
            share_columns(self, candidate)
        self.candidates_ = done
        self._weight_of = {name: weight_of[name] for name in done}
        self.classes_ = domains.targets.classes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
