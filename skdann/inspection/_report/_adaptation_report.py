"""The public face of the report: one function, and the object that it returns."""

from functools import cached_property
from typing import Any

from ..._io._container import write_bytes
from ..._typing import Array, Estimator, MatrixLike, PathLike, RandomState, VectorLike
from ._export import to_dict, to_frame
from ._labels import rows_to_label
from ._measure import measure
from ._render import to_html, to_text
from ._rules import find
from ._summary import recommend
from ._verdict import judge


def adaptation_report(
    estimator: Estimator,
    X_src: MatrixLike,
    y_src: VectorLike,
    X_tgt: MatrixLike,
    *,
    sample_weight: VectorLike | None = None,
    sample_weight_tgt: VectorLike | None = None,
    y_tgt: VectorLike | None = None,
    groups: VectorLike | None = None,
    groups_tgt: VectorLike | None = None,
    random_state: RandomState = None,
) -> "AdaptationReport":
    """Say whether to deploy an adapted model, as far as that can be known.

    It compares the fitted estimator with its source-only model, the same network
    trained with ``lambda_max=0``, and with simple models of unlike kinds: logistic, or
    ridge, regressions and a random forest. What they predict for the target, without
    its labels, gives the verdict, class proportions or mean and deviation of y with an
    interval, a figure that the accuracy hardly exceeds, or the error hardly stays
    below, and the rows to label next. Each finding says what it means and what to try:
    label shift, collapsed predictions, a domain classifier that never learned or always
    wins, a lambda without effect.

    Parameters
    ----------
    estimator : fitted DANNClassifier or DANNRegressor, Pipeline or search
        Or a Pipeline that ends in one, or a search over that, of which it is what was
        chosen. Not modified.
    X_src : array-like or sparse matrix of shape (n_samples, n_features)
        Source rows, raw, as for ``fit``.
    y_src : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Source labels, or numbers.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows, raw.
    sample_weight : array-like of shape (n_samples,), default=None
        If ``fit`` got it.
    sample_weight_tgt : array-like of shape (n_target,), default=None
        If ``fit`` got it. Models are trained by these weights; in what they are
        compared by each row of positive weight counts once.
    y_tgt : array-like of shape (n_target,) or (n_target, n_outputs), default=None
        The few target labels, or numbers, if ``fit`` got them.
    groups : array-like of shape (n_samples,), default=None
        If ``fit`` got them.
    groups_tgt : array-like of shape (n_target,), default=None
        If ``fit`` got them.
    random_state : int, RandomState or None, default=None
        Decides which rows are held out, and which are drawn.

    Returns
    -------
    report : AdaptationReport
        Prints as text, shows as HTML in a notebook.

    See Also
    --------
    skdann.model_selection.DANNGridSearchCV : Choose lambda without target labels.

    Notes
    -----
    It trains five networks: the source-only model; and on 80% of the source this, the
    estimator, and both in reverse. That takes three to five times as long as the fit.

    The verdict follows Cohen's kappa, of numbers Lin's concordance, with a random
    forest whose columns are scaled for each domain by itself. It is "for" if this is
    higher for the adapted than for the source-only model, by an interval of 90% over
    target rows (bootstrap): where models are wrong, models of unlike kinds are wrong in
    unlike ways. It is "against" if it is not, and adapting cost .05 of accuracy, or of
    R2, on the source. It is "open" otherwise, and if the classes have other proportions
    in the target, or y another mean.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> from skdann.inspection import adaptation_report
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> clf = DANNClassifier(n_estimators=1, max_epochs=20, random_state=0)
    >>> clf = clf.fit(X, y, X_tgt)
    >>> report = adaptation_report(clf, X, y, X_tgt, random_state=0)
    >>> print(report)  # doctest: +ELLIPSIS
    Adaptation report: 300 source rows, 300 target rows, 2 classes, lambda_max=1
    ...
    >>> report.verdict in ("for", "against", "open")
    True
    """
    measures = measure(
        estimator,
        X_src,
        y_src,
        X_tgt,
        sample_weight=sample_weight,
        sample_weight_tgt=sample_weight_tgt,
        y_tgt=y_tgt,
        groups=groups,
        groups_tgt=groups_tgt,
        random_state=random_state,
    )
    return AdaptationReport(measures)


