"""Pipelines in Pipelines: what they end in, and the rows that this is given."""

import copy

from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def seems_fitted(estimator):
    """Whether an estimator says that it is fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def last_step(estimator):
    """Return what an estimator ends in: of a Pipeline the last step, to any depth.

    Parameters
    ----------
    estimator : estimator
        What is no Pipeline ends in itself.
    """
    while isinstance(estimator, Pipeline) and estimator.steps:
        estimator = estimator.steps[-1][1]
    return estimator


def last_step_prefix(estimator):
    """Return what precedes the names of its parameters, as "dann__" or "a__dann__"."""
    if not isinstance(estimator, Pipeline):
        return ""
    name, last = estimator.steps[-1]
    return f"{name}__" + last_step_prefix(last)


def replace_last_step(estimator, last):
    """Return a shallow copy of an estimator that ends in another step."""
    if not isinstance(estimator, Pipeline):
        return last
    *before, (name, end) = estimator.steps
    copied = copy.copy(estimator)
    copied.steps = [*before, (name, replace_last_step(end, last))]
    return copied


def searches_within(estimator):
    """Yield a fitted estimator; then, while it ends in a search, with its choice there.

    Parameters
    ----------
    estimator : fitted estimator, search, or Pipeline that ends in one
        Those that are frozen are taken as they were before.
    """
    yield estimator
    while (chosen := _stands_for(last_step(estimator))) is not None:
        estimator = replace_last_step(estimator, chosen)
        yield estimator


def resolve_search(estimator):
    """Return a fitted estimator with the choice of a search in the search's place."""
    *_, resolved = searches_within(estimator)
    last = last_step(resolved)
    if isinstance(last, BaseSearchCV):
        raise NotFittedError(
            f"This {type(last).__name__} has no best_estimator_: fit it, with "
            "refit=True."
        )
    return resolved


def _stands_for(last):
    if isinstance(last, FrozenEstimator):
        return last.estimator
    return getattr(last, "best_estimator_", None)


class Preprocessing:
    """All that a Pipeline does before its last step, in Pipelines within it as well.

    It is the Pipeline itself, and not its steps one by one, that fits and transforms:
    with another last step, which keeps the rows that it is given. So samplers (what has
    ``fit_resample``), ``memory``, ``verbose``, steps that are left out and Pipelines of
    other packages are what they are in ``Pipeline.fit``.

    Parameters
    ----------
    estimator : estimator
        Pipeline or, with nothing before it, any other.
    """

    def __init__(self, estimator):
        self._last = _KeepsRows()
        self._whole = _up_to(estimator, self._last)

    @property
    def samplers(self):
        """Names of the steps that resample the rows of a fit."""
        return [
            f"{name!r} ({type(step).__name__})"
            for pipeline in _chain(self._whole)
            for name, step in pipeline.steps
            if hasattr(step, "fit_resample") and not hasattr(step, "transform")
        ]

    def fit(self, X, y, sample_weight=None):
        """Fit on rows of the source; return these, and y, as the last step gets them.

        Parameters
        ----------
        X, y : array-like
            Rows and labels of the source.
        sample_weight : array-like or None, default=None
            For the steps that have requested it, and for the last one.

        Returns
        -------
        X, y : array-like
            Transformed and resampled.
        """
        params = {}
        if sample_weight is not None:
            self._check_no_samplers()
            given = {"sample_weight": sample_weight}
            if self._requests(given):
                params = given
        self._whole.fit(X, y, **params)
        return self._last.take_rows()

    def transform(self, X):
        """Return rows as the last step gets them to predict: samplers are left out."""
        return self._whole.transform(X)

    def join(self, estimator, last):
        """Return a copy of an estimator with these fitted steps and a last one."""
        return _join(estimator, self._whole, last)

    def _requests(self, given):
        """Whether a step has requested what is given, and routing brings it there."""
        routing = self._whole.get_metadata_routing()
        is_enabled = get_config()["enable_metadata_routing"]
        return is_enabled and bool(routing.consumes("fit", given))

    def _check_no_samplers(self):
        if self.samplers:
            raise ValueError(
                f"sample_weight is of the rows of X, but {', '.join(self.samplers)} "
                "resamples these, and what comes out has no weights. Leave out "
                "sample_weight or this step; class_weight='balanced' makes up for rare "
                "classes without resampling."
            )


class _KeepsRows(BaseEstimator):
    """Takes the place of the last step: keeps what it is fitted on, changes nothing."""

    def fit(self, X, y=None):
        self._rows = X, y
        return self

    def take_rows(self):
        """Return the rows of the fit, once: whoever predicts has no need of them."""
        rows, self._rows = self._rows, None
        return rows

    def transform(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


def _up_to(estimator, last):
    """Return what comes before the last step, and another last step."""
    if not isinstance(estimator, Pipeline):
        return last
    name, end = estimator.steps[-1]
    before = estimator[:-1]  # without transform_input, which asks for routing
    before.steps.append((f"rows for {name}", _up_to(end, last)))
    return before


def _chain(estimator):
    """Yield a Pipeline, the one it ends in, and so on."""
    while isinstance(estimator, Pipeline):
        yield estimator
        estimator = estimator.steps[-1][1]


def _join(estimator, fitted, last):
    if not isinstance(estimator, Pipeline):
        return last
    *before, (_, end) = fitted.steps
    name, own_end = estimator.steps[-1]
    joined = copy.copy(estimator)
    joined.steps = [*before, (name, _join(own_end, end, last))]
    return joined
