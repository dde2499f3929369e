"""What both combinations share: fit unlike candidates, weight those that agree."""

import math
import time
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._data._column_scales import column_scales
from .._data._domains import read_domains
from .._data._groups import if_used
from .._data._rows import check_rows_to_predict
from .._data._scale_check import warn_if_of_source
from .._multi_fit import share_columns
from .._numbers import Number
from .._typing import Estimator, RandomState
from .._warn import warn
from ..metrics._fitted import reading
from ..metrics._sampling import spread_rows
from ._candidates import check_candidates
from ._fit import fit_candidates
from ._results import explain, make_results

# Candidates of less weight are left out of predictions: they would change nothing.
LEAST_WEIGHT = 1e-3


class BaseAutoDANN(BaseEstimator):
    """Parameters and fit of both combinations.

    A subclass has ``fit`` and ``predict``, and ``_judged``, which says what candidates
    are of what y is: ``JudgedClasses`` or ``JudgedNumbers``.
    """

    _judged: Any

    __metadata_request__fit = {
        "X_tgt": True,
        "y_tgt": True,
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

    def _fit(self, X, y, X_tgt, **of_rows):
        """Fit all candidates, and weight them."""
        candidates = check_candidates(self.candidates, self.random_state, self._judged)
        domains = self._read(candidates, X, y, X_tgt, **of_rows)
        candidates = candidates or self._judged.default_candidates(
            domains, self.random_state
        )
        self._row_shape = domains.X.shape[1:]
        self._scales = column_scales(domains, "domain")
        if self.label_use == "training":
            all_fitted, _ = self._fit_candidates(candidates, domains, self.max_time)
            return self._combine(all_fitted, replace(domains, y_tgt=None))
        unlabelled = domains.without_target_labels()
        trains_again = self.label_use == "both" and domains.y_tgt is not None
        max_time = self.max_time and self.max_time / (1 + trains_again)
        all_fitted, is_interrupted = self._fit_candidates(
            candidates, unlabelled, max_time
        )
        self._combine(all_fitted, domains)
        if trains_again and not is_interrupted:
            in_use = {name: candidates[name] for name in self._weight_of}
            self._train_again(in_use, domains, max_time)
        return self

    def _predict_mean(self, X, domain):
        """Return the weighted mean of what the candidates answer for rows."""
        check_is_fitted(self)
        domain, is_assumed = self._domain_of_rows(domain)
        checked = check_rows_to_predict(self, X, self._row_shape)
        if is_assumed:
            warn_if_of_source(checked, *self._scales)
        in_use = {k: w for k, w in self._weight_of.items() if w >= LEAST_WEIGHT}
        answers = sum(
            weight * self._judged.predict(reading(self.candidates_[name], domain), X)
            for name, weight in in_use.items()
        )
        return answers / sum(in_use.values())

    def _candidate_answers(self, X_tgt):
        """Return what candidates predict for rows of the target, and their weights.

        Parameters
        ----------
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows.

        Returns
        -------
        ClassAnswers or NumberAnswers
        """
        answers = self._answers(self.candidates_.values(), X_tgt)
        weights = np.array(list(self._weight_of.values()))
        return self._judged.to_label(answers, weights, self)

    def _answers(self, models, X_tgt):
        """Return what models answer for target rows, (n_models, n, n_outputs)."""
        on_target = [reading(model, "target") for model in models]
        return np.stack([self._judged.predict(model, X_tgt) for model in on_target])

    def _read(self, candidates, X, y, X_tgt, **of_rows):
        """Check and encode the data, groups only if a candidate looks at them."""
        if X_tgt is None:
            raise ValueError(
                f"{type(self).__name__} weights its candidates on the target: "
                "fit(X, y, X_tgt). Without a target use scikit-learn."
            )
        of_rows = if_used(of_rows, candidates.values())
        read_targets = self._judged.read_targets
        domains = read_domains(self, X, y, X_tgt, **of_rows, read_targets=read_targets)
        if domains.X.ndim != 2:
            network = self._judged.network.__name__
            raise ValueError(
                f"{type(self).__name__} is for tables, but X has rows of shape "
                f"{domains.X.shape[1:]}. Use a {network} with a feature_extractor."
            )
        return domains

    def _fit_candidates(self, candidates, domains, max_time):
        """Return the candidates as they are after their fits, one at least fitted."""
        ends = None if max_time is None else time.time() + max_time
        domains = self._judged.prepare(domains, candidates.values())
        all_fitted, is_interrupted = fit_candidates(
            candidates, domains, ends=ends, n_jobs=self.n_jobs, verbose=self.verbose
        )
        some = domains.X_tgt[spread_rows(domains.n_target)]
        for fitted in all_fitted:
            if fitted.error is None:
                fitted.predict(some, domains.targets, self._judged)
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

    def _combine(self, all_fitted, domains):
        """Weight the candidates, also by labels that domains has, and say how."""
        done = [fitted for fitted in all_fitted if fitted.error is None]
        row_weight = domains.row_weight_tgt
        if row_weight is not None:
            row_weight = row_weight[spread_rows(domains.n_target)]
        answers = np.stack([fitted.answers for fitted in done])
        on_labelled = answers[:, :0]
        labelled = domains.labelled_rows_tgt
        if len(labelled):
            models = [fitted.estimator for fitted in done]
            on_labelled = self._answers(models, domains.X_tgt[labelled])
        judged = self._judged.of(answers, on_labelled, domains, row_weight)
        names = [fitted.name for fitted in done]
        weight_of = dict(zip(names, judged.weights, strict=True))
        self._set_candidates(all_fitted, domains, weight_of)
        self.results_ = make_results(all_fitted, judged)
        self.reason_ = explain(names, judged)
        return self

    def _set_candidates(self, all_fitted, domains, weight_of):
        """Keep fitted candidates, with the names of the columns, and their weights."""
        done = {f.name: f.estimator for f in all_fitted if f.error is None}
        for candidate in done.values():
            share_columns(self, candidate)
        self.candidates_ = done
        self._weight_of = {name: weight_of[name] for name in done}
        vars(self).update(self._judged.fitted_attributes(domains))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
