"""How long does a whole fit take, from 200 to 2,000,000 rows?"""

import argparse

from arena import in_turn, report, start

SIZES = [200, 2_000, 20_000, 200_000, 2_000_000]
# what a hand-written epoch of 2,000,000 rows takes is measured once, not five times
ROUNDS = {200_000: 3, 2_000_000: 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=max(SIZES), help="rows")
    most = parser.parse_args().most
    workers = start(["skdann", "by autograd", "torch loop", "skada", "sklearn MLP"])
    names = [worker.name for worker in workers]
    rows = []
    for n_rows in [size for size in SIZES if size <= most]:
        # as max_epochs="auto" has it at the low end; one epoch at the high end
        steps = max(1000, n_rows // 64)
        asked = [w for w in workers if w.name != "skada" or n_rows <= 200_000]
        answers = in_turn(
            asked, "fit", rounds=ROUNDS.get(n_rows, 5), n_rows=n_rows, steps=steps
        )
        seconds = [answers.get(name, {}).get("seconds") for name in names]
        ratio = answers["skdann"]["seconds"] / answers["torch loop"]["seconds"]
        rows.append([n_rows, *(s and round(s, 3) for s in seconds), ratio])
        print(rows[-1], flush=True)
    report(
        "Seconds for a fit of at least 1,000 steps and one epoch, each domain of n "
        "rows of 50 float32 columns; one thread (skada not asked for 2,000,000)",
        ["rows", *names, "skdann / loop"],
        rows,
    )


if __name__ == "__main__":
    main()
