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
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
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


def tables():
    """Return both tables, and the diagnoses of laboratory B, which it does not have."""
    rng = np.random.default_rng(0)
    X_a, y_a, X_b, y_b = halves()
    a = make_messy(X_a, "A", ["one", "two"], rng)
    b = make_messy(X_b, "B", ["one", "two", "new"], rng)
    a = a.assign(laboratory="A", diagnosis=y_a.to_numpy())
    return a, b.assign(remark=""), y_b.reset_index(drop=True)


def write(folder):
    """Write both files, and the truth of laboratory B beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    a, b, truth = tables()
    a.to_csv(folder / "lab_a.csv", index=False, na_rep="?")
    b.to_csv(
        folder / "lab_b.csv", index=False, sep=";", decimal=",", date_format="%d.%m.%Y"
    )
    b[["sample"]].assign(diagnosis=truth).to_csv(
        folder / "lab_b_truth.csv", index=False
    )


def baselines():
    """Yield what else one would do, on tables without the mess: name, label, score."""
    X_a, y_a, X_b, y_b = halves()
    often = np.full(len(y_b), y_b.mode()[0])
    yield "always the most frequent diagnosis", often, np.zeros(len(y_b))
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_a, y_a)
    for name, X in (
        ("logistic regression of laboratory A", X_b),
        ("the same, each laboratory scaled by itself", _as_if_of(X_a, X_b)),
    ):
        yield name, linear.predict(X), linear.decision_function(X)


def _as_if_of(X_a, X_b):
    """Return the second table with the means and deviations of the first."""
    return (X_b - X_b.mean()) / X_b.std() * X_a.std() + X_a.mean()


def line_of(name, predicted, scores):
    """Return a line of figures, by the true diagnoses of laboratory B."""
    truth = halves()[3].to_numpy()
    figures = (
        accuracy_score(truth, predicted),
        balanced_accuracy_score(truth, predicted),
        roc_auc_score(truth == "malignant", scores),
    )
    return f"  {name:44}" + "".join(f"{figure:9.3f}" for figure in figures)


def check(folder):
    """Print how many predictions are right, beside what else one would do."""
    predicted = pd.read_csv(Path(folder) / "lab_b-adapted" / "predictions.csv")
    print("In laboratory B, whose diagnoses were not used:")
    print(f"  {'':44} accuracy balanced      AUC")
    for name, labels, scores in baselines():
        print(line_of(name, labels, scores))
    of_command = predicted["diagnosis"], predicted["probability malignant"]
    print(line_of("skdann adapt, on the messy files", *of_command))


def main():
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["write", "check"])
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    {"write": write, "check": check}[args.what](args.folder)


if __name__ == "__main__":
    main()
