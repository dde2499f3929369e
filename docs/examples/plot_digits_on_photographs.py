"""Digits on photographs
=====================

The MNIST to MNIST-M experiment of Ganin & Lempitsky (2015) in miniature, on what
scikit-learn bundles: the source is handwritten digits of 8 x 8 pixels; the target is
other digits, each blended with a random patch of a photograph, ``abs(digit - patch)``
in each color channel. A small convolutional network takes the place of the built-in
layers.

It is here as a warning: at this size adapting does harm. A bright patch inverts a
digit, so that for half of the target no feature learned on the source fits, and
aligning the domains does not align their classes. Always compare with
``lambda_max=0``.

Run with ``make demo-digits``; nothing is downloaded.
"""

# %%
# Digits, and digits on photographs
# ---------------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import train_test_split
from torch import nn

from skdann import DANNClassifier

photographs = load_sample_images().images


def blend_with_photographs(digits, rng):
    """Return images of shape (n, 3, 8, 8), each on a patch of a photograph."""
    images = np.empty((len(digits), 3, 8, 8), dtype=np.float32)
    for image, digit in zip(images, digits, strict=True):
        photograph = photographs[rng.integers(len(photographs))]
        top, left = rng.integers(np.array(photograph.shape[:2]) - 8)
        patch = photograph[top : top + 8, left : left + 8] / 255
        image[:] = np.abs(digit - patch.transpose(2, 0, 1))
    return images


def split_digits(seed, copies=3):
    """Return source X, y; target X; and target images for the test, X, y."""
    rng = np.random.default_rng(seed)
    digits, y = load_digits(return_X_y=True)
    digits = digits.reshape(-1, 8, 8).astype(np.float32) / 16
    digits, rest, y, y_rest = train_test_split(
        digits, y, test_size=0.5, stratify=y, random_state=seed
    )
    target, test, _, y_test = train_test_split(
        rest, y_rest, test_size=0.5, stratify=y_rest, random_state=seed
    )
    X = np.repeat(digits[:, None], 3, axis=1)
    X_tgt, X_test = (
        blend_with_photographs(np.repeat(part, copies, axis=0), rng)
        for part in (target, test)
    )
    return X, y, X_tgt, X_test, np.repeat(y_test, copies)


X, _, X_tgt, _, _ = split_digits(0)
fig, axes = plt.subplots(2, 8, figsize=(8, 2.3), layout="constrained")
for row, images, name in zip(axes, (X, X_tgt), ("source", "target"), strict=True):
    for ax, image in zip(row, images[::50], strict=False):
        ax.imshow(image.transpose(1, 2, 0))
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)


# %%
# A convolutional network in place of the built-in layers
# -------------------------------------------------------
def convolutions():
    """Return a feature extractor for images of three channels."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 48, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


# %%
# Accuracy on digits on photographs, over two seeds: few, so that the example takes
# less than a minute.
scores, fitted = {0: [], 1: []}, {}
for seed in range(2):
    X, y, X_tgt, X_test, y_test = split_digits(seed)
    mean = X.mean(axis=(0, 2, 3), keepdims=True)  # the paper's only preprocessing
    for lambda_max, values in scores.items():
        clf = DANNClassifier(
            feature_extractor=convolutions, lambda_max=lambda_max, random_state=seed
        )
        clf.fit(X - mean, y, X_tgt - mean)
        values.append(clf.score(X_test - mean, y_test))
        fitted[lambda_max] = clf
for lambda_max, values in scores.items():
    name = "adapted" if lambda_max else "source only"
    print(
        f"{name:12s} lambda_max={lambda_max}  "
        f"{np.mean(values):.3f} +- {np.std(values):.3f}"
    )

# %%
# Right and wrong
# ---------------
# Digits of the test on photographs, of the last seed, and what the adapted network says
# they are: what is wrong is red.

# sphinx_gallery_thumbnail_number = 2
fig, axes = plt.subplots(2, 4, figsize=(5.6, 4), layout="constrained")
shown = np.arange(0, 8 * 30, 30)
predicted = fitted[1].predict(X_test[shown] - mean)
for ax, row, digit in zip(axes.flat, shown, predicted, strict=True):
    ax.imshow(X_test[row].transpose(1, 2, 0))
    color = "tab:green" if digit == y_test[row] else "tab:red"
    ax.set_title(f"{digit}", color=color, fontsize=20, fontweight="bold")
    ax.set(xticks=[], yticks=[])

# %%
# Adapting does not help here
# ---------------------------
# Each dot is a seed. Both networks are far above guessing, neither is good, and the
# adapted one is worse.
fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for name, values in zip(("source only", "adapted"), scores.values(), strict=True):
    ax.bar(name, np.mean(values), color="0.8")
    ax.plot([name] * len(values), values, "o", color="tab:blue")
ax.axhline(0.1, color="black", linestyle="--", label="guessing")
ax.set(ylabel="accuracy", ylim=(0, 1), title="Digits on photographs")
ax.legend(frameon=False)
