"""How long does the import take, beside that of what it builds on?"""

import subprocess
import sys
import time
from statistics import median

from arena import report

STATEMENTS = ["import torch", "import torch, sklearn, skorch", "import skdann"]


def seconds(statement):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main():
    for statement in STATEMENTS:
        seconds(statement)  # from disk to cache
    times = {statement: [] for statement in STATEMENTS}
    for _ in range(7):
        for statement in STATEMENTS:
            times[statement].append(seconds(statement))
    rows = [[statement, round(median(t), 2)] for statement, t in times.items()]
    report(
        "Seconds from the start of Python to the end of the import",
        ["import", "s"],
        rows,
    )


if __name__ == "__main__":
    main()
