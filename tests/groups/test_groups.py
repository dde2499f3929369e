"""Sites, sensors and months of rows: what they do, and what is said of wrong ones."""

import copy
import datetime
import enum
import pickle

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from helpers import SMALL, make_domains
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from torch import nn

import skdann
from skdann import DANNClassifier, DANNRegressor
from skdann._io._container import read_file, write_file

X, Y, X_TGT, Y_TGT = make_domains(60, 40)
SITES = np.array(["a", "b", "c"])[np.arange(60) % 3]
MONTHS = np.array([1, 2])[np.arange(40) % 2]
BOTH = {"groups": SITES, "groups_tgt": MONTHS}
PAIRS = [("source", site) for site in "abc"] + [("target", 1), ("target", 2)]


def new(**params):
    return DANNClassifier(**{**SMALL, "domain_classes": "groups", **params})


def fit(clf=None, **given):
    return (clf or new()).fit(X, Y, X_TGT, **{**BOTH, **given})


def pairs(clf):
    return list(map(tuple, clf.groups_.tolist()))


def assert_same(one, other):
    for method in ("predict_proba", "predict_groups"):
        P, Q = (getattr(clf, method)(X_TGT) for clf in (one, other))
        np.testing.assert_array_equal(P, Q)
    assert pairs(one) == pairs(other)


@pytest.fixture(scope="module")
def fitted():
    return fit()


# ---- what they do


def make_sources(seed, n=80, offsets=(0.0, 0.5, 6.0)):
    """Three sources, one of them far away in a column that tells nothing of the label.

    As in ``make_domains``, in the target the sensor that is better is stuck.
    """
    rng = np.random.default_rng(seed)

    def rows(n, offset, is_stuck=False):
        y = rng.choice([-1.0, 1.0], n)
        good = np.full(n, 2.5) if is_stuck else y
        noise = rng.standard_normal((n, 3)) * [0.6, 0.2, 0.2]
        return np.c_[y, good, np.full(n, offset)] + noise, (y > 0).astype(int)

    parts = [rows(n, offset) for offset in offsets]
    source = map(np.concatenate, zip(*parts, strict=True))
    return *source, *rows(150, 1.0, True), np.repeat(["near", "middle", "far"], n)


@pytest.mark.parametrize("seed", [0, 1])
def test_three_sources_of_which_one_is_far_are_adapted_to_one_target(seed):
    X, y, X_tgt, y_tgt, groups = make_sources(seed)
    scores = {}
    for name, params in {
        "source only": {"lambda_max": 0},
        "binary": {},
        "groups": {"domain_classes": "groups"},
    }.items():
        clf = DANNClassifier(
            **{"standardize": "source", "target_prior": None, "n_estimators": 1},
            **{"max_epochs": 40, "random_state": 0, **params},
        ).fit(X, y, X_tgt, groups=groups)
        scores[name] = clf.score(X_tgt, y_tgt)
        assert clf.score(X, y, domain="source") > 0.95
    assert scores["groups"] > 0.75
    assert scores["groups"] > scores["source only"] + 0.15
    assert scores["groups"] > scores["binary"] + 0.03


def test_features_do_not_reveal_the_sites_of_the_source():
    """The target is of the same two sites: a binary adversary has nothing to tell."""
    rng = np.random.default_rng(0)
    sites = np.repeat([0.0, 3.0], 150)
    y, y_tgt = rng.choice([-1.0, 1.0], (2, 300))
    noise = rng.standard_normal((2, 300, 2)) * [0.6, 0.3]
    X, X_tgt = np.c_[y, sites] + noise[0], np.c_[y_tgt, rng.permutation(sites)]
    X_tgt = X_tgt + noise[1]
    told = {}
    for domain_classes in ("binary", "groups"):
        clf = DANNClassifier(
            **{"standardize": "source", "target_prior": None, "n_estimators": 1},
            **{"max_epochs": 300, "random_state": 0, "hidden_layer_sizes": (16,)},
            domain_classes=domain_classes,
        ).fit(X, y > 0, X_tgt, groups=sites)
        features = clf.transform(X, domain="source")
        told[domain_classes] = cross_val_score(
            LogisticRegression(), features, sites, cv=3
        ).mean()
        assert clf.score(X_tgt, y_tgt > 0) > 0.9
    assert told["binary"] > 0.95
    assert told["groups"] < 0.8


