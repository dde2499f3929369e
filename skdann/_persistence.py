"""Save a fitted estimator without pickle, and load it without running its code."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._base import BaseDANN
from ._classifier import DANNClassifier
from ._io._container import errors_as_value_error, read_file, write_file
from ._io._metadata import (
    check_group_names,
    check_names,
    check_row_shape,
    describe,
    needs_code,
)
from ._regressor import DANNRegressor
from ._training import to_plain
from ._typing import Estimator, PathLike
from ._warn import warn
from .nn._dann import PARTS

# What a file can hold, by the name that it tells; older files tell none.
KINDS = {kind._kind: kind for kind in (DANNClassifier, DANNRegressor)}


def save(estimator: Estimator, path: PathLike) -> None:
    """Write a fitted estimator to a file that can be loaded without trusting it.

    The file holds weights, parameters, classes, column names, history, versions and
    where training stands, as safetensors and JSON: no code. Preprocessing is not a
    part of it; of a Pipeline save the last step, and the others in a way of their own.

    Parameters
    ----------
    estimator : DANNClassifier or DANNRegressor
        Fitted. What only code can say, such as a torch module or a callback, is in the
        file by name alone.
    path : str or PathLike
        The file; at any moment it is the old one or the new one.

    Raises
    ------
    TypeError
        If it is another estimator, or its labels are neither numbers nor strings.
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
    if not isinstance(estimator, tuple(KINDS.values())):
        raise TypeError(_advise(estimator))
    check_is_fitted(estimator)
    built = estimator._as_built()
    built._validate_params()  # as load will
    metadata = describe(built, built._targets, built._row_shape, built._group_names)
    write_file(path, {**metadata, **to_plain(built.net_)})


def load(path: PathLike, **parameters: Any) -> DANNClassifier | DANNRegressor:
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
        ``feature_extractor=MyNetwork``. ``checkpoint`` is None if not given: a file
        must not say where to write.

    Returns
    -------
    estimator : DANNClassifier or DANNRegressor
        Fitted, what was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another kind, damaged, of a later version, or makes no sense;
        or if it needs a module of yours that is not given.

    Warns
    -----
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
    with errors_as_value_error(path):
        kind = _kind_of(saved["estimator"])
        written = kind._of_old_versions | saved["estimator"]["parameters"]
        given = {k: v for k, v in written.items() if k not in parameters}
        of_code = {name: value for name, value in given.items() if needs_code(value)}
    _check_parts_given(path, of_code)
    for name in (*of_code, "checkpoint"):
        given.pop(name, None)
    if "optimizer" in of_code:
        saved["net"]["optimizer"] = None  # the state of another than the default
    estimator = kind().set_params(**parameters)
    with errors_as_value_error(path):
        estimator.set_params(**given)
        estimator._validate_params()
        _restore(estimator, saved)
    lost = sorted(set(of_code) & set(estimator.get_params()))
    if lost:
        warn(
            f"{path} can't hold the code of {', '.join(lost)}; the default is in its "
            f"place. To train on, give it: load(path, {lost[0]}=...)."
        )
    return estimator


def _advise(estimator):
    """Say what of another object can be saved here."""
    kinds = " or a ".join(KINDS)
    message = f"save writes a {kinds}, not a {type(estimator).__name__}."
    inner, place = estimator, ""
    while not isinstance(inner, BaseDANN):
        if isinstance(inner, Pipeline):
            inner, place = inner.steps[-1][1], f"{place}[-1]"
        elif hasattr(inner, "best_estimator_"):
            inner, place = inner.best_estimator_, f"{place}.best_estimator_"
        else:
            return (
                f"{message} Store it by skops or pickle, or save the network in it; a "
                "search has one, best_estimator_, once it is fitted with refit."
            )
    return (
        f"{message} Save the one in it: of this object, x, it is x{place}. The whole, "
        "with its preprocessing, can be stored by skops or pickle."
    )


def _check_parts_given(path, of_code):
    for name in PARTS:
        if name in of_code:
            [code] = of_code[name].values()
            raise ValueError(
                f"{path} holds the weights of {name}, but not its code, which was "
                f"{code}. Give it: load(path, {name}=...)."
            )


def _restore(estimator, saved):
    metadata = saved["estimator"]
    row_shape = check_row_shape(metadata["row_shape"])
    names = check_names(metadata["feature_names"], row_shape[0])
    estimator._read_description(metadata)
    if "groups" in metadata:
        estimator._group_names = check_group_names(metadata["groups"])
    estimator._restore_fitted(saved, row_shape, names)


def _kind_of(metadata):
    """Return the class of the estimator that a file holds."""
    name = metadata.get("kind", DANNClassifier._kind)
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"it holds a {str(name)[:50]}, not one of {list(KINDS)}")
    return KINDS[name]
