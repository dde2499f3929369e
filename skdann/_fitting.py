"""From an estimator's parameters and its data to a trained net."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from ._io._metadata import describe
from ._state import check_unchanged
from ._training import (
    Checkpoint,
    DANNNet,
    EarlyStopping,
    borrowed_torch_generator,
    check_callbacks,
    draw_seeds,
    memory_explained,
    n_epochs,
    optimizer_settings,
    resolve_device,
    restore,
    schedules_of,
    stored,
    to_tensor,
)
from ._training._sklearn_callbacks import start_fit
from .exceptions import AdaptationWarning
from .metrics._scorers import SCORES, TargetEvaluation, evenly_spaced_rows
from .nn._build import build_dann

# Parameters that build_dann takes by the same names.
_NETWORK = tuple(build_dann.__kwdefaults__)

# What neither a warm start nor partial_fit can change.
_FIXED_BY_FIRST_FIT = (
    *_NETWORK,
    "optimizer",
    "momentum",
    "weight_decay",
    "batch_size",
    "callbacks",
    "device",
)

# Where nine in ten are of one class, calling all so is no sign of a failure; nor is it
# where there are hardly any rows.
MOSTLY_ONE_CLASS = 0.9
FEWEST_ROWS = 10


def build_net(estimator, domains):
    """Return a new, initialized net for these data."""
    example = to_tensor(domains.X, slice(0, 2), domains.dtype, "cpu")
    return make_net(estimator, example, domains.dtype, len(domains.targets.classes))


def make_net(estimator, example, dtype, n_classes):
    """Return a new, initialized net that reads rows like those of the example."""
    e = estimator
    init_seed, train_seed = draw_seeds(e.random_state, 2)
    network = {name: getattr(e, name) for name in _NETWORK}
    memory = memory_explained(e.device, e.batch_size)
    with memory, borrowed_torch_generator(init_seed, example.device):
        module = build_dann(example, n_classes, **network)
        net = DANNNet(
            module,
            dtype=dtype,
            seed=train_seed,
            private_generator=not any(map(callable, network.values())),
            lr=e.lr,
            train_split=None,
            batch_size=e.batch_size,
            callbacks=check_callbacks(e.callbacks),
            device=resolve_device(e.device),
            **optimizer_settings(
                e.optimizer, momentum=e.momentum, weight_decay=e.weight_decay
            ),
        )
        # under the lock, too: the first optimizer of a process imports modules, and a
        # process forked meanwhile would wait for them forever
        return net.initialize()


def continued_net(estimator):
    """Return the net of earlier calls, if it is still the one asked for."""
    check_unchanged(estimator, estimator._built_with)
    return estimator.net_


def hold_out(estimator, net, domains):
    """Return the domains less the source rows that early stopping is to look at."""
    if not estimator.early_stopping:
        return domains
    seed = np.random.SeedSequence(net.seed).generate_state(3)[2]
    try:
        rows, held_out = train_test_split(
            domains.rows,
            test_size=estimator.validation_fraction,
            stratify=domains.y[domains.rows],
            random_state=int(seed),
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping can't hold back validation_fraction="
            f"{estimator.validation_fraction:g} of each class of the source: {error} "
            "Set early_stopping=False, or another validation_fraction."
        ) from error
    return domains.without(held_out, rows)


def train(estimator, net, domains, *, told, resume=False):
    """Fit: train the net for ``max_epochs`` and keep it in the estimator.

    Parameters
    ----------
    estimator : DANNClassifier
        Whose parameters rule; receives the fitted attributes.
    net : DANNNet
        New, or of earlier calls.
    domains : Domains
        The data.
    told : dict
        What scikit-learn's callbacks are told of the rows.
    resume : bool, default=False
        Whether to go on from the checkpoint, if there is one.

    Returns
    -------
    estimator
    """
    early_stopping = make_early_stopping(estimator, start=len(net.history))
    checkpoint = _make_checkpoint(estimator, domains, early_stopping, resume)
    resumes = resume and checkpoint.path.exists()
    if resumes:
        net = build_net(estimator, domains)  # if this fails, the old one is as it was
        epochs = checkpoint.resume(net)
    domains = hold_out(estimator, net, domains)
    planned = net.planned_steps_
    if not resumes:
        n_steps = net.n_steps_per_epoch(domains)
        epochs = n_epochs(estimator.max_epochs, n_steps)
        planned = net.n_steps_ + epochs * n_steps
    if checkpoint is not None:
        checkpoint.begin(len(net.history) + epochs)
    return run(
        estimator,
        net,
        domains,
        epochs=epochs,
        planned=planned,
        told=told,
        early_stopping=early_stopping,
        checkpoint=checkpoint,
    )


def run(estimator, net, domains, *, epochs, planned, told, **watchers):
    """Train for some epochs, tell of each, and keep the net in the estimator."""

    def now():
        return vars(keep(view_of(estimator), net.frozen(), domains))

    prepare(estimator, net)
    fit = start_fit(estimator, epochs, **told)
    tasks = fit.epochs(**told, reconstruction_attributes=now)
    net.train(
        domains,
        epochs=epochs,
        planned_steps=planned,
        tasks=tasks,
        **watchers,
        **schedules_of(estimator),
    )
    keep(estimator, net, domains)
    fit.end(**told, reconstruction_attributes=now)
    return estimator


def prepare(estimator, net):
    """Tell a net the parameters that may differ from call to call."""
    if net.lr != estimator.lr:
        net.lr_scale_ = 1.0  # halved because the old one was too high
    net.lr, net.verbose = estimator.lr, estimator.verbose
    net.on_divergence = estimator.on_divergence


def keep(estimator, net, domains):
    """Give the estimator what a fit leaves behind."""
    keep_net(estimator, net, domains.targets.classes, domains.X.shape[1:])
    estimator._n_features_out = net.apply("transform", domains.X[:1]).shape[1]
    return estimator


def keep_net(estimator, net, classes, row_shape):
    """Give the estimator the attributes of a fit that its net and labels decide."""
    e = estimator
    e.net_, e.module_, e.history_ = net, net.module_, net.history
    e.n_iter_ = len(net.history)
    e.classes_ = classes
    e._row_shape = tuple(row_shape)
    e._built_with = {name: getattr(e, name) for name in _FIXED_BY_FIRST_FIT}


def make_early_stopping(estimator, *, start=0):
    """Return who is to stop training early, if that is asked for."""
    if not estimator.early_stopping:
        return None
    return EarlyStopping(_Score(estimator), estimator.n_iter_no_change, start)


def revive(estimator, tree, row_shape):
    """Give the estimator a new net in the state that a tree tells of.

    Parameters
    ----------
    estimator : DANNClassifier
        With the parameters and ``classes_`` of the one that was stored.
    tree : dict
        From :func:`skdann._training.stored`.
    row_shape : tuple of int
        Shape of a row.
    """
    dtype = np.dtype({"float32": "f4", "float64": "f8"}[tree["net"]["dtype"]])
    row = np.zeros((1, *row_shape), dtype)
    example = to_tensor(np.concatenate([row, row]), slice(None), dtype, "cpu")
    net = make_net(estimator, example, dtype, len(estimator.classes_))
    restore(net, tree)
    prepare(estimator, net)
    keep_net(estimator, net, estimator.classes_, row_shape)
    estimator._n_features_out = net.apply("transform", row).shape[1]


def without_torch(state):
    """Return the state of an estimator with arrays for the net, if that says it all.

    Pickles, and skops, then hold no object of torch. A net with code of the user's is
    left as it is.
    """
    is_plain = "net_" in state and not (
        state["callbacks"]
        or callable(state["optimizer"])
        or any(map(callable, (state["_built_with"][name] for name in _NETWORK)))
    )
    if not is_plain:
        return state
    kept = {k: v for k, v in state.items() if k not in ("module_", "history_")}
    return {**kept, "net_": stored(state["net_"])}


def view_of(estimator):
    """Return a second estimator with the same attributes, at no cost."""
    view = object.__new__(type(estimator))
    vars(view).update(vars(estimator))
    return view


def _make_checkpoint(estimator, domains, early_stopping, resume):
    if estimator.checkpoint is None:
        if resume:
            raise ValueError(
                "resume=True goes on from the file checkpoint, but checkpoint=None. "
                "Name the file that an earlier fit has written."
            )
        return None
    return Checkpoint(
        estimator.checkpoint,
        estimator.checkpoint_interval,
        describe(estimator, domains.targets.classes, domains.X.shape[1:]),
        domains,
        early_stopping,
    )


class _Score:
    """What early stopping goes by: a score of the target, and accuracy on the source.

    Parameters
    ----------
    estimator : DANNClassifier
        In the middle of its fit.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        scoring = estimator.scoring
        self.score = _by_name(scoring) if isinstance(scoring, str) else scoring

    def __call__(self, net, domains):
        """Return the score of the target rows and the accuracy on held-out rows."""
        net.check_predictions(domains)
        as_fitted = keep(view_of(self.estimator), net, domains)
        vars(as_fitted).pop("feature_names_in_", None)  # rows have lost their names
        X, y = (
            domains.X[domains.held_out],
            domains.targets.classes[domains.y[domains.held_out]],
        )
        accuracy = float(np.mean(as_fitted.predict(X) == y))
        if domains.X_tgt is None:
            return accuracy, accuracy
        X_tgt = domains.X_tgt[evenly_spaced_rows(domains.X_tgt.shape[0])]
        return float(self.score(as_fitted, X, y, X_tgt)), accuracy


