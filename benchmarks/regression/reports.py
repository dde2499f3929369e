"""Make the report of each problem, and keep what its models predict.

`python benchmarks/regression/reports.py SET [--data folder]`. A report that is in the
cache is not made again: it can be killed and started anew. report_tables.py judges.
"""

import json

import cached
import numpy as np

from skdann import DANNRegressor
from skdann.inspection import adaptation_report
from skdann.inspection._report._number_evidence import NumberEvidence

# Two networks, which take less time and rank alike.
N_NETWORKS = 2

ANSWERS = ("target", "part_source", "part_target")


def path_of(name, seed):
    return cached.path_of("report", name, seed)


def arrays_of(problem, X, X_tgt, seed):
    """Return what the report of a problem is made of."""
    network = DANNRegressor(n_estimators=N_NETWORKS, random_state=seed).fit(
        X, problem.y, X_tgt
    )
    report = adaptation_report(network, X, problem.y, X_tgt, random_state=seed)
    evidence = report.measures.evidence
    answers = {
        name: np.stack(list(getattr(evidence, name).values())) for name in ANSWERS
    }
    return {
        **answers,
        "names": evidence.names,
        "y": evidence.y,
        "mean": evidence.mean,
        "scale": evidence.scale,
        "rows": evidence.rows,
        "y_src": problem.y,
        "y_tgt": problem.y_tgt,
        "report": json.dumps(report.to_dict()),
    }


def read(name, seed):
    """Return the evidence of a report, from the cache, and what else is there."""
    with np.load(path_of(name, seed)) as file:
        known = dict(file)
    names = known.pop("names").tolist()
    answers = {key: dict(zip(names, known.pop(key), strict=True)) for key in ANSWERS}
    of_y = {key: known.pop(key) for key in ("y", "mean", "scale", "rows")}
    known["report"] = json.loads(str(known["report"]))
    unlabelled = np.zeros(len(of_y["rows"]), dtype=bool)
    return NumberEvidence(**answers, **of_y, is_labelled=unlabelled), known


if __name__ == "__main__":
    cached.compute_all("report", arrays_of, __doc__)
