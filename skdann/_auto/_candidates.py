"""The candidates: models of unlike kinds, under unlike scales."""

from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from .._baseline import BaselineClassifier
from .._classifier import DANNClassifier
from .._pipelines import last_step
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

# Rows that are sparse stay so, but in batches of a network.
_OF_NETWORKS_SPARSE = (None, "domain")


def default_candidates(domains, random_state):
    """Return the candidates, by name.

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
    is_sparse = sparse.issparse(domains.X)
    seeds = iter(draw_seeds(random_state, 16))
    leaf = {"n_estimators": N_TREES, "min_samples_leaf": 2}
    kinds = {
        "logistic regression": (lambda: None, _OF_LINEAR),
        "random forest": (
            lambda: RandomForestClassifier(N_TREES, random_state=next(seeds)),
            _OF_TREES,
        ),
        "extra trees": (
            lambda: ExtraTreesClassifier(**leaf, random_state=next(seeds)),
            _OF_TREES,
        ),
    }
    candidates = {
        f"{kind}, {_SCALES[scales]}": BaselineClassifier(make(), standardize=scales)
        for kind, (make, all_scales) in kinds.items()
        for scales in ((None,) if is_sparse else all_scales)
    }
    for scales in _OF_NETWORKS_SPARSE if is_sparse else _OF_NETWORKS:
        candidates[f"DANN, {_SCALES[scales]}"] = DANNClassifier(
            standardize=scales, random_state=next(seeds)
        )
    return candidates


def depends_on_shift(candidate):
    """Whether it reads how the domains differ: not what learns the source as it is."""
    is_network = isinstance(candidate, DANNClassifier)
    return is_network or candidate.standardize not in (None, "source", "pooled")


def check_candidates(candidates, random_state):
    """Return the user's candidates as clones, by name; none if there are none.

    Parameters
    ----------
    candidates : list of (str, estimator) or None
        As in :class:`skdann.AutoDANNClassifier`.
    random_state : int, RandomState or None
        Decides what is random in those that do not decide it themselves.
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
    checked = {name: _clone(name, estimator) for name, estimator in pairs}
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


def _clone(name, estimator):
    """Return a candidate that is our own, or say which one can't be copied."""
    candidate = _as_candidate(name, estimator)
    try:
        return clone(candidate)
    except Exception as error:  # what is no estimator, or takes its parameters apart
        raise ValueError(f"The candidate {name!r} can't be cloned: {error}") from error


def _as_candidate(name, estimator):
    if isinstance(estimator, DANNClassifier | BaselineClassifier):
        return estimator
    of_network = isinstance(last_step(estimator), DANNClassifier)
    if of_network or not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"The candidate {name!r} must be a DANNClassifier or a classifier of "
            f"scikit-learn with predict_proba; got {estimator!r}. What comes before "
            "in a Pipeline goes before the whole: make_pipeline(..., "
            "AutoDANNClassifier(...))."
        )
    return BaselineClassifier(estimator, standardize=None)
