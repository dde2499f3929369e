"""Whatever is drawn, a fit works or says what is wrong; what must not matter does not.

A campaign draws others, and as many as it is told in each test:
``SKDANN_EXAMPLES=5000 SKDANN_SEED=1 pytest tests/test_properties.py``.
"""

import copy
import os
import pickle
import re
import tempfile
import warnings
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from helpers import SMALL
from hypothesis import event, given, seed, settings
from hypothesis import strategies as st
from scipy import sparse
from torch import nn

import skdann
from skdann import DANNClassifier

N_EXAMPLES = int(os.environ.get("SKDANN_EXAMPLES", 30))
IS_CAMPAIGN = "SKDANN_EXAMPLES" in os.environ

pytestmark = [
    pytest.mark.filterwarnings("error"),  # above all those of numpy and torch
    pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:A column-vector y was passed"),
    pytest.mark.filterwarnings("ignore:X (does not have|has) .*feature names"),
    pytest.mark.filterwarnings("ignore:The least populated class in y"),
    pytest.mark.filterwarnings("ignore:The number of unique classes is greater"),
]


def for_all(**drawn):
    """Run a test on examples of what is drawn."""

    def decorate(test):
        test = given(**drawn)(test)
        if "SKDANN_SEED" in os.environ:
            test = seed(int(os.environ["SKDANN_SEED"]))(test)
        return settings(
            max_examples=N_EXAMPLES,
            derandomize=not IS_CAMPAIGN,
            database=None,
        )(test)

    return decorate


# ---- what is drawn: tables, in any dtype and container, and labels of any kind

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8"]
DTYPES = [*FLOATS, *INTEGERS, "bool"]

TAME = {
    "normal": lambda rng, n: 3 * rng.standard_normal(n),
    "constant": lambda rng, n: np.full(n, 7.0),
    "zero": lambda rng, n: np.zeros(n),
    "binary": lambda rng, n: rng.integers(2, size=n) * 1.0,
    "tiny": lambda rng, n: 1e-30 * rng.standard_normal(n),
}
WILD = {
    "denormal": lambda rng, n: 1e-310 * rng.standard_normal(n),
    "1e5": lambda rng, n: 1e5 * rng.standard_normal(n),
    "1e30": lambda rng, n: 1e30 * rng.standard_normal(n),
    "1e38": lambda rng, n: 1e38 * rng.uniform(-1, 1, n),
    "1e200": lambda rng, n: 1e200 * rng.standard_normal(n),
    "1e308": lambda rng, n: np.full(n, 1e308),
}


def cast(rows, dtype):
    """Cast to a dtype, whose ends stand for what lies beyond them."""
    if dtype == "bool":
        return rows > 0
    limits = np.finfo(dtype) if dtype in FLOATS else np.iinfo(dtype)
    inside = rows.clip(float(limits.min), float(limits.max))
    with np.errstate(all="ignore"):
        # the largest int64 is no float64
        return inside.astype(dtype) if dtype != "int64" else (inside / 2).astype(dtype)


def strided(rows):
    wide = np.repeat(np.repeat(rows, 2, axis=0), 3, axis=1)
    return wide[::2, ::3]


def memmap(rows):
    with tempfile.TemporaryFile() as file:
        stored = np.memmap(file, mode="w+", dtype=rows.dtype, shape=rows.shape)
        stored[:] = rows
        stored.flush()
        return np.memmap(file, mode="r", dtype=rows.dtype, shape=rows.shape)


def single(rows):
    """Return half floats, which scipy and polars lack, as floats."""
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows


def names(rows):
    return [f"column {j}" for j in range(rows.shape[1])]


# those of EXACT hold the very rows in the order of C: all is equal to the bit
EXACT = {
    "array": lambda rows: rows,
    "list": lambda rows: rows.tolist(),
    "memmap": memmap,
}
CONTAINERS = {
    **EXACT,
    "csr matrix": lambda rows: sparse.csr_matrix(single(rows)),
    "csr array": lambda rows: sparse.csr_array(single(rows)),
    "csc": lambda rows: sparse.csc_array(single(rows)),
    "coo": lambda rows: sparse.coo_array(single(rows)),
    "Fortran order": np.asfortranarray,
    "strided": strided,
    "backwards": lambda rows: rows[::-1].copy()[::-1],
    "pandas": lambda rows: pd.DataFrame(rows, columns=names(rows)),
    "polars": lambda rows: pl.DataFrame(single(rows), schema=names(rows)),
}

