"""What the model relies on
========================

Which columns decide the predictions, and are these the columns that shifted? The first
is measured by scikit-learn's ``permutation_importance``, and needs no label of the
target: the predictions themselves take their place, so that the importance of a column
is the share of predictions that change if its values are shuffled. The second is
``column_shift``. A column high in both is one to ask about: is it measured in the same
way there?

The data are those of
:ref:`sphx_glr_auto_examples_plot_tumors_measured_differently.py`.
"""

# %%
# Fit
# ---
import importlib.util

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from skdann import DANNClassifier
from skdann.inspection import column_shift

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
source, target = train_test_split(
    np.arange(len(y)), test_size=0.5, stratify=y, random_state=0
)
names = [name.removeprefix("mean ") for name in X.columns[:10]]
X_src = X.iloc[source, :10].set_axis(names, axis=1)
X_tgt = X.iloc[target, 20:].set_axis(names, axis=1)
clf = DANNClassifier(random_state=0).fit(X_src, y.iloc[source], X_tgt)

# %%
# Importance without labels
# -------------------------
importance = permutation_importance(
    clf, X_tgt, clf.predict(X_tgt), n_repeats=10, random_state=0
).importances_mean
shift = column_shift(X_src, X_tgt, random_state=0)
distance = {s.column: s.distance for s in shift.shifts}
print(f"{'':18s} changed  distance")
for j in np.argsort(-importance):
    print(f"{names[j]:18s} {importance[j]:6.1%}  {distance[names[j]]:8.2f}")

# %%
# At the top, what the predictions hang on; to the right, what shifted.
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
x = [distance[name] for name in names]
ax.scatter(x, importance, s=40, color="tab:orange")
for i, j in enumerate(np.argsort(-importance)):  # labels to the left and to the right
    sign, side = (-1, "right") if i % 2 == 0 else (1, "left")
    place = {"xytext": (8 * sign, 0), "textcoords": "offset points"}
    ax.annotate(names[j], (x[j], importance[j]), ha=side, va="center", **place)
ax.set(
    xlabel="shift of the column (Kolmogorov-Smirnov)",
    ylabel="share of predictions that change",
)
ax.margins(0.2)
plt.show()

# %%
# Columns that say the same stand in for one another: of radius, perimeter and area each
# alone changes little. To judge them together, shuffle them together.
#
# A single prediction
# -------------------
# Why was *this* tumor called malignant? SHAP explains any function of rows; it is not a
# dependency (``pip install shap``; tried with 0.51). The source is the background if
# the question is what makes the row unlike the patients that the labels are of; the
# target, if it is what makes it unlike the others there.
if importlib.util.find_spec("shap"):
    import shap

    def benign(rows):
        """Return the probability of benign; SHAP passes arrays."""
        return clf.predict_proba(pd.DataFrame(rows, columns=names))[:, 1]

    background = shap.sample(X_tgt, 50, random_state=0)
    explain = shap.Explainer(benign, background, seed=0)
    values = explain(X_tgt.iloc[:1]).values[0]
    for j in np.argsort(-abs(values))[:3]:
        print(f"{names[j]:18s} {values[j]:+.2f}")
else:
    print("shap is not installed here")
