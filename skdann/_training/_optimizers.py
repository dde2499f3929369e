"""From names and plain values to a torch optimizer, and to its state."""

import copy
import inspect
from collections import defaultdict

import torch

from ._state import map_leaves

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


# How a step is computed, which is for the present machine to say.
_FLAGS = ("capturable", "differentiable", "foreach", "fused", "maximize", "params")

# What torch's schedulers of learning rates write into the options.
_OF_SCHEDULERS = {"initial_lr", "lr", "max_lr", "min_lr"}
_OF_SCHEDULERS |= {"base_momentum", "max_momentum", "swa_lr"}

# What torch's optimizers take the root of, divide by, or count with.
_NEVER_NEGATIVE = _OF_SCHEDULERS | {
    *("acc_delta", "col_var", "eta", "exp_avg_sq", "exp_inf", "max_exp_avg_sq", "mu"),
    *("mu_product", "row_var", "square_avg", "step", "step_size", "sum", "variance"),
}


def load_optimizer_state(optimizer, state):
    """Bring a new optimizer to the state that a file holds, checked.

    Torch pairs state and weights by position, looks at no shape, and takes any option;
    its fused kernels then write wherever the shapes of the weights tell them to. So
    what the optimizer holds in the end must be what it would hold after a step of its
    own. Options are the present ones, which the parameters of the estimator say.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Before its first step.
    state : dict
        As of ``state_dict``, of anybody's making; the optimizer keeps its tensors.

    Raises
    ------
    ValueError, RuntimeError, LookupError, TypeError
        If it is the state of other weights or of another optimizer.
    """
    present = optimizer.state_dict()["param_groups"]
    pairs = zip(present, state["param_groups"], strict=True)
    is_torchs = _is_torchs(optimizer)
    groups = [_checked_group(new, old, is_torchs) for new, old in pairs]
    n_weights = sum(len(group["params"]) for group in groups)
    if any(type(i) is not int or not 0 <= i < n_weights for i in state["state"]):
        raise ValueError(f"the optimizer's state is not of {n_weights} weights")
    optimizer.load_state_dict({"state": state["state"], "param_groups": groups})
    _check_finite(dict(enumerate(optimizer.state.values())))
    if needs_closure(optimizer):
        if is_torchs:
            _try_step_with_closure(optimizer)
    elif is_torchs or any(group.get("fused") for group in groups):
        _settle_state(optimizer)


def needs_closure(optimizer) -> bool:
    """Whether a step must be able to compute the loss again, as LBFGS's."""
    closure = inspect.signature(optimizer.step).parameters["closure"]
    return closure.default is closure.empty


def fill_in_momentum(optimizer):
    """Give the weights that had no gradient yet a momentum of zero, if others have one.

    So has the domain classifier after a fit without a target. Torch's fused kernel
    wants the buffers of all weights, or none.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for group in optimizer.param_groups:
        states = [optimizer.state.get(weight, {}) for weight in group["params"]]
        if any(state.get("momentum_buffer") is not None for state in states):
            for weight, state in zip(group["params"], states, strict=True):
                if state.get("momentum_buffer") is None:
                    zero = torch.zeros_like(weight, requires_grad=False)
                    optimizer.state[weight]["momentum_buffer"] = zero


def _is_torchs(optimizer):
    return type(optimizer).__module__.startswith("torch.optim")


def _checked_group(present, saved, is_torchs):
    """Return the options of a group; an optimizer of the user's may count in them."""
    if saved["params"] != present["params"]:
        raise ValueError("the optimizer's weights are in another order, or others")
    kept = _OF_SCHEDULERS if is_torchs else set(saved) - set(_FLAGS)
    options = {name: value for name, value in saved.items() if name in kept}
    for name, value in options.items():
        if not _is_alike(value, present.get(name, 0.0 if is_torchs else value)):
            raise ValueError(f"the optimizer's {name} is {str(value)[:50]}")
    _check_finite(options)
    return {**present, **options}


def _is_alike(value, other):
    numbers = int, float
    if type(other) in numbers:
        return type(value) in numbers
    return type(value) is type(other)


def _check_finite(tree, name=""):
    """Raise ValueError if a number is not finite, or negative where that makes none."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            _check_finite(value, key)
    elif isinstance(tree, list | tuple):
        for value in tree:
            _check_finite(value, name)
    elif isinstance(tree, float | int | torch.Tensor):
        is_tensor = isinstance(tree, torch.Tensor)
        # numbers as Python has them: torch's own dtype for them is float32
        values = tree if is_tensor else torch.tensor(tree, dtype=torch.float64)
        is_negative = name in _NEVER_NEGATIVE and bool((values < 0).any())
        if is_negative or not values.isfinite().all():
            raise ValueError(f"the optimizer's {name} is not finite, or negative")


def _settle_state(optimizer):
    """Compare names and shapes with those of the state after one step; set dtypes.

    Torch has cast all but counts of steps to the dtype of the weights.
    """
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    for i, (weight, own) in enumerate(
        zip(weights, _state_after_a_step(optimizer), strict=True)
    ):
        held = optimizer.state.get(weight, own)
        if set(held) != set(own):
            raise ValueError(
                f"the optimizer's state of weight {i} holds {sorted(held)} instead of "
                f"{sorted(own)}"
            )
        for key, value in own.items():
            if _form(held[key]) != _form(value):
                raise ValueError(
                    f"the optimizer's {key} of weight {i} is {_form(held[key])} "
                    f"instead of {_form(value)}"
                )
            if isinstance(value, torch.Tensor):
                held[key] = held[key].to(value.dtype)


def _form(value):
    """Return the shape of a tensor; the type of anything else."""
    is_tensor = isinstance(value, torch.Tensor)
    return tuple(value.shape) if is_tensor else type(value).__name__


def _copy_over_zeros(optimizer):
    """Return an optimizer of the same options over weights and gradients of zero."""
    groups = [
        {**group, "params": [torch.zeros_like(w) for w in group["params"]]}
        for group in optimizer.param_groups
    ]
    for group in groups:
        for weight in group["params"]:
            weight.grad = torch.zeros_like(weight)
    if _is_torchs(optimizer):
        return type(optimizer)(groups)
    copied = object.__new__(type(optimizer))  # whose constructor may want more
    vars(copied).update(vars(optimizer), param_groups=groups, state=defaultdict(dict))
    return copied


def _state_after_a_step(optimizer):
    """Return what an optimizer of this kind holds of each weight."""
    copied = _copy_over_zeros(optimizer)
    copied.step()
    return [copied.state[w] for group in copied.param_groups for w in group["params"]]


def _try_step_with_closure(optimizer):
    """Take a step from the state, of a copy; its errors tell that it makes no sense."""
    n_values = sum(w.numel() for g in optimizer.param_groups for w in g["params"])
    map_leaves(
        dict(enumerate(optimizer.state.values())),
        torch.Tensor,
        lambda values: _check_is_flat(values, n_values),
    )
    copied = _copy_over_zeros(optimizer)
    copied.load_state_dict(copy.deepcopy(optimizer.state_dict()))

    def closure():
        for group in copied.param_groups:
            for weight in group["params"]:
                weight.grad = torch.ones_like(weight)
        return weight.new_ones(())

    copied.step(closure)


def _check_is_flat(values, n_values):
    """Raise ValueError if values are neither a number nor one for each weight."""
    if tuple(values.shape) not in ((), (n_values,)):
        raise ValueError(
            f"a part of the optimizer's state is {tuple(values.shape)} instead of "
            f"{(n_values,)}"
        )
