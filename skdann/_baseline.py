"""Baselines: what one would do without adapting a network."""

from contextlib import nullcontext
from functools import partial
from typing import Literal, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._data._domains import read_domains
from ._data._finite import check_finite, naming_large_rows
from ._data._real_targets import read_real_targets
from ._data._response_shift import ALPHAS
from ._data._rows import check_rows_to_predict
from ._data._scalers import SCALINGS, fit_scaler
from ._data._targets import read_class_targets
from ._domain_aware import DomainAwareClassifier, DomainAwareRegressor
from ._restore import restore_attributes_on_error
from ._typing import Array, Domain, Estimator, MatrixLike, VectorLike, fit_context
from ._warn import silent_libraries
from .metrics._sampling import spread_rows

# Enough for any table whose columns are on one scale.
MAX_ITER = 2000


class BaseBaseline(BaseEstimator):
    """A model of scikit-learn behind scaled columns, whatever it predicts.

    A subclass has the parameters, ``fit``, ``_model``, and ``_read_targets``.
    """

    __metadata_request__fit = {"X_tgt": True, "y_tgt": True}

    def _fit(self, X, y, X_tgt, **of_rows):
        """Check and encode the data, and fit."""
        domains = read_domains(
            self, X, y, X_tgt, **of_rows, read_targets=self._read_targets
        )
        return self._fit_domains(domains)

    def _fit_domains(self, domains):
        """Fit on data that are checked and encoded."""
        self._scaler = fit_scaler(domains, self.standardize)
        rows, labelled = domains.rows, domains.labelled_rows_tgt
        X, y = self._scale(domains.X[rows], "source"), domains.y[rows]
        if len(labelled):
            X_tgt = self._scale(domains.X_tgt[labelled], "target")
            X = (sparse.vstack if sparse.issparse(X) else np.concatenate)([X, X_tgt])
            y = np.concatenate([y, domains.y_tgt[labelled]])
        vars(self).update(domains.targets.fitted_attributes())
        # of a model that the user did not ask for nobody needs to hear
        silence = silent_libraries() if self.estimator is None else nullcontext()
        with silence, np.errstate(all="ignore"):
            weights = _weights(domains, rows, labelled)
            y = domains.targets.true_values(y)
            y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
            self.estimator_ = _fit(self._model(), X, y, weights)
            self._check_fitted(domains)
        self._row_shape = domains.X.shape[1:]
        return self

    def _check_fitted(self, domains):
        """Raise ValueError if the model can't predict what it was fitted on."""

    def _scaled(self, X, domain):
        """Return rows of a domain as the model reads them."""
        check_is_fitted(self)
        domain, _ = self._domain_of_rows(domain)
        X = check_rows_to_predict(self, X, self._row_shape)
        return self._scale(X, domain)

    def _scale(self, X, domain):
        """Return rows that are checked already as the model reads them."""
        with np.errstate(over="ignore"):  # the model will refuse what is infinite
            return self._scaler.transform(X, domain)

    def _answer(self, method, X):
        """Return what the model answers for rows as it reads them."""
        with naming_large_rows(X, type(self).__name__):
            return getattr(self.estimator_, method)(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self._model()).input_tags.sparse
        return tags


