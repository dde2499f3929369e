"""From plain parameters to what training needs: optimizer, schedules, device."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import torch
from skorch.callbacks import Callback

from .. import schedules

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}


# What max_epochs="auto" grants: small data needs steps, large data needs passes.
_MIN_STEPS = 1000
_MIN_EPOCHS = 10


def n_epochs(max_epochs, steps_per_epoch):
    """Resolve ``max_epochs``, an int or "auto"."""
    if max_epochs == "auto":
        return max(_MIN_EPOCHS, math.ceil(_MIN_STEPS / steps_per_epoch))
    return max_epochs


def optimizer_settings(optimizer, *, momentum, weight_decay):
    """Return an optimizer class and the options that it has, in skorch's terms.

    Parameters
    ----------
    optimizer : str or type
        A key of ``OPTIMIZERS`` or a class like those of ``torch.optim``.
    momentum, weight_decay : float
        Values for the options of that name; momentum is also Adam's first beta.

    Returns
    -------
    dict
        ``optimizer`` and ``optimizer__<option>``.
    """
    cls = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    if not issubclass(cls, torch.optim.Optimizer):
        raise ValueError(
            f"optimizer={cls.__name__} is no optimizer. Use one of "
            f"{sorted(OPTIMIZERS)} or a subclass of torch.optim.Optimizer."
        )
    offered = {
        "weight_decay": weight_decay,
        "momentum": momentum,
        "betas": (float(momentum), 0.999),
        "fused": True,  # one kernel for all weights; the results are the same
    }
    accepted = inspect.signature(cls).parameters
    options = {f"optimizer__{k}": v for k, v in offered.items() if k in accepted}
    return {"optimizer": cls, **options}


def needs_closure(optimizer) -> bool:
    """Whether a step must be able to compute the loss again, as LBFGS's."""
    closure = inspect.signature(optimizer.step).parameters["closure"]
    return closure.default is closure.empty


def check_callbacks(callbacks) -> list:
    """Return the user's callbacks as a list, or say which one can't work here.

    Parameters
    ----------
    callbacks : sequence or None
        Skorch callbacks, their classes or (name, callback) pairs.
    """
    callbacks = list(callbacks or [])
    for entry in callbacks:
        callback = entry[1] if isinstance(entry, tuple) else entry
        cls = callback if isinstance(callback, type) else type(callback)
        if not issubclass(cls, Callback):
            raise ValueError(
                f"callbacks holds {callback!r}; it must hold skorch callbacks, for "
                "example skorch.callbacks.EarlyStopping(monitor='train_loss')."
            )
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor.startswith("valid"):
            raise ValueError(
                f"{cls.__name__} monitors {monitor!r}, but training keeps no rows back "
                "for validation. Set its monitor to 'train_loss', 'label_loss' or "
                "'domain_loss' (for Checkpoint 'train_loss_best')."
            )
    return callbacks


@dataclass(frozen=True)
class Scaled:
    """A schedule times its peak: a function of progress, equal to others by value.

    Attributes
    ----------
    peak : float
        What the factor multiplies.
    factor : callable
        Called with progress in [0, 1] and the options.
    options : tuple of (str, float)
        Keyword arguments of ``factor``.
    """

    peak: float
    factor: Callable[..., float]
    options: tuple[tuple[str, float], ...] = ()

    def __call__(self, progress: float) -> float:
        return self.peak * self.factor(progress, **dict(self.options))


def lambda_schedule(schedule, *, peak, gamma) -> Scaled:
    """Return lambda as a function of progress.

    Parameters
    ----------
    schedule : {"annealed", "linear", "constant"} or callable
        Factor of the peak, by name or as a function of progress.
    peak : float
        Highest lambda.
    gamma : float
        Steepness of "annealed".

    Returns
    -------
    Scaled
        Picklable if ``schedule`` is.
    """
    if schedule == "annealed":
        return Scaled(peak, schedules.annealed_lambda, (("gamma", gamma),))
    named = {"linear": schedules.linear, "constant": schedules.constant}
    return Scaled(peak, _factor("lambda_schedule", schedule, named))


def lr_schedule(schedule, *, peak, alpha, beta) -> Scaled:
    """Return the learning rate as a function of progress.

    Parameters
    ----------
    schedule : {"annealed", "constant", "cosine"} or callable
        Factor of the peak, by name or as a function of progress.
    peak : float
        Learning rate at the start.
    alpha, beta : float
        Shape of "annealed".

    Returns
    -------
    Scaled
        Picklable if ``schedule`` is.
    """
    if schedule == "annealed":
        options = (("alpha", alpha), ("beta", beta))
        return Scaled(peak, schedules.annealed_lr, options)
    named = {"constant": schedules.constant, "cosine": schedules.cosine}
    return Scaled(peak, _factor("lr_schedule", schedule, named))


def schedules_of(estimator) -> dict[str, Scaled]:
    """Return both schedules that the parameters of an estimator describe."""
    e = estimator
    return {
        "lambda_at": lambda_schedule(
            e.lambda_schedule, peak=e.lambda_max, gamma=e.lambda_gamma
        ),
        "lr_at": lr_schedule(
            e.lr_schedule, peak=e.lr, alpha=e.lr_alpha, beta=e.lr_beta
        ),
    }


def _factor(name, schedule, named):
    if isinstance(schedule, str):
        return named[schedule]
    for progress in (0.0, 0.5, 1.0):
        factor = schedule(progress)
        if not (isinstance(factor, Real) and 0 <= factor < math.inf):
            raise ValueError(
                f"{name} returns {factor!r} at progress {progress}; it must map "
                "progress in [0, 1] to a finite number that is not negative."
            )
    return schedule


def resolve_device(device):
    """Return a device that works here; "auto" is a GPU if there is one.

    Parameters
    ----------
    device : str or torch.device
        What the user asked for.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If torch can't use the device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here ({error}). Use 'auto' or 'cpu'."
        ) from error
