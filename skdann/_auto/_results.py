"""What the candidates have come to: their table, and the reason in words."""

from dataclasses import dataclass

import numpy as np

from ..metrics._agreement import mean_agreement
from ..metrics._fitted import reading
from ..metrics._paired import compare_best

# Rows on which less than this share of the weight agrees are those to label.
AGREED = 2 / 3


def probabilities(models, X_tgt):
    """Return what models predict for target rows.

    Parameters
    ----------
    models : iterable of fitted classifier
        Of the same classes.
    X_tgt : array-like or sparse matrix of shape (n, n_features)
        Target rows.

    Returns
    -------
    P : ndarray of shape (n_models, n, n_classes)
    """
    return np.stack([reading(m, "target").predict_proba(X_tgt) for m in models])


@dataclass(frozen=True)
class Evidence:
    """Labelled rows of the target by which candidates are judged; maybe none."""

    X: object
    labels: np.ndarray

    @classmethod
    def of(cls, domains):
        """All target rows whose label is known."""
        rows = domains.labelled_rows_tgt
        codes = [] if domains.y_tgt is None else domains.y_tgt[rows]
        codes = np.asarray(codes, dtype=int)
        return cls(domains.X_tgt[rows], domains.targets.classes[codes])

    def is_right(self, models):
        """Return whether each model is right on each row, (n_models, n_labelled)."""
        if not len(self.labels):
            return np.zeros((len(models), 0), dtype=bool)
        classes = models[0].classes_
        return classes[probabilities(models, self.X).argmax(axis=2)] == self.labels


def make_results(all_fitted, votes, weights, whole, is_right):
    """Return the table of the candidates, by falling weight; those that failed last.

    Parameters
    ----------
    all_fitted : list of FittedCandidate
        All.
    votes : ndarray of int of shape (n_done, n_rows)
        What those without an error predict for the target.
    weights : ndarray of shape (n_done,)
        How much each counts.
    whole : ndarray of int of shape (n_rows,)
        What the combination predicts.
    is_right : ndarray of bool of shape (n_done, n_labelled)
        On labelled rows.

    Returns
    -------
    dict of str to ndarray
    """
    done = np.array([fitted.error is None for fitted in all_fitted])

    def column(values, missing):
        of_all = np.full(
            len(all_fitted), missing, dtype=np.result_type(values, missing)
        )
        of_all[done] = values
        return of_all

    table = {
        "candidate": np.array([f.name for f in all_fitted], dtype=object),
        "weight": column(weights, 0.0),
        "agreement": column(mean_agreement(votes), np.nan),
        "same_prediction": column((votes == whole).mean(axis=1), np.nan),
        "fit_time": np.array([fitted.seconds for fitted in all_fitted]),
        "error": np.array(
            ["" if f.error is None else repr(f.error) for f in all_fitted], dtype=object
        ),
    }
    if is_right.shape[1]:
        table["n_right"] = column(is_right.sum(axis=1), 0)
        table["n_labelled"] = column(is_right.shape[1], 0)
    order = np.lexsort((-table["weight"], ~done))
    return {name: values[order] for name, values in table.items()}


def explain(names, votes, weights, is_right):
    """Return in a few sentences why the whole predicts as it does.

    Parameters
    ----------
    names : list of str
        Of the candidates.
    votes, weights, is_right
        As in :func:`make_results`.
    """
    order = np.argsort(-weights, kind="stable")
    most = ", ".join(f"{names[i]} ({weights[i]:.0%})" for i in order[:3])
    n_labelled = is_right.shape[1]
    by_labels = f" and by {n_labelled} labels of the target" if n_labelled else ""
    sentences = [
        f"The mean of {len(names)} candidates, weighted by how far each agrees with "
        f"the others on the target{by_labels}; most by {most}."
    ]
    share = np.mean(_agreed_weight(votes, weights) < AGREED)
    sentences.append(
        f"On {share:.0%} of the target rows less than two thirds of the weight agrees."
    )
    if n_labelled and len(names) > 1:
        sentences.append(compare_best(names, is_right))
    elif share:
        sentences.append("rows_to_label names rows whose labels would tell most.")
    return " ".join(sentences)


def _agreed_weight(votes, weights):
    """Return the weight of the class that most weight predicts, for each row."""
    shares = [weights @ (votes == code) for code in range(votes.max() + 1)]
    return np.max(shares, axis=0)
