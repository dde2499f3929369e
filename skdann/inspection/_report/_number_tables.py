"""The tables of a report on numbers, as texts."""

from ._tables import of_columns, of_distances, of_models, of_networks

_OF_MODELS = {
    "source_r2": ("R2", "{:.3f}"),
    "source_rmse": ("RMSE", "{:.3g}"),
    "concordance": ("with adapted", "{:.3f}"),
    "agreement": ("with all", "{:.3f}"),
    "target_mean": ("mean", "{:.4g}"),
    "target_deviation": ("deviation", "{:.4g}"),
}
_ALL_MODELS = (
    "All models: R2 and root mean squared error on held-out source rows; on the target "
    "Lin's concordance with the adapted model, its mean with the others"
)
_SCORES = {
    "source_r2": ("held-out source rows", "R2"),
    "reverse_validation": (
        "reverse validation",
        "trained on predictions, R2 on source",
    ),
}


def tables(measures):
    """Return the tables of a report: title, heads, rows of texts."""
    return [
        (_ALL_MODELS + _moments(measures), *of_models(measures.evidence, _OF_MODELS)),
        of_networks(measures, _SCORES, "concordance with forest"),
        (
            "Root mean squared error of the adapted model on the target"
            f"{measures.unit}, as estimated",
            ["by", "at least about"],
            [[by, f"{value:.3g}"] for by, value in measures.evidence.error.items()],
        ),
        of_distances(measures),
        *of_columns(measures),
    ]


def _moments(measures):
    """Return the rest of a title: what predictions of one number vary about."""
    if measures.n_outputs > 1:
        return ""
    mean, scale = (
        float(of_y[0]) for of_y in (measures.evidence.mean, measures.evidence.scale)
    )
    return (
        f", and mean and deviation of what it predicts; those of y in the source are "
        f"{mean:.4g} and {scale:.4g}"
    )
