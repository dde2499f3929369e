"""A report as plain values, and as a table of pandas."""

from dataclasses import asdict

from ._labels import n_to_label


def to_dict(report):
    """Return a report as values that JSON can hold."""
    measures, evidence = report.measures, report.measures.evidence
    shift = measures.column_shift
    return {
        "recommendation": report.recommendation,
        "verdict": report.verdict,
        "n_to_label": n_to_label(evidence),
        "n_rows": list(measures.n_rows),
        "lambda_max": float(measures.lambda_max),
        "models": evidence.models,
        "best_simple": evidence.best_simple,
        "scores": {name: list(pair) for name, pair in measures.scores.items()},
        **measures.values(),
        "distances": {k: float(value) for k, value in measures.distances.items()},
        "column_shift": shift and shift.to_dict(),
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
