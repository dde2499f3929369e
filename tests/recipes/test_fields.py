"""The recipes of the guide, run as they stand there, beside the packages they are for.

`make test-recipes` has the packages; elsewhere these tests are skipped.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdann
from skdann import DANNClassifier, DANNRegressor

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "fields.md"


class Spy(DANNClassifier):
    """Notes what each fit receives."""

    seen = []

    def fit(self, X, y, X_tgt=None, *, y_tgt=None, groups=None, groups_tgt=None):
        given = {"y_tgt": y_tgt, "groups": groups, "groups_tgt": groups_tgt}
        Spy.seen.append({"X": X, "y": y, "X_tgt": X_tgt, **given})
        return super().fit(X, y, X_tgt, **given)


def recipe(package):
    """Return the code of a package's section; blocks with prompts are doctests."""
    page = PAGE.read_text()
    section = re.search(rf"^## {package}\n(.*?)(?=^## |\Z)", page, re.M | re.S)[1]
    blocks = re.findall(r"^```python\n(?!>>>)(.*?)^```", section, re.M | re.S)
    return "\n".join(blocks)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs a recipe, and returns all that it names."""
    monkeypatch.setenv("HOME", str(tmp_path))  # moabb writes there
    monkeypatch.setenv("MNE_DATA", str(tmp_path))
    monkeypatch.setattr(skdann, "DANNClassifier", Spy)
    Spy.seen = []

    def run_recipe(package):
        pytest.importorskip(package)
        if package == "skada":  # as its first import does
            sklearn.set_config(enable_metadata_routing=True)
        names = {}
        exec(compile(recipe(package), f"{PAGE.name}, {package}", "exec"), names)
        return names

    # moabb uses what mne and h5py are to drop
    with sklearn.config_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield run_recipe


def test_the_guide_names_the_versions_that_are_tested():
    pins = Path(__file__).with_name("requirements.txt").read_text()
    named = re.findall(r"^\| ([\w-]+) ([\d.]+) \|", PAGE.read_text(), re.M)
    assert len(named) == 4
    assert all(f"{package}=={version}\n" in pins for package, version in named)


def test_moabb_brings_trials_of_the_subject_and_who_the_others_are(run):
    results = run("moabb")["results"]
    assert sorted(set(results["subject"])) == ["1", "2", "3"]
    assert np.isfinite(results["score"]).all()
    for fit in Spy.seen:
        assert len(fit["X_tgt"]) == len(fit["X"]) / 4  # half of one, of three
        assert fit["X_tgt"].shape[1:] == fit["X"].shape[1:] == (6,)  # of 3 channels
        assert len(set(fit["groups"])) == 2
    assert len(Spy.seen) == 3


def evaluate(names, steps, mode):
    """Let moabb evaluate a Pipeline of these steps on the data of the recipe."""
    Spy.seen = []
    evaluation = names["CrossSubjectEvaluation"](
        paradigm=names["LeftRightImagery"](),
        datasets=names["evaluation"].datasets,
        cs_mode=mode,
        overwrite=True,
    )
    evaluation.process({"DANN": make_pipeline(*steps, transform_input=["X_tgt"])})
    assert len(Spy.seen) == 3


def test_moabb_brings_labels_where_they_are_asked_for(run):
    names = run("moabb")
    aliases = {"X_tgt": "X_target_labeled", "y_tgt": "y_target_labeled"}
    with sklearn.config_context(enable_metadata_routing=True):
        dann = Spy(max_epochs=1).set_fit_request(**aliases)
    before = [step for _, step in names["pipeline"].steps[:-1]]
    evaluate(names, [*before, dann], "train_and_target_labeled_20p")
    for fit in Spy.seen:
        assert len(fit["y_tgt"]) == len(fit["X_tgt"])
        assert set(fit["y_tgt"]) == set(fit["y"]) == {0, 1}


def test_moabb_brings_no_target_by_default(run):
    names = run("moabb")
    steps = [step for _, step in names["pipeline"].steps]
    steps[-1].set_params(max_epochs=1)
    with pytest.warns(skdann.AdaptationWarning, match="There is no target"):
        evaluate(names, steps, "train")
    assert all(fit["X_tgt"] is None for fit in Spy.seen)


def test_moabb_has_a_step_that_does_not_know_when_it_is_fitted(run):
    names = run("moabb")
    from moabb.pipelines.features import LogVariance

    mode, dann = names["evaluation"].cs_mode, names["dann"].set_params(max_epochs=1)
    with pytest.raises(NotFittedError):
        evaluate(names, [LogVariance(), dann], mode)
    evaluate(names, [LogVariance(), StandardScaler(), dann], mode)


def test_chemotools_before_the_network_and_standards_before_that(run):
    names = run("chemotools")
    X_tgt, y_tgt = names["X_tgt"], names["y_tgt"]
    as_it_is = DANNRegressor(max_epochs=40, random_state=0, standardize="source")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", skdann.AdaptationWarning)
        as_it_is.fit(names["X"], names["y"], X_tgt)
        nothing = r2_score(y_tgt, as_it_is.predict(X_tgt))
    preprocessed = r2_score(y_tgt, names["preprocessed"].predict(X_tgt))
    deployed = r2_score(y_tgt, names["deployed"].predict(X_tgt))
    assert deployed > 0.9 > preprocessed > nothing


def test_chemotools_metadata_of_the_source_is_used_for_the_target(run):
    names = run("chemotools")
    from chemotools.adaptation import MetadataFunctionTransformer

    minus = MetadataFunctionTransformer(subtract, metadata=("reference",))
    X, y, X_tgt = names["X"], names["y"], names["X_tgt"]
    pipe = make_pipeline(minus, Spy(max_epochs=1), transform_input=["X_tgt"])
    given = {"X_tgt": X_tgt, "reference": X[:1]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", skdann.AdaptationWarning)
        pipe.fit(X, y > 15, **given)
    assert np.array_equal(Spy.seen[0]["X_tgt"], X_tgt - X[:1])
    with pytest.raises(ValueError, match="could not be broadcast"):
        pipe.fit(X, y > 15, X_tgt=X_tgt, reference=X)


def subtract(X, reference):
    return X - reference


def test_skada_splits_by_sign(run):
    names = run("skada")
    clf, fit = names["clf"], Spy.seen[0]
    assert clf.classes_.tolist() == [0, 1]
    assert (len(fit["X"]), len(fit["X_tgt"])) == (110, 40)
    assert set(fit["groups"]) == {1, 2}
    assert set(fit["groups_tgt"]) == {-3}
    assert len(names["scores"]) == 2
    assert np.isfinite(names["scores"]).all()
    assert [(len(fit["X"]), len(fit["X_tgt"])) for fit in Spy.seen[1:]] == [
        (99, 36)
    ] * 2


def test_skada_gives_a_plain_classifier_the_masks_as_a_class(run):
    names = run("skada")
    X, y, sample_domain = (names[name] for name in ("X", "y", "sample_domain"))
    pipe = names["make_da_pipeline"](StandardScaler(), DANNClassifier(max_epochs=1))
    with pytest.warns(skdann.AdaptationWarning, match="There is no target"):
        pipe.fit(X, y, sample_domain=sample_domain)
    assert pipe[-1].base_estimator_.classes_.tolist() == [-1, 0, 1]


def test_skada_masks_the_labels_that_it_is_given(run):
    names = run("skada")
    wards = names["wards"]
    X, y, sample_domain = wards.pack(["Berlin"], ["Oslo"], mask_target_labels=False)
    known = y.copy()
    names["pipeline"].fit(X, y, sample_domain=sample_domain)
    assert (y[sample_domain < 0] == -1).all()
    assert not np.array_equal(y, known)
