"""Columns are standardized as StandardScaler would, by the source or by each domain."""

import pickle

import numpy as np
import pytest
import sklearn
import torch
from helpers import SMALL, make_domains
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

import skdann
from skdann import DANNClassifier
from skdann._data._column_scales import column_moments
from skdann._multi_fit import fit_many, validate_many
from skdann.exceptions import AdaptationWarning
from skdann.model_selection import (
    DANNGridSearchCV,
    reverse_validation_score,
    target_scorer,
)


@pytest.fixture
def few_trees():
    """Not here, where all of them are to decide."""


def make(**params):
    return DANNClassifier(**(SMALL | params))


def fit(X, y, X_tgt, standardize, **params):
    clf = make(**params, standardize=standardize)
    return clf.fit(X, y, X_tgt)


@pytest.fixture
def raw():
    """Measured in other units, and the target by an instrument that reads higher."""
    X, y, X_tgt, y_tgt = make_domains()
    return 1e3 + 50 * X, y, 1080 + 90 * X_tgt, y_tgt


def assert_alike(clf, other, rows, other_rows, domain="target"):
    P = clf.predict_proba(rows, domain=domain)
    np.testing.assert_allclose(P, other.predict_proba(other_rows), rtol=1e-6)


@pytest.mark.parametrize("how", ["source", "domain"])
def test_it_is_a_scaler_that_was_fitted_on_the_source_or_on_each(raw, how):
    X, y, X_tgt, _ = raw
    source = StandardScaler().fit(X)
    target = source if how == "source" else StandardScaler().fit(X_tgt)
    scaled = fit(source.transform(X), y, target.transform(X_tgt), None)
    clf = fit(X, y, X_tgt, how)
    assert_alike(clf, scaled, X_tgt, target.transform(X_tgt))
    assert_alike(clf, scaled, X, source.transform(X), "source")


def test_without_a_target_there_is_one_scale(raw):
    X, y, _, _ = raw
    clf = fit(X, y, None, "domain", lambda_max=0, max_epochs=20)
    P = clf.predict_proba(X)
    assert np.array_equal(P, clf.predict_proba(X, domain="source"))
    assert clf.score(X, y) > 0.9


@settings(max_examples=20)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3), by=st.sampled_from("st"))
def test_units_of_measurement_do_not_matter(scale, shift, by):
    """Of both domains alike for "source"; of the target alone, too, for "domain"."""
    X, y, X_tgt, _ = make_domains(60, 50)
    how = {"s": "source", "t": "domain"}[by]
    other_X = X if how == "domain" else X * scale + shift
    other_tgt = X_tgt * scale + shift
    P = fit(X, y, X_tgt, how).predict_proba(X_tgt)
    other = fit(other_X, y, other_tgt, how).predict_proba(other_tgt)
    np.testing.assert_allclose(P, other, atol=1e-4)


def test_columns_of_two_values_are_the_sources():
    """A share of patients is no unit of measurement: it may differ."""
    X, y, X_tgt, _ = make_domains()
    rng = np.random.default_rng(0)
    X, X_tgt = np.c_[X, rng.random(200) < 0.5], np.c_[X_tgt, rng.random(150) < 0.1]
    mean, scale = (
        fit(X, y, X_tgt, "domain").module_.standardizer.get_buffer(name).numpy()
        for name in ("mean", "scale")
    )
    np.testing.assert_allclose(mean[:, 2], X[:, 2].mean())
    np.testing.assert_allclose(scale[:, 2], X[:, 2].std())
    np.testing.assert_allclose(mean[1, :2], X_tgt[:, :2].mean(0))


def test_constant_columns_stay_finite_and_small():
    X, y, X_tgt, _ = make_domains()
    rows = [
        np.c_[A, np.full(len(A), 0.1), np.full(len(A), value)]
        for A, value in ((X, 3.0), (X_tgt, 1e6))
    ]
    rows[1][::2, 3] = 2e6  # constant in the source, not in the target
    for how in ("source", "domain"):
        clf = fit(rows[0], y, rows[1], how)
        standardized = clf.module_.standardizer(torch.from_numpy(rows[1]), 1).numpy()
        assert np.abs(standardized).max() < 60


