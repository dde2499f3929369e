"""How long does predict take, for one row, a thousand and a million?"""

from arena import in_turn, report, start


def main():
    workers = start(["skdann", "torch loop", "skada", "adapt", "sklearn MLP"])
    names = [worker.name for worker in workers]
    rows = []
    for n_rows, repeat in ((1, 100), (1_000, 30), (1_000_000, 1)):
        asked = [w for w in workers if w.name != "adapt" or n_rows < 1_000_000]
        answers = in_turn(asked, "predict", rounds=3, n_rows=n_rows, repeat=repeat)
        times = {name: 1e6 * answer["seconds"] for name, answer in answers.items()}
        ours, bare = times["skdann"], times["torch loop"]
        cells = [round(times[name]) if name in times else None for name in names]
        rows.append([n_rows, *cells, ours / bare, round(ours - bare)])
        print(rows[-1], flush=True)
    report(
        "Microseconds of predict on rows of 50 float32 columns; the torch loop is a "
        "bare forward pass of all rows at once; one thread (adapt not asked for "
        "1,000,000)",
        ["rows", *names, "skdann / bare", "over bare"],
        rows,
    )


if __name__ == "__main__":
    main()
