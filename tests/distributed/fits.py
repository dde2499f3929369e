"""What ranks do in these tests, and one process by itself."""

import logging
import os
import signal
import time
import warnings

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback
from torch import distributed, nn

from skdann import DANNClassifier, DANNRegressor
from skdann.distributed import gather_rows
from skdann.model_selection import DANNGridSearchCV


def make_data(n=53, n_target=41):
    """Return source rows, three classes and target rows: no multiple of any batch."""
    rng = np.random.default_rng(3)
    y = rng.integers(3, size=n)
    X = rng.normal(size=(n, 4)) + y[:, np.newaxis]
    return X, y, rng.normal(size=(n_target, 4)) + 1.5


class OwnPart(nn.Sequential):
    """A part by the user."""

    def __init__(self, n_in):
        super().__init__(nn.Linear(n_in, 5), nn.Tanh())


class WithBatchNorm(nn.Sequential):
    """A part that looks at several rows at once."""

    def __init__(self, n_in):
        super().__init__(nn.Linear(n_in, 5), nn.BatchNorm1d(5))


class NotesEngine(Callback):
    """Who takes the steps."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("is_dense", type(net.engine_).__name__ == "DenseEngine")


class SeesSteps(NotesEngine):
    """Only skorch's own way of taking steps calls it."""

    def on_batch_end(self, net, **kwargs):
        pass


SMALL = {
    "hidden_layer_sizes": (6,),
    "domain_hidden_layer_sizes": (5,),
    "batch_size": 18,
    "max_epochs": 3,
    "standardize": "domain",
    "target_prior": None,
    "callbacks": [NotesEngine],
    "random_state": 0,
}


def _fit(kind=DANNClassifier, times=1, **given):
    X, y, X_tgt = make_data()
    of_fit = {name: given.pop(name) for name in list(given) if name in _OF_FIT}
    X = of_fit.pop("X", X)
    y = of_fit.pop("y", y)
    X_tgt = of_fit.pop("X_tgt", X_tgt)
    given = {**SMALL, **given}
    if kind is DANNRegressor:
        del given["target_prior"]
    estimator = kind(**given)
    for _ in range(times):
        estimator.fit(X, y, X_tgt, **of_fit)
    return estimator


_OF_FIT = ("X", "y", "X_tgt", "y_tgt", "groups", "groups_tgt", "sample_weight")
_OF_FIT += ("sample_weight_tgt",)


def _known(n_known):
    y_tgt = np.full(41, -1)
    y_tgt[:n_known] = np.arange(n_known) % 3
    return y_tgt


def _partial():
    X, y, X_tgt = make_data()
    estimator = DANNClassifier(**SMALL)
    for _ in range(3):
        estimator.partial_fit(X, y, X_tgt, classes=[0, 1, 2])
    return estimator


ONE = {"n_estimators": 1}