@pytest.mark.parametrize("as_given", [np.asarray, sparse.csr_array])
def test_a_constant_column_has_no_deviation_however_rows_are_weighted(as_given):
    rng = np.random.default_rng(0)  # a weighted variance was rounded below 0
    for value in rng.normal(size=50):
        X = as_given(np.full((40, 1), value))
        _, deviation = column_moments(X, rng.uniform(0.1, 3, 40))
        assert 0 <= deviation[0] < 1e-6


def test_a_constant_column_is_no_error_by_default():
    rng = np.random.default_rng(0)
    X, X_tgt = rng.normal(size=(48, 2)), rng.normal(size=(40, 2)) + 0.3
    X[:, 0] = X_tgt[:, 0] = 1.0
    clf = DANNClassifier(max_epochs=1, n_estimators=1, random_state=0)
    clf.fit(X, (X[:, 1] > 0).astype(int), X_tgt)
    assert np.isfinite(clf.predict_proba(X_tgt)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_sparse_rows_are_standardized_as_dense_ones(raw, dtype):
    X, y, X_tgt, _ = raw
    X, X_tgt = X.astype(dtype), X_tgt.astype(dtype)
    for how in ("source", "domain"):
        dense = fit(X, y, X_tgt, how, target_prior=[0.4, 0.6])
        rows = map(sparse.csr_matrix, (X, X_tgt))
        clf = fit(next(rows), y, next(rows), how, target_prior=[0.4, 0.6])
        P = clf.predict_proba(sparse.csr_matrix(X_tgt))
        tolerance = 1e-3 if dtype == "float32" else 1e-6
        np.testing.assert_allclose(P, dense.predict_proba(X_tgt), rtol=tolerance)


@pytest.mark.filterwarnings("error")
def test_sparse_float32_is_standardized_at_any_scale(small):
    X, y, X_tgt, _ = make_domains()
    for scale in (1e-30, 1e30):
        rows = [sparse.csr_matrix((x * scale).astype("f4")) for x in (X, X_tgt)]
        clf = small(standardize="domain").fit(rows[0], y, rows[1])
        found = clf.module_.standardizer.scale.numpy() / scale
        assert found == pytest.approx(np.stack([X.std(0), X_tgt.std(0)]), rel=1e-3)


def test_rows_of_weight_zero_are_as_if_they_were_not_there(raw):
    X, y, X_tgt, _ = raw
    weight = np.ones(len(X))
    weight[150:] = 0
    X = X.copy()
    X[150:] += 30
    for how in ("source", "domain"):
        weighted = make(standardize=how)
        weighted.fit(X, y, X_tgt, sample_weight=weight)
        cut = fit(X[:150], y[:150], X_tgt, how)
        assert_alike(weighted, cut, X_tgt, X_tgt)


def test_images_need_another_way(small):
    X = np.zeros((10, 1, 4, 4), np.float32)
    with pytest.raises(ValueError, match=r"is for tables.*standardize=None"):
        small(standardize="source").fit(X, np.arange(10) % 2, X)


def test_a_domain_that_is_none(raw):
    X, y, X_tgt, _ = raw
    with pytest.raises(ValueError, match=r"domain must be one of .*'new'"):
        fit(X, y, X_tgt, "domain").predict(X, domain="new")


def test_fit_transform_reads_the_source(raw):
    X, y, X_tgt, _ = raw
    clf = make(standardize="domain")
    features = clf.fit_transform(X, y, X_tgt)
    assert np.array_equal(features, clf.transform(X, domain="source"))
    assert not np.allclose(features, clf.transform(X, domain="target"))


def test_routing_passes_the_domain(routing, raw):
    X, y, X_tgt, _ = raw
    pipe = make_pipeline(
        StandardScaler(),
        make(standardize="domain"),
        transform_input=["X_tgt"],
    ).fit(X, y, X_tgt=X_tgt)
    last, rows = pipe[-1], pipe[:-1].transform(X)
    for method in ("predict", "predict_proba", "transform"):
        ours = getattr(pipe, method)(X, domain="source")
        assert np.array_equal(ours, getattr(last, method)(rows, domain="source"))
    assert pipe.score(X, y, domain="source") == last.score(rows, y, domain="source")
    assert pipe.score(X, y, domain="source") != pipe.score(X, y, domain="target")


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_searches_score_source_rows_as_such(raw, in_pipeline):
    """Read as rows of the target, they would all be of one class."""
    X, y, X_tgt, _ = raw
    clf = make(max_epochs=20, standardize="domain")
    estimator = make_pipeline(StandardScaler(), clf) if in_pipeline else clf
    prefix = "dannclassifier__" if in_pipeline else ""
    grid = {f"{prefix}lambda_max": [0, 0.1]}
    search = DANNGridSearchCV(estimator, grid, cv=2, scoring="accuracy").fit(
        X, y, X_tgt
    )
    for name in ("score", "source_accuracy"):
        assert (search.cv_results_[f"mean_test_{name}"] > 0.9).all()


def test_risks_compare_the_domains_as_they_are_standardized(raw):
    X, y, X_tgt, _ = raw
    clf = fit(X, y, X_tgt, "domain")
    scaled = [StandardScaler().fit_transform(rows) for rows in (X, X_tgt)]
    other = fit(scaled[0], y, scaled[1], None)
    for name in ("neg_iwv", "neg_dev"):
        scorer = target_scorer(name)
        expected = scorer(other, scaled[0], y, X_tgt=scaled[1])
        assert scorer(clf, X, y, X_tgt=X_tgt) == pytest.approx(expected, rel=1e-3)


def test_reverse_validation_swaps_the_scales(raw):
    X, y, *_ = raw
    for how in ("source", "domain"):
        clf = make(standardize=how, lambda_max=0, max_epochs=40)
        shifted = X if how == "source" else X * 3 - 1e4
        assert reverse_validation_score(clf, X, y, shifted, random_state=0) > 0.9


@pytest.mark.filterwarnings("ignore:. of . columns of X hold numbers far from 1")
def test_a_stack_of_different_scales(raw):
    X, y, X_tgt, _ = raw
    together = [
        make(standardize=how).set_params(random_state=seed)
        for how in ("source", "domain", None)
        for seed in (0, 1)
    ]
    alone = [clone(clf).fit(X, y, X_tgt) for clf in together]
    assert not any(fit_many(together, validate_many(together, X, y, X_tgt)))
    for one, other in zip(together, alone, strict=True):
        for rows, domain in ((X, "source"), (X_tgt, "target")):
            np.testing.assert_allclose(
                one.predict_proba(rows, domain=domain),
                other.predict_proba(rows, domain=domain),
                atol=1e-6,
            )


def test_the_scales_are_those_of_the_first_fit(raw):
    X, y, X_tgt, _ = raw
    clf = fit(X, y, X_tgt, "domain", warm_start=True)
    before = clf.module_.standardizer.mean.clone()
    clf.fit(X + 5, y, X_tgt - 5)
    clf.partial_fit(X + 5, y, X_tgt - 5)
    assert (clf.module_.standardizer.mean == before).all()
    with pytest.raises(ValueError, match="standardize changed"):
        clf.set_params(standardize=None).fit(X, y, X_tgt)


def test_it_is_saved_and_pickled(raw, tmp_path):
    X, y, X_tgt, _ = raw
    clf = fit(X, y, X_tgt, "domain", n_estimators=2)
    skdann.save(clf, tmp_path / "model")
    loaded = [skdann.load(tmp_path / "model"), pickle.loads(pickle.dumps(clf))]
    for other in loaded:
        for rows, domain in ((X, "source"), (X_tgt, "target")):
            assert np.array_equal(
                clf.predict_proba(rows, domain=domain),
                other.predict_proba(rows, domain=domain),
            )


def test_a_target_in_other_units_is_worth_a_warning_for_source_alone(raw, recwarn):
    X, y, X_tgt, _ = raw
    fit(X, y, X_tgt * 100, "domain")
    assert not [w for w in recwarn if "standard deviations from X" in str(w.message)]
    with pytest.warns(AdaptationWarning, match="deviations from X"):
        fit(X, y, X_tgt * 100, "source")


def instruments(rng, n, y=None):
    """Three classes in five columns; returns rows and labels."""
    y = rng.integers(0, 3, n) if y is None else y
    centers = np.random.default_rng(7).normal(size=(3, 5)) * 2
    return centers[y] + rng.standard_normal((len(y), 5)), y


def test_auto_sees_another_instrument():
    rng = np.random.default_rng(0)
    X, y = instruments(rng, 300)
    X_tgt, _ = instruments(rng, 300)
    clf = fit(X, y, X_tgt * [3, 0.2, 1, 1, 2] + [5, 0, -4, 3, 9], "auto")
    assert clf.standardize_ == "domain"


def test_auto_sees_other_proportions():
    """Which move the means of columns, too; to take that away would mix the classes."""
    rng = np.random.default_rng(0)
    X, y = instruments(rng, 300)
    X_tgt, _ = instruments(rng, 300, y=np.repeat([0, 1, 2], [270, 20, 10]))
    for prior in ("estimate", None):
        assert fit(X, y, X_tgt, "auto", target_prior=prior).standardize_ == "source"


def test_known_proportions_are_no_matter_of_scale():
    """Then both scales are nearly the same."""
    rng = np.random.default_rng(0)
    X, y = instruments(rng, 2000)
    known = np.array([1800, 150, 50])
    X_tgt, _ = instruments(rng, 2000, y=np.repeat([0, 1, 2], known))
    mean = {
        prior is None: fit(
            X, y, X_tgt, "domain", target_prior=prior
        ).module_.standardizer.mean.numpy()
        for prior in (None, known / 2000)
    }
    assert np.abs(mean[False][0] - mean[False][1]).max() < 0.2
    assert np.abs(mean[True][0] - mean[True][1]).max() > 1


def test_auto_leaves_sparse_rows_and_images_alone(raw, small):
    X, y, X_tgt, _ = raw
    X, X_tgt = sparse.csr_matrix(X), sparse.csr_matrix(X_tgt)
    with pytest.warns(AdaptationWarning, match=r"sparse rows are.*MaxAbsScaler"):
        clf = fit(X, y, X_tgt, "auto", lr=1e-6)
    assert clf.standardize_ is None
    images = np.random.default_rng(0).random((20, 1, 4, 4), dtype=np.float32)
    clf = small(standardize="auto", feature_extractor=torch.nn.Flatten())
    assert clf.fit(images, np.arange(20) % 2, images).standardize_ is None


def test_auto_without_a_target(raw):
    X, y, _, _ = raw
    assert fit(X, y, None, "auto", lambda_max=0).standardize_ == "source"


def test_rows_of_the_source_are_noticed(raw, recwarn):
    """Scikit-learn's own searches would score them as the target's, without a word."""
    X, y, X_tgt, _ = raw
    clf = fit(X, y, X_tgt, "domain")
    with pytest.warns(AdaptationWarning, match="look like those of the source"):
        clf.score(X, y)
    recwarn.clear()
    clf.predict(X, domain="source")
    clf.predict(X, domain="target")
    clf.predict(X_tgt)
    clf.predict(X[:5])
    fit(X, y, X_tgt, "source").predict(X)
    assert not [w for w in recwarn if "look like" in str(w.message)]


# what scikit-learn passes to the score of a Pipeline
OF_PIPELINES = parse_version(sklearn.__version__) >= parse_version("1.8")


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_cross_validation_reads_the_source_if_it_is_told(routing, raw, in_pipeline):
    def on_source(estimator, X, y):
        return estimator.score(X, y, domain="source")

    X, y, X_tgt, _ = raw
    estimator = make(standardize="domain", max_epochs=20)
    if in_pipeline:
        steps = (StandardScaler(), estimator)
        estimator = make_pipeline(*steps, transform_input=["X_tgt"])
    ways = [{"params": {"X_tgt": X_tgt}, "scoring": on_source}]
    if OF_PIPELINES or not in_pipeline:
        ways.append({"params": {"X_tgt": X_tgt, "domain": "source"}})
    for way in ways:
        assert cross_val_score(estimator, X, y, cv=2, **way).min() > 0.9
