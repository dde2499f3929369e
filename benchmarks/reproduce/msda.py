"""Marginalized stacked denoising autoencoders, in closed form."""

import numpy as np
from scipy import linalg, sparse
from sklearn.base import BaseEstimator, TransformerMixin


class MSDA(TransformerMixin, BaseEstimator):
    """Replace what is missing in a row by what usually stands beside the rest [1]_.

    Each layer is the linear map W that best restores rows of which each value was lost
    with probability ``corruption``, in expectation over all losses, and a tanh. With S
    the scatter of the rows and a constant, q = 1 - corruption (1 for the constant),

    .. math:: W = P Q^{-1}, \\quad P_{ij} = S_{ij} q_j, \\quad
              Q_{ij} = S_{ij} q_i q_j \\; (i \\ne j), \\quad Q_{ii} = S_{ii} q_i

    The output is the input and all layers, side by side.

    References
    ----------
    .. [1] M. Chen et al., "Marginalized denoising autoencoders for domain adaptation",
       ICML 2012.
    """

    def __init__(self, n_layers=5, corruption=0.5, ridge=1e-5):
        self.n_layers = n_layers
        self.corruption = corruption
        self.ridge = ridge

    def fit(self, X, y=None):
        self.maps_ = []
        for _ in range(self.n_layers):
            self.maps_.append(self._solve(X))
            X = _encode(X, self.maps_[-1])
        return self

    def _solve(self, X):
        n_columns = X.shape[1]
        S = np.empty((n_columns + 1,) * 2)
        scatter, sums = X.T @ X, np.asarray(X.sum(axis=0)).ravel()
        S[:-1, :-1] = scatter.toarray() if sparse.issparse(scatter) else scatter
        S[-1, :-1] = S[:-1, -1] = sums
        S[-1, -1] = X.shape[0]
        kept = np.full(n_columns + 1, 1 - self.corruption)
        kept[-1] = 1
        P = S[:-1] * kept
        Q = S * np.outer(kept, kept)
        np.fill_diagonal(Q, np.diag(S) * kept)
        Q[np.arange(n_columns), np.arange(n_columns)] += self.ridge
        return linalg.solve(Q, P.T, assume_a="pos").astype(np.float32)

    def transform(self, X):
        layers = [X.toarray() if sparse.issparse(X) else X]
        for weights in self.maps_:
            layers.append(_encode(layers[-1], weights))
        return np.hstack(layers).astype(np.float32)


def _encode(X, weights):
    return np.tanh(X @ weights[:-1] + weights[-1])
