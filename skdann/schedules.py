r"""Schedules: pure functions from training progress to the factor of a peak value.

Progress :math:`p` runs from 0 (first iteration) to 1 (end of the planned training).
The strength of the adversary is ``lambda_max * lambda_schedule(p)`` and the learning
rate is ``lr * lr_schedule(p)``. Any callable of ``p`` can take the place of these.

References
----------
.. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
   Backpropagation", ICML 2015, arXiv:1409.7495.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass

from ._numbers import as_float

__all__ = ["annealed_lambda", "annealed_lr", "constant", "cosine", "linear"]


def annealed_lambda(progress: float, gamma: float = 10.0) -> float:
    r"""Ramp from 0 towards 1 along a sigmoid: the paper's :math:`\lambda_p` [1]_.

    .. math:: \lambda_p = \frac{2}{1 + \exp(-\gamma p)} - 1

    An untrained domain classifier gives noisy gradients; the ramp keeps them from the
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


def annealed_lr(progress: float, alpha: float = 10.0, beta: float = 0.75) -> float:
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


def linear(progress: float) -> float:
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


def constant(progress: float) -> float:
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


def cosine(progress: float) -> float:
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


# By the names that the parameters of estimators take. A function in here gets those of
# the parameters lambda_gamma, lr_alpha and lr_beta that it has an argument for.
LAMBDA_SCHEDULES = {"annealed": annealed_lambda, "linear": linear, "constant": constant}
LR_SCHEDULES = {"annealed": annealed_lr, "constant": constant, "cosine": cosine}


@dataclass(frozen=True)
class ScaledSchedule:
    """A schedule times its peak: a function of progress, equal to others by value.

    Attributes
    ----------
    peak : float
        What the factor multiplies.
    factor : callable
        Called with progress in [0, 1] and the options.
    options : tuple of (str, float)
        Keyword arguments of ``factor``.
    name : str
        The parameter that gave it, for errors.
    """

    peak: float
    factor: Callable[..., float] = constant
    options: tuple[tuple[str, float], ...] = ()
    name: str = "schedule"

    def __call__(self, progress: float) -> float:
        value = self.peak * self.factor_at(progress)
        if value < math.inf:
            return value
        raise ValueError(
            f"{self.name} at progress {progress:g} times its peak, {self.peak:g}, is "
            "too large for a number. Lower either."
        )

    def factor_at(self, progress: float) -> float:
        """Return the factor, or raise ValueError if it is not finite, or negative."""
        try:
            returned = self.factor(progress, **dict(self.options))
        except MemoryError:
            raise
        except Exception as error:
            raise ValueError(
                f"{self.name} failed at progress {progress:g}: "
                f"{type(error).__name__}: {error}"
            ) from error
        factor = returned if type(returned) is float else as_float(returned)
        if factor is not None and 0 <= factor < math.inf:
            return factor
        raise ValueError(
            f"{self.name} returns {returned!r} at progress {progress:g}; it must map "
            "progress in [0, 1] to a finite number that is not negative."
        )


def make_schedule(parameter, schedule, registry, peak, **options):
    """Return a :class:`ScaledSchedule` for what a user gave as a schedule.

    Parameters
    ----------
    parameter : str
        Name of the parameter, for errors.
    schedule : str or callable
        Key of the registry, or a function of progress.
    registry : dict of str to callable
        ``LAMBDA_SCHEDULES`` or ``LR_SCHEDULES``.
    peak : float
        What the factor multiplies.
    **options
        Passed to a function of the registry, as far as it has such arguments.

    Returns
    -------
    ScaledSchedule
        Picklable if ``schedule`` is.
    """
    if isinstance(schedule, str):
        factor = registry[schedule]
        accepted = inspect.signature(factor).parameters
        own = tuple((k, v) for k, v in options.items() if k in accepted)
        return ScaledSchedule(peak, factor, own, parameter)
    scaled = ScaledSchedule(peak, schedule, name=parameter)
    for progress in (0.0, 0.5, 1.0):  # what can be known before training
        scaled(progress)
    return scaled
