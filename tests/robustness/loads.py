"""Loads: fits and predictions at once or in great number, counted.

For test_under_load.py and, in greater number, benchmarks/soak/load.py. What may
deadlock is to be called in a process of its own.
"""

import gc
import hashlib
import multiprocessing
import pickle
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from skorch.callbacks import Callback
from torch import nn
from tqdm import tqdm

import skdann
from skdann import DANNClassifier
from skdann.model_selection import DANNGridSearchCV

# Backends of joblib, then pools of the standard library.
WAYS = ("threading", "loky", "joblib-fork", "joblib-spawn", "fork", "spawn")

METHODS = ("predict_proba", "transform", "predict_domain")
# A few rows of float32 torch's two threads round otherwise than one; many they share.
N_ROWS = (1, 6, 7, 10, 11, 100, 1000, 5000)


def user_network():
    """Draw from torch's own generator; keep running means."""
    return nn.Sequential(
        nn.Linear(20, 64), nn.BatchNorm1d(64), nn.Dropout(0.5), nn.ReLU()
    )


EXTRACTORS = {"ours": None, "theirs": user_network}
# By default a forest decides these two, which takes most of the time of a small fit.
DEFAULT = {"standardize": "auto", "target_prior": "estimate"}
QUICK = {"standardize": "source", "target_prior": None}


def make_rows(n_rows=5000):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 20), dtype="f4")
    return X, (X[:, 0] > 0).astype(int), X + np.float32(0.5)


def fit(network, seed=0, n_rows=500, **params):
    clf = DANNClassifier(
        feature_extractor=EXTRACTORS[network],
        device="cpu",
        random_state=seed,
        **{**QUICK, "n_estimators": 2, "max_epochs": 3, **params},
    )
    return clf.fit(*make_rows(n_rows))


def search(network):
    clf = DANNClassifier(feature_extractor=EXTRACTORS[network], max_epochs=1)
    grid = DANNGridSearchCV(clf, {"lambda_max": [0, 1]}, cv=2)
    return grid.fit(*make_rows(200))


