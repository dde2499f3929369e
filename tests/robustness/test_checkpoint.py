"""A training that is killed goes on from its checkpoint as if it had not been."""

import errno
import itertools
import os
import shutil
import signal
import textwrap
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest import mock

import children
import numpy as np
import pandas as pd
import pytest
import torch
from helpers import make_domains
from scipy import sparse
from skorch.callbacks import Callback
from torch import nn

import skdann
from skdann import DANNClassifier, DivergenceError
from skdann._io._container import read_file, write_file
from skdann._training._dense_engine import DenseEngine
from skdann._training._engine import AutogradEngine
from skdann._training._identity import fingerprint, hash_code


def weights_of(clf):
    return {k: v.numpy().copy() for k, v in clf.module_.state_dict().items()}


def assert_same_fit(clf, other):
    """To the bit: weights, and all of the history but seconds."""
    for (name, w), v in zip(
        weights_of(clf).items(), weights_of(other).values(), strict=True
    ):
        assert np.array_equal(w, v), name
    for row, expected in zip(clf.history_, other.history_, strict=True):
        ignored = {"dur", "batches", "train_batch_count"}  # who listens to batches
        assert {k: v for k, v in row.items() if k not in ignored} == {
            k: v for k, v in expected.items() if k not in ignored
        }


class Killed(BaseException):
    """As abrupt as a kill for everything but the process."""


@contextmanager
def killed_at(n_steps, error=Killed):
    """End training without a word after so many steps, whoever takes them."""
    n_taken = itertools.count(1)

    def then_end(step):
        def step_and_end(engine, *args):
            step(engine, *args)
            if next(n_taken) == n_steps:
                raise error

        return step_and_end

    with ExitStack() as patches:
        for engine in (AutogradEngine, DenseEngine):
            patch = mock.patch.object(engine, "step", then_end(engine.step))
            patches.enter_context(patch)
        yield


def batch_norm(n_columns):
    return nn.Sequential(
        nn.Linear(n_columns, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3)
    )


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"optimizer": "sgd"},
        {"optimizer": "adam", "lr_schedule": "constant"},
        {"early_stopping": True, "n_iter_no_change": 2},
        {"feature_extractor": batch_norm},
        {"n_estimators": 3, "standardize": "domain", "early_stopping": True},
        {"n_estimators": 2, "feature_extractor": batch_norm},
    ],
    ids=[
        *("adamw", "sgd", "adam", "early stopping", "own module"),
        *("ensemble", "ensemble of own modules"),
    ],
)
@pytest.mark.parametrize("step", [2, 9, 14])
def test_a_resumed_fit_equals_one_that_was_not_killed(
    small, domains, tmp_path, params, step
):
    params = {"max_epochs": 6, "dropout": 0.3, **params}
    path = tmp_path / "run.skdann"
    clf = small(checkpoint=path, checkpoint_interval=1, **params)
    with pytest.raises(Killed), killed_at(step):
        clf.fit(*domains)
    assert path.exists() == (step > 4)  # four steps make an epoch
    resumed = small(checkpoint=path, **params).fit(*domains, resume=True)
    assert_same_fit(resumed, small(**params).fit(*domains))


def test_a_resumed_fit_without_a_seed_goes_on_with_the_one_it_had(
    small, domains, tmp_path
):
    params = {"random_state": None, "early_stopping": True, "max_epochs": 6}
    paths = [tmp_path / "a", tmp_path / "b"]
    clf = small(checkpoint=paths[0], checkpoint_interval=1, **params)
    with pytest.raises(Killed), killed_at(9):
        clf.fit(*domains)
    shutil.copy(*paths)
    one, other = (
        small(checkpoint=path, **params).fit(*domains, resume=True) for path in paths
    )
    assert_same_fit(one, other)


def test_without_a_file_resume_starts_and_with_a_finished_one_trains_no_more(
    small, domains, tmp_path
):
    path = tmp_path / "run.skdann"
    first = small(checkpoint=path).fit(*domains, resume=True)

    class Count(Callback):
        steps = 0

        def on_batch_end(self, net, **kwargs):
            self.steps += 1

    count = Count()
    again = small(checkpoint=path, callbacks=[count]).fit(*domains, resume=True)
    assert count.steps == 0
    assert_same_fit(again, first)


