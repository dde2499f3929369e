"""Figures of stored results: `python benchmarks/reproduce/figures.py --output folder`.

Distances of the domains before and after adapting (JMLR, figure 3), features of images
before and after (the seed paper, figure 3), and accuracy against the number of labelled
target rows.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure  # of no window
from record import RESULTS

COLORS = {"input": "0.6", "network alone": "tab:blue", "DANN": "tab:orange"}


def load(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def plot_distances(path):
    """Draw the proxy A-distance of each pair of reviews."""
    table = load("amazon_raw")["tables"]["distance"]
    pairs = [row[0] for row in table["rows"][:-1]]
    fig = Figure(figsize=(9, 3.8), layout="constrained")
    ax = fig.subplots()
    where = np.arange(len(pairs))
    for i, (name, color) in enumerate(COLORS.items()):
        values = [row[1 + i] for row in table["rows"][:-1]]
        ax.bar(where + 0.27 * (i - 1), values, 0.25, color=color, label=name)
    ax.set_xticks(where, [pair.replace(">", "\nto\n") for pair in pairs], fontsize=8)
    ax.set(ylabel="proxy A-distance", ylim=(0, 2.05))
    fig.legend(loc="outside upper center", ncols=3, frameon=False)
    fig.savefig(path, dpi=110)


def plot_few_labels(path):
    """Draw accuracy against the number of labelled target rows."""
    tables = load("few_labels")["tables"]
    fig = Figure(figsize=(10, 4.2), layout="constrained")
    axes = fig.subplots(1, len(tables))
    for ax, (data_set, table) in zip(axes, tables.items(), strict=True):
        numbers = [row[0] for row in table["rows"]]
        for column, method in enumerate(table["columns"][1:], start=1):
            cells = [row[column] or [np.nan] for row in table["rows"]]
            mean, deviation = (
                np.array([f(cell) for cell in cells]) for f in (np.mean, np.std)
            )
            (line,) = ax.plot(range(len(numbers)), mean, marker="o", label=method)
            ax.fill_between(
                range(len(numbers)),
                mean - deviation,
                mean + deviation,
                color=line.get_color(),
                alpha=0.15,
            )
        ax.set_xticks(range(len(numbers)), numbers)
        ax.set(title=data_set, xlabel="labelled target rows", ylabel="accuracy")
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
    fig.savefig(path, dpi=110)


def plot_features(path):
    """Draw where t-SNE puts the features of images of both domains."""
    features = load("mnist_m")["settings"]["features"]
    fig = Figure(figsize=(10, 4), layout="constrained")
    axes = fig.subplots(1, len(features))
    for ax, (network, of_domains) in zip(axes, features.items(), strict=True):
        for (domain, points), color in zip(
            of_domains.items(), ("tab:blue", "tab:red"), strict=True
        ):
            ax.scatter(*points, s=5, color=color, alpha=0.6, label=domain)
        ax.set(title=network, xticks=[], yticks=[])
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
    fig.savefig(path, dpi=110)


FIGURES = {
    "amazon_raw": plot_distances,
    "few_labels": plot_few_labels,
    "mnist_m": plot_features,
}


def draw_all(folder):
    """Draw what is stored into a folder; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, plot in FIGURES.items():
        if (RESULTS / f"{name}.json").exists():
            paths.append(folder / f"{name}.png")
            plot(paths[-1])
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    args = parser.parse_args()
    print(*draw_all(args.output), sep="\n")


if __name__ == "__main__":
    main()
