"""Why features may tell the domains apart better after adapting than before.

`python benchmarks/reproduce/critic.py raw --data folder`: on one pair of reviews, as
counts of words or (`msda`) as autoencoders see them, the paper's shallow network by two
optimizers, with a linear and a deeper domain classifier, over lambda. The proxy
A-distance of the features says what a classifier trained afresh finds in them; the
accuracy of the network's own domain classifier, over the last ten epochs, whether it
keeps up: 1/2 is a balance, far below is a classifier outrun.
"""

import argparse
import warnings

import numpy as np
import torch
from amazon import PLAIN_SGD, SHALLOW, load_pair, represent
from record import PLAIN, save

from skdann import DANNClassifier
from skdann.metrics import proxy_a_distance

LAMBDAS = [0, 0.02, 0.2, 2]
OPTIMIZERS = {
    "raw": {
        "sgd": {**PLAIN_SGD, "lr": 0.1, "max_epochs": 64},
        "adamw": {"lr": 1e-3},
    },
    "msda": {"sgd": {**PLAIN_SGD, "lr": 1e-2}, "adamw": {"lr": 1e-4}},
}
CRITICS = {"linear": (), "128-128": (128, 128)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("representation", choices=list(OPTIMIZERS))
    parser.add_argument("--data", default=None, help="folder of the files")
    parser.add_argument("--pair", default="books>kitchen")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    name = args.representation
    X, y, X_tgt, _, X_test, y_test = load_pair(args.pair, args.data)
    X, X_tgt, X_test = represent(name, X, X_tgt, X_test)
    rows = []
    for optimizer, options in OPTIMIZERS[name].items():
        for critic, sizes in CRITICS.items():
            for lambda_max in LAMBDAS:
                distance, own, accuracy = [], [], []
                for seed in range(args.seeds):
                    params = {**SHALLOW, **options, "domain_hidden_layer_sizes": sizes}
                    clf = DANNClassifier(
                        **PLAIN,
                        **params,
                        hidden_layer_sizes=(50,),
                        lambda_max=lambda_max,
                        random_state=seed,
                    ).fit(X, y, X_tgt)
                    features = clf.transform(X), clf.transform(X_tgt)
                    distance.append(proxy_a_distance(*features, random_state=0))
                    own.append(np.mean(clf.history_[-10:, "domain_accuracy"]))
                    accuracy.append(clf.score(X_test, y_test))
                rows.append([optimizer, critic, lambda_max, distance, own, accuracy])
                print(rows[-1], flush=True)
    columns = ["optimizer", "domain classifier", "lambda_max", "proxy A-distance"]
    columns += ["its own accuracy", "target accuracy"]
    tables = {"distance": {"columns": columns, "rows": rows}}
    options = {"network": SHALLOW, "optimizers": OPTIMIZERS[name]}
    save(f"critic_{name}", tables, seeds=args.seeds, pair=args.pair, **options)


if __name__ == "__main__":
    main()
