"""From names and plain values to a torch optimizer."""

import inspect

import torch

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}


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
    if issubclass(cls, torch.optim.SparseAdam):
        raise ValueError(
            f"optimizer={cls.__name__} needs sparse gradients; none are here: "
            "use 'adam'."
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
