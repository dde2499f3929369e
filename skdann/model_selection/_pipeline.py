"""Split an estimator into its preprocessing and its classifier, and join them."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._classifier import DANNClassifier

OF_SEARCHES = "For others use sklearn.model_selection.GridSearchCV."


def split_pipeline(estimator):
    """Return the preprocessing (a Pipeline or None) and the classifier of an estimator.

    Parameters
    ----------
    estimator : DANNClassifier, BaselineClassifier or Pipeline that ends in one
        Both parts are its own, not copies.

    Returns
    -------
    preprocessing : Pipeline or None
    classifier : DANNClassifier or BaselineClassifier
    """
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    preprocessing = estimator[:-1] if last is not estimator else None
    return preprocessing or None, last


def check_estimator(estimator, advice=OF_SEARCHES):
    """Raise ValueError if it is no DANNClassifier, nor a Pipeline that ends in one.

    Parameters
    ----------
    estimator : object
        What the user gave.
    advice : str
        What to do with others.
    """
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, DANNClassifier):
        raise ValueError(
            "estimator must be a DANNClassifier or a Pipeline that ends in one; got "
            f"{estimator!r}. {advice}"
        )


def replace_classifier(estimator, classifier):
    """Return the estimator, an own copy, with another classifier at its end."""
    if not isinstance(estimator, Pipeline):
        return classifier
    estimator.steps[-1] = (estimator.steps[-1][0], classifier)
    return estimator


def classifier_prefix(estimator):
    """Return what precedes the names of the classifier's parameters, as "dann__"."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][0] + "__"
    return ""


def fit_preprocessing(preprocessing, X, y, sample_weight=None):
    """Fit the steps before the classifier and return the transformed rows."""
    params = {}
    if sample_weight is not None:
        given = {"sample_weight": sample_weight}
        routing = preprocessing.get_metadata_routing()
        wanted = routing.consumes("fit_transform", given)
        params = {name: given[name] for name in wanted}
    return preprocessing.fit_transform(X, y, **params)


def join_pipeline(estimator, preprocessing, classifier):
    """Return a copy of ``estimator`` with these fitted steps in it."""
    if preprocessing is None:
        return classifier
    whole = clone(estimator)
    names = [name for name, _ in whole.steps]
    fitted = [step for _, step in preprocessing.steps] + [classifier]
    whole.steps = list(zip(names, fitted, strict=True))
    return whole