def test_fit_without_resume_starts_anew(small, domains, tmp_path):
    path = tmp_path / "run.skdann"
    first = small(checkpoint=path).fit(*domains)
    assert_same_fit(small(checkpoint=path).fit(*domains), first)
    other = small(checkpoint=path, random_state=1).fit(*domains)
    assert_same_fit(skdann.load(path), other)


@pytest.mark.filterwarnings("ignore:.*can't hold the code of callbacks")
def test_a_checkpoint_is_written_every_interval_and_at_the_end(
    small, domains, tmp_path
):
    path, seen = tmp_path / "run.skdann", []

    class Look(Callback):
        def on_epoch_begin(self, net, **kwargs):
            seen.append(skdann.load(path).n_iter_ if path.exists() else 0)

    clf = small(
        checkpoint=path, checkpoint_interval=3, max_epochs=8, callbacks=[Look()]
    )
    clf.fit(*domains)
    assert seen == [0, 0, 0, 3, 3, 3, 6, 6]
    assert skdann.load(path).n_iter_ == 8
    assert os.listdir(tmp_path) == ["run.skdann"]


def test_a_warm_start_is_resumed_as_well(small, domains, tmp_path):
    path = tmp_path / "run.skdann"
    params = {"warm_start": True, "max_epochs": 4}
    whole = small(**params).fit(*domains).fit(*domains)
    clf = small(checkpoint=path, checkpoint_interval=1, **params).fit(*domains)
    with pytest.raises(Killed), killed_at(10):
        clf.fit(*domains)
    resumed = small(checkpoint=path, **params).fit(*domains, resume=True)
    assert_same_fit(resumed, whole)


def test_a_resumed_fit_that_fails_leaves_the_estimator_as_it_was(
    small, domains, tmp_path
):
    path = tmp_path / "run.skdann"
    params = {"checkpoint_interval": 1}
    clf = small(warm_start=True, max_epochs=1, **params).fit(*domains)
    before = clf.predict_proba(domains[0])
    for one in (small(**params), clf):
        one.set_params(checkpoint=path, max_epochs=6)
        with pytest.raises(Killed), killed_at(10):
            one.fit(*domains, resume=True)
    assert clf.n_iter_ == 1
    assert np.array_equal(clf.predict_proba(domains[0]), before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lr": 0.5}, "other values of lr;"),
        ({"hidden_layer_sizes": (17,)}, "other values of hidden_layer_sizes;"),
        ({"random_state": 1}, "other values of random_state;"),
        ({"max_epochs": 9, "dropout": 0.1}, "dropout, max_epochs"),
    ],
)
def test_a_checkpoint_of_other_parameters_is_refused(
    small, domains, tmp_path, change, says
):
    path = tmp_path / "run.skdann"
    first = small(checkpoint=path).fit(*domains)
    with pytest.raises(ValueError, match=says):
        small(checkpoint=path, **change).fit(*domains, resume=True)
    assert_same_fit(skdann.load(path), first)


SAME_PARAMETERS = [
    {"lambda_max": 1},
    {"hidden_layer_sizes": [16]},
    {"hidden_layer_sizes": 16},
    {"hidden_layer_sizes": np.array([16])},
    {"hidden_layer_sizes": (np.int64(16),)},
    {"class_weight": {1: 2, 0: 1}},
    {"class_weight": {0.0: np.float32(1), np.int64(1): 2.0}},
    {"random_state": np.int32(0), "batch_size": np.int64(128)},
    {"verbose": 0, "checkpoint_interval": 1, "device": "cpu"},
]


@pytest.mark.parametrize("params", SAME_PARAMETERS, ids=str)
def test_a_value_of_another_type_is_the_same_parameter(
    small, domains, tmp_path, params
):
    path = tmp_path / "run.skdann"
    given = {"lambda_max": 1.0, "class_weight": {0: 1.0, 1: 2.0}, "checkpoint": path}
    first = small(**given).fit(*domains)
    assert_same_fit(small(**{**given, **params}).fit(*domains, resume=True), first)


def _changed(array, index, value=None):
    array = array.copy()
    array[index] = array[index] + 1 if value is None else value
    return array


