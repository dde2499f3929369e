"""Divide candidates into tasks: those trained together, on one fold."""

import copy
import math

from joblib import effective_n_jobs
from sklearn.base import clone

from .._base import is_same
from .._training import MAX_NETS_CPU, draw_seeds, resolve_device
from ._evaluation import Task
from ._pipeline import classifier_prefix, take_apart

OF_LAMBDA = ("lambda_max", "lambda_schedule", "lambda_gamma")

# Parameters of the classifier that may differ within a stack.
STACKABLE = (
    *OF_LAMBDA,
    "lr",
    "lr_schedule",
    "lr_alpha",
    "lr_beta",
    "momentum",
    "weight_decay",
    "dropout",
    "class_weight",
    "random_state",
)


def make_candidate(estimator, params):
    """Return a copy of the estimator with the parameters of a candidate."""
    return clone(estimator).set_params(**clone(params, safe=False))


def peak_of(estimator, params):
    """Return ``lambda_max`` of a candidate."""
    return take_apart(make_candidate(estimator, params))[1].lambda_max


def source_only_twins(estimator, candidates):
    """Return the candidates without adaptation, one for each different rest."""
    prefix = classifier_prefix(estimator)
    of_lambda = {prefix + name for name in OF_LAMBDA}
    twins = []
    for params in candidates:
        twin = {k: v for k, v in params.items() if k not in of_lambda}
        twin[prefix + "lambda_max"] = 0.0
        if not any(_are_same(twin, other) for other in twins):
            twins.append(twin)
    return twins


def make_tasks(estimator, candidates, *, n_folds, n_seeds, n_jobs, max_stacked):
    """Divide candidates into stacks, each to be trained on every fold.

    Parameters
    ----------
    estimator : DANNClassifier or Pipeline
        What the candidates are variants of.
    candidates : list of dict
        Parameters.
    n_folds, n_seeds : int
        How often each is trained.
    n_jobs : int or None
        Tasks to run at once; there are at least as many, if possible.
    max_stacked : int or "auto"
        Most networks in a stack.

    Returns
    -------
    list of Task
    """
    stackable = {classifier_prefix(estimator) + name for name in STACKABLE}
    groups = []  # pairs: the parameters that members have in common, the members
    for i, params in enumerate(candidates):
        common = {k: v for k, v in params.items() if k not in stackable}
        members = next((m for c, m in groups if _are_same(c, common)), None)
        if members is None:
            members = []
            groups.append((common, members))
        seeded = _seeded(make_candidate(estimator, params), n_seeds)
        members += [((i, seed), variant) for seed, variant in enumerate(seeded)]
    tasks = []
    n_alone = math.ceil(effective_n_jobs(n_jobs) / (n_folds * len(groups)))
    for _, members in groups:
        size = _task_size(members, max_stacked, n_alone)
        for start in range(0, len(members), size):
            indices, variants = zip(*members[start : start + size], strict=True)
            tasks += [
                Task(fold, list(indices), [clone(v) for v in variants])
                for fold in range(n_folds)
            ]
    return tasks


def _seeded(estimator, n_seeds):
    """Yield the estimator as it is, then with other seeds drawn from its own."""
    yield estimator
    name = classifier_prefix(estimator) + "random_state"
    own = copy.deepcopy(estimator.get_params()[name])  # draws must not advance it
    for seed in draw_seeds(own, n_seeds)[1:]:
        yield clone(estimator).set_params(**{name: None if own is None else seed})


def _task_size(members, max_stacked, n_wanted):
    if max_stacked != "auto":
        return max_stacked
    device = resolve_device(take_apart(members[0][1])[1].device)
    n_stacks = 1 if device.type == "cuda" else math.ceil(len(members) / MAX_NETS_CPU)
    return math.ceil(len(members) / max(n_stacks, min(n_wanted, len(members))))


def _are_same(params, others):
    return params.keys() == others.keys() and all(
        is_same(value, others[name]) for name, value in params.items()
    )
