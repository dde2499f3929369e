"""How fast, and in how much memory, does a fit read maps larger than it may hold?

`python benchmarks/bench_large.py [--rows 20000000] [--compared 2000000] [--folder .]`
writes two domains of 50 float32 columns to files, 4 GB each. One epoch on all of them
is trained in a process that may allocate 2 GiB, everything included. The first rows are
trained on as maps and as arrays, in turn (A B A B): the ratio tells what a map costs.
"""

import argparse
import json
import mmap
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from arena import report
from skorch.callbacks import Callback

from skdann import DANNClassifier
from skdann._training import _checkpoint

N_COLUMNS = 50
BLOCK = 500_000
BATCH_SIZE = 8192
LIMIT = 2 * 2**30
ROUNDS = 2
COLUMNS = ["data", "rows of a domain", "GB of both", "limit in GiB"]
COLUMNS += ["peak of anonymous memory in MiB", "s checking", "s hashing"]
COLUMNS += ["rows a second"]


def write(path, n_rows, shift, seed):
    """Write a map of normal numbers, a block at a time."""
    rng = np.random.default_rng(seed)
    shape = n_rows, N_COLUMNS
    X = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    for start in range(0, n_rows, BLOCK):
        block = X[start : start + BLOCK]
        rng.standard_normal(dtype=np.float32, out=block)
        block += np.float32(shift)
    X.flush()


def rows_on_disk(folder, n_rows):
    """Return how many rows of both domains fit on the disk, and leave a tenth free."""
    free = shutil.disk_usage(folder).free * 0.9
    fit = int(free // (2 * 4 * N_COLUMNS))
    if fit < n_rows:
        print(f"The disk has room for {fit} rows of each domain, not {n_rows}.")
    return min(fit, n_rows)


class Clock(Callback):
    """Knows when the first epoch began and how long it took."""

    def on_epoch_begin(self, net, **kwargs):
        self.began = time.perf_counter()

    def on_epoch_end(self, net, **kwargs):
        self.seconds = time.perf_counter() - self.began


class Peak(threading.Thread):
    """Watches the memory of this process that no file backs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.is_over, self.mebibytes = threading.Event(), 0.0

    def run(self):
        while not self.is_over.wait(0.02):
            status = Path("/proc/self/status").read_text().splitlines()
            line = next(line for line in status if line.startswith("RssAnon"))
            self.mebibytes = max(self.mebibytes, int(line.split()[1]) / 1024)


def hashing_seconds():
    """Have the hash of the data timed; return the list that gets the seconds."""
    seconds, hash_data = [], _checkpoint.hash_data

    def timed(domains):
        start = time.perf_counter()
        digests = hash_data(domains)
        seconds.append(time.perf_counter() - start)
        return digests

    _checkpoint.hash_data = timed
    return seconds


def train(folder, n_rows, storage, limit):
    """Train for one epoch, and print what it took as JSON."""
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    X, X_tgt = (
        np.load(folder / f"{name}.npy", mmap_mode="r")[:n_rows]
        for name in ("source", "target")
    )
    if storage == "array":
        X, X_tgt = np.array(X), np.array(X_tgt)
    y = (X[:, 0] > 0).astype(np.int64)
    clock, hashing, peak = Clock(), hashing_seconds(), Peak()
    peak.start()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as checkpoints:
        DANNClassifier(
            n_estimators=1,
            batch_size=BATCH_SIZE,
            max_epochs=1,
            checkpoint=f"{checkpoints}/checkpoint",
            callbacks=[("clock", clock)],
            device="cpu",
            random_state=0,
        ).fit(X, y, X_tgt)
    peak.is_over.set()
    peak.join()
    answer = {
        "peak": round(peak.mebibytes),
        "checking": clock.began - start - sum(hashing),
        "hashing": sum(hashing),
        "speed": round(2 * n_rows / clock.seconds),
    }
    print(json.dumps(answer))


def ask(folder, n_rows, storage, limit=0):
    """Have a process of its own train; return a row of the table."""
    question = [str(folder), str(n_rows), storage, str(limit)]
    child = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--train", *question],
        stdout=subprocess.PIPE,
        check=True,
    )
    gigabytes = 2 * n_rows * N_COLUMNS * 4 / 1e9
    answer = json.loads(child.stdout.splitlines()[-1])
    row = [
        storage,
        n_rows,
        gigabytes,
        f"{limit / 2**30:g}" if limit else "",
        *answer.values(),
    ]
    print(row, flush=True)
    return row


def rows_from_disk(path, rounds=5):
    """Return how many shuffled rows a second come from a disk of which nothing is kept.

    That is how fast data are read that the system's page cache cannot hold.
    """
    rng, seconds = np.random.default_rng(0), 0.0
    X = np.load(path, mmap_mode="r")
    with path.open("rb") as file:
        for _ in range(rounds):
            X._mmap.madvise(mmap.MADV_DONTNEED)
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            rows = rng.integers(len(X), size=BATCH_SIZE // 2)
            start = time.perf_counter()
            X.take(rows, axis=0)
            seconds += time.perf_counter() - start
    return round(rounds * len(rows) / seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--compared", type=int, default=2_000_000)
    parser.add_argument("--folder", help="where to write the files; removed at the end")
    parser.add_argument("--train", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.train:
        folder, n_rows, storage, limit = args.train
        train(Path(folder), int(n_rows), storage, int(limit))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        folder = Path(folder)
        n_rows = rows_on_disk(folder, args.rows)
        write(folder / "source.npy", n_rows, 0.0, seed=0)
        write(folder / "target.npy", n_rows, 0.5, seed=1)
        n_compared = min(args.compared, n_rows)
        rows = [
            ask(folder, n_compared, storage)
            for _ in range(ROUNDS)
            for storage in ("map", "array")
        ]
        rows.append(ask(folder, n_rows, "map", LIMIT))
        cold = rows_from_disk(folder / "target.npy")
    report(
        f"One epoch of one network, {BATCH_SIZE} rows a step; of a map of which "
        f"nothing is in the page cache, {cold} shuffled rows a second are read",
        COLUMNS,
        rows,
    )


if __name__ == "__main__":
    main()
