"""Fit several estimators on the same rows, as one network where they are alike."""

import copy
from numbers import Integral

from ._base import is_same
from ._data._domains import read_domains, warn_of_no_target
from ._data._groups import if_used
from ._training import train, with_default_settings
from .nn._dann import PARTS

# Parameters that say something of the rows.
_OF_ROWS = ("class_weight", "domain_classes", "loss", "standardize", "target_prior")

# Parameters without an effect where lambda_max is 0.
_OF_LAMBDA = ("lambda_gamma", "lambda_schedule")


def validate_many(estimators, X, y, X_tgt=None, **of_rows):
    """Check and encode data once for all estimators.

    Parameters
    ----------
    estimators : list of BaseDANN
        Not yet fitted.
    X, y, X_tgt, **of_rows
        As in :meth:`skdann.DANNClassifier.fit`.

    Returns
    -------
    list of Domains or Exception
        Of each estimator; they share the arrays. Or why its parameters do not allow it.
    """
    errors = list(map(_parameter_error, estimators))
    fine = [e for e, error in zip(estimators, errors, strict=True) if error is None]
    if not fine:
        return errors
    first = fine[0]  # also of the data: how they are checked depends on parameters
    of_rows = if_used(of_rows, fine)
    read = read_domains(first, X, y, X_tgt, **of_rows, read_targets=first._read_targets)
    for estimator in estimators:
        share_columns(first, estimator)
    lambda_max = max(estimator.lambda_max for estimator in fine)
    if X_tgt is None and lambda_max > 0:
        warn_of_no_target(lambda_max)
    return apply_parameters(estimators, read)


def apply_parameters(estimators, read):
    """Return the domains of each estimator, or why its parameters do not allow it.

    Parameters
    ----------
    estimators : list of BaseDANN
        Not yet fitted.
    read : Domains
        Checked data.

    Returns
    -------
    list of Domains or Exception
        They share the arrays.
    """
    domains = []
    for estimator in estimators:
        alike = (
            done
            for other, done in zip(estimators, domains, strict=False)
            if _read_rows_alike(other, estimator)
        )
        domains.append(_apply_parameters(estimator, read, alike))
    return domains


def _read_rows_alike(*estimators):
    """Whether parameters say the same of the rows."""
    values = ([getattr(e, name, None) for e in estimators] for name in _OF_ROWS)
    return all(is_same(*of_both) for of_both in values)


def _parameter_error(estimator):
    """Return what is wrong with a parameter of an estimator, or None."""
    try:
        estimator._validate_params()
    except Exception as error:  # concerns this one alone
        return error
    return None


def _apply_parameters(estimator, domains, alike):
    """Return the domains of one estimator; alike are the same, so that nets stack."""
    error = _parameter_error(estimator)
    if error is not None:
        return error
    try:
        same = next((d for d in alike if not isinstance(d, Exception)), None)
        return same or estimator._apply_parameters(domains)
    except Exception as error:  # concerns this one alone
        return error


def share_columns(known, estimator):
    """Give an estimator the columns that another one was fitted on."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(known, name):
            setattr(estimator, name, getattr(known, name))


@with_default_settings
def fit_many(estimators, domains, *, starts=None, max_stacked="auto", watcher=None):
    """Fit each estimator on its domains, in stacks where they are alike.

    Each ends as :meth:`skdann.DANNClassifier.fit` would leave it, up to rounding.

    Parameters
    ----------
    estimators : list of BaseDANN
        Not yet fitted.
    domains : list of Domains or Exception
        Of each, from :func:`validate_many`.
    starts : list of skdann.nn.DANN or None, default=None
        Networks with whose weights, and standardizers, to begin; None draws them.
    max_stacked : int or "auto", default="auto"
        Most networks in a stack.
    watcher : Watcher or None, default=None
        Hears of the epochs of each.

    Returns
    -------
    list of Exception or None
        Why an estimator could not be fitted. The others are.
    """
    is_watched = starts is not None or watcher is not None
    copied_from = {} if is_watched else _find_alike(estimators, domains)
    errors = [None] * len(estimators)
    plans = {}
    for i, estimator in enumerate(estimators):
        if i in copied_from:
            continue
        try:
            plans[i] = _plan(estimator, domains[i], starts and starts[i], watcher)
        except Exception as error:  # also of the user's modules
            errors[i] = error
    trained = train(list(plans.values()), max_stacked)
    for (i, plan), error in zip(plans.items(), trained, strict=True):
        errors[i] = error
        if error is None:
            estimators[i]._set_fitted_attributes(plan.net, domains[i])
    for i, first in copied_from.items():
        errors[i] = errors[first]
        if errors[i] is None:
            net = copy.deepcopy(estimators[first]).net_
            estimators[i]._set_fitted_attributes(net, domains[i])
    return errors


def _find_alike(estimators, domains):
    """Return the first that ends the same as a later one, by the position of that."""
    found, others = {}, []
    for i, estimator in enumerate(estimators):
        alike = (
            j
            for j in others
            if domains[j] is domains[i] and _ends_alike(estimators[j], estimator)
        )
        first = next(alike, None)
        if first is None:
            others.append(i)
        else:
            found[i] = first
    return found


def _ends_alike(estimator, other):
    """Whether fits of the same rows would end the same, and one can be a copy."""
    params, others = (e.get_params(deep=False) for e in (estimator, other))
    if type(estimator) is not type(other) or not _is_repeatable(params):
        return False
    if params["lambda_max"] == 0 and not callable(others["lambda_schedule"]):
        others |= {name: params[name] for name in _OF_LAMBDA}
    return all(is_same(value, others[name]) for name, value in params.items())


def _is_repeatable(params):
    """Whether two fits are the same, and none of it is code that has to be called."""
    return isinstance(params["random_state"], Integral) and not (
        params["callbacks"]
        or any(callable(params[name]) for name in (*PARTS, "optimizer", "scoring"))
        or any(callable(params[name]) for name in ("lambda_schedule", "lr_schedule"))
    )


def _plan(estimator, domains, start, watcher):
    if isinstance(domains, Exception):
        raise domains
    net = estimator._initialize_net(domains, start and start.fixed_parts)
    if start is not None:
        net.module_.load_state_dict(start.state_dict())
    early_stopping = estimator._make_early_stopping()
    plan = estimator._plan_training(net, domains, early_stopping)
    net.verbose = 0
    if watcher is not None:
        plan.callbacks.append(("watcher", watcher))
    return plan
