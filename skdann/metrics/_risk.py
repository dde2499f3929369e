"""Risk on the target, estimated from labelled source rows; the lower the better."""

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from .._containers._tables import as_readable, check_not_lazy
from .._typing import VectorLike


def importance_weighted_risk(loss: VectorLike, weight: VectorLike) -> float:
    r"""Mean loss of held-out source rows, weighted to look like the target [1]_.

    .. math:: \frac1n \sum_i w_i \ell_i

    Unbiased under covariate shift: the inputs are distributed differently, and the
    label depends on them in the same way. A few large weights can dominate: see
    :func:`deep_embedded_risk`.

    Parameters
    ----------
    loss : array-like of shape (n_samples,)
        Loss :math:`\ell_i` of each held-out source row, for example 1 for an error.
    weight : array-like of shape (n_samples,)
        Density ratio :math:`w_i` of target to source there, see
        :func:`density_ratio`.

    Returns
    -------
    risk : float
        Estimate of the mean loss on the target.

    References
    ----------
    .. [1] M. Sugiyama, M. Krauledat and K.-R. Müller, "Covariate Shift Adaptation by
       Importance Weighted Cross Validation", JMLR 8, 2007.

    Examples
    --------
    >>> from skdann.metrics import importance_weighted_risk
    >>> round(importance_weighted_risk([1, 0, 0, 1], [1, 2, 0.5, 0.9]), 6)
    0.475
    """
    loss, weight = _check(loss, weight)
    with np.errstate(over="ignore"):
        return _check_risk(np.mean(weight * loss))


def deep_embedded_risk(
    loss: VectorLike, weight: VectorLike, *, normalize: bool = False
) -> float:
    r"""Importance-weighted risk with less variance: deep embedded validation [1]_.

    .. math:: \frac1n \sum_i w_i \ell_i + \eta \Big(\frac1n \sum_i w_i - 1\Big), \quad
              \eta = -\frac{\mathrm{cov}(w \ell, w)}{\mathrm{var}(w)}

    Weights have mean 1 in expectation; what they deviate by corrects the risk.

    Parameters
    ----------
    loss : array-like of shape (n_samples,)
        Loss :math:`\ell_i` of each held-out source row.
    weight : array-like of shape (n_samples,)
        Density ratio :math:`w_i` there, on the features of the model.
    normalize : bool, default=False
        Whether to divide the weights by their maximum and shift them to mean 1 first,
        which bounds them (DEVN).

    Returns
    -------
    risk : float
        Estimate of the mean loss on the target.

    References
    ----------
    .. [1] K. You, X. Wang, M. Long and M. Jordan, "Towards Accurate Model Selection in
       Deep Unsupervised Domain Adaptation", ICML 2019.

    Examples
    --------
    >>> from skdann.metrics import deep_embedded_risk
    >>> loss, weight = [1, 0, 0, 1], [1, 2, 0.5, 0.9]
    >>> round(deep_embedded_risk(loss, weight), 6)
    0.497951
    >>> round(deep_embedded_risk(loss, weight, normalize=True), 6)
    0.4625
    """
    loss, weight = _check(loss, weight)
    if normalize:
        weight = weight / weight.max()
        weight = weight + 1 - weight.mean()
    eta = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        weighted = weight * loss
        if len(weight) > 1 and np.var(weight) > 0:
            covariance = np.cov(weighted, weight)
            eta = -covariance[0, 1] / covariance[1, 1]
        return _check_risk(weighted.mean() + eta * (weight.mean() - 1))


def _check_risk(risk):
    """Return a risk as a float, or raise ValueError if it has overflowed."""
    if not np.isfinite(risk):
        raise ValueError("loss or weight hold numbers whose products overflow. Scale.")
    return float(risk)


def _read(values, name):
    """Return one number for each row, where masked NaN, which is refused."""
    check_not_lazy(values, name)
    values = as_readable(values)
    try:
        return check_array(values, ensure_2d=False, dtype=np.float64, input_name=name)
    except TypeError as error:
        raise ValueError(
            f"{name} must hold one number for each row. ({error})"
        ) from error


def _check(loss, weight):
    loss, weight = (_read(x, name) for x, name in ((loss, "loss"), (weight, "weight")))
    check_consistent_length(loss, weight)
    if loss.ndim != 1 or weight.ndim != 1:
        raise ValueError(
            "loss and weight must each hold one number for each row; they have the "
            f"shapes {loss.shape} and {weight.shape}."
        )
    if weight.min() < 0 or weight.max() == 0:
        raise ValueError(
            f"weight holds a density ratio: not below 0, not all 0. It goes from "
            f"{weight.min():.3g} to {weight.max():.3g}; see density_ratio."
        )
    return loss, weight
