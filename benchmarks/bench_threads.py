"""Do threads help, and what do they cost beside a busy neighbor?"""

import subprocess
import sys

from arena import in_turn, report, start

SIZES = [{}, {"hidden": (256, 256)}, {"hidden": (1024, 1024), "steps": 100}]
NEIGHBOR = "while True: sum(range(10**6))"


def main():
    rows = []
    by_threads = {n: start(["skdann", "torch loop"], threads=n) for n in (1, 2)}
    for busy in (False, True):
        neighbor = subprocess.Popen([sys.executable, "-c", NEIGHBOR]) if busy else None
        for size in SIZES:
            row = ["busy" if busy else "idle", size.get("hidden", (64, 64))]
            for workers in by_threads.values():
                answers = in_turn(workers, "fit", rounds=3, slope=True, **size)
                row += [round(1e3 * a["per_step"], 3) for a in answers.values()]
            rows.append(row)
            print(row, flush=True)
        if neighbor:
            neighbor.kill()
    report(
        "Milliseconds a step when torch may use one thread or two, on an idle machine "
        "and beside a process that keeps one core busy",
        ["neighbor", "hidden", "skdann 1", "loop 1", "skdann 2", "loop 2"],
        rows,
    )


if __name__ == "__main__":
    main()
