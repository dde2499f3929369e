"""Estimate class proportions of the target from predicted probabilities."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax


def estimate_proportions(
    P, source_proportions, sample_weight=None, *, max_iter=1000, tol=1e-6
):
    r"""Estimate proportions of classes in the target by maximum likelihood [1]_.

    A classifier trained where classes have the proportions :math:`\pi` expects them;
    expectation maximization corrects its probabilities :math:`p_i` until they agree
    with themselves:

    .. math:: w_k \leftarrow \frac1n \sum_i
              \frac{p_{ik} w_k / \pi_k}{\sum_l p_{il} w_l / \pi_l}

    It is right if the domains differ in their proportions alone and the probabilities
    are calibrated, see :func:`calibrate`. If the domains also look different, it is as
    good as the predictions are.

    Parameters
    ----------
    P : ndarray of shape (n_samples, n_classes)
        Probabilities predicted for rows of the target.
    source_proportions : ndarray of shape (n_classes,)
        Proportions where the classifier was trained, none of them 0.
    sample_weight : ndarray of shape (n_samples,), default=None
        How often each row counts. None counts all alike.
    max_iter : int, default=1000
        Most iterations.
    tol : float, default=1e-6
        It ends if no proportion changes by more.

    Returns
    -------
    proportions : ndarray of shape (n_classes,)
        They sum to 1.

    References
    ----------
    .. [1] M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the Outputs of a
       Classifier to New a Priori Probabilities: A Simple Procedure", Neural
       Computation 14, 2002.
    """
    P = np.asarray(P, dtype=np.float64)
    proportions = np.asarray(source_proportions, dtype=np.float64)
    ratio = P / proportions
    for _ in range(max_iter):
        posterior = ratio * proportions
        posterior /= posterior.sum(axis=1, keepdims=True)
        updated = np.average(posterior, axis=0, weights=sample_weight)
        change = np.abs(updated - proportions).max()
        proportions = updated
        if change <= tol:
            break
    return proportions


def calibrate(P_known, codes, P):
    r"""Correct how certain probabilities are: :math:`p_{ik}^{1/T}`, rows rescaled to 1.

    The temperature T is the likeliest on rows whose classes are known [1]_.

    Parameters
    ----------
    P_known : ndarray of shape (n_known, n_classes)
        Probabilities of rows that were not trained on.
    codes : ndarray of int of shape (n_known,)
        Their classes.
    P : ndarray of shape (n_samples, n_classes)
        Probabilities to correct.

    Returns
    -------
    P : ndarray of shape (n_samples, n_classes)
        Corrected.

    References
    ----------
    .. [1] C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """

    def scaled(P, log_temperature):
        logits = np.log(np.maximum(P, 1e-12)) / np.exp(log_temperature)
        return softmax(logits.astype(np.float64), axis=1)

    def loss(log_temperature):
        likelihood = scaled(P_known, log_temperature)[np.arange(len(codes)), codes]
        return -np.log(np.maximum(likelihood, 1e-12)).mean()

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded")
    return scaled(P, best.x)


def chance_variation(proportions, n_rows):
    """Return the total variation that counting rows brings about by itself.

    Parameters
    ----------
    proportions : ndarray of shape (n_classes,)
        Of the classes in both samples.
    n_rows : (int, int)
        Sizes of the samples.
    """
    variance = proportions * (1 - proportions) * sum(1 / n for n in n_rows)
    return 0.5 * float(np.sqrt(2 / np.pi * variance).sum())


def total_variation(p, q):
    """Return the share of rows whose class differs between two proportions."""
    return 0.5 * float(np.abs(np.asarray(p) - np.asarray(q)).sum())
