"""A file that is damaged, foreign or forged is refused with one clear error."""

import faulthandler
import json
import os
import pickle
import signal
import textwrap

import children
import hostile
import numpy as np
import pandas as pd
import pytest
import torch
from bombs import BOMBS, HONEST, measure_all, read_text, write_text
from helpers import SMALL, make_domains
from hostile import StopAt, copy_tree, judge
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
    "weights of another shape": (_set(*WEIGHT, lambda w: w.T), "are of shape"),
    "too few weights": (_set(*WEIGHT, lambda w: w[:, :1]), "would have 48 weights"),
    "weights of another dtype": (
        _set(*WEIGHT, lambda w: w.astype(np.float32)),
        "are of shape (16, 2) and float32, not of (16, 2) and float64",
    ),
    "infinite weights": (_set(*WEIGHT, lambda w: w + np.inf), "are not finite"),
    "weights of another network": (
        _set("net", "module", "os.system", np.zeros(3)),
        "another network: ['os.system']",
    ),
    "some of the weights": (
        lambda tree: tree["net"]["module"].pop("domain_classifier.2.bias"),
        "would have",
    ),
    "weights of a wrong kind": (_set(*WEIGHT, "none"), ""),
    "no weights": (_set("net", "module", {}), ""),
    "huge layers": (
        _set(*PARAMETERS, "hidden_layer_sizes", [10**9, 10**9]),
        "feature_extractor would have",
    ),
    "a hundred thousand layers": (
        _set(*PARAMETERS, "domain_hidden_layer_sizes", [1] * 10**5),
        "100000 layers",
    ),
    "endless layers": (_set(*PARAMETERS, "hidden_layer_sizes", 10**30), ""),
    "negative layers": (_set(*PARAMETERS, "hidden_layer_sizes", [-5]), ""),
    "huge rows": (_set("estimator", "row_shape", [10**6, 10**6, 10**6]), "rows have"),
    "wide rows": (_set("estimator", "row_shape", [10**7]), "would have"),
    "no rows": (_set("estimator", "row_shape", []), "rows have"),
    "rows of text": (_set("estimator", "row_shape", "xx"), "rows have"),
    "classes that come twice": (
        _set("estimator", "classes", np.array([1, 1])),
        "come twice",
    ),
    "one class": (_set("estimator", "classes", np.array([1])), "at least two"),
    "a hundred thousand classes": (
        _set("estimator", "classes", np.arange(10**5)),
        "label_classifier would have",
    ),
    "names of other columns": (_set("estimator", "feature_names", ["a"]), "2 texts"),
    "a billion networks": (_set(*PARAMETERS, "n_estimators", 10**9), "n_estimators"),
    "products that its domain classifier does not read": (
        _set(*PARAMETERS, "conditional", True),
        "domain_classifier would have",
    ),
    "other networks": (_set(*PARAMETERS, "n_estimators", 2), "would have"),
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
    "a generator that is none": (_set("net", "generators", [{}] * 4), ""),
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


@pytest.mark.parametrize("kind", ["network", *hostile.WHOLES])
def test_loading_runs_no_code_and_opens_nothing_else(saved, kind):
    """The interpreter tells of all that it compiles, imports, opens and starts."""
    if kind in hostile.WHOLES:
        X, y, *_ = make_domains()
        skdann.save(hostile.WHOLES[kind]().fit(X, y), saved)
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
    children.fork(textwrap.dedent(code), saved)


STATE = ("net", "optimizer", "state")
GROUP = ("net", "optimizer", "param_groups", 0)
N_WEIGHTS = 8


def _each(key, change):
    """Change an entry of the state of every weight."""

    def forge(tree):
        for values in tree["net"]["optimizer"]["state"].values():
            values[key] = change(values[key])

    return forge


