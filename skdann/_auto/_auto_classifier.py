"""``AutoDANNClassifier``: fit unlike candidates, combine those that agree."""

from typing import Self

from .._domain_aware import DomainAwareClassifier
from .._restore import restore_attributes_on_error
from .._typing import Array, Domain, MatrixLike, VectorLike, fit_context
from ._base_auto import BaseAutoDANN
from ._judged_classes import JudgedClasses


class AutoDANNClassifier(DomainAwareClassifier, BaseAutoDANN):
    r"""Combine networks that adapt with simple models, without labels of the target.

    Which way of adapting is best differs from pair to pair of domains, and without
    labels nobody knows. So candidates of unlike kinds are fitted under unlike scales of
    the columns: logistic regressions, random forests, extremely randomized trees and
    domain-adversarial networks. Their probabilities are averaged, each weighted by how
    far it agrees with the others on the target: where models are wrong, unlike models
    are wrong in unlike ways. A few labels of the target, if there are any, decide
    better still.

    Parameters
    ----------
    candidates : list of (str, estimator) or None, default=None
        Names, and a :class:`DANNClassifier`, a :class:`BaselineClassifier` or any
        classifier of scikit-learn with ``predict_proba``, which learns the source as it
        is. None is 13 candidates of four kinds; of sparse X 5.
    label_use : {"choice", "training", "both"}, default="choice"
        What labels of the target, ``y_tgt``, are used for: to weight the candidates,
        which are trained without them; to train the candidates, which are weighted
        without them; or for one after the other, which takes twice as long: what is
        weighted is then not quite what predicts. Never for both at once: a candidate
        would be judged by what it has seen.
    max_time : float or None, default=None
        Seconds for the candidates. Asked between candidates and after each epoch of a
        network; those that are not done are left out.
    n_jobs : int or None, default=None
        Candidates to fit at once, by joblib. None is 1; -1 uses all cores.
    random_state : int, RandomState or None, default=None
        Decides all that is random, and in candidates of yours all whose own
        ``random_state`` is None. Two fits with one int are the same on one machine.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    results_ : dict of str to array
        A row for each candidate, by falling weight; ``pandas.DataFrame(results_)`` is
        a table. ``candidate``; ``weight``, of sum 1; ``agreement``, its mean kappa with
        the others; ``same_prediction``, the share of target rows for which it predicts
        what the whole does; ``fit_time`` in seconds; ``error``, a text if it failed;
        and with labels for the choice ``n_right`` of ``n_labelled``.
    reason_ : str
        Why it predicts as it does, in a few sentences.
    candidates_ : dict of str to estimator
        The fitted candidates.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.

    See Also
    --------
    AutoDANNRegressor : The same for numbers.
    skdann.model_selection.rows_to_label : Which rows of the target to label.

    Notes
    -----
    The weight of candidate k is

    .. math:: w_k \propto a_k^8 \, e^{r_k}

    for :math:`a_k`, the mean of Cohen's kappa between its predictions for the target
    and those of each other candidate, at least .1, and :math:`r_k`, the number of
    labelled rows that it predicts rightly. The proportions of the classes in the target
    are estimated once, as :class:`DANNClassifier` does, and scales by domain are as if
    the source had them.

    If the candidates agree they can all be wrong in the same way, as where a column
    means something else in the target. Only labels tell that.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_src, y_src, X_tgt, y_tgt = X[:300, :10], y[:300], X[300:, 20:], y[300:]
    >>> candidates = [  # None would be the thirteen of its own
    ...     ("source", BaselineClassifier(standardize="source")),
    ...     ("each by itself", BaselineClassifier(standardize="domain")),
    ...     ("network", DANNClassifier(n_estimators=1, random_state=0)),
    ... ]
    >>> auto = AutoDANNClassifier(candidates, random_state=0).fit(X_src, y_src, X_tgt)
    >>> bool(auto.score(X_tgt, y_tgt) > 0.9)
    True
    >>> len(auto.results_["candidate"])
    3
    """

    _judged = JudgedClasses

    __metadata_request__fit = {"classes": True}

    @restore_attributes_on_error
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: MatrixLike,
        y: VectorLike,
        X_tgt: MatrixLike | None = None,
        *,
        sample_weight: VectorLike | None = None,
        sample_weight_tgt: VectorLike | None = None,
        y_tgt: VectorLike | None = None,
        classes: VectorLike | None = None,
        groups: VectorLike | None = None,
        groups_tgt: VectorLike | None = None,
    ) -> Self:
        """Fit all candidates, and weight them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows.
        y : array-like of shape (n_samples,)
            Source labels.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows, with the columns of X.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts in training.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts in training, and where candidates are
            compared.
        y_tgt : array-like of shape (n_target,), default=None
            The few target labels that are known, marked as in
            :meth:`skdann.DANNClassifier.fit`. What they are used for is ``label_use``.
        classes : array-like of shape (n_classes,), default=None
            All labels, if the target has some that y lacks.
        groups : array-like of shape (n_samples,), default=None
            Of each source row the site, sensor, patient or month that it comes from,
            for candidates of yours with ``domain_classes="groups"``. Those by default
            tell source and target apart alone.
        groups_tgt : array-like of shape (n_target,), default=None
            The same of each target row.

        Returns
        -------
        self : AutoDANNClassifier
            Fitted.

        Raises
        ------
        ValueError
            If the data or the parameters make no sense, or if no candidate could be
            fitted; the message says what to do.
        KeyboardInterrupt
            If interrupted before any candidate is done. After that, Ctrl-C ends the
            fit, with the candidates that are done.

        Warns
        -----
        FitFailedWarning
            If a candidate could not be fitted, or not in time; the others are.
        """
        return self._fit(
            X,
            y,
            X_tgt,
            sample_weight=sample_weight,
            sample_weight_tgt=sample_weight_tgt,
            y_tgt=y_tgt,
            classes=classes,
            groups=groups,
            groups_tgt=groups_tgt,
        )

    def predict_proba(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the probability of each class: the weighted mean of the candidates.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; candidates scale the domains differently. None is the target.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._predict_mean(X, domain)
