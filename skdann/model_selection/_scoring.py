"""Interpret the parameter ``scoring`` of a search."""

from dataclasses import dataclass

from sklearn.base import is_regressor
from sklearn.metrics import check_scoring

from .._pipelines import last_step
from ..metrics._scorers import OF_FEATURES
from ._target_scorer import SCORES, TargetScorer

REVERSE = "reverse_validation"

# Columns that a search has, by what y is. Reverse validation is not one: it doubles the
# time.
SCORE_NAMES = (*SCORES, "source_accuracy", "ensemble_agreement", "log_posterior")
SCORE_NAMES += ("source_r2",)

# Of those, what numbers can be scored by.
SCORE_NAMES_OF_NUMBERS = (*OF_FEATURES, "source_r2", "ensemble_agreement")

# One of each kind: by confidence, by source risk, by the other candidates. Scores of
# one kind tend to err together, so that only these are asked whether they disagree.
UNRELATED_SCORES = ("infomax", "neg_dev", "ensemble_agreement")

# Chosen by benchmarks/regret.py on pairs of domains apart from those reported.
DEFAULT_SCORE = "ensemble_agreement"

# With labels of the target for the choice: benchmarks/trust.
DEFAULT_SCORE_WITH_LABELS = "log_posterior"
DEFAULT_SCORE_WITH_NUMBERS = "labelled_r2"

# All that the parameter may name, beside scikit-learn's.
KNOWN = (*SCORE_NAMES, DEFAULT_SCORE_WITH_NUMBERS, REVERSE)


@dataclass(frozen=True)
class Scoring:
    """The parameter ``scoring``, as scorers by column.

    Attributes
    ----------
    scorers : dict of str to callable
        Of labelled rows, called with (estimator, X, y); by column.
    known : dict of str to str
        By column, the name of the score without target labels that it repeats.
    is_multiple : bool
        Whether there are several scores, so that ``refit`` must name one.
    """

    scorers: dict
    known: dict
    is_multiple: bool

    @property
    def reverse(self):
        """Whether reverse validation is asked for."""
        return REVERSE in self.known.values()

    def labelled_scorer(self):
        """Return what ``score`` calls: scorers of labelled rows; else their own."""
        scorers = dict.fromkeys(self.known, own_score) | self.scorers
        return scorers if self.is_multiple else scorers["score"]


def own_score(estimator, X, y):
    """Return what an estimator scores by itself: accuracy, or R2."""
    return estimator.score(X, y)


def understand_scoring(scoring, estimator, *, has_labels=False):
    """Return a :class:`Scoring` for a value of the parameter ``scoring``.

    Parameters
    ----------
    scoring : str, callable, list, tuple, dict or None
        What scikit-learn's searches take, or ``SCORE_NAMES``. None is
        ``DEFAULT_SCORE``; a collection is several scores.
    estimator : estimator
        What will be scored.
    has_labels : bool, default=False
        Whether there are labels of the target for the choice.

    Returns
    -------
    Scoring
    """
    if isinstance(scoring, TargetScorer) and scoring.X_tgt is None:
        scoring = scoring.names
    is_multiple = isinstance(scoring, list | tuple | dict)
    if not is_multiple:
        default = _default_score(estimator, has_labels)
        scoring = {"score": default if scoring is None else scoring}
    elif not isinstance(scoring, dict):
        scoring = {name: name for name in scoring}
    wrong = [column for column in scoring if not isinstance(column, str)]
    if wrong or not scoring:
        raise ValueError(
            f"scoring must name at least one score, each by a text; got {wrong}. Give "
            "scorers of your own in a dict: {'name': scorer}."
        )
    known, scorers = {}, {}
    for column, scorer in scoring.items():
        if isinstance(scorer, TargetScorer) and scorer.X_tgt is None:
            known[column] = scorer.names
        elif isinstance(scorer, str) and scorer in KNOWN:
            known[column] = scorer
        else:
            scorers[column] = check_scoring(estimator, scorer)
    _check_known(known.values(), estimator, has_labels)
    return Scoring(scorers, known, is_multiple)


def _default_score(estimator, has_labels):
    if not has_labels:
        return DEFAULT_SCORE
    is_of_numbers = is_regressor(last_step(estimator))
    return DEFAULT_SCORE_WITH_NUMBERS if is_of_numbers else DEFAULT_SCORE_WITH_LABELS


def _check_known(names, estimator, has_labels):
    """Raise ValueError if what y is has no such score."""
    of_classes = (*SCORE_NAMES, REVERSE)
    can = [name for name in of_classes if name != "source_r2"]
    if is_regressor(last_step(estimator)):
        can = [*SCORE_NAMES_OF_NUMBERS, REVERSE]
        can += [DEFAULT_SCORE_WITH_NUMBERS] if has_labels else []
    wrong = [name for name in names if name not in can]
    if wrong:
        raise ValueError(
            f"scoring={wrong[0]!r} is none of the scores of a "
            f"{type(last_step(estimator)).__name__}: {sorted(can)}."
        )
