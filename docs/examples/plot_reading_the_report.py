"""Reading the report
==================

Did adapting help? Without labels of the target this cannot be known, but estimated:
from what models of unlike kinds predict, what adapting cost on the source, and whether
the class proportions seem to be the same in both domains. ``adaptation_report`` does
that, says what to do next, and what each finding means.

Two laboratories measure tumors by two protocols, as in
:ref:`sphx_glr_auto_examples_plot_tumors_measured_differently.py`. First they see the
same kind of patients; then the second is a clinic that sees mostly the ill.
"""

# %%
# The same kind of patients
# -------------------------

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skdann import AdaptationWarning, DANNClassifier
from skdann.inspection import AlignmentDisplay, adaptation_report

X, y = load_breast_cancer(return_X_y=True)
names = np.array(["malignant", "benign"])
source, target = train_test_split(
    np.arange(len(y)), test_size=0.5, stratify=y, random_state=0
)
scale = StandardScaler().fit(X[source, :10])
X_src, y_src = scale.transform(X[source, :10]), names[y[source]]
X_tgt, y_tgt = scale.transform(X[target, 20:]), names[y[target]]

# One network, as in the papers, on columns that are scaled here.
PLAIN = {"n_estimators": 1, "standardize": None, "target_prior": None}
adapted = DANNClassifier(**PLAIN, random_state=0).fit(X_src, y_src, X_tgt)
report = adaptation_report(adapted, X_src, y_src, X_tgt, random_state=0)
print(report)

# %%
# In a notebook the report shows itself, with its figures; ``report.to_html(path)``
# writes it into a file.
report

# %%
# Here the labels of the target are known, so the verdict can be checked: adapting
# helped, as it says.
source_only = DANNClassifier(**PLAIN, lambda_max=0, random_state=0).fit(X_src, y_src)
same_kind = [model.score(X_tgt, y_tgt) for model in (source_only, adapted)]
print("source only {:.3f}\nadapted     {:.3f}".format(*same_kind))

# %%
# Before the adapted model is deployed some labels are asked for: a simple model agrees
# better with all others. These are the rows where models disagree most:
rows = report.rows_to_label(10, random_state=0)
print(rows, y_tgt[rows])

# %%
# A clinic that sees mostly the ill
# ---------------------------------
# Now nine in ten of the target are ill: label shift. Features that hide the domain have
# to mix the ill with the healthy. (The fit would warn that the target may not be scaled
# as the source is. It is: the difference comes from the other protocol, and the other
# patients.)
warnings.simplefilter("ignore", AdaptationWarning)
ill, healthy = (np.flatnonzero(y_tgt == name) for name in names)
rows = np.concatenate([ill, healthy[: len(ill) // 9]])
X_clinic, y_clinic = X_tgt[rows], y_tgt[rows]

adapted = DANNClassifier(**PLAIN, random_state=0).fit(X_src, y_src, X_clinic)
print(adaptation_report(adapted, X_src, y_src, X_clinic, random_state=0))

# %%
# The report leaves open whether adapting helped, because the proportions differ. Here
# it did harm:
mostly_ill = [model.score(X_clinic, y_clinic) for model in (source_only, adapted)]
print("source only {:.3f}\nadapted     {:.3f}".format(*mostly_ill))
shares = [np.mean(labels == "benign") for labels in (y_tgt, y_clinic)]
majority = [max(share, 1 - share) for share in shares]
print(f"majority    {majority[1]:.3f}")

# %%
# Adapting helped where the patients are of the same kind, and did harm where they are
# mostly ill.
fig, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
scores = np.array([same_kind, mostly_ill]).T
for shift, name, color, heights in zip(
    (-0.2, 0.2), ("source only", "adapted"), ("0.7", "tab:blue"), scores, strict=True
):
    bars = ax.bar(np.arange(2) + shift, heights, width=0.38, color=color, label=name)
    ax.bar_label(bars, fmt="%.2f")
ax.hlines(majority, [-0.45, 0.55], [0.45, 1.45], "black", "dashed", label="majority")
ax.set_xticks([0, 1], ["same kind of patients", "mostly the ill"], fontsize="large")
ax.set(ylabel="accuracy on the target", ylim=(0, 1.25), yticks=np.linspace(0, 1, 6))
ax.legend(frameon=False, ncols=3, loc="upper center")

# %%
# Below are the features of the adapted network, by domain and by class. The domains are
# mixed, and so are the classes: crosses of the ill lie among dots of the healthy.
display = AlignmentDisplay.from_features(
    *map(adapted.transform, (X_src, X_clinic)),
    y_src=y_src,
    y_tgt=y_clinic,
    ax=plt.subplots(1, 2, figsize=(10, 4), layout="constrained")[1],
)
