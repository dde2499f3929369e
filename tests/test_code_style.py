"""The house keeps its own rules: layers, documented defaults, complete docstrings."""

import ast
import inspect
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate

import skdann
from skdann import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    DANNClassifier,
    datasets,
    inspection,
    metrics,
    model_selection,
    nn,
    schedules,
)

ROOT = Path(__file__).parents[1]

PUBLIC = [
    f"{module.__name__}.{name}"
    for module in (
        skdann,
        datasets,
        inspection,
        metrics,
        model_selection,
        nn,
        schedules,
    )
    for name in module.__all__
]
DOCUMENTED = [
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    DANNClassifier,
    model_selection.DANNGridSearchCV,
    model_selection.DANNRandomizedSearchCV,
]
SHOWING = ["from_estimator", "from_features", "from_views", "from_history"]
SHOWING += ["from_cv_results", "plot", "to_html", "to_dict", "to_frame"]
SHOWING += ["rows_to_label"]
METHODS = [
    *(
        f"skdann.{cls.__name__}.{name}"
        for cls in (
            DANNClassifier,
            AutoDANNClassifier,
            AutoDANNRegressor,
            BaselineClassifier,
        )
        for name in dict.fromkeys(
            name
            for base in cls.__mro__
            if base.__module__.startswith("skdann.")
            for name in vars(base)
        )
        if not name.startswith(("_", "set_"))
    ),
    *(
        f"skdann.model_selection.DANNGridSearchCV.{name}"
        for name in ("fit", "score", "get_metadata_routing")
    ),
    *(
        f"skdann.inspection.{cls}.{name}"
        for cls in inspection.__all__
        for name in SHOWING
        if hasattr(getattr(inspection, cls), name)
    ),
]

OURSELVES = ("self", "cls")

# What numpydoc asks beyond what the house does.
NOT_ASKED = {
    "ES01",  # an extended summary where one sentence says it
    "EX01",  # an example of each method, beside that of the class
    "GL08",  # inherited methods are documented by scikit-learn
    "PR01",  # __init__ is documented by its class
    "RT02",  # no name for what is returned; scikit-learn names it
    "SA01",  # a section See Also
    "YD01",  # a section Yields of context managers
}


def test_imports_run_downwards():
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", PUBLIC + METHODS)
def test_public_docstrings_are_complete(name):
    errors = [
        f"{code}: {text}"
        for code, text in validate(name)["errors"]
        if code not in NOT_ASKED
    ]
    assert not errors


@pytest.mark.parametrize("cls", DOCUMENTED)
def test_documented_defaults_are_the_real_ones(cls):
    parameters = inspect.signature(cls).parameters
    documented = {}
    for entry in ClassDoc(cls)["Parameters"]:
        default = re.search("default=(.*)", entry.type)
        defaults = default[1].split(" and ") if default else [""]
        names = entry.name.split(", ")
        documented.update(zip(names, defaults, strict=True))
    assert list(documented) == list(parameters)
    for name, default in documented.items():
        value = parameters[name].default
        if default == "np.nan":
            assert np.isnan(value), name
        elif default:
            assert ast.literal_eval(default) == value, name
        else:
            assert value is inspect.Parameter.empty, name


@pytest.mark.parametrize("name", PUBLIC + METHODS)
def test_public_signatures_tell_their_types(name):
    """That they are true is for mypy: tests/typed/user.py."""
    function = pydoc.locate(name)
    function = getattr(function, "fget", function)  # of a property
    is_class = isinstance(function, type)
    if is_class and issubclass(function, Exception):
        return
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name not in OURSELVES]
    untold = [p.name for p in parameters if p.annotation is p.empty]
    assert not untold
    assert is_class or signature.return_annotation is not signature.empty


def test_the_public_face_is_small():
    assert set(skdann.__all__) == {
        "AdaptationWarning",
        "AutoDANNClassifier",
        "AutoDANNRegressor",
        "BaselineClassifier",
        "BaselineRegressor",
        "DANNClassifier",
        "DANNRegressor",
        "DivergenceError",
        "load",
        "save",
        "tabular_pipeline",
    }
