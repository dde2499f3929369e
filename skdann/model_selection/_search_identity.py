"""What makes a search the same when it goes on: candidates, data, folds, scores."""

import hashlib
import platform

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from .._io._metadata import NOT_IDENTITY
from .._training._identity import hash_code, hash_rows

# Of any step: they say how and where it computes, not what comes of it.
_NOT_IDENTITY = {*NOT_IDENTITY, "memory", "n_jobs"}


def search_identity(search, candidates, folds, scoring, data):
    """Return a digest of all that the outcomes of a search follow from, by name.

    Parameters
    ----------
    search : BaseDANNSearch
        With its parameters. How many fits are stacked, and where, is none of them; nor
        is what decides after all fits, such as ``refit``.
    candidates : list of dict
        Their parameters.
    folds : list of Fold
        Of the source.
    scoring : Scoring
        What to score by.
    data : dict
        Arguments of ``fit``, by name.

    Returns
    -------
    dict of str to str
        Names are a user's words: messages tell what differs.
    """
    estimator = search.estimator.get_params(deep=True)
    settings = {name: getattr(search, name) for name in ("n_seeds", "label_use")}
    settings["return_train_score"] = search.return_train_score
    settings["scoring"] = (scoring.known, scoring.scorers)
    settings["the candidates"] = candidates
    settings["the estimator"] = type(search.estimator)
    settings |= {
        f"the estimator's {name}": value
        for name, value in estimator.items()
        if _decides(name)
    }
    # its own bytecode, in which code of the user's is compared
    settings["the version of Python"] = platform.python_version_tuple()[:2]
    return {
        **{name: hash_rows(value) for name, value in data.items()},
        "the folds of cv": _hash_setting([(f.train, f.test) for f in folds]),
        **{name: _hash_setting(value) for name, value in settings.items()},
    }


def _decides(name):
    return name.rpartition("__")[2] not in _NOT_IDENTITY


def _hash_setting(value):
    return hashlib.sha256(_text(value).encode()).hexdigest()


def _text(value, outer=()):
    """Return a text that tells a value from others, but 1 not from 1.0.

    Parameters
    ----------
    value : object
        Of a parameter, whatever it holds.
    outer : tuple of object
        What it is in, and may refer to.
    """
    if any(value is other for other in outer):
        return ""

    def text(inner):
        return _text(inner, (*outer, value))

    of_kind = next((of for kind, of in _TEXTS if isinstance(value, kind)), None)
    if of_kind is not None:
        return of_kind(value, text)
    if not _is_told_by_parameters(value):
        return hash_code(value)
    known = value.get_params(deep=False)
    known = {k: v for k, v in known.items() if k not in _NOT_IDENTITY}
    return f"{hash_code(type(value))} {text(known)}"


def _is_told_by_parameters(value):
    """Whether a clone of it is made of its parameters: a frozen one is as it is."""
    if isinstance(value, type) or not hasattr(value, "get_params"):
        return False
    own = getattr(type(value), "__sklearn_clone__", None)
    return own in (None, BaseEstimator.__sklearn_clone__)


def _text_of_number(number, text):
    is_whole = isinstance(number, int | np.integer) or float(number).is_integer()
    return repr(int(number) if is_whole else float(number))


def _text_of_dict(value, text):
    return f"{{{', '.join(sorted(f'{text(k)}: {text(v)}' for k, v in value.items()))}}}"


_TEXTS = [
    (bool | int | float | np.number | np.bool_, _text_of_number),
    (dict, _text_of_dict),
    (list | tuple, lambda value, text: f"[{', '.join(map(text, value))}]"),
    (set | frozenset, lambda value, text: f"[{', '.join(sorted(map(text, value)))}]"),
    (np.ndarray | sparse.sparray | sparse.spmatrix, lambda value, _: hash_rows(value)),
    (np.random.RandomState, lambda value, text: text(value.get_state())),
]
