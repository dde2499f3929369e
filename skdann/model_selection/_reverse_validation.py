"""Reverse validation: a model is good if what it says of the target leads back."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, indexable

from .._data._domains import with_class_weight
from .._multi_fit import fit_many, share_columns, validate_many
from ._pipeline import fit_preprocessing, take_apart


def reverse_validation_score(estimator, X, y, X_tgt, *, random_state=None):
    r"""Accuracy on held-out source rows of a model that learned from predictions.

    Source and target are split 90/10. The estimator :math:`\eta` learns from the larger
    parts S' and T'; a second network :math:`\eta_r`, with the same parameters and
    beginning with the weights of :math:`\eta`, learns from T', labelled by
    :math:`\eta`, and adapts to S', whose labels it does not get. Its accuracy on the
    other rows of the source is the score [1]_. Classes that are swapped on the way and
    swapped back escape it.

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
    >>> clf = DANNClassifier(max_epochs=50, random_state=0)
    >>> reverse_validation_score(clf, X, y, X + [0.2, 0], random_state=0) > 0.5
    True
    """
    X, y = indexable(X, y)
    rng = check_random_state(random_state)
    X, X_val, y, y_val = train_test_split(
        X, y, test_size=0.1, stratify=y, random_state=rng
    )
    # the paper keeps the other tenth of the target for early stopping
    X_tgt, _ = train_test_split(X_tgt, test_size=0.1, random_state=rng)
    preprocessing, classifier = take_apart(clone(estimator))
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
    """Reverse validation of several classifiers, trained back together.

    Parameters
    ----------
    classifiers : list of DANNClassifier
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
    back = [clone(classifier) for classifier in classifiers]
    turned = [turn_round(c, d) for c, d in zip(classifiers, domains, strict=True)]
    if turned:  # one array for all, so that they stack
        rows = turned[0].rows
        turned = [replace(d, rows=rows) for d in turned]
    for known, classifier in zip(classifiers, back, strict=True):
        share_columns(known, classifier)
    starts = [classifier.module_ for classifier in classifiers]
    errors = fit_many(back, turned, starts=starts, max_stacked=max_stacked)
    return [
        (float("nan") if error else classifier.score(X_val, y_val), error)
        for classifier, error in zip(back, errors, strict=True)
    ]


def turn_round(classifier, domains):
    """Exchange the domains, the target labelled by the classifier."""
    # not predict: rows that are checked have lost the names of their columns
    probabilities = classifier.net_.apply("predict_proba", domains.X_tgt)
    turned = replace(
        domains,
        X=domains.X_tgt,
        y=probabilities.argmax(axis=1),
        rows=np.arange(domains.X_tgt.shape[0]),
        row_weight=None,
        X_tgt=domains.X,
        y_tgt=None,
    )
    return with_class_weight(turned, classifier.class_weight)
