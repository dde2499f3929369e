"""Tumors measured by two protocols
================================

One laboratory describes a tumor by the *mean* of ten measurements (radius, texture,
smoothness, ...) over the cells in an image; another by their mean over the *three
largest* cells. The breast-cancer data of scikit-learn holds both descriptions of 569
real tumors. Patients are split in three: the source is labelled and measured by the
first protocol, the target is unlabelled and measured by the second, and so are the
patients that the result is measured on.

A classifier of the first laboratory fails in the second, where every tumor looks
large: it does worse than calling all of them benign. ``DANNClassifier`` notices that
the columns have other scales there, standardizes each laboratory by itself, and aligns
what is left; no label from there is needed. A linear model with each laboratory scaled
by itself does as well: most of what is wrong here is a matter of scale. Nobody knows
that without labels: ``AutoDANNClassifier`` combines such models by how far they agree.

Run with ``make demo``; nothing is downloaded.
"""

# %%
# Two protocols, disjoint patients
# --------------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
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
# Seven classifiers
# -----------------
# Two learn from the first laboratory alone. One is a linear model with each laboratory
# scaled by itself; one is the network with these scales, but without the adversary; one
# is adapted; one combines all such kinds. The last has what is missing in practice:
# labels from the second laboratory.
def fit_all(seed):
    """Return the data of the test, and probabilities by the name of the classifier."""
    X, y, X_tgt, y_tgt, X_test, y_test = split_patients(seed)
    plain = DANNClassifier(lambda_max=0, random_state=seed)
    fitted = {
        "logistic regression, source only": BaselineClassifier(
            standardize="source"
        ).fit(X, y),
        "logistic regression, each lab by itself": BaselineClassifier().fit(
            X, y, X_tgt
        ),
        "network, source only": clone(plain).fit(X, y),
        "network, lambda_max=0": clone(plain).fit(X, y, X_tgt),
        "network, adapted": DANNClassifier(random_state=seed).fit(X, y, X_tgt),
        "combination": AutoDANNClassifier(random_state=seed).fit(X, y, X_tgt),
        "network, trained on target labels": clone(plain).fit(X_tgt, y_tgt),
    }
    majority = np.tile(np.bincount(y) / len(y), (len(y_test), 1))
    predicted = {name: clf.predict_proba(X_test) for name, clf in fitted.items()}
    return y_test, {"majority": majority, **predicted}, fitted


runs = [fit_all(seed) for seed in range(3)]

# %%
# Accuracy, balanced accuracy and area under the ROC curve in the second laboratory:
# mean and standard deviation over three splits.
scores = {"accuracy": {}, "balanced": {}, "AUC": {}}
for name in runs[0][1]:
    for y, P, _ in runs:
        classes = P[name].argmax(axis=1)
        for score, value in {
            "accuracy": np.mean(classes == y),
            "balanced": balanced_accuracy_score(y, classes),
            "AUC": roc_auc_score(y, P[name][:, 1]),
        }.items():
            scores[score].setdefault(name, []).append(value)

print(f"{'':41s}{'accuracy':15s}{'balanced':15s}AUC")
for name in runs[0][1]:
    values = [scores[score][name] for score in scores]
    cells = (f"{np.mean(v):.3f} +- {np.std(v):.3f}" for v in values)
    print(f"{name:41s}" + "  ".join(cells))

# %%
# Who is right
# ------------
# Both models of the first laboratory are below the dashed line, the accuracy of calling
# all tumors benign. Each laboratory scaled by itself, all are far above it, and the
# linear model (orange) is no worse than the networks and the combination (blue).
COLORS = {
    "logistic regression, each lab by itself": "tab:orange",
    "network, adapted": "tab:blue",
    "combination": "tab:blue",
}


def draw_bars(values, without, title):
    """Draw the mean and the deviation of each classifier, and the line to be above."""
    names = [name for name in values if name != "majority"][::-1]
    means, deviations = ([f(values[name]) for name in names] for f in (np.mean, np.std))
    ax = plt.subplots(figsize=(6, 3.6), layout="constrained")[1]
    colors = [COLORS.get(name, "0.7") for name in names]
    ax.barh(
        [name.replace(", ", ",\n") for name in names],
        means,
        xerr=deviations,
        color=colors,
    )
    ax.axvline(without, color="black", linestyle="--")
    ax.set(title=title, xlim=(0, 1))


draw_bars(
    scores["accuracy"],
    np.mean(scores["accuracy"]["majority"]),
    "Accuracy (dashed: majority)",
)

# %%
# Who ranks well
# --------------
# By the area under the ROC curve little was lost: the models of the first laboratory
# order the tumors of the second well, and draw the line between the classes at the
# wrong place. What the others gain is in the main that this line is moved.
draw_bars(scores["AUC"], 0.5, "AUC (dashed: chance)")

# %%
# Why the combination predicts what it does, on the last split:
print(runs[-1][2]["combination"].reason_)

# %%
# The features of both networks
# -----------------------------
# The features of the first split, by t-SNE: tumors with like features are neighbors. In
# the network of the first laboratory those of the second keep to themselves; in the
# adapted one they are mixed.
X, y, X_tgt, _, _, _ = split_patients(0)
views = {
    name: (network.transform(X, domain="source"), network.transform(X_tgt))
    for name, network in runs[0][2].items()
    if name in ("network, source only", "network, adapted")
}
display = AlignmentDisplay.from_views(
    views, labels=None, method="tsne", random_state=0
).plot()
