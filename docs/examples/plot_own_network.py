"""A network of your own
=====================

The built-in layers suit tables. Where the columns have a structure, a network of your
own can use it: any ``torch.nn.Module`` takes the place of the feature extractor, of the
label classifier or of the domain classifier. Everything else, from gradient reversal to
the schedules, stays as it is.

Here each of ten measurements of a tumor first gets a layer of its own, and a gate that
may turn it off; the data are those of
:ref:`sphx_glr_auto_examples_plot_tumors_measured_differently.py`. Whether such a
network is better than the built-in one depends on the data: here it is worse.
"""

# %%
# A module
# --------
# A class that requires one argument is called with the number of columns. It returns
# features, of any width; the classifiers behind it adjust.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdann import BaselineClassifier, DANNClassifier
from skdann.inspection import HistoryDisplay


class GatedColumns(nn.Module):
    """Each column by itself, then all together."""

    def __init__(self, n_columns, width=8):
        super().__init__()
        self.each = nn.Conv1d(n_columns, n_columns * width, 1, groups=n_columns)
        self.gate = nn.Parameter(torch.zeros(n_columns, 1))
        self.together = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.25), nn.Linear(n_columns * width, 64), nn.ReLU()
        )

    def forward(self, X):
        """Return features of shape (n, 64)."""
        columns = self.each(X[:, :, None]).relu()
        columns = columns.view(len(X), len(self.gate), -1)
        return self.together(self.gate.sigmoid() * columns)


# %%
# In place of the built-in layers
# -------------------------------
# Pass the class, not an instance, and ``random_state`` decides its weights.
X, y = load_breast_cancer(return_X_y=True)
source, target = train_test_split(
    np.arange(len(y)), test_size=0.5, stratify=y, random_state=0
)
scale = StandardScaler().fit(X[source, :10])
X_src, y_src = scale.transform(X[source, :10]), y[source]
X_tgt, y_tgt = scale.transform(X[target, 20:]), y[target]

# One network each, on columns that are scaled above.
PLAIN = {"n_estimators": 1, "standardize": None, "target_prior": None}


def accuracies(**parameters):
    """Return target accuracy for three seeds, and the last network."""
    fits = [
        DANNClassifier(**PLAIN, **parameters, random_state=seed).fit(
            X_src, y_src, X_tgt
        )
        for seed in range(3)
    ]
    return [clf.score(X_tgt, y_tgt) for clf in fits], fits[-1]


results = {}
for name, parameters in {
    "built-in layers, source only": {"lambda_max": 0},
    "built-in layers, adapted": {},
    "own network, source only": {"feature_extractor": GatedColumns, "lambda_max": 0},
    "own network, adapted": {"feature_extractor": GatedColumns},
}.items():
    scores, clf = accuracies(**parameters)
    results[name] = np.mean(scores)
    print(f"{name:30s} {np.mean(scores):.3f} +- {np.std(scores):.3f}")
majority = np.bincount(y_tgt).max() / len(y_tgt)
print(f"{'majority':30s} {majority:.3f}")
linear = BaselineClassifier().fit(X_src, y_src, X_tgt)
print(f"{'linear, each lab by itself':30s} {linear.score(X_tgt, y_tgt):.3f}")

# %%
# Here it does not pay
# --------------------
# Adapting helps both networks, and the built-in layers far more: adapted, our own is
# not better than calling all tumors benign. A linear model with each laboratory scaled
# by itself is better than either. Compare what you built with both before you use it.

fig, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
for network, color in {"built-in layers": "tab:blue", "own network": "tab:red"}.items():
    steps = ["source only", "adapted"]
    values = [results[f"{network}, {step}"] for step in steps]
    ax.plot(steps, values, "o-", color=color, linewidth=3, markersize=9, label=network)
ax.axhline(majority, color="0.4", linestyle="--", label="majority")
ax.set(ylabel="accuracy on the target", ylim=(0.4, 1), xlim=(-0.3, 1.3))
ax.legend(frameon=False, loc="upper left")

# %%
# The network is at hand once it is fitted:
print(clf.module_)

# %%
# Did the adversary work?
# -----------------------
# The accuracy of the domain classifier should rise at first, while lambda is small, and
# fall to chance as lambda grows. Of our own network, below, it ends at about three
# quarters: the domains can still be told apart, which fits that adapting gained little.
display = HistoryDisplay.from_estimator(clf)