class AdaptationReport:
    """Measures, findings and verdict; made by :func:`adaptation_report`.

    Parameters
    ----------
    measures : object
        The figures: ``scores`` (of the source-only and of the adapted model),
        ``evidence`` (what all models predict), ``distances``, ``proportions`` or
        ``moments``, ``history``, ``source_only`` (the source-only model itself) and
        others.

    Attributes
    ----------
    recommendation : str
        What to do: deploy the adapted model, label some rows first, or stay with a
        simple model.
    verdict : str
        "for" if a model of another kind supports adapting, "against" if it does not and
        adapting cost accuracy on the source, else "open". How often that was right is
        in the guide.
    accuracy_at_most : float or None
        What the accuracy of the adapted model on the target hardly exceeds; None of a
        regressor.
    error_at_least : float or None
        What its root mean squared error hardly stays below, in the units of y, or of
        several numbers in deviations of each; None of a classifier.
    findings : list of Finding
        Each with ``kind``, ``is_warning``, ``what``, ``meaning`` and ``advice``;
        warnings first.
    """

    def __init__(self, measures: Any) -> None:
        self.measures = measures

    @cached_property
    def findings(self) -> list[Any]:
        """The findings, warnings first."""
        return find(self.measures)

    @cached_property
    def verdict(self) -> str:
        """The verdict: "for", "against" or "open"."""
        return judge(self.measures)

    @property
    def recommendation(self) -> str:
        """What to do, in one sentence."""
        return recommend(self.measures, self.verdict)

    @property
    def accuracy_at_most(self) -> float | None:
        """What the accuracy on the target hardly exceeds."""
        return getattr(self.measures.evidence, "accuracy_at_most", None)

    @property
    def error_at_least(self) -> float | None:
        """What the error on the target hardly stays below."""
        return getattr(self.measures.evidence, "error_at_least", None)

    def rows_to_label(self, n: int, *, random_state: RandomState = None) -> Array:
        """Draw the target rows whose labels tell most.

        The more the models disagree on a row, the likelier it is drawn. Rows that have
        a label in ``y_tgt`` are not.

        Parameters
        ----------
        n : int
            How many.
        random_state : int, RandomState or None, default=None
            Decides the draw.

        Returns
        -------
        rows : ndarray of int
            Positions in ``X_tgt``; fewer than n if models disagree on fewer.
        """
        return rows_to_label(self.measures.evidence, n, random_state)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as values that JSON can hold.

        Returns
        -------
        report : dict
            Of numbers, texts, lists and dicts.
        """
        return to_dict(self)

    def to_frame(self) -> Any:
        """Return the figures of all models as a table; needs pandas.

        Returns
        -------
        models : pandas.DataFrame
            A row for each model: accuracy on held-out source rows, share of target rows
            for which it predicts what the adapted model does, mean Cohen's kappa with
            the others; for two classes also the AUC on held-out source rows and
            Spearman's correlation with the adapted model's probabilities. Of numbers R2
            and root mean squared error on held-out source rows, and Lin's concordance
            with the adapted model and, the mean, with the others.
        """
        return to_frame(self)

    def __str__(self):
        return to_text(self)

    def __repr__(self):
        kinds = [finding.kind for finding in self.findings]
        return f"AdaptationReport(verdict={self.verdict!r}, findings={kinds})"

    def _repr_html_(self):
        return to_html(self, whole_page=False)

    def to_html(self, path: PathLike | None = None) -> str:
        """Write the report as one HTML file that needs nothing else.

        Parameters
        ----------
        path : str, Path or None, default=None
            Where to write; None does not.

        Returns
        -------
        page : str
            The page; with figures if matplotlib is installed.
        """
        page = to_html(self, whole_page=True)
        if path is not None:
            write_bytes(path, page.encode())
        return page
