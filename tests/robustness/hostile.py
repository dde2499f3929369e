"""Damage files at random: `hostile.py seconds seed` counts what comes of it.

To be run with ``tests`` in PYTHONPATH.
"""

import json
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from helpers import SMALL, make_domains

import skdann
from skdann._io._container import read_file, write_file


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


VALUES = [None, True, -1, 0, 1, 2**31, 2**63, 10**40, 1e308, float("nan"), "", "x"]
VALUES += ["float32", [], [[]], {}, [0], [10**9, 10**9], ["a", "b"], {"code of": "os"}]


def forged(tree, rng):
    """Return the tree with some values replaced by others, nested anywhere."""
    tree = json_copy(tree)
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = tree
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = rng.choice(list(keys))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and rng.random() < 0.9:
                place = inner
                continue
            place[key] = _other(inner, rng)
            break
    return tree


def _other(value, rng):
    if isinstance(value, np.ndarray) and rng.random() < 0.8:
        with np.errstate(all="ignore"):
            change = rng.choice(
                [
                    lambda a: a * np.nan,
                    lambda a: a[..., :0],
                    lambda a: a[None],
                    lambda a: a.T,
                    lambda a: np.concatenate([a.ravel()] * 3),
                    lambda a: a.astype(np.int8),
                ]
            )
            try:
                return change(value)
            except (TypeError, ValueError, IndexError):
                return np.zeros(())
    return json_copy(rng.choice(VALUES))


def json_copy(tree):
    if isinstance(tree, dict):
        return {key: json_copy(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [json_copy(value) for value in tree]
    return tree


def judge(path, X, expected):
    """Load a file; return "refused", "the same", "another" or what is not allowed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clf = skdann.load(path)
    except ValueError as error:
        return "refused" if str(path) in str(error) else f"unclear: {error}"
    except Exception as error:
        return f"wrong error: {error!r}"
    vars(clf).pop("feature_names_in_", None)  # X has no names to compare them with
    try:
        P = clf.predict_proba(X)
    except Exception as error:
        return f"can't predict: {error!r}"
    if P.shape == expected.shape and np.array_equal(P, expected):
        return "the same"
    sane = np.isfinite(P).all() and np.allclose(P.sum(axis=1), 1, atol=1e-5)
    return "another" if sane else "nonsense predicted"


def campaign(folder, rng, n_files=None, seconds=None):
    """Damage and forge files; return how often what came of them."""
    X, y, X_tgt, _ = make_domains()
    params = {**SMALL, "dropout": 0.2, "early_stopping": True}
    clf = skdann.DANNClassifier(**params).fit(X, y, X_tgt)
    path = Path(folder) / "file"
    skdann.save(clf, path)
    data, tree, expected = path.read_bytes(), read_file(path), clf.predict_proba(X)
    found, end = Counter(), seconds and time.monotonic() + seconds
    while time.monotonic() < end if seconds else sum(found.values()) < n_files:
        is_damaged = rng.random() < 0.5
        if is_damaged:
            path.write_bytes(damaged(data, rng))
        else:
            try:
                write_file(path, forged(tree, rng))
            except (TypeError, ValueError):
                continue
        verdict = judge(path, X, expected)
        if is_damaged and verdict == "another":
            verdict = "damage unnoticed"
        found[verdict] += 1
    return dict(found)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        rng = random.Random(int(sys.argv[2]))
        print(json.dumps(campaign(folder, rng, seconds=float(sys.argv[1]))))