def make_arguments():
    X, y, X_tgt, y_tgt = make_domains()
    some = np.where(np.arange(len(y_tgt)) < 9, y_tgt, -1)
    weight = np.linspace(1, 2, len(y))
    return {"X": X, "y": y, "X_tgt": X_tgt, "y_tgt": some, "sample_weight": weight}


OTHER_DATA = {
    "one number of a row in the middle": lambda a: {"X": _changed(a["X"], (101, 1))},
    "one number of the target": lambda a: {"X_tgt": _changed(a["X_tgt"], (73, 0))},
    "rows in another order": lambda a: {k: a[k][::-1] for k in ("X", "y")},
    "target in another order": lambda a: {"X_tgt": a["X_tgt"][::-1]},
    "a label": lambda a: {"y": _changed(a["y"], 5, 1 - a["y"][5])},
    "names of the labels": lambda a: {
        "y": np.array(["a", "b"])[a["y"]],
        "y_tgt": np.array(["a", "b", None], dtype=object)[a["y_tgt"]],
    },
    "a label of the target": lambda a: {
        "y_tgt": _changed(a["y_tgt"], 3, 1 - a["y_tgt"][3])
    },
    "no labels of the target": lambda a: {"y_tgt": None},
    "a weight": lambda a: {"sample_weight": _changed(a["sample_weight"], 50)},
    "no weights": lambda a: {"sample_weight": None},
    "a smaller target": lambda a: {k: a[k][:-1] for k in ("X_tgt", "y_tgt")},
    "no target": lambda a: {"X_tgt": None, "y_tgt": None},
    "float32": lambda a: {k: a[k].astype(np.float32) for k in ("X", "X_tgt")},
    "a sparse matrix of other values": lambda a: {
        k: sparse.csr_array(a[k] + 1) for k in ("X", "X_tgt")
    },
    "other names of the columns": lambda a: {
        k: pd.DataFrame(a[k], columns=["b", "a"]) for k in ("X", "X_tgt")
    },
}


def named(rows):
    return pd.DataFrame(rows, columns=["a", "b"])


@pytest.mark.parametrize("container", [np.asarray, named, sparse.csr_array])
def test_a_checkpoint_of_other_data_is_refused(small, tmp_path, container):
    path, known = tmp_path / "run.skdann", make_arguments()

    def fit(arguments, **how):
        given = {
            name: container(value)
            if name in ("X", "X_tgt") and isinstance(value, np.ndarray)
            else value
            for name, value in arguments.items()
        }
        clf = small(checkpoint=path, lambda_max=0, max_epochs=1)
        return clf.fit(given.pop("X"), given.pop("y"), **given, **how)

    first = fit(known)
    assert_same_fit(fit(known, resume=True), first)
    answers = {}
    for kind, change in OTHER_DATA.items():
        try:
            answers[kind] = fit({**known, **change(known)}, resume=True)
        except ValueError as error:
            answers[kind] = str(error)
    accepted = [k for k, said in answers.items() if "on other data: " not in str(said)]
    assert not accepted
    assert_same_fit(skdann.load(path), first)


def test_the_same_rows_in_another_memory_are_the_same_data(small, domains, tmp_path):
    X, y, X_tgt = domains
    path = tmp_path / "run.skdann"
    first = small(checkpoint=path).fit(X, y, X_tgt)
    for again in (
        (np.asfortranarray(X), list(y), X_tgt),
        (np.repeat(X, 2, axis=0)[::2], y.astype(np.int8), X_tgt.copy()),
        (X.tolist(), y, np.flip(np.flip(X_tgt).copy())),
    ):
        assert_same_fit(small(checkpoint=path).fit(*again, resume=True), first)
    path.unlink()
    S = sparse.csr_array(np.where(X > 0, X, 0))
    first = small(checkpoint=path, lambda_max=0).fit(S, y)
    turned = S.tocsc().tocoo()
    again = sparse.csr_matrix((turned.data, (turned.row, turned.col)), S.shape)
    resumed = small(checkpoint=path, lambda_max=0).fit(again, y, resume=True)
    assert_same_fit(resumed, first)


