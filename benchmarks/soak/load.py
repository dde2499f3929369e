"""Fit 1,000 times, predict in 8 threads, fit in parallel: does anything leak or differ?

The last line is a JSON object of counts; the exit status says whether they are right.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "robustness"))

import loads

MAX_GROWTH_MIB = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=1000, help="fits in one process")
    parser.add_argument("--seconds", type=float, default=120, help="of predicting")
    parser.add_argument("--parallel-fits", type=int, default=40, help="each way")
    parser.add_argument("--forks", type=int, default=20, help="in the midst of fits")
    args = parser.parse_args()

    growth = show("growth", loads.measure_growth(args.fits, n_threads=2))
    predicted = [
        show("predictions", predict(meanwhile, args.seconds / 3))
        for meanwhile in (None, *loads.EXTRACTORS)
    ]
    parallel = {
        way: show(way, loads.compare_parallel_fits(way, args.parallel_fits))
        for way in loads.WAYS
    }
    forked = [
        show("forks", loads.compare_forked_fits(network, args.forks))
        for network in loads.EXTRACTORS
    ]
    counts = {
        "fits": growth["fits"],
        "memory_growth_mib": round(growth["mib"], 1),
        "things_left": growth["tensors"] + growth["threads"] + growth["files"],
        "threads": min(result["threads"] for result in predicted),
        "predictions_compared": sum(result["predictions"] for result in predicted),
        "fits_meanwhile": sum(result["fits"] for result in predicted),
        "parallel_fits": {way: result["fits"] for way, result in parallel.items()},
        "forked_fits": sum(result["forks"] for result in forked),
        "differences": sum(
            result.get(kind, 0)
            for result in (*predicted, *parallel.values(), *forked)
            for kind in ("differences", "fits_differ", "generators")
        ),
    }
    print(json.dumps(counts))
    return (
        counts["memory_growth_mib"] > MAX_GROWTH_MIB
        or counts["things_left"] > 0
        or counts["threads"] < 8
        or counts["differences"] > 0
    )


def predict(meanwhile, seconds):
    loads.use_both_threads()
    clf = loads.fit("theirs" if meanwhile == "ours" else "ours")
    return loads.compare_predictions(clf, loads.make_rows()[0], meanwhile, seconds)


def show(name, result):
    print(f"{name}: {result}", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
