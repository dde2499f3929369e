"""``BaseDANN``: what a domain-adversarial estimator is, whatever it predicts."""

import functools
import inspect
import math
import os
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils._param_validation import Options, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._data._column_scales import column_scales
from ._data._domains import read_domains, warn_of_no_target
from ._data._finite import check_finite
from ._data._groups import GroupNames, as_plain, if_used, with_domain_classes
from ._data._rows import check_rows_to_predict
from ._data._scale_check import warn_if_of_source, warn_if_unscaled
from ._domain_aware import DomainAware
from ._io._container import errors_as_value_error
from ._io._metadata import (
    NOT_IDENTITY,
    check_names,
    check_row_shape,
    describe,
    describe_parameters,
    versions,
)
from ._io._onnx import export_onnx
from ._numbers import Count, Number
from ._progress import logger
from ._training import (
    OPTIMIZERS,
    OPTIONAL_TERMS,
    Checkpoint,
    DANNNet,
    EarlyStopping,
    Schedules,
    TrainingPlan,
    check_callbacks,
    check_predictions,
    check_same,
    count_weights,
    draw_seeds,
    explain_out_of_memory,
    from_plain,
    hash_parts,
    is_first,
    joined_ranks,
    optimizer_settings,
    read_fixed_parts,
    resolve_device,
    seeded_torch_rng,
    start_as_first,
    to_plain,
    to_tensor,
    together,
    with_default_settings,
)
from ._training._sklearn_callbacks import (
    CallbackSupportMixin,
    EpochTasks,
    make_callback_data,
    start_fit,
)
from ._typing import Array, Domain, MatrixLike, PathLike, VectorLike
from ._warn import warn
from .exceptions import AdaptationWarning
from .metrics._sampling import MAX_HELD_OUT, spread_rows
from .metrics._scorers import SCORES, TargetEvaluation, check_score
from .nn._build import build_dann, build_network
from .nn._dann import PARTS
from .nn._domain_groups import DomainGroups
from .nn._mlp import ACTIVATIONS
from .nn._standardizer import SOURCE, TARGET, Standardizer
from .schedules import LAMBDA_SCHEDULES, LR_SCHEDULES, ScaledSchedule, make_schedule

# Parameters of which build_network makes the network, by the same names; of numbers
# there is no "conditional".
_NETWORK = ("n_estimators", *build_dann.__kwdefaults__)

# With five, accuracy varies six tenths as much with the seed as with one.
AUTO_ESTIMATORS = 5

# What neither a warm start nor partial_fit can change, if the estimator has it.
_FIXED_BY_FIRST_FIT = (
    *_NETWORK,
    "domain_classes",
    "standardize",
    "target_prior",
    "optimizer",
    "momentum",
    "weight_decay",
    "batch_size",
    "callbacks",
    "device",
)

# What marks a state as that of a fitted estimator.
_FITTED = ("net_", "_built_with", "_row_shape")

# To predict the same for all rows is no sign of a failure where there are hardly any.
FEWEST_ROWS = 10

# Of the last epoch, what the log of a fit tells.
_LOGGED = ("label_loss", "domain_loss", "domain_accuracy", "lambda")

_POSITIVE = Number(Real, 0, math.inf, closed="neither")
NOT_NEGATIVE = Number(Real, 0, math.inf, closed="left")
_SHARE = Number(Real, 0, 1, closed="left")
_FRACTION = Number(Real, 0, 1, closed="neither")
_COUNT = Count(Integral, 1, None, closed="left")

# More networks than anybody averages would fill the memory before one is trained.
_MAX_ESTIMATORS = 1000

_CODES = {"source": SOURCE, "target": TARGET}


def is_same(value, other):
    """Whether two values of a parameter are the same."""
    if value is other:
        return True
    try:
        if isinstance(value, np.ndarray):
            return np.array_equal(value, other)
        return type(value) is type(other) and bool(value == other)
    except Exception:  # of arrays in a dict, of missing values, of the user's objects
        return False


