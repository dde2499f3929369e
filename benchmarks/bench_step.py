"""How long does a training step take, against width, features and batch?"""

from arena import in_turn, report, start
from contenders import CONTENDERS

SIZES = [
    {},
    {"dtype": "float64"},
    {"n_features": 10, "hidden": (16,), "domain_hidden": (16,)},
    {"n_features": 500},
    {"n_features": 5000, "n_rows": 1280, "steps": 100},
    {"hidden": (256, 256)},
    {"hidden": (1024, 1024), "n_rows": 1280, "steps": 60},
    {"batch": 32, "n_rows": 1600},
    {"batch": 1024, "steps": 100, "n_rows": 12800},
    {"n_features": 5000, "n_rows": 2560, "steps": 200, "density": 0.01},
]

# Who takes sparse rows.
OF_SPARSE = ("skdann", "by autograd")


def main():
    workers = start(CONTENDERS)
    names = [worker.name for worker in workers]
    rows = []
    for size in SIZES:
        is_sparse = "density" in size
        asked = [w for w in workers if not is_sparse or w.name in OF_SPARSE]
        answers = in_turn(asked, "fit", rounds=3, slope=True, **size)
        per_step = [answers.get(name, {}).get("per_step") for name in names]
        ours, autograd, loop = (
            answers.get(name, {}).get("per_step")
            for name in ("skdann", "by autograd", "torch loop")
        )
        label = ", ".join(f"{k}={v}" for k, v in size.items()) or "default"
        milliseconds = [t and round(1e3 * t, 3) for t in per_step]
        rows.append([label, *milliseconds, loop and ours / loop, ours / autograd])
        print(rows[-1], flush=True)
    report(
        "Milliseconds a step (64+64 rows of 50 float32 columns, hidden 64-64, domain "
        "128-128, dropout .25 unless said; one thread; median of 3 rounds in turn)",
        ["size", *names, "skdann / loop", "skdann / by autograd"],
        rows,
    )


if __name__ == "__main__":
    main()