# By the name of what is special about it; "dense" ones have no graph of autograd.
DENSE = {
    "default": lambda: _fit(standardize="auto", target_prior="estimate"),
    "long": lambda: _fit(**ONE, max_epochs=60, dropout=0.1),
    "dropout": lambda: _fit(dropout=0.3, hidden_layer_sizes=(6, 5)),
    "one network": lambda: _fit(**ONE, dropout=0.3),
    "sgd": lambda: _fit(**ONE, optimizer="sgd"),
    "adamw": lambda: _fit(optimizer="adamw", weight_decay=0.01),
    "conditional": lambda: _fit(conditional=True, dropout=0.1),
    "by entropy": lambda: _fit(conditional="entropy"),
    "class confusion": lambda: _fit(class_confusion=0.5, dropout=0.2),
    "target entropy": lambda: _fit(target_entropy=0.5, sample_weight_tgt=_weights(41)),
    "groups": lambda: _fit(
        domain_classes="groups", groups=np.arange(53) % 2, groups_tgt=np.arange(41) % 3
    ),
    "labelled target": lambda: _fit(y_tgt=_known(7)),
    "one label": lambda: _fit(y_tgt=_known(1)),
    "weights": lambda: _fit(
        sample_weight=_weights(53),
        sample_weight_tgt=_weights(41),
        class_weight="balanced",
    ),
    "no target": lambda: _fit(X_tgt=None, lambda_max=0),
    "few rows": lambda: _fit(X_tgt=make_data()[2][:10], batch_size=8),
    "sparse": lambda: _fit(
        X=sparse.csr_array(make_data()[0]), X_tgt=sparse.csr_array(make_data()[2])
    ),
    "numbers": lambda: _fit(DANNRegressor, y=make_data()[0] @ np.arange(4.0)),
    "early stopping": lambda: _fit(early_stopping=True, max_epochs=8),
    "warm start": lambda: _fit(warm_start=True, times=2),
    "one epoch a call": _partial,
}
AUTOGRAD = {
    "long by autograd": lambda: _fit(**ONE, max_epochs=60, optimizer=torch.optim.NAdam),
    "rmsprop": lambda: _fit(**ONE, optimizer=torch.optim.RMSprop, dropout=0.3),
    "lbfgs": lambda: _fit(**ONE, optimizer=torch.optim.LBFGS, lr=0.001),
    "own part": lambda: _fit(feature_extractor=OwnPart, class_confusion=0.5),
    "steps watched": lambda: _fit(**ONE, dropout=0.3, callbacks=[SeesSteps]),
    "ensemble": lambda: _fit(
        optimizer=torch.optim.RMSprop, dropout=0.2, conditional="entropy"
    ),
}
SITUATIONS = {**DENSE, **AUTOGRAD}


def _weights(n):
    return np.linspace(0.5, 2, n)


def fit_all(rank, names):
    """Return of each situation what is predicted, and the history."""
    warnings.simplefilter("ignore")
    found = {}
    for name in names:
        estimator = SITUATIONS[name]()
        rows = [
            {k: v for k, v in row.items() if k not in ("dur", "batches")}
            for row in estimator.history_
        ]
        answers = estimator.predict if name == "numbers" else estimator.predict_proba
        found[name] = answers(make_data()[2]), rows
    return found


def fit_alone_and_together(rank):
    """Return what fits on different seeds end with: joined, and each by itself."""
    X, y, X_tgt = make_data()
    fits = {}
    for name in ("auto", False):
        clf = DANNClassifier(**{**SMALL, "random_state": None}, distributed=name)
        fits[name] = clf.fit(X, y, X_tgt).predict_proba(X_tgt)
    return fits


def fit_too_small_batches(rank):
    """Fit on fewer rows of each domain than there are ranks."""
    X, y, X_tgt = make_data()
    try:
        DANNClassifier(**{**SMALL, "batch_size": 6}).fit(X, y, X_tgt)
    except ValueError as error:
        return str(error)


def fit_on_what_differs(rank, what):
    """Fit, on rank 1 on something else; return what comes of fitting again."""
    X, y, X_tgt = make_data()
    given = dict(SMALL)
    if rank == 1:
        X, y, given = what_differs(what, X, y, given)
    try:
        DANNClassifier(**given).fit(X, y, X_tgt)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
    X, y, X_tgt = make_data()
    return message, DANNClassifier(**SMALL).fit(X, y, X_tgt).predict_proba(X_tgt)


def what_differs(what, X, y, given):
    """Return what rank 1 is given."""
    if what == "X":
        X = X + 1e-9
    elif what == "y":
        y = np.roll(y, 1)
    elif what == "lr":
        given["lr"] = 0.011
    elif what == "random_state":
        given["random_state"] = 1
    elif what == "wrong lr":
        given["lr"] = -1
    elif what == "n_estimators":
        given["n_estimators"] = 2
    elif what == "NaN":
        X = np.where(X[0, 0] == X, np.nan, X)
    return X, y, given


class Falls(Callback):
    """Rank 1 is killed, or does not answer for a while, after the second epoch."""

    def __init__(self, how):
        self.how = how

    def on_epoch_end(self, net, **kwargs):
        if distributed.get_rank() == 1 and len(net.history) == 2:
            if self.how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(self.how)