class BaselineClassifier(DomainAwareClassifier, BaseBaseline):
    """A classifier of scikit-learn that learns the source, behind scaled columns.

    What a network that adapts has to be compared with. To standardize each domain by
    itself is the strongest simple method where instruments differ; where only the
    proportions of the classes differ it takes away what tells them apart.

    Parameters
    ----------
    estimator : classifier or None, default=None
        With ``predict_proba``. Not modified; a clone is fitted. None is a logistic
        regression.
    standardize : {"domain", "source", "pooled", "quantile"} or None, default="domain"
        How columns are scaled: "domain", each domain by its own means and deviations,
        columns of two values as the source's; "source", both by those of the source;
        "pooled", both by those of both, each domain counting one half; "quantile", each
        domain by its own quantiles, to a normal distribution. None leaves the rows as
        they are; sparse rows are left so in any case.

    Attributes
    ----------
    estimator_ : classifier
        Fitted.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.

    See Also
    --------
    BaselineRegressor : The same for numbers.
    skdann.AutoDANNClassifier : Combines several of these with networks.

    Examples
    --------
    Tumors that two laboratories measure by two protocols:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdann import BaselineClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt, y_tgt = X[:300, :10], y[:300], X[300:, 20:], y[300:]
    >>> by_source = BaselineClassifier(standardize="source").fit(X_src, y_src, X_tgt)
    >>> by_domain = BaselineClassifier().fit(X_src, y_src, X_tgt)
    >>> bool(by_domain.score(X_tgt, y_tgt) > by_source.score(X_tgt, y_tgt) + 0.2)
    True
    """

    __metadata_request__fit = {"classes": True}

    _read_targets = staticmethod(read_class_targets)

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "standardize": [StrOptions(set(SCALINGS)), None],
    }

    def __init__(
        self,
        estimator: Estimator | None = None,
        *,
        standardize: Literal["source", "domain", "pooled", "quantile"]
        | None = "domain",
    ) -> None:
        self.estimator = estimator
        self.standardize = standardize

    @restore_attributes_on_error
    @fit_context(prefer_skip_nested_validation=True)
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
    ) -> Self:
        """Fit on labelled source rows; the target decides nothing but the scales.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows. None scales all rows by the source.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts.
        y_tgt : array-like of shape (n_target,), default=None
            The few target labels that are known, marked as in
            :meth:`skdann.DANNClassifier.fit`; these rows join the source's.
        classes : array-like of shape (n_classes,), default=None
            All labels, if the target has some that y lacks.

        Returns
        -------
        self : BaselineClassifier
            Fitted.
        """
        return self._fit(
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
            classes=classes,
        )

    def _model(self):
        """Return the classifier to fit."""
        if self.estimator is None:
            return LogisticRegression(max_iter=MAX_ITER)
        return clone(self.estimator)

    def predict_proba(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which, as in :meth:`predict`.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._predict_scaled(self._scaled(X, domain))

    def _predict_checked(self, X, domain):
        """Predict probabilities of rows that are checked already."""
        return self._predict_scaled(self._scale(X, domain))

    def _predict_scaled(self, X):
        """Predict probabilities of rows as the classifier reads them.

        Rows of weight 0 may have held the only ones of a class: its column is 0.
        """
        P = self._answer("predict_proba", X)
        expected = X.shape[0], len(self.estimator_.classes_)
        check_probabilities(P, expected, f"the estimator {self.estimator_!r}")
        if P.shape[1] == len(self.classes_):
            return P
        of_all = np.zeros((len(P), len(self.classes_)), dtype=P.dtype)
        of_all[:, np.searchsorted(self.classes_, self.estimator_.classes_)] = P
        return of_all


class BaselineRegressor(DomainAwareRegressor, BaseBaseline):
    """A regressor of scikit-learn that learns the source, behind scaled columns.

    What :class:`DANNRegressor` has to be compared with: to center each instrument by
    itself is often all that it takes to go from one to another.

    Parameters
    ----------
    estimator : regressor or None, default=None
        Not modified; a clone is fitted. None is a ridge regression, whose penalty is
        chosen by cross-validation on the source.
    standardize : {"domain", "source", "pooled", "quantile"} or None, default="domain"
        How columns are scaled, as in :class:`BaselineClassifier`.

    Attributes
    ----------
    estimator_ : regressor
        Fitted.
    n_outputs_ : int
        Numbers predicted of each row.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.

    See Also
    --------
    BaselineClassifier : The same for classes.
    skdann.AutoDANNRegressor : Combines several of these with networks.

    Examples
    --------
    >>> import numpy as np
    >>> from skdann import BaselineRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = 20 + 5 * X[:, 0] - 3 * X[:, 1]
    >>> by_domain = BaselineRegressor().fit(X[:200], y[:200], 2 * X[200:] + 10)
    >>> bool(by_domain.score(2 * X[200:] + 10, y[200:]) > 0.9)
    True
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "standardize": [StrOptions(set(SCALINGS)), None],
    }

    # true_values are in the units of y: what is minimized plays no role
    _read_targets = staticmethod(partial(read_real_targets, loss="squared_error"))

    def __init__(
        self,
        estimator: Estimator | None = None,
        *,
        standardize: Literal["source", "domain", "pooled", "quantile"]
        | None = "domain",
    ) -> None:
        self.estimator = estimator
        self.standardize = standardize

    @restore_attributes_on_error
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: MatrixLike,
        y: MatrixLike | VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: MatrixLike | VectorLike | None = None,
    ) -> Self:
        """Fit on source rows; the target decides nothing but the scales.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to learn.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows. None scales all rows by the source.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts.
        y_tgt : array-like of shape (n_target,) or (n_target, n_outputs), default=None
            The few target numbers that are known, NaN elsewhere; these rows join the
            source's.

        Returns
        -------
        self : BaselineRegressor
            Fitted.
        """
        return self._fit(
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
        )

    def _check_fitted(self, domains):
        for name, X in {"source": domains.X, "target": domains.X_tgt}.items():
            if X is None:
                continue
            some = X[spread_rows(X.shape[0])]
            if not np.isfinite(self._predict_checked(some, name)).all():
                raise ValueError(
                    f"What {self.estimator_!r} predicts for the {name} is not finite: "
                    "X holds numbers too large for it. Scale X and X_tgt."
                )

    def _model(self):
        """Return the regressor to fit."""
        if self.estimator is None:
            return RidgeCV(ALPHAS, alpha_per_target=True)
        return clone(self.estimator)

    def _scale(self, X, domain):
        X = super()._scale(X, domain)
        # models would bring y to the dtype of X: in float32 large numbers are alike
        return X.astype(np.float64, copy=False)

    def predict(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the number, or the numbers, of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; it matters if ``standardize`` treats them differently. None is the
            target.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the shape of y of ``fit``.
        """
        X = self._scaled(X, domain)
        y = check_finite(self._answer("predict", X), X, type(self).__name__)
        return self._in_shape_of_y(y)

    def _predict_checked(self, X, domain):
        """Predict rows that are checked already, of shape (n, n_outputs)."""
        y = self._answer("predict", self._scale(X, domain))
        return np.reshape(y, (X.shape[0], -1))


def _fit(model, X, y, weights):
    """Fit, or raise ValueError where linear algebra gives up."""
    try:
        return model.fit(X, y, **weights)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"{type(model).__name__} can't be fitted: {error}. Numbers in X, y or "
            "sample_weight are out of all proportion: scale them."
        ) from error


def _weights(domains, rows, labelled):
    """Return the weights of source rows and labelled target rows, if there are any."""
    weight, weight_tgt = domains.row_weight, domains.row_weight_tgt
    if weight is None and (weight_tgt is None or len(labelled) == 0):
        return {}
    of_source, of_target = np.ones(len(rows)), np.ones(len(labelled))
    if weight is not None:
        of_source = weight[rows] * domains.mean_weight  # which a penalty is against
    if weight_tgt is not None:
        of_target = weight_tgt[labelled]
    return {"sample_weight": np.concatenate([of_source, of_target])}


def check_probabilities(P, shape, of):
    """Raise ValueError if a classifier returned anything but finite numbers.

    Parameters
    ----------
    P : object
        What ``predict_proba`` returned.
    shape : (int, int)
        That it must have.
    of : str
        What messages call the classifier.
    """
    if np.shape(P) != shape or not np.isfinite(P).all():
        raise ValueError(
            f"predict_proba of {of} returns shape {np.shape(P)}; it must return "
            f"finite numbers of shape {shape}."
        )


def try_fit(baseline, domains):
    """Fit on data that are checked and encoded; return why it could not be, or None.

    Parameters
    ----------
    baseline : BaselineClassifier
        Not yet fitted.
    domains : Domains
        Checked data.
    """
    try:
        baseline._validate_params()
        baseline._fit_domains(domains)
    except Exception as error:  # of the classifier, which may be the user's
        return error
    return None
