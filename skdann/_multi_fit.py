"""Fit several classifiers on the same rows at once."""

from ._data._domains import with_class_weight
from ._fitting import build_net, hold_out, keep, make_early_stopping, prepare
from ._state import is_same
from ._training import Plan, make_stacks, n_epochs, schedules_of, train_stacked


def read_together(estimators, X, y, X_tgt=None, *, sample_weight=None, y_tgt=None):
    """Check and encode data once for all estimators.

    Parameters
    ----------
    estimators : list of DANNClassifier
        Not yet fitted.
    X, y, X_tgt, sample_weight, y_tgt
        As in :meth:`skdann.DANNClassifier.fit`.

    Returns
    -------
    list of Domains
        Of each estimator; they share the arrays.
    """
    keenest = max(estimators, key=lambda estimator: estimator.lambda_max)
    read = keenest._read(X, y, X_tgt, sample_weight, y_tgt, None)
    domains = []
    for estimator in estimators:
        share_columns(keenest, estimator)
        same = (
            done
            for other, done in zip(estimators, domains, strict=False)
            if is_same(other.class_weight, estimator.class_weight)
        )
        domains.append(
            next(same, None) or with_class_weight(read, estimator.class_weight)
        )
    return domains


def share_columns(known, estimator):
    """Tell an estimator the columns that another one has seen."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(known, name):
            setattr(estimator, name, getattr(known, name))


def train_together(estimators, domains, *, starts=None, max_stacked="auto"):
    """Fit each estimator on its domains, in stacks where they are alike.

    Each ends as :meth:`skdann.DANNClassifier.fit` would leave it, up to rounding.

    Parameters
    ----------
    estimators : list of DANNClassifier
        Not yet fitted.
    domains : list of Domains
        Of each, from :func:`read_together`.
    starts : list of skdann.nn.DANN or None, default=None
        Networks whose weights to begin with; None draws them.
    max_stacked : int or "auto", default="auto"
        Most networks in a stack.

    Returns
    -------
    list of Exception or None
        Why an estimator could not be fitted. The others are.
    """
    errors = [None] * len(estimators)
    plans = {}
    for i, estimator in enumerate(estimators):
        try:
            plans[i] = _plan(estimator, domains[i], starts and starts[i])
        except ValueError as error:
            errors[i] = error
    position = {id(plan): i for i, plan in plans.items()}
    for stack in make_stacks(list(plans.values()), max_stacked):
        for plan, error in zip(stack, _train(stack), strict=True):
            i = position[id(plan)]
            errors[i] = error
            if error is None:
                keep(estimators[i], plan.net, plan.domains)
    return errors


def _plan(estimator, domains, start):
    estimator._validate_params()
    net = build_net(estimator, domains)
    if start is not None:
        net.module_.load_state_dict(start.state_dict())
    prepare(estimator, net)
    net.verbose = 0
    domains = hold_out(estimator, net, domains)
    epochs = n_epochs(estimator.max_epochs, net.n_steps_per_epoch(domains))
    return Plan(
        net,
        domains,
        epochs,
        **schedules_of(estimator),
        early_stopping=make_early_stopping(estimator),
    )


def _train(stack):
    if len(stack) > 1:
        return train_stacked(stack)
    [plan] = stack
    net = plan.net
    planned_steps = plan.epochs * net.n_steps_per_epoch(plan.domains)
    try:
        net.train(
            plan.domains,
            epochs=plan.epochs,
            planned_steps=planned_steps,
            lambda_at=plan.lambda_at,
            lr_at=plan.lr_at,
            early_stopping=plan.early_stopping,
        )
    except (ValueError, MemoryError) as error:
        return [error]
    if not net.is_finished_ and not net.callbacks:
        raise KeyboardInterrupt  # at which skorch ends a fit quietly
    return [None]
