"""Save a fitted estimator without pickle, and load it without running its code."""

from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._classifier import DANNClassifier
from .._io._container import errors_as_value_error, read_file, write_file
from .._io._metadata import versions
from .._io._states import NotKnownError, describe_object, restore_object
from .._pipelines import last_step
from .._regressor import DANNRegressor
from .._typing import Estimator, PathLike
from .._warn import warn
from ._networks import (
    ENDS,
    NETWORKS,
    CallersError,
    NetworkReader,
    NetworkWriter,
    describe_network,
)

# What a file can hold, by the name that it tells; the oldest files tell none.
KINDS = (*(end.__name__ for end in ENDS), "Pipeline", "AdaptationPipeline")

# Packages that have transformers, whose attributes may differ between versions.
OF_TRANSFORMERS = ("scikit-learn", "skrub")


def save(estimator: Estimator, path: PathLike) -> None:
    """Write a fitted estimator to a file that can be loaded without trusting it.

    The file holds weights, parameters, classes, column names, history, versions and
    where training stands, as safetensors and JSON: no code. Of a Pipeline it holds
    what its transformers have learned, as far as they are of scikit-learn or skrub and
    in a table of those whose state is known and checked.

    Parameters
    ----------
    estimator : estimator of this library, or Pipeline that ends in one
        Fitted: a network, a baseline or a combination. What only code can say, such as
        a torch module or a callback, is in the file by name alone. Where caches are
        (``memory``) and how many processes are started (``n_jobs``) is not in it.
    path : str or PathLike
        The file; at any moment it is the old one or the new one.

    Raises
    ------
    TypeError
        If it is another estimator; if it holds a transformer or a model that is not
        in the table, or a function, which the message names; or if labels are neither
        numbers nor strings.
    ValueError
        If a parameter was set to what it can't be.
    OSError
        If the file can't be written; an old one is then as it was.

    See Also
    --------
    load : Read it.

    Examples
    --------
    >>> import tempfile
    >>> import skdann
    >>> from skdann.datasets import make_shifted_moons
    >>> X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    >>> clf = skdann.DANNClassifier(max_epochs=5, random_state=0).fit(X, y, X_tgt)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skdann.save(clf, f"{folder}/moons.skdann")
    ...     loaded = skdann.load(f"{folder}/moons.skdann")
    >>> bool((loaded.predict_proba(X_tgt) == clf.predict_proba(X_tgt)).all())
    True
    """
    last = last_step(estimator)
    if not isinstance(last, ENDS):
        raise TypeError(_advise(estimator))
    check_is_fitted(estimator)
    is_network = isinstance(estimator, tuple(NETWORKS.values()))
    write_file(path, (describe_network if is_network else _describe_whole)(estimator))


def load(
    path: PathLike, **parameters: Any
) -> DANNClassifier | DANNRegressor | Pipeline:
    """Read an estimator that :func:`save`, or a checkpoint, has written.

    No code in the file is run, whoever made it. It predicts as the saved one did, and
    ``partial_fit`` or a warm start go on where that stood.

    Parameters
    ----------
    path : str or PathLike
        The file.
    **parameters
        Parameters of the estimator that take the place of those in
        the file: ``device="cpu"`` for a network that was trained on a GPU, or the
        modules and functions that a file can't hold, such as
        ``feature_extractor=MyNetwork``; of a Pipeline as its ``set_params`` takes
        them, ``dannclassifier__device="cpu"``. ``checkpoint``, ``memory`` and
        ``n_jobs`` are None if not given: a file must not say where to write or how
        many processes to start.

    Returns
    -------
    estimator : estimator of this library, or Pipeline
        Fitted, what was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another kind, damaged, of a later version, or makes no sense;
        or if it needs a module of yours that is not given.
    ImportError
        If a transformer is of skrub, which is not installed.

    Warns
    -----
    InconsistentVersionWarning
        If another version of scikit-learn or skrub has fitted the transformers.
    UserWarning
        If a callback, a schedule or the like was code: the default takes its place.

    See Also
    --------
    save : Write it.

    Examples
    --------
    >>> import skdann
    >>> skdann.load("model.skdann")
    Traceback (most recent call last):
        ...
    FileNotFoundError: ...
    """
    saved = read_file(path)
    networks = NetworkReader(path, parameters)
    try:
        with errors_as_value_error(path):
            estimator = _restore(saved, networks)
    except CallersError as error:
        raise error.__cause__ from None
    if networks.unused:
        _set_params(estimator, networks.unused)
    networks.warn_of_lost_code()
    return estimator


def _set_params(estimator, parameters):
    """Set what the caller gives, or raise ValueError."""
    try:
        estimator.set_params(**parameters)
    except AttributeError as error:  # of what is no estimator; scikit-learn's own way
        raise ValueError(
            f"{list(parameters)} can't be set: {error}. Give names of a "
            f"{type(estimator).__name__} as its set_params takes them; of a "
            "combination those of candidates, as NAME__device."
        ) from error


def _describe_whole(estimator):
    """Return what holds others, a Pipeline or a combination, as plain values."""
    name = type(estimator).__name__
    try:
        described = describe_object(estimator, (), NetworkWriter())
    except NotKnownError as error:
        message = f"No file can hold all of this {name}: {error}. Store it by skops or "
        message += "pickle"
        if isinstance(estimator, Pipeline):
            message += (
                "; or save what it ends in, save(pipe[-1], path), and make the other "
                "steps anew where that is loaded"
            )
        raise TypeError(f"{message}.") from error
    return {"estimator": {"kind": name}, "whole": described, "versions": _versions()}


@cache  # read from files of the installation
def _versions():
    """Return versions, also of what need not be installed."""
    known = versions()
    with suppress(PackageNotFoundError):
        known["skrub"] = version("skrub")
    return known


def _restore(saved, networks):
    """Return the estimator that a file holds."""
    kind = saved["estimator"].get("kind", DANNClassifier._kind)
    if kind not in KINDS:
        raise ValueError(f"it holds a {str(kind)[:50]}, not one of {list(KINDS)}")
    if kind in NETWORKS:
        return networks.restore(saved)
    _warn_of_versions(networks.path, saved["versions"])
    whole = restore_object(saved["whole"], (), networks)
    if type(whole).__name__ != kind or not isinstance(last_step(whole), ENDS):
        raise ValueError(f"it holds no {kind} that ends as it should")
    return whole


def _warn_of_versions(path, written):
    """Warn where other versions than the present ones have fitted the transformers."""
    present = _versions()
    for package in OF_TRANSFORMERS:
        then, now = written.get(package), present.get(package)
        if then is not None and now is not None and then != now:
            warn(
                f"{path} was written with {package} {str(then)[:20]}, and this is "
                f"{now}. Compare some predictions with the old ones, then save anew.",
                _OtherVersionWarning,
            )


class _OtherVersionWarning(InconsistentVersionWarning):
    """What scikit-learn warns of with other words, as a pickle is loaded."""

    def __init__(self, message):
        UserWarning.__init__(self, message)
        self.message = message

    def __str__(self):
        return self.message


def _advise(estimator):
    """Say what of another object can be saved here."""
    ends = ", ".join(end.__name__ for end in ENDS)
    message = (
        f"save writes one of {ends}, or a Pipeline that ends in one, not a "
        f"{type(estimator).__name__}."
    )
    inner, place = estimator, ""
    while not isinstance(last_step(inner), ENDS):
        if isinstance(inner, Pipeline):
            inner, place = inner.steps[-1][1], f"{place}[-1]"
        elif hasattr(inner, "best_estimator_"):
            inner, place = inner.best_estimator_, f"{place}.best_estimator_"
        else:
            return (
                f"{message} Store it by skops or pickle, or save the network in it; a "
                "search has one, best_estimator_, once it is fitted with refit."
            )
    return f"{message} Save the one in it: of this object, x, it is x{place}."
