"""Facts about other libraries' DANN, shown on the tumors of two laboratories.

`python benchmarks/compare.py` runs each library in its own environment
(`make .venv-bench/ready`) and prints one line for each fact of docs/comparison.md;
`python benchmarks/compare.py NAME` runs one of them, in the Python that it is given to.
"""

import copy
import importlib
import os
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".venv-bench"


def load_tumors():
    """Return X, y of one laboratory and X of another, of other patients, unscaled."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(np.float32)
    return X[:300, :10], y[:300], X[300:, 20:]


def scaled():
    from sklearn.preprocessing import StandardScaler

    X, y, X_tgt = load_tumors()
    scale = StandardScaler().fit(X)
    return scale.transform(X), y, scale.transform(X_tgt)


def say(fact, shown):
    print(f"  {fact}: {shown}", flush=True)


def count_checks(estimator, **kwargs):
    from sklearn.utils.estimator_checks import check_estimator

    checks = check_estimator(estimator, on_fail=None, on_skip=None, **kwargs)
    counts = Counter(check["status"] for check in checks)
    return ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))


def attempt(action):
    """Return what an action says, or its error's first sentence."""
    try:
        return action()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).split('. ')[0]}"


# skdann


def skdann():
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    import skdann
    from skdann.model_selection import target_scorer

    say("version", skdann.__version__)
    classifier = skdann.DANNClassifier(n_estimators=1, random_state=0)
    no_dropout = skdann.DANNClassifier(
        n_estimators=1, dropout=0, max_epochs=80, random_state=0
    )
    say("scikit-learn's estimator checks, without dropout", count_checks(no_dropout))
    X, y, X_tgt = scaled()
    fits = [
        classifier.set_params(lambda_max=peak).fit(X, y, X_tgt).transform(X_tgt)
        for peak in (0, 1)
    ]
    say("lambda 0 and 1 give equal features", np.array_equal(*fits))

    X, y, X_tgt = load_tumors()
    pipe = Pipeline(
        [("scale", StandardScaler()), ("dann", make_listener(classifier))],
        transform_input=["X_tgt"],
    )
    pipe.fit(X, y, X_tgt=X_tgt)
    say("a Pipeline scales the target", is_scaled(pipe[-1].seen_, pipe[0], X_tgt))
    search = GridSearchCV(
        classifier, {"lambda_max": [0, 1]}, cv=2, scoring=target_scorer("infomax")
    )
    say("GridSearchCV", attempt(lambda: search.fit(X, y, X_tgt=X_tgt).best_params_))


def is_scaled(seen, scaler, X_tgt):
    """Say whether rows that a fit got are the target, scaled as the source is."""
    return np.allclose(seen, scaler.transform(X_tgt), atol=1e-4)


def make_listener(classifier):
    """Return a classifier that remembers the target that its fit got."""

    class Listener(type(classifier)):
        def fit(self, X, y, X_tgt=None, **kwargs):
            super().fit(X, y, X_tgt, **kwargs)
            self.seen_ = X_tgt
            return self

    return Listener(**classifier.get_params())


# skada


def skada():
    import torch
    from skada import make_da_pipeline
    from sklearn.model_selection import GridSearchCV
    from sklearn.preprocessing import StandardScaler

    say("version", version("skada"))
    network = make_skada(reg=1)
    network.initialize()
    critic = network.module_.domain_classifier_
    features = torch.randn(64, 64, requires_grad=True)
    answer = critic(features)
    answer.sum().backward()
    say("the default domain classifier ends in", list(critic.modules())[-1])
    say("its answers to 64 random rows", sorted(set(answer.tolist())))
    say("largest gradient that it sends back", float(features.grad.abs().max()))

    X, y, X_tgt = scaled()
    joined = (
        np.concatenate([X, X_tgt]),
        np.concatenate([y, np.full(len(X_tgt), -1)]),
        np.repeat([1, -2], [len(X), len(X_tgt)]),
    )
    for title, head in {"default": None, "logistic": make_head()}.items():
        fits = [weights_of(make_skada(reg, head), *joined) for reg in (0, 1)]
        say(f"reg 0 and 1, {title} head: equal features", np.array_equal(*fits))

    say("scikit-learn's estimator checks", count_checks(make_skada(reg=1)))
    X, y, X_tgt = load_tumors()
    both, labels, domain = np.concatenate([X, X_tgt]), *joined[1:]
    pipe = make_da_pipeline(StandardScaler(), make_skada(reg=1, epochs=2))
    pipe.fit(both, labels, sample_domain=domain)
    mean = pipe[0].base_estimator_.mean_
    both_alike = np.allclose(mean, both.mean(axis=0))
    say("its pipeline scales by the mean of both domains together", both_alike)
    grid = {"criterion__reg": [0, 1]}
    search = GridSearchCV(make_skada(reg=1, epochs=2), grid, cv=2, scoring="accuracy")
    search.fit(*joined[:2], sample_domain=joined[2])
    say("GridSearchCV", search.best_params_)