LABELS = {
    "int": np.array([-7, 0, 1, 2, 2**40]),
    "uint8": np.array([0, 1, 7, 8, 255], dtype=np.uint8),
    "float": np.array([-2.0, 0.0, 1.0, 3.0, 1e15]),
    "bool": np.array([False, True]),
    "str": np.array(["", "a", "b", "ill", "well"]),
    "digits": np.array(["0", "1", "10", "2", "3"]),
    "object": np.array(["", "a", "b", "ill", "well"], dtype=object),
}
STRANGE_LABELS = {
    "fractions": np.array([0.5, 1.5, 2.25, 3.0, np.pi]),
    "NaN": np.array([0.0, 1.0, np.nan, 2.0, 3.0]),
    "inf": np.array([0.0, np.inf, 1.0, 2.0, 3.0]),
    "None": np.array(["a", None, "b", "c", "d"], dtype=object),
    "mixed": np.array(["a", 1, 2.5, "b", True], dtype=object),
    "object ints": np.array([0, 1, 2, 3, 4], dtype=object),
    "dates": np.array(["2020-01-01", "2020-01-02", "2021-01-01"], dtype="M8[D]"),
}
LABEL_CONTAINERS = {
    "array": lambda y: y,
    "list": lambda y: y.tolist(),
    "column": lambda y: y[:, None],
    "pandas": lambda y: pd.Series(y, index=range(5, 5 + len(y))),
    "category": lambda y: pd.Series(y).astype("category"),
}

seeds = st.integers(0, 2**32 - 1)
widths = st.integers(1, 6)
sizes = st.integers(1, 40)


@st.composite
def tables(draw, n_rows, n_columns, kinds=TAME, dtype="float64"):
    """Draw an array of a dtype, each column of a kind of its own."""
    rng = np.random.default_rng(draw(seeds))
    chosen = [draw(st.sampled_from(list(kinds))) for _ in range(n_columns)]
    columns = [kinds[kind](rng, n_rows) for kind in chosen]
    return cast(np.column_stack(columns), dtype)


@st.composite
def spoilt(draw, tables):
    """Draw a table, and seldom put NaN or infinity into it."""
    rows = draw(tables)
    value = draw(st.sampled_from([None] * 20 + [np.nan, np.inf, -np.inf]))
    if value is not None and rows.dtype.kind == "f":
        rows[draw(st.integers(0, rows.shape[0] - 1)), -1] = value
    return rows


@st.composite
def codes(draw, n_rows, n_classes):
    """Draw labels from 0 to n_classes - 1, each of which occurs, if rows suffice."""
    rng = np.random.default_rng(draw(seeds))
    return rng.permutation(np.arange(n_rows) % n_classes)


# ---- parameters that suit any sane data, and those that nobody should set

SANE = {
    "lambda_max": st.floats(0, 2),
    "lambda_schedule": st.sampled_from(["annealed", "linear", "constant"]),
    "lr": st.floats(1e-5, 1e-2),
    "lr_schedule": st.sampled_from(["annealed", "constant", "cosine"]),
    "hidden_layer_sizes": st.sampled_from([1, 5, (8,), (4, 4), [3], np.array([6, 2])]),
    "domain_hidden_layer_sizes": st.sampled_from([(), 4, (8,), (3, 3)]),
    "activation": st.sampled_from(["relu", "elu", "gelu", "tanh", "sigmoid"]),
    "dropout": st.sampled_from([0, 0.1, 0.5, 0.9]),
    "optimizer": st.sampled_from(["adamw", "adam", "sgd", torch.optim.RMSprop]),
    "momentum": st.sampled_from([0, 0.5, 0.9]),
    "weight_decay": st.sampled_from([0, 1e-4, 0.1]),
    "batch_size": st.integers(2, 100),
    "max_epochs": st.integers(1, 3),
    "class_weight": st.sampled_from([None, "balanced"]),
    "on_divergence": st.sampled_from(["raise", "restore"]),
    "random_state": seeds,
}
absurd = st.sampled_from([5e-324, 1e-30, 1e3, 1e10, 1e30, 1e39, 1e200, 1.7e308])
ABSURD = {
    "lambda_max": absurd,
    "lambda_gamma": absurd,
    "lr": absurd,
    "lr_alpha": absurd,
    "lr_beta": absurd,
    "weight_decay": absurd,
    # more than the addresses of a process: nothing is taken before it is refused
    "hidden_layer_sizes": st.sampled_from([(), (3, 0), (10**15,), (10**30,)]),
    "dropout": st.just(0.999999),
    "momentum": st.just(0.999999),
    "batch_size": st.sampled_from([10**9, 10**30]),
    "early_stopping": st.just(True),
    "validation_fraction": st.sampled_from([1e-9, 0.1, 0.5, 0.999]),
    "n_iter_no_change": st.integers(1, 2),
    "scoring": st.sampled_from(["infomax", "nuclear_norm", "neg_entropy", "neg_iwv"]),
}


