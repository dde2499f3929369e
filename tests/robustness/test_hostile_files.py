"""A file that is damaged, foreign or forged is refused with one clear error."""

import os
import pickle
import random
import textwrap

import children
import numpy as np
import pytest
import torch
from hostile import campaign, judge
from safetensors import safe_open
from safetensors.numpy import save as save_tensors

import skdann
from skdann._io import _container as _files
from skdann._io._container import read_file, write_file


class Bomb:
    def __reduce__(self):
        return os.abort, ()


FOREIGN = {
    "empty": lambda data: b"",
    "a line of text": lambda data: b"a,b,c\n1,2,3\n" * 20,
    "zeros": lambda data: bytes(10_000),
    "cut in the header": lambda data: data[:100],
    "cut in the weights": lambda data: data[:-1],
    "with a tail": lambda data: data + b"tail",
    "twice": lambda data: data * 2,
    "a header of 2**62 bytes": lambda data: (2**62).to_bytes(8, "little") + data[8:],
    "a pickle": lambda data: pickle.dumps(Bomb()),
    "a pickle behind a length": lambda data: (
        len(pickle.dumps(Bomb())).to_bytes(8, "little") + pickle.dumps(Bomb())
    ),
    "deep JSON": lambda data: (60_000).to_bytes(8, "little") + b"[" * 60_000,
    "other safetensors": lambda data: save_tensors({"w": np.zeros(3)}),
    "claimed tensors of 2**60 values": lambda data: _header(
        '{"0":{"dtype":"F32","shape":[1152921504606846976],'
        '"data_offsets":[0,4611686018427387904]}}'
    ),
    "shapes that overflow": lambda data: _header(
        '{"0":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}'
    ),
}


