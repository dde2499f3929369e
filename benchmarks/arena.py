"""Contenders measured in turn (A B A B), each in its own process and environment."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median

from contenders import CONTENDERS

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".venv-bench"
RESULTS = HERE / "results"


class Worker:
    """A running contender."""

    def __init__(self, name, threads=1):
        self.name = name
        environment = CONTENDERS[name][1]
        python = ENVIRONMENTS / environment / "bin" / "python"
        if environment == "skdann":
            python = sys.executable
        self.process = subprocess.Popen(
            [python, HERE / "worker.py", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "OMP_NUM_THREADS": str(threads),
                "TF_NUM_INTRAOP_THREADS": str(threads),
                "TF_NUM_INTEROP_THREADS": str(threads),
            },
        )

    def ask(self, kind, **question):
        print(
            json.dumps({"ask": kind, **question}), file=self.process.stdin, flush=True
        )
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "the process died"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(names, threads=1):
    """Return the workers that can train, and say which cannot and why."""
    workers = []
    for name in names:
        try:
            worker = Worker(name, threads)
        except OSError as error:
            print(f"{name}: not installed ({error})")
            continue
        answer = worker.ask("ready", threads=threads)
        if "error" in answer:
            print(f"{name}: {answer['error']}")
            worker.close()
        else:
            workers.append(worker)
    return workers


def in_turn(workers, kind, rounds=5, **question):
    """Ask all workers, round after round; return each one's answers by key, medians."""
    answers = {worker.name: [] for worker in workers}
    for _ in range(rounds):
        for worker in workers:
            answers[worker.name].append(worker.ask(kind, **question))
    return {name: _medians(rows) for name, rows in answers.items()}


def _medians(rows):
    for row in rows:
        if "error" in row:
            return row
    return {key: median(row[key] for row in rows) for key in rows[0]}


def machine():
    """Describe the machine and the versions, for the record."""
    packages = ["numpy", "scipy", "scikit-learn", "skorch", "torch"]
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def report(question, columns, rows, name=None):
    """Print a table in Markdown and write it, with the machine, as JSON."""
    print(f"\n{question}\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        cells = (f"{v:.3g}" if isinstance(v, float) else str(v) for v in row)
        print("| " + " | ".join(cells) + " |")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name or Path(sys.argv[0]).stem}.json"
    record = {
        "question": question,
        "machine": machine(),
        "columns": columns,
        "rows": rows,
    }
    path.write_text(json.dumps(record, indent=1) + "\n")
