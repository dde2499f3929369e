"""What is fitted on a pair; each returns probabilities of the classes.

A cell is a candidate on a pair under a scaling. Its probabilities have shape (n_fits,
n_tgt + n_test, n_classes): of the target's rows and then, if they are others, of those
that accuracy is measured on.
"""

import numpy as np
import torch
from scipy import linalg, sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from torch import nn

from skdann import AutoDANNClassifier, DANNClassifier
from skdann._multi_fit import fit_many, validate_many
from skdann._training._objective import LOSS_TERMS, LossTerm

N_COMPONENTS = 50


def logistic_regression(pair, X, X_tgt, X_eval):
    return _fit_simple(LogisticRegression(max_iter=2000), X, pair.y, X_eval)


def random_forest(pair, X, X_tgt, X_eval):
    forest = RandomForestClassifier(200, random_state=0)
    return _fit_simple(forest, X, pair.y, X_eval)


def gradient_boosting(pair, X, X_tgt, X_eval):
    boosting = HistGradientBoostingClassifier(random_state=0)
    return _fit_simple(boosting, X, pair.y, X_eval)


def coral(pair, X, X_tgt, X_eval):
    """Correlation alignment (Sun et al. 2016), then logistic regression."""
    source, target = (np.cov(A.T) + np.eye(A.shape[1]) for A in (X, X_tgt))
    recolored = X @ _power(source, -0.5) @ _power(target, 0.5)
    return _fit_simple(LogisticRegression(max_iter=2000), recolored, pair.y, X_eval)


def subspace_alignment(pair, X, X_tgt, X_eval):
    """Subspace alignment (Fernando et al. 2013), then logistic regression."""
    n = min(N_COMPONENTS, *X.shape, *X_tgt.shape)
    source, target = PCA(n, random_state=0).fit(X), PCA(n, random_state=0).fit(X_tgt)
    aligned = source.transform(X) @ source.components_ @ target.components_.T
    return _fit_simple(
        LogisticRegression(max_iter=2000), aligned, pair.y, target.transform(X_eval)
    )


def trained_on_target(pair, X, X_tgt, X_eval):
    """Logistic regression that knows labels of the target: what is possible."""
    X_test, y_test = X_eval[-len(pair.y_test) :], pair.y_test
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    labels = LogisticRegression(max_iter=2000)
    P = np.zeros((len(X_eval), pair.y.max() + 1))
    known = np.unique(y_test[y_test >= 0])
    fitted = cross_val_predict(labels, X_test, y_test, cv=folds, method="predict_proba")
    P[-len(X_test) :, known] = fitted[:, -len(known) :]
    return P[None]


def dann(pair, X, X_tgt, X_eval, *, n_fits, **parameters):
    if pair.is_text:
        X, X_tgt, X_eval = map(sparse.csr_matrix, (X, X_tgt, X_eval))
    nets = [DANNClassifier(random_state=i, **parameters) for i in range(n_fits)]
    domains = validate_many(nets, X, pair.y, X_tgt)
    errors = fit_many(nets, domains)
    assert not any(errors), errors
    return np.stack([net.predict_proba(X_eval) for net in nets])


class EmbeddedColumns(nn.Module):
    """Periodic embeddings of each column, then the default's layers.

    Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep
    Learning": sines and cosines of learned frequencies, a linear layer, ReLU.
    """

    def __init__(self, n_columns, n_frequencies=8, width=4):
        super().__init__()
        self.frequencies = nn.Parameter(0.1 * torch.randn(n_columns, n_frequencies))
        self.mix = nn.Linear(2 * n_frequencies, width)
        self.layers = nn.Sequential(
            *(nn.Linear(n_columns * width, 64), nn.ReLU(), nn.Dropout(0.25)),
            *(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.25)),
        )

    def forward(self, X):
        angles = 2 * torch.pi * self.frequencies * X.unsqueeze(-1)
        periodic = torch.cat([angles.sin(), angles.cos()], dim=-1)
        return self.layers(torch.relu(self.mix(periodic)).flatten(1))


def embedded(pair, X, X_tgt, X_eval, *, n_fits):
    """The default over embeddings of columns; of text, the default."""
    if pair.is_text:
        return dann(pair, X, X_tgt, X_eval, n_fits=n_fits)
    own = {"feature_extractor": EmbeddedColumns, "n_estimators": 5}
    per_epoch = -(-max(len(X), len(X_tgt)) // 64)
    own["max_epochs"] = max(10, -(-400 // per_epoch))
    return dann(pair, X, X_tgt, X_eval, n_fits=n_fits, **own)


def penalized(pair, X, X_tgt, X_eval, *, n_fits):
    """The default, with a penalty on the slope of the domain classifier.

    Zero-centered, as Mescheder et al. 2018, "Which Training Methods for GANs do
    actually Converge?", recommend: the mean squared norm of its gradient in features.
    """
    plain = LOSS_TERMS["domain"]

    def loss(outputs, batch):
        logits, features = outputs.domain_logits, outputs.features
        [slope] = torch.autograd.grad(logits.sum(), features, create_graph=True)
        return plain.loss(outputs, batch) + slope.square().sum(-1).mean(-1)

    LOSS_TERMS["domain"] = LossTerm(loss, needs_target=True)
    try:
        return dann(pair, X, X_tgt, X_eval, n_fits=n_fits)
    finally:
        LOSS_TERMS["domain"] = plain


def auto(pair, X, X_tgt, X_eval, *, n_fits):
    """The combination, and each candidate of the first fit."""
    if pair.is_text:
        X, X_tgt, X_eval = map(sparse.csr_matrix, (X, X_tgt, X_eval))
    fits = [
        AutoDANNClassifier(random_state=i).fit(X, pair.y, X_tgt) for i in range(n_fits)
    ]
    of_first = fits[0].candidates_
    return {
        "P": np.stack([fit.predict_proba(X_eval, domain="target") for fit in fits]),
        "candidates": np.stack([c.predict_proba(X_eval) for c in of_first.values()]),
        "names": list(of_first),
    }


CANDIDATES = {
    "auto": auto,
    "embedded": embedded,
    "penalized": penalized,
    "lr": logistic_regression,
    "rf": random_forest,
    "gb": gradient_boosting,
    "coral": coral,
    "subspace": subspace_alignment,
    "target": trained_on_target,
    "dann": dann,
}


def _fit_simple(model, X, y, X_eval):
    return clone(model).fit(X, y).predict_proba(X_eval)[None]


def _power(matrix, exponent):
    values, vectors = linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T
