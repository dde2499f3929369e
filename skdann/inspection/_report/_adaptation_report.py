"""The public face of the report: one function, and the object that it returns."""

from functools import cached_property
from pathlib import Path

from ._measures import measure
from ._render import to_html, to_text
from ._rules import find, judge


def adaptation_report(
    estimator,
    X_src,
    y_src,
    X_tgt,
    *,
    sample_weight=None,
    y_tgt=None,
    random_state=None,
):
    """Say whether adapting helped, as far as that can be known without target labels.

    It compares the fitted estimator with its source-only model, the same network
    trained with ``lambda_max=0``: what both predict, accuracy on held-out source rows,
    how certain and balanced the predictions for the target are (infomax), reverse
    validation, and the distance of the domains. Each finding says what it means and
    what to try: label shift, collapsed predictions, a domain classifier that never
    learned or always wins, a lambda without effect.

    Parameters
    ----------
    estimator : fitted DANNClassifier, Pipeline that ends in one, or search
        Not modified. Of a search, what it chose.
    X_src : array-like or sparse matrix of shape (n_samples, n_features)
        Source rows, raw, as for ``fit``.
    y_src : array-like of shape (n_samples,)
        Source labels.
    X_tgt : array-like or sparse matrix of shape (n_target, n_features)
        Target rows, raw.
    sample_weight : array-like of shape (n_samples,), default=None
        If ``fit`` got it.
    y_tgt : array-like of shape (n_target,), default=None
        The few target labels, if ``fit`` got them.
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
    It trains four networks: the estimator and its source-only model on 80% of the
    source, and both in reverse. That takes two to four times as long as the fit.

    Examples
    --------
    >>> from skdann import DANNClassifier
    >>> from skdann.datasets import make_shifted_moons
    >>> from skdann.inspection import adaptation_report
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> clf = DANNClassifier(random_state=0).fit(X, y, X_tgt)
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
        y_tgt=y_tgt,
        random_state=random_state,
    )
    return AdaptationReport(measures)


class AdaptationReport:
    """Measures, findings and verdict; made by :func:`adaptation_report`.

    Parameters
    ----------
    measures : object
        The figures: ``scores`` (of the source-only and of the adapted model),
        ``agreement``, ``distances``, ``proportions``, ``history``, ``source_only`` (the
        source-only model itself) and others.

    Attributes
    ----------
    findings : list of Finding
        Each with ``kind``, ``is_warning``, ``what``, ``meaning`` and ``advice``;
        warnings first.
    verdict : str
        "for" if unsupervised scores favor the adapted model, "against" if they favor
        the source-only model, else "open". They can be wrong: on real domains where the
        verdict was "for", adapting had helped more often than not, but not always.
    """

    def __init__(self, measures):
        self.measures = measures

    @cached_property
    def findings(self):
        """The findings, warnings first."""
        return find(self.measures)

    @cached_property
    def verdict(self):
        """The verdict: "for", "against" or "open"."""
        return judge(self.measures)

    def __str__(self):
        return to_text(self)

    def __repr__(self):
        kinds = [finding.kind for finding in self.findings]
        return f"AdaptationReport(verdict={self.verdict!r}, findings={kinds})"

    def _repr_html_(self):
        return to_html(self, whole_page=False)

    def to_html(self, path=None):
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
            Path(path).write_text(page, encoding="utf-8")
        return page
