"""Interpret the parameter ``scoring`` of a search."""

from dataclasses import dataclass

from sklearn.metrics import check_scoring

from ._target_scorer import SCORES, TargetScorer

REVERSE = "reverse_validation"

# Columns that every search has. Reverse validation is not one: it doubles the time.
SCORE_NAMES = (*SCORES, "source_accuracy", "ensemble_agreement", "log_posterior")

# One of each kind: by confidence, by source risk, by the other candidates. Scores of
# one kind tend to err together, so that only these are asked whether they disagree.
UNRELATED_SCORES = ("infomax", "neg_dev", "ensemble_agreement")

# Chosen by benchmarks/regret.py on pairs of domains apart from those reported.
DEFAULT_SCORE = "ensemble_agreement"

# With labels of the target for the choice: benchmarks/trust.
DEFAULT_SCORE_WITH_LABELS = "log_posterior"


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
        default = DEFAULT_SCORE_WITH_LABELS if has_labels else DEFAULT_SCORE
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
        elif isinstance(scorer, str) and scorer in (*SCORE_NAMES, REVERSE):
            known[column] = scorer
        else:
            scorers[column] = check_scoring(estimator, scorer)
    return Scoring(scorers, known, is_multiple)