def network(n_out=16, activation=nn.ReLU, dropout=0.0):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(2, n_out), activation())
            self.drop = nn.Dropout(dropout)

        def forward(self, X):
            return self.drop(self.layers(X))

    return Net


def network_that_doubles():
    class Net(network()):
        def forward(self, X):
            return 2 * super().forward(X)

    return Net


class Falling:
    def __init__(self, end):
        self.end = end

    def __call__(self, progress):
        return 1 - progress * (1 - self.end)


def falling(end, progress):
    return 1 - progress * (1 - end)


def calls(module):
    return lambda: module()()


# Of each kind of code one that is the same again, and others that are not.
CODE = {
    "a class": ("feature_extractor", network, network_that_doubles),
    "another activation": ("feature_extractor", network, lambda: network(16, nn.Tanh)),
    "another dropout": ("feature_extractor", network, lambda: network(dropout=0.5)),
    "an instance": ("feature_extractor", calls(network), calls(network_that_doubles)),
    "what a function makes": (
        "feature_extractor",
        lambda: calls(network),
        lambda: calls(network_that_doubles),
    ),
    "a function": (
        "lr_schedule",
        lambda: lambda p: 1 - p / 2,
        lambda: lambda p: 1 - p / 3,
    ),
    "what a function remembers": (
        "lr_schedule",
        lambda end=0.5: lambda p: 1 - p * end,
        lambda end=0.4: lambda p: 1 - p * end,
    ),
    "a partial": (
        "lr_schedule",
        lambda: partial(falling, 0.5),
        lambda: partial(falling, 0.4),
    ),
    "an object": ("lambda_schedule", lambda: Falling(0.5), lambda: Falling(0.4)),
    "a method": (
        "lambda_schedule",
        lambda: Falling(0.5).__call__,
        lambda: Falling(0.4).__call__,
    ),
    "an optimizer": (
        "optimizer",
        lambda: type("Mine", (torch.optim.SGD,), {"pace": 1}),
        lambda: type("Mine", (torch.optim.SGD,), {"pace": 2}),
    ),
    "torch's optimizer": (
        "optimizer",
        lambda: torch.optim.RMSprop,
        lambda: torch.optim.Adagrad,
    ),
}


@pytest.mark.parametrize("kind", CODE)
def test_other_code_of_the_same_name_is_refused(small, domains, tmp_path, kind):
    name, make, make_other = CODE[kind]
    path, params = tmp_path / "run.skdann", {"max_epochs": 2, "momentum": 0.5}
    first = small(checkpoint=path, **params, **{name: make()}).fit(*domains)
    again = small(checkpoint=path, **params, **{name: make()})
    assert_same_fit(again.fit(*domains, resume=True), first)
    other = small(checkpoint=path, **params, **{name: make_other()})
    with pytest.raises(ValueError, match=f"other (code|values) of {name};"):
        other.fit(*domains, resume=True)


KIND = """
class Kind:
    known = ("a", "b")
    def __call__(self, p):
        {}
        return 1 if str(p) in {{"x", "y", "z", "0", "1"}} else super().__eq__(p)
digests = [hash_code(Kind()), hash_code(Kind), hash_code(lambda p: {{1, p}})]
"""


def test_code_is_told_by_what_it_does_in_another_process_too(tmp_path):
    """Not by addresses, nor by the order of sets, nor by comments."""
    here = {"hash_code": hash_code, "__name__": "here"}
    exec(KIND.format("# one"), here)
    code = "from skdann._training._identity import hash_code\n"
    code += KIND.format("# another\n") + "print(digests)"
    assert run_child(code, tmp_path, 1).stdout == f"{here['digests']}\n"


@pytest.mark.parametrize("package", ["torch", "numpy", "scikit-learn", "skdann"])
def test_other_versions_are_told(small, domains, tmp_path, package):
    path = tmp_path / "run.skdann"
    clf = small(checkpoint=path, checkpoint_interval=1)
    with pytest.raises(Killed), killed_at(9):
        clf.fit(*domains)
    tree = read_file(path)
    tree["versions"][package] = "0.0.1"
    write_file(path, tree)
    with pytest.warns(UserWarning, match=f"other versions .{package} 0.0.1") as seen:
        resumed = small(checkpoint=path).fit(*domains, resume=True)
    assert seen[0].filename == __file__
    assert_same_fit(resumed, small().fit(*domains))


