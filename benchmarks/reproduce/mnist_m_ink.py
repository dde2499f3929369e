"""How MNIST-M's digits were blended: with their grays, or with all ink white?

`python benchmarks/reproduce/mnist_m_ink.py --data folder`. First the mean of the
authors' images under ink of each gray; then the accuracy of networks that train on
60,000 digits blended in either way, on 10,000 others made alike and on the authors'.
"""

import argparse
import sys
from itertools import pairwise

import torch
from mnist_m import as_network_input, make_classifier, with_grays
from record import ROOT, save

from skdann.datasets import fetch_mnist
from skdann.nn import mnist_network

sys.path.insert(0, str(ROOT / "benchmarks"))
from data import blend_with_photographs, fetch_mnist_m

GRAYS = [0, 1, 64, 128, 192, 255, 256]


def mean_under_ink(published, digits):
    """Return the mean of the published images where digits have each range of gray."""
    published = published.mean(axis=1)
    digits = digits[: len(published), 0]  # they are MNIST's test digits, in order
    means = []
    for low, high in pairwise(GRAYS):
        under = published[(digits >= low) & (digits < high)]
        means.append([f"{low} to {high - 1}", float(under.mean()) / 255])
    return means


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=None, help="folder of the files")
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    where = {"data_home": args.data}
    digits, y = fetch_mnist(return_X_y=True, **where)
    others, y_others = fetch_mnist(subset="test", return_X_y=True, **where)
    white = fetch_mnist_m(**where).data
    published, y_published = fetch_mnist_m(subset="test", return_X_y=True, **where)
    own = blend_with_photographs(others, args.data, random_state=1)
    mean = digits.mean() / 255
    rows = []
    for name, train, test in (
        ("their grays", with_grays(white, digits), with_grays(own, others)),
        ("all ink white", white, own),
    ):
        network = make_classifier(mnist_network(), 0, args.epochs, 0)
        network.fit(as_network_input(train, mean), y)
        rows.append(
            [
                name,
                network.score(as_network_input(test, mean), y_others),
                network.score(as_network_input(published, mean), y_published),
            ]
        )
        print(rows[-1], flush=True)
    ink_columns = ["gray of the ink", "mean of the published images"]
    columns = ["trained on", "others made alike", "published"]
    tables = {
        "ink": {"columns": ink_columns, "rows": mean_under_ink(published, others)},
        "accuracy": {"columns": columns, "rows": rows},
    }
    save("mnist_m_ink", tables, seeds=1, epochs=args.epochs)


if __name__ == "__main__":
    main()