@st.composite
def parameters(draw, *pools):
    """Draw values of some parameters; the rest are those of a small network."""
    chosen = {}
    for pool in pools:
        few = st.lists(st.sampled_from(sorted(pool)), unique=True, max_size=4)
        chosen |= {name: draw(pool[name]) for name in draw(few)}
    return {**SMALL, "max_epochs": 2, **chosen}


@dataclass
class Case:
    """All that a fit is given."""

    params: dict
    X: object
    y: object
    X_tgt: object = None
    further: dict = field(default_factory=dict)

    def fit(self):
        return DANNClassifier(**self.params).fit(
            self.X, self.y, self.X_tgt, **self.further
        )


@st.composite
def any_cases(draw):
    """Draw a fit that nobody has thought of; most are possible, and some are not."""
    n_columns = draw(widths)
    containers = st.sampled_from(list(CONTAINERS.values()))
    kinds = draw(st.sampled_from([TAME, TAME, {**TAME, **WILD}]))

    def rows(n):
        dtype = draw(st.sampled_from(DTYPES))
        table = draw(spoilt(tables(n, n_columns, kinds, dtype)))
        with np.errstate(all="ignore"):
            return draw(containers)(table)

    n, n_target = draw(sizes), draw(st.none() | sizes)
    values = draw(label_values())
    case = Case(
        params=draw(parameters(SANE) | parameters(SANE) | parameters(SANE, ABSURD)),
        X=rows(n),
        y=draw(labels(n, values)),
        X_tgt=None if n_target is None else rows(n_target),
    )
    if draw(st.booleans()):
        case.params["class_weight"] = draw(class_weights(values))
    if draw(st.booleans()):
        case.further["sample_weight"] = draw(
            sample_weights(n, *[sane_weights] * 5, any_weights)
        )
    if n_target and draw(st.booleans()):
        case.further["y_tgt"] = draw(target_labels(n_target, values))
    return case


@st.composite
def label_values(draw):
    known = draw(st.sampled_from([*[LABELS] * 7, STRANGE_LABELS]))
    values = known[draw(st.sampled_from(list(known)))]
    return values[: draw(st.sampled_from([2, 3, 5, 4, 2, 3, 5, 1]))]


