"""Code that does something else is told from code that does the same."""

import functools
from types import FunctionType, ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from children import run
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdann import DANNClassifier
from skdann._training._identity import hash_code, hash_parts
from skdann.model_selection._search_identity import _hash_setting


def score(estimator, X, y, costs=None):
    return 0.0


def knows(value):
    return lambda *arguments: value


def defaults_to(value):
    return lambda progress, costs=value: costs


def of_module(body, **names):
    """Return a function that finds names in its module."""
    return FunctionType(body.__code__, names)


class Scorer:
    def __init__(self, costs):
        self.costs = costs

    def __call__(self, estimator, X, y):
        return self.costs

    def score(self, estimator, X, y):
        return self.costs


class InSlots:
    __slots__ = ("costs",)

    def __init__(self, costs):
        self.costs = costs


class Many(list):
    pass


def many(costs):
    made = Many([0])
    made.costs = costs
    return made


def class_with(value):
    return type("Part", (nn.Module,), {"value": value})


def layer(weight):
    made = nn.Linear(1, 1)
    nn.init.constant_(made.weight, weight)
    nn.init.zeros_(made.bias)
    return made


def uses(value):
    return of_module(lambda: used(), used=value)  # noqa: F821 - it is of that module


def reads_in_module(value):
    return of_module(lambda: used, used=value)  # noqa: F821 - likewise


def uses_of_module(value):
    module = ModuleType("mine")
    module.used = value
    return of_module(lambda: mine.used(), mine=module)  # noqa: F821 - likewise


def two_of(first, second, third):
    return lambda p: first(p) + 2 * second(p) + 4 * third(p)


def one(*arguments):
    return 1


def two(*arguments):
    return 2


def long(place):
    return torch.arange(5000) == place


def fitted(X):
    return StandardScaler().fit(np.reshape(X, (-1, 1)))


# By what is different: how to make the one, and the other.
DIFFERENT = {
    "a list given": [lambda i=i: functools.partial(score, costs=[i]) for i in (1, 2)],
    "a dict given": [
        lambda i=i: functools.partial(score, costs={0: i}) for i in (1, 2)
    ],
    "a list known": [lambda i=i: knows([i]) for i in (1, 2)],
    "a set known": [lambda i=i: knows({i}) for i in (1, 2)],
    "a default": [lambda i=i: defaults_to([i]) for i in (1, 2)],
    "a method's object": [lambda i=i: Scorer([i]).score for i in (1, 2)],
    "an object": [lambda i=i: Scorer([i]) for i in (1, 2)],
    "an object in slots": [lambda i=i: knows(InSlots(i)) for i in (1, 2)],
    "more than a list": [lambda i=i: knows(many(i)) for i in (1, 2)],
    "a tensor": [lambda i=i: Scorer(torch.tensor([i])) for i in (1, 2)],
    "a long tensor": [lambda i=i: knows(long(i)) for i in (2500, 2501)],
    "a frame": [lambda i=i: knows(pd.DataFrame({"a": [i]})) for i in (1, 2)],
    "a generator": [lambda i=i: knows(np.random.default_rng(i)) for i in (1, 2)],
    "weights": [lambda i=i: knows(layer(i)) for i in (1, 2)],
    "what is fitted": [lambda i=i: knows(fitted([0, i])) for i in (1, 2)],
    "what is frozen": [lambda i=i: FrozenEstimator(fitted([0, i])) for i in (1, 2)],
    "a class in a class": [lambda i=i: class_with(i) for i in (nn.ReLU, nn.Tanh)],
    "a list in a class": [lambda i=i: class_with([i]) for i in (1, 2)],
    "a partial in a class": [
        lambda i=i: class_with(functools.partial(score, costs=i)) for i in (1, 2)
    ],
    "own code in a class": [lambda i=i: class_with(class_with(i)) for i in (1, 2)],
    "a function used": [lambda f=f: uses(f) for f in (one, two)],
    "a class used": [lambda i=i: uses(class_with(i)) for i in (1, 2)],
    "a value used": [lambda i=i: uses(i) for i in (1, 2)],
    "of a module used": [lambda f=f: uses_of_module(f) for f in (one, two)],
    "a cached function": [lambda f=f: functools.lru_cache(f) for f in (one, two)],
    "a wrapped function": [lambda f=f: knows(np.vectorize(f)) for f in (one, two)],
    "which comes again": [lambda f=f: two_of(one, two, f) for f in (one, two)],
}


@pytest.mark.parametrize("tell", [hash_code, _hash_setting])
@pytest.mark.parametrize("kind", DIFFERENT)
def test_what_differs_is_told_and_what_does_not_is_not(kind, tell):
    make, make_other = DIFFERENT[kind]
    assert tell(make()) == tell(make())
    assert tell(make()) != tell(make_other())


class Mine(BaseEstimator):
    kinds = {"x", "y", "z"}

    def fit(self, X, y=None, groups=None):
        return self


def digests():
    """Return digests of code that refers to whatever pickle can't take, and to sets."""
    X = np.arange(8.0).reshape(4, 2)
    network = DANNClassifier(n_estimators=1, max_epochs=1, random_state=0)
    return [
        hash_code(Mine),
        hash_code(Mine().fit),
        hash_code(knows(Mine())),
        hash_code(knows(open)),
        hash_code(knows(iter(()))),
        hash_code(knows(network.fit(X, [0, 1, 0, 1], X))),
    ]


def test_digests_are_the_same_in_another_process():
    code = "import test_identity, warnings; warnings.simplefilter('ignore')\n"
    assert run("-c", f"{code}print(test_identity.digests())").stdout == f"{digests()}\n"


def test_parts_of_a_network_are_told_by_their_layers():
    def network(weight, out=1):
        made = nn.Module()
        made.feature_extractor = nn.Sequential(layer(weight), nn.Linear(1, out))
        return made

    of_code = {"feature_extractor": nn.Linear}
    assert hash_parts(network(1), of_code) == hash_parts(network(2), of_code)
    assert hash_parts(network(1), of_code) != hash_parts(network(1, out=2), of_code)


@pytest.mark.parametrize("kind", ["closure", "attribute", "module"])
def test_what_code_writes_into_is_not_code(kind):
    seen = []
    makers = {"closure": knows, "attribute": Scorer, "module": reads_in_module}
    code = makers[kind](seen)
    before = hash_code(code)
    seen.append(1)
    assert hash_code(code) == before


class NotForPickle(Scorer):
    def __getstate__(self):
        raise TypeError("It holds a lock.")


@pytest.mark.parametrize("kind", [Scorer, NotForPickle])
def test_a_list_in_the_place_of_another_is_told(kind):
    code = kind([1])
    before = hash_code(code)
    code.costs = [2]
    assert hash_code(code) != before