def make_head():
    import torch
    from skada_head import ReversedHead
    from torch import nn

    torch.manual_seed(1)
    return ReversedHead(nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 1)))


def make_skada(reg, head=None, epochs=20):
    import torch
    from skada.deep import DANN
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.extract = nn.Sequential(nn.Linear(10, 64), nn.ReLU())
            self.label = nn.Linear(64, 2)

        def forward(self, X, sample_weight=None):
            return self.label(self.extract(X))

    torch.manual_seed(0)
    return DANN(
        Network(),
        layer_name="extract",
        num_features=64,
        domain_classifier=copy.deepcopy(head),
        reg=reg,
        batch_size=64,
        max_epochs=epochs,
        optimizer=torch.optim.AdamW,
        lr=3e-3,
        train_split=None,
        verbose=0,
    )


def weights_of(network, X, y, domain):
    import torch

    torch.manual_seed(0)
    network.fit(X, y, sample_domain=domain)
    return network.module_.base_module_.extract[0].weight.detach().numpy()


# ADAPT


def adapt():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    from adapt.feature_based import DANN
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    say("version", version("adapt") + ", scikit-learn " + version("scikit-learn"))

    keras.utils.disable_interactive_logging()

    def make(X_tgt, lambda_=0.1):
        return DANN(
            Xt=X_tgt,
            lambda_=lambda_,
            loss="bce",
            optimizer="adam",
            epochs=2,
            batch_size=64,
            verbose=0,
            random_state=0,
        )

    X, y, X_tgt = scaled()
    n_predicted = len(make(X_tgt).fit(X, y).predict(X_tgt))
    say("fit and predict by themselves, of 269 rows", n_predicted)
    fits = [make(X_tgt, peak).fit(X, y).transform(X_tgt) for peak in (0, 1)]
    say("lambda_ 0 and 1 give equal features", np.array_equal(*fits))
    search = GridSearchCV(make(X_tgt), {"lambda_": [0, 0.1]}, cv=2)
    say("GridSearchCV", attempt(lambda: search.fit(X, y).best_params_))
    say("scikit-learn's estimator checks", attempt(lambda: count_checks(DANN())))
    X, y, X_tgt = load_tumors()
    pipe = make_pipeline(StandardScaler(), make(X_tgt)).fit(X, y)
    seen = pipe[-1].Xt
    say("a Pipeline scales the target", is_scaled(seen, pipe[0], X_tgt))
    say("predict of that Pipeline", attempt(lambda: len(pipe.predict(X_tgt))))


# pytorch-adapt


def pytorch_adapt():
    say("version", version("pytorch-adapt"))
    hidden = "import sys; sys.modules['pkg_resources'] = None; "
    result = subprocess.run(
        [sys.executable, "-c", hidden + "import pytorch_adapt.adapters"],
        capture_output=True,
        text=True,
        check=False,
    )
    error = result.stderr.strip().splitlines()[-1:]
    say("import where setuptools has no pkg_resources", *error or ["works"])
    adapters = importlib.import_module("pytorch_adapt.adapters")
    methods = ["fit", "predict", "get_params", "training_step"]
    have = {name: hasattr(adapters.DANN, name) for name in methods}
    say("methods of its DANN", have)


def version(package):
    from importlib.metadata import version

    return version(package)


LIBRARIES = {
    "skdann": skdann,
    "skada": skada,
    "adapt": adapt,
    "pytorch-adapt": pytorch_adapt,
}


def main():
    for name in LIBRARIES:
        python = ENVIRONMENTS / name / "bin" / "python"
        if name == "skdann":
            python = sys.executable
        print(name, flush=True)
        subprocess.run(
            [python, __file__, name],
            check=False,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:]:
        if sys.argv[1] == "skdann":
            importlib.import_module("sklearn").set_config(enable_metadata_routing=True)
        LIBRARIES[sys.argv[1]]()
    else:
        main()
