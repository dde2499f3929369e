"""Scores of predicted probabilities for the target, the higher the better."""

import numpy as np
from scipy.special import entr
from sklearn.utils import check_array

from .._containers._tables import as_readable
from .._containers._weights import read_weight_if_given
from .._typing import Array, VectorLike


def infomax_score(P: VectorLike, sample_weight: VectorLike | None = None) -> float:
    r"""Mutual information of rows and predicted classes, as a share of its maximum.

    High if each row is predicted with certainty and all classes are predicted equally
    often:

    .. math:: \frac{H(\bar p) - \frac1n \sum_i H(p_i)}{\ln K}, \quad
              \bar p = \frac1n \sum_i p_i

    It misleads where the classes of the target are far from equally frequent.

    Parameters
    ----------
    P : array-like of shape (n_samples, n_classes)
        Probabilities :math:`p_i` predicted for rows of the target.
    sample_weight : array-like of shape (n_samples,), default=None
        How often each row counts. None counts all alike.

    Returns
    -------
    score : float
        In [0, 1].

    References
    ----------
    .. [1] K. Musgrave, S. Belongie and S.-N. Lim, "Three New Validators and a
       Large-Scale Benchmark Ranking for Unsupervised Domain Adaptation", 2022,
       arXiv:2208.07360.

    Examples
    --------
    >>> from skdann.metrics import infomax_score
    >>> infomax_score([[1, 0], [0, 1]]), infomax_score([[1, 0], [1, 0]])
    (1.0, 0.0)
    """
    P, weight = _check_probabilities(P), read_weight_if_given(sample_weight, P)
    mean = np.average(P, axis=0, weights=weight)
    entropy = np.average(entr(P).sum(axis=1), weights=weight)
    information = entr(mean).sum() - entropy
    return max(0.0, float(information / np.log(P.shape[1])))


def nuclear_norm_score(P: VectorLike, sample_weight: VectorLike | None = None) -> float:
    r"""Nuclear norm of the predicted probabilities, as a share of its bound.

    High if predictions are certain and diverse: :math:`\|P\|_* / \sqrt{n K}`, batch
    nuclear-norm maximization [1]_ as a score. It misleads where
    :func:`infomax_score` does.

    Parameters
    ----------
    P : array-like of shape (n_samples, n_classes)
        Probabilities predicted for rows of the target.
    sample_weight : array-like of shape (n_samples,), default=None
        How often each row counts. None counts all alike.

    Returns
    -------
    score : float
        In (0, 1].

    References
    ----------
    .. [1] S. Cui et al., "Towards Discriminability and Diversity: Batch Nuclear-norm
       Maximization under Label Insufficient Situations", CVPR 2020, arXiv:2003.12237.

    Examples
    --------
    >>> from skdann.metrics import nuclear_norm_score
    >>> round(nuclear_norm_score([[1, 0], [0, 1]]), 6)
    1.0
    """
    P = _check_probabilities(P)
    weight = read_weight_if_given(sample_weight, P)
    if weight is not None:  # a row that counts twice is there twice
        P = P * np.sqrt(weight / weight.mean())[:, None]
    # the eigenvalues of the small Gram matrix would lose the small singular values
    return float(np.linalg.svd(P, compute_uv=False).sum() / np.sqrt(P.size))


def neg_entropy_score(P: VectorLike, sample_weight: VectorLike | None = None) -> float:
    r"""Certainty of the predictions, :math:`-\frac1n \sum_i H(p_i)`.

    A model that predicts one class for every row, with confidence, has the best score:
    use it beside others.

    Parameters
    ----------
    P : array-like of shape (n_samples, n_classes)
        Probabilities :math:`p_i` predicted for rows of the target.
    sample_weight : array-like of shape (n_samples,), default=None
        How often each row counts. None counts all alike.

    Returns
    -------
    score : float
        In :math:`[-\ln K, 0]`.

    Examples
    --------
    >>> from skdann.metrics import neg_entropy_score
    >>> round(neg_entropy_score([[0.5, 0.5], [1, 0]]), 4)
    -0.3466
    """
    P = _check_probabilities(P)
    weight = read_weight_if_given(sample_weight, P)
    return -float(np.average(entr(P).sum(axis=1), weights=weight))


def ensemble_agreement_score(
    probabilities: VectorLike, sample_weight: VectorLike | None = None
) -> Array:
    r"""Agreement of each model with the mean of all, known as EnsV [1]_.

    The share of target rows in which a model predicts the class that has the highest
    mean probability over all models. It fails where most models err alike; use ten or
    more that differ.

    Parameters
    ----------
    probabilities : array-like of shape (n_models, n_samples, n_classes)
        Predicted by each model for the same rows of the target.
    sample_weight : array-like of shape (n_samples,), default=None
        How often each row counts. None counts all alike.

    Returns
    -------
    scores : ndarray of shape (n_models,)
        In [0, 1].

    References
    ----------
    .. [1] D. Hu, M. Luo, J. Liang and C.-S. Foo, "Towards Reliable Model Selection for
       Unsupervised Domain Adaptation: An Empirical Study and A Certified Baseline",
       NeurIPS 2024.

    Examples
    --------
    >>> from skdann.metrics import ensemble_agreement_score
    >>> a, b = [[0.9, 0.1], [0.2, 0.8]], [[0.6, 0.4], [0.6, 0.4]]
    >>> ensemble_agreement_score([a, b]).tolist()
    [1.0, 0.5]
    """
    models = [_check_probabilities(p) for p in probabilities]
    shapes = {P.shape for P in models}
    if len(shapes) != 1:
        raise ValueError(
            "probabilities must hold at least one model, and all of the same rows and "
            f"classes; there are {len(models)}, of the shapes {sorted(shapes)}."
        )
    P = np.stack(models)
    ensemble = P.mean(axis=0).argmax(axis=1)
    is_alike = P.argmax(axis=2) == ensemble
    weight = read_weight_if_given(sample_weight, P[0])
    return np.average(is_alike, axis=1, weights=weight)


def _check_probabilities(P):
    P = check_array(as_readable(P), dtype=np.float64, input_name="P")
    sums = P.sum(axis=1)
    if P.shape[1] < 2 or P.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        raise ValueError(
            f"P must hold probabilities, a column for each class and rows that sum to "
            f"1; it has shape {P.shape}, values from {P.min():.3g}, and rows that sum "
            f"to {sums.min():.3g} to {sums.max():.3g}. Pass predict_proba(X_tgt)."
        )
    return P
