"""Damage and forge files, load them, and train on: what comes of it, counted.

`hostile.py seconds seed` prints the counts. To be run with ``tests`` in PYTHONPATH. The
files are tried in a process of its own: one that is killed by a signal is counted, and
another goes on behind the file that did it.
"""

import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from helpers import SMALL, bits, make_domains
from safetensors import safe_open
from safetensors.numpy import save as save_tensors
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from skorch.callbacks import Callback

import skdann
from skdann._io._container import FORMAT, _digest, read_file, write_file
from skdann.exceptions import DivergenceError

# A file may be worth a few of these; what it was forged from has a thousandth.
MAX_SECONDS = 30
MAX_GROWTH_KIB = 300 * 1024

ALLOWED = {"refused", "the same", "another"}


class StopAt(Callback):
    """End a training in an epoch, so that a checkpoint is left to go on from."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


MODELS = {
    "adamw": {"dropout": 0.2},
    "ensemble": {"n_estimators": 2, "standardize": "domain", "optimizer": "sgd"},
    "checkpoint": {"optimizer": "adam", "early_stopping": True, "max_epochs": 6},
}


# What holds others, and is not trained on: a transformer's state is never trained.
WHOLES = {
    "pipeline": lambda: make_pipeline(
        SimpleImputer(add_indicator=True),
        make_union(
            KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"),
            ColumnTransformer([("ranks", QuantileTransformer(n_quantiles=9), [1])]),
            OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=3),
            make_pipeline(PolynomialFeatures(2), StandardScaler(), PCA(3)),
        ),
        skdann.DANNClassifier(**{**SMALL, "lambda_max": 0}),
    ),
    "forest": lambda: skdann.BaselineClassifier(
        RandomForestClassifier(3, max_depth=4, random_state=0), standardize="quantile"
    ),
}


def make_files(folder):
    """Write what is to be damaged: models, and a checkpoint of half a training."""
    X, y, X_tgt, _ = make_domains()
    labels = np.array(["ill", "well"])[y]
    for name, params in MODELS.items():
        clf = skdann.DANNClassifier(**{**SMALL, **params})
        if name == "checkpoint":
            path = folder / name
            clf.set_params(
                checkpoint=path, checkpoint_interval=1, callbacks=[StopAt(5)]
            )
        clf.fit(X, labels, X_tgt)
        if name != "checkpoint":
            skdann.save(clf, folder / name)
    for name, make in WHOLES.items():
        skdann.save(make().fit(X, labels), folder / name)


def damaged(data, rng):
    """Return the bytes with a few of them flipped, cut, doubled, or put elsewhere."""
    weights = 8 + int.from_bytes(data[:8], "little")
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 8])):
        # a length; names and shapes; the rest of the JSON; the arrays
        places = [(0, 8), (8, 200), (8, weights), (weights, len(data))]
        start, end = rng.choice(places)
        i = rng.randrange(min(start, len(data) - 1), max(1, min(end, len(data))))
        n = rng.randrange(1, 64)
        kind = rng.choice(["flip", "flip", "flip", "byte", "cut", "insert", "copy"])
        if kind == "flip":
            data[i] ^= 1 << rng.randrange(8)
        elif kind == "byte":
            data[i] = rng.randrange(256)
        elif kind == "cut":
            del data[i : i + n]
        elif kind == "insert":
            data[i:i] = rng.randbytes(n)
        else:
            data[i : i + n] = data[-n:]
        if not data:
            break
    return bytes(data)


INTEGERS = [-1, 0, 1, 2, 3, 2**31, 2**53, 2**61 - 1, 2**63, 2**64 - 1, 2**127, 10**40]
VALUES = [None, True, False, 0.5, -0.5, 1e-300, 1e308, float("nan"), float("inf")]
VALUES += [*INTEGERS, "", "x", "float32", "float64", [], [[]], {}, {0: 1}, (), (16,)]
VALUES += [[0], [10**9, 10**9], ["a", "b"], {"code of": "os"}, [1] * 3000, "x" * 9999]

# Where files are forged: anywhere, or in what nobody looks at before training goes on.
PLACES = {
    "anywhere": [()],
    "parameters": [("estimator", "parameters")],
    "what is known of the data": [("estimator",)],
    "optimizer": [("net", "optimizer", "state"), ("net", "optimizer", "param_groups")],
    "options": [("net", "optimizer", "param_groups", 0)],
    "counters": [("net", "counters"), ("net",)],
    "history": [("net", "history")],
    "generators": [("net", "generators")],
    "run": [("run",), ("run", "best")],
    "model": [("whole", "state")],
    "steps": [("whole", "parameters", "steps", i, 1, ":object") for i in range(2)],
    "steps within": [
        (
            *("whole", "parameters", "steps", 1, 1, ":object", "parameters"),
            *("transformer_list", i, 1, ":object"),
        )
        for i in range(4)
    ],
}


def forged(tree, rng):
    """Return the tree with some values replaced by others, nested anywhere."""
    tree = copy_tree(tree)
    places = PLACES[rng.choice(list(PLACES))]
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = tree
        for key in rng.choice(places):  # some may have been forged before
            with suppress(LookupError, TypeError):
                place = place[key]
        _forge_within(place if isinstance(place, dict | list | tuple) else tree, rng)
    return tree


def _forge_within(place, rng):
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        if not keys:
            return
        key = rng.choice(list(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.9:
            place = inner
            continue
        _forge_entry(place, key, rng)
        return


def _forge_entry(place, key, rng):
    """Replace, remove, rename or exchange an entry."""
    kind = rng.choice(["value"] * 5 + ["number", "number", "remove", "swap", "key"])
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    if kind == "remove":
        del place[key]
    elif kind == "swap":
        other = rng.choice(keys)
        place[key], place[other] = place[other], place[key]
    elif kind == "key" and isinstance(place, dict):
        place[rng.choice([*INTEGERS, "x", "", None, 0.5, "$array"])] = place.pop(key)
    elif kind == "number" and type(place[key]) in (int, float):
        place[key] = rng.choice([-1, 2, 0, 1e30, 1 + 1e-9]) * place[key]
    else:
        place[key] = _other(place[key], rng)


CHANGES = [
    lambda a: a * np.nan,
    lambda a: -a,
    lambda a: a * 1e300,
    lambda a: a[..., :0],
    lambda a: a[..., :1],
    lambda a: a[None],
    lambda a: a.T,
    lambda a: a.ravel()[:1].reshape(()),
    lambda a: a.ravel(),
    lambda a: np.concatenate([a.ravel()] * 3),
    lambda a: a.astype(np.int8),
    lambda a: a.astype(np.float16),
    lambda a: a.astype(np.float32 if a.dtype == np.float64 else np.float64),
    lambda a: np.zeros((2, *a.shape), a.dtype),
    lambda a: np.array(["x" * 30, *"abc"]),
]


def _other(value, rng):
    if isinstance(value, np.ndarray) and rng.random() < 0.9:
        with np.errstate(all="ignore"):
            try:
                return rng.choice(CHANGES)(value)
            except (TypeError, ValueError, IndexError):
                return np.zeros(())
    return copy_tree(rng.choice(VALUES))


def copy_tree(tree):
    """Return a copy of dicts, lists and tuples, to be changed."""
    if isinstance(tree, dict):
        return {key: copy_tree(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(copy_tree(value) for value in tree)
    return tree


def rewritten(data, rng, folder):
    """Return a file whose text says what no writer of ours would: bombs and riddles."""
    (folder / "whole").write_bytes(data)
    with safe_open(folder / "whole", framework="numpy") as file:
        text = file.metadata()["tree"]
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    names = sorted(arrays, key=int)
    wide = json.dumps(["x" * 20_000] + ["y"] * 2_000)
    collisions = ", ".join(f"[{i * (2**61 - 1)}, 0]" for i in range(3_000))
    deep = "[" * rng.choice([50, 5_000]) + "0"
    bomb = rng.choice(
        [
            f'{{"$array": "{rng.choice(names)}"}}',
            f'{{"$objects": {wide}, "kind": "U"}}',
            f'{{"$objects": {wide}, "kind": "O"}}',
            f'{{"$items": [{collisions}]}}',
            '{"$items": [[[1], 2]]}',
            '{"$tuple": 3}',
            '{"$tuple": {"$array": "0"}}',
            '{"$objects": [[1, 2], [3]], "kind": "O"}',
            "9" * rng.choice([50, 4_000, 5_000]),
            "-" + "9" * 400 + ".5",
            deep + deep.replace("[", "]").replace("0", ""),
        ]
    )
    # in place of an array, a number or a list, wherever it is
    array = json.dumps({"$array": rng.choice(names)})
    spots = [array, "null", "0.003", "[]", "16"]
    spot = rng.choice([s for s in spots if s in text])
    text = text.replace(spot, bomb, rng.choice([1, 1, -1]))
    metadata = {"skdann": str(FORMAT), "sha256": _digest(text, arrays), "tree": text}
    return save_tensors(arrays, metadata)


def judge(path, X, expected):
    """Load a file and predict; return what came of it, and the classifier if any."""
    try:
        clf = skdann.load(path)
    except ValueError as error:
        is_clear = str(path) in str(error) and len(str(error)) < 1000
        return ("refused" if is_clear else f"unclear: {error}"), None
    except Exception as error:
        return f"wrong error: {error!r}", None
    vars(clf).pop("feature_names_in_", None)  # X has no names to compare them with
    try:
        P = clf.predict_proba(X)
    except ValueError as error:
        # steps that do not go together are told apart by scikit-learn
        is_told = "net" not in read_file(path)
        return ("refused" if is_told else f"can't predict: {error!r}"), None
    except Exception as error:
        return f"can't predict: {error!r}", None
    if P.shape == expected.shape and np.array_equal(P, expected):
        return "the same", clf
    sane = np.isfinite(P).all() and np.allclose(P.sum(axis=1), 1, atol=1e-5)
    return ("another" if sane else "nonsense predicted"), clf


def train_on(clf, path, base, domains):
    """Go on from a file in each way; return what went wrong, or None.

    Training may diverge from weights of anybody's making, and a parameter may not fit
    these data: our own errors say so. Others are for the loading to prevent.
    """
    X, y, X_tgt = domains
    y = clf.classes_[y]
    clf.set_params(max_epochs=1, warm_start=True, early_stopping=False, verbose=0)
    ways = {
        "partial_fit": lambda: clf.partial_fit(X, y, X_tgt),
        "warm start": lambda: clf.fit(X, y, X_tgt),
    }
    if base == "checkpoint":
        params = {**SMALL, **MODELS[base], "checkpoint": path}
        resumed = skdann.DANNClassifier(**params)
        labels = np.array(["ill", "well"])[domains[1]]
        ways["resume"] = lambda: resumed.fit(X, labels, X_tgt, resume=True)
    for way, go_on in ways.items():
        try:
            go_on()
        except DivergenceError:
            pass
        except Exception as error:
            if not _is_ours(error):
                return f"{way}: {error!r}"
    return None


def _is_ours(error):
    """Whether an error was raised by a line of this library, or its validation."""
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    ours = ("/skdann/", "/sklearn/utils/_param_validation.py")
    return isinstance(error, ValueError) and any(part in raised_in for part in ours)


def try_file(folder, seed, i, bases, domains):
    """Make the i-th file, and return what comes of it."""
    rng = random.Random(f"{seed} {i}")
    path = folder / "file"
    base = rng.choice([*MODELS, *WHOLES])
    data, tree, expected = bases[base]
    kind = rng.choice(["damaged", "forged", "forged", "forged", "rewritten"])
    if kind == "forged":
        try:
            write_file(path, forged(tree, rng))
        except (TypeError, ValueError, OverflowError):
            return None  # no file can say this
    else:
        change = damaged(data, rng) if kind == "damaged" else None
        path.write_bytes(change or rewritten(data, rng, folder))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdict, clf = judge(path, domains[0], expected)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown > MAX_GROWTH_KIB:
        return f"took {grown} KiB"
    if kind == "damaged" and verdict == "another":
        is_same = bits(read_file(path)) == bits(tree)
        return "the same file predicts otherwise" if is_same else "damage unnoticed"
    if clf is None or verdict not in ALLOWED or base in WHOLES:
        return verdict
    return train_on(clf, path, base, domains) or verdict


def work(folder, seed, start):
    """Try one file after the other, telling which, until this process is killed."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    folder = Path(folder)
    *domains, _ = make_domains()
    bases = {}
    for name in (*MODELS, *WHOLES):
        expected = skdann.load(folder / name).predict_proba(domains[0])
        bases[name] = (folder / name).read_bytes(), read_file(folder / name), expected
    i = int(start)
    while True:
        print(i, flush=True)
        verdict = try_file(folder / "tried", seed, i, bases, domains)
        if verdict is not None and verdict not in ALLOWED:
            # to be looked at: durations of epochs make it another in each campaign
            shutil.copy(folder / "tried" / "file", folder / f"wrong-{i}")
        print(json.dumps(verdict), flush=True)
        i += 1


