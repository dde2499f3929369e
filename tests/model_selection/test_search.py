"""The searches: scikit-learn's in use, the target's in what they choose by."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from joblib.parallel import get_active_backend
from scipy import sparse
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import AdaptationWarning, DANNClassifier, metrics
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    _selection,
    target_scorer,
)

GRID = {"lambda_max": [0.0, 1.0], "lr": [1e-3, 1e-2]}


def pipeline(clf, **params):
    return Pipeline([("scale", StandardScaler()), ("dann", clf)], **params)


def with_prefix(grid):
    return {f"dann__{name}": values for name, values in grid.items()}


def means(search, name="score"):
    return search.cv_results_[f"mean_test_{name}"]


def test_it_replaces_grid_search_by_a_rename(routing, small, domains):
    X, y, X_tgt = domains
    pipe = pipeline(small(max_epochs=40), transform_input=["X_tgt"])
    both = [
        Search(pipe, with_prefix(GRID), scoring=target_scorer("infomax"), cv=2)
        for Search in (GridSearchCV, DANNGridSearchCV)
    ]
    stock, ours = (search.fit(X, y, X_tgt=X_tgt) for search in both)
    fitted = [name for name in vars(stock) if name.endswith("_") and name[0] != "_"]
    assert {name for name in fitted if not hasattr(ours, name)} == set()
    assert set(stock.cv_results_) <= set(ours.cv_results_)
    assert stock.cv_results_["params"] == ours.cv_results_["params"]
    for column in ("split0_test_score", "mean_test_score", "std_test_score"):
        assert ours.cv_results_[column] == pytest.approx(stock.cv_results_[column])
    rank = "rank_test_score"
    assert ours.cv_results_[rank].tolist() == stock.cv_results_[rank].tolist()
    assert ours.best_params_ == stock.best_params_
    probabilities = [search.predict_proba(X_tgt) for search in both]
    assert probabilities[0] == pytest.approx(probabilities[1])
    assert ours.transform(X_tgt).shape == stock.transform(X_tgt).shape


def test_the_target_is_scaled_as_the_source_without_routing(small, domains):
    X, y, X_tgt = domains
    folds = StratifiedKFold(2)
    search = DANNGridSearchCV(pipeline(small()), with_prefix(GRID), cv=folds)
    search.fit(X, y, 9 * X_tgt)
    scores = []
    for train, _ in folds.split(X, y):
        scaler = StandardScaler().fit(X[train])
        scaled = scaler.transform(9 * X_tgt)
        clf = small(lambda_max=1.0, lr=1e-2)
        clf.fit(scaler.transform(X[train]), y[train], scaled)
        scores.append(metrics.infomax_score(clf.predict_proba(scaled)))
    assert search.cv_results_["params"][3] == {
        "dann__lambda_max": 1.0,
        "dann__lr": 0.01,
    }
    assert means(search, "infomax")[3] == pytest.approx(np.mean(scores))
    best = search.best_estimator_
    assert isinstance(best, Pipeline)
    assert best["scale"].mean_ == pytest.approx(X.mean(axis=0))


def test_a_target_as_long_as_the_source_is_not_sliced(small, domains):
    X, y, X_tgt = domains
    same_length = np.concatenate([X_tgt, X_tgt[:50]])
    assert len(same_length) == len(X)
    search = DANNGridSearchCV(small(), {"lambda_max": [0.0, 1.0]}, cv=2)
    search.fit(X, y, same_length)
    train, _ = next(StratifiedKFold(2).split(X, y))
    clf = small(lambda_max=1.0).fit(X[train], y[train], same_length)
    expected = metrics.infomax_score(clf.predict_proba(same_length))
    assert search.cv_results_["split0_test_infomax"][1] == pytest.approx(expected)


def test_the_source_alone_is_always_a_candidate(small, domains):
    grid = {"lambda_max": [0.5, 1.0], "lambda_gamma": [5.0, 10.0], "lr": [1e-3, 1e-2]}
    search = DANNGridSearchCV(small(), grid, cv=2).fit(*domains)
    params = search.cv_results_["params"]
    assert len(params) == 8 + 2  # one for each learning rate; lambda has no gamma
    assert params[8:] == [{"lambda_max": 0.0, "lr": lr} for lr in grid["lr"]]
    fixed = DANNGridSearchCV(small(lambda_max=0), {"lr": [1e-3]}, cv=2).fit(*domains)
    assert len(fixed.cv_results_["params"]) == 1
    drawn = DANNRandomizedSearchCV(
        small(),
        {"lambda_max": loguniform(0.1, 1), "lr": loguniform(1e-3, 1e-2)},
        n_iter=3,
        cv=2,
        random_state=0,
    ).fit(*domains)
    assert len(drawn.cv_results_["params"]) == 4
    assert drawn.cv_results_["params"][3] == {"lambda_max": 0.0}
    assert drawn.cv_results_["param_lr"].mask.tolist() == [False] * 3 + [True]
    again = clone(drawn).fit(*domains)
    assert means(again).tolist() == means(drawn).tolist()


def test_every_score_is_in_the_table(small, domains):
    search = DANNGridSearchCV(small(), GRID, scoring="reverse_validation", cv=2)
    search.fit(*domains)
    for name in (
        "infomax",
        "nuclear_norm",
        "neg_entropy",
        "neg_iwv",
        "neg_dev",
        "neg_devn",
        "source_accuracy",
        "ensemble_agreement",
        "reverse_validation",
    ):
        assert np.isfinite(means(search, name)).all(), name
    assert means(search).tolist() == means(search, "reverse_validation").tolist()
    frame = pd.DataFrame(search.cv_results_)
    assert len(frame) == 4


def test_ensemble_agreement_compares_the_candidates_of_a_fold(small, domains):
    X, y, X_tgt = domains
    search = DANNGridSearchCV(small(), GRID, scoring="ensemble_agreement", cv=2)
    search.fit(X, y, X_tgt)
    train, _ = next(StratifiedKFold(2).split(X, y))
    P = [
        small(**params).fit(X[train], y[train], X_tgt).predict_proba(X_tgt)
        for params in search.cv_results_["params"]
    ]
    expected = metrics.ensemble_agreement_score(P)
    assert search.cv_results_["split0_test_score"] == pytest.approx(expected)


def choose(scores, source_accuracy, lambda_max, tolerance=0.05):
    arrays = map(np.array, (scores, source_accuracy, lambda_max))
    return _selection.choose(*arrays, tolerance=tolerance)


def test_guards_of_the_choice():
    assert choose([0.1, 0.9], [0.9, 0.9], [0, 1]) == 1
    assert choose([0.1, 0.9], [0.9, 0.84], [0, 1]) == 0  # the source was lost
    assert choose([0.1, 0.9], [0.9, 0.84], [0, 1], tolerance=1) == 1
    assert choose([0.9, 0.9, 0.9], [0.8, 0.8, 0.8], [3, 0.1, 1]) == 1  # a tie
    assert choose([np.nan, 0.2], [np.nan, 0.7], [0, 1]) == 1
    with pytest.raises(ValueError, match="No candidate has a score"):
        choose([np.nan], [np.nan], [0])


def test_the_guard_is_a_parameter_of_the_search(small, domains):
    """An untrained network is the least certain; only without the guard it wins."""
    chosen = {}
    for tolerance in (0.05, 1.0):
        search = DANNGridSearchCV(
            small(lambda_max=0.0, max_epochs=30),
            {"lr": [1e-6, 1e-2]},
            scoring=_negated_certainty,
            cv=2,
            source_tolerance=tolerance,
        ).fit(*domains)
        chosen[tolerance] = search.best_params_["lr"]
    assert np.ptp(means(search, "source_accuracy")) > 0.05
    assert chosen == {0.05: 1e-2, 1.0: 1e-6}


def _negated_certainty(estimator, X, y):
    return -estimator.predict_proba(X).max(axis=1).mean()


def test_scores_are_means_over_seeds(small, domains):
    averaged = DANNGridSearchCV(small(), GRID, cv=2, n_seeds=3).fit(*domains)
    first = DANNGridSearchCV(small(), GRID, cv=2).fit(*domains)
    seeds = np.random.RandomState(0).randint(2**31 - 1, size=3)
    others = [
        DANNGridSearchCV(small(random_state=int(seed)), GRID, cv=2).fit(*domains)
        for seed in seeds[1:]
    ]
    single = [means(search, "infomax") for search in (first, *others)]
    assert means(averaged, "infomax") == pytest.approx(np.mean(single, axis=0))


def test_a_generator_as_random_state_is_not_advanced_by_the_seeds(small, domains):
    generator = np.random.RandomState(5)
    clf = small(random_state=generator)
    grid = {"lambda_max": [0.0]}
    one, two = (
        DANNGridSearchCV(clf, grid, cv=2, n_seeds=n).fit(*domains) for n in (1, 2)
    )
    assert means(one, "infomax") != pytest.approx(means(two, "infomax"))
    assert np.random.RandomState(5).randint(99) == generator.randint(99)


def test_a_class_that_a_fold_lacks(small, domains):
    X, y, X_tgt = domains
    y = y.copy()
    y[:1] = 2  # one row: the other fold does not know it
    with pytest.warns(UserWarning, match="train without some class"):
        search = DANNGridSearchCV(small(), GRID, cv=2).fit(X, y, X_tgt)
    assert search.classes_.tolist() == [0, 1, 2]


def lines_of(caught, category):
    """Return the files that warnings of a category point to."""
    return {w.filename for w in caught if w.category is category}


def test_a_warning_where_the_scores_disagree(small, domains):
    """Adapting changes what is predicted, and held-out source rows can't tell why."""
    X, y, X_tgt = domains
    clf = small(max_epochs=40, lr=1e-2)
    grid = {"lambda_max": [0.0, 3.0]}
    with pytest.warns(AdaptationWarning, match="scores disagree") as caught:
        DANNGridSearchCV(clf, grid, cv=2, scoring="infomax").fit(X, y, X_tgt)
    text = str(caught[0].message)
    assert "The chosen candidate is {'lambda_max': 3.0}" in text
    assert "neg_dev would choose {'lambda_max': 0.0}" in text
    assert lines_of(caught, AdaptationWarning) == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error", AdaptationWarning)  # nothing to disagree about
        DANNGridSearchCV(clf, grid, cv=2).fit(X, y, X[::-1] + 1e-3)