def test_the_domain_classifier_learns_which_row_is_of_which_group():
    """It tells groups that lie apart of rows that nothing can make alike."""
    rng = np.random.default_rng(0)
    groups, groups_tgt = np.repeat([5, 6, 7], 40), np.repeat(["x", "y"], 50)
    place = np.r_[np.repeat([0.0, 4.0, 8.0], 40), np.repeat([12.0, 16.0], 50)]
    rows = np.c_[rng.normal(size=220), place + 0.3 * rng.normal(size=220)]
    clf = new(
        feature_extractor=nn.Identity(), max_epochs=200, standardize="pooled", lr=1e-2
    )
    clf.fit(
        rows[:120], rows[:120, 0] > 0, rows[120:], groups=groups, groups_tgt=groups_tgt
    )
    P = np.r_[clf.predict_groups(rows[:120], "source"), clf.predict_groups(rows[120:])]
    np.testing.assert_allclose(P.sum(axis=1), 1)
    names = np.r_[groups.astype(object), groups_tgt.astype(object)]
    assert np.mean(clf.groups_[P.argmax(axis=1), 1] == names) > 0.9
    assert clf.history_[-1]["domain_accuracy"] > 0.9
    of_target = clf.predict_domain(rows[:120], "source"), clf.predict_domain(rows[120:])
    assert of_target[0].mean() < 0.2
    assert of_target[1].mean() > 0.8


@pytest.mark.parametrize("n_estimators", [1, 3])
def test_the_probability_of_the_target_is_that_of_its_groups(n_estimators):
    clf = fit(new(n_estimators=n_estimators))
    P = clf.predict_groups(X_TGT)
    assert P.shape == (40, 5)
    np.testing.assert_allclose(clf.predict_domain(X_TGT), P[:, 3:].sum(axis=1))
    label_logits, domain_logits = clf.module_(torch.from_numpy(X_TGT))
    assert label_logits.shape == (40, 2)
    np.testing.assert_allclose(domain_logits.detach().softmax(-1).numpy(), P)


# ---- which groups there are


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, PAIRS),
        ({"groups_tgt": None}, [*PAIRS[:3], ("target", None)]),
        ({"groups": None}, [("source", None), *PAIRS[3:]]),
        (  # a name of both domains is two groups
            {"groups": np.arange(60) % 2, "groups_tgt": np.arange(40) % 2},
            [("source", 0), ("source", 1), ("target", 0), ("target", 1)],
        ),
    ],
)
def test_groups_are_told_in_the_order_of_the_classifier(given, expected):
    clf = fit(**given)
    assert pairs(clf) == expected
    assert clf.predict_groups(X_TGT).shape == (40, len(expected))


class Site(enum.Enum):
    C = "c"
    A = "a"
    B = "b"


