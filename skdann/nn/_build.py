"""From parameters to a network of the right sizes, or the name of the part at fault."""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .._numbers import as_list
from ._conditioning import Conditioning
from ._dann import DANN, PARTS
from ._ensemble import EnsembleDANN
from ._mlp import make_mlp
from ._response_scale import ResponseScale

Part = nn.Module | Callable[..., nn.Module] | None


class Budget(NamedTuple):
    """What a file holds of a part of the network; the part must not need more.

    Attributes
    ----------
    n_arrays, n_values : int
        Arrays, and the values in all of them.
    """

    n_arrays: int
    n_values: int


Budgets = Mapping[str, Budget] | None


def build_network(
    rows: Tensor,
    n_outputs: int,
    *,
    n_estimators: int = 1,
    fixed_parts: Mapping[str, nn.Module] | None = None,
    budgets: Budgets = None,
    **parts,
) -> DANN:
    """Build a :class:`DANN`, or an ensemble of them with weights of their own.

    Parameters
    ----------
    rows, n_outputs, **parts
        As in :func:`build_dann`.
    n_estimators : int, default=1
        Number of networks. The first is the one that there would be alone.
    fixed_parts : dict of str to Module or None, default=None
        Before and behind all of them, see ``DANN.fixed_parts``.
    budgets : dict of str to Budget or None, default=None
        Of each part, if the weights are to come from a file. A network that would need
        more is refused before memory is taken for it.

    Returns
    -------
    DANN
        On the CPU, in evaluation mode.
    """
    if budgets is not None:
        budgets = {
            name: Budget(n_arrays, n_values // (n_estimators if name in PARTS else 1))
            for name, (n_arrays, n_values) in budgets.items()
        }
    fixed_parts = fixed_parts or {}
    groups = fixed_parts.get("domain_groups")
    kind = {
        "has_numbers": "response_scale" in fixed_parts,
        "n_groups": None if groups is None else groups.n_groups,
    }
    make = partial(build_dann, rows, n_outputs, budgets, **kind, **parts)
    networks = [make() for _ in range(n_estimators)]
    network = networks[0] if n_estimators == 1 else EnsembleDANN(networks).eval()
    for name, part in fixed_parts.items():
        has_own_dtype = isinstance(part, ResponseScale)
        dtype = None if has_own_dtype else rows.dtype
        setattr(network, name, part.to(rows.device, dtype))
    return network


def build_dann(
    rows: Tensor,
    n_outputs: int,
    budgets: Budgets = None,
    has_numbers: bool = False,
    n_groups: int | None = None,
    *,
    feature_extractor: Part = None,
    label_classifier: Part = None,
    domain_classifier: Part = None,
    hidden_layer_sizes: Sequence[int] | int = (64,),
    domain_hidden_layer_sizes: Sequence[int] | int = (64,),
    activation: str = "relu",
    dropout: float = 0.0,
    conditional: bool | str = False,
) -> DANN:
    """Build a :class:`DANN` whose parts fit one another and the data.

    Parameters
    ----------
    rows : Tensor of shape (n, ...)
        A few rows of data. They are passed through every part to infer sizes, and the
        network takes their dtype.
    n_outputs : int
        Number of classes, or of numbers to predict.
    budgets : dict of str to Budget or None, default=None
        As in :func:`build_network`.
    has_numbers : bool, default=False
        Whether numbers are predicted, not classes.
    n_groups : int or None, default=None
        Number of groups that the domain classifier tells apart; None is source and
        target, by one logit.
    feature_extractor, label_classifier, domain_classifier : Module, callable or None
        An instance is copied. A class or factory is called with as many sizes as it
        has required positional arguments: the size of axis 1 of the data, (features,
        outputs), (features, or what a conditional one reads; 1 or n_groups). None
        builds a multi-layer perceptron.
    hidden_layer_sizes, domain_hidden_layer_sizes : sequence of int, or int
        Layers of the perceptrons; an int is one layer.
    activation, dropout
        See :func:`make_mlp`; dropout is for the feature extractor alone.
    conditional : bool or "entropy", default=False
        Whether the domain classifier reads features times predictions, see
        :class:`Conditioning`; with "entropy" its loss weighs certain rows more.

    Returns
    -------
    DANN
        On the CPU, in evaluation mode.

    Raises
    ------
    ValueError
        If a part cannot be built, cannot read its input or returns a wrong shape.
    """

    def default_extractor(n_columns: int) -> nn.Module:
        if rows.ndim != 2:
            raise ValueError(
                f"X has rows of shape {tuple(rows.shape[1:])}, but the built-in "
                "network reads tables of shape (n_samples, n_features). Flatten X, or "
                "pass a feature_extractor, for example a convolutional torch module."
            )
        sizes = _check_sizes("hidden_layer_sizes", hidden_layer_sizes)
        _check_depth("feature_extractor", sizes, budgets)
        if not sizes:
            raise ValueError(
                "hidden_layer_sizes is empty: without a hidden layer there are no "
                "features to adapt. Give at least one width, for example (64,)."
            )
        return make_mlp(n_columns, sizes, activation=activation, dropout=dropout)

    def default_domain_classifier(n_features: int, n_logits: int) -> nn.Module:
        sizes = _check_sizes("domain_hidden_layer_sizes", domain_hidden_layer_sizes)
        _check_depth("domain_classifier", sizes, budgets)
        return make_mlp(n_features, sizes, n_logits, activation=activation)

    make = partial(_make, rows=rows, budgets=budgets)
    extractor = default_extractor if feature_extractor is None else feature_extractor
    extractor = make("feature_extractor", extractor, (rows.shape[1],))
    features = _probe("feature_extractor", extractor, rows)
    if features.ndim < 2 or len(features) != len(rows) or not features.numel():
        raise ValueError(
            f"feature_extractor returns shape {tuple(features.shape)} for {len(rows)} "
            "rows; it must return one row of features for each."
        )
    features = features.flatten(1)
    n_features = features.shape[1]

    label = nn.Linear if label_classifier is None else label_classifier
    label = make("label_classifier", label, (n_features, n_outputs))
    outputs = _probe("label_classifier", label, features)
    _check_outputs(outputs, n_outputs, "outputs" if has_numbers else "classes")
    if not has_numbers:
        _check_no_softmax(outputs)

    conditioning, features = _condition(conditional, features, outputs, budgets)
    domain = domain_classifier
    domain = default_domain_classifier if domain is None else domain
    domain = make("domain_classifier", domain, (features.shape[1], n_groups or 1))
    logits = _probe("domain_classifier", domain, features)
    _check_domain_logits(logits, len(rows), n_groups)
    network = DANN(extractor, label, domain, conditioning=conditioning)
    network.eval()  # whole, as its probed parts are
    if not any(weight.requires_grad for weight in network.parameters()):
        raise ValueError(
            "Nothing can be trained: no weight of feature_extractor, label_classifier "
            "and domain_classifier has requires_grad."
        )
    return network


def _check_sizes(name: str, sizes: Sequence[int] | int) -> list[int]:
    is_ordered = not isinstance(sizes, Set | Mapping)
    widths = [sizes] if isinstance(sizes, Integral) else as_list(sizes)
    if not (is_ordered and all(map(_is_width, widths))):
        raise ValueError(
            f"{name} must hold positive integers, each below 2**31; got {sizes!r}."
        )
    return [int(width) for width in widths]


def _is_width(value: object) -> bool:
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and 0 < int(value) < 2**31


def _check_depth(name: str, sizes: Sequence[int], budgets: Budgets) -> None:
    """Refuse more layers than there are weights for, before one of them is made."""
    if budgets is not None and len(sizes) > budgets.get(name, Budget(0, 0)).n_arrays:
        raise ValueError(f"its {name} would have {len(sizes)} layers without weights")


def _make(
    name: str, part: Part, sizes: tuple[int, ...], rows: Tensor, budgets: Budgets
) -> nn.Module:
    """Return a module of our own: a copy of an instance, or what a factory makes."""
    if isinstance(part, nn.Module):
        make = partial(copy.deepcopy, part)
    else:
        make = partial(_call, name, part, sizes[: _n_required_arguments(part)])
    if budgets is not None:
        _check_budget(name, make, budgets.get(name, Budget(0, 0)))
    module = make()
    if not isinstance(module, nn.Module):
        raise ValueError(
            f"{name} made a {type(module).__name__}; it must make a torch.nn.Module."
        )
    return module.to(rows.device, rows.dtype)


def _call(name: str, factory: Callable, arguments: tuple[int, ...]) -> object:
    try:
        return factory(*arguments)
    except (
        ValueError,
        RuntimeError,
        MemoryError,
    ):  # ours, torch's: clear by themselves
        raise
    except Exception as error:
        raise ValueError(
            f"{name} can't be made: called with {arguments}, it raises "
            f"{type(error).__name__}: {error}"
        ) from error


def _check_budget(name: str, make: Callable, budget: Budget) -> None:
    """Refuse a part of too many weights, by one that is made without memory."""
    try:
        with torch.device("meta"):
            values = list(make().state_dict().values())
    except Exception:  # the user's code may not know this device; theirs is the size
        return
    tensors = [v for v in values if isinstance(v, Tensor) and not is_lazy(v)]
    _check_n_values(name, sum(tensor.numel() for tensor in tensors), budget)


def _condition(
    conditional: bool | str, features: Tensor, label_logits: Tensor, budgets: Budgets
) -> tuple[Conditioning | None, Tensor]:
    """Return what makes the input of the domain classifier, and that input."""
    if not conditional:
        return None, features
    sizes = features.shape[1], label_logits.shape[1]
    if budgets is not None:
        budget = budgets.get("conditioning", Budget(0, 0))
        _check_n_values("conditioning", Conditioning.count_values(*sizes), budget)
    conditioning = Conditioning(*sizes, by_entropy=conditional == "entropy")
    conditioning.to(features.device, features.dtype)
    return conditioning, conditioning(features, label_logits)


def _check_n_values(name: str, n_values: int, budget: Budget) -> None:
    if n_values > budget.n_values:
        raise ValueError(
            f"its {name} would have {n_values} weights, but holds {budget.n_values}"
        )


def _n_required_arguments(factory: Callable) -> int:
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # of a builtin
        return 0
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _probe(name: str, module: nn.Module, rows: Tensor) -> Tensor:
    """Output of ``module`` for a few rows; also sizes torch's lazy layers."""
    try:
        with torch.no_grad():
            output = module.eval()(rows)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ValueError(
            f"{name} cannot read input of shape {tuple(rows.shape)}: {error}"
        ) from error
    if not isinstance(output, Tensor):
        raise ValueError(
            f"{name} returns a {type(output).__name__}; it must return one Tensor."
        )
    return output


def _check_outputs(outputs: Tensor, n_outputs: int, kind: str) -> None:
    if outputs.ndim != 2 or outputs.shape[1] != n_outputs:
        raise ValueError(
            f"label_classifier returns shape {tuple(outputs.shape)} for {len(outputs)} "
            f"rows, but there are {n_outputs} {kind}: it must return "
            f"({len(outputs)}, {n_outputs})."
        )


def _check_no_softmax(logits: Tensor, name: str = "label_classifier") -> None:
    if (logits >= 0).all() and torch.allclose(logits.sum(1), logits.new_ones(())):
        raise ValueError(
            f"{name} ends in a softmax. Remove it: the loss works on logits "
            "and applies the softmax itself."
        )


def _check_group_logits(logits: Tensor, shape: tuple[int, int]) -> None:
    if logits.shape != shape:
        raise ValueError(
            f"domain_classifier returns shape {tuple(logits.shape)} for {shape[0]} "
            f"rows, but there are {shape[1]} groups: it must return {shape}. A class "
            "or function that makes it is called with (n_features, n_groups)."
        )
    _check_no_softmax(logits, "domain_classifier")


def _check_domain_logits(logits: Tensor, n_rows: int, n_groups: int | None) -> None:
    if n_groups is not None:
        _check_group_logits(logits, (n_rows, n_groups))
        return
    if logits.numel() != n_rows:
        raise ValueError(
            f"domain_classifier returns shape {tuple(logits.shape)} for {n_rows} rows; "
            f"it must return one logit for each, of shape ({n_rows}, 1)."
        )
    if (logits == 1).all():
        raise ValueError(
            "domain_classifier returns 1 for every row, as a softmax over a single "
            "unit does, and cannot learn. Remove it: the loss works on logits."
        )
