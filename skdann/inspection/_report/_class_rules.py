"""Rules about the classes that are predicted for the target."""

import numpy as np

from ...metrics._proportions import chance_variation, total_variation
from ._finding import Finding

# Total variation of the proportions, beyond what counting brings about.
_PROPORTIONS_DIFFER = 0.1

# Infomax that adapting may cost.
_LOST_INFOMAX = 0.05

_ADVICE = (
    "If you know the proportions of the target, give them as target_prior and fit "
    "again. Else label a few rows to decide."
)


def one_class(measures):
    """Find classes that the source has and no row of the target gets."""
    predicted, source = (measures.proportions[k] for k in ("adapted", "source"))
    top = int(predicted.argmax())
    if predicted[top] > 0.99 > source[top]:
        return Finding(
            "one_class",
            True,
            f"{predicted[top]:.1%} of the target are predicted as "
            f"{_name(measures, top)}.",
            "The predictions have collapsed, unless the target is of one class.",
            "Scale the target as the source is (a Pipeline with "
            "transform_input=['X_tgt']), lower lambda_max or lr, and look at the "
            "predictions of the source-only model.",
        )
    missing = np.flatnonzero((predicted < 0.001) & (source >= 0.03))
    if not len(missing):
        return None
    names = ", ".join(_name(measures, i) for i in missing[:8])
    return Finding(
        "missing_classes",
        True,
        f"No row of the target is predicted as {names}.",
        "Either the target lacks the class, which plain domain-adversarial training "
        "cannot know, or the features have lost it.",
        "If you know that the class is in the target, lower lambda_max. If it is not, "
        "leave its rows out of the source and fit again.",
    )


def proportions_differ(measures):
    """Return whether models agree that the proportions differ, if not in how far."""
    source = measures.evidence.source_proportions
    return measures.class_proportions.least_variation(source) > _limit(measures)


def other_proportions(measures):
    """Find label shift, which adapting cannot correct and tends to hide."""
    if proportions_differ(measures):
        return _proportions_are_others(measures)
    alone = total_variation(
        measures.evidence.source_proportions, measures.proportions["source only"]
    )
    if measures.class_proportions.is_reliable and alone <= _limit(measures):
        return None
    return _proportions_are_unknown(measures, alone)


def _proportions_are_others(measures):
    least = measures.class_proportions.least_variation(
        measures.evidence.source_proportions
    )
    return Finding(
        "other_proportions",
        True,
        f"The classes have other proportions in the target: {least:.0%} of the rows or "
        "more would have to change class.",
        "Domain-adversarial training makes the domains alike as a whole. Where the "
        "proportions differ, it can only do so by mixing classes, unless it knows "
        "them.",
        _ADVICE,
    )


def _proportions_are_unknown(measures, alone):
    estimated = total_variation(
        measures.evidence.source_proportions, measures.proportions["estimated"]
    )
    reliable = measures.class_proportions.is_reliable
    return Finding(
        "proportions_unknown",
        False,
        f"Class proportions predicted without adaptation are {_points(alone)} from the "
        f"source's, those estimated {_points(estimated)}"
        + (", and the models agree." if reliable else "; the models disagree."),
        "Either the source-only model is mistaken and adapting corrects it, or the "
        "proportions really differ and adapting hides it: it draws them towards "
        "those of the source.",
        _ADVICE,
    )


def lost_infomax(measures):
    """Find predictions that are less certain, or of fewer classes, once adapted."""
    before, after = measures.scores["infomax"]
    if after >= before - _LOST_INFOMAX:
        return None
    return Finding(
        "lost_infomax",
        True,
        f"Infomax of the predictions for the target fell from {before:.2f} to "
        f"{after:.2f}.",
        "They are less certain, or of fewer classes: aligning the domains may have "
        "mixed the classes.",
        "Lower lambda_max, or choose it by DANNGridSearchCV.",
    )


def _limit(measures):
    chance = chance_variation(measures.evidence.source_proportions, measures.n_rows)
    return _PROPORTIONS_DIFFER + chance


def _points(share):
    """Return a share in words, as percentage points."""
    text = f"{100 * share:.0f}"
    return f"{text} point" if text == "1" else f"{text} points"


def _name(measures, position):
    return repr(measures.classes.tolist()[position])  # of numpy or of Python
