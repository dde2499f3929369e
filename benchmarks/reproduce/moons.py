"""The shifted moons (JMLR, section 5.1.1), over seeds: each draws its own moons.

`python benchmarks/reproduce/moons.py`: the paper's shallow network (15 sigmoid units,
linear classifiers, lambda 6, which is 12 here) by plain SGD, and the defaults. The
paper takes one row of each domain a step at .05, 500 passes; ten rows at .5 move
the weights as far in a tenth of the steps.
"""

import argparse

import torch
from joblib import Parallel, delayed
from record import PLAIN, save

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons

SHALLOW = {
    **PLAIN,
    "hidden_layer_sizes": (15,),
    "domain_hidden_layer_sizes": (),
    "activation": "sigmoid",
    "dropout": 0,
    "optimizer": "sgd",
    "momentum": 0,
    "weight_decay": 0,
    "lr": 0.5,
    "lr_schedule": "constant",
    "batch_size": 20,
    "max_epochs": 500,
    "lambda_max": 12,
}
SETTINGS = {
    "15 sigmoid units, lambda constant": {**SHALLOW, "lambda_schedule": "constant"},
    "15 sigmoid units, lambda annealed": SHALLOW,
    "one network of the defaults, 1,000 steps": PLAIN,
}


def run(params, seed):
    torch.set_num_threads(1)
    X, y, X_tgt, y_tgt = make_shifted_moons(random_state=seed)
    params = {**params, "random_state": seed}
    alone = DANNClassifier(**{**params, "lambda_max": 0}).fit(X, y, X_tgt)
    adapted = DANNClassifier(**params).fit(X, y, X_tgt)
    return alone.score(X_tgt, y_tgt), adapted.score(X_tgt, y_tgt)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    rows = []
    for name, params in SETTINGS.items():
        jobs = (delayed(run)(params, seed) for seed in range(args.seeds))
        alone, adapted = zip(*Parallel(n_jobs=args.jobs)(jobs), strict=True)
        rows.append([name, list(alone), list(adapted)])
    columns = ["network", "source only", "adapted"]
    tables = {"accuracy": {"columns": columns, "rows": rows}}
    save("moons", tables, seeds=args.seeds, settings=SETTINGS)


if __name__ == "__main__":
    main()
