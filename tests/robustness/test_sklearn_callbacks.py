"""Callbacks of scikit-learn hear of each epoch and candidate, and leave no trace."""

import pickle
import threading
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from skdann import DivergenceError
from skdann.model_selection import (
    DANNGridSearchCV,
    DANNRandomizedSearchCV,
    target_scorer,
)

pytest.importorskip("sklearn.callback")

from sklearn.callback import ProgressBar, ScoringMonitor

GRID = {"dann__lambda_max": [0.0, 1.0], "dann__lr": [1e-3, 1e-2]}


class Recorder:
    """Notes what it is told; ``react``, called with each note, may stop or raise."""

    def __init__(self, react=lambda event: None):
        self.events = []
        self.react = react

    def note(self, hook, context, **told):
        self.events.append({"hook": hook, "context": context, **told})
        return self.react(self.events[-1])

    def setup(self, estimator, context):
        self.note("setup", context)

    def teardown(self, estimator, context):
        self.note("teardown", context)

    def on_fit_task_begin(
        self, estimator, context, *, X, y, metadata, fitted_estimator
    ):
        told = {"X": X, "y": y, "metadata": metadata, "fitted": fitted_estimator}
        return self.note("begin", context, **told)

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        told = {"X": X, "y": y, "metadata": metadata, "fitted": fitted_estimator}
        return self.note("end", context, **told)

    def sequence(self):
        return [(e["hook"], e["context"].task_name) for e in self.events]

    def ends(self, task_name="epoch"):
        ended = [e for e in self.events if e["hook"] == "end"]
        return [e for e in ended if e["context"].task_name == task_name]


class EverywhereRecorder(Recorder):
    """One that meta-estimators hand on to the estimators in them."""

    max_propagation_depth = None


class At:
    """Does something at the n-th note of a kind."""

    def __init__(self, hook, task_name, n, action):
        self.wanted = hook, task_name
        self.left = n
        self.action = action

    def __call__(self, event):
        if (event["hook"], event["context"].task_name) != self.wanted:
            return None
        self.left -= 1
        return self.action() if self.left == 0 else None


def fail():
    raise RuntimeError("on purpose")


def interrupt():
    raise KeyboardInterrupt


def running_threads():
    # scikit-learn leaves daemons that wait for messages from other processes
    return [thread for thread in threading.enumerate() if not thread.daemon]


def in_pipeline(classifier):
    steps = [("scale", StandardScaler()), ("dann", classifier)]
    return Pipeline(steps, transform_input=["X_tgt"])


def trained_for(clf, n_epochs, domains):
    """Train epoch by epoch, which equals ``fit`` to the bit, and stop early."""
    clf = clone(clf).set_callbacks()
    for _ in range(n_epochs):
        clf.partial_fit(*domains, classes=[0, 1])
    return clf


def assert_same_predictions(clf, other, domains):
    X, _, X_tgt = domains
    assert np.array_equal(clf.predict_proba(X), other.predict_proba(X))
    assert np.array_equal(clf.transform(X), other.transform(X))
    assert np.array_equal(clf.predict_domain(X_tgt), other.predict_domain(X_tgt))


def test_each_epoch_is_a_task_of_the_fit(small, domains):
    recorder = Recorder()
    small().set_callbacks(recorder).fit(*domains)
    epoch = [("begin", "epoch"), ("end", "epoch")]
    assert recorder.sequence() == [
        ("setup", "fit"),
        ("begin", "fit"),
        *(3 * epoch),
        ("end", "fit"),
        ("teardown", "fit"),
    ]
    fit = recorder.events[0]["context"]
    assert (fit.estimator_name, fit.max_subtasks) == ("DANNClassifier", 3)
    assert [e["context"].task_id for e in recorder.ends()] == [0, 1, 2]
    assert all(e["context"].parent is fit for e in recorder.ends())


