"""Reverse validation: train on target pseudo-labels, test on source labels."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, indexable

from .._base import BaseDANN
from .._baseline import try_fit
from .._data._domains import with_class_weight
from .._data._weights import source_proportions
from .._multi_fit import fit_many, share_columns, validate_many
from .._typing import Estimator, MatrixLike, RandomState, VectorLike
from ._pipeline import check_estimator, fit_preprocessing, split_pipeline


def reverse_validation_score(
    estimator: Estimator,
    X: MatrixLike,
    y: VectorLike,
    X_tgt: MatrixLike,
    *,
    random_state: RandomState = None,
) -> float:
    r"""Source accuracy of a model trained on target pseudo-labels.

    Source and target are split 90/10. The estimator :math:`\eta` learns from the larger
    parts S' and T'; a second network :math:`\eta_r`, with the same parameters and
    beginning with the weights of :math:`\eta`, learns from T', labelled by
    :math:`\eta`, and adapts to S', whose labels it does not get. Its accuracy on the
    other rows of the source is the score [1]_. It cannot notice classes that
    :math:`\eta` swaps in the target: :math:`\eta_r` learns them swapped, and swaps them
    back.

    Parameters
    ----------
    estimator : DANNClassifier or Pipeline that ends in one
        Not modified. The preprocessing is fitted on S' and serves both networks.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Source rows.
    y : array-like of shape (n_samples,)
        Source labels.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows.
    random_state : int, RandomState or None, default=None
        Decides the split.

    Returns
    -------
    score : float
        In [0, 1]; higher is better.

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
    check_estimator(estimator)
    X, y = indexable(X, y)
    rng = check_random_state(random_state)
    X, X_val, y, y_val = train_test_split(
        X, y, test_size=0.1, stratify=y, random_state=rng
    )
    # the paper keeps the other tenth of the target for early stopping
    X_tgt, _ = train_test_split(X_tgt, test_size=0.1, random_state=rng)
    preprocessing, classifier = split_pipeline(clone(estimator))
    if preprocessing is not None:
        X = fit_preprocessing(preprocessing, X, y)
        X_val, X_tgt = map(preprocessing.transform, (X_val, X_tgt))
    domains = validate_many([classifier], X, y, X_tgt)
    [error] = fit_many([classifier], domains)
    if error:
        raise error
    [(score, error)] = reverse_scores([classifier], domains, X_val, y_val)
    if error:
        raise error
    return score


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
    if not all(isinstance(classifier, BaseDANN) for classifier in classifiers):
        return [
            _reverse_score_of_baseline(classifier, of_one, X_val, y_val)
            for classifier, of_one in zip(classifiers, domains, strict=True)
        ]
    reverse_estimators = [clone(classifier) for classifier in classifiers]
    reverse_domains = [
        swap_domains(c, d) for c, d in zip(classifiers, domains, strict=True)
    ]
    if reverse_domains:  # the same array in all, as networks of one stack must have
        rows = reverse_domains[0].rows
        reverse_domains = [replace(d, rows=rows) for d in reverse_domains]
    for classifier, reverse in zip(classifiers, reverse_estimators, strict=True):
        share_columns(classifier, reverse)
    starts = [classifier.module_.with_swapped_domains() for classifier in classifiers]
    errors = fit_many(
        reverse_estimators, reverse_domains, starts=starts, max_stacked=max_stacked
    )
    return [
        (float("nan") if error else reverse.score(X_val, y_val), error)
        for reverse, error in zip(reverse_estimators, errors, strict=True)
    ]


def _reverse_score_of_baseline(classifier, domains, X_val, y_val):
    swapped = swap_domains(classifier, domains)
    if len(np.unique(swapped.y)) == 1:  # from which none of these models learns
        return float(np.mean(y_val == classifier.classes_[swapped.y[0]])), None
    reverse = clone(classifier)
    share_columns(classifier, reverse)
    error = try_fit(reverse, swapped)
    return (float("nan") if error else reverse.score(X_val, y_val)), error


def swap_domains(classifier, domains):
    """Return the domains swapped: the target as source, with pseudo-labels."""
    # Not classifier.predict, which would warn: these rows are checked arrays, without
    # the column names of the data that the classifier was fitted on.
    probabilities = classifier._predict_checked(domains.X_tgt, "target")
    swapped = replace(
        domains,
        X=domains.X_tgt,
        y=probabilities.argmax(axis=1),
        rows=np.arange(domains.X_tgt.shape[0]),
        row_weight=None,
        X_tgt=domains.X,
        y_tgt=None,
        target_prior=None
        if domains.target_prior is None
        else source_proportions(domains, domains.row_weight),
    )
    return with_class_weight(swapped, getattr(classifier, "class_weight", None))