class Worker:
    """A process that tries files, from the i-th on."""

    def __init__(self, folder, seed, start):
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(writer, 1)
                sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - to the end
                work(folder, seed, start)
            except BaseException:
                traceback.print_exc()  # what is wrong with the campaign itself
            finally:
                os._exit(1)
        os.close(writer)
        self.answers = os.fdopen(reader)

    def read(self, seconds):
        """Return a line, or None if there was none for so long or will be none."""
        ready, _, _ = select.select([self.answers], [], [], seconds)
        return self.answers.readline() or None if ready else None

    def end(self):
        """Kill the process if it lives; return what it has died of."""
        time.sleep(0.1)  # its answers may end a little before it does
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        self.answers.close()
        if pid == 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return "hung"
        if os.WIFSIGNALED(status):
            return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
        return "died"


def campaign(folder, seed, n_files=None, seconds=None):
    """Damage and forge files; return how often what came of them."""
    folder = Path(folder)
    (folder / "tried").mkdir()
    make_files(folder)
    found, i, end = Counter(), -1, seconds and time.monotonic() + seconds
    worker = Worker(folder, seed, 0)
    while time.monotonic() < end if seconds else found.total() < n_files:
        # two lines a file: its number, and what came of it
        number = worker.read(10 * MAX_SECONDS)
        verdict = number and worker.read(MAX_SECONDS)
        if verdict is None:
            i = i if number is None else int(number)
            verdict = worker.end()
            if i >= 0:  # before, it was no file that it died of
                shutil.copy(folder / "tried" / "file", folder / f"fatal-{i}")
            worker = Worker(folder, seed, i + 1)
        else:
            i, verdict = int(number), json.loads(verdict)
        if verdict is not None:
            found[verdict] += 1
            if verdict not in ALLOWED:
                print(f"file {i} of seed {seed}: {verdict}", file=sys.stderr)
    worker.end()
    return dict(found)


if __name__ == "__main__":
    torch.set_num_threads(1)  # before the first thread, as processes are forked
    folder = tempfile.mkdtemp(prefix="hostile-")
    found = campaign(folder, sys.argv[2], seconds=float(sys.argv[1]))
    if set(found) <= ALLOWED:
        shutil.rmtree(folder)
    else:
        print(f"The files that went wrong are in {folder}", file=sys.stderr)
    print(json.dumps(found))