def test_the_fingerprint_of_a_file_of_the_last_version_is_looked_at(
    small, domains, tmp_path
):
    X, y, X_tgt = domains
    path = tmp_path / "run.skdann"
    first = small(checkpoint=path).fit(X, y, X_tgt)
    domains = small()._validate_domains(X, y, X_tgt)
    tree = read_file(path)
    tree["run"]["data"] = fingerprint(domains)
    del tree["run"]["code"]
    write_file(path, tree)
    assert_same_fit(small(checkpoint=path).fit(X, y, X_tgt, resume=True), first)
    with pytest.raises(ValueError, match="on other data"):
        small(checkpoint=path).fit(X, y, X_tgt + 1, resume=True)


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "flipped"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_damaged_or_foreign_file_is_refused_and_left_alone(
    small, domains, tmp_path, damage, resume
):
    path = tmp_path / "run.skdann"
    small(checkpoint=path).fit(*domains)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    bad = {"cut": data[:-100], "text": b"a,b\n1,2\n" * 9, "empty": b"", "flipped": data}
    path.write_bytes(bad[damage])
    clf = small(checkpoint=path)
    with pytest.raises(
        ValueError, match=r"run\.skdann' would overwrite|run\.skdann can't be used"
    ):
        clf.fit(*domains, resume=resume)
    assert path.read_bytes() == bad[damage]
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize("resume", [False, True])
def test_a_saved_model_is_not_overwritten(small, domains, tmp_path, resume):
    path = tmp_path / "model.skdann"
    first = small().fit(*domains)
    skdann.save(first, path)
    with pytest.raises(ValueError, match=r"skdann can't be used|would overwrite"):
        small(checkpoint=path, random_state=1).fit(*domains, resume=resume)
    assert_same_fit(skdann.load(path), first)


@pytest.mark.parametrize("n_later", [0, 1])
def test_a_kill_after_the_epoch_that_stopped_changes_nothing(
    small, domains, tmp_path, n_later
):
    """Between the last epoch and the word that training is finished."""
    path = tmp_path / "run.skdann"
    params = {"early_stopping": True, "n_iter_no_change": 1, "max_epochs": 30}
    params["scoring"] = declining
    code = """
    import os
    from test_checkpoint import declining
    writes = 0
    def hook(event, args):
        global writes
        if event == "os.rename":
            writes += 1
            if writes == int(sys.argv[3]):
                os.kill(os.getpid(), 9)
    sys.addaudithook(hook)
    clf.set_params(early_stopping=True, n_iter_no_change=1, scoring=declining)
    clf.fit(X, y, X_tgt, resume=True)
    """
    whole = small(dropout=0.3, **params).fit(*domains)
    n_epochs = whole.n_iter_
    assert n_epochs < 30
    child = run_child(code, path, 30, n_epochs + n_later)
    # the last epoch is written once: there is no later moment to be killed in
    assert child.returncode == (0 if n_later else -signal.SIGKILL), child.stderr
    resumed = small(dropout=0.3, checkpoint=path, checkpoint_interval=1, **params)
    assert_same_fit(resumed.fit(*domains, resume=True), whole)


def declining(estimator, X, y, X_tgt):
    """Return a score that is best when it is asked first."""
    return -estimator.n_iter_


def test_resume_needs_a_checkpoint(small, domains):
    with pytest.raises(ValueError, match="checkpoint=None"):
        small().fit(*domains, resume=True)


def test_nobody_is_advised_to_remove_a_folder(small, domains, tmp_path):
    with pytest.raises(OSError, match=r"can't be written to .*: Is a directory\.$"):
        small(checkpoint=tmp_path).fit(*domains)
    assert tmp_path.is_dir()


def test_a_folder_that_is_not_there_is_told_before_training(small, domains, tmp_path):
    clf = small(checkpoint=tmp_path / "nowhere" / "run.skdann", max_epochs=10**6)
    with pytest.raises(OSError, match=r"can't be written to .*nowhere") as caught:
        clf.fit(*domains)
    assert caught.value.errno == errno.ENOENT


