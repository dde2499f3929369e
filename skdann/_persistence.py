"""Save a fitted classifier without pickle, and load it without running its code."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._base import OF_OLD_VERSIONS, PARTS
from ._classifier import DANNClassifier
from ._data._targets import ClassTargets
from ._io._container import errors_as_value_error, read_file, write_file
from ._io._metadata import describe, needs_code
from ._training import to_plain
from ._typing import Estimator, PathLike
from ._warn import warn

# Values of one row that a file may claim; it is made once, to size a network by.
MAX_ROW_VALUES = 2**26


def save(estimator: Estimator, path: PathLike) -> None:
    """Write a fitted classifier to a file that can be loaded without trusting it.

    The file holds weights, parameters, classes, column names, history, versions and
    where training stands, as safetensors and JSON: no code. Preprocessing is not a
    part of it; of a Pipeline save the last step, and the others in a way of their own.

    Parameters
    ----------
    estimator : DANNClassifier
        Fitted. What only code can say, such as a torch module or a callback, is in the
        file by name alone.
    path : str or PathLike
        The file; at any moment it is the old one or the new one.

    Raises
    ------
    TypeError
        If it is another estimator, or its labels are neither numbers nor strings.
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
    if not isinstance(estimator, DANNClassifier):
        raise TypeError(
            f"save writes a DANNClassifier, not a {type(estimator).__name__}. Of a "
            "Pipeline give the last step, pipe[-1]; of a search, best_estimator_; what "
            "holds models of scikit-learn can be stored by skops or pickle."
        )
    check_is_fitted(estimator)
    metadata = describe(estimator, estimator.classes_, estimator._row_shape)
    write_file(path, {**metadata, **to_plain(estimator.net_)})


def load(path: PathLike, **parameters: Any) -> DANNClassifier:
    """Read a classifier that :func:`save`, or a checkpoint, has written.

    No code in the file is run, whoever made it. It predicts as the saved one did, and
    ``partial_fit`` or a warm start go on where that stood.

    Parameters
    ----------
    path : str or PathLike
        The file.
    **parameters
        Parameters of :class:`skdann.DANNClassifier` that take the place of those in
        the file: ``device="cpu"`` for a network that was trained on a GPU, or the
        modules and functions that a file can't hold, such as
        ``feature_extractor=MyNetwork``. ``checkpoint`` is None if not given: a file
        must not say where to write.

    Returns
    -------
    estimator : DANNClassifier
        Fitted.

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
        written = saved["estimator"]["parameters"]
        written = OF_OLD_VERSIONS | written
        given = {k: v for k, v in written.items() if k not in parameters}
        of_code = {name: value for name, value in given.items() if needs_code(value)}
    _check_parts_given(path, of_code)
    for name in (*of_code, "checkpoint"):
        given.pop(name, None)
    estimator = DANNClassifier().set_params(**parameters)
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
    classes, row_shape = _check_classes(metadata["classes"]), metadata["row_shape"]
    n_values = sum(weight.size for weight in saved["net"]["module"].values())
    _check_claimed_sizes(estimator, row_shape, len(classes), n_values)
    names = metadata["feature_names"]
    if names is not None:
        names = _check_names(names, row_shape[0])
    estimator._restore_fitted(saved, ClassTargets(classes), row_shape, names)


def _check_classes(classes):
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len(classes) < 2:
        raise ValueError("its classes are no list of at least two labels")
    if len(np.unique(classes)) != len(classes) or np.any(np.sort(classes) != classes):
        raise ValueError("its classes are not sorted, or come twice")
    return classes


def _check_names(names, n_columns):
    if len(names) != n_columns or not all(isinstance(name, str) for name in names):
        raise ValueError(f"its names of columns are not {n_columns} texts")
    return np.array(names, dtype=object)


def _check_claimed_sizes(estimator, row_shape, n_classes, n_values):
    """Refuse a network larger than its weights before any memory is taken for it."""
    sizes = [n for n in row_shape if isinstance(n, int) and n > 0]
    if not sizes or len(sizes) < len(row_shape) or math.prod(sizes) > MAX_ROW_VALUES:
        raise ValueError(f"its rows have the shape {row_shape}")
    hidden, of_domain = (
        np.atleast_1d(widths).tolist()
        for widths in (
            estimator.hidden_layer_sizes,
            estimator.domain_hidden_layer_sizes,
        )
    )
    claimed = [row_shape[0], n_classes, *of_domain[:1]]
    claimed += [a * b for a, b in pairwise(of_domain)]
    if estimator.feature_extractor is None:
        widths = [row_shape[0], *hidden]
        claimed += [a * b for a, b in pairwise(widths)] + [hidden[-1] * n_classes]
    largest = max(claimed) * estimator._n_networks
    if len(hidden) + len(of_domain) > n_values or largest > n_values:
        raise ValueError(
            f"it claims layers of up to {largest} weights, and holds {n_values}"
        )
