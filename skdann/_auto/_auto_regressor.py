"""``AutoDANNRegressor``: the same for numbers."""

from typing import Self

from .._domain_aware import DomainAwareRegressor
from .._restore import restore_attributes_on_error
from .._typing import Array, Domain, MatrixLike, VectorLike, fit_context
from ._base_auto import BaseAutoDANN
from ._judged_numbers import JudgedNumbers


class AutoDANNRegressor(DomainAwareRegressor, BaseAutoDANN):
    r"""Combine networks that adapt with simple models, for numbers, without labels.

    As :class:`AutoDANNClassifier`: ridge regressions, random forests, extremely
    randomized trees and domain-adversarial networks are fitted under unlike scales of
    the columns, and their predictions are averaged, each weighted by how far it agrees
    with the others on the target. A few known numbers of the target, if there are any,
    decide far better.

    Parameters
    ----------
    candidates : list of (str, estimator) or None, default=None
        Names, and a :class:`DANNRegressor`, a :class:`BaselineRegressor` or any
        regressor of scikit-learn, which learns the source as it is. None is 13
        candidates of four kinds, and 6 where the domains overlap: those that scale each
        domain by itself are then left out. Of sparse X 4.
    label_use : {"choice", "training", "both"}, default="choice"
        What numbers of the target, ``y_tgt``, are used for: to weight the candidates,
        which are trained without them; to train the candidates, which are weighted
        without them; or for one after the other, which takes twice as long.
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
        a table. ``candidate``; ``weight``, of sum 1; ``agreement``, its mean
        concordance with the others; ``concordance``, that with the whole; ``fit_time``
        in seconds; ``error``, a text if it failed; and with numbers for the choice
        ``labelled_r2`` on ``n_labelled`` rows, by the variance of y in the source.
    reason_ : str
        Why it predicts as it does, in a few sentences.
    candidates_ : dict of str to estimator
        The fitted candidates.
    n_outputs_ : int
        Numbers predicted of each row.
    n_features_in_ : int
        Number of columns at fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; only if X had names that are all strings.

    See Also
    --------
    AutoDANNClassifier : The same for classes.
    skdann.model_selection.rows_to_label : Which rows of the target to measure.

    Notes
    -----
    The weight of candidate k is

    .. math:: w_k \propto a_k^8
              \Big(\nu s^2 + \sum_{i=1}^n e_{ki}^2\Big)^{-(\nu + n) / 2}

    for :math:`a_k`, the mean of Lin's concordance between its predictions for the
    target and those of each other candidate, at least .1, and its errors :math:`e_{ki}`
    on n rows whose numbers are known: the probability of such errors, if they are
    normal and of their variance nothing is known but that, as from :math:`\nu = 3`
    rows, it is about :math:`s^2`, the variance of the candidates on one row.

    Scaled by itself, a target looks like the source whatever has shifted. If rows were
    chosen by y, such candidates agree on what is wrong; so they are left out where a
    classifier hardly tells the domains apart (area under the ROC curve up to .9), as
    ``standardize="auto"`` of :class:`DANNRegressor` does.

    Examples
    --------
    An instrument that reads half as much again as another, and 2 more:

    >>> import numpy as np
    >>> from skdann import AutoDANNRegressor, BaselineRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = 20 + 5 * X[:, 0] - 3 * X[:, 1]
    >>> X_src, y_src, X_tgt, y_tgt = X[:200], y[:200], 1.5 * X[200:] + 2, y[200:]
    >>> candidates = [
    ...     (how, BaselineRegressor(standardize=how))
    ...     for how in ("source", "domain", "quantile")
    ... ]
    >>> auto = AutoDANNRegressor(candidates, random_state=0).fit(X_src, y_src, X_tgt)
    >>> bool(auto.score(X_tgt, y_tgt) > 0.8)
    True
    """

    _judged = JudgedNumbers

    @restore_attributes_on_error
    @fit_context(prefer_skip_nested_validation=False)
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
    ) -> Self:
        """Fit all candidates, and weight them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Source rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to learn.
        X_tgt : array-like or sparse matrix of shape (n_target, n_features)
            Target rows, with the columns of X.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each source row counts in training.
        sample_weight_tgt : array-like of shape (n_target,), default=None
            How often each target row counts in training, and where candidates are
            compared.
        y_tgt : array-like of shape (n_target,) or (n_target, n_outputs), default=None
            The few target numbers that are known, NaN or None elsewhere. What they are
            used for is ``label_use``.
        groups : array-like of shape (n_samples,), default=None
            Of each source row the site, sensor, patient or month that it comes from,
            for candidates of yours with ``domain_classes="groups"``. Those by default
            tell source and target apart alone.
        groups_tgt : array-like of shape (n_target,), default=None
            The same of each target row.

        Returns
        -------
        self : AutoDANNRegressor
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
            groups=groups,
            groups_tgt=groups_tgt,
        )

    def predict(self, X: MatrixLike, domain: Domain | None = None) -> Array:
        """Predict the number, or the numbers, of each row: the weighted mean.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows of one domain.
        domain : {"source", "target"} or None, default=None
            Which; candidates scale the domains differently. None is the target.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the shape of y of ``fit``.
        """
        return self._in_shape_of_y(self._predict_mean(X, domain))