def test_a_search_within_a_pipeline_warns_at_the_users_line(routing, small, domains):
    X, y, X_tgt = domains
    search = DANNGridSearchCV(
        small(max_epochs=40, lr=1e-2),
        {"lambda_max": [0.0, 3.0]},
        cv=2,
        scoring="infomax",
    )
    pipe = make_pipeline(StandardScaler(), search, transform_input=["X_tgt"])
    with pytest.warns(AdaptationWarning, match="scores disagree") as caught:
        pipe.fit(X, y, X_tgt=X_tgt)
    assert lines_of(caught, AdaptationWarning) == {__file__}


def test_a_candidate_that_fails_leaves_the_others(small, domains):
    grid = {"lr": [1e-2, 1e6], "lambda_max": [0.0, 1.0]}
    search = DANNGridSearchCV(small(optimizer="sgd"), grid, cv=2)
    with pytest.warns(FitFailedWarning, match="4 of 8 fits failed.*diverged") as caught:
        search.fit(*domains)
    assert lines_of(caught, FitFailedWarning) == {__file__}
    wild = np.array([params["lr"] == 1e6 for params in search.cv_results_["params"]])
    assert np.isnan(means(search)).tolist() == wild.tolist()
    assert search.cv_results_["rank_test_score"][wild].tolist() == [3, 3]
    assert search.best_params_["lr"] == 1e-2
    with pytest.warns(FitFailedWarning, match="score -1"):
        worst = clone(search).set_params(error_score=-1).fit(*domains)
    assert means(worst)[wild].tolist() == [-1, -1]
    with pytest.raises(ValueError, match="diverged"):
        clone(search).set_params(error_score="raise").fit(*domains)
    with pytest.raises(ValueError, match="All 2 fits failed"):
        DANNGridSearchCV(small(lr=-1.0, lambda_max=0), {"dropout": [0.1]}, cv=2).fit(
            *domains
        )