def test_callbacks_get_the_training_rows_as_they_were_given(small, domains):
    X, y, X_tgt = domains
    weight = np.ones(len(X))
    recorder = Recorder()
    clf = small().set_callbacks(recorder)
    clf.fit(X, y, X_tgt, sample_weight=weight)
    told = [e for e in recorder.events if "X" in e]
    assert len(told) == 8
    assert all(e["X"] is X and e["y"] is y for e in told)
    assert all(e["metadata"]["sample_weight"] is weight for e in told)
    recorder.events.clear()
    clf.fit(X, y, X_tgt)
    assert all(e["metadata"] is None for e in recorder.events if "X" in e)


def test_scores_of_all_epochs_are_logged_and_progress_is_shown(small, domains, capsys):
    X, y, X_tgt = domains
    monitor = ScoringMonitor(scoring="accuracy")
    clf = small().set_callbacks(ProgressBar(), monitor).fit(X, y, X_tgt)
    shown = capsys.readouterr().out
    assert "DANNClassifier - fit" in shown
    assert "100%" in shown
    rows = monitor.get_logs().data
    assert [row["task_name"] for row in rows] == ["fit", "epoch", "epoch", "epoch"]
    expected = [trained_for(clf, n, domains).score(X, y) for n in (3, 1, 2, 3)]
    assert [row["accuracy"] for row in rows] == expected


def test_scores_are_weighted_as_the_fit(small, domains):
    X, y, X_tgt = domains
    weight = np.where(y == 1, 3.0, 1.0)
    monitor = ScoringMonitor(scoring="accuracy")
    clf = small(max_epochs=1).set_callbacks(monitor)
    clf.fit(X, y, X_tgt, sample_weight=weight)
    expected = clf.score(X, y, sample_weight=weight)
    assert expected != clf.score(X, y)
    assert monitor.get_logs().data[-1]["accuracy"] == expected


def test_an_epochs_estimator_is_as_if_the_fit_had_stopped(small, domains):
    """Kept while training goes on; drawn masks would show in the predictions."""
    recorder = Recorder()
    clf = small(dropout=0.5).set_callbacks(recorder).fit(*domains)
    kept = [e["fitted"] for e in recorder.ends()]
    for n, fitted in enumerate(kept, start=1):
        assert fitted.n_iter_ == len(fitted.history_) == n
        assert_same_predictions(fitted, trained_for(clf, n, domains), domains)
    [finished] = [e["fitted"] for e in recorder.ends("fit")]
    clf.set_callbacks().partial_fit(*domains)
    assert_same_predictions(finished, kept[-1], domains)
    assert finished.n_iter_ == 3


def test_a_task_begins_with_what_the_last_one_left(small, domains):
    recorder = Recorder()
    small().set_callbacks(recorder).fit(*domains)
    begun = [e["fitted"] for e in recorder.events if e["hook"] == "begin"]
    ended = [e["fitted"] for e in recorder.ends()]
    assert begun[0] is None  # the fit: nothing is there yet
    assert [fitted.n_iter_ for fitted in begun[1:]] == [0, 1, 2]
    for at_begin, at_end in zip(begun[2:], ended[:2], strict=True):
        assert_same_predictions(at_begin, at_end, domains)


def test_a_kept_estimator_goes_on_where_the_epoch_ended(small, domains):
    recorder = Recorder()
    clf = small().set_callbacks(recorder).fit(*domains)
    middle = recorder.ends()[1]["fitted"].set_callbacks()
    middle.partial_fit(*domains)
    assert_same_predictions(middle, clf, domains)
    is_best = [est.history_[:, "train_loss_best"] for est in (middle, clf)]
    assert is_best[0] == is_best[1] == [True, True, True]


@pytest.mark.parametrize(
    "params",
    [{"dropout": 0.5}, {"feature_extractor": nn.Sequential(nn.Dropout(0.5))}],
    ids=["own generator", "torch's generator"],
)
def test_callbacks_change_no_bit(small, domains, params):
    watched = small(**params).set_callbacks(
        ProgressBar(), ScoringMonitor(scoring="roc_auc"), Recorder()
    )
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    watched.fit(*domains)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    alone = small(**params).fit(*domains)
    assert_same_predictions(watched, alone, domains)
    for name in ("train_loss", "domain_accuracy", "lambda", "lr"):
        assert watched.history_[:, name] == alone.history_[:, name]