def _header(text):
    return len(text).to_bytes(8, "little") + text.encode()


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_or_damaged_file_is_refused(saved, kind):
    saved.write_bytes(FOREIGN[kind](saved.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.skdann can't be used: .*Give a file"):
        skdann.load(saved)


def test_a_torch_file_is_refused(saved):
    torch.save({"w": torch.zeros(3)}, saved)
    with pytest.raises(ValueError, match="can't be used"):
        skdann.load(saved)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    with pytest.raises(ValueError, match="not a regular file"):
        skdann.load(tmp_path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(ValueError, match="not a regular file"):
        skdann.load(fifo)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        skdann.load(tmp_path / "nowhere")


def _set(*keys_and_value):
    *keys, last, value = keys_and_value

    def forge(tree):
        place = tree
        for key in keys:
            place = place[key]
        place[last] = value(place[last]) if callable(value) else value

    return forge


WEIGHT = ("net", "module", "feature_extractor.0.weight")
PARAMETERS = ("estimator", "parameters")
FORGED = {
    "NaN in the weights": (_set(*WEIGHT, lambda w: w * np.nan), "are not finite"),
    "weights of another shape": (_set(*WEIGHT, lambda w: w[:, :1]), "size mismatch"),
    "weights of a wrong kind": (_set(*WEIGHT, "none"), ""),
    "no weights": (_set("net", "module", {}), ""),
    "huge layers": (
        _set(*PARAMETERS, "hidden_layer_sizes", [10**9, 10**9]),
        "claims layers",
    ),
    "a million layers": (
        _set(*PARAMETERS, "domain_hidden_layer_sizes", [1] * 10**6),
        "claims layers",
    ),
    "endless layers": (_set(*PARAMETERS, "hidden_layer_sizes", 10**40), ""),
    "negative layers": (_set(*PARAMETERS, "hidden_layer_sizes", [-5]), ""),
    "huge rows": (_set("estimator", "row_shape", [10**6, 10**6, 10**6]), "rows have"),
    "wide rows": (_set("estimator", "row_shape", [10**7]), "claims layers"),
    "no rows": (_set("estimator", "row_shape", []), "rows have"),
    "rows of text": (_set("estimator", "row_shape", "xx"), "rows have"),
    "classes that come twice": (
        _set("estimator", "classes", np.array([1, 1])),
        "come twice",
    ),
    "one class": (_set("estimator", "classes", np.array([1])), "at least two"),
    "a million classes": (
        _set("estimator", "classes", np.arange(10**6)),
        "claims layers",
    ),
    "names of other columns": (_set("estimator", "feature_names", ["a"]), "2 texts"),
    "a billion networks": (_set(*PARAMETERS, "n_estimators", 10**9), "claims layers"),
    "other networks": (_set(*PARAMETERS, "n_estimators", 2), "of weight 0 has"),
    "a standardizer of other columns": (
        _set(*WEIGHT[:2], "standardizer.mean", np.zeros((2, 1))),
        "is not of the shape",
    ),
    "a standardizer that divides by 0": (
        lambda tree: tree["net"]["module"].update(
            {f"standardizer.{k}": np.zeros((2, 2)) for k in ("mean", "scale")}
        ),
        "not positive",
    ),
    "a parameter out of range": (_set(*PARAMETERS, "lr", -1.0), "'lr' parameter"),
    "a parameter that is unknown": (_set(*PARAMETERS, "os.system", "ls"), "os.system"),
    "a path as activation": (_set(*PARAMETERS, "activation", "../../x"), "activation"),
    "a device that is none": (_set(*PARAMETERS, "device", "cpu; rm"), "cannot be used"),
    "a history of another length": (_set("net", "history", []), "0 rows of 3"),
    "a dtype that is none": (_set("net", "dtype", "O"), "lacks 'O'"),
    "an optimizer of other shapes": (
        _set("net", "optimizer", "state", 0, "exp_avg", np.zeros(7)),
        "state of weight 0 has shape",
    ),
    "a generator that is none": (_set("net", "generators", [{}] * 4), ""),
    "text for counters": (_set("net", "counters", "x"), ""),
    "nothing": (lambda tree: tree.clear(), "lacks 'estimator'"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_file_is_refused(saved, kind):
    """Its checksum is right: whoever made it knew the format."""
    forge, says = FORGED[kind]
    tree = read_file(saved)
    forge(tree)
    write_file(saved, tree)
    with pytest.raises(ValueError, match="can't be used: ") as caught:
        skdann.load(saved)
    assert says in str(caught.value)


def test_loading_runs_no_code_and_opens_nothing_else(saved):
    """The interpreter tells of all that it compiles, imports, opens and starts."""
    code = """
    import sys
    import numpy as np
    import skdann
    skdann.load(sys.argv[1])  # whatever is imported late is imported now
    events = []
    sys.addaudithook(lambda event, args: events.append((event, str(args)[:200])))
    clf = skdann.load(sys.argv[1])
    seen = list(events)
    never = "pickle.find_class exec compile import os.system subprocess.Popen "
    never += "ctypes.dlopen socket.connect marshal.loads"
    bad = [e for e in seen if e[0] in never.split()]
    opened = [e for e in seen if e[0] == "open" and sys.argv[1] not in e[1]]
    assert not bad, bad
    assert not opened, opened
    compile("1", "x", "eval")
    assert events[-1][0] == "compile"  # the hook does hear
    """
    children.run("-c", textwrap.dedent(code), saved)


def test_no_damage_goes_unnoticed_and_no_forgery_is_fatal(tmp_path):
    found = campaign(tmp_path, random.Random(0), n_files=600)
    assert set(found) <= {"refused", "the same", "another"}
    assert found["refused"] > 300


def test_one_flipped_bit_of_a_weight_is_noticed_by_the_checksum_alone(
    saved, domains, monkeypatch
):
    X = domains[0]
    clf = skdann.load(saved)
    expected = clf.predict_proba(X)
    data = bytearray(saved.read_bytes())
    weight = clf.module_.label_classifier.bias.detach().numpy()
    data[data.index(weight.tobytes()) + 7] ^= 128  # the sign of the first number
    saved.write_bytes(data)
    assert judge(saved, X, expected) == "refused"
    monkeypatch.setattr(_files, "_digest", lambda *_: read_digest(saved))
    assert judge(saved, X, expected) == "another"


def read_digest(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()["sha256"]