@st.composite
def labels(draw, n_rows, values):
    y = values[draw(codes(n_rows, len(values)))]
    kinds = list(LABEL_CONTAINERS)[: 3 if y.dtype.kind == "M" else None]
    container = draw(st.sampled_from(["array", *kinds]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas, of what is no library's business
        return LABEL_CONTAINERS[container](y)


@st.composite
def target_labels(draw, n_rows, values):
    """Draw labels of the target, some of them unknown, seldom of another kind."""
    if draw(st.integers(0, 4)) == 0:
        values = draw(label_values())
    y = values[draw(codes(n_rows, len(values)))].astype(object)
    unknown = draw(st.sampled_from([None, -1, np.nan]))
    n_unknown = draw(st.integers(0, n_rows))
    y[:n_unknown] = unknown
    as_numbers = unknown == -1 and values.dtype.kind in "iuf"
    return y.astype(float) if as_numbers else y


sane_weights = st.sampled_from([0, 0, 1, 1, 2, 0.5])
any_weights = st.sampled_from([0, 5e-324, 1e-300, 1, 1e300, 1.7e308, -1, np.nan])


@st.composite
def sample_weights(draw, n_rows, *kinds):
    """Draw a weight for each row, all of one kind."""
    weight = draw(st.sampled_from(kinds))
    return np.array([draw(weight) for _ in range(n_rows)])


@st.composite
def class_weights(draw, values):
    if draw(st.booleans()):
        return "balanced"
    cost = draw(
        st.sampled_from(
            [
                st.floats(0, 10),
                st.sampled_from([0, 0, 1]),
                st.sampled_from([0, 5e-324, 1, 1.7e308, np.inf, np.nan, -1]),
            ]
        )
    )
    named = draw(st.lists(st.sampled_from(values.tolist()), unique=True))
    return {label: draw(cost) for label in named}


@st.composite
def sane_cases(draw):
    """Draw a fit that has to work."""
    n_columns, n_classes = draw(widths), draw(st.integers(2, 5))
    kind, dtype = draw(st.sampled_from(list(LABELS))), draw(st.sampled_from(DTYPES))
    values = LABELS[kind][:n_classes]
    n = draw(st.integers(4 * n_classes, 40))
    target = tables(draw(sizes), n_columns, dtype=dtype)
    wrap = CONTAINERS[draw(st.sampled_from(list(CONTAINERS)))]
    case = Case(
        params=draw(parameters(SANE)),
        X=wrap(draw(tables(n, n_columns, dtype=dtype))),
        y=values[draw(codes(n, len(values)))],
        X_tgt=draw(st.none() | target.map(wrap)),
    )
    if draw(st.booleans()):
        case.params |= {"early_stopping": True, "validation_fraction": 0.5}
    if draw(st.booleans()):
        case.further["sample_weight"] = draw(sample_weights(n, st.sampled_from([1, 2])))
    if draw(st.booleans()):
        some = st.lists(st.sampled_from(values.tolist()), min_size=1, unique=True)
        case.params["class_weight"] = {label: 2.0 for label in draw(some)}
    return case


@st.composite
def full_batches(draw, **fixed):
    """Draw small domains that come whole in each step, in double precision."""
    n_columns, n_classes = draw(widths), draw(st.integers(2, 4))
    n = draw(st.integers(n_classes, 20))
    X = draw(tables(n, n_columns, {"normal": TAME["normal"]}))
    n_target = draw(st.integers(1, 20))
    X_tgt = draw(tables(n_target, n_columns, {"normal": TAME["normal"]}))
    params = {**draw(parameters(SANE)), "batch_size": 500, "dropout": 0, **fixed}
    return Case(params, X, draw(codes(n, n_classes)), X_tgt)


def probabilities(case, **changes):
    """Fit a case with some changes; return its probabilities of its own target."""
    changed = Case(**{**vars(case), **changes})
    return changed.fit().predict_proba(case.X_tgt)


# rounding, as it grows over a few steps of Adam, which divides small by small
def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, atol=1e-6)


# ---- a fit works, or it is refused in a sentence, and then nothing is left of it

TOPICS = re.compile(
    r"\b(X|X_tgt|y|y_tgt|sample_weight|labels?|classes|samples?|dtype|X\.\w+|"
    rf"{'|'.join(DANNClassifier().get_params())})\b",
    re.IGNORECASE,
)


def assert_sentence(message):
    assert len(message.split()) >= 4, message
    assert TOPICS.search(message), message


def assert_probabilities(clf, X, n_rows):
    P = clf.predict_proba(X)
    assert P.shape == (n_rows, len(clf.classes_))
    assert np.isfinite(P).all()
    assert (P >= 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-5)
    predicted = clf.predict(X)
    assert predicted.shape == (n_rows,)
    assert np.array_equal(predicted, clf.classes_[P.argmax(axis=1)])


def n_rows_of(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


@for_all(case=any_cases())
def test_a_fit_works_or_says_what_is_wrong_and_leaves_nothing(case):
    clf = DANNClassifier(**case.params)
    before = dict(vars(clf))
    try:
        clf.fit(case.X, case.y, case.X_tgt, **case.further)
    except (ValueError, TypeError, MemoryError) as error:
        event(f"refused: {str(error)[:20]}")
        assert_sentence(str(error))
        assert vars(clf) == before
        return
    event("fitted")
    assert (clf.classes_[1:] > clf.classes_[:-1]).all()
    for X in (case.X, case.X_tgt):
        if X is not None:
            assert_probabilities(clf, X, n_rows_of(X))


@for_all(case=sane_cases())
def test_a_sane_fit_works_and_comes_back_from_a_file_to_the_bit(case):
    clf = case.fit()
    assert clf.classes_.tolist() == np.unique(case.y).tolist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skdann"
        skdann.save(clf, path)
        with warnings.catch_warnings():
            # an optimizer that is a class is lost
            warnings.filterwarnings("ignore", ".*can't hold the code of optimizer")
            loaded = skdann.load(path)
    for X in (case.X, case.X_tgt):
        if X is not None:
            assert_probabilities(clf, X, n_rows_of(X))
            assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))
            assert np.array_equal(loaded.predict(X), clf.predict(X))
    assert loaded.classes_.dtype.kind == clf.classes_.dtype.kind


