"""Do ranks end as one process does, and from which width on are they faster?"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np

N_COLUMNS = 100
N_STEPS = 6
ROUNDS = 3

# Units of both hidden layers, and rows of a batch.
SIZES = [(64, 128), (256, 128), (1024, 128), (1024, 1024), (2048, 512)]

# Whole fits: how they differ from the default.
FITS = {
    "the default: five networks, Adam": {},
    "SGD": {"optimizer": "sgd"},
    "AdamW, dropout": {"optimizer": "adamw", "dropout": 0.25},
    "one network": {"n_estimators": 1},
    'conditional="entropy"': {"conditional": "entropy"},
    "class_confusion=0.1": {"class_confusion": 0.1},
    "by autograd, NAdam": {"n_estimators": 1, "optimizer": "NAdam"},
    "by autograd, SGD with Nesterov's momentum": {
        "n_estimators": 1,
        "optimizer": "Nesterov",
    },
    "by autograd, RMSprop": {"n_estimators": 1, "optimizer": "RMSprop"},
}


def main(questions):
    if "times" in questions:
        run_ranks("times", 2)
    if "answers" in questions:
        compare_answers()


def compare_answers():
    """Show how whole fits differ."""
    with tempfile.TemporaryDirectory() as folder:
        answers = {n: run_ranks("answers", n, Path(folder, f"{n}.npz")) for n in (2, 4)}
        expected = whole_fits()
        nudged = whole_fits(nudge=True)
        rows = [
            [
                name,
                *(largest(expected[name], answers[n][name]) for n in answers),
                largest(expected[name], nudged[name]),
            ]
            for name in FITS
        ]
    show(
        "Whole float64 fits on the two moons: by how much a probability differs most "
        "from that of one process, on ranks, and in one process if every number of X "
        "is another by one rounding",
        ["fit", "2 ranks", "4 ranks", "X rounded"],
        rows,
        "agree_ranks",
    )


def largest(P, other):
    """Return the largest difference, as a text of two digits."""
    return f"{np.abs(P - other).max():.0e}"


def run_ranks(question, size, answers=None):
    """Start ranks of this file; return what the first has written to a file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, question, folder, str(size), str(answers)]
        ranks = [subprocess.Popen([*command, str(r)]) for r in range(size)]
        for rank in ranks:
            assert rank.wait() == 0
    return None if answers is None else dict(np.load(answers))


def be_rank(question, folder, size, answers, rank):
    """Do what all ranks do."""
    import torch
    from torch import distributed

    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=size
    )
    if question == "answers":
        found = whole_fits()
        if rank == 0:
            np.savez(answers, **found)
        return
    rows = [row_of(width, batch) for width, batch in SIZES]
    if rank == 0:
        show(
            "Milliseconds a step of one network in one process, and in two of one "
            "thread each on one machine, of which the sum of gradients takes the last "
            "column (gloo)",
            ["width", "batch", "weights", "one", "two", "two / one", "sum"],
            rows,
            "bench_ranks",
        )


def show(question, columns, rows, name):
    """Print and write a table."""
    from arena import report

    report(question, columns, rows, name)


def whole_fits(*, nudge=False):
    """Return probabilities of the target, of each of the fits."""
    import torch

    from skdann import DANNClassifier
    from skdann.datasets import make_shifted_moons

    warnings.simplefilter("ignore")

    class Nesterov(torch.optim.SGD):
        def __init__(self, weights, lr):
            super().__init__(weights, lr, momentum=0.9, nesterov=True)

    own = {"NAdam": torch.optim.NAdam, "RMSprop": torch.optim.RMSprop}
    own["Nesterov"] = Nesterov
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    X = np.nextafter(X, np.inf) if nudge else X
    found = {}
    for name, given in FITS.items():
        optimizer = given.get("optimizer", "adam")
        given = {**given, "optimizer": own.get(optimizer, optimizer)}
        clf = DANNClassifier(random_state=0, **given).fit(X, y, X_tgt)
        found[name] = clf.predict_proba(X_tgt)
    return found


def row_of(width, batch):
    """Return the times of a size: on all ranks, as all have to take part."""
    import torch
    from torch import distributed

    times = {"one": [], "two": [], "sum": []}
    for _ in range(ROUNDS):
        if distributed.get_rank() == 0:
            times["one"].append(seconds_of(width, batch, together=False)[0])
        distributed.barrier()  # the others wait without computing
        seconds, n_weights = seconds_of(width, batch, together="auto")
        times["two"].append(seconds)
        message = torch.zeros(n_weights)
        start = time.perf_counter()
        for _ in range(5):
            distributed.all_reduce(message)
        times["sum"].append((time.perf_counter() - start) / 5)
    one, two, sum_ = (1e3 * median(of) if of else np.nan for of in times.values())
    shown = (round(value, 2) for value in (one, two, two / one, sum_))
    return [width, batch, n_weights, *shown]


def seconds_of(width, batch, *, together):
    """Return seconds a step, the median over epochs, and the number of weights."""
    from skdann import DANNClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, batch // 2 * N_STEPS, N_COLUMNS)).astype("f4")
    clf = DANNClassifier(
        n_estimators=1,
        hidden_layer_sizes=(width, width),
        domain_hidden_layer_sizes=(width,),
        batch_size=batch,
        max_epochs=3,
        standardize=None,
        target_prior=None,
        random_state=0,
        distributed=together,
    )
    clf.fit(X[0], X[0, :, 0] > 0, X[1])
    n_weights = sum(weight.numel() for weight in clf.module_.parameters())
    return median(clf.history_[1:, "dur"]) / N_STEPS, n_weights


if __name__ == "__main__":
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    sys.path.insert(0, str(Path(__file__).parent))
    if len(sys.argv) > 2:
        _, question, folder, size, answers, rank = sys.argv
        be_rank(question, folder, int(size), answers, int(rank))
    else:
        main(sys.argv[1:] or ["times", "answers"])