DAY = {"a": 1, "b": 2, "c": 3}
CONTAINERS = {
    "list": SITES.tolist(),
    "tuple": tuple(SITES),
    "objects": SITES.astype(object),
    "pandas": pd.Series(SITES, index=np.arange(60)[::-1]),
    "a category": pd.Series(SITES, dtype="category"),
    "a column of pandas": pd.DataFrame({"site": SITES}),
    "polars": pl.Series(SITES),
    "Arrow": pa.array(SITES),
    "a batch of Arrow": pa.RecordBatch.from_pydict({"site": SITES}),
    "a column": SITES[:, np.newaxis],
    "integers": np.searchsorted(["a", "b", "c"], SITES),
    "floats": np.searchsorted(["a", "b", "c"], SITES) / 2,
    "a tensor": torch.from_numpy(np.searchsorted(["a", "b", "c"], SITES)),
    "dates": np.array(
        [np.datetime64("2020-01-01") + np.timedelta64(DAY[s], "D") for s in SITES]
    ),
    "days": [datetime.date(2020, 1, DAY[s]) for s in SITES],
    "months": pd.Series(pd.PeriodIndex([f"2020-0{DAY[s]}" for s in SITES], freq="M")),
    "pairs": pd.Series([("site", s) for s in SITES]),
    "an Enum": [Site(s) for s in SITES],
    "numbers and text": [{"a": 1, "b": "b", "c": 3.5}[s] for s in SITES],
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_groups_come_in_any_container(name, fitted):
    clf = fit(groups=CONTAINERS[name])
    in_order = len(clf.groups_) == 5
    assert in_order
    np.testing.assert_array_equal(clf.predict_proba(X), fitted.predict_proba(X))
    again = clf.partial_fit(X, Y, X_TGT, groups=CONTAINERS[name], groups_tgt=MONTHS)
    expected = clone(fitted).fit(X, Y, X_TGT, **BOTH).partial_fit(X, Y, X_TGT, **BOTH)
    np.testing.assert_array_equal(again.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_dates_are_told_as_dates(unit):
    days = CONTAINERS["dates"].astype(f"datetime64[{unit}]")
    clf = fit(groups=pd.Series(days) if unit == "ns" else days)
    assert [str(day)[:10] for day in clf.groups_[:3, 1]] == [
        f"2020-01-0{i}" for i in (2, 3, 4)
    ]
    with pytest.raises(ValueError, match=r"did not have: .*2020-01-12"):
        clf.partial_fit(
            X, Y, X_TGT, groups=days + np.timedelta64(10, "D"), groups_tgt=MONTHS
        )


BAD = [
    ({"groups": SITES[:-1]}, "groups has 59 entries, but X has 60 rows"),
    ({"groups_tgt": MONTHS[:3]}, "groups_tgt has 3 entries, but X_tgt has 40 rows"),
    ({"groups": [None, *SITES[1:]]}, "1 of 60 rows have no group, the first of .* 0"),
    ({"groups_tgt": np.full(40, np.nan)}, "groups_tgt holds None or NaN: 40 of 40"),
    ({"groups": np.c_[SITES, SITES]}, "shape \\(60, 2\\). Join several into one text"),
    ({"groups": list(zip(SITES, SITES, strict=True))}, "Join several into one text"),
    ({"groups": "abc"}, "groups must be a dense column of labels"),
    ({"groups": pd.Series([[s] for s in SITES])}, "groups holds a list"),
    ({"groups": None, "groups_tgt": None}, "Pass fit\\(X, y, X_tgt, groups=..."),
]


@pytest.mark.parametrize(("given", "says"), BAD, ids=[says[:30] for _, says in BAD])
def test_what_are_no_groups_is_explained(given, says):
    with pytest.raises(ValueError, match=says):
        fit(**given)


def test_groups_of_a_target_that_is_not_there_are_refused():
    with pytest.raises(ValueError, match="groups_tgt is of the rows of X_tgt, but"):
        new().fit(X, Y, groups=SITES, groups_tgt=MONTHS)


@pytest.mark.filterwarnings("ignore:There is no target")
def test_without_a_target_the_source_is_learned_as_ever():
    clf = new().fit(X, Y, groups=SITES)
    expected = DANNClassifier(**SMALL).fit(X, Y)
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    with pytest.raises(ValueError, match="fitted without X_tgt"):
        clf.predict_groups(X)
    clf.partial_fit(X, Y, X_TGT, groups=SITES)
    assert clf.predict_groups(X_TGT).shape == (40, 4)


def test_rows_of_weight_0_leave_with_their_groups():
    weight, weight_tgt = (SITES != "b").astype(float), (MONTHS == 1).astype(float)
    clf = fit(sample_weight=weight, sample_weight_tgt=weight_tgt)
    assert pairs(clf) == [PAIRS[0], PAIRS[2], PAIRS[3]]
    kept = SITES != "b", MONTHS == 1
    few = new().fit(X[kept[0]], Y[kept[0]], X_TGT[kept[1]], groups=SITES[kept[0]],
                    groups_tgt=MONTHS[kept[1]])  # fmt: skip
    np.testing.assert_allclose(
        clf.predict_groups(X_TGT), few.predict_groups(X_TGT), atol=1e-12
    )


# ---- binary, the default


@pytest.mark.parametrize("params", [{}, {"n_estimators": 2, "standardize": "domain"}])
def test_groups_change_nothing_where_they_are_not_told_apart(params):
    """Nor are they looked at, so that pipelines and searches may always pass them."""
    one, other = (new(domain_classes="binary", **params) for _ in range(2))
    one.fit(X, Y, X_TGT, groups=[None], groups_tgt=np.zeros((2, 3)))
    other.fit(X, Y, X_TGT)
    for method in ("predict_proba", "predict_domain", "transform"):
        P, Q = (getattr(clf, method)(X_TGT) for clf in (one, other))
        np.testing.assert_array_equal(P, Q)
    losses = [[row["train_loss"] for row in clf.history_] for clf in (one, other)]
    assert losses[0] == losses[1]
    assert not hasattr(one, "groups_")
    with pytest.raises(ValueError, match="or fit with domain_classes='groups'"):
        one.predict_groups(X)


def test_a_second_fit_may_tell_others_apart(fitted):
    clf = clone(fitted).set_params(domain_classes="binary").fit(X, Y, X_TGT)
    assert_same(fit(clf.set_params(domain_classes="groups")), fitted)
    clf.set_params(domain_classes="binary").fit(X, Y, X_TGT)
    assert not hasattr(clf, "groups_")


# ---- a part of the network that is one's own


def test_a_domain_classifier_of_ones_own_is_called_with_the_number_of_groups():
    seen = []

    def make(n_features, n_logits):
        seen.append((n_features, n_logits))
        return nn.Sequential(nn.Linear(n_features, 4), nn.Linear(4, n_logits))

    clf = fit(new(domain_classifier=make))
    assert seen == [(16, 5)]
    assert clf.predict_groups(X_TGT).shape == (40, 5)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (nn.Linear(16, 1), "but there are 5 groups: it must return \\(2, 5\\)"),
        (nn.Sequential(nn.Linear(16, 5), nn.Softmax(1)), "ends in a softmax. Remove"),
    ],
)
def test_a_domain_classifier_that_does_not_fit_is_refused(head, says):
    with pytest.raises(ValueError, match=f"domain_classifier .*{says}"):
        fit(new(domain_classifier=head))


