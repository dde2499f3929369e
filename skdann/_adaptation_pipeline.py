"""A Pipeline whose ``fit`` takes the target, without metadata routing."""

import copy
from typing import Any, Self

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from ._containers._tables import check_names, column_names
from ._pipelines import Preprocessing, seems_fitted
from ._restore import restore_attributes_on_error
from ._typing import Domain, MatrixLike, VectorLike, fit_context
from .metrics._fitted import reading


def _if_last_has(method):
    """Return a decorator: the method is there if the last step has one of this name."""
    return available_if(lambda pipeline: hasattr(pipeline.steps[-1][1], method))


class AdaptationPipeline(Pipeline):
    """A Pipeline that ends in an estimator of skdann, and is fitted as this is.

    Transformers are fitted on the source alone, as they are wherever a Pipeline is
    fitted: what they learn must not depend on which target comes later, and a column
    must mean the same in both domains. The target passes through them, then the last
    step learns from both.

    Parameters
    ----------
    steps : list of (str, estimator)
        As of any Pipeline.
    transform_input : list of str or None, default=None
        Without effect: the target is transformed in any case.
    memory : str, joblib.Memory or None, default=None
        Where to keep fitted transformers.
    verbose : bool, default=False
        Whether to print how long each transformer takes.
    """

    @restore_attributes_on_error
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit the transformers on the source, and the last step on both domains.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Source rows, raw.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like of shape (n_target, n_columns), default=None
            Target rows, raw.
        **params
            What ``fit`` of the last step takes besides, such as ``y_tgt``, ``groups``
            or ``sample_weight``.

        Returns
        -------
        self : AdaptationPipeline
            Fitted. After an error it is as it was.
        """
        _check_columns(X, X_tgt)
        preprocessing = Preprocessing(self._with_fresh_transformers())
        of_source = preprocessing.fit(X, y, params.get("sample_weight"))
        last = self.steps[-1][1]
        last.fit(*of_source, **_with_target(preprocessing, X_tgt, params))
        self.steps = preprocessing.join(self, last).steps
        return self

    @_if_last_has("partial_fit")
    @restore_attributes_on_error
    def partial_fit(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        **params: Any,
    ) -> Self:
        """Train the last step on. The first call fits the transformers, no later one.

        Parameters
        ----------
        X, y, X_tgt : array-like
            As in :meth:`fit`.
        **params
            What ``partial_fit`` of the last step takes besides; in the first call
            ``classes``.

        Returns
        -------
        self : AdaptationPipeline
            Trained a little further.
        """
        _check_columns(X, X_tgt)
        last = self.steps[-1][1]
        if seems_fitted(last):
            preprocessing = Preprocessing(self)
            X = preprocessing.transform(X)
        else:
            preprocessing = Preprocessing(self._with_fresh_transformers())
            X, y = preprocessing.fit(X, y, params.get("sample_weight"))
        last.partial_fit(X, y, **_with_target(preprocessing, X_tgt, params))
        self.steps = preprocessing.join(self, last).steps
        return self

    @_if_last_has("transform")
    def fit_transform(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        **params: Any,
    ) -> Any:
        """Fit, and map the source to the features.

        Parameters
        ----------
        X, y, X_tgt, **params
            As in :meth:`fit`.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            Of the source rows.
        """
        return self.fit(X, y, X_tgt, **params).transform(X, domain="source")

    @_if_last_has("transform")
    def transform(self, X: MatrixLike, domain: Domain | None = None) -> Any:
        """Map raw rows to the features of the last step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; None is the target, or the source if there was no target.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            As of the last step.
        """
        return Pipeline.transform(self._of_domain(domain), X)

    def score(
        self,
        X: MatrixLike,
        y: VectorLike,
        sample_weight: VectorLike | None = None,
        domain: Domain | None = None,
    ) -> float:
        """Score raw rows that are labelled.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Rows of one domain.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each counts.
        domain : {"source", "target"} or None, default=None
            Which; None is the target, or the source if there was no target.

        Returns
        -------
        score : float
            As of the last step.
        """
        return Pipeline.score(self._of_domain(domain), X, y, sample_weight)

    def __getitem__(self, ind):
        """Return a step; or some, as a Pipeline, which is not fitted with a target."""
        if isinstance(ind, slice):
            return Pipeline(self.steps, memory=self.memory, verbose=self.verbose)[ind]
        return super().__getitem__(ind)

    def _with_fresh_transformers(self):
        """Return a copy whose transformers can be fitted without changing these."""
        fresh = copy.copy(self)
        *before, last = self.steps
        clones = [(name, clone(step, safe=False)) for name, step in before]
        fresh.steps = [*clones, last]
        return fresh

    def _of_domain(self, domain):
        return self if domain is None else reading(self, domain)


def _check_columns(X, X_tgt):
    """Raise ValueError if two frames have other columns, or another order."""
    if X_tgt is not None:
        check_names(column_names(X, "X"), column_names(X_tgt, "X_tgt"))


def _with_target(preprocessing, X_tgt, params):
    """Return what the last step is fitted with besides the source."""
    if X_tgt is None:
        return params
    return {"X_tgt": preprocessing.transform(X_tgt), **params}
