"""Long campaigns: kills, interrupts, files, properties, odd calls, threads, counted.

`python benchmarks/soak/soak.py` takes about fifty minutes on two cores; `--scale .1` a
tenth of that. Writes docs/results/soak.json, which docs/reliability.md shows. Whatever
goes wrong is printed, counted, and belongs into a small test.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "reproduce"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "robustness"))

import numpy as np
import torch
from crash import killed
from helpers import SMALL, make_domains
from record import ROOT, save

import skdann
from skdann import DANNClassifier
from skdann.model_selection import DANNGridSearchCV

TESTS = ROOT / "tests"
PATH = os.pathsep.join(map(str, (ROOT, TESTS)))
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": PATH}

torch.set_num_threads(1)  # as where the trainings are killed


def run(*command, **environment):
    """Return what a script prints; its errors are ours."""
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        print(result.stdout[-4000:], result.stderr[-4000:])
    return result


def kill(n_kills, seed):
    """Kill a training ``n_kills`` times; return kills, and files that were no good."""
    n_epochs = 20 * n_kills
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.skdann"
        result = run(
            TESTS / "robustness" / "crash.py", path, n_epochs, n_kills, seed, 0.2
        )
        n_killed = int(result.stdout or 0)
        X, y, X_tgt, _ = make_domains()
        params = {**SMALL, "max_epochs": n_epochs, "dropout": 0.3}
        resumed = DANNClassifier(**params, checkpoint=path)
        resumed.fit(X, y, X_tgt, resume=True)
        whole = DANNClassifier(**params).fit(X, y, X_tgt)
        same = np.array_equal(resumed.predict_proba(X), whole.predict_proba(X))
        is_clean = os.listdir(folder) == [path.name]
        is_good = same and is_clean and skdann.load(path).n_iter_ == n_epochs
    return n_killed, int(not is_good)


def kill_search(n_kills, seed):
    """Kill a search ``n_kills`` times; return kills, and ends that were no good."""
    X, y, X_tgt, _ = make_domains()
    grid = {"lambda_max": [0.0], "lr": np.linspace(1e-3, 1e-2, 2 * n_kills)}
    params = {"cv": 2, "max_stacked": 1, "n_jobs": 1}
    clf = DANNClassifier(**SMALL, checkpoint_interval=1)
    whole = DANNGridSearchCV(clf, grid, **params).fit(X, y, X_tgt)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        search = DANNGridSearchCV(clf, grid, **params, checkpoint=folder)
        n_killed = sum(
            killed(lambda: search.fit(X, y, X_tgt), 0.2, rng) for _ in range(n_kills)
        )
        search.fit(X, y, X_tgt)
        is_clean = not list(Path(folder).glob(".*.part"))
    columns = [
        result.cv_results_[name]
        for name in ("mean_test_score", "split1_test_infomax", "rank_test_neg_dev")
        for result in (search, whole)
    ]
    same = all(map(np.array_equal, columns[::2], columns[1::2]))
    same = same and np.array_equal(search.predict_proba(X), whole.predict_proba(X))
    return n_killed, int(not (same and is_clean))


def interrupt(number, seed):
    """Return signals sent to calls under way, on one thread and two, and what broke."""
    n_sent, wrong = Counter(), Counter()
    for n_threads in (1, 2):
        script = TESTS / "robustness" / "interrupts.py"
        found = run(script, number, seed, n_threads, OMP_NUM_THREADS="2")
        lines = [line for line in found.stdout.splitlines() if line.startswith("{")]
        counts = json.loads(lines[-1]) if lines else {"wrong": {"it never ended": 1}}
        wrong += Counter(counts.pop("wrong"))
        n_sent += Counter(counts)
    print(dict(wrong))
    return n_sent, wrong.total()


def attack(seconds, seed):
    """Return files tried, how many of them were refused, and what was not allowed."""
    result = run(TESTS / "robustness" / "hostile.py", seconds, seed)
    print(result.stderr[-4000:])  # which files, by number
    found = json.loads(result.stdout.splitlines()[-1])
    print(found)
    allowed = {"refused", "the same", "another"}
    wrong = sum(n for verdict, n in found.items() if verdict not in allowed)
    return sum(found.values()), found["refused"], wrong


def weigh(megabytes):
    """Return files loaded that claim more than they are, and the most that one took.

    In MiB and seconds of each MiB of the file.
    """
    result = run(TESTS / "robustness" / "bombs.py", megabytes)
    # the first is an honest file
    _, *found = [json.loads(line) for line in result.stdout.splitlines()]
    for line in found:
        print(line)
    wrong = sum(line["outcome"] not in ("loaded", "refused") for line in found)
    most = [
        max(line[k] / line["file_mib"] for line in found) for k in ("mib", "seconds")
    ]
    return len(found), wrong, most


def prove(test, n_examples):
    """Return the cases of a file of properties tried and the properties that failed."""
    result = run(
        *("-m", "pytest", "-q", "-n", "2", "--hypothesis-show-statistics"),
        TESTS / test,
        SKDANN_EXAMPLES=str(n_examples),
    )
    cases = re.findall(r"(\d+) passing, (\d+) failing", result.stdout)
    failed = re.search(r"(\d+) failed", result.stdout)
    return sum(int(a) + int(b) for a, b in cases), int(failed[1]) if failed else 0


def load(n_fits, seconds):
    """Return what the script of threads and fits counts."""
    script = Path(__file__).with_name("load.py")
    result = run(script, "--fits", n_fits, "--seconds", seconds)
    return json.loads(result.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    scale, seed = args.scale, args.seed
    n_killed, n_lost = kill(int(300 * scale), seed)
    n_ended, n_spoilt = kill_search(int(100 * scale), seed)
    n_sent, n_broken = interrupt(int(150 * scale), seed)
    n_files, n_refused, n_wrong = attack(600 * scale, seed)
    n_bombs, n_fatal, (mib, seconds) = weigh(8 if scale >= 1 else 1)
    n_cases, n_failed = prove("test_properties.py", int(1000 * scale))
    n_calls, n_unclear = prove("test_constructor_calls.py", int(3000 * scale))
    counts = load(1000, 120 * scale)
    rows = [
        ["kills of a training, each at a random moment", n_killed, n_lost],
        ["kills of a search, each at a random moment", n_ended, n_spoilt],
        ["SIGINT (Ctrl-C), once or twice, at a random moment", n_sent["SIGINT"], None],
        ["SIGTERM to a process that writes", n_sent["SIGTERM"], None],
        [
            "... of both, that came before the end of the call",
            n_sent["in time"],
            n_broken,
        ],
        ["damaged and forged files, loaded and trained on", n_files, n_wrong],
        ["... of which refused", n_refused, None],
        ["kinds of files that claim more than they are", n_bombs, n_fatal],
        ["... most memory to load one, over its size", round(mib), None],
        ["... most seconds to load one, for each MiB", round(seconds, 1), None],
        ["property cases", n_cases, n_failed],
        ["constructor calls with odd values", n_calls, n_unclear],
        *load_rows(counts),
    ]
    tables = {"counts": {"columns": ["what", "how many", "went wrong"], "rows": rows}}
    save("soak", tables, seeds=1, seed=seed, scale=scale, load=counts)


def load_rows(counts):
    parallel = ", ".join(counts["parallel_fits"])
    return [
        [
            f"predictions compared, by {counts['threads']} threads",
            counts["predictions_compared"],
            counts["differences"],
        ],
        [f"fits side by side ({parallel})", sum(counts["parallel_fits"].values()), 0],
        ["fits in one process", counts["fits"], 0],
        ["MiB by which its memory grew", counts["memory_growth_mib"], None],
    ]


if __name__ == "__main__":
    main()
