"""How much memory does a fit take beyond the data, dense, sparse and on disk?"""

from arena import Worker, report

CASES = [
    (storage, n_rows, n_features)
    for storage, n_features in (("dense", 50), ("sparse", 5000), ("memmap", 500))
    for n_rows in (20_000, 200_000)
] + [("dense", 1_000_000, 50)]
CONTENDERS = {
    "dense": ["skdann", "torch loop", "skada"],
    "sparse": ["skdann"],
    "memmap": ["skdann"],
}


def growth(name, **question):
    worker = Worker(name)
    worker.ask("ready", threads=1)
    answer = worker.ask("memory", batch=1024, steps=1, **question)
    worker.close()
    return answer.get("growth", float("nan")) / 2**20


def main():
    rows = []
    for storage, n_rows, n_features in CASES:
        sizes = {"n_rows": n_rows, "n_features": n_features}
        asked = CONTENDERS[storage] if n_rows < 1_000_000 else ["skdann", "torch loop"]
        megabytes = [round(growth(name, storage=storage, **sizes)) for name in asked]
        cells = megabytes + [None] * (3 - len(asked))
        dense = round(2 * n_rows * n_features * 4 / 2**20)
        rows.append([storage, n_rows, n_features, dense, *cells])
        print(rows[-1], flush=True)
    report(
        "MiB that the peak grows by in one epoch, beyond both domains' data; a "
        "memmap's pages are counted as they are read, though the system may drop them",
        ["data", "rows", "columns", "both dense", "skdann", "torch loop", "skada"],
        rows,
    )


if __name__ == "__main__":
    main()
