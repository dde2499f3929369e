"""The verdict follows from what models, limits and labels say."""

from argparse import Namespace

import numpy as np
import pandas as pd
import pytest
from clinics import clinic

from skdann import (
    AutoDANNClassifier,
    BaselineClassifier,
    DANNClassifier,
    tabular_pipeline,
)
from skdann._cli._columns import Column
from skdann._cli._label import Label
from skdann._cli._repeated import doubt_repeated
from skdann._cli._train import Trained
from skdann._cli._trust import judge
from skdann._cli._unlike import describe_unlike, learn_limits

NETWORK = {"n_estimators": 1, "max_epochs": 10, "hidden_layer_sizes": (16,)}
CANDIDATES = [
    ("linear, source", BaselineClassifier(standardize="source")),
    ("linear, domain", BaselineClassifier()),
    ("network", DANNClassifier(**NETWORK, standardize="source")),
]


def judged(source, target, *, quick=True, unlike=0.0):
    """Fit on numbers alone, and judge."""
    names = ["pressure", "seen_on"]
    X, X_tgt = (
        frame.assign(seen_on=np.arange(len(frame)) % 7)[names].astype(float)
        for frame in (source, target)
    )
    y = source["outcome"].to_numpy(dtype=object)
    pipe = tabular_pipeline(AutoDANNClassifier(CANDIDATES, random_state=0))
    trained = Trained(pipe.fit(X, y, X_tgt), X, y, X_tgt, None)
    label = Label("outcome", "classification", "", y, np.full(len(X_tgt), None))
    reasons = np.where(np.arange(len(X_tgt)) < unlike * len(X_tgt), "far", "")
    options = Namespace(seed=0, quick=quick)
    return judge(trained, label, pipe.predict(X_tgt), list(reasons), options)


def test_models_that_agree_are_for_it():
    found = judged(clinic(120, 0), clinic(80, 1))
    assert (found["verdict"], found["report"]) == ("for", None)


def test_a_report_on_the_network_is_part_of_it():
    found = judged(clinic(120, 0), clinic(80, 1), quick=False)
    assert found["network"] == "network"
    assert found["report"]["verdict"] in ("for", "open", "against")
    assert "Adaptation report" in str(found["of_network"])
    assert "  seen_on " in str(found["of_network"])  # columns by their names


def test_rows_unlike_the_source_are_a_doubt():
    found = judged(clinic(120, 0), clinic(80, 1), unlike=0.95)
    assert found["verdict"] == "open"
    assert found["reasons"] == ["95% of the rows are unlike the source."]


def test_other_proportions_are_a_doubt():
    target = clinic(200, 1)
    ill = target[target["outcome"] == "ill"]
    well = target[target["outcome"] == "well"][:8]
    found = judged(clinic(120, 0), pd.concat([ill, well], ignore_index=True))
    assert found["verdict"] == "open"
    assert "other proportions" in " ".join(found["reasons"])


def test_agreement_by_chance_is_a_doubt():
    rng = np.random.default_rng(2)
    source, target = clinic(200, 0), clinic(150, 1)
    for frame in (source, target):  # few are ill, and who is can hardly be told
        noisy = frame["pressure"] + rng.normal(0, 25, len(frame))
        frame["outcome"] = np.where(noisy > 187, "ill", "well")
    found = judged(source, target)
    assert found["verdict"] == "open"
    assert "by chance" in " ".join(found["reasons"])
    assert found["disputed"] < 0.1


@pytest.mark.parametrize("n_columns", [1, 5, 30])
def test_one_row_in_a_hundred_is_unlike_without_any_shift(n_columns):
    rng = np.random.default_rng(0)
    names = [f"c{j}" for j in range(n_columns)]
    source, target = (
        pd.DataFrame(rng.lognormal(size=(n, n_columns)), columns=names)
        for n in (400, 4000)
    )
    limits = learn_limits(source, [Column(name, "number") for name in names])
    alarms = np.mean([bool(r) for r in describe_unlike(target, limits)])
    assert alarms < 0.03
    shifted = describe_unlike(target * 20, limits)
    assert np.mean([bool(reason) for reason in shifted]) > 0.4


def test_what_is_unlike_is_named():
    source = pd.DataFrame(
        {
            "age": np.arange(20.0, 80),
            "seen": pd.date_range("2024-01-01", periods=60),
            "sex": ["m", "f"] * 30,
        }
    )
    columns = [
        Column("age", "number"),
        Column("seen", "date"),
        Column("sex", "text", categories=["f", "m"]),
    ]
    target = pd.DataFrame(
        {
            "age": [50.0, 500.0, np.nan],
            "seen": pd.to_datetime(["2024-02-01", "2024-02-01", "2031-01-01"]),
            "sex": ["m", "x", None],
        }
    )
    reasons = describe_unlike(target, learn_limits(source, columns))
    assert reasons == [
        "",
        "age=500 (20 to 79); sex=x",
        "seen=2031-01-01 (2024-01-01 to 2024-02-29)",
    ]


@pytest.mark.parametrize(
    ("verdict", "n_same", "expected"),
    [("for", 20, "open"), ("for", 2, "for"), ("against", 20, "against")],
)
def test_rows_that_were_learned_from_prove_nothing(verdict, n_same, expected):
    source, target = clinic(90, 0), clinic(70, 1)
    target[:n_same] = source[:n_same]
    found = {"verdict": verdict, "advice": "", "reasons": []}
    found = doubt_repeated(found, (source, target))
    assert found["verdict"] == expected
    assert len(found["reasons"]) == (verdict != expected)


def test_rows_of_few_categories_are_alike_by_chance():
    source, target = clinic(90, 0)[["sex"]], clinic(70, 1)[["sex"]]
    found = {"verdict": "for"}
    assert doubt_repeated(found, (source, target)) is found
