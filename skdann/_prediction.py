"""What a trained network answers."""

import torch
from sklearn.base import (
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from ._data._rows import check_rows_to_predict
from ._io._onnx import export_onnx
from ._training import borrowed_torch_generator


class PredictionMixin(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClassifierMixin
):
    """Methods of an estimator that has a trained net and the classes it was told."""

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows from either domain.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels, of the kind that ``fit`` was given.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows from either domain.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._apply("predict_proba", X)

    def transform(self, X):
        """Map rows to the domain-invariant features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows from either domain.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            Output of the feature extractor, what the label classifier reads.
        """
        return self._apply("transform", X)

    def predict_domain(self, X):
        """Predict the probability that a row comes from the target.

        Where adaptation has worked this is near one half everywhere.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows from either domain.

        Returns
        -------
        p : ndarray of shape (n_samples,)
            The domain classifier's answer, each domain counting one half.

        Raises
        ------
        ValueError
            If the estimator was fitted without a target.
        """
        check_is_fitted(self)
        if not any("domain_loss" in epoch for epoch in self.history_):
            raise ValueError(
                "This DANNClassifier was fitted without X_tgt: its domain classifier "
                "has learned nothing. Pass X_tgt to fit."
            )
        return self._apply("predict_domain", X)

    def to_onnx(self, path):
        """Write the predictor as an ONNX model, for programs without Python.

        Its input is "X", rows as ``predict`` takes them, any number, of the dtype
        that the network computes in; its outputs are "label" and "probabilities".

        Parameters
        ----------
        path : path
            The file to write.

        Raises
        ------
        ImportError
            If the extra ``onnx`` is not installed.
        ValueError
            If torch can't export one of your own modules.
        """
        check_is_fitted(self)
        with borrowed_torch_generator(0, torch.device("cpu")):
            export_onnx(self, path)

    def _apply(self, method, X):
        check_is_fitted(self)
        X = check_rows_to_predict(self, X, self._row_shape)
        return self.net_.apply(method, X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