class Interrupting(DANNClassifier):
    """Presses Ctrl-C when its fit number ``at`` is asked for probabilities."""

    seen, at = 0, None

    def predict_proba(self, X):
        Interrupting.seen += 1
        if Interrupting.seen == Interrupting.at:
            raise KeyboardInterrupt
        return super().predict_proba(X)


def test_an_interrupt_keeps_what_is_finished(small, domains):
    clf = Interrupting(**small().get_params())
    search = DANNGridSearchCV(clf, GRID, cv=2, max_stacked=1)
    Interrupting.seen, Interrupting.at = 0, 7
    with pytest.warns(UserWarning, match=r"Interrupted: 1 of 4 candidates") as caught:
        search.fit(*domains)
    assert lines_of(caught, UserWarning) == {__file__}
    assert search.cv_results_["params"] == [{"lambda_max": 0.0, "lr": 1e-3}]
    assert search.best_params_ == {"lambda_max": 0.0, "lr": 1e-3}
    assert search.predict(domains[0]).shape == (200,)
    Interrupting.seen, Interrupting.at = 0, 1
    fresh = clone(search)
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(*domains)
    assert not hasattr(fresh, "cv_results_")
    Interrupting.at = None


@pytest.mark.parametrize("max_stacked", [1, "auto"])
def test_an_interrupt_in_training_is_not_taken_for_its_end(small, domains, max_stacked):
    calls = []

    def until_interrupted(progress):
        calls.append(progress)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return progress

    search = DANNGridSearchCV(
        small(), {"lambda_max": [0.0, 1.0]}, cv=2, max_stacked=max_stacked
    )
    with pytest.raises(KeyboardInterrupt):
        search.set_params(estimator__lambda_schedule=until_interrupted).fit(*domains)
    assert not hasattr(search, "cv_results_")


