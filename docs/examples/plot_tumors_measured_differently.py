"""Tumors measured by two protocols
================================

One laboratory describes a tumor by the *mean* of ten measurements (radius, texture,
smoothness, ...) over the cells in an image; another by their mean over the *three
largest* cells. The breast-cancer data of scikit-learn holds both descriptions of 569
real tumors. Patients are split in three: the source is labelled and measured by the
first protocol, the target is unlabelled and measured by the second, and so are the
patients that the result is measured on.

A classifier of the first laboratory fails in the second, where every tumor looks large.
Domain-adversarial training corrects much of that without a label from there. Where you
can scale each laboratory by itself, try that first: here it corrects more.

Run with ``make demo``; nothing is downloaded.
"""

# %%
# Two protocols, disjoint patients
# --------------------------------

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import DANNClassifier
from skdann.inspection import AlignmentDisplay


def split_patients(seed):
    """Return source X, y; target X, y; and patients for the test, X, y."""
    X, y = load_breast_cancer(return_X_y=True)
    X_mean, X_largest = X[:, :10], X[:, 20:]  # between them: standard errors
    patients = np.arange(len(y))
    rest, test = train_test_split(
        patients, test_size=0.2, stratify=y, random_state=seed
    )
    source, target = train_test_split(
        rest, test_size=0.5, stratify=y[rest], random_state=seed
    )
    return (
        *(X_mean[source], y[source]),
        *(X_largest[target], y[target]),
        *(X_largest[test], y[test]),
    )


# %%
# The target is scaled as the source is
# -------------------------------------
# ``transform_input`` passes ``X_tgt`` through the scaler that was fitted on the source.
sklearn.set_config(enable_metadata_routing=True)


def make_network(lambda_max, seed):
    """Return a pipeline that scales both domains, then trains."""
    dann = DANNClassifier(lambda_max=lambda_max, random_state=seed)
    return Pipeline(
        [("scale", StandardScaler()), ("dann", dann)], transform_input=["X_tgt"]
    )


# %%
# Five classifiers
# ----------------
# Two learn from the first laboratory alone. One is adapted. One is a linear model with
# each laboratory scaled by itself. The last has what is missing in practice: labels
# from the second laboratory.
def accuracies(seed):
    """Return test accuracy in the second laboratory, and the two networks."""
    X, y, X_tgt, y_tgt, X_test, y_test = split_patients(seed)
    source_only = make_network(0, seed).fit(X, y, X_tgt=X_tgt)
    adapted = make_network(1, seed).fit(X, y, X_tgt=X_tgt)
    on_target = make_network(0, seed).fit(X_tgt, y_tgt, X_tgt=X_tgt)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    by_itself = LogisticRegression().fit(StandardScaler().fit_transform(X), y)
    X_test_by_itself = StandardScaler().fit(X_tgt).transform(X_test)
    scores = {
        "logistic regression, source only": linear.score(X_test, y_test),
        "network, source only (lambda_max=0)": source_only.score(X_test, y_test),
        "network, adapted (lambda_max=1)": adapted.score(X_test, y_test),
        "logistic regression, each lab scaled by itself": by_itself.score(
            X_test_by_itself, y_test
        ),
        "network, trained on target labels": on_target.score(X_test, y_test),
    }
    return scores, source_only, adapted


runs = [accuracies(seed) for seed in range(5)]

# %%
# Accuracy in the second laboratory: mean and standard deviation over five splits.
for name in runs[0][0]:
    values = [scores[name] for scores, _, _ in runs]
    print(f"{name:48s}{np.mean(values):.3f} +- {np.std(values):.3f}")

# %%
# The features of both networks
# -----------------------------
# The features of the first split in two dimensions. Before adapting, the tumors of the
# second laboratory lie apart from those of the first. After it they are mixed, and the
# classes still lie apart.
X, y, X_tgt, y_tgt, _, _ = split_patients(0)
names = np.array(["malignant", "benign"])
_, source_only, adapted = runs[0]
display = AlignmentDisplay.from_estimator(
    adapted, X, X_tgt, y_src=names[y], y_tgt=names[y_tgt], before=source_only
)
