"""Estimate the error on the target without its numbers: from below, as a rule."""

import numpy as np


def error_estimates(predicted, y, predicted_target, others):
    r"""Estimate a regressor's root mean squared error on the target in two ways.

    - "held-out source rows": what it is there;
    - "disagreement": the root of the mean of :math:`(a - b)^2 / 2` over target rows and
      other models. If the errors of two models were independent, and of one size, that
      would be their mean square; where models err alike it is too low [1]_.

    Both take for granted what rarely holds in another domain. Where it does not, they
    are too low.

    Parameters
    ----------
    predicted, y : ndarray of shape (n_source, n_outputs)
        For source rows that were not trained on, and the truth.
    predicted_target : ndarray of shape (n_target, n_outputs)
        For target rows.
    others : ndarray of shape (n_others, n_target, n_outputs)
        What other models predict for these.

    Returns
    -------
    estimates : dict of str to float
        By name, in the units of y.

    References
    ----------
    .. [1] Y. Jiang et al., "Assessing Generalization of SGD via Disagreement", ICLR
       2022, arXiv:2106.13799, of classes.
    """
    return {
        "held-out source rows": _root_mean_square(predicted - y),
        "disagreement": _root_mean_square(others - predicted_target) / np.sqrt(2),
    }


def _root_mean_square(values):
    return float(np.sqrt(np.mean(values**2)))
