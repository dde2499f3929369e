"""Train nets as planned: each by itself, or as members of a stack.

A member that is done, or that has to go back an epoch, leaves its stack; the others are
stacked anew.
"""

import traceback
from collections.abc import Sequence
from contextlib import ExitStack

from ..exceptions import DivergenceError
from ._device import is_small, limit_threads
from ._plan import TrainingPlan
from ._stacked_net import StackedNet, make_independent
from ._stacking import make_stacks
from ._state import capture_state, restore_state

Errors = dict[TrainingPlan, Exception]


def train(
    plans: Sequence[TrainingPlan], max_stacked: int | str = "auto"
) -> list[Exception | None]:
    """Train nets as planned, as one network where they are alike.

    Each ends as if it had been trained by itself, up to rounding: sums are in another
    order.

    Parameters
    ----------
    plans : sequence of TrainingPlan
        One for each net.
    max_stacked : int or "auto", default="auto"
        Most nets in a stack; "auto" is what memory allows, and on a CPU no more than
        pays.

    Returns
    -------
    list of Exception or None
        Why a net could not be trained. It does not concern the others.
    """
    errors: Errors = {}
    with limit_threads(False):
        stacks = make_stacks(plans, max_stacked)
        while stacks:
            stack = stacks.pop(0)
            if len(stack) == 1:
                _train_alone(stack[0], errors)
            else:
                stacks += _train_stack_or_halve(stack, errors)
    return [errors.get(plan) for plan in plans]


def _train_alone(plan, errors):
    net = plan.net
    try:
        net.train_on(plan)
    except Exception as error:
        errors[plan] = error
    else:
        if not net.is_finished_ and not net.callbacks:
            raise KeyboardInterrupt  # at which skorch ends a fit quietly


def _train_stack_or_halve(plans, errors):
    """Train a stack; if it fails as a whole, return two halves, as before training.

    One of its nets may be at fault, which ends up alone so, or there may be too little
    memory for all.
    """
    before = {}
    try:
        before |= {plan: capture_state(plan.net) for plan in plans}
        _train_stack(plans, errors)
    except Exception as error:
        traceback.clear_frames(error.__traceback__)  # they hold the stack's memory
        for plan, state in before.items():
            make_independent(plan.net)
            restore_state(plan.net, state)
        middle = len(plans) // 2
        return [plans[:middle], plans[middle:]]
    return []


def _train_stack(plans, errors):
    """Train plans as a stack, and stacks of what is left as members leave it."""
    net, X = plans[0].net, plans[0].domains.X
    failed: Errors = {}
    with ExitStack() as contexts:
        for plan in plans:
            contexts.enter_context(plan.net.following(plan))
        # a stack could use more threads, but beside a busy neighbor they cost six times
        # what they bring; whoever has cores for it divides the candidates among
        # processes
        contexts.enter_context(limit_threads(is_small(net.module_, X, net.batch_size)))
        for plan in plans:
            _tell(plan, failed, "on_train_begin", X=plan.domains, y=None)
        groups = [[plan for plan in plans if plan not in failed]]
        while groups:
            groups += _train_until_one_leaves(groups.pop(), failed)
    errors |= failed


def _train_until_one_leaves(plans, failed):
    """Return the groups of plans that are to be trained on."""
    if not plans:
        return []
    stack = StackedNet(plans)
    stack.fit_loop(None)
    stack.release_members()
    failed |= stack.failed
    for error in (*stack.failed.values(), *(e for _, e in stack.diverged.values())):
        traceback.clear_frames(error.__traceback__)  # they hold the stack's memory
    groups = []
    for plan, (rollback, error) in stack.diverged.items():
        try:
            rollback.at_half_the_lr(error)
            groups.append([plan])
        except DivergenceError as final:
            failed[plan] = final
    left = [plan for plan in plans if plan not in failed and plan not in stack.diverged]
    for plan in left:
        if plan.net.is_over:
            _tell(plan, failed, "on_train_end", X=plan.domains, y=None)
    return [*groups, [plan for plan in left if not plan.net.is_over]]


def _tell(plan, failed, event, **data):
    """Tell a net's callbacks; what they raise concerns that net alone."""
    try:
        plan.net.notify(event, **data)
    except Exception as error:
        failed[plan] = error
