"""Serve an adapted model: `SKDANN_MODEL=model.skdann uvicorn app:app`.

`POST /predict` takes ``{"rows": [{"age": 63, "sex": "m"}, ...]}`` and returns a label
and the probabilities of each row, in their order.
"""

import os
from typing import Annotated

import pandas as pd
import torch
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

import skdann

torch.set_num_threads(1)  # requests run beside one another; small networks need no more
model = skdann.load(os.environ["SKDANN_MODEL"])  # holds no code: may come from anybody
columns = list(model.feature_names_in_)
app = FastAPI(title="Predictions for the target")


class Batch(BaseModel):
    """Rows of the target; null is a missing value."""

    rows: Annotated[
        list[dict[str, float | str | None]], Field(min_length=1, max_length=10_000)
    ]


class Predictions(BaseModel):
    """A label for each row, and the probability of each class."""

    labels: list[str]
    probabilities: list[dict[str, float]]


@app.get("/health")
def health() -> dict[str, list[str]]:
    """Tell that the model is there, and what it reads."""
    return {"columns": columns, "classes": [str(c) for c in model.classes_]}


@app.post("/predict")
def predict(batch: Batch) -> Predictions:
    """Predict rows of the target; FastAPI runs this in a thread of its own."""
    for i, row in enumerate(batch.rows):
        if set(row) != set(columns):
            lacking, unknown = set(columns) - set(row), set(row) - set(columns)
            raise HTTPException(
                422,
                f"Row {i} lacks the columns {sorted(lacking)} and has the unknown "
                f"{sorted(unknown)}.",
            )
    table = pd.DataFrame(batch.rows, columns=columns)
    try:
        P = model.predict_proba(table)
    except (ValueError, TypeError) as error:  # text among numbers, for example
        raise HTTPException(422, str(error)) from error
    classes = [str(c) for c in model.classes_]
    return Predictions(
        labels=[classes[i] for i in P.argmax(axis=1)],
        probabilities=[dict(zip(classes, row, strict=True)) for row in P.tolist()],
    )
