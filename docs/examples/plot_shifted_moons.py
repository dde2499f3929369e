"""Two moons, turned
=================

Figure 2 of Ganin et al. (JMLR 2016): the source is two moons, the target the same
moons turned by 35 degrees, without labels. Above, a source-only network of 15 hidden
units; below, the same network, adapted. From left to right: the boundary between the
classes; the principal components of the features; where the domain classifier predicts
the target; the hidden units, each as the line where its output is one half.

Run with ``make demo-moons``; nothing is downloaded.
"""

# %%
# The network of the paper
# ------------------------
# Linear classifiers on 15 sigmoid units, plain gradient descent. The paper's lambda is
# 6; here the domain loss is a mean of both domains, not their sum, hence 12.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons

X, y, X_tgt, y_tgt = make_shifted_moons(random_state=0)
network = DANNClassifier(
    n_estimators=1,  # one network, on columns as they are
    standardize=None,
    target_prior=None,
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
    random_state=0,
)
networks = {
    name: DANNClassifier(**network.get_params())
    .set_params(lambda_max=lambda_max)
    .fit(X, y, X_tgt)
    for name, lambda_max in (("Source only", 0), ("Adapted", 12))
}
for name, network in networks.items():
    print(f"{name:12s} {network.score(X_tgt, y_tgt):.3f} of the target")


# %%
# Four views of each
# ------------------
low, high = (
    edge(np.concatenate([X, X_tgt]), axis=0) + margin
    for edge, margin in ((np.min, -0.4), (np.max, 0.4))
)
across, up = np.meshgrid(*np.linspace(low, high, 200).T)
plane = np.stack([across.ravel(), up.ravel()], axis=1)


def draw_points(ax, source, target):
    """Draw rows of both domains, those of the source in the color of their class."""
    ax.scatter(*source.T, c=np.where(y == 0, "tab:blue", "tab:red"), s=8)
    ax.scatter(*target.T, color="0.25", s=8, marker="x", linewidths=0.7)
    ax.set(xticks=[], yticks=[])


def draw_plane(ax, values, colors):
    """Color the plane by a score in [0, 1], and the line where it is a half."""
    values = values.reshape(across.shape)
    where = {"extent": (low[0], high[0], low[1], high[1]), "origin": "lower"}
    ax.imshow(values, cmap=colors, alpha=0.45, vmin=0, vmax=1, **where)
    ax.contour(across, up, values, levels=[0.5], colors="black", linewidths=1.5)
    draw_points(ax, X, X_tgt)


def draw_units(ax, layer):
    """Draw the line on which each hidden unit is undecided."""
    draw_points(ax, X, X_tgt)
    x = np.array([low[0], high[0]])
    for (w0, w1), bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
        ax.plot(x, -(w0 * x + bias) / w1, color="tab:green", linewidth=0.8)
    ax.set(xlim=x, ylim=(low[1], high[1]), aspect="equal")


fig, axes = plt.subplots(2, 4, figsize=(13, 5), layout="constrained")
for row, (name, network) in zip(axes, networks.items(), strict=True):
    draw_plane(row[0], network.predict_proba(plane)[:, 1], "RdBu_r")
    features = PCA(2).fit_transform(network.transform(np.concatenate([X, X_tgt])))
    draw_points(row[1], features[: len(X)], features[len(X) :])
    row[1].set_box_aspect((high[1] - low[1]) / (high[0] - low[0]))
    draw_plane(row[2], network.predict_domain(plane), "Greys")
    draw_units(row[3], network.module_.feature_extractor[0])
    row[0].set_ylabel(f"{name}\n{network.score(X_tgt, y_tgt):.1%} of the target")
for ax, title in zip(
    axes[0], ("classes", "features", "domains", "hidden units"), strict=True
):
    ax.set_title(title)
