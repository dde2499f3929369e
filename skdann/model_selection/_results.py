"""Build ``cv_results_`` from the outcomes of the fits of a search."""

import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection._search import _yield_masked_array_for_each_param


def by_candidate(outcomes, n_candidates):
    """Return the outcomes of each candidate, fold by fold.

    Parameters
    ----------
    outcomes : list of Outcome
        In any order.
    n_candidates : int
        How many there are.

    Returns
    -------
    list of list of list of Outcome
        Candidates, folds, seeds.
    """
    table = [{} for _ in range(n_candidates)]
    for outcome in sorted(outcomes, key=lambda o: (o.fold, o.seed)):
        table[outcome.candidate].setdefault(outcome.fold, []).append(outcome)
    return [list(folds.values()) for folds in table]


def make_results(params, table, error_score):
    """Return ``cv_results_``.

    Parameters
    ----------
    params : list of dict
        Of each candidate.
    table : list of list of list of Outcome
        From :func:`by_candidate`, complete.
    error_score : float
        What a fit that failed scores.

    Returns
    -------
    dict of str to array
        With the names of scikit-learn.
    """
    results = {}
    for name in ("fit_time", "score_time"):
        _store(
            results,
            name,
            _mean_over_seeds(table, lambda o, name=name: getattr(o, name)),
        )
    results.update(_yield_masked_array_for_each_param(params))
    results["params"] = params
    for kind in ("test", "train"):
        names = {
            name: None
            for candidate in table
            for fold in candidate
            for outcome in fold
            for name in getattr(outcome, f"{kind}_scores")
        }
        for name in names:

            def score(outcome, name=name, kind=kind):
                failed = outcome.error is not None
                scores = getattr(outcome, f"{kind}_scores")
                return error_score if failed else scores.get(name, np.nan)

            values = _mean_over_seeds(table, score)
            _store(results, f"{kind}_{name}", values, splits=True, rank=kind == "test")
    return results


def _mean_over_seeds(table, value):
    """Array of shape (n_candidates, n_folds)."""
    with np.errstate(invalid="ignore"):  # of infinite scores
        return np.array(
            [
                [np.mean([value(outcome) for outcome in fold]) for fold in candidate]
                for candidate in table
            ]
        )


def _store(results, name, values, *, splits=False, rank=False):
    if splits:
        for fold, column in enumerate(values.T):
            results[f"split{fold}_{name}"] = column
    with np.errstate(invalid="ignore"):  # of infinite scores
        means = values.mean(axis=1)
        results[f"std_{name}"] = values.std(axis=1)
    results[f"mean_{name}"] = means
    if rank:
        worst = np.where(np.isfinite(means), means, -np.inf)  # failures come last
        results[f"rank_{name}"] = rankdata(-worst, method="min").astype(np.int32)