class NotCopied(nn.Linear):
    """A layer that notices when it is copied."""

    def __init__(self, n_columns):
        super().__init__(n_columns, 4)

    def __deepcopy__(self, memo):
        raise RuntimeError("copied")


def test_nothing_is_copied_for_callbacks_that_ask_for_nothing(small, domains):
    class Counter(Recorder):
        def on_fit_task_begin(self, estimator, context):
            return None

        def on_fit_task_end(self, estimator, context):
            self.note("end", context)

    counter = Counter()
    small(feature_extractor=NotCopied).set_callbacks(counter, ProgressBar()).fit(
        *domains
    )
    assert len(counter.ends()) == 3
    with pytest.raises(RuntimeError, match="copied"):
        small(feature_extractor=NotCopied).set_callbacks(Recorder()).fit(*domains)


class Remembers(nn.Linear):
    """A layer that keeps its output, as networks do that explain themselves."""

    def __init__(self, n_columns):
        super().__init__(n_columns, 4)

    def forward(self, X):
        self.output = super().forward(X)
        return self.output


def test_a_network_that_keeps_its_activations_can_be_scored(small, domains):
    monitor = ScoringMonitor(scoring="accuracy")
    small(feature_extractor=Remembers).set_callbacks(monitor).fit(*domains)
    assert len(monitor.get_logs().data) == 4


def test_a_callback_stops_the_training(small, domains):
    class Hears(Callback):
        n_epochs = 0

        def on_epoch_end(self, net, **kwargs):
            self.n_epochs += 1

    of_skorch = Hears()
    recorder = Recorder(At("end", "epoch", 2, lambda: True))
    clf = small(callbacks=[of_skorch]).set_callbacks(recorder).fit(*domains)
    assert clf.n_iter_ == len(clf.history_) == of_skorch.n_epochs == 2
    assert recorder.sequence()[-3:] == [
        ("end", "epoch"),
        ("end", "fit"),
        ("teardown", "fit"),
    ]
    assert_same_predictions(clf, trained_for(small(), 2, domains), domains)


def test_callbacks_of_both_libraries_and_verbose_work_together(small, domains, capsys):
    recorder = Recorder()
    monitor = ScoringMonitor(scoring="accuracy")
    # no loss falls by so much: it stops after the second epoch
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10, sink=str)
    clf = small(callbacks=[stop], verbose=1)
    clf.set_callbacks(recorder, monitor, ProgressBar()).fit(*domains)
    shown = capsys.readouterr()
    assert "DANN 2/3" in shown.out + shown.err
    assert "DANNClassifier - fit" in shown.out
    assert clf.n_iter_ == 2
    assert [e["fitted"].n_iter_ for e in recorder.ends()] == [1, 2]
    assert [row["task_id"] for row in monitor.get_logs().data] == [0, 0, 1]
    assert_same_predictions(clf, trained_for(small(), 2, domains), domains)


