"""Divide candidates into tasks: those to be trained together on one fold."""

import copy
import math

from joblib import effective_n_jobs
from sklearn.base import clone, is_regressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from .._base import is_same
from .._baseline import BaselineClassifier, BaselineRegressor
from .._numbers import as_float
from .._pipelines import last_step, last_step_prefix, replace_last_step
from .._training import MAX_NETS_CPU, OPTIONAL_TERMS, draw_seeds, resolve_device
from ._check_estimator import check_estimator
from ._evaluation import Task

# Parameters that have no effect without adaptation.
LAMBDA_PARAMETERS = ("lambda_max", "lambda_schedule", "lambda_gamma")

# What a model that is trained on the source alone has none of.
SOURCE_ONLY = ("lambda_max", *OPTIONAL_TERMS)

# The parameter of a candidate that is no network: what takes the network's place.
BASELINE = "baseline"

# Parameters of the classifier that may differ within a stack.
STACKABLE = (
    *LAMBDA_PARAMETERS,
    *OPTIONAL_TERMS,
    "lr",
    "lr_schedule",
    "lr_alpha",
    "lr_beta",
    "momentum",
    "weight_decay",
    "dropout",
    "class_weight",
    "max_epochs",
    "early_stopping",
    "n_iter_no_change",
    "scoring",
    "on_divergence",
    "random_state",
)


def make_candidate(estimator, params):
    """Return a copy of the estimator with the parameters of a candidate."""
    params = clone(params, safe=False)
    baseline = params.pop(BASELINE, None)
    candidate = clone(estimator).set_params(**params)
    kind = _baseline_kind(estimator)
    if not isinstance(baseline, kind | None):
        raise ValueError(
            f"A candidate has {BASELINE}={baseline!r}: what takes the place of the "
            f"network must be a {kind.__name__}."
        )
    if baseline is not None:
        return replace_last_step(candidate, baseline)
    check_estimator(candidate)  # params may have put something else there
    return candidate


def check_candidates(candidates):
    """Raise ValueError if there are none, or if one names its parameters by no text."""
    if not candidates:
        raise ValueError(
            "There are no candidates. Give a parameter and a list of its values, for "
            "example {'lambda_max': [0, 0.3, 1]}."
        )
    names = {name for params in candidates for name in params}
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ValueError(
            f"Candidates have parameters named {wrong}; names must be text, as in "
            "estimator.get_params()."
        )


def baseline_candidates(estimator):
    """Return the simple models that people would take without a network."""
    kind = _baseline_kind(estimator)
    is_classifier = kind is BaselineClassifier
    forest = RandomForestClassifier if is_classifier else RandomForestRegressor
    forest = forest(random_state=0)
    return [
        {BASELINE: kind(standardize="source")},
        {BASELINE: kind(standardize="domain")},
        {BASELINE: kind(forest, standardize=None)},
        {BASELINE: kind(forest, standardize="domain")},
    ]


def _baseline_kind(estimator):
    """Return the class of simple models that predict what an estimator does."""
    of_numbers = is_regressor(last_step(estimator))
    return BaselineRegressor if of_numbers else BaselineClassifier


def lambda_max_of(estimator, params):
    """Return ``lambda_max`` of a candidate; 0 of what is no network.

    Infinity of what is no number, the fits of which fail.
    """
    classifier = last_step(make_candidate(estimator, params))
    lambda_max = as_float(getattr(classifier, "lambda_max", 0.0))
    return math.inf if lambda_max is None else lambda_max


def is_source_only(estimator, params):
    """Whether a candidate is a network trained on the source alone."""
    classifier = last_step(make_candidate(estimator, params))
    if not hasattr(classifier, "lambda_max"):
        return False
    return all(as_float(getattr(classifier, name, 0)) == 0 for name in SOURCE_ONLY)


def set_source_only(estimator):
    """Have an estimator train on the source alone."""
    prefix = last_step_prefix(estimator)
    own = [name for name in SOURCE_ONLY if hasattr(last_step(estimator), name)]
    return estimator.set_params(**{prefix + name: 0.0 for name in own})


def source_only_candidates(estimator, candidates):
    """Return the candidates without adaptation instead, each once.

    Candidates that differ in lambda alone have one source-only candidate in common.
    """
    source_only = []
    for params in candidates:
        prefix = last_step_prefix(make_candidate(estimator, params))
        of_target = {prefix + name for name in (*LAMBDA_PARAMETERS, *OPTIONAL_TERMS)}
        rest = {k: v for k, v in params.items() if k not in of_target}
        rest[prefix + "lambda_max"] = 0.0
        if not is_source_only(estimator, rest):
            network = last_step(make_candidate(estimator, rest))
            own = [name for name in OPTIONAL_TERMS if hasattr(network, name)]
            rest |= {prefix + name: 0.0 for name in own}
        if not any(_are_same(rest, other) for other in source_only):
            source_only.append(rest)
    return source_only


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
    stackable = {last_step_prefix(estimator) + name for name in STACKABLE}
    # A list and not a dict by parameters: values may be unhashable, or arrays.
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
    n_wanted = math.ceil(effective_n_jobs(n_jobs) / (n_folds * len(groups)))
    for _, members in groups:
        size = _task_size(members, max_stacked, n_wanted)
        for start in range(0, len(members), size):
            indices, variants = zip(*members[start : start + size], strict=True)
            tasks += [
                Task(fold, list(indices), [clone(v) for v in variants])
                for fold in range(n_folds)
            ]
    return tasks


def without_done(tasks, outcomes):
    """Return the tasks without the members of which there are outcomes already."""
    done = {(o.fold, o.candidate, o.seed) for o in outcomes}
    left = []
    for task in tasks:
        members = [
            pair
            for pair in zip(task.members, task.estimators, strict=True)
            if (task.fold, *pair[0]) not in done
        ]
        if members:
            left.append(Task(task.fold, *map(list, zip(*members, strict=True))))
    return left


def _seeded(estimator, n_seeds):
    """Yield the estimator as it is, then with other seeds drawn from its own."""
    yield estimator
    name = last_step_prefix(estimator) + "random_state"
    if name not in estimator.get_params():  # a baseline
        yield from [estimator] * (n_seeds - 1)
        return
    own = copy.deepcopy(estimator.get_params()[name])  # draws must not advance it
    try:
        seeds = draw_seeds(own, n_seeds)
    except ValueError:  # no seed: the fits will say so
        yield from [estimator] * (n_seeds - 1)
        return
    for seed in seeds[1:]:
        yield clone(estimator).set_params(**{name: None if own is None else seed})


def _task_size(members, max_stacked, n_wanted):
    """Return how many members to train as one, for at least ``n_wanted`` tasks."""
    if max_stacked != "auto":
        return max_stacked
    # More than MAX_NETS_CPU gain nothing on a CPU. For a GPU all go into one task: how
    # many of them its memory holds is found out when they are trained.
    on_gpu = is_on_gpu(last_step(members[0][1]))
    n_stacks = 1 if on_gpu else math.ceil(len(members) / MAX_NETS_CPU)
    return math.ceil(len(members) / max(n_stacks, min(n_wanted, len(members))))


def is_on_gpu(classifier):
    """Return whether a classifier trains on a CUDA device."""
    try:
        return resolve_device(getattr(classifier, "device", "cpu")).type == "cuda"
    except Exception:  # no device: the fits will say so
        return False


def _are_same(params, others):
    return params.keys() == others.keys() and all(
        is_same(value, others[name]) for name, value in params.items()
    )
