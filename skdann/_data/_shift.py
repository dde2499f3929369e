"""How the domains differ: in the scales of their columns, in proportions of classes."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

from .._numbers import as_float, as_list
from .._warn import silent_libraries
from ..metrics._proportions import calibrate, estimate_proportions, total_variation
from ..metrics._sampling import spread_rows
from ._column_scales import column_scales
from ._weights import source_proportions

# How far the given proportions may be from a sum of 1: those of a table are rounded.
ROUNDING = 0.01

# Rows of each domain that is judged by: it takes a second, and more tell no more.
MAX_ROWS = 1000

# The estimate decides the scales of columns, and these the estimate.
MAX_ROUNDS = 3
SMALL_CHANGE = 0.01

# As if so many rows more of the target were known, with the source's proportions.
PRIOR_ROWS = 10

# Of the forest that is one of the two models.
N_TREES = 100

# Added to probabilities, half a tree's.
SMOOTHING = 0.5 / N_TREES

# Deviations; trees compute in float32, and sums of squares must not overflow either.
LARGEST = 1e18


def resolve_shift(domains, standardize, target_prior):
    """Return the domains with how to standardize them, and the target's proportions.

    Parameters
    ----------
    domains : Domains
        Checked data.
    standardize, target_prior
        As in :class:`skdann.DANNClassifier`.

    Returns
    -------
    Domains
        With ``scales`` and ``target_prior``; an estimate that they have already stays.
    """
    is_table = domains.X.ndim == 2
    is_dense_table = is_table and not sparse.issparse(domains.X)
    candidates = [standardize]
    if standardize == "auto":
        candidates = ["source", "domain"] if is_dense_table else [None]
    if domains.X_tgt is None:
        return replace(domains, scales=candidates[0])
    estimates = isinstance(target_prior, str) and domains.target_prior is None
    if target_prior is not None and not isinstance(target_prior, str):
        prior = _check_target_prior(target_prior, domains.targets.classes)
        domains = replace(domains, target_prior=prior)
    elif estimates and not is_table:
        prior = source_proportions(domains, domains.row_weight)
        domains = replace(domains, target_prior=prior)
    resolved = [replace(domains, scales=scales) for scales in candidates]
    if is_table and (estimates or len(candidates) > 1):
        return _with_most_agreement(resolved, estimates)
    return resolved[0]


def _check_target_prior(target_prior, classes):
    """Return the given proportions in the order of the classes, of sum 1."""
    if _has_labels(target_prior):
        target_prior = dict(target_prior.items())
    if isinstance(target_prior, dict):
        target_prior = _in_order(target_prior, classes.tolist())
    given = as_list(target_prior)
    prior = np.array([as_float(value) for value in given], dtype=np.float64)
    if len(prior) != len(classes):
        raise ValueError(
            f"target_prior has {len(prior)} entries, but there are {len(classes)} "
            f"classes: give a proportion for each of {classes.tolist()}."
        )
    if not (prior >= 0).all() or not abs(prior.sum() - 1) <= ROUNDING:
        raise ValueError(
            f"target_prior holds {given}; it must hold proportions, at least "
            "0, whose sum is 1."
        )
    return prior / prior.sum()


def _has_labels(target_prior):
    """Whether it is a Series of pandas by label, as ``value_counts`` returns.

    Such a Series is sorted by frequency and not by label.
    """
    index = getattr(target_prior, "index", None)
    if index is None or not hasattr(target_prior, "items"):
        return False
    return list(index) != list(range(len(target_prior)))


def _in_order(target_prior, labels):
    """Return the proportions of a dict in the order of the labels."""
    known = set(labels)
    lacking = [label for label in labels if label not in target_prior]
    unknown = [label for label in target_prior if label not in known]
    if lacking or unknown:
        raise ValueError(
            f"target_prior must give a proportion for each of the classes {labels}"
            f"; it lacks {lacking} and has {unknown}."
        )
    return [target_prior[label] for label in labels]


def _with_most_agreement(candidates, estimates):
    """Return the domains on whose scales two unlike models agree best.

    Where the scales are wrong, models go wrong, each in its own way; so agreement tells
    how right they are without a label. Proportions are estimated on the way.
    """
    of_all = some_rows(candidates[0])
    agreements = []
    with silent_libraries(), np.errstate(all="ignore"):
        models = _TwoModels(of_all)
        for i, domains in enumerate(candidates):
            some = replace(of_all, scales=domains.scales)
            if estimates:
                some = models.estimate_prior(some)
                candidates[i] = replace(domains, target_prior=some.target_prior)
            if len(candidates) > 1:
                agreements.append(models.agreement(some))
    return candidates[np.argmax(agreements)] if agreements else candidates[0]


def some_rows(domains):
    """Return domains of at most ``MAX_ROWS`` rows each, all of them in use."""
    rows = domains.rows[spread_rows(len(domains.rows), MAX_ROWS)]
    rows_tgt = spread_rows(domains.n_target, MAX_ROWS)
    weight, weight_tgt = domains.row_weight, domains.row_weight_tgt
    return replace(
        domains,
        X=domains.X[rows],
        y=domains.y[rows],
        rows=np.arange(len(rows)),
        row_weight=None if weight is None else weight[rows],
        X_tgt=domains.X_tgt[rows_tgt],
        row_weight_tgt=None if weight_tgt is None else weight_tgt[rows_tgt],
    )


class _TwoModels:
    """A random forest and a logistic regression, which learn the source.

    Parameters
    ----------
    domains : Domains
        All rows of the source in use.
    """

    def __init__(self, domains):
        self.classes, self.y = np.unique(domains.y, return_inverse=True)
        self.mean, self.scale = self._scales(replace(domains, scales="source"))
        self.forest = RandomForestClassifier(
            N_TREES, min_samples_leaf=2, oob_score=True, random_state=0
        ).fit(self._in_deviations(domains.X), self.y, domains.row_weight)
        self._scales_of_answers, self._answers = None, None

    def estimate_prior(self, domains):
        """Return the domains with estimated proportions, as far as both models agree.

        If columns are standardized by domain, the source's as if it had the proportions
        of the target, scales and estimate take turns.
        """
        source = source_proportions(domains, domains.row_weight)
        known = source[self.classes] / source[self.classes].sum()
        domains = replace(domains, target_prior=source)
        for _ in range(MAX_ROUNDS if domains.scales == "domain" else 1):
            before, estimate = domains.target_prior, source.copy()
            first, second = (
                estimate_proportions(P, known, domains.row_weight_tgt)
                for P in self._predict_target(domains)
            )
            share = _common_share(first, second, known) ** 2
            share *= domains.n_target / (domains.n_target + PRIOR_ROWS)
            estimate[self.classes] = known + share * ((first + second) / 2 - known)
            domains = replace(domains, target_prior=estimate)
            if total_variation(estimate, before) < SMALL_CHANGE:
                break
        return domains

    def agreement(self, domains):
        """Return Cohen's kappa of both models' predictions for the target."""
        labels = [P.argmax(axis=1) for P in self._predict_target(domains)]
        if len(np.union1d(*labels)) == 1:
            return 0.0  # that says nothing: kappa is not defined
        return cohen_kappa_score(*labels, sample_weight=domains.row_weight_tgt)

    def _predict_target(self, domains):
        """Return the probabilities of both models for target rows.

        The last answers are kept: what is estimated and how well the models agree is
        often asked of the same scales.
        """
        scales = self._scales(domains)
        if not np.array_equal(scales, self._scales_of_answers):
            self._scales_of_answers = scales
            self._answers = self._predict_target_in(scales, domains)
        return self._answers

    def _predict_target_in(self, scales, domains):
        """Return the probabilities of both models, columns in these scales.

        The forest has learned rows in deviations of the source; those of the target
        are brought there.
        """
        (mean, mean_tgt), (scale, scale_tgt) = scales
        X, X_tgt = domains.X, domains.X_tgt
        of_forest = X_tgt
        if not sparse.issparse(X):
            X = bounded((X - mean) / scale)
            X_tgt = bounded((X_tgt - mean_tgt) / scale_tgt)
            of_forest = self._in_deviations(X_tgt * scale + mean)
        linear = LogisticRegression(max_iter=300).fit(X, self.y, domains.row_weight)
        out_of_bag = np.nan_to_num(self.forest.oob_decision_function_)
        return linear.predict_proba(X_tgt), calibrate(
            _smooth(out_of_bag), self.y, _smooth(self.forest.predict_proba(of_forest))
        )

    def _scales(self, domains):
        if sparse.issparse(domains.X):
            return ((0, 0), (1, 1))
        return column_scales(domains, domains.scales or "source")

    def _in_deviations(self, X):
        if sparse.issparse(X):
            return X
        return bounded((X - self.mean[0]) / self.scale[0])


def bounded(X):
    """Return deviations that models can read: of huge values they overflow."""
    return np.nan_to_num(X).clip(-LARGEST, LARGEST)


def _common_share(first, second, known):
    r"""Return in how far two estimates move together away from what is known.

    .. math:: 1 - \frac{|\pi_1 - \pi_2|}{|\pi_1 - \pi_S| + |\pi_2 - \pi_S|}

    1 if they are the same, 0 if they move in opposite directions: then it is not the
    proportions that differ.
    """
    moved = total_variation(first, known) + total_variation(second, known)
    return 1 - total_variation(first, second) / moved if moved > 0 else 0.0


def _smooth(P):
    """Keep probabilities of a forest, which are counts of trees, away from 0."""
    P = P + SMOOTHING
    return P / P.sum(axis=1, keepdims=True)
