"""``DANNRegressor``: domain-adversarial training for numbers."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import torch
from sklearn.utils._param_validation import StrOptions

from ._base import BaseDANN
from ._data._real_targets import (
    in_dtype,
    read_real_targets,
    saved_targets,
    standardize_response,
)
from ._data._response_shift import resolve_scales
from ._domain_aware import DomainAwareRegressor
from ._restore import restore_attributes_on_error
from ._training import validated_on_all_ranks, with_default_settings
from ._typing import (
    Array,
    Domain,
    MatrixLike,
    PathLike,
    RandomState,
    Schedule,
    VectorLike,
    fit_context,
)
from .metrics._scorers import OF_FEATURES
from .nn._losses import RESPONSE_LOSSES
from .nn._response_scale import ResponseScale


class DANNRegressor(DomainAwareRegressor, BaseDANN):
    r"""Domain-adversarial neural network that predicts numbers [1]_.

    As :class:`DANNClassifier`, for one number of each row, or several: a concentration,
    a length of stay. The network learns features that predict it but do not reveal the
    domain.

    Rows to predict are taken as those of the target; give ``domain="source"`` for
    others. y is brought to mean 0 and deviation 1 inside, by the source, and what is
    predicted is in the units of y.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        What is minimized on labelled rows: half the squared error, the absolute error,
        or the first for errors up to one deviation of y and the second beyond.
    lambda_max : float, default=0.1
        Peak strength of the adversary, as in :class:`DANNClassifier`, where all
        parameters are explained that are named alike. Weaker than there: a strong one
        does much harm where y is distributed differently.
    lambda_schedule : {"annealed", "linear", "constant"} or callable, default="annealed"
        How lambda rises with training progress.
    lambda_gamma : float, default=10.0
        Of "annealed": larger rises earlier.
    lr : float, default=3e-3
        Peak learning rate.
    lr_schedule : {"annealed", "constant", "cosine"} or callable, default="annealed"
        How the learning rate falls with progress.
    lr_alpha, lr_beta : float, default=10.0 and 0.75
        Of "annealed".
    standardize : {"auto", "source", "domain", "pooled"} or None, default="auto"
        By whose means and deviations columns are standardized. "auto" is "domain" if a
        ridge regression and a random forest then agree better on the target, by Lin's
        concordance, and the domains hardly overlap (they are told apart with an area
        under the ROC curve above .9), else "source"; sparse rows and images stay as
        they are.
    n_estimators : int or "auto", default="auto"
        Number of networks, whose predictions are averaged. "auto" is 5, and 1 if a part
        of the network is your own.
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the feature extractor's layers.
    domain_hidden_layer_sizes : tuple of int, default=(128, 128)
        Widths of the domain classifier's hidden layers.
    activation : str, default="relu"
        One of "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid".
    dropout : float, default=0.1
        Probability of dropping a hidden unit of the feature extractor in training.
    feature_extractor : torch module, class, factory or None, default=None
        Replaces the built-in layers.
    label_classifier : torch module, class, factory or None, default=None
        Maps features to the numbers, in deviations from their mean; called with as many
        of (n_features, n_outputs) as it requires. None is ``torch.nn.Linear``.
    domain_classifier : torch module, class, factory or None, default=None
        Maps features to one logit, called with (n_features, 1), or to one for each
        group, called with (n_features, n_groups).
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        Optimizer; its learning rate follows ``lr_schedule``.
    momentum : float, default=0.9
        Momentum of "sgd", :math:`\beta_1` of "adam" and "adamw".
    weight_decay : float, default=0.01
        Weight decay coefficient.
    domain_classes : {"binary", "groups"}, default="binary"
        Whether source and target are told apart, or all groups of both.
    batch_size : int, default=128
        Rows per step: half source, half target.
    max_epochs : int or "auto", default="auto"
        Passes over the larger domain. "auto" gives at least 10, and at least 400 steps;
        1000 to a single network.
    early_stopping : bool, default=False
        Whether to stop when the target is no longer predicted better, judged by
        ``scoring``, and to keep the best epoch. Epochs whose R2 on held-out source rows
        is .05 under the best do not count.
    validation_fraction : float, default=0.1
        Share of the source that early stopping holds out.
    n_iter_no_change : int, default=10
        Epochs without a better score after which early stopping stops.
    scoring : str or callable, default="neg_dev"
        Score monitored by early stopping: "neg_iwv", "neg_dev" or "neg_devn", minus the
        squared error on held-out source rows that are weighted to look like the target,
        in variances of y; or a callable ``scoring(estimator, X, y, X_tgt)``. Without a
        target it is R2 on held-out source rows.
    on_divergence : {"raise", "restore"}, default="raise"
        Whether to give up if the loss explodes, or to repeat the epoch at half the
        learning rate.
    checkpoint : path or None, default=None
        Checkpoint file; ``fit(..., resume=True)`` continues with bit-identical results.
    checkpoint_interval : int, default=10
        Epochs between checkpoints.
    device : str or torch.device, default="auto"
        "auto" is "cuda" if there is such a device, else "cpu".
    distributed : "auto" or False, default="auto"
        Whether fits join a torch process group, if the program has initialized one.
    warm_start : bool, default=False
        Whether ``fit`` goes on with the network of the last call.
    callbacks : list of skorch callbacks or None, default=None
        Called during training.
    random_state : int, RandomState or None, default=None
        Decides the initial weights, the order of rows and dropout.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    n_outputs_ : int
        Numbers predicted of each row.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.
    standardize_ : {"source", "domain", "pooled"} or None
        How columns are standardized: what "auto" has come to.
    groups_ : ndarray of shape (n_groups, 2)
        Domain and name of each group; only with ``domain_classes="groups"``.
    module_ : skdann.nn.DANN
        The trained network.
    net_ : skorch.NeuralNet
        The skorch net that trained it.
    history_ : skorch.history.History
        One dict per epoch, as of :class:`DANNClassifier`; ``label_loss`` is of y in
        deviations. With early stopping also ``validation_score``,
        ``validation_score_best`` and ``validation_r2``.
    n_iter_ : int
        Number of epochs trained.

    See Also
    --------
    DANNClassifier : The same for classes; it explains the parameters.

    Notes
    -----
    Training seeks the saddle point of :math:`E = L_y - \lambda L_d` as
    :class:`DANNClassifier` does, with a label loss of numbers. For "squared_error",
    outputs :math:`G_y(f_i)` and :math:`\mu, \sigma` of y in the source,

    .. math:: L_y = \frac{1}{2 |S|} \sum_{i \in S}
              \left\| G_y(f_i) - \frac{y_i - \mu}{\sigma} \right\|^2

    Where the domains differ in how y is distributed, aligned features are wrong for
    numbers, too: a strong adversary makes predictions too alike. Compare with
    ``lambda_max=0``.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17,
       2016.

    Examples
    --------
    An instrument that reads half as much again as another, and 2 more:

    >>> import numpy as np
    >>> from skdann import DANNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = 20 + 5 * X[:, 0] - 3 * X[:, 1]
    >>> X_src, y_src, X_tgt, y_tgt = X[:200], y[:200], 1.5 * X[200:] + 2, y[200:]
    >>> adapted = DANNRegressor(random_state=0).fit(X_src, y_src, X_tgt)
    >>> adapted.standardize_
    'domain'
    >>> bool(adapted.score(X_tgt, y_tgt) > 0.9)
    True
    """

    _kind = "DANNRegressor"  # what files call it, and subclasses of users
    _criterion = torch.nn.MSELoss
    _score_name = "r2"

    _parameter_constraints = {
        **BaseDANN._parameter_constraints,
        "loss": [StrOptions(set(RESPONSE_LOSSES))],
        "scoring": [StrOptions(set(OF_FEATURES)), callable],
    }

    def __init__(
        self,
        *,
        loss: Literal["squared_error", "absolute_error", "huber"] = "squared_error",
        lambda_max: float = 0.1,
        lambda_schedule: Literal["annealed", "linear", "constant"]
        | Schedule = "annealed",
        lambda_gamma: float = 10.0,
        lr: float = 3e-3,
        lr_schedule: Literal["annealed", "constant", "cosine"] | Schedule = "annealed",
        lr_alpha: float = 10.0,
        lr_beta: float = 0.75,
        standardize: Literal["auto", "source", "domain", "pooled"] | None = "auto",
        n_estimators: int | Literal["auto"] = "auto",
        hidden_layer_sizes: int | VectorLike = (64, 64),
        domain_hidden_layer_sizes: int | VectorLike = (128, 128),
        activation: Literal[
            "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"
        ] = "relu",
        dropout: float = 0.1,
        feature_extractor: Callable[..., Any] | None = None,
        label_classifier: Callable[..., Any] | None = None,
        domain_classifier: Callable[..., Any] | None = None,
        optimizer: Literal["adam", "adamw", "sgd"] | type = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.01,
        domain_classes: Literal["binary", "groups"] = "binary",
        batch_size: int = 128,
        max_epochs: int | Literal["auto"] = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        scoring: str | Callable[..., float] = "neg_dev",
        on_divergence: Literal["raise", "restore"] = "raise",
        checkpoint: PathLike | None = None,
        checkpoint_interval: int = 10,
        device: str | torch.device = "auto",
        distributed: str | bool = "auto",
        warm_start: bool = False,
        callbacks: list[Any] | tuple[Any, ...] | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.loss = loss
        self.lambda_max = lambda_max
        self.lambda_schedule = lambda_schedule
        self.lambda_gamma = lambda_gamma
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.lr_alpha = lr_alpha
        self.lr_beta = lr_beta
        self.standardize = standardize
        self.n_estimators = n_estimators
        self.hidden_layer_sizes = hidden_layer_sizes
        self.domain_hidden_layer_sizes = domain_hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.feature_extractor = feature_extractor
        self.label_classifier = label_classifier
        self.domain_classifier = domain_classifier
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.domain_classes = domain_classes
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.on_divergence = on_divergence
        self.checkpoint = checkpoint
        self.checkpoint_interval = checkpoint_interval
        self.device = device
        self.distributed = distributed
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @restore_attributes_on_error
    @with_default_settings
    @validated_on_all_ranks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: MatrixLike,
        y: MatrixLike | VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: MatrixLike | VectorLike | None = None,
        groups: VectorLike | None = None,
        groups_tgt: VectorLike | None = None,
        resume: bool = False,
    ) -> Self:
        """Fit on source rows with their numbers and on target rows without.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n, ...)
            Source rows, as in :meth:`DANNClassifier.fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to learn, one or several of each row.
        X_tgt : array-like or sparse matrix of shape (n_target, ...), default=None
            Target rows, at least one, with the columns of X. None trains on the source
            alone.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts.
        y_tgt : array-like of shape (n_target,) or (n_target, n_outputs), default=None
            The few target numbers that are known; None, NaN or another missing value in
            the other rows. These rows also join the label loss.
        groups : array-like of shape (n_samples,), default=None
            Of each source row the site, sensor, patient or month that it comes from:
            numbers, text or other labels. They have no effect unless
            ``domain_classes="groups"``. None is one group.
        groups_tgt : array-like of shape (n_target,), default=None
            The same of each target row. A name that occurs in both domains is two
            groups.
        resume : bool, default=False
            Whether to go on from the file ``checkpoint``, if there is one.

        Returns
        -------
        self : DANNRegressor
            Fitted. After Ctrl-C, as it was at the end of its last whole epoch.

        Raises
        ------
        ValueError
            If the data or the parameters make no sense; the message says what to do.
            The estimator is then as it was before.
        DivergenceError
            If the loss explodes or becomes NaN, a ValueError as well.
        OSError
            If the checkpoint can't be written; the last one is kept.
        MemoryError
            If a step does not fit in the memory of the device.
        KeyboardInterrupt
            If interrupted before one epoch is whole.

        Warns
        -----
        AdaptationWarning
            As :meth:`DANNClassifier.fit` does.
        ConvergenceWarning
            If one number is predicted for all rows of the source, or if training
            diverged and goes on at half the learning rate.
        """
        return self._fit(
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
            groups=groups,
            groups_tgt=groups_tgt,
            resume=resume,
        )

    @restore_attributes_on_error
    @with_default_settings
    @validated_on_all_ranks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: MatrixLike,
        y: MatrixLike | VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: MatrixLike | VectorLike | None = None,
        groups: VectorLike | None = None,
        groups_tgt: VectorLike | None = None,
    ) -> Self:
        """Train for one epoch, from wherever training stands.

        As :meth:`DANNClassifier.partial_fit`. The first call decides mean and deviation
        by which y is standardized.

        Parameters
        ----------
        X, y, X_tgt : array-like
            As in :meth:`fit`.
        sample_weight, sample_weight_tgt, y_tgt : array-like, default=None
            As in :meth:`fit`.
        groups, groups_tgt : array-like, default=None
            As in :meth:`fit`.

        Returns
        -------
        self : DANNRegressor
            Trained a little further.
        """
        return self._fit_one_epoch(
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
            groups=groups,
            groups_tgt=groups_tgt,
            targets=self._targets if hasattr(self, "net_") else None,
        )

    def predict(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the number, or the numbers, of each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; it matters if ``standardize`` treats them differently. None is the
            target, or the source if there was no target.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units and the shape of y of ``fit``.
        """
        return self._in_shape_of_y(self._apply("predict", X, domain))

    @property
    def _targets(self):
        """What y is, known from the fit."""
        return self._saved_targets(
            {
                f"response_scale.{name}": values.cpu().numpy()
                for name, values in self.module_.response_scale.named_buffers()
            }
        )

    @property
    def _read_targets(self):
        return partial(read_real_targets, loss=self.loss)

    def _read_description(self, metadata):
        """Set what a file says of y, checked."""
        if type(metadata["is_column"]) is not bool:
            raise ValueError("it does not say whether y has one axis")
        self._is_column = metadata["is_column"]

    def _saved_targets(self, weights):
        """Return what y is, of a network with these weights."""
        return saved_targets(self.loss, self._is_column, weights)

    def _apply_parameters(self, domains, continues=False):
        domains = super()._apply_parameters(domains, continues)
        if continues:
            return in_dtype(domains)
        domains = standardize_response(domains, self.loss)
        return resolve_scales(domains, self.standardize)

    def _make_fixed_parts(self, domains):
        targets = domains.targets
        scale = map(torch.from_numpy, (targets.mean, targets.scale))
        return {
            **super()._make_fixed_parts(domains),
            "response_scale": ResponseScale(*scale),
        }
