"""What the models of scikit-learn hold that baselines and combinations are made of."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.tree._tree import Tree
from sklearn.utils.validation import check_is_fitted

from ._checks import (
    array,
    each,
    either,
    floats,
    instance,
    integer,
    maybe,
    optional,
    real,
    text,
    values,
)
from ._known import Known


def _is_tree(value, sizes):
    return isinstance(value, Tree)


def _check_tree(model):
    """Raise ValueError if a tree looks at other columns than rows have."""
    tree = model.tree_
    if (tree.n_features, tree.n_outputs) != (model.n_features_in_, model.n_outputs_):
        raise ValueError("its decision tree is of other columns than its rows")
    of_classes = is_classifier(model)
    if of_classes and not (tree.value >= 0).all() & np.allclose(tree.value.sum(2), 1):
        raise ValueError("its decision tree predicts what are no probabilities")


def _check_forest(forest):
    for tree in forest.estimators_:
        check_is_fitted(tree)
        of_tree = tree.n_features_in_, tree.n_outputs_, tree.tree_.value.shape[2]
        n_classes = getattr(forest, "n_classes_", 1)
        if of_tree != (forest.n_features_in_, forest.n_outputs_, n_classes):
            raise ValueError("its trees are not of its columns and its classes")


_OF_TREES = {"n_outputs_": integer(1), "n_features_in_": integer(1, "n")}
_OF_CLASSES = {"classes_": values("c"), "n_classes_": integer(1, "c")}
_TREE = {**_OF_TREES, "max_features_": integer(1), "tree_": _is_tree}
_FOREST = {
    **_OF_TREES,
    "_n_samples": optional(integer(1)),
    "_n_samples_bootstrap": optional(maybe(integer(1))),
}


# What constructors set besides their parameters, and weights that were fitted with.
_CONSTRUCTED = ("estimator", "estimator_params", "class_weight", "_sample_weight")


def _forest(tree, **state):
    return Known(
        "sklearn.ensemble",
        {
            **_FOREST,
            **state,
            "estimator_": instance(tree),
            "estimators_": each(instance(tree)),
        },
        forget=_CONSTRUCTED,
        check=_check_forest,
        holds=("estimator_", "estimators_"),
        state_is_fitted=None,  # what trees are cloned from is an attribute, too
    )


MODELS = {
    "LogisticRegression": Known(
        "sklearn.linear_model",
        {
            "classes_": values("c"),
            "coef_": floats(None, "n"),
            "intercept_": floats(None),
            "n_iter_": array("iu", None),
        },
    ),
    "RidgeCV": Known(
        "sklearn.linear_model",
        {
            "alpha_": either(real, floats(None)),
            "best_score_": either(real, floats(None)),
            "coef_": either(floats("n"), floats(None, "n")),
            "intercept_": either(real, floats(None)),
        },
    ),
    "Ridge": Known(
        "sklearn.linear_model",
        {
            "coef_": either(floats("n"), floats(None, "n")),
            "intercept_": either(real, floats(None)),
            "n_iter_": maybe(array("iu", None)),
            "solver_": text,
        },
    ),
    **{
        name: Known("sklearn.tree", {**_TREE, **_OF_CLASSES}, check=_check_tree)
        for name in ("DecisionTreeClassifier", "ExtraTreeClassifier")
    },
    **{
        name: Known("sklearn.tree", _TREE, forget=_CONSTRUCTED, check=_check_tree)
        for name in ("DecisionTreeRegressor", "ExtraTreeRegressor")
    },
    "RandomForestClassifier": _forest("DecisionTreeClassifier", **_OF_CLASSES),
    "ExtraTreesClassifier": _forest("ExtraTreeClassifier", **_OF_CLASSES),
    "RandomForestRegressor": _forest("DecisionTreeRegressor"),
    "ExtraTreesRegressor": _forest("ExtraTreeRegressor"),
}
