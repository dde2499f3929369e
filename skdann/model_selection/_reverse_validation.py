"""Reverse validation: train on target pseudo-labels, test on source labels."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.utils import _safe_indexing, check_consistent_length, check_random_state
from sklearn.utils.validation import _num_samples

from .._base import BaseDANN
from .._baseline import try_fit
from .._containers._responses import read_known_responses
from .._containers._tables import as_indexable
from .._data._domains import read_domains, with_class_weight
from .._data._groups import encode_groups, if_used
from .._data._target_rows import TargetRows
from .._data._targets import read_source_labels
from .._data._weights import source_proportions
from .._multi_fit import fit_many, share_columns, validate_many
from .._pipelines import Preprocessing, last_step
from .._typing import Estimator, MatrixLike, RandomState, VectorLike
from ._check_estimator import OF_REVERSE_VALIDATION, check_estimator

# Draws of the groups to hold out, until the others have all classes.
_N_DRAWS = 20


def reverse_validation_score(
    estimator: Estimator,
    X: MatrixLike,
    y: VectorLike,
    X_tgt: MatrixLike,
    *,
    groups: VectorLike | None = None,
    groups_tgt: VectorLike | None = None,
    random_state: RandomState = None,
) -> float:
    r"""Source accuracy, or R2, of a model trained on target pseudo-labels.

    Source and target are split 90/10. The estimator :math:`\eta` learns from the larger
    parts S' and T'; a second network :math:`\eta_r`, with the same parameters and
    beginning with the weights of :math:`\eta`, learns from T', labelled by
    :math:`\eta`, and adapts to S', whose labels it does not get. Its accuracy on the
    other rows of the source is the score [1]_. It cannot notice classes that
    :math:`\eta` swaps in the target: :math:`\eta_r` learns them swapped, and swaps them
    back.

    Parameters
    ----------
    estimator : DANNClassifier, DANNRegressor or Pipeline that ends in one
        Not modified. The preprocessing is fitted on S' and serves both networks; a
        sampler in it resamples S' for the first, which learns its labels, alone.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Source rows.
    y : array-like of shape (n_samples,)
        Source labels.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows.
    groups : array-like of shape (n_samples,), default=None
        Of each source row the site, sensor, patient or month that it comes from. Whole
        groups are held out then, a tenth of them but at least one, so that no patient
        is in both parts; of a single group, a tenth of its rows. And networks with
        ``domain_classes="groups"`` tell them apart.
    groups_tgt : array-like of shape (n_target,), default=None
        The same of target rows, for these networks alone.
    random_state : int, RandomState or None, default=None
        Decides the split.

    Returns
    -------
    score : float
        Accuracy, or R2 of a regressor; higher is better.

    Raises
    ------
    ValueError
        If the data make no sense, or if groups are given and some class is in a single
        one of them, whichever is held out.

    References
    ----------
    .. [1] Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17,
       2016, section 5.1.2.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from skdann import DANNClassifier
    >>> from skdann.model_selection import reverse_validation_score
    >>> X, y = make_moons(200, noise=0.05, random_state=0)
    >>> clf = DANNClassifier(max_epochs=20, random_state=0)
    >>> reverse_validation_score(clf, X, y, X + [0.2, 0], random_state=0) > 0.5
    True
    """
    check_estimator(estimator, OF_REVERSE_VALIDATION)
    X, X_tgt = as_indexable(X, "X"), as_indexable(X_tgt, "X_tgt")
    has_numbers = is_regressor(last_step(estimator))
    y = read_known_responses(y, "y") if has_numbers else read_source_labels(y)
    check_consistent_length(X, y)
    rng = check_random_state(random_state)
    if groups is not None:
        groups = encode_groups(groups, len(y))
    train, test = _split(y, groups, rng, of_classes=not has_numbers)
    X, X_val, y, y_val = (_safe_indexing(d, i) for d in (X, y) for i in (train, test))
    n_target = _num_samples(X_tgt)
    # the paper keeps the other tenth of the target for early stopping
    kept, _ = train_test_split(np.arange(n_target), test_size=0.1, random_state=rng)
    target = TargetRows(_safe_indexing(X_tgt, kept), None, None, kept, n_target)
    given = {
        "groups": None if groups is None else groups[train],
        "groups_tgt": target.take(groups_tgt, "groups_tgt"),
    }
    estimator = clone(estimator)
    preprocessing, classifiers = Preprocessing(estimator), [last_step(estimator)]
    learned = preprocessing.fit(X, y)
    X_val, X_tgt = map(preprocessing.transform, (X_val, target.X))
    domains = read_for_all(classifiers, *learned, X_tgt, **given)
    [error] = fit_many(classifiers, domains)
    if error:
        raise error
    domains = before_resampling(
        domains, preprocessing, classifiers, X, y, X_tgt, **given
    )
    [(score, error)] = reverse_scores(classifiers, domains, X_val, y_val)
    if error:
        raise error
    return score


def _split(y, groups, rng, *, of_classes):
    """Return positions of the source rows to train on, and of those to test on."""
    if groups is None or np.ptp(groups) == 0:
        stratify = y if of_classes else None
        rows = np.arange(len(y))
        return train_test_split(
            rows, test_size=0.1, stratify=stratify, random_state=rng
        )
    n_classes = len(np.unique(y)) if of_classes else 0
    draws = GroupShuffleSplit(_N_DRAWS, test_size=0.1, random_state=rng)
    for train, test in draws.split(y, groups=groups):
        if not of_classes or len(np.unique(y[train])) == n_classes:
            return train, test
    raise ValueError(
        f"groups has {groups.max() + 1} groups, and whichever is held out takes all "
        "rows of some class with it. Leave that class out, join groups, or pass none."
    )


def are_networks(classifiers):
    """Whether all of them can be trained together; simple models cannot."""
    return all(isinstance(classifier, BaseDANN) for classifier in classifiers)


def read_for_all(classifiers, X, y, X_tgt, **given):
    """Check and encode data for several classifiers, as they come out of a Pipeline.

    Parameters
    ----------
    classifiers : list of DANNClassifier, or of BaselineClassifier
        Not yet fitted, or on these columns.
    X, y, X_tgt, **given
        As in :meth:`skdann.DANNClassifier.fit`.

    Returns
    -------
    list of Domains or Exception
        Of each classifier.
    """
    if are_networks(classifiers):
        return validate_many(classifiers, X, y, X_tgt, **given)
    given = if_used(given, classifiers)
    return [
        read_domains(c, X, y, X_tgt, **given, read_targets=c._read_targets)
        for c in classifiers
    ]


def before_resampling(domains, preprocessing, classifiers, X, y, X_tgt, **given):
    """Return the domains with the source as it was before any sampler.

    Samplers change the rows whose labels are learned. In reverse these are the
    target's, and what the network adapts to are the rows that there are.

    Parameters
    ----------
    domains : list of Domains or Exception
        What each classifier was fitted on.
    preprocessing : Preprocessing
        Fitted.
    classifiers : list of DANNClassifier, or of BaselineClassifier
        Fitted.
    X, y : array-like
        The source, raw.
    X_tgt : array-like
        The target, transformed.
    **given
        What else :func:`read_for_all` got; no weights of the source.

    Returns
    -------
    list of Domains or Exception
    """
    if not preprocessing.samplers:
        return domains
    return read_for_all(classifiers, preprocessing.transform(X), y, X_tgt, **given)


def reverse_scores(classifiers, domains, X_val, y_val, *, max_stacked="auto"):
    """Reverse validation of several classifiers, trained in reverse together.

    Parameters
    ----------
    classifiers : list of DANNClassifier, or of BaselineClassifier
        Fitted.
    domains : list of Domains
        What each was fitted on.
    X_val, y_val : array-like
        Source rows that they have not seen.
    max_stacked : int or "auto", default="auto"
        Most networks in a stack.

    Returns
    -------
    list of (float, Exception or None)
        Score and, where it is NaN, why.
    """
    if not are_networks(classifiers):
        return [
            _reverse_score_of_baseline(classifier, of_one, X_val, y_val)
            for classifier, of_one in zip(classifiers, domains, strict=True)
        ]
    reverse_estimators = list(map(_reverse_of, classifiers))
    reverse_domains = _swap_all(classifiers, domains)
    starts = [classifier.module_.with_swapped_domains() for classifier in classifiers]
    errors = fit_many(
        reverse_estimators, reverse_domains, starts=starts, max_stacked=max_stacked
    )
    return [
        (np.nan, error) if error else _accuracy(reverse, X_val, y_val)
        for reverse, error in zip(reverse_estimators, errors, strict=True)
    ]


def _reverse_of(classifier):
    """Return a clone that is to be trained in reverse."""
    reverse = clone(classifier)
    share_columns(classifier, reverse)
    return reverse


def _swap_all(classifiers, domains):
    """Return the swapped domains of each, or why there are none; they share rows."""
    swapped: list = []
    for classifier, of_one in zip(classifiers, domains, strict=True):
        try:
            swapped.append(swap_domains(classifier, of_one))
        except Exception as error:  # concerns this one alone
            swapped.append(error)
    rows = next((d.rows for d in swapped if not isinstance(d, Exception)), None)
    return [d if isinstance(d, Exception) else replace(d, rows=rows) for d in swapped]


def _accuracy(classifier, X, y):
    """Return the accuracy, and why there is none."""
    try:
        return classifier.score(X, y), None
    except Exception as error:
        return np.nan, error


def _reverse_score_of_baseline(classifier, domains, X_val, y_val):
    try:
        swapped = swap_domains(classifier, domains)
    except Exception as error:
        return np.nan, error
    is_one = not is_regressor(classifier) and len(np.unique(swapped.y)) == 1
    if is_one:  # from which none of these models learns
        return float(np.mean(y_val == classifier.classes_[swapped.y[0]])), None
    reverse = _reverse_of(classifier)
    error = try_fit(reverse, swapped)
    return (np.nan, error) if error else _accuracy(reverse, X_val, y_val)


def swap_domains(classifier, domains):
    """Return the domains swapped: the target as source, with pseudo-labels."""
    # Not classifier.predict, which would warn: these rows are checked arrays, without
    # the column names of the data that the classifier was fitted on.
    predictions = classifier._predict_checked(domains.X_tgt, "target")
    swapped = replace(
        domains,
        X=domains.X_tgt,
        y=domains.targets.pseudo_labels(predictions, domains.y.dtype),
        rows=np.arange(domains.X_tgt.shape[0]),
        row_weight=domains.row_weight_tgt,
        X_tgt=domains.X,
        row_weight_tgt=domains.row_weight,
        y_tgt=None,
        groups=domains.groups_tgt,
        groups_tgt=domains.groups,
        target_prior=None
        if domains.target_prior is None
        else source_proportions(domains, domains.row_weight),
    )
    return with_class_weight(swapped, getattr(classifier, "class_weight", None))