# ---- training that goes on


def test_epochs_of_partial_fit_are_a_fit_to_the_bit(fitted):
    clf = new()
    for _ in range(3):
        clf.partial_fit(X, Y, X_TGT, classes=[0, 1], **BOTH)
    assert_same(clf, fitted)


@pytest.mark.parametrize("continued", ["partial_fit", "warm start"])
def test_the_groups_of_the_first_call_are_those_of_all(continued, fitted):
    clf = copy.deepcopy(fitted).set_params(warm_start=True)
    train = clf.partial_fit if continued == "partial_fit" else clf.fit
    some = SITES != "b"
    train(X[some], Y[some], X_TGT, groups=SITES[some], groups_tgt=MONTHS)
    assert pairs(clf) == PAIRS
    for given, says in [
        ({"groups": np.where(SITES == "a", "z", SITES)}, "did not have: 'z'"),
        ({"groups_tgt": MONTHS + 1}, "did not have: 3"),
        ({"groups": None}, "groups was given in the first call, and now not"),
    ]:
        with pytest.raises(ValueError, match=says):
            train(X, Y, X_TGT, **{**BOTH, **given})
    clf.set_params(domain_classes="binary")
    with pytest.raises(ValueError, match="domain_classes changed since"):
        train(X, Y, X_TGT)


@pytest.mark.filterwarnings("ignore:There is no target")
def test_a_domain_that_was_one_group_stays_one():
    clf = fit(groups_tgt=None)
    with pytest.raises(ValueError, match="groups_tgt was not given in the first call"):
        clf.partial_fit(X, Y, X_TGT, **BOTH)
    clf.partial_fit(X, Y, X_TGT, groups=SITES)
    clf.partial_fit(X, Y, groups=SITES)  # nothing to tell of a target that is missing


# ---- files


def test_files_and_pickles_go_on_as_the_estimator_does(fitted, tmp_path):
    path = tmp_path / "model.skdann"
    skdann.save(fitted, path)
    expected = copy.deepcopy(fitted).partial_fit(X, Y, X_TGT, **BOTH)
    for clf in (skdann.load(path), pickle.loads(pickle.dumps(fitted))):
        assert_same(clf, fitted)
        assert_same(clf.partial_fit(X, Y, X_TGT, **BOTH), expected)


@pytest.mark.parametrize("name", ["a tensor", "floats", "objects", "a category"])
def test_a_file_holds_groups_that_are_numbers_or_text(name, tmp_path):
    clf = fit(groups=CONTAINERS[name], groups_tgt=None)
    skdann.save(clf, tmp_path / "file")
    assert_same(skdann.load(tmp_path / "file"), clf)


@pytest.mark.parametrize("name", ["days", "an Enum"])
def test_a_pickle_holds_groups_of_any_kind_and_a_file_says_that_it_can_not(
    name, tmp_path
):
    clf = fit(groups=CONTAINERS[name])
    assert_same(pickle.loads(pickle.dumps(clf)), clf)
    with pytest.raises(TypeError, match="No file can hold the groups"):
        skdann.save(clf, tmp_path / "file")


def test_a_file_of_a_binary_network_says_nothing_of_groups(tmp_path):
    skdann.save(new(domain_classes="binary").fit(X, Y, X_TGT), tmp_path / "file")
    assert "groups" not in read_file(tmp_path / "file")["estimator"]