def run_child(code, *arguments):
    """Run Python in a process of its own, with the tests' helpers at hand."""
    return children.fork(FIT + textwrap.dedent(code), *arguments, check=False)


FIT = """
import sys
from helpers import SMALL, make_domains
from skdann import DANNClassifier
X, y, X_tgt, _ = make_domains()
clf = DANNClassifier(**{**SMALL, "max_epochs": int(sys.argv[2]), "dropout": 0.3},
                     checkpoint=sys.argv[1], checkpoint_interval=1)
"""


def test_a_read_only_folder_is_told_before_training(tmp_path):
    """Root, who may write anywhere, gives that up as the first file is opened there.

    Not before: what is read until then may lie where root alone may enter.
    """
    folder = tmp_path / "sealed"
    folder.mkdir()
    folder.chmod(0o555)
    code = """
    import ctypes, os
    def become_like_others(event, args):
        if event == "open" and str(args[0]).startswith(os.path.dirname(sys.argv[1])):
            header = (ctypes.c_uint32 * 2)(0x20080522, 0)
            assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0
    if os.geteuid() == 0:
        sys.addaudithook(become_like_others)
    try:
        clf.fit(X, y, X_tgt)
    except PermissionError as error:
        assert f"can't be written to {sys.argv[1]!r}" in str(error), error
        sys.exit(17)
    """
    child = run_child(code, folder / "run.skdann", 10**6)
    assert child.returncode == 17, child.stderr


def test_a_full_disk_is_told_and_the_last_checkpoint_is_kept(small, domains, tmp_path):
    """The kernel refuses files that grow beyond a limit, as a full disk does."""
    path = tmp_path / "run.skdann"
    code = """
    import resource
    from skorch.callbacks import Callback
    class Fill(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 6:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    clf.set_params(callbacks=[Fill()])
    try:
        clf.fit(X, y, X_tgt)
    except OSError as error:
        assert not hasattr(clf, "net_")
        message = str(error)
        assert "The checkpoint of epoch 6 can't be written" in message, message
        assert "of epoch 5 is kept" in message, message
        sys.exit(17)
    """
    child = run_child(code, path, 9)
    assert child.returncode == 17, child.stderr
    assert os.listdir(tmp_path) == ["run.skdann"]
    params = {"max_epochs": 9, "dropout": 0.3}
    resumed = small(checkpoint=path, **params).fit(*domains, resume=True)
    assert_same_fit(resumed, small(**params).fit(*domains))


def test_a_process_killed_again_and_again_ends_as_if_it_had_not_been(
    small, domains, tmp_path
):
    """A checkpoint at every epoch: much of the time is spent in writing."""
    path, params = tmp_path / "run.skdann", {"max_epochs": 200, "dropout": 0.3}
    crash = "import sys, crash; crash.main(*sys.argv[1:])"
    result = children.fork(crash, path, 200, 6, 0, 0.1)
    assert result.stdout == "6\n", result.stderr
    assert 0 < skdann.load(path).n_iter_ < 200
    resumed = small(checkpoint=path, **params).fit(*domains, resume=True)
    assert_same_fit(resumed, small(**params).fit(*domains))
    assert os.listdir(tmp_path) == ["run.skdann"]


@pytest.mark.parametrize(
    ("moment", "n_times", "n_epochs"),
    # Python tells of an opener's open, too, and the first is the trial before training
    [("open", 8, 3), ("os.rename", 5, 4)],
)
def test_a_kill_within_the_writing_leaves_a_whole_file(
    small, domains, tmp_path, moment, n_times, n_epochs
):
    path = tmp_path / "run.skdann"
    code = """
    import os
    n = 0
    def hook(event, args):
        global n
        name = str(args[0]) if args else ""
        if event == sys.argv[3] and ".part" in name:
            n += 1
            if n == int(sys.argv[4]):
                os.kill(os.getpid(), 9)
    sys.addaudithook(hook)
    clf.fit(X, y, X_tgt, resume=True)
    """
    child = run_child(code, path, 9, moment, n_times)
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert skdann.load(path).n_iter_ == n_epochs
    params = {"max_epochs": 9, "dropout": 0.3}
    resumed = small(checkpoint=path, **params).fit(*domains, resume=True)
    assert_same_fit(resumed, small(**params).fit(*domains))
    assert os.listdir(tmp_path) == ["run.skdann"]