def _by_name(name):
    return lambda *of: SCORES[name](TargetEvaluation(*of))


def warn_if_collapsed(estimator, domains):
    """Warn of a network that calls all rows the same, though the labels are not.

    Parameters
    ----------
    estimator : DANNClassifier
        Fitted.
    domains : Domains
        What it was fitted on.
    """
    share = np.bincount(domains.y[domains.rows]).max() / len(domains.rows)
    if share > MOSTLY_ONE_CLASS:
        return
    collapsed = {}
    for name, X in {"source": domains.X, "target": domains.X_tgt}.items():
        if X is not None and X.shape[0] >= FEWEST_ROWS:
            some = X[evenly_spaced_rows(X.shape[0])]
            found = np.unique(estimator.net_.apply("predict_proba", some).argmax(1))
            if len(found) == 1:
                collapsed[name] = estimator.classes_[found[0]]
    if "source" in collapsed:
        warnings.warn(
            f"The network has learned nothing: it predicts {collapsed['source']} for "
            f"every row of the source. Train for more epochs, change lr="
            f"{estimator.lr:g}, or lower lambda_max={estimator.lambda_max:g}.",
            ConvergenceWarning,
            stacklevel=5,
        )
    elif "target" in collapsed:
        warnings.warn(
            f"The network predicts {collapsed['target']} for every row of the "
            "target, but not of the source. Check that X_tgt is scaled as X is; lower "
            f"lambda_max={estimator.lambda_max:g} or lr={estimator.lr:g}.",
            AdaptationWarning,
            stacklevel=5,
        )
