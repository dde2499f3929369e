"""Divide plans into stacks: which nets can be trained as one network."""

import copy
import operator
from collections.abc import Sequence

import torch

from ..nn import GradientReversal
from ..nn._mlp import Dropout
from ..nn._stacked_modules import Stacked, stack_modules
from ._batches import to_tensor
from ._callbacks import Watcher
from ._dense_engine import has_hooks
from ._early_stopping import EarlyStopping
from ._optimizers import OPTIMIZERS
from ._plan import TrainingPlan

# On a CPU a larger stack takes as much time for each net; on a GPU it takes less.
MAX_NETS_CPU = 16
MAX_BYTES_CPU = 2**30


def make_stacks(
    plans: Sequence[TrainingPlan], max_stacked: int | str
) -> list[list[TrainingPlan]]:
    """Divide plans into stacks.

    Nets stack that have one architecture, one optimizer and the same rows. Their
    weights, seeds, schedules, labels, momentum, weight decay, dropout, class weights,
    numbers of epochs and early stopping are their own. What can't be stacked comes as a
    list of one.

    Parameters
    ----------
    plans, max_stacked
        As in :func:`train`.

    Returns
    -------
    list of list of TrainingPlan
    """
    alike: dict[object, list[TrainingPlan]] = {}
    for plan in plans:
        alike.setdefault(_stack_key(plan), []).append(plan)
    stacks = []
    for key, group in alike.items():
        size = _stack_size(group, max_stacked) if key[0] is not None else 1
        stacks += [group[i : i + size] for i in range(0, len(group), size)]
    return stacks


def _stack_size(plans, max_stacked):
    """Return how many of these plans may be one stack."""
    if len(plans) == 1 or max_stacked == 1:
        return 1
    try:
        if not _vmap_is_exact(plans[:2]):
            return 1
        return _auto_size(plans[0]) if max_stacked == "auto" else max_stacked
    except Exception:  # out of a module of the user's: its own training will tell
        return 1


def _stack_key(plan):
    """Return what nets of a stack must share; unique for one that can't be stacked."""
    net, domains = plan.net, plan.domains
    optimizer = type(net.optimizer_)
    module = net.module_
    n_weights = len(list(module.named_parameters(remove_duplicate=False)))
    if (
        optimizer not in OPTIMIZERS.values()  # it may look at a weight as a whole
        or net.callbacks  # the user's expect a net whose optimizer moves
        or not all(isinstance(c, EarlyStopping | Watcher) for _, c in plan.callbacks)
        or n_weights != len(list(module.parameters()))  # tied weights
        or has_hooks(module)  # which a stack would not call
    ):
        return None, id(net)
    shared = [domains.X, domains.X_tgt, domains.row_weight, domains.row_weight_tgt]
    shared += [domains.y_tgt, domains.target_prior, domains.groups, domains.groups_tgt]
    if domains.y_tgt is not None:
        shared.append(domains.y)
    settings = (net.batch_size, net.dtype, net.device, len(domains.rows), net.n_steps_)
    terms = tuple(plan.objective.terms), domains.targets.loss
    return (
        optimizer,
        _module_signature(module),
        settings,
        terms,
        tuple(map(id, shared)),
    )


def _module_signature(module):
    layers = [
        (name, type(part), "" if _may_differ(part) else part.extra_repr())
        for name, part in module.named_modules()
    ]
    values = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    shapes = [(k, v.shape, v.dtype, v.requires_grad) for k, v in values.items()]
    return tuple(layers), tuple(shapes)


def _may_differ(part):
    return isinstance(part, Dropout | GradientReversal)


def _vmap_is_exact(plans):
    """Whether parts that only vmap can stack give there what they give alone."""
    net, domains = plans[0].net, plans[0].domains
    rows = to_tensor(domains.X, slice(0, 4), net.dtype, net.device)
    with torch.inference_mode():
        features = net.module_.extract(net.module_.rows_of_networks(rows))
        domain_input = net.module_.domain_input(features)
    modules = [copy.deepcopy(plan.net.module_).train() for plan in plans]
    return all(
        _matches_unstacked([getattr(module, name) for module in modules], x)
        for name, x in [
            ("feature_extractor", net.module_.rows_of_networks(rows)),
            ("label_classifier", features),
            ("domain_classifier", domain_input),
        ]
    )


@torch.no_grad()
def _matches_unstacked(parts, x):
    stacked = stack_modules(parts)
    if not any(type(part) is Stacked for part in stacked.modules()):
        return True  # what is known here needs no trial
    try:
        together = stacked(x.expand(len(parts), *x.shape))
    except Exception:  # whatever vmap raises, or a layer that meets it
        return False
    buffers = [buffer for part in parts for buffer in part.buffers()]
    expected = torch.stack([part(x) for part in parts])
    now = [buffer for part in parts for buffer in part.buffers()]
    if not all(map(operator.is_, buffers, now)):
        return False  # one that is replaced, not changed in place, is lost in a stack
    return torch.allclose(together, expected, rtol=1e-3, atol=1e-5)


def _auto_size(plan):
    """As many nets as memory allows, and on a CPU no more than pays."""
    net = plan.net
    if net.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(net.device)
        return max(1, free // 2 // _bytes(plan))
    n_nets = MAX_NETS_CPU // (net.module_.n_estimators or 1)
    return max(1, min(n_nets, MAX_BYTES_CPU // _bytes(plan)))


def _bytes(plan):
    """Memory that a net takes in training: states of its weights, activations."""
    net = plan.net
    weights = {w.data_ptr(): w.nbytes for w in net.module_.parameters()}
    rows = to_tensor(plan.domains.X, slice(0, 2), net.dtype, net.device)
    saved = {}

    def count(tensor):
        if tensor.data_ptr() not in weights:
            saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, _same):
        net.module_(rows)
    # weight, gradient, two moments, a spare; activation, its gradient, a spare
    per_row = sum(saved.values()) // len(rows)
    return 5 * sum(weights.values()) + 3 * net.batch_size * per_row


def _same(tensor):
    return tensor