# ---- what must not matter


@for_all(
    case=full_batches(),
    random=st.randoms(use_true_random=False),
    frames=st.sampled_from([pd.DataFrame, pl.DataFrame]),
)
def test_columns_in_another_order_are_refused(case, random, frames):
    columns = [f"column {j}" for j in range(case.X.shape[1] + 1)]
    X, X_tgt = (np.c_[rows, rows[:, :1]] for rows in (case.X, case.X_tgt))
    X, X_tgt = (frames(dict(zip(columns, rows.T, strict=True))) for rows in (X, X_tgt))
    other = random.sample(columns, len(columns))
    if other == columns:
        other = columns[::-1]
    with pytest.raises(ValueError, match="X_tgt has the columns of X in another order"):
        DANNClassifier(**case.params).fit(X, case.y, X_tgt[other])
    clf = DANNClassifier(**case.params).fit(X, case.y, X_tgt)
    for method in (clf.predict, clf.predict_proba, clf.transform, clf.predict_domain):
        with pytest.raises(ValueError, match="feature names"):
            method(X_tgt[other])


@for_all(case=sane_cases(), kind=st.sampled_from(["int", "float", "str", "digits"]))
def test_labels_are_but_names(case, kind):
    """What keeps their order changes the names in the answer and nothing else."""
    clf = case.fit()
    new = LABELS[kind][-len(clf.classes_) :]  # any as many
    new_name = dict(zip(clf.classes_.tolist(), new.tolist(), strict=True))
    params = case.params.copy()
    if isinstance(params.get("class_weight"), dict):
        params["class_weight"] = {
            new_name[label]: cost for label, cost in params["class_weight"].items()
        }
    y = np.array([new_name[label] for label in case.y.tolist()])
    renamed = Case(params, case.X, y, case.X_tgt, case.further).fit()
    assert renamed.classes_.tolist() == new.tolist()
    assert np.array_equal(renamed.predict_proba(case.X), clf.predict_proba(case.X))
    expected = [new_name[label] for label in clf.predict(case.X).tolist()]
    assert renamed.predict(case.X).tolist() == expected


@for_all(case=full_batches(), batch_size=st.integers(2, 60), dropout=st.floats(0, 0.5))
def test_labels_in_reverse_reverse_the_answer(case, batch_size, dropout):
    """If the initial weights of the label classifier are reversed, too.

    They go by position: with the same weights the fits are two different ones.
    """
    case.params |= {"hidden_layer_sizes": 5, "batch_size": batch_size}
    case.params |= {"dropout": dropout}
    head = nn.Linear(5, case.y.max() + 1, dtype=torch.float64)
    reversed_head = copy.deepcopy(head)
    with torch.no_grad():
        reversed_head.weight.copy_(head.weight.flip(0))
        reversed_head.bias.copy_(head.bias.flip(0))
    P, reversed_P = (
        probabilities(case, params={**case.params, "label_classifier": part}, y=y)
        for part, y in ((head, case.y), (reversed_head, case.y.max() - case.y))
    )
    assert_close(reversed_P[:, ::-1], P)


@for_all(case=full_batches(max_epochs=1), lr=st.floats(1e-5, 1e-3))
def test_float32_and_float64_agree(case, lr):
    case.params |= {"lr": lr, "batch_size": 16}
    single, double = (
        probabilities(case, X=case.X.astype("f4").astype(dtype))
        for dtype in ("f4", "f8")
    )
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    np.testing.assert_allclose(single, double, atol=1e-3)


