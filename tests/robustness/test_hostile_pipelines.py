"""Files of Pipelines and combinations that somebody has forged run no code."""

import numpy as np
import pytest
from bombs import read_text, write_text
from helpers import SMALL
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import SparseRandomProjection

import skdann
from skdann import BaselineClassifier, DANNClassifier
from skdann._io._container import read_file, write_file

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
CELLS = np.array([["a", "b"], ["c", None]] * 20, dtype=object)
TEXTS = np.array(["a cat sat", "the dog"] * 20)
COUNTS = sparse.csr_array(np.rint(abs(X)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pipe.skdann"


def write(path, first, rows=X):
    """Write a Pipeline; return its tree, and the first step in that."""
    dann = DANNClassifier(**{**SMALL, "lambda_max": 0, "max_epochs": 1})
    dann.set_params(standardize="source")
    skdann.save(Pipeline([("first", first), ("dann", dann)]).fit(rows, Y), path)
    tree = read_file(path)
    [_, step] = tree["whole"]["parameters"]["steps"][0]
    return tree, step[":object"]


def obj(name, state=None, **parameters):
    return {":object": {"class": name, "parameters": parameters, "state": state or {}}}


def put(**values):
    """Return a forgery that sets parameters of the first step."""
    return lambda step: step["parameters"].update(values)


def state(**values):
    """Return a forgery that sets attributes of the first step."""
    return lambda step: step["state"].update(values)


SCALER = StandardScaler()
ONE_HOT = OneHotEncoder(min_frequency=2), CELLS
FORGED = {
    # what would run
    "a class of another module": (SCALER, lambda step: step.update({"class": "Popen"})),
    "a class by its path": (SCALER, lambda step: step.update({"class": "os.system"})),
    "a class of scikit-learn, not in the table": (
        SCALER,
        lambda step: step.update({"class": "GridSearchCV"}),
    ),
    "a class that is no text": (SCALER, lambda step: step.update({"class": ["a"]})),
    "os.system": (FunctionTransformer(np.cbrt), put(func={":function": "os.system"})),
    "eval": (FunctionTransformer(np.cbrt), put(func={":function": "builtins.eval"})),
    "numpy.load": (FunctionTransformer(np.cbrt), put(func={":function": "numpy.load"})),
    "functools.partial": (
        FunctionTransformer(np.cbrt),
        put(func={":function": "functools.partial"}),
    ),
    "what is called later": (SCALER, put(copy={":partial": ["os.system", "id"]})),
    "arguments of a function": (
        FunctionTransformer(np.cbrt),
        put(kw_args={":dict": [["out", np.zeros(3)]]}),
    ),
    "a type as a function": (FunctionTransformer(np.cbrt), put(func={":type": "int"})),
    "a method": (SCALER, state(transform="x")),
    "a special method": (SCALER, state(__class__="x")),
    "another attribute": (SCALER, state(_sklearn_version="0")),
    "a function of texts": (
        (TfidfVectorizer(), TEXTS),
        put(tokenizer={":type": "str"}),
    ),
    "files to read": ((TfidfVectorizer(), TEXTS), put(input="filename")),
    "a file for a time zone": (
        SCALER,
        state(mean_={":time": ["pandas", "ns", "/etc"]}),
    ),
    "a dtype of objects in numbers": (SCALER, state(mean_={":dtype": "V8,O"})),
    # what would be written or read beside an array
    "categories out of order": (
        (OneHotEncoder(), np.rint(X)),
        lambda step: step["state"]["categories_"].__setitem__(0, np.array([2.0, 1, 0])),
    ),
    "columns of no category": (ONE_HOT, state(_n_features_outs=[9, 9])),
    "fewer columns than categories": (ONE_HOT, state(_n_features_outs=[1, 1])),
    "groups out of range": (
        ONE_HOT,
        state(
            _infrequent_indices=[np.array([0]), None],
            _default_to_infrequent_mappings=[np.array([0, 2**40]), None],
        ),
    ),
    "a word twice": ((TfidfVectorizer(), TEXTS), state(vocabulary_=["a"] * 4)),
    "words that are none": ((TfidfVectorizer(), TEXTS), state(vocabulary_=[1, 2])),
    "a place outside of a sparse matrix": (
        (SparseRandomProjection(2, random_state=0), COUNTS),
        lambda step: step["state"]["components_"][":sparse"][4].__setitem__(0, 10**6),
    ),
    "a sparse matrix of another shape": (
        (SparseRandomProjection(2, random_state=0), COUNTS),
        lambda step: step["state"].update(
            components_={
                ":sparse": ["csr", True, [2, 2**40], np.ones(1), *np.ones((2, 3), int)]
            }
        ),
    ),
    "an indicator of columns that are not there": (
        (SimpleImputer(add_indicator=True), np.where(abs(X) > 2, np.nan, X)),
        lambda step: step["state"]["indicator_"][":object"]["state"].update(
            features_=np.array([2**40])
        ),
    ),
    "columns that are not there": (
        ColumnTransformer([("a", SCALER, [0])]),
        lambda step: step["state"]["_columns"].__setitem__(0, [7]),
    ),
    "encodings of fewer categories": (
        (TargetEncoder(), CELLS),
        state(encodings_=[np.zeros(1), np.zeros(1)]),
    ),
    # what makes no sense
    "a mean of another shape": (SCALER, state(mean_=np.zeros(4))),
    "a mean of texts": (SCALER, state(mean_=np.array(["a", "b", "c"]))),
    "a mean that is a transformer": (SCALER, state(mean_=obj("StandardScaler"))),
    "no mean": (SCALER, lambda step: step["state"].pop("mean_")),
    "axes that do not agree": (PCA(2), state(components_=np.zeros((3, 3)))),
    "a parameter of another type": (SCALER, put(with_mean="yes")),
    "a parameter that is not one": (SCALER, put(path="/etc")),
    "a parameter that holds a transformer": (SCALER, put(copy=[obj("PCA")])),
    "steps that are none": (make_pipeline(SCALER), put(steps=3)),
    "steps without a name": (make_pipeline(SCALER), put(steps=[obj("PCA")])),
    "a last step that is no transformer": (
        make_pipeline(SCALER),
        put(steps=[("a", obj("LogisticRegression"))]),
    ),
    "a request of a method that is not there": (
        SCALER,
        lambda step: step.update(requests={"__init__": {"x": True}}),
    ),
    "an output of another kind": (SCALER, lambda step: step.update(output="pickle")),
    "a range of one number": (MinMaxScaler(), put(feature_range=(1,))),
    "a range of three quantiles": (RobustScaler(), put(quantile_range=(1, 2, 3))),
    "stop words that are lists": ((TfidfVectorizer(), TEXTS), put(stop_words=[["a"]])),
    "no pattern of words": ((TfidfVectorizer(), TEXTS), put(token_pattern=None)),
    "a pattern that is none": ((TfidfVectorizer(), TEXTS), put(token_pattern="x(")),
    "splines of another degree": (SplineTransformer(), put(degree=9)),
    "a mean to subtract that is None": (SCALER, state(mean_=None)),
    "a scale to divide by that is None": (RobustScaler(), state(scale_=None)),
    "a scaler that is None": (PowerTransformer(), state(_scaler=None)),
    "weights of words that are None": ((TfidfTransformer(), COUNTS), state(idf_=None)),
    # what takes long
    "a polynomial of a million": (PolynomialFeatures(2), put(degree=10**6)),
    "a polynomial of a million, fitted": (
        PolynomialFeatures(2),
        state(_max_degree=10**6),
    ),
    "keys of one hash": (
        SCALER,
        put(copy={":dict": [[i * (2**61 - 1), 0] for i in range(100)]}),
    ),
    "categories of one hash": (
        (OrdinalEncoder(encoded_missing_value=0), CELLS),
        lambda step: step["state"]["categories_"].__setitem__(
            0, {":objects": [i * (2**61 - 1) for i in range(100)]}
        ),
    ),
}


def listed(tree):
    """Return a tree whose tuples of more than names are lists, to be changed."""
    if isinstance(tree, dict):
        return {key: listed(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple) and any(isinstance(x, np.ndarray) for x in tree):
        return [listed(value) for value in tree]
    return type(tree)(map(listed, tree)) if isinstance(tree, list | tuple) else tree


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_pipeline_is_refused(path, name):
    first, forge = FORGED[name]
    tree, step = write(path, *(first if isinstance(first, tuple) else (first,)))
    step.update(listed(step))
    forge(step)
    write_file(path, tree)
    with pytest.raises(ValueError, match=r"pipe\.skdann can't be used: ") as caught:
        skdann.load(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("scaler", "forge"),
    [
        ("SquashingScaler", put(max_absolute_value=None)),
        ("SquashingScaler", put(max_absolute_value="3")),
        ("SquashingScaler", state(robust_scaler_=None)),
    ],
)
def test_a_forged_transformer_of_skrub_is_refused(path, scaler, forge):
    skrub = pytest.importorskip("skrub")
    tree, step = write(path, getattr(skrub, scaler)())
    forge(step)
    write_file(path, tree)
    with pytest.raises(ValueError, match=r"can't be used: .*(_value of its|lacks)"):
        skdann.load(path)


def test_swapped_parts_are_refused(path):
    tree, step = write(path, SCALER)
    kind, whole = tree["estimator"], tree["whole"]
    for swapped in (
        {**tree, "estimator": {"kind": "AutoDANNClassifier"}},
        {**tree, "estimator": {"kind": "DANNClassifier"}},
        {**tree, "whole": step},
        {**tree, "whole": {**whole, "parameters": {"steps": []}}},
        {"estimator": kind, "versions": tree["versions"]},
    ):
        write_file(path, swapped)
        with pytest.raises(ValueError, match="can't be used"):
            skdann.load(path)


TREES = {
    "a leaf before its parent": ("left_child", 0, 0),
    "a child that is not there": ("right_child", 0, 10**6),
    "a column that is not there": ("feature", 0, 3),
    "a column before the first": ("feature", 0, -1),
    "a child between two": ("left_child", 0, 1.5),
}


@pytest.mark.parametrize("name", TREES)
def test_a_forged_tree_is_refused(path, name):
    forest = RandomForestClassifier(2, random_state=0)
    skdann.save(BaselineClassifier(forest).fit(X, Y), path)
    tree = read_file(path)
    of_forest = tree["whole"]["state"]["estimator_"][":object"]["state"]
    of_tree = of_forest["estimators_"][1][":object"]["state"]["tree_"][":tree"]
    field, node, value = TREES[name]
    of_tree[5] = of_tree[5].copy()
    of_tree[5][of_tree[4].index(field), node] = value
    write_file(path, tree)
    with pytest.raises(ValueError, match="its decision tree"):
        skdann.load(path)


def test_a_text_of_100_000_transformers_is_refused_at_once(path):
    """What is wrong is told without showing all of it."""
    tree, step = write(path, make_pipeline(SCALER))
    step["parameters"]["steps"] = [("a", obj("Normalizer"))] * 10_000
    write_file(path, tree)
    with pytest.raises(ValueError, match="list of steps, with a name each"):
        skdann.load(path)


@pytest.mark.parametrize("n", [1, 50, 1000])
def test_a_truncated_pipeline_is_refused(path, n):
    write(path, SCALER)
    path.write_bytes(path.read_bytes()[:-n])
    with pytest.raises(ValueError, match="can't be used"):
        skdann.load(path)


@pytest.mark.parametrize("depth", [200, 5000])
def test_pipelines_in_pipelines_have_an_end(path, depth):
    write(path, SCALER)
    text, arrays = read_text(path)
    opens = (
        '{":object": {"class": "Pipeline", "parameters": {"steps": [{"$tuple": ["a", '
    )
    closes = ']}]}, "state": {}}}'
    scaler = '{":object": {"class": "StandardScaler", '
    assert scaler in text
    deep = opens * depth + "null" + closes * depth
    write_text(path, text.replace(scaler, f'{{":list": {deep}, ' + scaler[1:]), arrays)
    with pytest.raises(ValueError, match="can't be used"):
        skdann.load(path)
