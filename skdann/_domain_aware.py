"""What predicts rows of either domain, and may have to know which they are of."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted

from ._containers._labels import read_true_labels
from ._containers._responses import read_known_responses
from ._containers._weights import read_weight_if_given
from ._typing import Array, Domain, MatrixLike, VectorLike

DOMAINS = ("source", "target")

# Of smaller probabilities the logarithm is taken of this: it is finite, and what is
# fitted to it is not ruled by rows that are sure beyond all measure.
SMALLEST_PROBABILITY = 1e-10


class DomainAware:
    """Methods of the subclass take ``domain``; it says which the rows are of.

    None is what :meth:`_reading` was told, or else the target.
    """

    # What rows to predict are of, if the user says so once for all; see _reading.
    _rows_are_of = None

    def _reading(self, domain):
        """Return a copy that takes rows as those of a domain unless told otherwise."""
        copied = self._shallow_copy()
        copied._rows_are_of = domain
        return copied

    def _shallow_copy(self):
        """Return a second estimator with the same attributes, at no cost."""
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def _domain_of_rows(self, domain):
        """Return which domain rows are of, and whether that is but assumed."""
        domain = self._rows_are_of if domain is None else domain
        if domain is not None and domain not in DOMAINS:
            raise ValueError(f"domain must be one of {list(DOMAINS)}; got {domain!r}.")
        return domain or "target", domain is None


class DomainAwareClassifier(ClassifierMixin, DomainAware):
    """A classifier; the subclass has ``predict_proba(X, domain=None)``."""

    __metadata_request__predict = {"domain": True}
    __metadata_request__predict_proba = {"domain": True}
    __metadata_request__decision_function = {"domain": True}
    __metadata_request__score = {"domain": True}

    def predict(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; it matters if ``standardize`` treats them differently. None is the
            target, or the source if there was no target.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels, of the kind that ``fit`` was given.
        """
        of_domain = self if domain is None else self._reading(domain)
        P = of_domain.predict_proba(X)
        return self.classes_[np.argmax(P, axis=1)]

    def decision_function(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Return the logarithms of the probabilities: of two classes the log-odds.

        Scikit-learn's calibration works on them. A network is often so sure that its
        probabilities are 1 up to rounding, which is no scale to calibrate on.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which, as in :meth:`predict`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes one number, above 0 if it is the second; else a column for
            each. Probabilities below 1e-10 count as that.
        """
        of_domain = self if domain is None else self._reading(domain)
        P = of_domain.predict_proba(X).astype(np.float64)
        scores = np.log(np.maximum(P, SMALLEST_PROBABILITY))
        return scores[:, 1] - scores[:, 0] if P.shape[1] == 2 else scores

    def score(
        self,
        X: MatrixLike,
        y: VectorLike,
        sample_weight: VectorLike | None = None,
        domain: Domain | None = None,
    ) -> float:
        """Return the accuracy on labelled rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each counts.
        domain : {"source", "target"} or None, default=None
            Which they are of, as in :meth:`predict`.

        Returns
        -------
        accuracy : float
            In [0, 1].
        """
        of_domain = self if domain is None else self._reading(domain)
        check_is_fitted(self)
        y = read_true_labels(y, self.classes_, "y")
        weight = read_weight_if_given(sample_weight, y)
        return accuracy_score(y, of_domain.predict(X), sample_weight=weight)


class DomainAwareRegressor(RegressorMixin, DomainAware):
    """A regressor; the subclass has ``predict(X, domain=None)``."""

    __metadata_request__predict = {"domain": True}
    __metadata_request__score = {"domain": True}

    def score(
        self,
        X: MatrixLike,
        y: VectorLike,
        sample_weight: VectorLike | None = None,
        domain: Domain | None = None,
    ) -> float:
        """Return the coefficient of determination on labelled rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each counts.
        domain : {"source", "target"} or None, default=None
            Which they are of, as in :meth:`predict`.

        Returns
        -------
        r2 : float
            At most 1; 0 for the mean of y. Of several outputs the mean.
        """
        of_domain = self if domain is None else self._reading(domain)
        check_is_fitted(self)
        y = read_known_responses(y, "y")
        weight = read_weight_if_given(sample_weight, y)
        return float(r2_score(y, of_domain.predict(X), sample_weight=weight))

    def _in_shape_of_y(self, predicted):
        """Return predictions in the shape that y had; ``_is_column`` tells of one."""
        predicted = np.reshape(predicted, (len(predicted), -1))
        return predicted[:, 0] if self._is_column else predicted

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
