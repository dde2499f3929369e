"""The app of the guide answers as the model does, and says what a request lacks."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

import skdann

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

APP = Path(__file__).parents[2] / "docs" / "examples" / "serve" / "app.py"


def patients(n, age, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"age": rng.normal(age, 10, n), "sex": rng.choice(["m", "f"], n)}
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    here, there = patients(100, 50, 0), patients(60, 55, 1)
    encoder = make_column_transformer(
        (SimpleImputer(), ["age"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["sex"]),
    )
    clf = skdann.DANNClassifier(max_epochs=3, random_state=0)
    steps = [("encoder", encoder), ("classifier", clf)]
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = Pipeline(steps, transform_input=["X_tgt"])
        pipe.fit(here, np.where(here["age"] > 50, "ill", "well"), X_tgt=there)
    path = tmp_path_factory.mktemp("served") / "model.skdann"
    skdann.save(pipe, path)
    return pipe, path


@pytest.fixture
def client(model, monkeypatch):
    from fastapi.testclient import TestClient

    monkeypatch.setenv("SKDANN_MODEL", str(model[1]))
    monkeypatch.setattr("torch.set_num_threads", lambda n: None)  # of this process
    spec = importlib.util.spec_from_file_location("app", APP)
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    return TestClient(app.app)


def test_it_predicts_as_the_model_does(client, model):
    table = patients(30, 55, 2)
    table.loc[3, "age"] = np.nan
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    answer = client.post("/predict", json={"rows": rows}).json()
    assert answer["labels"] == model[0].predict(table).tolist()
    P = [[row["ill"], row["well"]] for row in answer["probabilities"]]
    np.testing.assert_allclose(P, model[0].predict_proba(table), atol=1e-6)


def test_a_single_row_without_a_value_is_predicted(client):
    rows = [{"age": None, "sex": None}]
    assert client.post("/predict", json={"rows": rows}).status_code == 200


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least 1 item"),
        (
            [{"age": 50, "gender": "m"}],
            "lacks the columns ['sex'] and has",
        ),
        ([{"age": "fifty", "sex": "m"}], "fifty"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(client, rows, message):
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 422
    assert message in str(answer.json()["detail"])


def test_it_tells_what_it_reads(client):
    answer = client.get("/health").json()
    assert answer == {"columns": ["age", "sex"], "classes": ["ill", "well"]}
