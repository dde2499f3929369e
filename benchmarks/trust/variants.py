"""Variants of the adversary beside the default: from the cells of `run.py`.

`python benchmarks/trust/variants.py [--data folder]`. Each is the default with one
option, on the same pairs and seeds.
"""

import argparse

import numpy as np
from domains import PAIRS
from tables import Judge, accuracy, by_data_set, left_out, mean, save, with_error

VARIANTS = {
    "default": ("default", "none"),
    "conditional=True": ("default, conditional", "none"),
    'conditional="entropy"': ("default, conditional by entropy", "none"),
    "target_entropy=0.1": ("default, target entropy", "none"),
}


def beside_the_default(judge):
    """Return what each variant gains, by data sets and by pairs."""
    scores = {
        name: {n: judge.scores(where, n, accuracy) for n in PAIRS}
        for name, where in VARIANTS.items()
    }
    table = []
    for name, of_pairs in scores.items():
        found = {n: float(values.mean()) for n, values in of_pairs.items()}
        gain = {n: found[n] - float(scores["default"][n].mean()) for n in PAIRS}
        sets = by_data_set(gain)
        of_sets = np.array(list(sets.values()))
        each = np.array(list(gain.values()))
        table.append(
            [
                name,
                mean(found),
                with_error(of_sets),
                *(f"{value:+.3f}".replace("0.", ".") for value in of_sets),
                f"{(each > 0.01).sum()} / {(each < -0.01).sum()}",
                f"{each.min():+.2f} ({PAIRS[int(each.argmin())]})",
            ]
        )
    columns = ["", "accuracy", "less the default", *sets]
    columns += ["pairs 1 point better / worse", "worst"]
    return {"columns": columns, "rows": table}


def chosen_on_the_others(judge):
    """Return the variant that is chosen without each data set, and what it gains."""
    table = left_out(judge, VARIANTS)
    *rows, _ = table["rows"]
    gain = with_error(np.array([chosen - default for _, _, chosen, default in rows]))
    return {**table, "rows": [*table["rows"], ["less the default", "", gain, None]]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the data")
    judge = Judge(parser.parse_args().data)
    n_fits = {len(judge.probabilities(VARIANTS["default"], name)) for name in PAIRS}
    tables = {
        "beside": beside_the_default(judge),
        "left_out": chosen_on_the_others(judge),
    }
    save("variants", tables, seeds=min(n_fits), pairs=len(PAIRS))


if __name__ == "__main__":
    main()
