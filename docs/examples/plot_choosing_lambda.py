"""Choosing lambda without target labels
=====================================

How strong should the adversary be, and at which learning rate? The target has no labels
to decide by. ``DANNGridSearchCV`` trains all candidates, scores them by what they
predict for the target, and always has source-only candidates among them.

The data are the tumors of two laboratories of
:ref:`sphx_glr_auto_examples_plot_tumors_measured_differently.py`. The labels of the
second laboratory are used in the last step alone, to see how good the choice was.
"""

# %%
# Ten candidates
# --------------
# Five lambdas and two learning rates, on two folds of the source. The default score
# measures agreement with the mean of all candidates, so they should be ten or more, and
# differ. Candidates of one fold are trained together, as one network. A warning says if
# another score would have chosen a candidate with other predictions.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skdann import DANNClassifier
from skdann.inspection import SearchDisplay
from skdann.model_selection import DANNGridSearchCV

X, y = load_breast_cancer(return_X_y=True)
source, target = train_test_split(
    np.arange(len(y)), test_size=0.5, stratify=y, random_state=0
)
X_src, y_src = X[source, :10], y[source]
X_tgt, y_tgt = X[target, 20:], y[target]

# One network, as in the papers, on columns that are scaled here.
PLAIN = {"n_estimators": 1, "standardize": None, "target_prior": None}
dann = DANNClassifier(**PLAIN, random_state=0)
pipe = Pipeline([("scale", StandardScaler()), ("dann", dann)])
grid = {"dann__lambda_max": [0, 0.1, 0.3, 1, 3], "dann__lr": [1e-3, 3e-3]}
search = DANNGridSearchCV(pipe, grid, cv=2).fit(X_src, y_src, X_tgt)
print(search.best_params_)

# %%
# Scores of three kinds
# ---------------------
# Each panel is a score, each dot a candidate, and of each score higher is better. The
# star is the choice; dots of candidates that lost more than five points of accuracy on
# held-out source rows would be hollow. These three scores, of unlike kinds, are highest
# at other lambdas: hence the warning. Without ``scores`` all are drawn.
kinds = ["ensemble_agreement", "infomax", "neg_dev"]
display = SearchDisplay.from_estimator(search, scores=kinds)

# %%
# Was it a good choice?
# ---------------------
# With the labels of the second laboratory, the accuracy of each lambda can be computed,
# at the chosen learning rate. In practice there are no such labels: that is why the
# scores above are needed.
scale = StandardScaler().fit(X_src)
A, B = scale.transform(X_src), scale.transform(X_tgt)
lr = search.best_params_["dann__lr"]
chosen = search.best_params_["dann__lambda_max"]
accuracies = {}
for lambda_max in grid["dann__lambda_max"]:
    dann = DANNClassifier(**PLAIN, lambda_max=lambda_max, lr=lr, random_state=0)
    accuracies[lambda_max] = dann.fit(A, y_src, B).score(B, y_tgt)
    is_chosen = "  <- chosen" * (lambda_max == chosen)
    print(f"lambda_max={lambda_max:<4g} {accuracies[lambda_max]:.3f}{is_chosen}")
majority = np.bincount(y_tgt).max() / len(y_tgt)
print(f"{'majority':15s} {majority:.3f}")

# sphinx_gallery_thumbnail_number = 2
fig, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
places = list(map(str, accuracies))
ax.plot(places, list(accuracies.values()), "o-", linewidth=2)
ax.plot(str(chosen), accuracies[chosen], "*", color="gold", mec="black", ms=24)
ax.axhline(majority, color="0.4", linestyle="--")
ax.annotate(
    "majority",
    (1, majority),
    (0, 3),
    xycoords=("axes fraction", "data"),
    textcoords="offset points",
    ha="right",
)
ax.set(xlabel="lambda_max", ylabel="accuracy on the target")
ax.set_title("The choice (star), judged by labels")

# %%
# The choice is better than the source-only network, hardly better than calling all
# tumors benign, and not the best there was: infomax, which the warning names, would
# have chosen better here. Over many pairs of domains the default score chooses better
# than infomax; :doc:`/choosing` has the tables.
