"""The tables of a report on classes, as texts."""

import numpy as np

from ._tables import of_columns, of_distances, of_models, of_networks

# Classes of which the proportions are shown: those that differ most.
_MAX_CLASSES = 8

_OF_MODELS = {
    "source_accuracy": ("accuracy", "{:.3f}"),
    "auc": ("AUC", "{:.3f}"),
    "same_prediction": ("same", "{:.1%}"),
    "agreement": ("kappa", "{:.2f}"),
    "rank_correlation": ("Spearman", "{:.2f}"),
}
_ALL_MODELS = (
    "All models: accuracy and AUC on held-out source rows; on the target the share of "
    "rows predicted as by the adapted model, mean Cohen's kappa with the others, and "
    "Spearman's correlation with the adapted model's probabilities"
)
_SCORES = {
    "infomax": ("infomax", "certainty and balance on the target, of 1"),
    "reverse_validation": (
        "reverse validation",
        "trained on pseudo-labels, tested on source",
    ),
}


def tables(measures):
    """Return the tables of a report: title, heads, rows of texts."""
    evidence = measures.evidence
    return [
        (_ALL_MODELS, *of_models(evidence, _OF_MODELS)),
        of_networks(measures, _SCORES, "kappa with forest"),
        (
            "Accuracy of the adapted model on the target, as estimated",
            ["by", "at most about"],
            [[name, f"{value:.2f}"] for name, value in evidence.accuracy.items()],
        ),
        (
            "Proportions of the classes",
            ["class", "source", "source only", "adapted", "estimated", "90% interval"],
            _of_classes(measures),
        ),
        of_distances(measures),
        *of_columns(measures),
    ]


def _of_classes(measures):
    estimated = measures.class_proportions
    columns = np.array(list(measures.proportions.values()))
    spread = np.ptp(columns, axis=0)
    most = np.sort(np.argsort(-spread, kind="stable")[:_MAX_CLASSES])
    rows = [
        [
            str(measures.classes[i]),
            *(f"{share:.1%}" for share in columns[:, i]),
            _interval(estimated, i),
        ]
        for i in most
    ]
    left_out = len(measures.classes) - len(most)
    if left_out:
        rows.append([f"{left_out} that differ less", "", "", "", "", ""])
    return rows


def _interval(estimated, i):
    if not estimated.is_reliable:
        return "not reliable"
    low, high = (bound[i] for bound in estimated.interval)
    return f"{low:.1%} to {high:.1%}"