def test_an_epoch_that_is_broken_off_ends_without_data(small, domains):
    class Interrupts(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    recorder = Recorder()
    monitor = ScoringMonitor(scoring="accuracy")
    clf = small(callbacks=[Interrupts()]).set_callbacks(recorder, monitor)
    clf.fit(*domains)
    assert clf.n_iter_ == 1
    first, second = recorder.ends()
    assert first["X"] is domains[0]
    assert second["X"] is second["fitted"] is None
    assert len(monitor.get_logs().data) == 2  # the first epoch and the fit


class Saver(Recorder):
    """Pickles the estimator at the end of each task, with itself in it."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.events.append(pickle.dumps(fitted_estimator))

    def __getstate__(self):
        return {}


def test_an_epochs_estimator_can_be_saved_during_training(small, domains):
    saver = Saver()
    clf = small(verbose=1).set_callbacks(saver).fit(*domains)
    saved = [pickle.loads(e) for e in saver.events if isinstance(e, bytes)]
    assert [fitted.n_iter_ for fitted in saved] == [1, 2, 3, 3]
    assert_same_predictions(saved[-1], clf, domains)


def test_a_fit_leaves_nothing_behind(small, domains):
    plain = small().fit(*domains)
    threads = running_threads()
    clf = small().set_callbacks(ProgressBar(), ScoringMonitor(scoring="accuracy"))
    clf.fit(*domains)
    assert running_threads() == threads
    assert vars(clf).keys() - vars(plain).keys() == {"_skl_callbacks"}
    assert vars(clf.net_).keys() == vars(plain.net_).keys()
    restored = pickle.loads(pickle.dumps(clf))
    assert_same_predictions(restored, clf, domains)
    restored.fit(*domains)
    assert clf.set_callbacks() is clf
    assert vars(clf).keys() == vars(plain).keys()


def test_a_clone_keeps_the_callbacks(small, domains):
    recorder = Recorder()
    clone(small().set_callbacks(recorder)).fit(*domains)
    assert len(recorder.ends()) == 3


def test_each_call_that_trains_is_a_fit_of_its_own(small, domains):
    recorder = Recorder()
    clf = small(warm_start=True).set_callbacks(recorder).fit(*domains)
    clf.set_params(max_epochs=2).fit(*domains)
    assert [e["fitted"].n_iter_ for e in recorder.ends()] == [1, 2, 3, 4, 5]
    planned = [e["context"].max_subtasks for e in recorder.ends("fit")]
    assert planned == [3, 2]
    recorder.events.clear()
    clf.partial_fit(*domains)
    [epoch] = recorder.ends()
    assert epoch["fitted"].n_iter_ == 6
    assert epoch["X"] is domains[0]


def shallow_state(estimator):
    return {name: id(value) for name, value in vars(estimator).items()}


FAILURES = {
    "setup": At("setup", "fit", 1, fail),
    "begin": At("begin", "fit", 1, fail),
    "epoch": At("end", "epoch", 2, fail),
    "end": At("end", "fit", 1, fail),
    "teardown": At("teardown", "fit", 1, fail),
}


@pytest.mark.parametrize("where", FAILURES)
@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_callback_that_fails_changes_nothing(small, domains, where, is_fitted):
    clf = small()
    if is_fitted:
        clf.set_params(warm_start=True).fit(*domains)
        predicted = clf.predict_proba(domains[0])
    clf.set_callbacks(ProgressBar(), Recorder(pickle_copy(FAILURES[where])))
    state, threads = shallow_state(clf), running_threads()
    with pytest.raises(RuntimeError, match="on purpose"):
        clf.fit(*domains)
    assert running_threads() == threads
    assert shallow_state(clf) == state
    if is_fitted and where in ("setup", "begin", "epoch"):
        assert np.array_equal(clf.predict_proba(domains[0]), predicted)
    clf.set_callbacks(ProgressBar()).fit(*domains)


def pickle_copy(value):
    return pickle.loads(pickle.dumps(value))


def test_training_that_fails_tears_callbacks_down(small, domains):
    recorder = Recorder()
    clf = small(lr=1e30).set_callbacks(ProgressBar(), recorder)
    state, threads = shallow_state(clf), running_threads()
    with pytest.raises(DivergenceError):
        clf.fit(*domains)
    assert recorder.sequence()[-1] == ("teardown", "fit")
    assert running_threads() == threads
    assert shallow_state(clf) == state


def test_divergence_is_named_before_a_score_fails_for_it(small, domains):
    params = {"optimizer": "sgd", "lr": 1e308, "weight_decay": 1e3}
    clf = small(batch_size=1000, max_epochs=1, **params)
    clf.set_callbacks(ScoringMonitor(scoring="roc_auc"))
    with pytest.raises(DivergenceError, match="Lower lr"):
        clf.fit(*domains)


def test_an_error_of_the_data_sets_nothing_up(small, domains):
    X, y, X_tgt = domains
    recorder = Recorder()
    with pytest.raises(ValueError, match="columns"):
        small().set_callbacks(recorder).fit(X, y, X_tgt[:, :1])
    assert not recorder.events


@pytest.mark.usefixtures("routing")
def test_a_pipeline_shows_the_epochs_under_its_last_step(small, domains, capsys):
    X, y, X_tgt = domains
    recorder = EverywhereRecorder()
    monitor = ScoringMonitor(scoring="accuracy")
    pipe = in_pipeline(small().set_callbacks(monitor))
    pipe.set_callbacks(ProgressBar(), recorder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe.fit(X, y, X_tgt=X_tgt)
    assert "fit-final-estimator | DANNClassifier - fit" in capsys.readouterr().out
    epochs = recorder.ends()
    assert len(epochs) == 3
    step = epochs[0]["context"].parent
    assert step.source_task_name == "fit-final-estimator"
    assert step.parent.estimator_name == "Pipeline"
    assert np.array_equal(epochs[0]["X"], pipe[0].transform(X))
    rows = monitor.get_logs().data
    assert [row["task_id_path"] for row in rows[1:]] == [(0, 1, i) for i in range(3)]
    assert rows[-1]["accuracy"] == pipe.score(X, y)
    assert not hasattr(pipe[-1], "_parent_callback_ctx")


@pytest.mark.usefixtures("routing")
@pytest.mark.usefixtures("quick_workers")
def test_stock_searches_show_the_epochs_of_their_jobs(small, domains, capsys):
    X, y, X_tgt = domains
    monitor = ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(
        in_pipeline(small().set_callbacks(monitor)),
        {"dann__lambda_max": [0.0, 1.0]},
        scoring=target_scorer("infomax"),
        cv=2,
        n_jobs=2,
    ).set_callbacks(ProgressBar(max_propagation_depth=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, y, X_tgt=X_tgt)
    assert "fit-final-estimator | DANNClassifier - fit" in capsys.readouterr().out
    rows = monitor.get_logs().data
    # 2 candidates on 2 folds, and the refit
    assert sum(row["task_name"] == "epoch" for row in rows) == 5 * 3
    assert sum(row["task_name"] == "fit" for row in rows) == 5


class Spreading(DANNGridSearchCV):
    """Takes what is left after the first task for long, and starts processes."""

    _start_up = 0.0


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize(
    ("search", "n_jobs"),
    [(DANNGridSearchCV, 1), (DANNGridSearchCV, 2), (Spreading, None)],
)
def test_our_searches_tell_of_each_candidate_on_each_fold(
    small, domains, capsys, search, n_jobs
):
    X, y, X_tgt = domains
    pipe = in_pipeline(small())
    monitor = ScoringMonitor(scoring="accuracy")
    cv = StratifiedKFold(2)
    search = search(pipe, GRID, cv=cv, n_jobs=n_jobs, max_stacked=2)
    alone = clone(search).fit(X, y, X_tgt)
    threads = running_threads()
    search.set_callbacks(ProgressBar(), monitor).fit(X, y, X_tgt)
    if n_jobs == 1:
        assert running_threads() == threads
    shown = capsys.readouterr().out
    assert f"{type(search).__name__} - search" in shown
    assert "refit-with-best-params | DANNClassifier - fit" in shown

    refit, *rows = monitor.get_logs().data
    assert {row["task_name"] for row in rows} == {"candidate-split-evaluation"}
    assert [row["task_id_path"] for row in rows] == [(0, 0, i) for i in range(8)]
    expected = []
    for params in search.cv_results_["params"]:
        _, scale, dann = (clone(pipe).set_params(**params), *clone(pipe))
        dann.set_params(**{k.removeprefix("dann__"): v for k, v in params.items()})
        for train, _ in cv.split(X, y):
            scale.fit(X[train])
            dann.fit(scale.transform(X[train]), y[train], scale.transform(X_tgt))
            expected.append(dann.score(scale.transform(X[train]), y[train]))
    assert [row["accuracy"] for row in rows] == expected
    assert refit["task_name"] == "refit-with-best-params"
    assert refit["accuracy"] == search.best_estimator_.score(X, y)
    assert np.array_equal(search.predict_proba(X), alone.predict_proba(X))


def test_seeds_are_tasks_of_their_own(small, domains):
    def own_score(search, X, y):
        return search.score(X, y)

    monitor = ScoringMonitor(scoring={"own": own_score, "accuracy": "accuracy"})
    search = DANNRandomizedSearchCV(
        small(),
        {"lambda_max": [0.0, 1.0]},
        n_iter=2,
        cv=2,
        n_seeds=2,
        refit=False,
        random_state=0,
    ).set_callbacks(monitor)
    search.fit(*domains)
    rows = monitor.get_logs().data
    assert [row["task_id_path"] for row in rows] == [(0, 0, i) for i in range(8)]
    assert all(row["own"] == row["accuracy"] for row in rows)
    assert search.refit is False  # the candidates predict all the same


def test_a_search_tells_of_epochs_of_the_refit_alone(small, domains):
    X, y, X_tgt = domains
    recorder = EverywhereRecorder()
    weight = np.full(len(X), 2.0)
    search = DANNGridSearchCV(in_pipeline(small()), GRID, cv=2)
    search.set_callbacks(recorder).fit(X, y, X_tgt, sample_weight=weight)
    epochs = recorder.ends()
    assert len(epochs) == 3
    refit = epochs[0]["context"].parent
    assert refit.source_task_name == "refit-with-best-params"
    assert refit.parent is recorder.events[0]["context"]
    members = recorder.ends("candidate-split-evaluation")
    assert len(members) == 8
    for member in members:
        assert len(member["X"]) == len(member["y"]) == len(X) / 2
        assert np.array_equal(member["metadata"]["sample_weight"], weight[:100])
        assert member["fitted"].predict(X_tgt).shape == (len(X_tgt),)
        assert member["context"].parent.max_subtasks == 8
    assert len({id(member["fitted"].best_estimator_) for member in members}) == 8
    begun = [name for hook, name in recorder.sequence() if hook == "begin"]
    ended = [name for hook, name in recorder.sequence() if hook == "end"]
    assert sorted(begun) == sorted(ended)
    assert not {"_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks"} & set(
        vars(search.best_estimator_[-1])
    )


def test_a_candidate_that_fails_ends_without_an_estimator(small, domains):
    recorder = Recorder()
    search = DANNGridSearchCV(small(), {"lambda_max": [0], "lr": [1e-3, 1e30]}, cv=2)
    with pytest.warns(FitFailedWarning, match="2 of 4 fits"):
        search.set_callbacks(recorder).fit(*domains)
    members = recorder.ends("candidate-split-evaluation")
    failed = {m["context"].task_id for m in members if m["fitted"] is None}
    assert failed == {2, 3}
    assert len(members) == 4


@pytest.mark.parametrize(
    "react",
    [
        At("begin", "search", 1, fail),
        At("end", "candidate-split-evaluation", 2, fail),
        At("end", "refit-with-best-params", 1, fail),
    ],
    ids=["search", "candidate", "refit"],
)
def test_a_search_that_fails_changes_nothing(small, domains, react):
    search = DANNGridSearchCV(small(), {"lambda_max": [0.0, 1.0]}, cv=2)
    search.set_callbacks(ProgressBar(), Recorder(react))
    state, threads = shallow_state(search), running_threads()
    with pytest.raises(RuntimeError, match="on purpose"):
        search.fit(*domains)
    assert running_threads() == threads
    assert shallow_state(search) == state


def test_an_interrupted_search_ends_its_tasks(small, domains):
    recorder = Recorder(At("begin", "candidate-split-evaluation", 3, interrupt))
    search = DANNGridSearchCV(
        small(), {"lambda_max": [0.0, 1.0]}, cv=2, max_stacked=1
    ).set_callbacks(recorder, ProgressBar())
    threads = running_threads()
    with pytest.warns(UserWarning, match="1 of 2 candidates"):
        search.fit(*domains)
    assert running_threads() == threads
    assert recorder.sequence()[-4:] == [
        ("begin", "refit-with-best-params"),
        ("end", "refit-with-best-params"),
        ("end", "fit"),
        ("teardown", "fit"),
    ]


def test_progress_bars_belong_on_the_search(small, domains, monkeypatch):
    monkeypatch.setattr(
        "skdann.model_selection._base_search.evaluate", lambda *args, **kwargs: fail()
    )
    inner = small().set_callbacks(ProgressBar())
    search = DANNGridSearchCV(in_pipeline(inner), GRID, cv=2)
    with pytest.raises(TypeError, match="Register them directly"):
        search.set_callbacks(ProgressBar()).fit(*domains)