def digest(clf):
    """Sum up a fit so that one bit of its weights, running means or losses tells."""
    state = clf.module_.state_dict()
    parts = [state[name].numpy().tobytes() for name in sorted(state)]
    parts.append(np.array(clf.history_[:, "train_loss"]).tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()


def use_both_threads():
    """Have OpenMP start its threads, which processes forked from now on lack."""
    torch.set_num_threads(2)
    x = torch.ones(1000, 1000)
    return (x @ x).relu()


def compare_parallel_fits(way, n_fits=6):
    """Fit one after the other and then, as ``WAYS`` says, in parallel.

    Returns
    -------
    dict
        ``fits``; ``differences``, how many of them differ in a bit; ``deviation``, the
        largest of their predictions, which torch may round by its number of threads;
        ``n_threads``, that number afterwards.
    """
    use_both_threads()
    networks = list(EXTRACTORS)
    tasks = [(networks[i % 2], i // 2) for i in range(n_fits)]
    expected = [_fit_and_predict(*task) for task in tasks]
    pairs = list(zip(expected, _in_parallel(way, tasks), strict=True))
    return {
        "fits": len(pairs),
        "differences": sum(one != other for (one, _), (other, _) in pairs),
        "deviation": max(float(abs(p - q).max()) for (_, p), (_, q) in pairs),
        "n_threads": torch.get_num_threads(),
    }


def _in_parallel(way, tasks):
    if way in ("fork", "spawn"):
        # one that is spawned imports for seconds, and tells as much as two
        n_processes = 2 if way == "fork" else 1
        with multiprocessing.get_context(way).Pool(n_processes) as pool:
            return pool.starmap(_fit_and_predict, tasks, chunksize=1)
    if way.startswith("joblib-"):
        way = multiprocessing.get_context(way.removeprefix("joblib-"))
    parallel = Parallel(n_jobs=2, backend=way)
    results = parallel(delayed(_fit_and_predict)(*task) for task in tasks)
    if way == "loky":
        get_reusable_executor().shutdown()  # else whoever started them waits long
    return results


def _fit_and_predict(network, seed=0, **settings):
    clf = fit(network, seed, **settings)
    return digest(clf), clf.predict_proba(make_rows()[0])


class Milestone(Callback):
    """Tell that a step is done and wait, so that others find the fit in its midst.

    Parameters
    ----------
    patience : float
        Seconds until it goes on by itself.
    """

    def __init__(self, patience):
        self.patience = patience
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_batch_end(self, net, **kwargs):
        self.reached.set()
        self.go_on.wait(self.patience)
        self.go_on.set()

    def __deepcopy__(self, memo):
        return self


def compare_forked_fits(network, n_forks=3):
    """Fork while a thread is in the midst of a fit; fit and predict in the child.

    Returns
    -------
    dict
        ``forks``; ``differences``, in how many a bit of the fit is another;
        ``generators``, in how many torch's was found other than between fits.
    """
    use_both_threads()
    answers = multiprocessing.SimpleQueue()
    expected = digest(fit(network)), _state_of_generator()
    found = []
    for _ in range(n_forks):
        milestone = Milestone(patience=0.2)
        fitting = _start(lambda m=milestone: fit(network, callbacks=[m]))
        milestone.reached.wait()
        child = _to_fork(answers, network)
        child.start()
        found.append(answers.get())
        child.join()
        fitting.join()
    return {
        "forks": len(found),
        "differences": sum(fit != expected[0] for fit, _ in found),
        "generators": sum(generator != expected[1] for _, generator in found),
    }


def compare_forks_in_first_fit():
    """Fork at each import, or as soon after as can be, in the first fit of a process.

    Returns
    -------
    dict
        ``forks`` and, among them, ``differences``, in how many the fit is another.
    """
    answers = multiprocessing.SimpleQueue()
    forks = []

    class AtImports:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if threading.current_thread() is fitting:
                if not forks or not forks[-1].is_alive():
                    forks.append(_start(_to_fork(answers, "ours", **DEFAULT).start))
                forks[-1].join(0.005)  # time to fork, unless it has to wait

    first = []
    fitting = threading.Thread(
        target=lambda: first.append(digest(fit("ours", **DEFAULT)))
    )
    sys.meta_path.insert(0, AtImports)
    fitting.start()
    fitting.join()
    sys.meta_path.remove(AtImports)
    found = [answers.get()[0] for _ in forks]
    return {"forks": len(found), "differences": sum(f != first[0] for f in found)}


def use_saved_models_in_forks(folder):
    """Read a model of large layers in forked processes, from a file and from a pickle.

    Returns
    -------
    list of bool
        Whether the process ended by itself, for each of the two.
    """
    use_both_threads()
    clf = fit("ours", hidden_layer_sizes=(400, 400), max_epochs=1, n_estimators=1)
    path, pickled = Path(folder) / "model", pickle.dumps(clf)
    skdann.save(clf, path)
    ended = []
    for read in (lambda: skdann.load(path), lambda: pickle.loads(pickled)):
        child = multiprocessing.get_context("fork").Process(target=read)
        child.start()
        child.join(60)
        ended.append(child.exitcode == 0)
        child.kill()
    return ended


def compare_fork_while_a_bar_is_drawn():
    """Fork while another thread draws a progress bar; fit with a bar in the child.

    Returns
    -------
    bool
        Whether the fit in the child is the same.
    """
    expected = digest(fit("ours", verbose=1))
    answers = multiprocessing.SimpleQueue()
    with tqdm.get_lock():
        _start(_to_fork(answers, "ours", verbose=1).start).join(0.5)
    found, _ = answers.get()
    return found == expected


def _to_fork(answers, network, **settings):
    """Return a process that, once forked, fits and tells what it found."""

    def answer():
        generator = _state_of_generator()
        answers.put((_fit_and_predict(network, **settings)[0], generator))

    return multiprocessing.get_context("fork").Process(target=answer)


def _state_of_generator():
    return torch.random.get_rng_state().numpy().tobytes()


def compare_predictions(clf, X, meanwhile=None, seconds=1.0, n_threads=8):
    """Predict in many threads what one has predicted.

    Parameters
    ----------
    meanwhile : str or None
        A network that one more thread goes on fitting. Those that predict are born in
        the midst of its first fit.

    Returns
    -------
    dict
        ``predictions`` and, among them, ``differences``; ``n_threads``, the numbers
        that torch had in the threads; ``fits`` and, among them, ``fits_differ``.
    """
    expected = {
        (method, n): getattr(clf, method)(X[:n]) for method in METHODS for n in N_ROWS
    }
    # watched as well, so that the same engine takes the steps
    alone = digest(fit(meanwhile or "ours", callbacks=[Milestone(patience=0)]))
    counts, numbers, fits = [], [], []
    everyone = threading.Barrier(n_threads + 1)
    milestone, is_over = Milestone(patience=60), threading.Event()

    def predict(seed):
        numbers.append(torch.get_num_threads())
        everyone.wait()
        counts.append(_count_differences(clf, X, expected, seconds, seed))

    def keep_fitting():
        while not is_over.is_set():
            fits.append(digest(fit(meanwhile, callbacks=[milestone])))

    if meanwhile is not None:
        fitting = _start(keep_fitting)
        milestone.reached.wait()
    threads = [_start(lambda seed=seed: predict(seed)) for seed in range(n_threads)]
    everyone.wait()
    milestone.go_on.set()
    for thread in threads:
        thread.join()
    is_over.set()
    if meanwhile is not None:
        fitting.join()
    return {
        "threads": len(counts),
        "n_threads": sorted(set(numbers)),
        "predictions": sum(n for n, _ in counts),
        "differences": sum(n for _, n in counts),
        "fits": len(fits),
        "fits_differ": sum(fit != alone for fit in fits),
    }


def _start(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def _count_differences(clf, X, expected, seconds, seed):
    """Predict all that is expected, and again, each time in another order."""
    rng = np.random.default_rng(seed)
    cells = list(expected)
    n = differences = 0
    end = time.perf_counter() + seconds
    while n == 0 or time.perf_counter() < end:
        for i in rng.permutation(len(cells)):
            method, n_rows = cells[i]
            found = getattr(clf, method)(X[:n_rows])
            differences += not np.array_equal(found, expected[method, n_rows])
            n += 1
    return n, differences


def count_threads(network, n_fits):
    """Fit in several threads at once; return torch's number of threads in each then.

    Returns
    -------
    list of int
        Of the threads that fitted, of the caller, and of one born afterwards.
    """
    use_both_threads()
    numbers = []

    def count(seed=None):
        if seed is not None:
            fit(network, seed)
        numbers.append(torch.get_num_threads())

    for thread in [_start(lambda seed=seed: count(seed)) for seed in range(n_fits)]:
        thread.join()
    count()
    _start(count).join()
    return numbers


def count_threads_after(first):
    """Fit or search first; return how many of Python's threads there are then."""
    first("ours")
    return threading.active_count()


def measure_growth(n_fits=150, n_before=30, n_threads=1, **params):
    """Fit and predict again and again; return by how much the process has grown.

    Parameters
    ----------
    **params : dict
        Of the classifier.

    Returns
    -------
    dict
        ``fits``; ``mib``, of resident memory; ``tensors``, ``threads`` and ``files``,
        how many more there are.
    """
    torch.set_num_threads(n_threads)
    X, _, X_tgt = make_rows(60)

    def fit_often(n):
        for seed in range(n):
            network = list(EXTRACTORS)[seed % 2]
            clf = fit(network, seed, n_rows=60, max_epochs=2, **params)
            clf.predict_proba(X)
            clf.predict_domain(X_tgt)

    fit_often(n_before)
    before = _belongings()
    fit_often(n_fits)
    growth = {name: n - before[name] for name, n in _belongings().items()}
    return {"fits": n_fits, **growth}


def _belongings():
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    resident = next(line for line in status if line.startswith("VmRSS"))
    return {
        "mib": int(resident.split()[1]) / 1024,
        "tensors": sum(issubclass(type(x), torch.Tensor) for x in gc.get_objects()),
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
    }
