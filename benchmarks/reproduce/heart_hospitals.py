"""From one hospital to another.

Heart disease in four hospitals (UCI 45): a classifier from Cleveland is wanted in
Budapest (hungarian), Long Beach (va) and Zurich and Basel (switzerland). Numbers and
categories, some missing, pass through a ``ColumnTransformer`` in a ``Pipeline``;
``transform_input`` passes the unlabelled target through it too.

The hospitals differ little in their measurements and much in their patients: 46% of
Cleveland's are ill, 94% of Switzerland's. Domain-adversarial training assumes similar
proportions, and it is no surprise if it does not help here.

Run with ``make demo-heart``; the patients are downloaded once, or read from
``DATA=folder``.
"""

import argparse

import numpy as np
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdann import DANNClassifier
from skdann.datasets import fetch_heart_disease

sklearn.set_config(enable_metadata_routing=True)

NUMBERS = [0, 3, 4, 7, 9]  # age, blood pressure, cholesterol, heart rate, oldpeak
CATEGORIES = [1, 2, 5, 6, 8]  # sex, chest pain, blood sugar, ECG, exercise angina
# the other three, slope, ca and thal, were seldom recorded outside Cleveland


def make_encoder():
    """Impute and scale the numbers, impute and encode the categories."""
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            ),
            CATEGORIES,
        ),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the files; the user's cache if none")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()

    hospitals = {
        name: fetch_heart_disease(name, data_home=args.data, return_X_y=True)
        for name in ("cleveland", "hungarian", "va", "switzerland")
    }
    X, y = hospitals.pop("cleveland")
    print("Accuracy in the new hospital, on the half of its patients not used at fit:")
    print(
        f"  {'':14s}{'majority':>9s}{'linear':>9s}{'source only':>16s}{'adapted':>16s}"
    )
    for name, (X_new, y_new) in hospitals.items():
        columns = {"majority": [], "linear": [], 0: [], 1: []}
        for seed in range(args.seeds):
            X_tgt, X_test, _, y_test = train_test_split(
                X_new, y_new, test_size=0.5, stratify=y_new, random_state=seed
            )
            columns["majority"].append(max(np.mean(y_test), 1 - np.mean(y_test)))
            linear = make_pipeline(make_encoder(), LogisticRegression()).fit(X, y)
            columns["linear"].append(linear.score(X_test, y_test))
            for lambda_max in (0, 1):
                dann = DANNClassifier(
                    lambda_max=lambda_max, random_state=seed, verbose=1
                )
                pipe = Pipeline(
                    [("encode", make_encoder()), ("dann", dann)],
                    transform_input=["X_tgt"],
                ).fit(X, y, X_tgt=X_tgt)
                columns[lambda_max].append(pipe.score(X_test, y_test))
        print(
            f"  {name:14s}{np.mean(columns['majority']):9.3f}"
            f"{np.mean(columns['linear']):9.3f}"
            f"{describe(columns[0]):>16s}{describe(columns[1]):>16s}"
        )


def describe(values):
    return f"{np.mean(values):.3f} +- {np.std(values):.3f}"


if __name__ == "__main__":
    main()