class Counting(TransformerMixin, BaseEstimator):
    """Counts how often it is fitted."""

    fits = 0

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        Counting.fits += 1
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return self.factor * X


def test_preprocessing_is_fitted_once_a_fold(small, domains):
    pipe = Pipeline([("count", Counting()), ("dann", small())])
    Counting.fits = 0
    DANNGridSearchCV(pipe, with_prefix(GRID), cv=3).fit(*domains)
    assert Counting.fits == 3 + 1  # and once for the last fit
    Counting.fits = 0
    grid = {**with_prefix(GRID), "count__factor": [1.0, 2.0]}
    search = DANNGridSearchCV(pipe, grid, cv=3, refit=False).fit(*domains)
    assert Counting.fits == 2 * 3
    assert len(search.cv_results_["params"]) == 8
    assert not hasattr(search, "best_estimator_")


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_jobs_and_stacks_change_nothing(small, domains, n_jobs):
    plain = DANNGridSearchCV(small(), GRID, cv=2, max_stacked=1).fit(*domains)
    other = DANNGridSearchCV(small(), GRID, cv=2, max_stacked=3, n_jobs=n_jobs)
    other.fit(*domains)
    assert means(other) == pytest.approx(means(plain))
    assert other.best_params_ == plain.best_params_


def test_scoring_of_labelled_rows(small, domains):
    X, y, X_tgt = domains
    for scoring in ("accuracy", _accuracy, "source_accuracy"):
        search = DANNGridSearchCV(
            small(), GRID, scoring=scoring, cv=2, return_train_score=True
        ).fit(X, y, X_tgt)
        assert means(search) == pytest.approx(means(search, "source_accuracy"))
        assert not search.multimetric_
        assert search.score(X, y) == search.best_estimator_.score(X, y)
    assert "mean_train_score" not in search.cv_results_  # nothing to compute there
    several = DANNGridSearchCV(
        small(), GRID, scoring=["accuracy", "infomax"], refit="infomax", cv=2
    ).fit(X, y, X_tgt)
    assert several.multimetric_
    assert several.best_score_ == means(several, "infomax")[several.best_index_]
    assert several.score(X, y) == several.best_estimator_.score(X, y)


def _accuracy(estimator, X, y):
    return estimator.score(X, y)


def test_train_scores_of_labelled_rows(small, domains):
    search = DANNGridSearchCV(
        small(), GRID, scoring="accuracy", cv=2, return_train_score=True
    ).fit(*domains)
    assert search.cv_results_["mean_train_score"].shape == (4,)


@pytest.mark.parametrize(
    "cv",
    [
        StratifiedKFold(2),
        [(np.arange(100), np.arange(100, 200))],
        KFold(2).split(np.zeros((200, 1))),
        GroupKFold(2),
    ],
    ids=["splitter", "list", "generator", "groups"],
)
def test_folds_of_any_kind(small, domains, cv):
    search = DANNGridSearchCV(small(), GRID, cv=cv)
    search.fit(*domains, groups=np.arange(200) % 5)
    assert search.n_splits_ == (1 if isinstance(cv, list) else 2)
    assert np.isfinite(means(search)).all()


def test_steps_of_the_pipeline_may_be_searched(small, domains, tmp_path):
    steps = [("scale", StandardScaler()), ("pca", PCA(2)), ("dann", small())]
    pipe = Pipeline(steps, memory=str(tmp_path))
    grid = {"scale": [StandardScaler(), "passthrough"], "dann__lambda_max": [0.0, 1.0]}
    search = DANNGridSearchCV(pipe, grid, cv=2).fit(*domains)
    assert search.best_estimator_["pca"].n_components_ == 2
    whole = {"dann": [small(lambda_max=1.0), small(hidden_layer_sizes=(4,))]}
    search = DANNGridSearchCV(pipe, whole, cv=2).fit(*domains)
    assert len(search.cv_results_["params"]) == 4  # and the two without adaptation


def test_a_fitted_search_is_picklable(small, domains):
    search = DANNGridSearchCV(small(), GRID, cv=2).fit(*domains)
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.predict(domains[2]), search.predict(domains[2]))


def test_refit_may_be_a_function(small, domains):
    search = DANNGridSearchCV(small(), GRID, cv=2, refit=lambda results: 2)
    search.fit(*domains)
    assert search.best_params_ == {"lambda_max": 1.0, "lr": 1e-3}
    assert not hasattr(search, "best_score_")


