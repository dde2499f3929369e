"""What a search is asked to score by: names known here, or scorers of labelled rows."""

from dataclasses import dataclass

from sklearn.metrics import check_scoring

from ._scorers import SCORES, TargetScorer

REVERSE = "reverse_validation"

# Columns that every search has; reverse validation costs as much again.
KNOWN = (*SCORES, "source_accuracy", "ensemble_agreement")

# One of each kind; the others follow these.
INDEPENDENT = ("infomax", "neg_dev", "ensemble_agreement")

# Chosen by benchmarks/regret.py on pairs of domains apart from those reported.
DEFAULT = "ensemble_agreement"


@dataclass(frozen=True)
class Scoring:
    """The parameter ``scoring``, understood.

    Attributes
    ----------
    scorers : dict of str to callable
        Of labelled rows, called with (estimator, X, y); by column.
    known : dict of str to str
        Columns that repeat a known score, and which.
    is_multiple : bool
        Whether there are several, so that ``refit`` must name one.
    """

    scorers: dict
    known: dict
    is_multiple: bool

    @property
    def reverse(self):
        """Whether reverse validation is asked for."""
        return REVERSE in self.known.values()


def understand_scoring(scoring, estimator):
    """Return a :class:`Scoring` for what scikit-learn takes and for our names.

    Parameters
    ----------
    scoring : str, callable, list, tuple, dict or None
        None is ``DEFAULT``; a collection is several.
    estimator : estimator
        What will be scored.

    Returns
    -------
    Scoring
    """
    if isinstance(scoring, TargetScorer) and scoring.X_tgt is None:
        scoring = scoring.names
    is_multiple = isinstance(scoring, list | tuple | set | dict)
    if not is_multiple:
        scoring = {"score": DEFAULT if scoring is None else scoring}
    elif not isinstance(scoring, dict):
        scoring = {name: name for name in scoring}
    known, scorers = {}, {}
    for column, scorer in scoring.items():
        if isinstance(scorer, TargetScorer) and scorer.X_tgt is None:
            known[column] = scorer.names
        elif isinstance(scorer, str) and scorer in (*KNOWN, REVERSE):
            known[column] = scorer
        else:
            scorers[column] = check_scoring(estimator, scorer)
    return Scoring(scorers, known, is_multiple)