def fit_until_one_falls(rank, how, path):
    """Lose rank 1 in the third epoch; return what the others are told."""
    X, y, X_tgt = make_data()
    clf = DANNClassifier(
        **{**SMALL, "callbacks": [Falls(how)]}, checkpoint=path, checkpoint_interval=1
    )
    try:
        clf.fit(X, y, X_tgt)
    except ConnectionError as error:
        return str(error), vars(clf).keys() - clf.get_params().keys()


def resume(rank, path):
    """Go on from a checkpoint; return predictions, and the number of epochs."""
    X, y, X_tgt = make_data()
    clf = DANNClassifier(**SMALL, checkpoint=path, checkpoint_interval=1)
    clf.fit(X, y, X_tgt, resume=True)
    return clf.predict_proba(X_tgt), clf.n_iter_


def fit_with_checkpoint(rank, path):
    """Fit; rank 1 could not write to its path."""
    X, y, X_tgt = make_data()
    own = path if rank == 0 else "/dev/null/there is no such folder"
    clf = DANNClassifier(**SMALL, checkpoint=own, checkpoint_interval=1)
    try:
        return clf.fit(X, y, X_tgt).predict_proba(X_tgt)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def fit_loudly(rank):
    """Fit so that there is something to draw, to log and to warn of."""
    logging.basicConfig(level="INFO")
    X, y, X_tgt = make_data()
    clf = DANNClassifier(**SMALL, verbose=1)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        clf.fit(X, y, X_tgt[:8])
    warnings.warn("after the fit", stacklevel=1)
    return [str(w.message) for w in found if "X_tgt has 8 rows" in str(w.message)]


def fit_in_threads_of_joblib(rank):
    """Fit two in a worker each, in another order on each rank."""
    X, y, X_tgt = make_data()

    def fit(seed):
        given = {**SMALL, "random_state": seed}
        return DANNClassifier(**given).fit(X, y, X_tgt).predict_proba(X_tgt)

    seeds = [0, 1] if rank == 0 else [1, 0]
    return Parallel(2, "threading")(delayed(fit)(seed) for seed in seeds)


def fit_with_batch_norm(rank):
    """Return predictions, the score that decided, and what was warned of."""
    X, y, X_tgt = make_data()
    given = {**SMALL, "early_stopping": True, "max_epochs": 6}
    clf = DANNClassifier(**given, feature_extractor=WithBatchNorm)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        clf.fit(X, y, X_tgt)
    said = [str(w.message) for w in found if "BatchNorm1d" in str(w.message)]
    return clf.predict_proba(X_tgt), clf.history_[:, "validation_score"], said


def search(rank, folder):
    """Search among four candidates, and again from what is in the folder then."""
    X, y, X_tgt = make_data()
    grid = {"lambda_max": [0.1, 1.0], "optimizer": ["adam", torch.optim.RMSprop]}
    results = []
    for seed in (0, 0, None):
        own = folder if seed == 0 else None
        network = DANNClassifier(**{**SMALL, "random_state": seed})
        found = DANNGridSearchCV(network, grid, cv=2, n_jobs=1, checkpoint=own)
        found.fit(X, y, X_tgt)
        columns = [found.cv_results_[f"mean_{k}"] for k in ("test_score", "fit_time")]
        results.append((*columns, found.predict_proba(X_tgt)))
    return results


def fail(*of_anything):
    """Raise an error."""
    raise KeyError("the file of mine")


def fail_on_rank_1(estimator, X, y):
    """Score, but not on rank 1."""
    return fail() if distributed.get_rank() == 1 else 1.0


# What is wrong with a search: parameters that rank 1 has, and arguments of fit.
WRONG_SEARCHES = {
    "parameter": ({"cv": "two"}, {}),
    "target": ({}, {"X_tgt": None}),
    "y": ({}, {"y": np.full(53, np.nan)}),
    "score": ({}, {}),
    "choice": ({"refit": fail}, {}),
    "step": ({}, {}),
}


