"""Sources weighted by how hard they are (MDAN, soft), beside several joined to one.

`python benchmarks/reproduce/weighted_sources.py [--data folder]`. Zhao et al. 2018,
"Adversarial Multiple Source Domain Adaptation": a domain classifier for each source
against the target, and the soft maximum of the losses of the sources, whose gradient
weighs each by the exponential of its loss.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the networks are small

import sys
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from record import save
from several_sources import SITES, joined
from torch.nn.functional import cross_entropy, one_hot, softplus

from skdann import DANNClassifier
from skdann._training._dense_engine import DenseEngine
from skdann._training._objective import LOSS_TERMS, LossTerm
from skdann.nn import label_loss

sys.path.append(str(Path(__file__).parents[1]))

from by_autograd import take_all_steps_by_autograd

DATA_SETS = ("heart", "twin-gas", "office")
N_SEEDS = 1
GAMMA = 10.0  # of the authors' code
TINY = 1e-12


def soft_maximum(outputs, batch, n_sources):
    """Return what makes of the label loss of all rows the soft maximum over sources."""
    n = batch.n_labelled
    of_source = one_hot(batch.group[..., :n], n_sources + 1)[..., :n_sources]
    n_rows = of_source.sum(-2)
    logits = outputs.label_logits[..., :n, :]
    of_rows = cross_entropy(logits.flatten(0, -2), batch.y.flatten(), reduction="none")
    of_rows = of_rows.view(batch.y.shape).unsqueeze(-1)
    label = (of_source * of_rows).sum(-2) / n_rows.clamp_min(1)
    weight = batch.domain_weight.unsqueeze(-1)
    source, target = of_source * weight[..., :n, :], weight[..., n:, :]
    source, target = (
        w / w.sum(-2, keepdim=True).clamp_min(TINY) for w in (source, target)
    )
    d = outputs.domain_logits[..., :n_sources]
    domain = source * softplus(d[..., :n, :])
    domain = (domain.sum(-2) + (target * softplus(-d[..., n:, :])).sum(-2)) / 2
    losses = torch.where(n_rows > 0, label + domain, -torch.inf)
    soft = torch.logsumexp(GAMMA * losses, -1) / GAMMA
    return soft - label_loss(logits, batch.y)


@contextmanager
def trained_by(loss):
    """Have the domain classifier, and all that is behind it, trained by this loss."""
    plain, unsupported = LOSS_TERMS["domain"], DenseEngine.unsupported
    LOSS_TERMS["domain"] = LossTerm(loss, needs_target=True)
    take_all_steps_by_autograd()
    try:
        yield
    finally:
        LOSS_TERMS["domain"] = plain
        DenseEngine.unsupported = staticmethod(unsupported)


def accuracies(data_set, target, seed, data):
    """Return the accuracy of the sources joined, told apart, and weighted."""
    X, y, X_tgt, y_tgt, site = joined(data_set, target, data)
    groups = DANNClassifier(domain_classes="groups", random_state=seed)
    found = {}
    joined_to_one = DANNClassifier(random_state=seed).fit(X, y, X_tgt)
    found['DANN, "binary"'] = joined_to_one.score(X_tgt, y_tgt)
    with trained_by(partial(soft_maximum, n_sources=len(set(site)))):
        groups.fit(X, y, X_tgt, groups=site)
    found["MDAN, soft"] = groups.score(X_tgt, y_tgt)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the files; the cache if none")
    data = parser.parse_args().data
    warnings.simplefilter("ignore")  # of domains that differ as they are meant to
    means = {}
    for data_set in DATA_SETS:
        for seed in range(N_SEEDS):
            of_targets = [accuracies(data_set, s, seed, data) for s in SITES[data_set]]
            for name in of_targets[0]:
                mean = float(np.mean([found[name] for found in of_targets]))
                means.setdefault(name, {}).setdefault(data_set, []).append(mean)
            print(data_set, seed, of_targets, flush=True)
    rows = [
        [name, *of_sets.values(), list(np.mean(list(of_sets.values()), axis=0))]
        for name, of_sets in means.items()
    ]
    table = {"columns": ["", *DATA_SETS, "mean"], "rows": rows}
    save("weighted_sources", {"all_to_one": table}, seeds=N_SEEDS)


if __name__ == "__main__":
    main()
