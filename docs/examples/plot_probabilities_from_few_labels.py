"""Probabilities and thresholds, from sixty labels
===============================================

An adapted model often ranks the target well, and yet its probabilities are wrong there:
they were learned where the classes had other shares. A few labelled rows of the target
mend that. ``FrozenEstimator`` keeps the network as it is; scikit-learn's
``CalibratedClassifierCV`` learns two numbers on top of its log-odds, and
``TunedThresholdClassifierCV`` one.

The laboratories are those of
:ref:`sphx_glr_auto_examples_plot_tumors_measured_differently.py`, but the second one
screens: 15% of its tumors are malignant, and in the first 37%.
"""

# %%
# A clinic that screens
# ---------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from skdann import DANNClassifier

X, y = load_breast_cancer(return_X_y=True)
y = 1 - y  # 1 is malignant
source, target = train_test_split(
    np.arange(len(y)), test_size=0.5, stratify=y, random_state=0
)
malignant, benign = target[y[target] == 1], target[y[target] == 0]
target = np.concatenate([malignant[: len(benign) * 15 // 85], benign])
X_src, y_src = X[source, :10], y[source]
X_tgt, y_tgt = X[target, 20:], y[target]

clf = DANNClassifier(random_state=0).fit(X_src, y_src, X_tgt)
p_tgt = clf.predict_proba(X_tgt)[:, 1]
print(f"AUC                  {roc_auc_score(y_tgt, p_tgt):.3f}")
print(f"malignant, predicted {p_tgt.mean():.0%}")
print(f"malignant            {y_tgt.mean():.0%}")

# %%
# The order of the tumors is right, their probabilities are not.
#
# Sixty labels
# ------------
# Sixty tumors are drawn at random, and a pathologist tells what they are. Rows that
# trained the network (``y_tgt``) would not do: it knows them. Draws differ, so we look
# at twenty; each is measured on the tumors that it did not draw.


def calibrate(seed):
    """Return the calibrated classifier, and positions of the rows it did not see."""
    rows = np.random.default_rng(seed).permutation(len(y_tgt))
    labelled, rest = rows[:60], rows[60:]
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf))
    return calibrated.fit(X_tgt[labelled], y_tgt[labelled]), rest


before, after = [], []
for seed in range(20):
    calibrated, rest = calibrate(seed)
    before.append(brier_score_loss(y_tgt[rest], p_tgt[rest]))
    p_rest = calibrated.predict_proba(X_tgt[rest])[:, 1]
    after.append(brier_score_loss(y_tgt[rest], p_rest))
print(f"Brier score before {np.mean(before):.3f}")
print(f"Brier score after  {np.mean(after):.3f}, in the worst draw {max(after):.3f}")
print(f"lower in {np.sum(np.less(after, before))} of 20 draws")

# %%
# Many benign tumors (blue) were called malignant with certainty. After sixty labels
# nearly all lie on their side, and the probabilities leave room for doubt.
calibrated, rest = calibrate(0)
views = {
    "60 labels": calibrated.predict_proba(X_tgt[rest])[:, 1],
    "no labels": p_tgt[rest],
}
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
rng = np.random.default_rng(0)
for height, p in enumerate(views.values()):
    for label, color, name in ((0, "tab:blue", "benign"), (1, "tab:red", "malignant")):
        dots = p[y_tgt[rest] == label]
        jitter = height + rng.uniform(-0.3, 0.3, len(dots))
        ax.scatter(dots, jitter, s=16, alpha=0.6, color=color, label=name)
ax.axvline(0.5, color="black", linestyle="--")
ax.set(yticks=range(2), yticklabels=views, xlabel="predicted probability of malignant")
handles, names = ax.get_legend_handles_labels()
ax.legend(handles[:2], names[:2], loc="center right", frameon=False)
plt.show()

# %%
# Another threshold
# -----------------
# Where only the decision matters, one number is enough: the threshold. To miss a
# malignant tumor costs more than to look twice, so what is maximized counts both
# classes alike; any scorer will do.
found = []
for seed in range(20):
    rows = np.random.default_rng(seed).permutation(len(y_tgt))
    labelled, rest = rows[:60], rows[60:]
    tuned = TunedThresholdClassifierCV(
        FrozenEstimator(clf), scoring="balanced_accuracy", cv="prefit", refit=False
    ).fit(X_tgt[labelled], y_tgt[labelled])
    scores = [
        (
            balanced_accuracy_score(y_tgt[rest], predicted),
            recall_score(y_tgt[rest], predicted),
        )
        for predicted in (p_tgt[rest] > 0.5, tuned.predict(X_tgt[rest]))
    ]
    found.append(np.ravel(scores))
balanced, recall, balanced_tuned, recall_tuned = np.mean(found, axis=0)
print("                 balanced accuracy   recall")
print(f"threshold .5           {balanced:.3f}           {recall:.3f}")
print(f"tuned by 60 labels     {balanced_tuned:.3f}           {recall_tuned:.3f}")

# %%
# Both wrap the fitted network, so they are saved with it: see the guide to
# `deploying <../guide/deploying.html>`_. If you know the shares of the classes in the
# target, ``DANNClassifier(target_prior=...)`` does the same before any label.
