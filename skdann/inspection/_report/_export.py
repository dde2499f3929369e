"""A report as plain values, and as a table of pandas."""

from dataclasses import asdict

import numpy as np

from ._labels import n_to_label


def to_dict(report):
    """Return a report as values that JSON can hold."""
    measures, evidence = report.measures, report.measures.evidence
    estimated = measures.class_proportions
    low, high = estimated.interval
    return {
        "recommendation": report.recommendation,
        "verdict": report.verdict,
        "n_to_label": n_to_label(evidence),
        "n_rows": list(measures.n_rows),
        "lambda_max": float(measures.lambda_max),
        "classes": np.asarray(measures.classes).tolist(),
        "models": evidence.models,
        "best_simple": evidence.best_simple,
        "scores": {name: list(pair) for name, pair in measures.scores.items()},
        "change_of_kappa": asdict(evidence.change_of_kappa),
        "accuracy_at_most": report.accuracy_at_most,
        "accuracy_estimates": evidence.accuracy,
        "proportions": {
            **{name: p.tolist() for name, p in measures.proportions.items()},
            "low": low.tolist(),
            "high": high.tolist(),
            "is_reliable": bool(estimated.is_reliable),
        },
        "distances": {k: float(value) for k, value in measures.distances.items()},
        "findings": [asdict(finding) for finding in report.findings],
    }


def to_frame(report):
    """Return the figures of all models as a DataFrame, a row for each."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_frame needs pandas: pip install pandas. to_dict has the same figures."
        ) from error
    frame = pd.DataFrame.from_dict(report.measures.evidence.models, orient="index")
    return frame.rename_axis("model")
