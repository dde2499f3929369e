"""Tumors measured by two protocols
================================

One laboratory describes a tumor by the *mean* of ten measurements (radius, texture,
smoothness, ...) over the cells in an image; another by their mean over the *three
largest* cells. The breast-cancer data of scikit-learn holds both descriptions of 569
real tumors. Patients are split in three: the source is labelled and measured by the
first protocol, the target is unlabelled and measured by the second, and so are the
patients that the result is measured on.

A classifier of the first laboratory fails in the second, where every tumor looks large.
Domain-adversarial training repairs much of it without one label from there. Where you
can scale each laboratory by itself, try that first: here it repairs more.

Run with ``make demo``; nothing is downloaded.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import DANNClassifier

matplotlib.use("Agg")
import matplotlib.pyplot as plt

sklearn.set_config(enable_metadata_routing=True)


# %%
# Two protocols, disjoint patients
# --------------------------------
def split_patients(seed):
    """Return source X, y; target X, y; and patients for the test, X, y."""
    X, y = load_breast_cancer(return_X_y=True)
    X_mean, X_largest = X[:, :10], X[:, 20:]  # between them: standard errors
    patients = np.arange(len(y))
    rest, test = train_test_split(
        patients, test_size=0.2, stratify=y, random_state=seed
    )
    source, target = train_test_split(
        rest, test_size=0.5, stratify=y[rest], random_state=seed
    )
    return (
        *(X_mean[source], y[source]),
        *(X_largest[target], y[target]),
        *(X_largest[test], y[test]),
    )


# %%
# The target is scaled as the source is
# -------------------------------------
# ``transform_input`` passes ``X_tgt`` through the scaler that was fitted on the source.
def make_network(lambda_max, seed, verbose=0):
    dann = DANNClassifier(lambda_max=lambda_max, random_state=seed, verbose=verbose)
    return Pipeline(
        [("scale", StandardScaler()), ("dann", dann)], transform_input=["X_tgt"]
    )


def accuracies(seed):
    """Test accuracy in the second laboratory, and the two networks."""
    X, y, X_tgt, y_tgt, X_test, y_test = split_patients(seed)
    source_only = make_network(0, seed).fit(X, y, X_tgt=X_tgt)
    adapted = make_network(1, seed, verbose=1).fit(X, y, X_tgt=X_tgt)
    on_target = make_network(0, seed).fit(X_tgt, y_tgt, X_tgt=X_tgt)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    by_itself = LogisticRegression().fit(StandardScaler().fit_transform(X), y)
    X_test_by_itself = StandardScaler().fit(X_tgt).transform(X_test)
    scores = {
        "logistic regression, source only": linear.score(X_test, y_test),
        "network, source only (lambda_max=0)": source_only.score(X_test, y_test),
        "network, adapted (lambda_max=1)": adapted.score(X_test, y_test),
        "logistic regression, each lab scaled by itself": by_itself.score(
            X_test_by_itself, y_test
        ),
        "network, trained on target labels": on_target.score(X_test, y_test),
    }
    return scores, source_only, adapted


# %%
# What the networks see
# ---------------------
def plot_features(networks, X, y, X_tgt, y_tgt, path):
    """Draw the two principal components of each network's features."""
    fig, axes = plt.subplots(1, len(networks), figsize=(10, 4.6), layout="constrained")
    for ax, (title, network) in zip(axes, networks.items(), strict=True):
        features = network.transform(np.concatenate([X, X_tgt]))
        points = PCA(n_components=2).fit_transform(features)
        labels = np.concatenate([y, y_tgt])
        is_target = np.arange(len(labels)) >= len(y)
        for domain, color in (("source", "tab:blue"), ("target", "tab:orange")):
            for label, marker, name in ((0, "x", "malignant"), (1, "o", "benign")):
                shown = (is_target == (domain == "target")) & (labels == label)
                ax.scatter(
                    *points[shown].T,
                    marker=marker,
                    s=22,
                    alpha=0.6,
                    color=color,
                    label=f"{domain}, {name}",
                )
        ax.set(title=title, xlabel="first component", ylabel="second component")
    fig.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4
    )
    fig.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()

    runs = [accuracies(seed) for seed in range(args.seeds)]
    print(f"\nAccuracy in the second laboratory, {args.seeds} splits of the patients:")
    for name in runs[0][0]:
        values = [scores[name] for scores, _, _ in runs]
        print(f"  {name:48s}{np.mean(values):.3f} +- {np.std(values):.3f}")

    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / "tumors_features.png"
    X, y, X_tgt, y_tgt, _, _ = split_patients(0)
    _, source_only, adapted = runs[0]
    networks = {"Source only": source_only, "Adapted": adapted}
    plot_features(networks, X, y, X_tgt, y_tgt, path)
    print(f"Features of both networks: {path}")


if __name__ == "__main__":
    main()