class Fails(FunctionTransformer):
    """A step that fails on rank 1 when it is fitted on all rows."""

    def fit(self, X, y=None):
        if distributed.get_rank() == 1 and len(X) == 53:
            fail()
        return super().fit(X, y)


def search_what_is_wrong(rank):
    """Return how searches end that are wrong on rank 1, and a fit after them."""
    warnings.simplefilter("ignore")
    X, y, X_tgt = make_data()
    messages = {}
    for name, (params, arguments) in WRONG_SEARCHES.items():
        step = Fails() if name == "step" else FunctionTransformer()
        network = make_pipeline(step, DANNClassifier(**SMALL))
        found = DANNGridSearchCV(network, {"dannclassifier__lr": [0.01]}, cv=2)
        scoring = fail_on_rank_1 if name == "score" else "infomax"
        found.set_params(scoring=scoring, refit=_take_first, error_score="raise")
        given = {"y": y, "X_tgt": X_tgt}
        if rank == 1:
            found.set_params(**params)
            given |= arguments
        try:
            found.fit(X, **given)
        except Exception as error:
            messages[name] = f"{type(error).__name__}: {error}"
    return messages, DANNClassifier(**SMALL).fit(X, y, X_tgt).predict_proba(X_tgt)


def _take_first(results):
    return 0


def shards(size):
    """Return what each rank holds of the rows: of the last one no target."""
    X, y, X_tgt = make_data()
    edges, edges_tgt = np.linspace(0, len(X), size + 1), np.linspace(0, 41, size)
    of_rank = []
    for rank in range(size):
        own = slice(*edges[rank : rank + 2].astype(int))
        own_tgt = slice(*edges_tgt[rank : rank + 2].astype(int))
        empty = X_tgt[:0]
        of_rank.append((X[own], y[own], X_tgt[own_tgt] if rank + 1 < size else empty))
    return of_rank


def fit_on_shards(rank, size, folder):
    """Gather rows of which each rank has some; return predictions, and the files."""
    names = np.array(["low", "mid", "high"], dtype=object)
    X, y, X_tgt = shards(size)[rank]
    sparse_X = sparse.csr_array(X)
    X, y, X_tgt, sparse_X, none = gather_rows(
        X, names[y], X_tgt, sparse_X, None, folder=folder
    )
    assert none is None
    assert (sparse_X.toarray() == X).all()
    clf = DANNClassifier(**SMALL).fit(X, y, X_tgt)
    return clf.predict_proba(X_tgt), sorted({str(X.filename), str(X_tgt.filename)})


FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
FIELDS = [("a", "f8"), ("b", "i8")]

# by name: what rank 0 gives, and rank 1
WRONG_ROWS = {
    "columns": (np.zeros((3, 2)), np.zeros((3, 1))),
    "dtype": (np.zeros((3, 2)), np.zeros((3, 2), "f4")),
    "kind": (np.zeros((3, 2)), None),
    "a number": (np.zeros((3, 2)), 3.0),
    "a sparse row": (np.zeros((3, 2)), sparse.coo_array(np.ones(3))),
    "order of columns": (FRAME, FRAME[["b", "a"]]),
    "order of fields": (np.zeros(2, FIELDS), np.zeros(2, FIELDS[::-1])),
}


def gather_what_differs(rank):
    """Return the errors of gathering rows that can't be in one table."""
    messages = {}
    for name, of_ranks in WRONG_ROWS.items():
        try:
            gather_rows(of_ranks[rank])
        except (ValueError, RuntimeError) as error:
            messages[name] = str(error)
    return messages


def gather_frames(rank):
    """Return what comes of a frame, of no rows without names, and of a masked label."""
    frame = FRAME if rank == 0 else np.zeros((0, 2))
    labels = np.ma.masked_array([0.0, rank], mask=[False, True])
    return [np.array(rows) for rows in gather_rows(frame, labels)]
