"""What does a grid of 48 candidates on 3 folds take, against scikit-learn and skada?"""

import argparse
import json
import os
import subprocess
import sys
from statistics import median

import numpy as np
from arena import ENVIRONMENTS, HERE, report


def ask(contender, data_set, n_jobs, data):
    """Run a search in a process of its own, start-up of workers included."""
    python = sys.executable
    if contender == "skada":
        python = ENVIRONMENTS / "skada" / "bin" / "python"
    answer = subprocess.run(
        [
            *(python, HERE / "search_worker.py", contender, data_set, str(n_jobs)),
            *([data] if data else []),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        check=False,
    )
    lines = answer.stdout.splitlines()
    return json.loads(lines[-1]) if lines else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the files; the cache if none")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    runs = [("skdann", 2), ("GridSearchCV", 2), ("GridSearchCV by autograd", 2)]
    runs += [("skdann", 1), ("skada", 2)]
    rows = []
    for data_set in ("50 columns", "amazon books>kitchen"):
        answers = {run: [] for run in runs}
        for _ in range(args.rounds):
            for contender, n_jobs in runs:
                answer = ask(contender, data_set, n_jobs, args.data)
                print(
                    data_set,
                    contender,
                    n_jobs,
                    answer and answer["seconds"],
                    flush=True,
                )
                answers[contender, n_jobs].append(answer)
        ours, stock = answers["skdann", 2][0], answers["GridSearchCV", 2][0]
        base = median(a["seconds"] for a in answers["skdann", 2])
        difference = np.abs(np.subtract(ours["scores"], stock["scores"])).max()
        for (contender, n_jobs), given in answers.items():
            if None in given:
                continue
            seconds = median(a["seconds"] for a in given)
            row = [data_set, contender, n_jobs, round(seconds, 1), seconds / base]
            if contender == "GridSearchCV":
                row += [ours["best"] == stock["best"], float(difference)]
            rows.append(row + [None] * (7 - len(row)))
    report(
        "Seconds of a search over 48 candidates on 3 folds, in a new process, one "
        "thread for each job (skada: 6 of the 48, times 8; it has no gamma and no "
        "schedules); whether the best candidate is the same, and the largest "
        "difference of a mean score",
        ["data", "search", "n_jobs", "s", "times skdann", "same best", "difference"],
        rows,
    )


if __name__ == "__main__":
    main()
