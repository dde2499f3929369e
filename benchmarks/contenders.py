"""The contenders: each trains the same network on the same rows for the same steps.

A contender is made from a :class:`Task`; its ``fit`` returns the number of steps and
its ``predict`` labels. A module is imported only where its contender is made, so that
each can live in an environment of its own.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from plain import PLAIN


@dataclass(frozen=True)
class Task:
    """Sizes of the data, the network and the training."""

    n_rows: int = 6400
    n_features: int = 50
    hidden: tuple = (64, 64)
    domain_hidden: tuple = (128, 128)
    batch: int = 128
    steps: int = 200
    dropout: float = 0.25
    lr: float = 3e-3
    dtype: str = "float32"
    density: float = 1.0

    @property
    def steps_per_epoch(self):
        return -(-self.n_rows // (self.batch // 2))

    @property
    def epochs(self):
        return max(1, self.steps // self.steps_per_epoch)

    def data(self):
        """Return X, y, X_tgt: classes that a plane parts, a target that has moved.

        Sparse matrices if not all of their values are there.
        """
        if self.density < 1:
            return self._sparse_data()
        rng = np.random.default_rng(0)
        shape = self.n_rows, self.n_features
        X = rng.standard_normal(shape, dtype=np.float32).astype(self.dtype, copy=False)
        y = (X[:, 0] > 0).astype(np.int64)
        X_tgt = rng.standard_normal(shape, dtype=np.float32) + np.float32(0.5)
        return X, y, X_tgt.astype(self.dtype, copy=False)

    def _sparse_data(self):
        from scipy import sparse

        X, X_tgt = (
            sparse.random(
                *(self.n_rows, self.n_features, self.density),
                format="csr",
                dtype=self.dtype,
                random_state=seed,
            )
            for seed in range(2)
        )
        y = (np.asarray(X[:, :50].sum(1)).ravel() > 0).astype(np.int64)
        return X, y, X_tgt


class Skdann:
    def __init__(self, task):
        from skdann import DANNClassifier

        self.classifier = DANNClassifier(
            **PLAIN,
            hidden_layer_sizes=task.hidden,
            domain_hidden_layer_sizes=task.domain_hidden,
            dropout=task.dropout,
            batch_size=task.batch,
            lr=task.lr,
            max_epochs=task.epochs,
            random_state=0,
        )

    def fit(self, X, y, X_tgt):
        self.classifier.fit(X, y, X_tgt)
        return self.classifier.history_[-1, "n_steps"]

    def predict(self, X):
        return self.classifier.predict(X)


class SkdannByAutograd(Skdann):
    """The same, as if no network were of dense layers alone."""

    def __init__(self, task):
        from by_autograd import take_all_steps_by_autograd

        take_all_steps_by_autograd()
        super().__init__(task)


def make_networks(task):
    """Return feature extractor, label classifier and domain classifier in torch."""
    import torch
    from torch import nn

    def layers(sizes, dropout):
        for n_in, n_out in pairwise(sizes):
            yield from (nn.Linear(n_in, n_out), nn.ReLU())
            if dropout:
                yield nn.Dropout(dropout)

    n_hidden = task.hidden[-1]
    parts = (
        nn.Sequential(*layers((task.n_features, *task.hidden), task.dropout)),
        nn.Linear(n_hidden, 2),
        nn.Sequential(
            *layers((n_hidden, *task.domain_hidden), 0),
            nn.Linear(task.domain_hidden[-1], 1),
        ),
    )
    return [part.to(getattr(torch, task.dtype)) for part in parts]


class TorchLoop:
    """What a practiced hand writes: one gather a domain, one forward, fused AdamW."""

    def __init__(self, task):
        self.task = task

    def fit(self, X, y, X_tgt):
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

        class Reverse(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, strength):
                ctx.strength = strength
                return x.view_as(x)

            @staticmethod
            def backward(ctx, gradient):
                return -ctx.strength * gradient, None

        task, half = self.task, self.task.batch // 2
        torch.manual_seed(0)
        self.networks = extract, label, domain = make_networks(task)
        weights = [w for network in self.networks for w in network.parameters()]
        optimizer = torch.optim.AdamW(weights, lr=task.lr, fused=True)
        X, y, X_tgt = map(torch.from_numpy, (X, y, X_tgt))
        is_target = (torch.arange(2 * half) >= half).to(X.dtype)
        left, left_tgt = torch.empty(2, 0, dtype=torch.long)
        n_steps = task.epochs * task.steps_per_epoch
        for step in range(n_steps):
            if len(left) < half:
                left = torch.cat([left, torch.randperm(len(X))])
            if len(left_tgt) < half:
                left_tgt = torch.cat([left_tgt, torch.randperm(len(X_tgt))])
            rows, left = left[:half], left[half:]
            rows_tgt, left_tgt = left_tgt[:half], left_tgt[half:]
            progress = step / n_steps
            strength = 2 / (1 + math.exp(-10 * progress)) - 1
            for group in optimizer.param_groups:
                group["lr"] = task.lr / (1 + 10 * progress) ** 0.75
            features = extract(torch.cat([X[rows], X_tgt[rows_tgt]]))
            logits = domain(Reverse.apply(features, strength)).squeeze(1)
            loss = cross_entropy(label(features[:half]), y[rows])
            loss = loss + binary_cross_entropy_with_logits(logits, is_target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return n_steps

    def predict(self, X):
        import torch

        extract, label, _ = (network.eval() for network in self.networks)
        with torch.inference_mode():
            return label(extract(torch.from_numpy(X))).argmax(1).numpy()


class Skada:
    """Its DANN with a domain classifier of one logistic unit: the default has none."""

    def __init__(self, task):
        import torch
        from skada.deep import DANN
        from skada_head import ReversedHead
        from torch import nn

        extract, label, domain = make_networks(task)

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.extract, self.label = extract, label

            def forward(self, X, sample_weight=None):
                return self.label(self.extract(X))

        self.net = DANN(
            Network(),
            layer_name="extract",
            domain_classifier=ReversedHead(domain),
            batch_size=task.batch // 2,  # rows of each domain
            max_epochs=task.epochs,
            lr=task.lr,
            optimizer=torch.optim.AdamW,
            optimizer__fused=True,
            train_split=None,
            verbose=0,
        )

    def fit(self, X, y, X_tgt):
        n_target = len(X_tgt)
        self.net.fit(
            np.concatenate([X, X_tgt]),
            np.concatenate([y, np.full(n_target, -1)]),
            sample_domain=np.repeat([1, -2], [len(X), n_target]),
        )
        return sum(len(epoch["batches"]) for epoch in self.net.history)

    def predict(self, X):
        return self.net.predict(X, sample_domain=np.full(len(X), -2), allow_source=True)


class Adapt:
    def __init__(self, task):
        import os

        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras
        from adapt.feature_based import DANN

        dense = keras.layers.Dense
        self.task = task
        encoder = []
        for width in task.hidden:
            encoder += [dense(width, "relu"), keras.layers.Dropout(task.dropout)]
        hidden = [dense(width, "relu") for width in task.domain_hidden]
        self.model = DANN(
            encoder=keras.Sequential(encoder),
            task=keras.Sequential([dense(1, "sigmoid")]),
            discriminator=keras.Sequential([*hidden, dense(1, "sigmoid")]),
            lambda_=1.0,
            loss="bce",
            optimizer=keras.optimizers.AdamW(task.lr),
            verbose=0,
        )

    def fit(self, X, y, X_tgt):
        task = self.task
        self.model.fit(
            X,
            y.astype(X.dtype),
            Xt=X_tgt,
            epochs=task.epochs,
            batch_size=task.batch // 2,
        )
        return task.epochs * task.steps_per_epoch

    def predict(self, X):
        return self.model.predict(X)[:, 0] > 0.5


class PytorchAdapt:
    """Its DANN adapter, fed by the gathers of :class:`TorchLoop`."""

    def __init__(self, task):
        import torch
        from pytorch_adapt.adapters import DANN
        from pytorch_adapt.containers import Models, Optimizers

        self.task = task
        extract, label, domain = make_networks(task)
        domain = torch.nn.Sequential(domain, torch.nn.Flatten(0))
        self.adapter = DANN(
            models=Models({"G": extract, "C": label, "D": domain}),
            optimizers=Optimizers((torch.optim.AdamW, {"lr": task.lr, "fused": True})),
        )

    def fit(self, X, y, X_tgt):
        import torch

        task, half = self.task, self.task.batch // 2
        X, y, X_tgt = map(torch.from_numpy, (X, y, X_tgt))
        domains = torch.zeros(half), torch.ones(half)
        n_steps = task.epochs * task.steps_per_epoch
        for _ in range(n_steps):
            rows, rows_tgt = (torch.randint(len(A), (half,)) for A in (X, X_tgt))
            batch = {
                "src_imgs": X[rows],
                "src_labels": y[rows],
                "src_domain": domains[0],
                "target_imgs": X_tgt[rows_tgt],
                "target_domain": domains[1],
            }
            self.adapter.training_step(batch)
        return n_steps

    def predict(self, X):
        import torch

        models = self.adapter.models
        with torch.inference_mode():
            return models["C"](models["G"](torch.from_numpy(X))).argmax(1).numpy()


class SklearnMLP:
    """No adaptation and no dropout: only for scale. A step has the source's rows."""

    def __init__(self, task):
        from sklearn.neural_network import MLPClassifier

        self.task = task
        self.classifier = MLPClassifier(
            task.hidden,
            batch_size=min(task.batch // 2, task.n_rows),
            max_iter=task.epochs,
            n_iter_no_change=task.epochs,
            learning_rate_init=task.lr,
            random_state=0,
        )

    def fit(self, X, y, X_tgt):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged: so it should be
            self.classifier.fit(X, y)
        return self.classifier.n_iter_ * self.task.steps_per_epoch

    def predict(self, X):
        return self.classifier.predict(X)


# name -> (class, environment that it lives in)
CONTENDERS = {
    "skdann": (Skdann, "skdann"),
    "by autograd": (SkdannByAutograd, "skdann"),
    "torch loop": (TorchLoop, "skdann"),
    "skada": (Skada, "skada"),
    "adapt": (Adapt, "adapt"),
    "pytorch-adapt": (PytorchAdapt, "pytorch-adapt"),
    "sklearn MLP": (SklearnMLP, "skdann"),
}
