"""Files that claim more than they are: memory and time of loading, over their size.

`bombs.py megabytes` prints a line for each; files have about that size. To be run with
``tests`` in PYTHONPATH.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from helpers import SMALL, make_domains
from safetensors import safe_open
from safetensors.numpy import save as save_tensors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

import skdann
from skdann._io._container import FORMAT, _digest, read_file, write_file


def write_text(path, text, arrays):
    """Write a file of which the text is given, as no writer of ours would."""
    metadata = {"skdann": str(FORMAT), "sha256": _digest(text, arrays), "tree": text}
    Path(path).write_bytes(save_tensors(arrays, metadata))


def read_text(path):
    """Return the text of a file and its arrays."""
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return file.metadata()["tree"], arrays


def put_text(old, new):
    """Return a bomb that puts a text in place of another."""

    def write(path, source, n_bytes):
        text, arrays = read_text(source)
        assert old in text
        write_text(path, text.replace(old, new(n_bytes), 1), arrays)

    return write


def forge(change):
    """Return a bomb that changes the tree of a file."""

    def write(path, source, n_bytes):
        tree = read_file(source)
        change(tree, n_bytes)
        write_file(path, tree)

    return write


def name_one_array_often(path, source, n_bytes):
    text, arrays = read_text(source)
    arrays["9999"] = np.zeros(n_bytes // 16)
    again = ", ".join(f'"w{i}": {{"$array": "9999"}}' for i in range(n_bytes // 60))
    write_text(path, text.replace('"module": {', '"module": {' + again + ", "), arrays)


def multiply_widths(tree, n_bytes):
    n = n_bytes // 32
    weights = tree["net"]["module"]
    weights["feature_extractor.0.bias"] = np.zeros(n)
    weights["domain_classifier.0.bias"] = np.zeros(n)
    parameters = tree["estimator"]["parameters"]
    parameters["hidden_layer_sizes"] = parameters["domain_hidden_layer_sizes"] = [n]


def claim_layers(tree, n_bytes):
    tree["estimator"]["parameters"]["domain_hidden_layer_sizes"] = [1] * (n_bytes // 16)
    tree["net"]["module"]["domain_classifier.0.bias"] = np.zeros(n_bytes // 16)


def claim_networks(tree, n_bytes):
    tree["estimator"]["parameters"]["n_estimators"] = n_bytes // 16
    tree["net"]["module"]["domain_classifier.0.bias"] = np.zeros(n_bytes // 8)


def add_rows(tree, n_bytes):
    row = {"train_loss": 1, "lambda": 1, "lr": 1, "n_steps": 1}
    n_rows = n_bytes // len(json.dumps(row))
    tree["net"].update(history=[row] * n_rows, n_epochs=n_rows)


def write_large_model(path, source, n_bytes):
    n = int((n_bytes / 24) ** 0.5)
    fit(hidden_layer_sizes=(n,), domain_hidden_layer_sizes=(n,)).to(path)


def write_deep_model(path, source, n_bytes):
    # of each layer: two weights, two moments of each, two steps
    fit(domain_hidden_layer_sizes=(1,) * (n_bytes // 1100), max_epochs=1).to(path)


def of_pipeline(forge):
    """Return a bomb that changes the steps of a Pipeline."""

    def write(path, source, n_bytes):
        skdann.save(make_pipeline(Normalizer(), fit().clf), path)
        tree = read_file(path)
        forge(tree["whole"]["parameters"]["steps"], n_bytes)
        write_file(path, tree)

    return write


def repeat_a_transformer(steps, n_bytes):
    step = {"class": "Normalizer", "parameters": {}, "state": {}}
    n_steps = n_bytes // len(json.dumps([{":object": step}, {"$tuple": ["a0"]}]))
    steps[:0] = [(f"a{i}", {":object": step}) for i in range(n_steps)]


def repeat_an_unfit_transformer(steps, n_bytes):
    step = {"class": "Normalizer", "parameters": {}, "state": {}}
    [_, first] = steps[0]
    many = [{":object": step}] * (n_bytes // len(json.dumps({":object": step})))
    first[":object"]["state"]["n_features_in_"] = many


def claim_columns(steps, n_bytes):
    [_, first] = steps[0]
    first[":object"].update(
        {"class": "PolynomialFeatures", "parameters": {"degree": 100}}
    )
    state = {"_min_degree": 0, "_max_degree": 100, "_n_out_full": 2**53}
    state |= {"n_features_in_": 2**53, "n_output_features_": 2**53}
    first[":object"]["state"] = state


class fit:  # noqa: N801 - reads as a sentence
    """Fit a network to be saved."""

    def __init__(self, **params):
        *data, _ = make_domains()
        self.clf = skdann.DANNClassifier(**{**SMALL, **params}).fit(*data)

    def to(self, path):
        skdann.save(self.clf, path)


def many(item):
    return lambda n_bytes: ", ".join([item] * (n_bytes // (len(item) + 2)))


BOMBS = {
    "a model of two large layers": write_large_model,
    "a model of many layers": write_deep_model,
    "a history of many epochs": forge(add_rows),
    "one array, named thousands of times": name_one_array_often,
    "widths whose product is no array": forge(multiply_widths),
    "layers without arrays": forge(claim_layers),
    "networks without arrays": forge(claim_networks),
    "texts as wide as the longest": put_text(
        '"classes": ',
        lambda n: (
            '"classes": {"$objects": '
            + json.dumps(["x" * (n // 2)] + ["y"] * (n // 10))
            + ', "kind": "U"}, "others": '
        ),
    ),
    "keys of one hash": put_text(
        '"class_weight": null',
        lambda n: (
            '"class_weight": {"$items": ['
            + ", ".join(f"[{i * (2**61 - 1)}, 0]" for i in range(n // 30))
            + "]}"
        ),
    ),
    "a Pipeline of many steps": of_pipeline(repeat_a_transformer),
    "transformers in place of a number": of_pipeline(repeat_an_unfit_transformer),
    "columns without an end": of_pipeline(claim_columns),
    "empty lists": put_text("[]", lambda n: "[" + many("[]")(n) + "]"),
    "empty objects": put_text("[]", lambda n: "[" + many("{}")(n) + "]"),
    "empty tuples": put_text("[]", lambda n: "[" + many('{"$tuple": []}')(n) + "]"),
    "numbers": put_text("[]", lambda n: "[" + many("0.5")(n) + "]"),
    "deep lists": put_text("[]", lambda n: "[" * (n // 2) + "]" * (n // 2)),
    "a long integer": put_text("[]", lambda n: "9" * n),
}


def measure(path):
    """Load in a process of its own; return MiB and seconds that it took, and if it did.

    It forgets the most memory that it had before, as Linux lets it.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        Path("/proc/self/clear_refs").write_text("5")
        before, start = _peak_kib(), time.process_time()
        try:
            skdann.load(path)
            outcome = "loaded"
        except ValueError:
            outcome = "refused"
        seconds = time.process_time() - start
        os.write(writer, json.dumps([_peak_kib() - before, seconds, outcome]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        kib, seconds, outcome = json.loads(answer.read() or "[0, 0, null]")
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        outcome = f"killed by signal {os.WTERMSIG(status)}"
    return {"mib": kib / 1024, "seconds": seconds, "outcome": outcome}


def _peak_kib():
    [line] = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1])


HONEST = "a small model as it was saved"


def measure_all(folder, megabytes):
    """Yield a name and what loading took, for an honest file and each kind of bomb."""
    source, path = Path(folder) / "honest", Path(folder) / "bomb"
    fit().to(source)
    skdann.load(source)  # loads what a first load loads
    yield HONEST, {"file_mib": source.stat().st_size / 2**20, **measure(source)}
    for name, write in BOMBS.items():
        write(path, source, int(megabytes * 2**20))
        size = path.stat().st_size / 2**20
        yield name, {"file_mib": size, **measure(path)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for name, result in measure_all(folder, float(sys.argv[1])):
            print(json.dumps({"name": name, **result}), flush=True)
