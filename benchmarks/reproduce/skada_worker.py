"""skada's methods on one pair, in skada's environment.

`skada_worker.py arrays.npz seeds method ...` reads X, y, X_tgt, y_tgt, prepared, and
prints the target accuracy of each method as JSON.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from skada import CORALAdapter, SubspaceAlignmentAdapter, make_da_pipeline
from skada.deep import DANN
from sklearn.linear_model import LogisticRegression
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from skada_head import ReversedHead

WIDTH = 64


class Network(nn.Module):
    """The default network of skdann: 64-64, dropout, a linear classifier."""

    def __init__(self, n_columns, n_classes):
        super().__init__()
        layers = []
        for n_in in (n_columns, WIDTH):
            layers += [nn.Linear(n_in, WIDTH), nn.ReLU(), nn.Dropout(0.25)]
        self.extract = nn.Sequential(*layers)
        self.label = nn.Linear(WIDTH, n_classes)

    def forward(self, X, sample_weight=None):
        return self.label(self.extract(X))


def proper_head():
    layers = []
    for n_in in (WIDTH, 128):
        layers += [nn.Linear(n_in, 128), nn.ReLU()]
    return ReversedHead(nn.Sequential(*layers, nn.Linear(128, 1)))


def make_dann(n_columns, n_classes, n_rows, make_head, seed):
    torch.manual_seed(seed)
    steps_per_epoch = -(-n_rows // 64)
    return DANN(
        Network(n_columns, n_classes),
        layer_name="extract",
        domain_classifier=make_head(),
        num_features=WIDTH,
        batch_size=64,
        max_epochs=max(10, -(-1000 // steps_per_epoch)),
        lr=3e-3,
        optimizer=torch.optim.AdamW,
        train_split=None,
        verbose=0,
    )


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with np.load(sys.argv[1]) as arrays:
        X, y, X_tgt, y_tgt = (arrays[k] for k in ("X", "y", "X_tgt", "y_tgt"))
    n, n_tgt = len(X), len(X_tgt)
    both = np.concatenate([X, X_tgt])
    domain = np.repeat([1, -2], [n, n_tgt])
    labels = np.concatenate([y, np.full(n_tgt, -1)])
    n_components = min(n, n_tgt, X.shape[1])  # its default is more than rows can have
    adapters = {
        "CORAL": CORALAdapter(),
        "subspace alignment": SubspaceAlignmentAdapter(
            n_components=n_components, random_state=0
        ),
    }
    heads = {
        "skada DANN, default head": lambda: None,
        "skada DANN, proper head": proper_head,
    }
    accuracies = {}
    for name in sys.argv[3:]:
        if name in adapters:
            pipe = make_da_pipeline(adapters[name], LogisticRegression(max_iter=1000))
            pipe.fit(both.astype(float), labels, sample_domain=domain)
            predicted = pipe.predict(X_tgt.astype(float), sample_domain=domain[n:])
            accuracies[name] = float(np.mean(predicted == y_tgt))
            continue
        scores = []
        for seed in range(int(sys.argv[2])):
            dann = make_dann(X.shape[1], int(y.max()) + 1, n, heads[name], seed)
            dann.fit(both, labels, sample_domain=domain)
            predicted = dann.predict(X_tgt, sample_domain=domain[n:], allow_source=True)
            scores.append(float(np.mean(predicted == y_tgt)))
        accuracies[name] = scores
    print(json.dumps(accuracies))


if __name__ == "__main__":
    main()