# Shapes and orders at which torch's fused kernels write where no tensor is.
OPTIMIZERS = {
    "weights in another order": _set(*GROUP, "params", list(range(N_WEIGHTS))[::-1]),
    "one weight eight times": _set(*GROUP, "params", [0] * N_WEIGHTS),
    "weights that are not there": _set(*GROUP, "params", [*range(1, N_WEIGHTS), 99]),
    "too few weights": _set(*GROUP, "params", [0]),
    "no groups": _set("net", "optimizer", "param_groups", []),
    "two groups": _set("net", "optimizer", "param_groups", lambda g: g * 2),
    "moments without a shape": _each("exp_avg", lambda a: np.zeros(())),
    "squares without a shape": _each("exp_avg_sq", lambda a: np.zeros(())),
    "moments of one row": _each("exp_avg", lambda a: a[:1]),
    "flat moments": _each("exp_avg", np.ravel),
    "turned moments": _each("exp_avg", np.transpose),
    "moments with an axis more": _each("exp_avg", lambda a: a[None]),
    "empty moments": _each("exp_avg_sq", lambda a: a[:0]),
    "moments that are numbers": _each("exp_avg", lambda a: 0.5),
    "moments that are None": _each("exp_avg", lambda a: None),
    "moments that are lists": _each("exp_avg", lambda a: a.tolist()),
    "moments that are NaN": _each("exp_avg", lambda a: a * np.nan),
    "moments beyond any float": _each("exp_avg", lambda a: a * 0 + np.inf),
    "negative squares": _each("exp_avg_sq", lambda a: a - 1),
    "a vector of steps": _each("step", lambda a: np.zeros(5, np.float32)),
    "a step that is a list": _each("step", lambda a: [3.0]),
    "a step that is NaN": _each("step", lambda a: a * np.nan),
    "a negative step": _each("step", lambda a: a - 99),
    "a step of text": _each("step", lambda a: "x"),
    "states exchanged": lambda tree: tree["net"]["optimizer"].update(
        state=dict(enumerate(reversed(tree["net"]["optimizer"]["state"].values())))
    ),
    "a state of amsgrad": lambda tree: [
        values.update(max_exp_avg_sq=values["exp_avg"])
        for values in tree["net"]["optimizer"]["state"].values()
    ],
    "a state without squares": lambda tree: [
        values.pop("exp_avg_sq")
        for values in tree["net"]["optimizer"]["state"].values()
    ],
    "a state of another optimizer": lambda tree: [
        tree["net"]["optimizer"]["state"].update(
            {i: {"momentum_buffer": values["exp_avg"]}}
        )
        for i, values in tree["net"]["optimizer"]["state"].copy().items()
    ],
    "a state of no weight": _set(*STATE, N_WEIGHTS, {"step": 1}),
    "a state of weight -1": _set(*STATE, -1, {}),
    "a state of weight 'x'": _set(*STATE, "x", {}),
    "a state that is a list": _set("net", "optimizer", "state", []),
    "no state": lambda tree: tree["net"]["optimizer"].pop("state"),
    "a learning rate that is negative": _set(*GROUP, "lr", -1.0),
    "a learning rate of text": _set(*GROUP, "lr", "x"),
    "a first learning rate that is NaN": _set(*GROUP, "initial_lr", float("nan")),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a classifier, its data, and its two files."""
    folder = tmp_path_factory.mktemp("trained")
    X, y, X_tgt, _ = make_domains()
    path = folder / "resume"
    clf = skdann.DANNClassifier(**SMALL, warm_start=True, checkpoint=path)
    skdann.save(clf.fit(X, y, X_tgt), folder / "load")
    files = {name: read_file(folder / name) for name in ("load", "resume")}
    return clf, (X, y, X_tgt), files


def _come_in(trained, door, forge, path):
    """Come in by one of the doors with what was forged."""
    clf, domains, files = trained
    if door == "unpickle":
        state = clf.__getstate__()
        forge(state["net_"])
        object.__new__(type(clf)).__setstate__(state)
        return
    tree = copy_tree(files[door])
    forge(tree)
    write_file(path, tree)
    if door == "resume":
        params = {**SMALL, "warm_start": True, "checkpoint": path}
        skdann.DANNClassifier(**params).fit(*domains, resume=True)
    else:
        skdann.load(path)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_optimizer_of_anybodys_making_never_takes_a_step(trained, tmp_path, kind):
    for door in ("load", "resume", "unpickle"):
        with pytest.raises(ValueError, match="can't be used: "):
            _come_in(trained, door, OPTIMIZERS[kind], tmp_path / "file")


IGNORED_OPTIONS = {
    "weight_decay": -5.0,
    "betas": (0.0, 5.0),
    "eps": -1.0,
    "amsgrad": True,
    "maximize": True,
    "foreach": True,
    "fused": False,
    "capturable": True,
    "differentiable": True,
    "unknown": 3,
}


@pytest.mark.parametrize("option", IGNORED_OPTIONS)
def test_options_of_an_optimizer_are_those_of_the_parameters(trained, tmp_path, option):
    clf, domains, files = trained
    tree = copy_tree(files["load"])
    tree["net"]["optimizer"]["param_groups"][0][option] = IGNORED_OPTIONS[option]
    write_file(tmp_path / "file", tree)
    loaded = skdann.load(tmp_path / "file")
    [group], [own] = (one.net_.optimizer_.param_groups for one in (loaded, clf))
    assert {k: v for k, v in group.items() if k != "params"} == {
        k: v for k, v in own.items() if k != "params"
    }
    X, y, X_tgt = domains
    expected = pickle.loads(pickle.dumps(clf)).partial_fit(X, y, X_tgt)
    loaded.partial_fit(X, y, X_tgt)
    assert np.array_equal(loaded.predict_proba(X), expected.predict_proba(X))


def _tree_of(clf, path):
    skdann.save(clf, path)
    return read_file(path)


TORCHS_OPTIMIZERS = {
    name: getattr(torch.optim, name)
    for name in (
        *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD"),
        *("LBFGS", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD"),
    )
    if hasattr(torch.optim, name)  # the oldest torch has no Adafactor
}


@pytest.mark.parametrize("name", [*TORCHS_OPTIMIZERS, "sgd", "sgd without momentum"])
def test_every_optimizer_goes_on_from_its_file_and_from_no_forged_one(
    domains, tmp_path, name
):
    path, params = tmp_path / "file", {"optimizer": TORCHS_OPTIMIZERS.get(name, "sgd")}
    given = {"optimizer": params["optimizer"]} if name in TORCHS_OPTIMIZERS else {}
    if "without" in name:
        params["momentum"] = 0
    clf = skdann.DANNClassifier(**{**SMALL, "max_epochs": 1, **params}).fit(*domains)
    tree = _tree_of(clf, path)
    X, y, X_tgt = domains
    loaded = skdann.load(path, **given).partial_fit(X, y, X_tgt)
    expected = clf.partial_fit(X, y, X_tgt).predict_proba(X)
    assert np.array_equal(loaded.predict_proba(X), expected)
    for values in tree["net"]["optimizer"]["state"].values():
        for key, value in values.items():
            for other in (np.zeros((3, 5)), np.full(np.shape(value), np.nan)):
                if isinstance(value, np.ndarray):
                    _check_refused(tree, values, key, other, path, given)
        break


class OfTheUser(torch.optim.AdamW):
    """Counts among its options, as some do, and wants a learning rate."""

    def __init__(self, params, lr, weight_decay=0.0, fused=None):
        super().__init__(params, lr=lr, weight_decay=weight_decay, fused=fused)
        for group in self.param_groups:
            group["k"] = 0

    def step(self, closure=None):
        for group in self.param_groups:
            group["k"] += 1
        return super().step(closure)


def test_an_optimizer_of_the_user_keeps_its_counts_and_is_checked_as_well(
    domains, tmp_path
):
    X, y, X_tgt = domains
    path, given = tmp_path / "file", {"optimizer": OfTheUser}
    clf = skdann.DANNClassifier(**SMALL, **given).fit(X, y, X_tgt)
    tree = _tree_of(clf, path)
    loaded = skdann.load(path, **given)
    assert loaded.net_.optimizer_.param_groups[0]["k"] == 12
    clf.partial_fit(X, y, X_tgt)
    loaded.partial_fit(X, y, X_tgt)
    assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    for forge in (
        _set(*GROUP, "k", "x"),
        _set(*GROUP, "k", float("inf")),
        OPTIMIZERS["moments without a shape"],
        OPTIMIZERS["weights in another order"],
    ):
        forged = copy_tree(tree)
        forge(forged)
        write_file(path, forged)
        with pytest.raises(ValueError, match="can't be used: "):
            skdann.load(path, **given)


def _check_refused(tree, values, key, other, path, given):
    value, values[key] = values[key], other
    write_file(path, tree)
    with pytest.raises(ValueError, match="can't be used: "):
        skdann.load(path, **given)
    values[key] = value


def test_weights_that_had_no_gradient_get_momentum_when_they_have(domains):
    """After a fit without a target the domain classifier has none."""
    X, y, X_tgt = domains
    clf = skdann.DANNClassifier(
        **{**SMALL, "lambda_max": 0.0, "optimizer": "sgd"}, warm_start=True
    )
    clf.fit(X, y).fit(X, y, X_tgt)
    assert "domain_loss" in clf.history_[-1]


NOT_FINITE = [float("nan"), float("inf"), -float("inf")]
NO_NUMBER = [None, "x", [], {}, [1.0], True]
NO_COUNT = [-1, 2**60, 10**37, 0.5, 1e308, *NOT_FINITE, *NO_NUMBER]
NO_STATE = [-1, 2**32, 0.5, *NOT_FINITE, *NO_NUMBER]
COUNTERS = ("net", "counters")
ROW = ("net", "history", 1)
GENERATOR = ("net", "generators", 0)
NONSENSE = {
    (*COUNTERS, "n_steps_"): NO_COUNT,
    (*COUNTERS, "planned_steps_"): [0, *NO_COUNT],
    (*COUNTERS, "first_loss_"): [-1.0, float("nan"), *NO_NUMBER[1:]],
    (*COUNTERS, "best_loss_"): [-1.0, float("nan"), *NO_NUMBER],
    (*COUNTERS, "lr_scale_"): [-1.0, 0.0, 1e-9, 2.0, *NOT_FINITE, *NO_NUMBER],
    ("net", "counters"): [*NO_NUMBER, -1],
    ("net", "n_epochs"): [0, 2, 4, *NO_COUNT],
    ("net", "seed"): NO_COUNT,
    ("net", "history"): [*NO_NUMBER, [[]], [1, 2, 3], [{}, {}, {}]],
    (*ROW, "train_loss"): NO_NUMBER,
    (*ROW, "lambda"): [*NOT_FINITE, *NO_NUMBER],
    (*ROW, "lr"): [*NOT_FINITE, *NO_NUMBER],
    (*ROW, "n_steps"): NO_COUNT,
    (*ROW, "epoch"): [0, *NO_COUNT],
    (*ROW, "dur"): [-1, *NOT_FINITE, *NO_NUMBER],
    (*ROW, "label_loss"): NO_NUMBER,
    (*ROW, "domain_loss"): NO_NUMBER,
    (*ROW, "domain_accuracy"): [-0.1, 1.5, *NOT_FINITE, *NO_NUMBER],
    (*ROW, "train_loss_best"): [0, 1, 0.5, None, "x", []],
    (*ROW, "batches"): [0, None, "x", {}, [1], [[]]],
    (*ROW, "of a callback"): [None, np.zeros(2), (1, 2)],
    ("net", "generators"): [*NO_NUMBER, [{}] * 4],
    (*GENERATOR, "bit_generator"): ["MT19937", "x", None, 0],
    (*GENERATOR, "has_uint32"): [2, *NO_STATE[:-1]],
    (*GENERATOR, "uinteger"): NO_STATE,
    (*GENERATOR, "state"): [*NO_NUMBER, {"state": 1}],
    # from an even one, and 0, a shuffle would draw forever
    (*GENERATOR, "state", "inc"): [0, 2, -1, *NOT_FINITE, *NO_NUMBER],
    (*GENERATOR, "state", "state"): [-1, 0.5, *NOT_FINITE, *NO_NUMBER],
    ("estimator", "row_shape"): [(), (0,), (-2,), (2.0,), (True,), 2, "2", None],
    ("estimator", "feature_names"): [["a"], ["a", 1], "ab", {"a": 1, "b": 2}, [[], []]],
    ("estimator", "classes"): [
        *(None, "ab", [0, 1], np.zeros((2, 2)), np.zeros(())),
        np.array([[1], [2]], dtype=object),
        np.array([None, "x"], dtype=object),
        np.array([float("nan"), 1.0]),
    ],
}


@pytest.mark.parametrize("keys", NONSENSE, ids=lambda keys: " ".join(map(str, keys)))
def test_nonsense_is_noticed_before_training_goes_on(trained, tmp_path, keys):
    """At each door, whatever the value is."""
    doors = ("load", "resume", "unpickle") if keys[0] == "net" else ("load",)
    for value in NONSENSE[keys]:
        for door in doors:
            with pytest.raises(ValueError, match="can't be used: "):
                _come_in(trained, door, _set(*keys, value), tmp_path / "file")


# Files of earlier versions lack them.
OF_NEW_FILES = ("kind",)


def test_what_must_be_there_is_missed(trained, tmp_path):
    tree = trained[2]["load"]
    required = [
        *((*COUNTERS, name) for name in tree["net"]["counters"]),
        *((*ROW, name) for name in ("train_loss", "lambda", "lr", "n_steps")),
        *(("net", name) for name in tree["net"]),
        *((*GENERATOR, name) for name in tree["net"]["generators"][0]),
        *(
            ("estimator", name)
            for name in tree["estimator"]
            if name not in OF_NEW_FILES
        ),
    ]
    for *keys, last in required:
        forged = copy_tree(tree)
        place = forged
        for key in keys:
            place = place[key]
        del place[last]
        write_file(tmp_path / "file", forged)
        with pytest.raises(ValueError, match=r"can't be used: .*lacks"):
            skdann.load(tmp_path / "file")


STATES = {
    "net_": [None, [], 0.5, "x", {}],
    "_built_with": [None, 5],
    "_row_shape": [None, (), (0,), (3,), "xx"],
    "feature_names_in_": [np.array(["a"]), np.array([1, 2]), "ab"],
    "lr_schedule": [],
}


def test_a_pickled_state_that_makes_no_sense_is_refused(trained):
    X, y, X_tgt = trained[1]
    tables = [pd.DataFrame(rows, columns=["a", "b"]) for rows in (X, X_tgt)]
    clf = skdann.DANNClassifier(**SMALL).fit(tables[0], y, tables[1])
    for name, values in STATES.items():
        states = [{**clf.__getstate__(), name: value} for value in values]
        if name != "feature_names_in_":
            states.append({k: v for k, v in clf.__getstate__().items() if k != name})
        for state in states:
            with pytest.raises(ValueError, match="of a pickle can't be used: "):
                object.__new__(type(clf)).__setstate__(state)


def test_what_a_pickle_tells_twice_is_taken_from_the_network(trained):
    clf, domains, _ = trained
    state = {**clf.__getstate__(), "n_features_in_": 1e308}
    state["_built_with"] = {**state["_built_with"], "predict": None, 0: 1}
    unpickled = object.__new__(type(clf))
    unpickled.__setstate__(state)
    expected = pickle.loads(pickle.dumps(clf)).partial_fit(*domains)
    found = unpickled.partial_fit(*domains).predict_proba(domains[0])
    assert np.array_equal(found, expected.predict_proba(domains[0]))


RUN = {
    ("run", "end"): [2, 99, *NO_COUNT],
    ("run", "is_finished"): [0, 1, None, "x", []],
    ("run", "start"): [7, *NO_COUNT],
    ("run", "best"): [*NO_NUMBER[1:], {"n_epochs": 1}],
    ("run", "best", "n_epochs"): [0, 7, *NO_COUNT],
    ("run", "best", "score"): NO_NUMBER,
    ("run", "best", "accuracy"): [-0.1, 1.5, *NOT_FINITE, *NO_NUMBER],
    ("run", "best", "module"): [*NO_NUMBER],
    ("run", "best", "module", "label_classifier.bias"): [
        *(np.zeros(3), np.full(2, np.nan), np.zeros(2, np.float32), None),
    ],
    ("net", "counters", "planned_steps_"): [1, 23, 10**9],
}


def test_nonsense_of_a_run_is_noticed_before_it_is_resumed(domains, tmp_path):
    path = tmp_path / "run"
    params = {**SMALL, "early_stopping": True, "max_epochs": 6, "checkpoint": path}
    stop = StopAt(5)
    skdann.DANNClassifier(**params, checkpoint_interval=1, callbacks=[stop]).fit(
        *domains
    )
    tree = read_file(path)
    assert tree["run"]["best"] is not None
    for keys, values in RUN.items():
        for value in values:
            forged = copy_tree(tree)
            _set(*keys, value)(forged)
            write_file(path, forged)
            with pytest.raises(ValueError, match=r"can't be used: |has planned"):
                skdann.DANNClassifier(**params).fit(*domains, resume=True)
    for start in (7, *NO_COUNT, np.zeros(3), ()):  # no epoch was the best yet
        forged = copy_tree(tree)
        forged["run"].update(best=None, start=start)
        write_file(path, forged)
        with pytest.raises(ValueError, match="start of its run is"):
            skdann.DANNClassifier(**params).fit(*domains, resume=True)
    write_file(path, tree)
    resumed = skdann.DANNClassifier(**params).fit(*domains, resume=True)
    assert resumed.n_iter_ == 6


TEXTS = {
    "an array that is named twice": ('"best": null', '"best": {"$array": "0"}'),
    "an array that is not there": ('"versions"', '"x": {"$array": "99"}, "versions"'),
    "an array named by a list": ('"versions"', '"x": {"$array": []}, "versions"'),
    "keys of one hash": (
        '"class_weight": null',
        '"class_weight": {"$items": [[2305843009213693951000, 0]]}',
    ),
    "keys that are lists": (
        '"class_weight": null',
        '"class_weight": {"$items": [[[], 0]]}',
    ),
    "items that are no pairs": (
        '"class_weight": null',
        '"class_weight": {"$items": [1]}',
    ),
    "texts that are none": (
        '"versions"',
        '"x": {"$objects": [["a"]], "kind": "U"}, "v"',
    ),
    "an endless integer": ('"random_state": 0', f'"random_state": {"9" * 40}'),
    "no JSON": ('"versions"', "versions"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_that_no_writer_of_ours_would_write_is_refused(saved, kind):
    text, arrays = read_text(saved)
    old, new = TEXTS[kind]
    if kind == "an array that is named twice":
        old, new = '"versions"', '"x": {"$array": "0"}, "versions"'
    assert old in text
    write_text(saved, text.replace(old, new, 1), arrays)
    with pytest.raises(ValueError, match="can't be used: "):
        skdann.load(saved)


def test_texts_are_as_wide_as_the_longest_only_where_that_is_little(saved):
    labels = ["x" * 300_000, *(f"y{i}" for i in range(5_000))]
    tree = read_file(saved)
    for classes, kind in ((labels, "O"), (["a" * 9, "b"], "U")):
        tree["estimator"]["classes"] = np.empty(0, dtype="U")
        write_file(saved, tree)
        text, arrays = read_text(saved)
        told = json.dumps({"$objects": classes, "kind": "U"})
        text = text.replace('{"$objects": [], "kind": "U"}', told)
        write_text(saved, text, arrays)
        read = read_file(saved)["estimator"]["classes"]
        assert read.dtype.kind == kind
        assert read.tolist() == classes


@pytest.mark.filterwarnings("ignore")
def test_loading_takes_a_small_multiple_of_the_size_of_a_file(tmp_path):
    """Measured in processes of their own; `make soak` prints the figures."""
    results = dict(measure_all(tmp_path, megabytes=0.1))
    # what the libraries need for any file, more in builds for CUDA; a page or two of
    # it may be another each time
    needs = results.pop(HONEST)["mib"] + 20
    assert results.keys() == BOMBS.keys()
    for name, result in results.items():
        assert result["outcome"] in ("loaded", "refused"), name
        assert result["mib"] < needs + 100 * result["file_mib"], name


def test_no_damage_goes_unnoticed_and_no_forgery_is_fatal(tmp_path, monkeypatch):
    """Files are loaded, and trained on; a file that kills would be counted.

    `make soak` tries many thousands.
    """
    try_file = hostile.try_file

    def kill_at_10(folder, seed, i, *rest):
        verdict = try_file(folder, seed, i, *rest)
        if i == 10:
            faulthandler.disable()  # of pytest, inherited
            os.kill(os.getpid(), signal.SIGSEGV)
        return verdict

    monkeypatch.setattr(hostile, "try_file", kill_at_10)
    found = hostile.campaign(tmp_path, seed=0, n_files=80)
    assert found.pop("killed by SIGSEGV") == 1
    assert set(found) <= hostile.ALLOWED
    assert found["refused"] > 40
    assert found["the same"] > 5


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
    assert judge(saved, X, expected)[0] == "refused"
    monkeypatch.setattr(_files, "_digest", lambda *_: read_digest(saved))
    assert judge(saved, X, expected)[0] == "another"


def read_digest(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()["sha256"]
