"""Two moons, turned
=================

Figure 2 of Ganin et al. (JMLR 2016): the source is two moons, the target the same
moons turned by 35 degrees, whose labels nobody tells. Above, a network of 15 hidden
units that learns from the source alone; below, the same network, adapted. From left to
right: where each draws the border between the classes; the principal components of its
features; what its domain classifier takes for the target; its hidden units, each the
line where it is undecided.

Run with ``make demo-moons``; nothing is downloaded.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.decomposition import PCA

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons

matplotlib.use("Agg")
import matplotlib.pyplot as plt

BLUE, RED, GRAY = "tab:blue", "tab:red", "0.25"


# %%
# The network of the paper
# ------------------------
# Linear classifiers on 15 sigmoid units, plain gradient descent. The paper's lambda is
# 6; here the domain loss is a mean of both domains, not their sum, hence 12.
def make_network(lambda_max, seed):
    return DANNClassifier(
        hidden_layer_sizes=(15,),
        domain_hidden_layer_sizes=(),
        activation="sigmoid",
        dropout=0,
        optimizer="sgd",
        momentum=0,
        weight_decay=0,
        lr=0.5,
        lr_schedule="constant",
        batch_size=20,
        max_epochs=500,
        lambda_max=lambda_max,
        random_state=seed,
    )


def fit_networks(seed):
    """Return the data, a network of the source alone and one that adapts."""
    X, y, X_tgt, y_tgt = make_shifted_moons(random_state=seed)
    networks = {
        "Source only": make_network(0, seed).fit(X, y, X_tgt),
        "Adapted": make_network(12, seed).fit(X, y, X_tgt),
    }
    return (X, y, X_tgt, y_tgt), networks


# %%
# Four views of each
# ------------------
def draw_classes(ax, network, X, y, X_tgt):
    """Color the plane by predicted class."""
    draw_plane(ax, X, X_tgt, lambda rows: network.predict_proba(rows)[:, 1], "RdBu_r")
    draw_points(ax, X, y, X_tgt)


def draw_features(ax, network, X, y, X_tgt):
    """Draw the principal components of the features of both domains."""
    points = PCA(2).fit_transform(network.transform(np.concatenate([X, X_tgt])))
    draw_points(ax, points[: len(X)], y, points[len(X) :])


def draw_domains(ax, network, X, y, X_tgt):
    """Color the plane by what the network takes for the target."""
    draw_plane(ax, X, X_tgt, network.predict_domain, "Greys")
    draw_points(ax, X, y, X_tgt)


def draw_units(ax, network, X, y, X_tgt):
    """Draw the line on which each hidden unit is undecided."""
    draw_points(ax, X, y, X_tgt)
    layer = network.module_.feature_extractor[0]
    (low, bottom), (high, top) = find_corners(X, X_tgt)
    for (along, across), bias in zip(
        layer.weight.tolist(), layer.bias.tolist(), strict=True
    ):
        x = np.array([low, high])
        ax.plot(x, -(along * x + bias) / across, color="tab:green", linewidth=0.8)
    ax.set(xlim=(low, high), ylim=(bottom, top), aspect="equal")


def draw_points(ax, X, y, X_tgt):
    ax.scatter(*X.T, c=np.where(y == 0, BLUE, RED), s=8)
    ax.scatter(*X_tgt.T, color=GRAY, s=8, marker="x", linewidths=0.7)
    ax.set(xticks=[], yticks=[])


def draw_plane(ax, X, X_tgt, score, colors):
    """Color the plane by a score in [0, 1], and the line where it is a half."""
    (left, bottom), (right, top) = find_corners(X, X_tgt)
    grid = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    plane = np.stack([axis.ravel() for axis in grid], axis=1)
    values = score(plane).reshape(grid[0].shape)
    where = {"extent": (left, right, bottom, top), "origin": "lower"}
    ax.imshow(values, cmap=colors, alpha=0.45, vmin=0, vmax=1, **where)
    ax.contour(*grid, values, levels=[0.5], colors="black", linewidths=1.5)


def find_corners(X, X_tgt):
    both = np.concatenate([X, X_tgt])
    return both.min(axis=0) - 0.4, both.max(axis=0) + 0.4


VIEWS = {
    "classes": draw_classes,
    "features": draw_features,
    "domains": draw_domains,
    "hidden units": draw_units,
}


def plot(networks, X, y, X_tgt, y_tgt, path):
    """Draw both networks, one above the other."""
    fig, axes = plt.subplots(2, 4, figsize=(13, 5.6), layout="constrained")
    for row, (name, network) in zip(axes, networks.items(), strict=True):
        for ax, (title, draw) in zip(row, VIEWS.items(), strict=True):
            draw(ax, network, X, y, X_tgt)
            ax.set_title(title, fontsize=10)
        score = network.score(X_tgt, y_tgt)
        row[0].set_ylabel(f"{name}\n{score:.1%} of the target", fontsize=11)
    fig.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    data, networks = fit_networks(args.seed)
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / "shifted_moons.png"
    plot(networks, *data, path)
    for name, network in networks.items():
        print(f"{name:12s} {network.score(data[2], data[3]):.3f} of the target")
    print(f"Picture: {path}")


if __name__ == "__main__":
    main()
