"""Draw the picture on top of the README: two moons, before and after adapting.

`python docs/draw_hero.py` writes docs/_static/moons.png anew.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons

PATH = Path(__file__).parent / "_static" / "moons.png"
GRAY = "#808080"  # to be read on white and on black


def main():
    """Train the network without and with the adversary, and draw both."""
    X, y, X_tgt, y_tgt = make_shifted_moons(random_state=0)
    low, high = np.vstack([X, X_tgt]).min(axis=0), np.vstack([X, X_tgt]).max(axis=0)
    low, high = low - 0.3, high + 0.3
    across, up = np.meshgrid(*np.linspace(low, high, 200).T)
    plane = np.stack([across.ravel(), up.ravel()], axis=1)

    fig, axes = plt.subplots(1, 2, figsize=(10, 3.7), layout="constrained")
    titles = ("Trained where labels are", "Adapted to where they are not")
    for ax, lambda_max, title in zip(axes, (0, 1), titles, strict=True):
        clf = DANNClassifier(
            lambda_max=lambda_max, standardize=None, max_epochs=200, random_state=0
        ).fit(X, y, X_tgt)
        P = clf.predict_proba(plane)[:, 1].reshape(across.shape)
        ax.contourf(across, up, P, np.linspace(0, 1, 9), cmap="RdBu_r", alpha=0.35)
        ax.contour(across, up, P, levels=[0.5], colors=GRAY, linewidths=1.5)
        ax.scatter(*X.T, c=np.where(y == 0, "tab:blue", "tab:red"), s=9)
        ax.scatter(*X_tgt.T, color=GRAY, s=16, marker="x", linewidths=0.9)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_color(GRAY)
        right = clf.score(X_tgt, y_tgt)
        ax.set_title(f"{title}: {right:.1%} of the crosses right", color=GRAY)
        print(f"lambda_max={lambda_max}: {right:.3f} of the target")
    fig.savefig(PATH, dpi=120, transparent=True)


if __name__ == "__main__":
    main()
