"""A whole Pipeline comes back from a file and predicts to the bit what it did."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from helpers import SMALL
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.compose import (
    ColumnTransformer,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import NMF, PCA, IncrementalPCA, TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
)
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import (
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    mutual_info_classif,
)
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from skorch.callbacks import Callback
from torch import nn

import skdann
from skdann import (
    AutoDANNClassifier,
    AutoDANNRegressor,
    BaselineClassifier,
    BaselineRegressor,
    DANNClassifier,
    DANNRegressor,
)
from skdann._io._container import read_file, write_file

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4)) * [1, 10, 0.1, 3] + [0, 2, 0, 5]
Y = (X[:, 0] > 0).astype(int)
GAPS = np.where(RNG.random((N, 4)) < 0.2, np.nan, X)
TABLE = pd.DataFrame(
    {
        "age": np.where(np.arange(N) % 7 == 0, np.nan, X[:, 1]),
        "dose": X[:, 0].astype(np.float32),
        "sex": np.array(["f", "m"])[np.arange(N) % 2],
        "kind": pd.Series(["a", "b", None] * 20, dtype=object),
        "grade": np.arange(N) % 3,
    }
)
CELLS = TABLE[["sex", "kind"]].to_numpy(dtype=object)
TEXTS = np.array(["a cat sat", "the dog", "a cat and a dog"] * 20, dtype=object)
WIDE = np.random.default_rng(1).normal(size=(N, 99))
COUNTS = sparse.csr_array(RNG.poisson(1, size=(N, 5)).astype(float))


def dann(**params):
    params = {"lambda_max": 0, "max_epochs": 1, "standardize": "source", **params}
    return DANNClassifier(**{**SMALL, **params})


# Transformers, and the rows that they transform into numbers without gaps.
CASES = {
    "StandardScaler": (StandardScaler(), X),
    "StandardScaler, sparse": (StandardScaler(with_mean=False), COUNTS),
    "StandardScaler, nothing": (StandardScaler(with_mean=False, with_std=False), X),
    "MinMaxScaler": (MinMaxScaler(clip=True), X),
    "MaxAbsScaler": (MaxAbsScaler(), X),
    "RobustScaler": (RobustScaler(unit_variance=True), X.astype(np.float32)),
    "Normalizer": (Normalizer("l1"), X),
    "Binarizer": (Binarizer(threshold=0.1), X),
    "PowerTransformer": (PowerTransformer(), X),
    "QuantileTransformer": (QuantileTransformer(n_quantiles=9), X),
    "KBinsDiscretizer": (
        KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"),
        X,
    ),
    "KBinsDiscretizer, ordinal": (
        KBinsDiscretizer(
            [2, 3, 4, 5], encode="ordinal", quantile_method="averaged_inverted_cdf"
        ),
        X,
    ),
    "PolynomialFeatures": (PolynomialFeatures((2, 3), interaction_only=True), X),
    "SplineTransformer": (SplineTransformer(), X),
    "FunctionTransformer": (FunctionTransformer(np.cbrt, check_inverse=False), X),
    "FunctionTransformer, of nothing": (FunctionTransformer(), X),
    "SimpleImputer": (SimpleImputer(add_indicator=True), GAPS),
    "KNNImputer": (KNNImputer(n_neighbors=2, add_indicator=True), GAPS),
    "MissingIndicator": (make_union(MissingIndicator(), SimpleImputer()), GAPS),
    "OneHotEncoder": (OneHotEncoder(handle_unknown="ignore"), CELLS),
    "OneHotEncoder, rare ones": (
        OneHotEncoder(
            min_frequency=25,
            drop="if_binary",
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float32,
        ),
        CELLS,
    ),
    "OneHotEncoder, numbers": (OneHotEncoder(drop="first"), np.rint(X)),
    "OrdinalEncoder": (OrdinalEncoder(encoded_missing_value=-2), CELLS),
    "OrdinalEncoder, rare ones": (
        OrdinalEncoder(
            max_categories=2,
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-2,
        ),
        CELLS,
    ),
    "TargetEncoder": (TargetEncoder(), CELLS),
    "PCA": (PCA(2, whiten=True, random_state=0), X),
    "PCA, full": (PCA(3, svd_solver="full", random_state=0), X.astype(np.float32)),
    "PCA, by columns": (PCA(3), WIDE),
    "IncrementalPCA": (IncrementalPCA(2), X),
    "TruncatedSVD": (TruncatedSVD(2, random_state=0), COUNTS),
    "GaussianRandomProjection": (GaussianRandomProjection(2, random_state=0), X),
    "SparseRandomProjection": (SparseRandomProjection(2, random_state=0), COUNTS),
    "TfidfVectorizer": (TfidfVectorizer(ngram_range=(1, 2)), TEXTS),
    "CountVectorizer": (CountVectorizer(stop_words=["the"]), TEXTS),
    "CountVectorizer, given words": (CountVectorizer(vocabulary={"cat": 0}), TEXTS),
    "HashingVectorizer": (HashingVectorizer(n_features=16), TEXTS),
    "TfidfTransformer": (TfidfTransformer(), COUNTS),
    "VarianceThreshold": (VarianceThreshold(0.5), X),
    "SelectKBest": (SelectKBest(k=2), X),
    "SelectPercentile": (SelectPercentile(mutual_info_classif), X),
    "FeatureUnion": (FeatureUnion([("a", PCA(1)), ("b", "passthrough")]), X),
    "Pipeline": (make_pipeline("passthrough", make_pipeline(StandardScaler())), X),
    "set_output": (StandardScaler().set_output(transform="pandas"), X),
    "ColumnTransformer": (
        ColumnTransformer(
            [
                ("gaps", SimpleImputer(add_indicator=True), ["age"]),
                ("words", OneHotEncoder(), make_column_selector("sex|kind")),
                ("none", "drop", [4]),
            ],
            remainder="passthrough",
        ),
        TABLE,
    ),
    "ColumnTransformer, by place": (
        make_column_transformer(
            (StandardScaler(), slice(0, 2)), (make_pipeline(PCA(1)), [2, 3])
        ),
        X,
    ),
    "ColumnTransformer, by type": (
        make_column_transformer(
            (SimpleImputer(), make_column_selector(dtype_include=np.number)),
            (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
        ),
        TABLE,
    ),
}


def there_and_back(pipe, path, **parameters):
    skdann.save(pipe, path)
    return skdann.load(path, **parameters)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pipe.skdann"


def without_places(text):
    return re.sub(" at 0x[0-9a-f]+", "", text)


@pytest.mark.parametrize("name", CASES)
def test_a_pipeline_comes_back_to_the_bit(path, name):
    transformer, rows = CASES[name]
    pipe = make_pipeline(transformer, dann()).fit(rows, Y)
    loaded = there_and_back(pipe, path)
    assert np.array_equal(loaded.predict_proba(rows), pipe.predict_proba(rows))
    assert without_places(repr(loaded)) == without_places(repr(pipe))
    # what was not fitted but cloned has come, too
    if name != "TargetEncoder":  # shuffles, and a seed is deprecated
        refitted = loaded.fit(rows, Y).predict_proba(rows)
        assert np.array_equal(refitted, pipe.fit(rows, Y).predict_proba(rows))


def make_frame(library, n=N):
    days = [dt.datetime(2020, 1, 1) + dt.timedelta(days=9 * i) for i in range(n)]
    return library.DataFrame(
        {
            "number": [None if i % 7 == 0 else i / 3 for i in range(n)],
            "few": ["a", "b", None] * (n // 3),
            "many": [f"some text {i} {i * i}" if i % 9 else None for i in range(n)],
            "day": days,
            "day in words": [day.strftime("%d/%m/%Y") for day in days],
            "number in words": [str(i) for i in range(n)],
            "flag": [i % 2 == 0 for i in range(n)],
            "nothing": [None] * n,
        }
    )


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_a_table_of_texts_dates_and_gaps_comes_back(path, library, routing):
    skrub = pytest.importorskip("skrub")
    frame = make_frame(library)
    encoder = skrub.StringEncoder(4, random_state=0)
    pipe = skrub.tabular_pipeline(dann(lambda_max=1))
    pipe.set_params(
        tablevectorizer__high_cardinality=encoder, transform_input=["X_tgt"]
    )
    pipe.fit(frame, Y, X_tgt=frame[:40])
    loaded = there_and_back(pipe, path)
    assert np.array_equal(loaded.predict_proba(frame), pipe.predict_proba(frame))
    assert np.array_equal(
        loaded[:-1].get_feature_names_out(), pipe[:-1].get_feature_names_out()
    )
    loaded.fit(frame, Y, X_tgt=frame[:40])
    assert np.array_equal(loaded.predict_proba(frame), pipe.predict_proba(frame))


def test_a_pipeline_that_needs_no_routing_comes_back(path):
    pytest.importorskip("skrub")
    frame = make_frame(pd)[["number", "few", "day"]]
    pipe = skdann.tabular_pipeline(dann(lambda_max=1)).fit(frame, Y, frame[:40])
    loaded = there_and_back(pipe, path)
    for _ in ("as loaded", "fitted anew"):
        expected = pipe.predict_proba(frame, domain="source")
        assert np.array_equal(loaded.predict_proba(frame, domain="source"), expected)
        for one in (pipe, loaded):
            one.fit(frame, Y, frame[:40])


SKRUB = {
    "Cleaner": lambda skrub: skrub.Cleaner(),
    "hashed texts": lambda skrub: skrub.TableVectorizer(
        high_cardinality=skrub.StringEncoder(3, vectorizer="hashing", random_state=0),
        cardinality_threshold=4,
    ),
    "circles": lambda skrub: skrub.TableVectorizer(
        datetime=skrub.DatetimeEncoder(periodic_encoding="circular"), n_jobs=1
    ),
    "a column of its own": lambda skrub: skrub.TableVectorizer(
        specific_transformers=[(OrdinalEncoder(), ["few"])]
    ),
}


@pytest.mark.parametrize("name", SKRUB)
@pytest.mark.filterwarnings("ignore:The matrix shape is")
def test_transformers_of_skrub_come_back(path, name):
    skrub = pytest.importorskip("skrub")
    frame = make_frame(pd)
    frame["day"] = frame["day"].dt.tz_localize("Europe/Paris")
    rest = [SimpleImputer(strategy="most_frequent"), skrub.SquashingScaler()]
    if name == "Cleaner":
        rest = [skrub.TableVectorizer(high_cardinality="drop"), *rest]
    pipe = make_pipeline(SKRUB[name](skrub), *rest, dann()).fit(frame, Y)
    loaded = there_and_back(pipe, path)
    assert np.array_equal(loaded.predict_proba(frame), pipe.predict_proba(frame))
    assert loaded[0].all_processing_steps_.keys() == set(frame.columns)


def test_numbers_behind_a_pipeline_in_a_pipeline_come_back(path):
    pipe = make_pipeline(
        StandardScaler(),
        make_pipeline(PCA(2), DANNRegressor(max_epochs=1, lambda_max=0)),
    ).fit(X, X[:, 0])
    assert np.array_equal(there_and_back(pipe, path).predict(X), pipe.predict(X))


def test_training_goes_on_and_routes_what_it_was_told_to(path, routing):
    clf = dann(lambda_max=1, warm_start=True).set_fit_request(sample_weight="rows")
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipe = Pipeline([("scale", scaler), ("dann", clf)], transform_input=["X_tgt"])
    given = {"X_tgt": X + 1, "rows": np.arange(N) + 1.0}
    pipe.fit(X, Y, **given)
    loaded = there_and_back(pipe, path)
    for one in (pipe, loaded):
        one.fit(X, Y, **given)
    assert loaded[-1].n_iter_ == 2
    assert np.array_equal(loaded.predict_proba(X), pipe.predict_proba(X))
    alone = there_and_back(pipe[-1], path)  # what is alone keeps it, too
    assert alone.get_metadata_routing().fit.requests["sample_weight"] == "rows"


def layers(n_columns):
    return nn.Linear(n_columns, 4)


def test_parameters_are_given_by_the_names_of_steps(path, tmp_path):
    pipe = Pipeline([("scale", StandardScaler()), ("dann", dann())])
    pipe.set_params(dann__feature_extractor=layers, dann__callbacks=[Callback()])
    skdann.save(pipe.fit(X, Y), path)
    with pytest.raises(ValueError, match=r"layers. Give it: load\(path, dann__feat"):
        skdann.load(path)
    given = {"dann__feature_extractor": layers, "scale__with_std": True}
    with pytest.warns(UserWarning, match=r"dann__callbacks; the default .* dann__call"):
        loaded = skdann.load(path, **given, memory=str(tmp_path))
    assert np.array_equal(loaded.predict_proba(X), pipe.predict_proba(X))
    assert loaded.memory == str(tmp_path)
    for wrong in ({"dann__widths": 3}, {"pca__whiten": True}):
        with pytest.raises(ValueError, match="Invalid parameter"):
            skdann.load(path, **given, dann__callbacks=None, **wrong)


@pytest.mark.parametrize(
    ("estimator", "wrong"),
    [
        (dann(), "lr__x"),
        (BaselineClassifier(), "estimator__C"),
        (AutoDANNClassifier([("a", dann()), ("b", dann())]), "candidates__a__device"),
        (make_pipeline(StandardScaler(), dann()), "dannclassifier__lr__x"),
    ],
)
def test_parameters_of_what_has_none_are_an_error_of_the_caller(path, estimator, wrong):
    given = {} if isinstance(estimator, Pipeline) else {"X_tgt": X}
    skdann.save(estimator.fit(X, Y, **given), path)
    with pytest.raises(ValueError, match=rf"'{wrong}'\] can't be set: .* NAME__device"):
        skdann.load(path, **{wrong: 1})


def test_a_file_does_not_say_where_to_write_or_how_many_processes_to_start(path):
    columns = make_column_transformer((StandardScaler(), [0]))
    pipe = make_pipeline(columns, dann()).fit(X, Y)
    pipe.set_params(memory="/nowhere", columntransformer__n_jobs=2)
    skdann.save(pipe, path)
    assert b"nowhere" not in path.read_bytes()
    tree = read_file(path)
    tree["whole"]["parameters"]["memory"] = "/nowhere"
    write_file(path, tree)
    loaded = skdann.load(path)
    assert loaded.memory is None
    assert loaded[0].n_jobs is None


NOT_SAVED = {
    "a function": (
        make_pipeline(FunctionTransformer(lambda X: X), dann()),
        r"functiontransformer > func is a .*lambda",
    ),
    "a class of the user": (
        make_pipeline(type("Mine", (StandardScaler,), {})(), dann()),
        r"mine > a Mine of ",
    ),
    "one that is not in the table": (
        make_pipeline(make_union(StandardScaler(), NMF(2, init="random")), dann()),
        r"featureunion > nmf > a NMF of sklearn",
    ),
    "a generator": (
        make_pipeline(PCA(2, random_state=np.random.RandomState(0)), dann()),
        r"pca > random_state is a numpy.random",
    ),
}


@pytest.mark.parametrize("name", NOT_SAVED)
def test_what_no_file_can_hold_is_named_with_what_to_do(path, name):
    pipe, says = NOT_SAVED[name]
    pipe.fit(abs(X), Y)
    with pytest.raises(TypeError, match=f"{says}.*skops.*pickle.*save\\(pipe\\[-1\\]"):
        skdann.save(pipe, path)
    assert not path.exists()


def test_a_pipeline_that_ends_in_another_model_is_refused(path):
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    with pytest.raises(TypeError, match="Pipeline that ends in one, not a Pipeline"):
        skdann.save(pipe, path)


def test_a_pipeline_must_be_fitted(path):
    with pytest.raises(NotFittedError):
        skdann.save(make_pipeline(StandardScaler(), dann()), path)


@pytest.mark.parametrize("package", ["scikit-learn", "skrub"])
def test_other_versions_warn_and_are_told(path, package):
    pytest.importorskip("skrub")
    skdann.save(make_pipeline(StandardScaler(), dann()).fit(X, Y), path)
    tree = read_file(path)
    tree["versions"][package] = "0.0.1"
    write_file(path, tree)
    with pytest.warns(InconsistentVersionWarning, match=f"{package} 0.0.1, and this"):
        skdann.load(path)


BASELINES = {
    "linear": BaselineClassifier(),
    "quantiles": BaselineClassifier(standardize="quantile"),
    "forest": BaselineClassifier(RandomForestClassifier(3, random_state=0, n_jobs=1)),
    "trees": BaselineClassifier(ExtraTreesClassifier(3, random_state=0)),
    "ridge": BaselineRegressor(),
    "trees for numbers": BaselineRegressor(ExtraTreesRegressor(3, random_state=0)),
    "combination for numbers": AutoDANNRegressor(
        [("a", BaselineRegressor()), ("b", BaselineRegressor(standardize=None))]
    ),
    "combination": AutoDANNClassifier(
        [
            ("line", BaselineClassifier(standardize="pooled")),
            ("forest", RandomForestClassifier(3, random_state=0)),
            ("network", dann(lambda_max=1)),
        ],
        random_state=0,
    ),
}


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_baselines_and_combinations_come_back(path, name, in_pipeline, routing):
    model = BASELINES[name]
    if in_pipeline:
        model = Pipeline([("a", PCA(3)), ("b", model)], transform_input=["X_tgt"])
    y = Y if is_regressor(BASELINES[name]) else np.array(["-", "+"])[Y]
    given = {"X_tgt": X + 0.1}
    loaded = there_and_back(model.fit(X, y, **given), path)
    methods = ["predict", *(["predict_proba"] if y.dtype.kind == "U" else [])]
    for _ in ("as loaded", "fitted anew"):
        for method in methods:
            expected = getattr(model, method)(X + 0.1)
            assert np.array_equal(getattr(loaded, method)(X + 0.1), expected)
        for one in (model, loaded):
            one.fit(X, y, **given)


def test_candidates_are_given_parameters_by_their_names(path):
    auto = BASELINES["combination"].fit(X, Y, X + 0.1)
    skdann.save(auto, path)
    loaded = skdann.load(path, network__device="cpu")
    assert loaded.candidates_["network"].device == "cpu"
    assert loaded.reason_ == auto.reason_
    for column, values in auto.results_.items():
        assert np.array_equal(loaded.results_[column], values)


def test_a_candidate_that_no_file_can_hold_is_named(path):
    auto = AutoDANNClassifier([("a", KNeighborsClassifier()), ("b", dann())])
    with pytest.raises(TypeError, match=r"a > .*KNeighbors.* Store it by skops"):
        skdann.save(auto.fit(X, Y, X + 0.1), path)
