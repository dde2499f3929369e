r"""Schedules: pure functions from training progress to the factor of a peak value.

Progress :math:`p` runs from 0 (first iteration) to 1 (end of the planned training).
The strength of the adversary is ``lambda_max * lambda_schedule(p)`` and the learning
rate is ``lr * lr_schedule(p)``. Any callable of ``p`` can take the place of these.

References
----------
.. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
   Backpropagation", ICML 2015, arXiv:1409.7495.
"""

import math

__all__ = ["annealed_lambda", "annealed_lr", "constant", "cosine", "linear"]


def annealed_lambda(progress, gamma=10.0):
    r"""Ramp from 0 towards 1 along a sigmoid: the paper's :math:`\lambda_p` [1]_.

    .. math:: \lambda_p = \frac{2}{1 + \exp(-\gamma p)} - 1

    A young domain classifier gives noisy gradients; the ramp keeps them away from the
    features until it has learned something.

    Parameters
    ----------
    progress : float
        Training progress :math:`p` in [0, 1].
    gamma : float, default=10.0
        Steepness. The default, the paper's, reaches .46 after a tenth of training
        and .99 half-way; 5 is gentler.

    Returns
    -------
    factor : float
        In [0, 1).

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> from skdann.schedules import annealed_lambda
    >>> [round(annealed_lambda(p), 4) for p in (0.0, 0.1, 0.5, 1.0)]
    [0.0, 0.4621, 0.9866, 0.9999]
    """
    return 2.0 / (1.0 + math.exp(-gamma * progress)) - 1.0


def annealed_lr(progress, alpha=10.0, beta=0.75):
    r"""Decay from 1 along a power law: the paper's :math:`\mu_p / \mu_0` [1]_.

    .. math:: \frac{\mu_p}{\mu_0} = (1 + \alpha p)^{-\beta}

    Parameters
    ----------
    progress : float
        Training progress :math:`p` in [0, 1].
    alpha : float, default=10.0
        How early the decay sets in.
    beta : float, default=0.75
        Exponent of the decay; 0 is a constant learning rate.

    Returns
    -------
    factor : float
        In (0, 1].

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.

    Examples
    --------
    >>> from skdann.schedules import annealed_lr
    >>> [round(0.01 * annealed_lr(p), 6) for p in (0.0, 0.1, 0.5, 1.0)]
    [0.01, 0.005946, 0.002608, 0.001656]
    """
    return (1.0 + alpha * progress) ** -beta


def linear(progress):
    """Rise from 0 to 1 in proportion to progress.

    Parameters
    ----------
    progress : float
        Training progress in [0, 1].

    Returns
    -------
    factor : float
        In [0, 1].

    Examples
    --------
    >>> from skdann.schedules import linear
    >>> [linear(p) for p in (0.0, 0.25, 1.0)]
    [0.0, 0.25, 1.0]
    """
    return progress


def constant(progress):
    """Stay at 1.

    Parameters
    ----------
    progress : float
        Training progress in [0, 1]; without effect.

    Returns
    -------
    factor : float
        Always 1.

    Examples
    --------
    >>> from skdann.schedules import constant
    >>> [constant(p) for p in (0.0, 0.25, 1.0)]
    [1.0, 1.0, 1.0]
    """
    return 1.0


def cosine(progress):
    r"""Decay from 1 to 0 along half a cosine: :math:`(1 + \cos \pi p) / 2`.

    Parameters
    ----------
    progress : float
        Training progress in [0, 1].

    Returns
    -------
    factor : float
        In [0, 1].

    Examples
    --------
    >>> from skdann.schedules import cosine
    >>> [round(cosine(p), 4) for p in (0.0, 0.25, 0.5, 1.0)]
    [1.0, 0.8536, 0.5, 0.0]
    """
    return (1.0 + math.cos(math.pi * progress)) / 2.0