class BaseDANN(
    DomainAware,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Fit a network on a labelled source and an unlabelled target; what it answers.

    A subclass has the parameters, ``fit``, and what y is: ``_read_targets`` reads it,
    ``_targets`` is what a fit has found, ``_saved_targets`` what a file tells. Every
    fitted attribute is set here, or by scikit-learn's check of the columns.
    """

    _parameter_constraints = {
        "lambda_max": [NOT_NEGATIVE],
        "lambda_schedule": [StrOptions(set(LAMBDA_SCHEDULES)), callable],
        "lambda_gamma": [_POSITIVE],
        "lr": [_POSITIVE],
        "lr_schedule": [StrOptions(set(LR_SCHEDULES)), callable],
        "lr_alpha": [NOT_NEGATIVE],
        "lr_beta": [NOT_NEGATIVE],
        "domain_classes": [StrOptions({"binary", "groups"})],
        "standardize": [StrOptions({"auto", "source", "domain", "pooled"}), None],
        "n_estimators": [
            Count(Integral, 1, _MAX_ESTIMATORS, closed="both"),
            StrOptions({"auto"}),
        ],
        "hidden_layer_sizes": ["array-like", _COUNT],
        "domain_hidden_layer_sizes": ["array-like", _COUNT],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [_SHARE],
        "feature_extractor": [callable, None],
        "label_classifier": [callable, None],
        "domain_classifier": [callable, None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "momentum": [_SHARE],
        "weight_decay": [NOT_NEGATIVE],
        "batch_size": [Count(Integral, 2, None, closed="left")],
        "max_epochs": [StrOptions({"auto"}), _COUNT],
        "early_stopping": ["boolean"],
        "validation_fraction": [_FRACTION],
        "n_iter_no_change": [_COUNT],
        "on_divergence": [StrOptions({"raise", "restore"})],
        "checkpoint": [str, os.PathLike, None],
        "checkpoint_interval": [_COUNT],
        "device": [str, torch.device],
        "distributed": [StrOptions({"auto"}), Options(bool, {False})],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # What files and pickles mean that are older than these parameters.
    _of_old_versions: dict[str, Any] = {"domain_classes": "binary"}

    # Names of the groups that are told apart, as fields of GroupNames.
    _group_names: dict[str, Any] | None = None

    # The loss by which skorch knows outputs of the network, and the score of labelled
    # rows that early stopping and searches guard.
    _criterion = torch.nn.CrossEntropyLoss
    _score_name = "accuracy"

    __metadata_request__fit = {
        "X_tgt": True,
        "y_tgt": True,
        "groups": True,
        "groups_tgt": True,
        "resume": True,
    }
    __metadata_request__partial_fit = {
        "X_tgt": True,
        "y_tgt": True,
        "groups": True,
        "groups_tgt": True,
    }
    __metadata_request__transform = {"domain": True}

    def _fit(self, X, y, X_tgt, *, sample_weight, resume, **of_target):
        """Fit, or go on with a warm start or a checkpoint."""
        continues = self.warm_start and hasattr(self, "net_")
        targets = self._targets if continues else None
        with joined_ranks(self.distributed) as ranks:
            with together(ranks, "begin its fit"):
                domains = self._validate_domains(
                    X,
                    y,
                    X_tgt,
                    sample_weight=sample_weight,
                    **of_target,
                    targets=targets,
                )
                net = self._net_to_train(domains, continues)
                early_stopping = self._make_early_stopping()
                checkpoint = self._make_checkpoint(
                    domains, early_stopping, resume, ranks
                )
                end_epoch = None
                if resume and is_first(ranks) and checkpoint.path.exists():
                    # if this fails, the old one is left
                    net = self._initialize_net(domains)
                    end_epoch = checkpoint.resume(net)
            if ranks is not None:
                check_same(ranks, domains, self._identity(net))
                end_epoch = start_as_first(ranks, net, early_stopping, end_epoch)
            plan = self._plan_training(net, domains, early_stopping, end_epoch)
            plan.ranks = ranks
            self._train(plan, make_callback_data(X, y, sample_weight), checkpoint)
            self._log_fit(domains)
            self._warn_if_collapsed(domains)
        return self

    def _net_to_train(self, domains, continues):
        """Return the net of earlier calls, or a new one."""
        return self._continued_net() if continues else self._initialize_net(domains)

    def _identity(self, net):
        """Return what decides a training beside its data; of code digests."""
        parameters = {
            name: value
            for name, value in describe_parameters(self).items()
            if name not in NOT_IDENTITY
        }
        code = hash_parts(net.module_, self._code_parameters())
        names = getattr(self, "feature_names_in_", None)
        of_columns = None if names is None else names.tolist()
        return {**parameters, **code, "columns": of_columns, "versions": versions()}

    def _log_fit(self, domains):
        """Say in one line what was fitted."""
        last = self.history_[-1]
        logger.info(
            "%s: %d source and %d target rows, standardize=%r, %d epochs; %s",
            type(self).__name__,
            len(domains.y),
            domains.n_target,
            self.standardize_,
            self.n_iter_,
            ", ".join(f"{name} {last[name]:.3g}" for name in _LOGGED if name in last),
        )

    def _fit_one_epoch(self, X, y, X_tgt, *, sample_weight, **of_target):
        """Train for one epoch, from wherever training stands."""
        continues = hasattr(self, "net_")
        with joined_ranks(self.distributed) as ranks:
            with together(ranks, "begin its epoch"):
                self._validate_params()  # scikit-learn does before the first call alone
                if self.early_stopping:
                    raise ValueError(
                        "partial_fit trains for one epoch, which early_stopping=True "
                        "can't shorten. Set early_stopping=False, or call fit."
                    )
                domains = self._validate_domains(
                    X, y, X_tgt, sample_weight=sample_weight, **of_target
                )
                net = self._net_to_train(domains, continues)
            if ranks is not None:
                check_same(ranks, domains, self._identity(net))
                start_as_first(ranks, net, None, None)
            self._set_net_parameters(net)
            schedules = self._make_schedules()
            plan = TrainingPlan.for_one_epoch(net, domains, schedules, self.max_epochs)
            plan.ranks = ranks
            return self._train(plan, make_callback_data(X, y, sample_weight))

    def transform(self, X: MatrixLike, domain: Domain | None = None) -> Any:
        """Map rows to the domain-invariant features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; it matters if ``standardize`` treats them differently. None is the
            target, or the source if there was no target.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            Output of the feature extractor, what the label classifier reads. Of
            several networks, those of each, side by side.
        """
        return self._apply("transform", X, domain)

    def fit_transform(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        **fit_params: Any,
    ) -> Any:
        """Fit, and map the source to the features.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows.
        **fit_params
            As in :meth:`fit`.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            Of the source rows.
        """
        self.fit(X, y, X_tgt, **fit_params)
        return self.transform(X, domain="source")

    def predict_domain(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the probability that a row comes from the target.

        Where adaptation has worked this is near one half everywhere. Of groups that are
        told apart it is the sum over those of the target.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            How they are standardized, as in :meth:`transform`.

        Returns
        -------
        p : ndarray of shape (n_samples,)
            The domain classifier's answer, each domain counting one half.

        Raises
        ------
        ValueError
            If the estimator was fitted without a target.
        """
        self._check_domains_learned()
        return self._apply("predict_domain", X, domain)

    def predict_groups(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the probability that a row comes from each of the groups.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            How they are standardized, as in :meth:`transform`.

        Returns
        -------
        P : ndarray of shape (n_samples, n_groups)
            Columns in the order of ``groups_``.

        Raises
        ------
        ValueError
            If the estimator was fitted without a target, or does not tell groups apart.
        """
        self._check_domains_learned()
        if self._group_names is None:
            raise ValueError(
                f"This {type(self).__name__} tells source and target apart, not "
                "groups: see predict_domain, or fit with domain_classes='groups'."
            )
        return self._apply("predict_groups", X, domain)

    def _check_domains_learned(self):
        check_is_fitted(self)
        if not any("domain_loss" in epoch for epoch in self.history_):
            raise ValueError(
                f"This {type(self).__name__} was fitted without X_tgt: its domain "
                "classifier has learned nothing. Pass X_tgt to fit."
            )

    @with_default_settings
    def to_onnx(self, path: PathLike) -> None:
        """Write the predictor as an ONNX model, for programs without Python.

        Its input is "X", rows as ``predict`` takes them, any number, of the dtype
        that the network computes in; its outputs are "label" and "probabilities", or
        "variable" of a regressor, in float64.

        Parameters
        ----------
        path : path
            The file to write.

        Raises
        ------
        ImportError
            If the extra ``onnx`` is not installed.
        ValueError
            If torch can't export one of your own modules.
        """
        check_is_fitted(self)
        with seeded_torch_rng(0, torch.device("cpu")):
            export_onnx(self, path)

    def _validate_domains(self, X, y, X_tgt, *, targets=None, **of_rows):
        """Check and encode the data; ``targets`` are known from an earlier call."""
        continues = hasattr(self, "net_") and targets is not None
        domains = read_domains(
            self,
            X,
            y,
            X_tgt,
            **if_used(of_rows, [self]),
            targets=targets,
            group_names=self._known_groups() if continues else None,
            reset=not continues,
            read_targets=self._read_targets,
        )
        if X_tgt is None and self.lambda_max > 0:
            warn_of_no_target(self.lambda_max)
        return self._apply_parameters(domains, continues)

    def _apply_parameters(self, domains, continues=False):
        """Return the domains with what parameters say of their rows.

        If training goes on, what the first fit has decided stays.
        """
        return with_domain_classes(domains, self.domain_classes)

    def _known_groups(self):
        """Return the groups of the first fit, if they are still to be told apart."""
        is_known = self._group_names is not None and self.domain_classes == "groups"
        return GroupNames(**self._group_names) if is_known else None

    def _is_one_value(self, domains):
        """Whether y is nearly the same for all rows of the source."""
        return not domains.y[domains.rows].std()

    def _initialize_net(self, domains, fixed_parts=None):
        """Return a new, initialized net for these data."""
        example = to_tensor(domains.X, slice(0, 2), domains.dtype, "cpu")
        if fixed_parts is None:
            fixed_parts = self._make_fixed_parts(domains)
        n_outputs = domains.targets.n_outputs
        return self._make_net(example, domains.dtype, n_outputs, fixed_parts)

    @property
    def _n_networks(self):
        """Number of networks; "auto" is one where training it may take hours."""
        if self.n_estimators != "auto":
            return self.n_estimators
        has_own_part = any(getattr(self, name) is not None for name in PARTS)
        return 1 if has_own_part else AUTO_ESTIMATORS

    def _make_fixed_parts(self, domains):
        """Return the parts of the network that the data decide before training."""
        parts = {"standardizer": self._make_standardizer(domains)}
        if domains.group_names is not None:
            is_target = torch.from_numpy(domains.group_names.is_target)
            parts["domain_groups"] = DomainGroups(is_target)
        return {name: part for name, part in parts.items() if part is not None}

    def _make_standardizer(self, domains):
        """Return what standardizes the rows, or None if they are left as they are."""
        if domains.scales is None:
            if self.feature_extractor is None:  # the user's may expect large numbers
                warn_if_unscaled(domains.X)
            return None
        if domains.X.ndim != 2:
            raise ValueError(
                f"standardize={self.standardize!r} is for tables, but X has rows of "
                f"shape {domains.X.shape[1:]}. Set standardize=None, and scale images "
                "yourself, for example by X / 255."
            )
        scales = column_scales(domains, domains.scales)
        return Standardizer(*map(torch.from_numpy, scales))

    def _make_net(self, example, dtype, n_outputs, fixed_parts, budgets=None):
        """Return a new, initialized net that reads rows like those of the example."""
        init_seed, train_seed = draw_seeds(self.random_state, 2)
        own = [name for name in _NETWORK if hasattr(self, name)]
        network = {name: getattr(self, name) for name in own}
        network["n_estimators"] = self._n_networks
        memory = explain_out_of_memory(self.device, self.batch_size)
        with memory, seeded_torch_rng(init_seed, example.device):
            module = build_network(
                example, n_outputs, fixed_parts=fixed_parts, budgets=budgets, **network
            )
            net = DANNNet(
                module,
                criterion=self._criterion,
                dtype=dtype,
                seed=train_seed,
                private_generator=not any(map(callable, network.values())),
                lr=self.lr,
                train_split=None,
                batch_size=self.batch_size,
                callbacks=check_callbacks(self.callbacks),
                device=resolve_device(self.device),
                **optimizer_settings(
                    self.optimizer,
                    momentum=self.momentum,
                    weight_decay=self.weight_decay,
                ),
            )
            # under the lock, too: the first optimizer of a process imports modules, and
            # a process forked meanwhile would wait for them forever
            return net.initialize()

    def _continued_net(self):
        """Return the net of earlier calls, if it is still the one asked for."""
        changed = [
            name
            for name, value in self._built_with.items()
            if not is_same(value, getattr(self, name))
        ]
        if changed:
            raise ValueError(
                f"{', '.join(changed)} changed since the network was built. Training "
                "can't go on with another: restore the old value, or fit a clone."
            )
        return self.net_

    def _plan_training(self, net, domains, early_stopping, end_epoch=None):
        """Return the plan of a fit; ``end_epoch`` is known if it is resumed."""
        self._set_net_parameters(net)
        domains = self._hold_out(net, domains)
        schedules = self._make_schedules()
        if end_epoch is None:
            plan = TrainingPlan.for_fit(net, domains, schedules, self.max_epochs)
        else:
            plan = TrainingPlan.for_the_rest(net, domains, schedules, end_epoch)
        if early_stopping is not None:
            plan.callbacks.append(("early_stopping", early_stopping))
        return plan

    def _set_net_parameters(self, net):
        """Give a net the parameters that may differ from call to call."""
        if net.lr != self.lr:
            net.lr_scale_ = 1.0  # halved because the old one was too high
        net.lr, net.verbose = self.lr, self.verbose
        net.on_divergence = self.on_divergence

    def _make_schedules(self):
        weights = ((name, getattr(self, name, 0)) for name in OPTIONAL_TERMS)
        return Schedules(
            lambda_=make_schedule(
                "lambda_schedule",
                self.lambda_schedule,
                LAMBDA_SCHEDULES,
                self.lambda_max,
                gamma=self.lambda_gamma,
            ),
            lr=make_schedule(
                "lr_schedule",
                self.lr_schedule,
                LR_SCHEDULES,
                self.lr,
                alpha=self.lr_alpha,
                beta=self.lr_beta,
            ),
            weights=tuple((name, ScaledSchedule(w)) for name, w in weights if w > 0),
        )

    def _hold_out(self, net, domains):
        """Return the domains less the source rows that early stopping looks at."""
        if not self.early_stopping:
            return domains
        seed = np.random.SeedSequence(net.seed).generate_state(3)[2]
        try:
            rows, held_out = train_test_split(
                domains.rows,
                test_size=self.validation_fraction,
                stratify=domains.targets.strata(domains.y[domains.rows]),
                random_state=int(seed),
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping can't hold back validation_fraction="
                f"{self.validation_fraction:g} of each class of the source: {error} "
                "Set early_stopping=False, or another validation_fraction."
            ) from error
        return domains.without(held_out, rows)

    def _make_early_stopping(self):
        if not self.early_stopping:
            return None
        return EarlyStopping(
            _ValidationScore(self),
            self.n_iter_no_change,
            f"validation_{self._score_name}",
        )

    def _make_checkpoint(self, domains, early_stopping, resume, ranks):
        if self.checkpoint is None:
            if resume:
                raise ValueError(
                    "resume=True goes on from the file checkpoint, but checkpoint="
                    "None. Name the file that an earlier fit has written."
                )
            return None
        return Checkpoint(
            self.checkpoint,
            self.checkpoint_interval,
            describe(
                self,
                domains.targets,
                domains.X.shape[1:],
                as_plain(domains.group_names),
            ),
            default_identity(type(self)),
            self._code_parameters(),
            domains,
            early_stopping,
            is_first(ranks),
        )

    def _code_parameters(self):
        """Return the parameters that decide the training and are code."""
        return {
            name: value
            for name, value in self.get_params(deep=False).items()
            if callable(value) and name not in NOT_IDENTITY
        }

    def _train(self, plan, data, checkpoint=None):
        """Train as planned, make each epoch a task of the fit, and keep the net."""
        with together(plan.ranks, "write its checkpoint"):
            if checkpoint is not None and is_first(plan.ranks):
                checkpoint.check(plan.net, plan.end_epoch)
        as_fitted = functools.partial(self._fitted_attributes_now, plan)
        n_epochs = plan.end_epoch - len(plan.net.history)
        fit_task = start_fit(self, n_epochs, **data)
        at_epoch = {**data, "reconstruction_attributes": as_fitted}
        plan.callbacks.append(("tasks", EpochTasks(fit_task, at_epoch)))
        if checkpoint is not None:  # last: it writes what the others have come to
            plan.callbacks.append(("checkpoint", checkpoint))
        try:
            plan.net.train_on(plan)
        finally:
            plan.callbacks.clear()  # they know the plan: a circle that holds the data
        self._set_fitted_attributes(plan.net, plan.domains)
        fit_task.end(**at_epoch)
        return self

    def _fitted_attributes_now(self, plan):
        """Return the attributes that the estimator would have if training ended."""
        frozen = plan.net.frozen(plan)
        return vars(self._shallow_copy()._set_fitted_attributes(frozen, plan.domains))

    def _set_fitted_attributes(self, net, domains):
        """Set the attributes that a fit leaves."""
        self._group_names = as_plain(domains.group_names)
        return self._set_net(net, domains.targets, domains.X.shape[1:])

    def _set_net(self, net, targets, row_shape):
        self.net_, self.module_, self.history_ = net, net.module_, net.history
        vars(self).update(targets.fitted_attributes())
        self._row_shape = tuple(row_shape)
        own = [name for name in _FIXED_BY_FIRST_FIT if hasattr(self, name)]
        self._built_with = {name: getattr(self, name) for name in own}
        return self

    def _restore_fitted(self, saved, row_shape, feature_names=None):
        """Set the attributes that a fit has left, as a file holds them.

        Parameters
        ----------
        saved : dict
            Holds the net, from ``to_plain``.
        row_shape : tuple of int
            Shape of a row.
        feature_names : ndarray of str or None, default=None
            Names of the columns.
        """
        targets = self._saved_targets(saved["net"]["module"])
        net = self._saved_net(saved, targets, row_shape)
        self._set_net_parameters(net)
        self._set_net(net, targets, row_shape)
        self.n_features_in_ = row_shape[0]
        if feature_names is not None:
            self.feature_names_in_ = feature_names

    @with_default_settings
    def _saved_net(self, saved, targets, row_shape):
        """Return the net of a file, built by the present parameters."""
        dtype = np.dtype({"float32": "f4", "float64": "f8"}[saved["net"]["dtype"]])
        rows = torch.from_numpy(np.zeros((), dtype)).expand(2, *row_shape)
        n_outputs = targets.n_outputs
        weights = saved["net"]["module"]
        parts = read_fixed_parts(weights, row_shape, targets, dtype)
        self._check_groups(parts.get("domain_groups"))
        budgets = count_weights(weights)
        net = self._make_net(rows, dtype, n_outputs, parts, budgets)
        from_plain(net, saved)
        return net

    def _check_groups(self, part):
        """Raise ValueError if the groups of a file are not those of its network."""
        tells_groups = self.domain_classes == "groups"
        if not tells_groups == (part is not None) == (self._group_names is not None):
            raise ValueError("its parameters, network or groups tell no groups apart")
        if part is not None:
            names = GroupNames(**self._group_names)
            if not np.array_equal(part.is_target.numpy(), names.is_target):
                raise ValueError("its groups are not those of its network")

    def _as_built(self):
        """Return a copy, its parameters as the network was built with."""
        copied = self._shallow_copy()
        vars(copied).update(self._built_with | {"device": self.device})
        return copied

    @property
    def n_iter_(self) -> int:
        """Number of epochs trained."""
        return len(self.history_)

    @property
    def groups_(self) -> Array:
        """Domain and name of each group; only with ``domain_classes="groups"``."""
        check_is_fitted(self)
        if self._group_names is None:
            raise AttributeError("Fitted with domain_classes='binary'.")
        return GroupNames(**self._group_names).as_pairs()

    @property
    def standardize_(self) -> str | None:
        """By whose statistics columns are standardized; ``standardize``, resolved."""
        standardizer = self.module_.standardizer
        if standardizer is None:
            return None
        if standardizer.tells_domains_apart:
            return "domain"
        return "pooled" if self.standardize == "pooled" else "source"

    @property
    @with_default_settings
    def _n_features_out(self):
        """Number of features, for scikit-learn's names of columns."""
        row = np.zeros((1, *self._row_shape), self.net_.dtype)
        return self.net_.apply("transform", row).shape[1]

    def __getstate__(self):
        """Return the state with arrays for the net, if they say it all.

        Pickles, and skops, then hold no object of torch. A net with code of the user's
        is left as it is.
        """
        state = super().__getstate__()
        is_plain = "net_" in state and not (
            state["callbacks"]
            or callable(state["optimizer"])
            or any(callable(state["_built_with"].get(name)) for name in _NETWORK)
        )
        if not is_plain:
            return state
        kept = {k: v for k, v in state.items() if k not in ("module_", "history_")}
        return {**kept, "net_": to_plain(state["net_"])}

    def __setstate__(self, state):
        super().__setstate__(self._of_old_versions | state)
        is_whole = isinstance(vars(self).get("net_"), DANNNet)
        if not is_whole and not vars(self).keys().isdisjoint(_FITTED):
            what = f"This {type(self).__name__} of a pickle"
            with errors_as_value_error(what, "Fit it anew."):
                self._restore_pickled()

    def _restore_pickled(self):
        self.get_params(deep=False)  # whatever is missing is missed now
        row_shape = check_row_shape(self._row_shape)
        names = getattr(self, "feature_names_in_", None)
        if names is not None:
            check_names(names.tolist(), row_shape[0])
        known = [name for name in _FIXED_BY_FIRST_FIT if name in self._built_with]
        saved = self.net_
        built_with = {name: self._built_with[name] for name in known}
        self._built_with, self.n_features_in_ = built_with, row_shape[0]
        built = self._as_built()
        built.lr = 1.0  # any; that of the next steps comes from the schedule
        targets = built._saved_targets(saved["net"]["module"])
        net = built._saved_net(saved, targets, row_shape)
        net.lr = self.lr
        self._set_net_parameters(net)
        self._set_net(net, targets, row_shape)
        self._built_with = built_with | {"device": self.device}

    def _warn_if_collapsed(self, domains):
        """Warn of a network that predicts the same for all rows, though y differs."""
        if self._is_one_value(domains):
            return
        collapsed = {}
        for name, X in {"source": domains.X, "target": domains.X_tgt}.items():
            if X is not None and X.shape[0] >= FEWEST_ROWS:
                some = X[spread_rows(X.shape[0])]
                labels = domains.targets.decode(self._predict_checked(some, name))
                if (labels == labels[0]).all():
                    collapsed[name] = labels[0]
        if "source" in collapsed:
            warn(
                f"The network has learned nothing: it predicts {collapsed['source']} "
                f"for every row of the source. Train for more epochs, change lr="
                f"{self.lr:g}, or lower lambda_max={self.lambda_max:g}.",
                ConvergenceWarning,
            )
        elif "target" in collapsed:
            warn(
                f"The network predicts {collapsed['target']} for every row of the "
                "target, but not of the source. Check that X_tgt is scaled as X is; "
                f"lower lambda_max={self.lambda_max:g} or lr={self.lr:g}.",
                AdaptationWarning,
            )

    @with_default_settings
    def _predict_checked(self, X, domain):
        """Predict, as ``net_`` does, rows that are checked already."""
        return self._answer("predict", X, domain)

    def _answer(self, method, X, domain):
        """Return what the network answers for rows, which must be finite."""
        answers = self.net_.apply(method, X, _CODES[domain])
        return check_finite(answers, X, type(self).__name__)

    @with_default_settings
    def _apply(self, method, X, domain):
        check_is_fitted(self)
        domain, is_assumed = self._domain_of_rows(domain)
        X = check_rows_to_predict(self, X, self._row_shape)
        if is_assumed and self.standardize_ == "domain":
            standardizer = self.module_.standardizer
            scales = (standardizer.mean, standardizer.scale)
            warn_if_of_source(X, *(values.cpu().numpy() for values in scales))
        return self._answer(method, X, domain)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def default_identity(cls):
    """Return, by name, what a file means by parameters that it does not mention."""
    parameters = inspect.signature(cls).parameters.values()
    defaults = {parameter.name: parameter.default for parameter in parameters}
    return defaults | cls._of_old_versions


class _ValidationScore:
    """Score monitored by early stopping, and score of held-out source rows.

    Parameters
    ----------
    estimator : BaseDANN
        In the middle of its fit.
    """

    def __init__(self, estimator):
        self.estimator = estimator
        scoring = estimator.scoring
        self.score = _score_by_name(scoring) if isinstance(scoring, str) else scoring

    def __call__(self, net, domains):
        """Return the score of the target rows, and that of held-out labelled rows."""
        check_predictions(net, domains)
        as_fitted = self.estimator._shallow_copy()._set_fitted_attributes(net, domains)
        vars(as_fitted).pop("feature_names_in_", None)  # rows have lost their names
        rows = domains.held_out
        rows = rows[spread_rows(len(rows), MAX_HELD_OUT)]
        X, targets = domains.X[rows], domains.targets
        predicted = as_fitted._reading("source").predict(X)
        accuracy = targets.score(predicted, domains.y[rows])
        y = targets.true_values(domains.y[rows])
        if domains.X_tgt is None:
            return accuracy, accuracy
        X_tgt = domains.X_tgt[spread_rows(domains.X_tgt.shape[0])]
        return check_score(self.score(as_fitted, X, y, X_tgt)), accuracy


def _score_by_name(name):
    def score(estimator, X, y, X_tgt):
        scale = getattr(estimator._targets, "scale", None)  # numbers have one
        return SCORES[name](TargetEvaluation(estimator, X, y, X_tgt, scale=scale))

    return score
