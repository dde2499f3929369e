"""Outcomes of fits as files hold them, and what these fits warned of."""

import builtins

import numpy as np
import sklearn.exceptions

from .. import exceptions
from .._io._claims import is_any_number
from ._evaluation import Outcome


def to_tree(outcomes, warnings):
    """Return outcomes and warnings as a tree of plain values.

    Parameters
    ----------
    outcomes : list of Outcome
        Before scores are added that compare candidates.
    warnings : list of (str, type)
        Messages and categories.

    Returns
    -------
    dict
    """
    return {
        "outcomes": [{**vars(o), "error": _words_of(o.error)} for o in outcomes],
        "warnings": [[text, category.__name__] for text, category in warnings],
    }


def from_tree(tree, answers_shape):
    """Return the outcomes and warnings of a tree; ValueError and the like if none.

    Parameters
    ----------
    tree : dict
        From :func:`to_tree`, of a file.
    answers_shape : tuple of int
        Of the answers of each outcome.

    Returns
    -------
    outcomes : list of Outcome
    warnings : list of (str, type)
    """
    outcomes = [_outcome(answers_shape, **of_fit) for of_fit in tree["outcomes"]]
    warnings = [(str(text), _category(name)) for text, name in tree["warnings"]]
    return outcomes, warnings


def _words_of(error):
    return None if error is None else [type(error).__name__, str(error)]


def _outcome(answers_shape, error, **of_fit):
    outcome = Outcome(**of_fit, error=error and _error(*error))
    scores = [*outcome.test_scores.values(), *outcome.train_scores.values()]
    if not all(map(is_any_number, [*scores, outcome.fit_time, outcome.score_time])):
        raise ValueError("its scores are no numbers")
    if error is None:
        answers = np.asarray(outcome.answers)
        if answers.shape != answers_shape or answers.dtype != np.float32:
            raise ValueError("its predictions are not those of this target")
    return outcome


def _error(name, text):
    """Return an error that reads as one did; of its class the name is all there is."""
    return type(str(name), (Exception,), {})(str(text))


def _category(name):
    """Return the class of warnings of a name, if it is known here."""
    for module in (exceptions, sklearn.exceptions, builtins):
        found = getattr(module, str(name), None)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning
