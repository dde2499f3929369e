"""Two moons, turned
=================

Figure 2 of Ganin et al. (JMLR 2016): the source is two moons, the target the same
moons turned by 35 degrees, without labels. A source-only network of 15 hidden units
draws its boundary between the source's moons; the same network, adapted, turns it
towards the target's. Four views, as in the paper: the boundary between the classes; the
principal components of the features; where the domain classifier predicts the target;
the hidden units.

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
# The boundary between the classes
# --------------------------------
# Dots are the source, in the colors of its classes; crosses are the target. The plane
# has the colors of what the adapted network predicts.
low, high = (
    edge(np.concatenate([X, X_tgt]), axis=0) + margin
    for edge, margin in ((np.min, -0.4), (np.max, 0.4))
)
across, up = np.meshgrid(*np.linspace(low, high, 200).T)
plane = np.stack([across.ravel(), up.ravel()], axis=1)


def draw_points(ax, source, target):
    """Draw rows of both domains, those of the source in the color of their class."""
    ax.scatter(*source.T, c=np.where(y == 0, "tab:blue", "tab:red"), s=8)
    ax.scatter(*target.T, color="0.25", s=12, marker="x", linewidths=0.8)
    ax.set(xticks=[], yticks=[])


def draw_plane(ax, values, colors):
    """Color the plane by a score in [0, 1]."""
    where = {"extent": (low[0], high[0], low[1], high[1]), "origin": "lower"}
    shape = across.shape
    ax.imshow(values.reshape(shape), cmap=colors, alpha=0.45, vmin=0, vmax=1, **where)
    draw_points(ax, X, X_tgt)


def draw_boundary(ax, values, **style):
    """Draw the line where a score is a half."""
    line = ax.contour(
        across, up, values.reshape(across.shape), levels=[0.5], colors="black", **style
    )
    return line.legend_elements()[0][0]


fig, ax = plt.subplots(figsize=(5.6, 4), layout="constrained")
predicted = {name: net.predict_proba(plane)[:, 1] for name, net in networks.items()}
draw_plane(ax, predicted["Adapted"], "RdBu_r")
lines = [
    draw_boundary(ax, values, linestyles=style, linewidths=2.5)
    for values, style in zip(predicted.values(), ("dotted", "solid"), strict=True)
]
names = [f"{n}: {net.score(X_tgt, y_tgt):.1%}" for n, net in networks.items()]
ax.legend(lines, names, title="of the target right", loc="upper left")


# %%
# The features
# ------------
# Their first two principal components. Before, there are stretches of one domain alone;
# after, both are nearly everywhere.
def draw_both(draw):
    """Make a figure of both networks, side by side."""
    axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")[1]
    for ax, (name, network) in zip(axes, networks.items(), strict=True):
        draw(ax, network)
        ax.set_title(name)


def draw_features(ax, network):
    """Draw the principal components of the features."""
    features = PCA(2).fit_transform(network.transform(np.concatenate([X, X_tgt])))
    draw_points(ax, features[: len(X)], features[len(X) :])


draw_both(draw_features)


# %%
# The domains
# -----------
# The darker the plane, the surer the domain classifier is of the target; the line is
# where it is undecided. After adapting it is nearly so everywhere.
def draw_domains(ax, network):
    """Draw what the domain classifier predicts."""
    values = network.predict_domain(plane)
    draw_plane(ax, values, "Greys")
    draw_boundary(ax, values, linewidths=1.5)


draw_both(draw_domains)


# %%
# The hidden units
# ----------------
# Each is drawn as the line on which its output is one half. Before, nearly all run one
# way, many in two bundles; after, they run in more directions.
def draw_units(ax, network):
    """Draw the line on which each hidden unit is undecided."""
    draw_points(ax, X, X_tgt)
    layer = network.module_.feature_extractor[0]
    x = np.array([low[0], high[0]])
    for (w0, w1), bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
        ax.plot(x, -(w0 * x + bias) / w1, color="tab:green", linewidth=0.8)
    ax.set(xlim=x, ylim=(low[1], high[1]), aspect="equal")


draw_both(draw_units)