@for_all(case=full_batches())
def test_all_rows_twice_are_the_same_domains(case):
    twice = {name: np.repeat(vars(case)[name], 2, axis=0) for name in ("X", "y")}
    twice["X_tgt"] = np.repeat(case.X_tgt, 2, axis=0)
    assert_close(
        Case(case.params, **twice).fit().predict_proba(case.X_tgt), probabilities(case)
    )


@for_all(case=full_batches(), data=st.data())
def test_a_weight_says_how_often_a_row_counts(case, data):
    """A row of weight 2 is as if there twice, one of 0 as if not there."""
    often = st.lists(st.integers(0, 3), min_size=len(case.y), max_size=len(case.y))
    weight = np.array(data.draw(often))
    weight[np.unique(case.y, return_index=True)[1]] += 1  # no class gets lost
    weighted = probabilities(case, further={"sample_weight": weight})
    X, y = np.repeat(case.X, weight, axis=0), np.repeat(case.y, weight)
    assert_close(weighted, probabilities(case, X=X, y=y))


@for_all(case=full_batches(), factor=st.floats(1e-6, 1e6))
def test_only_ratios_of_weights_matter(case, factor):
    weight = 1.0 + np.arange(len(case.y)) % 3
    expected = probabilities(case, further={"sample_weight": weight})
    scaled = probabilities(case, further={"sample_weight": factor * weight})
    assert_close(scaled, expected)


@for_all(case=full_batches(), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_in_full_batches(case, random):
    order = random.sample(range(len(case.y)), len(case.y))
    order_tgt = random.sample(range(len(case.X_tgt)), len(case.X_tgt))
    expected = probabilities(case)
    assert_close(probabilities(case, X_tgt=case.X_tgt[order_tgt]), expected)
    assert_close(probabilities(case, X=case.X[order], y=case.y[order]), expected)


@for_all(
    case=full_batches(),
    container=st.sampled_from(list(CONTAINERS)),
    batch_size=st.integers(2, 60),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_the_container_does_not_matter(case, container, batch_size, dtype):
    case.params |= {"batch_size": batch_size, "dropout": 0.2}
    X, X_tgt = case.X.astype(dtype), case.X_tgt.astype(dtype)
    if container == "list":  # which has no dtype but Python's
        X, X_tgt = X.astype(float), X_tgt.astype(float)
    wrap = CONTAINERS[container]
    expected = probabilities(case, X=X, X_tgt=X_tgt)
    clf = Case(**{**vars(case), "X": wrap(X), "X_tgt": wrap(X_tgt)}).fit()
    P = clf.predict_proba(wrap(case.X_tgt))
    if container in EXACT:
        assert np.array_equal(P, expected)
    else:  # rows that lie otherwise, or pass over zeros, are summed in another order
        atol = 1e-6 if dtype == "float64" else 1e-3
        np.testing.assert_allclose(P, expected, atol=atol)


@for_all(case=sane_cases(), way=st.sampled_from(["pickle", "deepcopy"]))
def test_a_copy_made_before_the_fit_fits_alike(case, way):
    clf = DANNClassifier(**case.params)
    twin = copy.deepcopy(clf) if way == "deepcopy" else pickle.loads(pickle.dumps(clf))
    P, of_twin = (
        one.fit(case.X, case.y, case.X_tgt, **case.further).predict_proba(case.X)
        for one in (clf, twin)
    )
    assert np.array_equal(P, of_twin)


@for_all(case=sane_cases(), cuts=st.lists(st.integers(1, 39), unique=True, max_size=5))
def test_rows_are_predicted_one_by_one(case, cuts):
    X = sparse.csr_array(case.X) if sparse.issparse(case.X) else np.asarray(case.X)
    edges = [0, *sorted(cut for cut in cuts if cut < X.shape[0]), X.shape[0]]
    clf = Case(**{**vars(case), "X": X}).fit()
    parts = [X[start:end] for start, end in pairwise(edges)]
    for method in (clf.predict_proba, clf.transform):
        in_parts = np.concatenate([method(part) for part in parts])
        np.testing.assert_allclose(in_parts, method(X), rtol=1e-5, atol=1e-6)