HEAD = ("net", "module", "domain_groups.is_target")
ONES = np.ones(3)
FORGED = {
    "no groups": (("estimator", "groups"), None),
    "a list": (("estimator", "groups"), ["a", "b"]),
    "one side": (("estimator", "groups"), {"source": np.array(["a"])}),
    "a name for names": (("estimator", "groups", "source"), "abc"),
    "no names": (("estimator", "groups", "source"), np.array([])),
    "a table": (("estimator", "groups", "source"), np.zeros((3, 1))),
    "other names": (("estimator", "groups", "source"), np.array(["a", "b"])),
    "a hundred thousand": (("estimator", "groups", "source"), np.arange(10**5)),
    "twice": (("estimator", "groups", "source"), np.array(["a", "b", "b"])),
    "not sorted": (("estimator", "groups", "source"), np.array(["b", "a", "c"])),
    "NaN": (("estimator", "groups", "source"), np.array([1, 2, np.nan])),
    "mixed": (("estimator", "groups", "source"), np.array(["a", 1, None], object)),
    "the other side": (HEAD, np.array([1.0, 1, 1, 0, 0])),
    "in between": (HEAD, np.array([0.0, 0, 0.5, 1, 1])),
    "all of the target": (HEAD, np.ones(5)),
    "more outputs": (HEAD, np.array([0.0, 0, 0, 1, 1, 1])),
    "a million outputs": (HEAD, np.ones(10**6)),
    "another dtype": (HEAD, np.array([0, 0, 0, 1, 1])),
    "not finite": (HEAD, np.array([0.0, 0, 0, 1, np.inf])),
    "a number": (HEAD, 5.0),
    "another head": (("estimator", "parameters", "domain_classes"), "binary"),
    "a head that is none": (("estimator", "parameters", "domain_classes"), "x"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_file_is_refused(kind, fitted, tmp_path):
    path = tmp_path / "model.skdann"
    skdann.save(fitted, path)
    tree = read_file(path)
    (*keys, last), value = FORGED[kind]
    place = tree
    for key in keys:
        place = place[key]
    place[last] = value
    write_file(path, tree)
    with pytest.raises(ValueError, match="can't be used: "):
        skdann.load(path)


@pytest.mark.parametrize("keys", [("estimator", "groups"), HEAD])
def test_what_a_file_lacks_is_missed(keys, fitted, tmp_path):
    path = tmp_path / "model.skdann"
    skdann.save(fitted, path)
    tree = read_file(path)
    place = tree
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    write_file(path, tree)
    with pytest.raises(ValueError, match="can't be used: "):
        skdann.load(path)


def test_a_checkpoint_goes_on_with_the_same_groups_alone(fitted, tmp_path):
    path = tmp_path / "checkpoint"
    fit(new(checkpoint=path, checkpoint_interval=1))
    resumed = fit(new(checkpoint=path), resume=True)
    assert_same(resumed, fitted)
    for given in (
        {"groups": np.roll(SITES, 1)},
        {"groups": np.char.upper(SITES)},
        {"groups_tgt": None},
        {"groups_tgt": MONTHS[::-1].copy()},
    ):
        with pytest.raises(ValueError, match=r"other data: groups.* differ"):
            fit(new(checkpoint=path), resume=True, **given)


def test_a_checkpoint_of_a_binary_network_does_not_know_groups(tmp_path):
    clf = new(checkpoint=tmp_path / "file", domain_classes="binary")
    clf.fit(X, Y, X_TGT)
    clf.fit(X, Y, X_TGT, resume=True, **BOTH)
    with pytest.raises(ValueError, match="other values of domain_classes"):
        fit(clf.set_params(domain_classes="groups"), resume=True)


def test_onnx_predicts_the_same(fitted, tmp_path):
    path = tmp_path / "model.onnx"
    fitted.to_onnx(path)
    session = onnxruntime.InferenceSession(path)
    [P] = session.run(["probabilities"], {"X": X_TGT})
    np.testing.assert_allclose(P, fitted.predict_proba(X_TGT), atol=1e-6)


# ---- numbers


def test_numbers_are_predicted_and_saved_as_well(tmp_path):
    clf = DANNRegressor(
        **{"n_estimators": 2, "max_epochs": 3, "random_state": 0},
        domain_classes="groups",
    ).fit(X, X[:, 0], X_TGT, **BOTH)
    assert pairs(clf) == PAIRS
    skdann.save(clf, tmp_path / "file")
    again = skdann.load(tmp_path / "file")
    for method in ("predict", "predict_groups"):
        P, Q = (getattr(one, method)(X_TGT) for one in (clf, again))
        np.testing.assert_array_equal(P, Q)
    assert pairs(again) == PAIRS
    clf.partial_fit(X, X[:, 0], X_TGT, **BOTH)
