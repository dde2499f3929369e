"""From MNIST to MNIST-M: the seed paper's first column, by its network and schedules.

`python benchmarks/reproduce/mnist_m.py --data folder` trains all three networks for 20
passes over all 60,000 + 60,000 images, 20 minutes a seed on one core of a CPU;
`--images` and `--epochs` take less. `--gray` blends the digits with their grays, as the
paper prints it, and not with all ink white, as the authors' images are. The target's
labels serve the upper bound and the table. Where t-SNE puts 500 images of each domain,
by the features of each network, is stored for the figure.
"""

import argparse
import sys
import time

import numpy as np
import torch
from record import ROOT, save
from sklearn.manifold import TSNE

from skdann import DANNClassifier
from skdann.datasets import fetch_mnist
from skdann.metrics import proxy_a_distance
from skdann.nn import mnist_network

sys.path.insert(0, str(ROOT / "benchmarks"))
from data import fetch_mnist_m

PUBLISHED = {
    "source only": (0.5225, 0.5749),
    "adapted": (0.7666, 0.8149),
    "on target": (0.9596, 0.9891),
}


def as_network_input(images, mean):
    """Return float32 images of three channels, less the mean of the source."""
    images = np.broadcast_to(images, (len(images), 3, *images.shape[2:]))
    return images.astype(np.float32) / 255 - np.float32(mean)


def with_grays(blended, digits):
    """Return abs(digit - patch), from abs(ink - patch) with all ink white."""
    patches = np.where(digits > 0, 255 - blended, blended)
    return np.maximum(digits, patches) - np.minimum(digits, patches)


def make_classifier(network, lambda_max, epochs, seed):
    """Return a classifier that trains a network as the paper trains them all."""
    return DANNClassifier(
        **network,
        lambda_max=lambda_max,
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        weight_decay=0,
        batch_size=128,
        max_epochs=epochs,
        random_state=seed,
        verbose=1,
    )


def embed(features, features_tgt):
    """Return t-SNE of the features by domain, x and y, as in figure 3 of the paper."""
    of_both = np.concatenate([features, features_tgt])
    points = TSNE(random_state=0).fit_transform(of_both).round(2).T
    n = len(features)
    return {"MNIST": points[:, :n], "MNIST-M": points[:, n:]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=None, help="folder of the files")
    parser.add_argument("--images", type=int, default=60000, help="of each domain")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--lambda-max", type=float, default=1.0)
    parser.add_argument("--gray", action="store_true", help="keep the ink's grays")
    args = parser.parse_args()
    torch.set_num_threads(1)

    digits, y = fetch_mnist(data_home=args.data, return_X_y=True)
    blended, y_tgt = fetch_mnist_m(data_home=args.data, return_X_y=True)
    if args.gray:
        blended = with_grays(blended, digits)
    X_test, y_test = fetch_mnist_m(subset="test", data_home=args.data, return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    mine, theirs = order[: args.images], order[::-1][: args.images]
    mean = digits[mine].mean() / 255
    X, X_tgt = (
        as_network_input(digits[mine], mean),
        as_network_input(blended[theirs], mean),
    )
    X_test = as_network_input(X_test, mean)

    fits = {
        "source only": lambda clf: clf.fit(X, y[mine]),
        "adapted": lambda clf: clf.fit(X, y[mine], X_tgt),
        "on target": lambda clf: clf.fit(X_tgt, y_tgt[theirs]),
    }
    accuracy, distance, features = {}, {}, {}
    for seed in range(args.seeds):
        for name, fit in fits.items():
            lambda_max = args.lambda_max if name == "adapted" else 0
            started = time.perf_counter()
            clf = fit(make_classifier(mnist_network(), lambda_max, args.epochs, seed))
            minutes = (time.perf_counter() - started) / 60
            accuracy.setdefault(name, []).append(clf.score(X_test, y_test))
            of_both = clf.transform(X[:1000]), clf.transform(X_test[:1000])
            apart = proxy_a_distance(*of_both, random_state=0)
            distance.setdefault(name, []).append(apart)
            if seed == 0:
                features[name] = embed(*(part[:500] for part in of_both))
            print(name, seed, accuracy[name][-1], apart, minutes, flush=True)

    low, mid, high = (np.mean(accuracy[name]) for name in fits)
    published = [list(column) for column in zip(*PUBLISHED.values(), strict=True)]
    covered = [(p[1] - p[0]) / (p[2] - p[0]) for p in published]
    rows = [[name, accuracy[name], *PUBLISHED[name], distance[name]] for name in fits]
    rows.append(["gap covered", float((mid - low) / (high - low)), *covered])
    columns = ["", "here", "JMLR", "arXiv v1", "proxy A-distance"]
    save(
        "mnist_m_gray" if args.gray else "mnist_m",
        {"accuracy": {"columns": columns, "rows": rows}},
        seeds=args.seeds,
        images=args.images,
        epochs=args.epochs,
        lambda_max=args.lambda_max,
        features=features,
    )


if __name__ == "__main__":
    main()
