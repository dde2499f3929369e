"""The next batches arrive
=======================

A model was adapted to the rows that there were. Are the next ones still like these?
``column_shift`` answers with a probability: how often would two samples of one
distribution differ by so much? An alarm below 0.01 is false at most once in a hundred
batches, and nobody has to choose a limit for each column.

The target here is made, so that its labels are known and the accuracy can be shown
beside; neither the monitor nor any model sees them. For ten batches nothing happens,
then the target turns, by three degrees a batch.
"""

# %%
# Adapt, and remember the rows
# ----------------------------
import json

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons
from skdann.inspection import column_shift

X, y, X_tgt, _ = make_shifted_moons(rotation=20, noise=0.1, random_state=0)
clf = DANNClassifier(random_state=0).fit(X, y, X_tgt)


def arrive(batch):
    """Return the rows of a batch, and labels that only the figures know."""
    rotation = 20 + 3 * max(0, batch - 9)
    return make_shifted_moons(
        200, rotation=rotation, noise=0.1, random_state=100 + batch
    )[2:]


# %%
# Watch
# -----
# The reference is the target that was adapted to, not the source: from that one all
# batches differ, as they should.
batches = range(25)
shifts = [column_shift(X_tgt, arrive(b)[0], random_state=0) for b in batches]
p_values = np.array([shift.p_value for shift in shifts])
kept = [clf.score(*arrive(b)) for b in batches]

first = int(np.flatnonzero(p_values < 0.01)[0])
print(f"first alarm: batch {first}, where the accuracy is {kept[first]:.3f}")
print(f"accuracy of the last batch: {kept[-1]:.3f}")

# %%
# The line falls below the level of false alarms before the accuracy, which nobody can
# measure, begins to fall.
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.axhline(0.01, color="black", linestyle="--", label="one false alarm in 100 batches")
ax.axvspan(9.5, 24.5, color="tab:gray", alpha=0.15, label="the target turns")
ax.plot(p_values, color="lightgray", zorder=1)
colors = np.where(p_values < 0.01, "tab:red", "tab:blue")
ax.scatter(batches, p_values, c=colors, zorder=2)
ax.set(yscale="log", xlabel="batch", ylabel="p-value: alike by chance")
ax.legend(loc="lower left")
plt.show()

# %%
# What changed
# ------------
# Which columns differ, and how far all together tell the batch from the reference.
print(shifts[-1])

# %%
# How many rows are like none of those that were adapted to? Of the reference itself
# this forest calls 1% so.
unlike = IsolationForest(contamination=0.01, random_state=0).fit(X_tgt)
for batch in (0, first, 24):
    share = np.mean(unlike.predict(arrive(batch)[0]) == -1)
    print(f"batch {batch:2d}: {share:.0%} of the rows are unlike the reference")

# %%
# A line for the log has all figures.
print(json.dumps({"batch": 24, **shifts[-1].to_dict()})[:72], "...")

# %%
# Adapt again, but from where?
# ----------------------------
# An alarm says that the rows changed, not that predictions became wrong, nor what to
# do. Two answers: adapt from the source again, or *step by step*, from the rows adapted
# to last, with the labels that the present model gives them (gradual domain adaptation,
# Kumar et al., ICML 2020).
reference, present = X_tgt, clf
from_source, by_steps = [], []
latest = clf
for batch in batches:
    X_new, y_new = arrive(batch)
    if column_shift(reference, X_new, random_state=0).p_value < 0.01:
        latest = DANNClassifier(random_state=0).fit(X, y, X_new)
        step = DANNClassifier(random_state=0)
        present = step.fit(reference, present.predict(reference), X_new)
        reference = X_new
    from_source.append(latest.score(X_new, y_new))
    by_steps.append(present.score(X_new, y_new))

# %%
# As the source lies ever farther away, to adapt from it again is worse than to leave
# the model alone. Small steps follow the target.
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(by_steps, color="tab:green", label="adapted again, step by step")
ax.plot(kept, color="tab:gray", label="not adapted again")
ax.plot(from_source, color="tab:red", label="adapted again, from the source")
ax.set(xlabel="batch", ylabel="accuracy", ylim=(0, 1.05))
ax.legend(loc="lower left")
plt.show()

# %%
# Moons are a fair weather example: each step is small, and labels that the model gives
# to rows it knows are right. Errors add up where that fails. What helps on sensors that
# drift for three years: `After the fit <../guide/after.html#the-next-batch>`_.
