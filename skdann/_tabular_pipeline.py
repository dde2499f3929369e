"""``tabular_pipeline``: from tables with text, dates and gaps to an adapted model."""

from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.validation import has_fit_parameter

from ._adaptation_pipeline import AdaptationPipeline
from ._auto import AutoDANNClassifier, AutoDANNRegressor
from ._typing import Estimator

_BY_NAME = {"classifier": AutoDANNClassifier, "regressor": AutoDANNRegressor}


def tabular_pipeline(estimator: Estimator | str | None = None) -> AdaptationPipeline:
    """Return a Pipeline for tables with text, categories, dates and missing values.

    It is fitted as the estimators of this library are, ``fit(X, y, X_tgt)``, on frames
    of pandas or polars as they were read, and needs no metadata routing. It can be
    cloned, searched and cross-validated as any Pipeline.

    Parameters
    ----------
    estimator : estimator, Pipeline, {"classifier", "regressor"} or None, default=None
        What learns, at the end: an estimator or search of this library, or a Pipeline
        that ends in one, whose steps follow the encoding. A clone is used. None and
        "classifier" are an :class:`AutoDANNClassifier`, "regressor" is an
        :class:`AutoDANNRegressor`.

    Returns
    -------
    pipeline : AdaptationPipeline
        A Pipeline of scikit-learn, whose ``fit`` takes ``X_tgt`` and whatever ``fit``
        of the estimator takes (``y_tgt``, ``groups``, ``sample_weight``), and whose
        ``score`` and ``transform`` take ``domain``.

    Raises
    ------
    ImportError
        If skrub is not installed: ``pip install 'skdann[tables]'``.
    ValueError
        If the estimator can't adapt to a target.

    See Also
    --------
    AutoDANNClassifier, AutoDANNRegressor : What is at the end by default.
    skrub.TableVectorizer : What encodes the columns.

    Notes
    -----
    Every step is fitted on the source alone: a column must mean the same in both
    domains, and the model must not depend on which rows of the target there were.

    1. ``skrub.TableVectorizer``. Numbers stay as they are, also where they are text.
       Text and categories of fewer than 40 values become a column for each; a value
       that the source lacks is 0 in all of them. Text of more values becomes 30 numbers
       by its letters (``skrub.StringEncoder``), dates become years, days, circular
       months and seconds. Columns that are constant or empty in the source are left
       out.
    2. ``SimpleImputer``. Missing numbers become the mean of the source. That they are
       missing is not marked: what is recorded is a habit of the place, and such marks
       cost two points between hospitals (heart disease, mean of 12 pairs, three
       models). ``set_params(simpleimputer__add_indicator=True)`` adds them.
    3. The estimator, which scales the columns itself: whether each domain by itself is
       its choice, and would be taken from it by a scaler before it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdann import DANNClassifier, tabular_pipeline
    >>> here = pd.DataFrame(
    ...     {
    ...         "age": [63, 41, None, 67, 52, 48],
    ...         "sex": ["m", "f", "f", "m", "m", "f"],
    ...         "seen": pd.date_range("2024-03-01", periods=6, freq="W"),
    ...     }
    ... )
    >>> sick = ["yes", "no", "no", "yes", "yes", "no"]
    >>> there = pd.DataFrame(
    ...     {
    ...         "age": [50, 72, 38, 61],
    ...         "sex": ["f", "m", "unknown", None],
    ...         "seen": pd.date_range("2024-06-01", periods=4, freq="W"),
    ...     }
    ... )
    >>> pipe = tabular_pipeline(DANNClassifier(max_epochs=5, random_state=0))
    >>> pipe = pipe.fit(here, sick, there)
    >>> pipe.predict(there).shape
    (4,)
    """
    last = _resolve(estimator)
    steps = [step for _, step in last.steps] if isinstance(last, Pipeline) else [last]
    if not has_fit_parameter(steps[-1], "X_tgt"):
        raise ValueError(
            "estimator must be one of skdann, whose fit takes X_tgt, or a Pipeline "
            f"that ends in one; got {estimator!r}. For others there is "
            "skrub.tabular_pipeline."
        )
    whole = make_pipeline(_encoder(), SimpleImputer(), *steps)
    return AdaptationPipeline(whole.steps)


def _resolve(estimator):
    """Return a new estimator that was named, or a clone of one that was given."""
    if estimator is None:
        return AutoDANNClassifier()
    if not isinstance(estimator, str):
        return clone(estimator)
    if estimator not in _BY_NAME:
        raise ValueError(
            f"estimator must be one of {list(_BY_NAME)}, or an estimator; got "
            f"{estimator!r}."
        )
    return _BY_NAME[estimator]()


def _encoder():
    try:
        from skrub import DatetimeEncoder, StringEncoder, TableVectorizer
    except ImportError as error:
        raise ImportError(
            "tabular_pipeline needs skrub: pip install 'skdann[tables]', or in a clone "
            "pip install '.[tables]'."
        ) from error
    return TableVectorizer(
        # a column for both of two values: else what the source lacks were one of them
        low_cardinality=OneHotEncoder(
            handle_unknown="ignore", sparse_output=False, dtype="float32"
        ),
        high_cardinality=StringEncoder(random_state=0),
        datetime=DatetimeEncoder(periodic_encoding="circular"),
        drop_if_constant=True,
    )
