"""Train a combination of models on tables as they are."""

import sys
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import train_test_split

from .. import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
    tabular_pipeline,
)
from ._errors import InputError

# Known labels of the target from which on they do not only choose, but also train.
ENOUGH_TO_TRAIN = 100

# What a quick look is made of.
_FEW_OF_CLASSES = (
    "logistic regression",
    BaselineClassifier,
    RandomForestClassifier,
    DANNClassifier,
)
_FEW_OF_NUMBERS = "ridge", BaselineRegressor, RandomForestRegressor, DANNRegressor


@dataclass(frozen=True)
class Trained:
    """A fitted Pipeline, and what it was fitted on.

    Attributes
    ----------
    pipeline : AdaptationPipeline
    X, y, X_tgt : table, ndarray, table
        Of both domains.
    y_tgt : ndarray or None
        Labels of the target that were used, marked where none is known.
    """

    pipeline: object
    X: object
    y: np.ndarray
    X_tgt: object
    y_tgt: np.ndarray | None


def train(tables, label, y_tgt, options):
    """Fit on both tables, or on some of their rows where these are too many.

    Parameters
    ----------
    tables : pair of pandas.DataFrame
        Of source and target.
    label : Label
    y_tgt : ndarray or None
        Known labels of the target that may be used.
    options : argparse.Namespace
        With ``seed``, ``quick``, ``max_time``, ``max_rows`` and ``quiet``.

    Returns
    -------
    Trained
    """
    rng = np.random.RandomState(options.seed)
    rows = _some(label.y, label.task, options.max_rows, rng)
    n_target = len(tables[1])
    rows_tgt = np.sort(rng.permutation(n_target)[: options.max_rows])
    X, y, X_tgt = tables[0].iloc[rows], label.y[rows], tables[1].iloc[rows_tgt]
    y_tgt = None if y_tgt is None else y_tgt[rows_tgt]
    pipeline = tabular_pipeline(_estimator(label, y_tgt, options))
    try:
        pipeline.fit(X, y, X_tgt, **({} if y_tgt is None else {"y_tgt": y_tgt}))
    except ValueError as error:
        raise InputError(f"Nothing could be learned: {error}") from error
    return Trained(pipeline, X, y, X_tgt, y_tgt)


def _some(y, task, most, rng):
    """Return the positions of all rows, or of as many as there may be."""
    rows = np.arange(len(y))
    if len(y) <= most:
        return rows
    classes = y if task == "classification" else None
    rows, _ = train_test_split(
        rows, train_size=most, stratify=classes, random_state=rng
    )
    return np.sort(rows)


def _estimator(label, y_tgt, options):
    """Return what learns, with few candidates if it is to be quick."""
    is_of_classes = label.task == "classification"
    n_known = 0 if y_tgt is None else int(label.known(y_tgt).sum())
    combine = AutoDANNClassifier if is_of_classes else AutoDANNRegressor
    few = _FEW_OF_CLASSES if is_of_classes else _FEW_OF_NUMBERS
    return combine(
        _few(*few) if options.quick else None,
        label_use="both" if n_known >= ENOUGH_TO_TRAIN else "choice",
        max_time=options.max_time,
        random_state=options.seed,
        verbose=int(not options.quiet and sys.stderr.isatty()),
    )


def _few(linear, baseline, forest, network):
    """Return one candidate of each kind, and both scales of the simplest."""
    return [
        (f"{linear}, source", baseline(standardize="source")),
        (f"{linear}, by domain", baseline()),
        ("random forest, by domain", baseline(forest(50))),
        ("DANN, by domain", network(standardize="domain", n_estimators=1)),
    ]