def test_frames_strings_and_sparse_matrices(small, domains):
    X, y, X_tgt = domains
    names = ["a", "b"]
    frame, frame_tgt = (pd.DataFrame(data, columns=names) for data in (X, X_tgt))
    words = pd.Series(np.array(["ill", "well"])[y], index=frame.index[::-1])
    search = DANNGridSearchCV(pipeline(small()), with_prefix(GRID), cv=2)
    search.fit(frame, words, frame_tgt)
    assert set(search.predict(frame_tgt)) <= {"ill", "well"}
    assert search.feature_names_in_.tolist() == names
    assert search.classes_.tolist() == ["ill", "well"]
    as_sparse = DANNGridSearchCV(small(), GRID, cv=2)
    as_sparse.fit(sparse.csr_matrix(X), y, sparse.csr_matrix(X_tgt))
    dense = DANNGridSearchCV(small(), GRID, cv=2).fit(X, y, X_tgt)
    assert means(as_sparse) == pytest.approx(means(dense))


def test_weights_and_known_target_labels_reach_the_fits(small, domains):
    X, y, X_tgt = domains
    extras = {
        "sample_weight": np.linspace(0.1, 2, 200),
        "y_tgt": np.where(np.arange(150) < 9, 1, -1),
    }
    folds = StratifiedKFold(2)
    search = DANNGridSearchCV(small(), GRID, cv=folds).fit(X, y, X_tgt, **extras)
    train, _ = next(folds.split(X, y))
    weight = extras["sample_weight"][train]
    clf = small(**search.cv_results_["params"][3])
    clf.fit(X[train], y[train], X_tgt, sample_weight=weight, y_tgt=extras["y_tgt"])
    expected = metrics.infomax_score(clf.predict_proba(X_tgt))
    assert search.cv_results_["split0_test_infomax"][3] == pytest.approx(expected)


def test_it_nests_in_cross_validation(routing, small, domains):
    X, y, X_tgt = domains
    search = DANNGridSearchCV(small(), {"lambda_max": [0.0, 1.0]}, cv=2)
    scores = cross_validate(search, X, y, params={"X_tgt": X_tgt}, cv=2)
    assert scores["test_score"].shape == (2,)


def test_the_bar_counts_fits(small, domains, capsys):
    DANNGridSearchCV(small(), GRID, cv=2, verbose=1).fit(*domains)
    assert "8/8" in capsys.readouterr().err


def test_errors_say_what_to_do(small, domains):
    X, y, X_tgt = domains
    with pytest.raises(ValueError, match="scores on the target"):
        DANNGridSearchCV(small(), GRID).fit(X, y)
    with pytest.raises(ValueError, match="must be a DANNClassifier or a DANNRegressor"):
        DANNGridSearchCV(
            make_pipeline(StandardScaler(), LogisticRegression()), GRID
        ).fit(X, y, X_tgt)
    with pytest.raises(ValueError, match="refit must name"):
        DANNGridSearchCV(small(), GRID, scoring=["infomax", "neg_dev"]).fit(X, y, X_tgt)
    with pytest.raises(ValueError, match="Invalid parameter 'lamda'"):
        DANNGridSearchCV(small(), {"lamda": [1]}).fit(X, y, X_tgt)
    with pytest.raises(ValueError, match="X_tgt has 1 columns"):
        DANNGridSearchCV(small(), GRID, cv=2).fit(X, y, X_tgt[:, :1])


def test_a_search_that_fails_is_left_as_it_was(small, domains):
    X, y, X_tgt = domains
    search = DANNGridSearchCV(small(), GRID, cv=2).fit(X, y, X_tgt)
    best = search.best_estimator_
    with pytest.raises(ValueError, match="fits failed"):
        search.fit(X, y, X_tgt[:, :1])
    assert search.best_estimator_ is best


class Undivided(TransformerMixin, BaseEstimator):
    """On a cluster, jobs of a job wait for places that the jobs themselves hold."""

    def fit(self, X, y=None):
        backend, _ = get_active_backend()
        if type(backend).__name__ != "SequentialBackend":
            raise RuntimeError(f"may divide its work by {backend}")
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_job_has_no_jobs_of_its_own(small, domains, backend):
    pipe = make_pipeline(Undivided(), small())
    grid = {"dannclassifier__lambda_max": [0, 1]}
    with parallel_config(backend):
        search = DANNGridSearchCV(pipe, grid, cv=2, n_jobs=2, refit=False)
        search.set_params(error_score="raise").fit(*domains)
