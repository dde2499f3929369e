"""``DANNClassifier``: the scikit-learn face of domain-adversarial training."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import torch
from sklearn.utils._param_validation import StrOptions

from ._base import NOT_NEGATIVE, BaseDANN
from ._data._domains import with_class_weight
from ._data._shift import resolve_shift
from ._data._targets import ClassTargets, read_class_targets, read_classes
from ._data._weights import source_proportions
from ._domain_aware import DomainAwareClassifier
from ._io._metadata import check_classes
from ._restore import restore_attributes_on_error
from ._training import (
    before_joining,
    validated_on_all_ranks,
    with_default_settings,
)
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
from .metrics._scorers import SCORES
from .nn._class_prior import ClassPrior
from .nn._standardizer import TARGET

# To predict one class for all rows is no sign of a failure where nine in ten are of one
# class.
MOSTLY_ONE_CLASS = 0.9

# The probability of a class that can't be, for its logarithm.
TINY = 1e-12


class DANNClassifier(DomainAwareClassifier, BaseDANN):
    r"""Domain-adversarial neural network (DANN) for a target without labels [1]_ [2]_.

    Unsupervised domain adaptation: use it when labels come from one place (the source)
    and predictions are wanted in another (the target): another clinic, sensor, city,
    year. The network learns features that predict the label but do not reveal the
    domain. It needs rows from the target, not their labels.

    Columns may have any scale. Rows to predict are taken as those of the target; give
    ``domain="source"`` for others.

    Parameters
    ----------
    lambda_max : float, default=1.0
        Peak strength of the adversary. 0 trains on the source alone (the domain
        classifier still learns, but the features ignore it); more aligns the domains
        harder, and can cost accuracy where they differ in their label proportions.
        The domain loss is a mean over both domains, so that a value here is twice
        the :math:`\lambda` of [2]_.
    lambda_schedule : {"annealed", "linear", "constant"} or callable, default="annealed"
        How lambda rises to its peak with training progress p in [0, 1]. "annealed",
        the paper's, is :math:`2 / (1 + e^{-\gamma p}) - 1`; while the domain
        classifier has hardly trained, its noise stays away from the features. A
        callable maps p to the factor of the peak.
    lambda_gamma : float, default=10.0
        :math:`\gamma` of "annealed": larger rises earlier.
    lr : float, default=3e-3
        Peak learning rate. The default suits "adamw"; for "sgd" try 1e-2.
    lr_schedule : {"annealed", "constant", "cosine"} or callable, default="annealed"
        How the learning rate falls with progress: "annealed", the paper's, is
        :math:`(1 + \alpha p)^{-\beta}`. A callable maps p to the factor of ``lr``. With
        "constant" the rate is set once, and skorch's ``LRScheduler`` may change it.
    lr_alpha, lr_beta : float, default=10.0 and 0.75
        :math:`\alpha` and :math:`\beta` of "annealed".
    standardize : {"auto", "source", "domain", "pooled"} or None, default="auto"
        How columns are brought to mean 0 and deviation 1 before the network: "source",
        both domains by the means and deviations of the source; "domain", each domain by
        its own, the source's as if its classes had the proportions ``target_prior``,
        and columns of two values as the source's; "pooled", both by those of both, each
        domain counting one half. "auto" is "source" or "domain", with whichever a
        logistic regression and a random forest agree better on the target; it leaves
        sparse rows and images as they are, as None does with all. The statistics are
        those of the first fit.
    n_estimators : int or "auto", default="auto"
        Number of networks, at most 1000, trained as one; their probabilities are
        averaged. They differ by initial weights, order of the rows and dropout masks.
        More depend less on ``random_state``, and take as many times as long. "auto" is
        5, and 1 if a part of the network is your own. ``transform`` puts their features
        side by side.
    hidden_layer_sizes : tuple of int, default=(64, 64)
        Widths of the feature extractor's layers. The last is the number of features.
    domain_hidden_layer_sizes : tuple of int, default=(128, 128)
        Widths of the domain classifier's hidden layers. Keep it at least as strong as
        the label classifier, which is linear: a weak domain
        classifier aligns little.
    activation : str, default="relu"
        One of "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid".
    dropout : float, default=0.25
        Probability of dropping a hidden unit of the feature extractor in training.
        More regularizes more, with or without adaptation.
    feature_extractor : torch module, class, factory or None, default=None
        Replaces the built-in layers, for example by a convolutional network for images
        of shape (n, channels, height, width). An instance is copied, never modified.
        A class or a function that makes one is called with X.shape[1] if it requires an
        argument. Features are flattened to two dimensions.
    label_classifier : torch module, class, factory or None, default=None
        Maps features to one logit per class, without a softmax. A class or function
        is called with as many of (n_features, n_classes) as it requires. None is
        ``torch.nn.Linear``.
    domain_classifier : torch module, class, factory or None, default=None
        Maps features to one logit, called with (n_features, 1), or to one for each
        group, called with (n_features, n_groups). If ``conditional``, n_features is
        the number of products. The gradient reversal is put before it. None is a
        perceptron of ``domain_hidden_layer_sizes``.
    optimizer : {"adamw", "adam", "sgd"} or torch optimizer class, default="adamw"
        Optimizer; its learning rate follows ``lr_schedule``.
    momentum : float, default=0.9
        Momentum of "sgd", :math:`\beta_1` of "adam" and "adamw".
    weight_decay : float, default=0.01
        Weight decay coefficient.
    domain_classes : {"binary", "groups"}, default="binary"
        What the domain classifier tells apart: source and target, or all groups of both
        that ``groups`` and ``groups_tgt`` of ``fit`` name. "groups" wants features that
        reveal no site of the source either; compare it with "binary", to which several
        sources are one. Source and target count one half each, and within them all
        groups the same, however many rows they have.
    conditional : bool or "entropy", default=False
        Whether the domain classifier reads features and predicted probabilities of the
        classes, multiplied with each other, instead of the features: conditional
        adversarial domain adaptation (CDAN) [5]_. The domains are then aligned class by
        class, as far as predictions are right. With "entropy" (CDAN+E) rows that are
        predicted with certainty count up to twice as much in the domain loss.
    class_confusion : float, default=0.0
        Weight of minimum class confusion, a loss term on what is predicted for the
        target [3]_: it asks for rows that are predicted as one class with certainty. 0
        leaves it out; try 0.1 to 0.3. More makes the network more certain, also where
        it is wrong. Without a target it has no effect. See
        :func:`skdann.nn.class_confusion_loss`.
    target_entropy : float, default=0.0
        Weight of the mean entropy of what is predicted for the target [4]_, a loss term
        that asks for certainty alone: also one class for all rows satisfies it. 0
        leaves it out; try 0.03 to 0.1, beside a positive ``lambda_max``. See
        :func:`skdann.nn.entropy_loss`.
    batch_size : int, default=128
        Rows per step: half source, half target. If a domain has fewer than
        ``batch_size / 2`` rows, each step uses all of them. The source gets half a
        batch also where there is no target, so that both fits see it alike.
    max_epochs : int or "auto", default="auto"
        Passes over the larger domain. "auto" gives at least 10, and at least 400
        steps, which small data needs; 1000 to a single network. A warm start trains for
        as many again.
    class_weight : dict, "balanced" or None, default=None
        Cost of errors on each class, in the label loss alone. "balanced" makes all
        classes of the source count the same.
    target_prior : array-like, dict, "estimate" or None, default="estimate"
        Proportions of the classes in the target. Source rows count in the domain loss
        as if the source had them, so that domains are not aligned across classes. If
        they are known (of an array in the order of the sorted labels, of a dict by
        label), probabilities of target rows are corrected for them, too. "estimate"
        takes an estimate for the domain loss alone: by maximum likelihood from a
        logistic regression and a random forest, as far as these agree. Of images
        nothing is estimated.
    early_stopping : bool, default=False
        Whether to stop when the target is no longer predicted better, judged by
        ``scoring``, and to keep the best epoch. Looks at epochs after the half of the
        planned training alone, when lambda is near its peak. Epochs whose accuracy on
        held-out source rows is five points under the best do not count.
    validation_fraction : float, default=0.1
        Share of each class of the source that early stopping holds out.
    n_iter_no_change : int, default=10
        Epochs without a better score (by 1e-4) after which early stopping stops.
    scoring : str or callable, default="infomax"
        Score monitored by early stopping: "infomax", "nuclear_norm", "neg_entropy",
        "neg_iwv", "neg_dev", "neg_devn" (see
        :func:`~skdann.model_selection.target_scorer`), or a callable ``scoring(
        estimator, X, y, X_tgt)`` of at most 20,000 held-out source rows and 2,000
        target rows. Without a target it is the accuracy on held-out source rows.
    on_divergence : {"raise", "restore"}, default="raise"
        What to do if the loss explodes: raise DivergenceError, or repeat the epoch at
        half the learning rate, with a ConvergenceWarning, at most ten times.
    checkpoint : path or None, default=None
        Checkpoint file; ``fit(..., resume=True)`` continues with bit-identical results.
        :func:`skdann.load` reads it, too. A fit without ``resume`` overwrites it. The
        searches of skdann write none for their candidates; in those of scikit-learn
        leave it None.
    checkpoint_interval : int, default=10
        Epochs between checkpoints.
    device : str or torch.device, default="auto"
        "auto" is "cuda" if there is such a device, else "cpu". One that can't compute
        here is a ValueError.
    distributed : "auto" or False, default="auto"
        Whether fits join a torch process group, if the program has initialized one:
        all ranks then train one network on the same rows, each a share of every batch,
        and end with the same. False trains on each rank by itself.
    warm_start : bool, default=False
        Whether ``fit`` goes on with the network of the last call. Progress then counts
        the steps of all calls over all that were planned.
    callbacks : list of skorch callbacks or None, default=None
        Called during training, for example ``skorch.callbacks.EarlyStopping(
        monitor="train_loss")``.
    random_state : int, RandomState or None, default=None
        Decides the initial weights, the order of rows and dropout. Two fits with one
        int are bit-identical on one machine. None differs from fit to fit. The
        global generators of numpy and torch are left as they are in any case, and
        global settings of torch, such as its default dtype, change nothing.
    verbose : int, default=0
        1 shows a progress bar with both losses, the domain accuracy and lambda.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.
    standardize_ : {"source", "domain", "pooled"} or None
        How columns are standardized: what "auto" has come to.
    target_prior_ : ndarray of shape (n_classes,)
        Proportions of the classes in the target, given or estimated; only with a target
        and ``target_prior``.
    groups_ : ndarray of shape (n_groups, 2)
        Domain and name of each group, in the order of the domain classifier; only with
        ``domain_classes="groups"``. The name is None where a domain is one group.
    module_ : skdann.nn.DANN
        The trained network.
    net_ : skorch.NeuralNet
        The skorch net that trained it.
    history_ : skorch.history.History
        One dict per epoch: ``train_loss``, ``label_loss``, ``domain_loss``,
        ``domain_accuracy`` (mean of both domains; 0.5 is chance; of groups the share
        that are told, weighted as their loss is), ``lambda``, ``lr``,
        ``n_steps`` (so far), ``dur`` in seconds. With early stopping also
        ``validation_score``, ``validation_score_best`` and ``validation_accuracy``.
    n_iter_ : int
        Number of epochs trained.

    Notes
    -----
    For source rows S, target rows T, features :math:`f = G_f(x)`, label classifier
    :math:`G_y` and domain classifier :math:`G_d`, training seeks the saddle point of

    .. math:: E = L_y - \lambda L_d, \quad
              L_y = \frac{1}{|S|} \sum_{i \in S} \ell_y(G_y(f_i), y_i), \quad
              L_d = \frac12 \Big( \frac{1}{|S|} \sum_{i \in S} \ell_d(G_d(f_i), 0)
                  + \frac{1}{|T|} \sum_{j \in T} \ell_d(G_d(f_j), 1) \Big)

    minimal in :math:`G_f, G_y`, maximal in :math:`G_d`. Gradient reversal finds it with
    one ordinary optimizer: :math:`G_d` descends on :math:`L_d` at full strength while
    its gradient reaches :math:`G_f` times :math:`-\lambda`.

    With ``domain_classes="groups"``, source rows :math:`S_1, \dots, S_a` and target
    rows :math:`T_1, \dots, T_b` of :math:`a + b` groups, of which the domain classifier
    gives probabilities :math:`p` by a softmax,

    .. math:: L_d = \frac12 \Big(
              \frac1a \sum_{g=1}^a \frac1{|S_g|} \sum_{i \in S_g} -\log p_g(f_i)
              + \frac1b \sum_{h=1}^b \frac1{|T_h|} \sum_{j \in T_h}
              -\log p_{a+h}(f_j) \Big)

    With ``conditional=True``, :math:`G_d` reads all products :math:`p_k f_j` with the
    probabilities :math:`p = \mathrm{softmax}(G_y(f))`, through which no gradient
    passes: n_classes times as many values as features. If these are more than 4,096,
    1,024 random products :math:`(R_f f) \odot (R_p p) / \sqrt{1024}` take their place,
    with matrices of normal numbers that are the same for each ``random_state``. With
    "entropy", the mean over each domain in :math:`L_d` weighs a row by :math:`1 +
    e^{-H(p)}`, with the entropy :math:`H`.

    Computations are in float32 if X is (uint8 fits too), else in float64, half as fast.

    From scikit-learn 1.9 on, ``set_callbacks`` takes its callbacks, for example
    ``sklearn.callback.ProgressBar()``. Each epoch is a task of the fit; a callback
    whose ``on_fit_task_end`` returns True ends the training there.

    Stock searches and cross-validation pass ``X_tgt`` whole to each fit. But they slice
    every argument that has exactly as many rows as X by the folds of X: if the two
    happen to be equally long, each fit sees only a part of the target.

    References
    ----------
    .. [1] Y. Ganin and V. Lempitsky, "Unsupervised Domain Adaptation by
       Backpropagation", ICML 2015, arXiv:1409.7495.
    .. [2] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17,
       2016.
    .. [3] Y. Jin et al., "Minimum Class Confusion for Versatile Domain Adaptation",
       ECCV 2020, arXiv:1912.03699.
    .. [4] Y. Grandvalet and Y. Bengio, "Semi-supervised Learning by Entropy
       Minimization", NeurIPS 2004.
    .. [5] M. Long, Z. Cao, J. Wang and M. I. Jordan, "Conditional Adversarial Domain
       Adaptation", NeurIPS 2018, arXiv:1705.10667.

    Examples
    --------
    Tumors that two laboratories measure by two protocols; labels of the second are not
    used:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdann import DANNClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt, y_tgt = X[:300, :10], y[:300], X[300:, 20:], y[300:]
    >>> adapted = DANNClassifier(random_state=0).fit(X_src, y_src, X_tgt)
    >>> source_only = DANNClassifier(lambda_max=0, random_state=0).fit(X_src, y_src)
    >>> bool(adapted.score(X_tgt, y_tgt) > source_only.score(X_tgt, y_tgt) + 0.2)
    True

    In a pipeline, so that the target passes through what was fitted on the source:

    >>> import sklearn
    >>> from sklearn.impute import SimpleImputer
    >>> from sklearn.pipeline import Pipeline
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     pipe = Pipeline(
    ...         [("impute", SimpleImputer()), ("dann", DANNClassifier(max_epochs=5))],
    ...         transform_input=["X_tgt"],
    ...     ).fit(X_src, y_src, X_tgt=X_tgt)
    >>> pipe.predict(X_tgt).shape
    (269,)
    """

    __metadata_request__fit = {"classes": True}

    _kind = "DANNClassifier"  # what files call it, and subclasses of users
    _of_old_versions = {
        **BaseDANN._of_old_versions,
        "conditional": False,
        "class_confusion": 0.0,
        "target_entropy": 0.0,
        "n_estimators": 1,
        "standardize": None,
        "target_prior": None,
    }
    _read_targets = staticmethod(read_class_targets)

    _parameter_constraints = {
        **BaseDANN._parameter_constraints,
        "conditional": ["boolean", StrOptions({"entropy"})],
        "class_confusion": [NOT_NEGATIVE],
        "target_entropy": [NOT_NEGATIVE],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "target_prior": ["array-like", dict, StrOptions({"estimate"}), None],
        "scoring": [StrOptions(set(SCORES)), callable],
    }

    def __init__(
        self,
        *,
        lambda_max: float = 1.0,
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
        dropout: float = 0.25,
        feature_extractor: Callable[..., Any] | None = None,
        label_classifier: Callable[..., Any] | None = None,
        domain_classifier: Callable[..., Any] | None = None,
        optimizer: Literal["adam", "adamw", "sgd"] | type = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.01,
        domain_classes: Literal["binary", "groups"] = "binary",
        conditional: bool | Literal["entropy"] = False,
        class_confusion: float = 0.0,
        target_entropy: float = 0.0,
        batch_size: int = 128,
        max_epochs: int | Literal["auto"] = "auto",
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        target_prior: VectorLike
        | dict[Any, float]
        | Literal["estimate"]
        | None = "estimate",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        scoring: str | Callable[..., float] = "infomax",
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
        self.conditional = conditional
        self.class_confusion = class_confusion
        self.target_entropy = target_entropy
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.class_weight = class_weight
        self.target_prior = target_prior
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
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        groups: VectorLike | None = None,
        groups_tgt: VectorLike | None = None,
        classes: VectorLike | None = None,
        resume: bool = False,
    ) -> Self:
        """Fit on labelled source rows and unlabelled target rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features) or (n, ...)
            Source rows. DataFrames, memory maps and any numeric dtype are read as
            they are; batches are densified and converted to float32 or float64, the
            whole never is. With a ``feature_extractor``, any number of dimensions.
        y : array-like of shape (n_samples,)
            Source labels: integers, booleans, text, or floats without fractions. The
            order of ordinal labels is not used: they are learned as classes.
        X_tgt : array-like or sparse matrix of shape (n_target, ...), default=None
            Target rows, at least one, with the columns of X and scaled as X is. None
            trains on the source alone.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts, in both losses. Rows of weight 0 are as
            if they were not there.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts: in the losses, in the scales of columns
            and in the proportions of the classes. Rows of weight 0 are as if they were
            not there.
        y_tgt : array-like of shape (n_target,), default=None
            The few target labels that are known. Rows without a label hold None, NaN
            or another missing value, or -1 where that is no class. A label that is not
            in y is an error, unless ``classes`` names it. Rows with a label also join
            the label loss, beside the source: each step sees all of them, or half a
            batch.
        groups : array-like of shape (n_samples,), default=None
            Of each source row the site, sensor, patient or month that it comes from:
            numbers, text or other labels. They have no effect unless
            ``domain_classes="groups"``. None is one group.
        groups_tgt : array-like of shape (n_target,), default=None
            The same of each target row. A name that occurs in both domains is two
            groups.
        classes : array-like of shape (n_classes,), default=None
            All labels, if the target has some that y lacks. None takes those of y.
        resume : bool, default=False
            Whether to go on from the file ``checkpoint``, if there is one: after a
            crash the same call with the same data ends where it would have ended
            without. A file of other data or parameters is refused.

        Returns
        -------
        self : DANNClassifier
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
            If ``lambda_max > 0`` but there is no target, if X_tgt seems not to have
            been scaled like X, has hardly any rows or holds those of X, if columns are
            large and not standardized, or if the target is all predicted as one class.
        ConvergenceWarning
            If the source is all predicted as one class, or if training diverged and
            goes on at half the learning rate.
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
            classes=classes,
            resume=resume,
        )

    @restore_attributes_on_error
    @with_default_settings
    @validated_on_all_ranks
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        classes: VectorLike | None = None,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        groups: VectorLike | None = None,
        groups_tgt: VectorLike | None = None,
    ) -> Self:
        """Train for one epoch, from wherever training stands.

        ``max_epochs`` calls on the same data are bit-identical to one ``fit``. The
        schedules count steps over the total that the first call plans: ``max_epochs``
        times the steps of its epoch. Beyond it they stay at their last value. There is
        no early stopping, and no ``checkpoint``: :func:`skdann.save` writes one.

        Parameters
        ----------
        X, y, X_tgt : array-like
            As in :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will bring; needed in the first.
        sample_weight, sample_weight_tgt, y_tgt : array-like, default=None
            As in :meth:`fit`.
        groups, groups_tgt : array-like, default=None
            As in :meth:`fit`. The groups are those of the first call; later ones may
            lack some.

        Returns
        -------
        self : DANNClassifier
            Trained a little further.
        """
        is_first = not hasattr(self, "classes_")
        with before_joining(self):
            self._check_classes_of_call(classes)
        return self._fit_one_epoch(
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
            groups=groups,
            groups_tgt=groups_tgt,
            classes=classes if is_first else None,
            targets=None if is_first else self._targets,
        )

    def _check_classes_of_call(self, classes):
        """Raise ValueError if the first call has no classes, or a later one others."""
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if known is None or classes is None:
            return
        given = set(read_classes(classes).tolist())
        if given != set(known.tolist()):
            raise ValueError(
                f"classes={sorted(given)} are not those of the first call to "
                f"partial_fit, {known.tolist()}."
            )

    def predict_proba(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which, as in :meth:`predict`.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._apply("predict", X, domain)

    @property
    def _targets(self):
        """What y is, known from the fit."""
        return ClassTargets(self.classes_)

    def _read_description(self, metadata):
        """Set what a file says of y, checked."""
        self.classes_ = check_classes(metadata["classes"])

    def _saved_targets(self, weights):
        """Return what y is, of a network with these weights."""
        return self._targets

    @property
    def target_prior_(self) -> Array | None:
        """Proportions of the classes in the target, given or estimated."""
        if self.module_.class_prior is None:
            raise AttributeError("Fitted without a target, or with target_prior=None.")
        return self.module_.class_prior.proportions[TARGET].cpu().numpy()

    def _is_one_value(self, domains):
        share = np.bincount(domains.y[domains.rows]).max() / len(domains.rows)
        return share > MOSTLY_ONE_CLASS

    def _apply_parameters(self, domains, continues=False):
        domains = super()._apply_parameters(domains, continues)
        domains = with_class_weight(domains, self.class_weight)
        if not continues:
            return resolve_shift(domains, self.standardize, self.target_prior)
        return replace(domains, target_prior=getattr(self, "target_prior_", None))

    def _make_fixed_parts(self, domains):
        parts = super()._make_fixed_parts(domains)
        if domains.target_prior is None:
            return parts
        source = source_proportions(domains, domains.label_weight)
        proportions = np.stack([source, domains.target_prior])
        shift = np.zeros_like(proportions)
        if not isinstance(self.target_prior, str):
            ratio = np.maximum(proportions[1], TINY) / np.maximum(source, TINY)
            shift[1] = np.where(source > 0, np.log(ratio), 0)
        tensors = map(torch.from_numpy, (proportions, shift))
        return {**parts, "class_prior": ClassPrior(*tensors)}
