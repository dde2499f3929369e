"""From plain parameters to what training needs: optimizer, schedules, device."""

import inspect
import math
from functools import partial
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


def lambda_schedule(schedule, *, peak, gamma):
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
    callable
        Picklable if ``schedule`` is.
    """
    named = {
        "annealed": partial(schedules.annealed_lambda, gamma=gamma),
        "linear": schedules.linear,
        "constant": schedules.constant,
    }
    return _scaled_schedule("lambda_schedule", schedule, named, peak)


def lr_schedule(schedule, *, peak, alpha, beta):
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
    callable
        Picklable if ``schedule`` is.
    """
    named = {
        "annealed": partial(schedules.annealed_lr, alpha=alpha, beta=beta),
        "constant": schedules.constant,
        "cosine": schedules.cosine,
    }
    return _scaled_schedule("lr_schedule", schedule, named, peak)


def _scaled_schedule(name, schedule, named, peak):
    if not isinstance(schedule, str):
        _check_schedule(name, schedule)
        return partial(_scale, peak, schedule)
    return partial(_scale, peak, named[schedule])


def _check_schedule(name, schedule):
    for progress in (0.0, 0.5, 1.0):
        factor = schedule(progress)
        if not (isinstance(factor, Real) and 0 <= factor < math.inf):
            raise ValueError(
                f"{name} returns {factor!r} at progress {progress}; it must map "
                "progress in [0, 1] to a finite number that is not negative."
            )


def _scale(peak, schedule, progress):
    return peak * schedule(progress)


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
