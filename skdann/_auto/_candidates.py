"""The candidates: models of unlike kinds, under unlike scales."""

from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from .._baseline import BaselineClassifier, BaselineRegressor
from .._classifier import DANNClassifier
from .._data._response_shift import SEPARATE, separability
from .._pipelines import last_step
from .._regressor import DANNRegressor
from .._training import draw_seeds

N_TREES = 200

# How columns are scaled, for names of candidates.
_SCALES = {
    None: "as it is",
    "source": "source",
    "domain": "by domain",
    "pooled": "pooled",
    "quantile": "quantiles",
}

# Trees see no difference between scales that are the same for both domains.
_OF_LINEAR = ("source", "domain", "pooled", "quantile")
_OF_TREES = (None, "domain", "quantile")
_OF_NETWORKS = ("source", "domain", "pooled")

# Scales by which a target looks like the source, whatever has shifted.
_BY_DOMAIN = ("domain", "quantile")

_LEAF = {"n_estimators": N_TREES, "min_samples_leaf": 2}

# Rows that are sparse stay so, but in batches of a network.
_OF_NETWORKS_SPARSE = (None, "domain")


def default_candidates(domains, random_state):
    """Return the candidates of classes, by name.

    Chosen on 69 pairs of domains leaving out one data set after the other; see
    docs/combining.md for those that were tried and do not pay.

    Parameters
    ----------
    domains : Domains
        Checked data.
    random_state : int, RandomState or None
        Decides all that is random in them.

    Returns
    -------
    dict of str to estimator
    """
    seeds = iter(draw_seeds(random_state, 16))
    kinds = {
        "logistic regression": (lambda: None, _OF_LINEAR),
        "random forest": (
            lambda: RandomForestClassifier(N_TREES, random_state=next(seeds)),
            _OF_TREES,
        ),
        "extra trees": (
            lambda: ExtraTreesClassifier(**_LEAF, random_state=next(seeds)),
            _OF_TREES,
        ),
    }
    is_sparse = sparse.issparse(domains.X)
    simple = _simple(kinds, BaselineClassifier, lambda of: (None,) if is_sparse else of)
    return simple | {
        f"DANN, {_SCALES[scales]}": DANNClassifier(
            standardize=scales, random_state=next(seeds)
        )
        for scales in (_OF_NETWORKS_SPARSE if is_sparse else _OF_NETWORKS)
    }


def default_candidates_of_numbers(domains, random_state):
    """Return the candidates of numbers, by name.

    Where the domains overlap, those that scale each domain by itself are left out: rows
    may have been chosen by y, which such scales hide, and on what is wrong then these
    candidates agree.

    Parameters are those of :func:`default_candidates`.
    """
    seeds = iter(draw_seeds(random_state, 16))
    kinds = {
        "ridge regression": (lambda: None, _OF_LINEAR),
        "random forest": (
            lambda: RandomForestRegressor(**_LEAF, random_state=next(seeds)),
            _OF_TREES,
        ),
        "extra trees": (
            lambda: ExtraTreesRegressor(**_LEAF, random_state=next(seeds)),
            _OF_TREES,
        ),
    }
    is_sparse = sparse.issparse(domains.X)
    overlap = not is_sparse and separability(domains) <= SEPARATE

    def of_use(all_scales):
        if is_sparse:
            return (None,)
        return [s for s in all_scales if not (overlap and s in _BY_DOMAIN)]

    return _simple(kinds, BaselineRegressor, of_use) | {
        f"DANN, {_SCALES[scales]}": DANNRegressor(
            standardize=scales, random_state=next(seeds)
        )
        for scales in of_use(_OF_NETWORKS)
    }


def _simple(kinds, baseline, of_use):
    """Return simple models by name, of each kind on all its scales that are of use."""
    return {
        f"{kind}, {_SCALES[scales]}": baseline(make(), standardize=scales)
        for kind, (make, all_scales) in kinds.items()
        for scales in of_use(all_scales)
    }


def check_candidates(candidates, random_state, kind):
    """Return the user's candidates as clones, by name; none if there are none.

    Parameters
    ----------
    candidates : list of (str, estimator) or None
        As in :class:`skdann.AutoDANNClassifier`.
    random_state : int, RandomState or None
        Decides what is random in those that do not decide it themselves.
    kind : type
        ``JudgedClasses`` or ``JudgedNumbers``.
    """
    if candidates is None:
        return {}
    pairs = [entry for entry in candidates if _is_named(entry)]
    names = [name for name, _ in pairs]
    if len(pairs) < max(2, len(candidates)) or len(set(names)) < len(names):
        raise ValueError(
            "candidates must be at least two pairs (name, estimator), each name once; "
            f"got {candidates!r}."
        )
    checked = {name: _clone(name, estimator, kind) for name, estimator in pairs}
    seeds = draw_seeds(random_state, len(checked))
    for candidate, seed in zip(checked.values(), seeds, strict=True):
        _set_open_seeds(candidate, None if random_state is None else seed)
    return checked


def _set_open_seeds(candidate, seed):
    """Set each ``random_state``, also of parts, that is None."""
    for name, value in candidate.get_params().items():
        if name.split("__")[-1] == "random_state" and value is None:
            candidate.set_params(**{name: seed})


def _is_named(entry):
    return isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)


def _clone(name, estimator, kind):
    """Return a candidate that is our own, or say which one can't be copied."""
    candidate = _as_candidate(name, estimator, kind)
    try:
        return clone(candidate)
    except Exception as error:  # what is no estimator, or takes its parameters apart
        raise ValueError(f"The candidate {name!r} can't be cloned: {error}") from error


def _as_candidate(name, estimator, kind):
    if isinstance(estimator, kind.network | kind.baseline):
        return estimator
    of_network = isinstance(last_step(estimator), kind.network)
    if of_network or not kind.will_do(estimator):
        raise ValueError(
            f"The candidate {name!r} must be a {kind.network.__name__} or a "
            f"{kind.others}; got {estimator!r}. What comes before in a Pipeline goes "
            f"before the whole: make_pipeline(..., {kind.whole_name}(...))."
        )
    return kind.baseline(estimator, standardize=None)