def test_ctrl_c_keeps_the_last_whole_epoch_and_its_checkpoint(small, domains, tmp_path):
    path = tmp_path / "run.skdann"
    params = {"max_epochs": 6, "lambda_schedule": "constant", "lr_schedule": "constant"}
    with killed_at(14, KeyboardInterrupt):  # of four steps, the second of epoch 4
        clf = small(checkpoint=path, **params).fit(*domains)
    assert clf.n_iter_ == 3
    assert_same_fit(clf, small(**{**params, "max_epochs": 3}).fit(*domains))
    resumed = small(checkpoint=path, **params).fit(*domains, resume=True)
    assert_same_fit(resumed, small(**params).fit(*domains))


def test_ctrl_c_before_the_first_whole_epoch_leaves_things_as_they_were(small, domains):
    clf = small()
    with pytest.raises(KeyboardInterrupt), killed_at(2, KeyboardInterrupt):
        clf.fit(*domains)
    assert not [name for name in vars(clf) if name.endswith("_")]


def test_a_failed_fit_leaves_the_checkpoint_of_its_good_epochs(
    small, domains, tmp_path
):
    path = tmp_path / "run.skdann"

    def late_explosion(progress):
        return 1.0 if progress < 0.5 else 1e30

    clf = small(
        checkpoint=path, checkpoint_interval=1, max_epochs=8, lr_schedule=late_explosion
    )
    with pytest.raises(DivergenceError):
        clf.fit(*domains)
    with pytest.warns(UserWarning, match="lr_schedule"):
        kept = skdann.load(path)
    assert 4 <= kept.n_iter_ < 8
    assert np.isfinite(kept.predict_proba(domains[0])).all()


def test_weights_that_went_wrong_in_a_last_step_do_not_replace_good_ones(
    small, domains, tmp_path
):
    """The loss of their epoch is still fine."""
    path = tmp_path / "run.skdann"

    def overflow_at_the_end_of_epoch_two(progress):
        return 1e290 if progress == pytest.approx(7 / 12) else 1e-12

    params = {"optimizer": "sgd", "lr": 1e10, "checkpoint_interval": 1}
    schedule = overflow_at_the_end_of_epoch_two
    clf = small(checkpoint=path, lr_schedule=schedule, **params)
    with pytest.raises(DivergenceError):
        clf.fit(*domains)
    with pytest.warns(UserWarning, match="lr_schedule"):
        assert skdann.load(path).n_iter_ == 1


def test_partial_fit_writes_no_checkpoint(small, domains, tmp_path):
    X, y, X_tgt = domains
    clf = small(checkpoint=tmp_path / "run.skdann")
    clf.partial_fit(X, y, X_tgt, classes=[0, 1])
    assert not os.listdir(tmp_path)


def test_checkpoint_and_resume_pass_through_a_pipeline(domains, routing, tmp_path):
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    X, y, X_tgt = domains
    path = tmp_path / "run.skdann"
    clf = DANNClassifier(max_epochs=3, random_state=0, checkpoint=str(path))
    pipe = Pipeline(
        [("scale", StandardScaler()), ("dann", clf)], transform_input=["X_tgt"]
    )
    pipe.fit(X, y, X_tgt=X_tgt, resume=True)
    assert skdann.load(path).n_iter_ == 3
    again = pipe.fit(X, y, X_tgt=X_tgt, resume=True)
    assert again[-1].n_iter_ == 3


def test_code_is_told_by_all_that_it_was_made_with():
    def made_with(values, end=0.0):
        def schedule(progress, *, end=end):
            return values[int(progress * 4999)] + end

        return schedule

    long = np.linspace(0, 1, 5000)
    other = np.where(np.arange(5000) == 2500, 0.7, long)  # which repr leaves out
    assert hash_code(made_with(long)) == hash_code(made_with(long.copy()))
    assert hash_code(made_with(long)) != hash_code(made_with(other))
    assert hash_code(made_with(long)) != hash_code(made_with(long, end=0.1))
