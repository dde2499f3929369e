"""Write two messy files of real tumors, and compare predictions with the truth.

`python docs/two_laboratories.py write folder`, `... check folder`. The cell nuclei are
those of scikit-learn's breast cancer data: laboratory A has the means over all cells of
one half of the tumors, laboratory B the means of the three largest cells of the other.
The mess is made: numbers of samples, dates, microscopes, gaps, decimal commas.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def halves():
    """Return the cell nuclei and diagnoses of both laboratories, as they are."""
    data = load_breast_cancer(as_frame=True)
    diagnosis = data.target.map(dict(enumerate(data.target_names)))
    a, b = train_test_split(
        np.arange(len(diagnosis)), test_size=0.5, stratify=diagnosis, random_state=0
    )
    X_a, X_b = data.data.iloc[a, :10], data.data.iloc[b, 20:]
    X_a.columns = X_b.columns = [name.removeprefix("mean ") for name in X_a.columns]
    return X_a, diagnosis.iloc[a], X_b, diagnosis.iloc[b]


def make_messy(X, letter, microscopes, rng):
    """Return a table as a laboratory keeps it."""
    frame = X.mask(rng.random(X.shape) < 0.05).reset_index(drop=True)
    n = len(frame)
    days = pd.to_timedelta(rng.integers(0, 365, n), unit="D")
    frame.insert(0, "sample", [f"{letter}-{i:04d}" for i in rng.permutation(n)])
    frame["measured"] = pd.Timestamp("2024-01-01") + days
    frame["microscope"] = rng.choice(microscopes, n)
    return frame


def write(folder):
    """Write both files, and the truth of laboratory B beside them."""
    rng = np.random.default_rng(0)
    X_a, y_a, X_b, y_b = halves()
    a = make_messy(X_a, "A", ["one", "two"], rng)
    b = make_messy(X_b, "B", ["one", "two", "new"], rng)
    a.assign(laboratory="A", diagnosis=y_a.to_numpy()).to_csv(
        folder / "lab_a.csv", index=False, na_rep="?"
    )
    b.assign(remark="").to_csv(
        folder / "lab_b.csv", index=False, sep=";", decimal=",", date_format="%d.%m.%Y"
    )
    truth = b[["sample"]].assign(diagnosis=y_b.to_numpy())
    truth.to_csv(folder / "lab_b_truth.csv", index=False)


def check(folder):
    """Print how many predictions are right, beside what else one would do."""
    truth = pd.read_csv(folder / "lab_b_truth.csv")
    predicted = pd.read_csv(folder / "lab_b-adapted" / "predictions.csv")
    X_a, y_a, X_b, y_b = halves()
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_a, y_a)
    print("Right in laboratory B, whose diagnoses were not used:")
    most = y_b.value_counts(normalize=True).max()
    print(f"  always the most frequent diagnosis          {most:.3f}")
    print(f"  logistic regression of laboratory A, clean  {linear.score(X_b, y_b):.3f}")
    right = (predicted["diagnosis"] == truth["diagnosis"]).mean()
    print(f"  the command, on the messy files             {right:.3f}")
    auc = roc_auc_score(
        truth["diagnosis"] == "malignant", predicted["probability malignant"]
    )
    print(f"  (area under the ROC curve {auc:.3f})")


def main():
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["write", "check"])
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    {"write": write, "check": check}[args.what](args.folder)


if __name__ == "__main__":
    main()
