"""What a fit does step by step: schedules, warm starts, history and callbacks."""

import numpy as np
import pytest
import skorch.callbacks
import torch
from helpers import PLAIN
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, EarlyStopping

from skdann import AdaptationWarning, DANNClassifier, DivergenceError, schedules
from skdann._training._batches import Batch
from skdann._training._engine import Step
from skdann._training._epoch_means import EpochMeans


class Recorder(Callback):
    """Note lambda, the learning rate and dropout's masks at each step."""

    def __init__(self):
        self.lambdas, self.lrs, self.training = [], [], []

    def on_batch_end(self, net, **kwargs):
        self.lambdas.append(net.module_.gradient_reversal.lambda_)
        self.lrs.append(net.optimizer_.param_groups[0]["lr"])
        self.training.append([m.training for m in net.module_.modules()])


def test_schedules_step_per_iteration_over_the_planned_total(small, domains):
    recorder = Recorder()
    X, y, X_tgt = domains
    small(lambda_max=2, lr=0.05, max_epochs=5, callbacks=[recorder]).fit(X, y, X_tgt)
    n_steps = 5 * 4  # ceil(200 / 64) a pass
    progress = np.arange(n_steps) / n_steps
    expected = [2 * schedules.annealed_lambda(p) for p in progress]
    assert recorder.lambdas == pytest.approx(expected, abs=1e-12)
    expected = [0.05 * schedules.annealed_lr(p) for p in progress]
    assert recorder.lrs == pytest.approx(expected, abs=1e-12)


def test_a_batch_unpacks_into_rows_and_labels(small, domains):
    """As skorch's callbacks expect of it."""

    class Unpack(Callback):
        shapes = ()

        def on_batch_end(self, net, batch=None, **kwargs):
            X, y = batch
            self.shapes += ((tuple(X.shape), tuple(y.shape)),)

    unpack = Unpack()
    small(callbacks=[unpack], max_epochs=1).fit(*domains)
    assert set(unpack.shapes) == {((128, 2), (64,))}


class ThreadCounter(Callback):
    def on_batch_end(self, net, **kwargs):
        self.n_threads = torch.get_num_threads()


@pytest.mark.parametrize(("width", "expected"), [(16, 1), (2000, 2)])
def test_small_networks_use_one_thread_and_give_the_others_back(
    small, domains, two_threads, width, expected
):
    counter = ThreadCounter()
    small(hidden_layer_sizes=(width, width), max_epochs=1, callbacks=[counter]).fit(
        *domains
    )
    assert torch.get_num_threads() == 2
    assert counter.n_threads == expected
    with pytest.raises(DivergenceError):
        small(lr=1e20).fit(*domains)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("side", "expected"), [(8, 1), (32, 2)])
def test_a_convolution_is_small_on_small_images(
    small, domains, two_threads, side, expected
):
    counter = ThreadCounter()
    X = np.zeros((len(domains[1]), 1, side, side), np.float32)
    clf = small(
        feature_extractor=lambda: torch.nn.Conv2d(1, 32, 5, stride=4),
        max_epochs=1,
        callbacks=[counter],
    )
    with pytest.warns(ConvergenceWarning):  # blank images
        clf.fit(X, domains[1], X)
    assert counter.n_threads == expected


def test_watching_every_step_changes_nothing(small, domains):
    """Steps that nobody listens to take a shorter way, to the same within rounding."""
    watched, alone = (
        small(dropout=0.5, callbacks=callbacks).fit(*domains)
        for callbacks in ([Recorder()], None)
    )
    np.testing.assert_allclose(
        watched.predict_proba(domains[0]), alone.predict_proba(domains[0]), rtol=1e-10
    )
    for column in ("train_loss", "domain_accuracy", "lambda", "lr", "n_steps"):
        np.testing.assert_allclose(
            watched.history_[:, column], alone.history_[:, column], rtol=1e-10
        )


def test_schedules_by_name_and_by_function(small, domains):
    recorder = Recorder()
    X, y, X_tgt = domains
    small(
        lambda_schedule="linear",
        lr=0.05,
        lr_schedule=lambda p: 1 - p / 2,
        max_epochs=2,
        callbacks=[recorder],
    ).fit(X, y, X_tgt)
    assert recorder.lambdas == pytest.approx(np.arange(8) / 8)
    assert recorder.lrs == pytest.approx(0.05 * (1 - np.arange(8) / 16))


def test_progress_goes_on_over_a_warm_start(small, domains):
    recorder = Recorder()
    X, y, X_tgt = domains
    clf = small(
        lambda_schedule="linear", max_epochs=2, warm_start=True, callbacks=[recorder]
    )
    clf.fit(X, y, X_tgt).fit(X, y, X_tgt)
    first, second = np.arange(8) / 8, np.arange(8, 16) / 16
    assert recorder.lambdas == pytest.approx([*first, *second])
    assert clf.n_iter_ == len(clf.history_) == 4


@pytest.mark.parametrize("params", [{}, {"n_estimators": 3, "standardize": "domain"}])
def test_partial_fit_max_epochs_times_is_one_fit_to_the_bit(small, domains, params):
    X, y, X_tgt = domains
    whole = small(dropout=0.3, max_epochs=4, **params).fit(X, y, X_tgt)
    parts = small(dropout=0.3, max_epochs=4, **params)
    for _ in range(4):
        parts.partial_fit(X, y, X_tgt, classes=[0, 1])
    assert np.array_equal(whole.predict_proba(X_tgt), parts.predict_proba(X_tgt))
    assert whole.history_[:, "lambda"] == parts.history_[:, "lambda"]
    parts.partial_fit(X, y, X_tgt)
    assert parts.history_[-1, "lambda"] == pytest.approx(schedules.annealed_lambda(1))


def test_fit_starts_anew_without_warm_start(small, domains):
    clf = small().fit(*domains)
    once = clf.predict_proba(domains[0])
    assert np.array_equal(clf.fit(*domains).predict_proba(domains[0]), once)
    assert clf.n_iter_ == 3


def test_a_warm_start_takes_new_schedules_and_refuses_a_new_network(small, domains):
    clf = small(warm_start=True).fit(*domains)
    clf.set_params(lambda_max=0.5, lambda_schedule="constant").fit(*domains)
    assert clf.history_[-1, "lambda"] == 0.5
    before = clf.predict_proba(domains[0])
    clf.set_params(hidden_layer_sizes=(8,))
    with pytest.raises(ValueError, match="hidden_layer_sizes changed since"):
        clf.fit(*domains)
    assert np.array_equal(clf.predict_proba(domains[0]), before)


def test_layers_train_in_training_mode_and_predict_in_evaluation_mode(small, domains):
    recorder = Recorder()
    clf = small(dropout=0.5, callbacks=[recorder]).fit(*domains)
    assert all(all(modes) for modes in recorder.training)
    assert not any(module.training for module in clf.module_.modules())
    assert np.array_equal(clf.predict_proba(domains[0]), clf.predict_proba(domains[0]))


def test_weight_decay_pulls_the_weights_towards_zero(small, domains):
    free, pulled = (
        small(weight_decay=decay, max_epochs=60).fit(*domains) for decay in (0, 1)
    )
    norm, pulled_norm = (
        sum(weight.norm().item() for weight in clf.module_.parameters())
        for clf in (free, pulled)
    )
    assert pulled_norm < 0.9 * norm


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_momentum_reaches_the_optimizer(small, domains, optimizer):
    plain, heavy = (
        small(optimizer=optimizer, momentum=momentum).fit(*domains)
        for momentum in (0, 0.9)
    )
    assert not np.allclose(plain.transform(domains[0]), heavy.transform(domains[0]))


def test_dropout_changes_what_is_learned(small, domains):
    plain, dropped = (small(dropout=p).fit(*domains) for p in (0, 0.5))
    assert not np.allclose(
        plain.predict_proba(domains[0]), dropped.predict_proba(domains[0])
    )


def test_auto_epochs_give_small_data_steps_and_large_data_passes():
    X = np.random.default_rng(0).normal(size=(130, 2))
    for n_estimators, fewest in ((1, 1000), (2, 400), ("auto", 400)):
        clf = DANNClassifier(
            hidden_layer_sizes=4, lambda_max=0, n_estimators=n_estimators
        ).fit(X, X[:, 0] > 0)
        assert fewest <= clf.history_[-1, "n_steps"] < fewest + 3
    X = np.tile(X, (100, 1))
    clf = DANNClassifier(hidden_layer_sizes=4, lambda_max=0).fit(X, X[:, 0] > 0)
    assert clf.n_iter_ == 10


def test_history_holds_one_row_of_numbers_per_epoch(small, domains):
    clf = small(max_epochs=4).fit(*domains)
    assert clf.net_.history[:, "epoch"] == [1, 2, 3, 4]
    keys = "train_loss", "label_loss", "domain_loss", "domain_accuracy", "lambda", "lr"
    for key in (*keys, "dur", "n_steps"):
        assert np.isfinite(clf.history_[:, key]).all()
    assert clf.history_[:, "n_steps"] == [4, 8, 12, 16]
    total = np.add(clf.history_[:, "label_loss"], clf.history_[:, "domain_loss"])
    assert clf.history_[:, "train_loss"] == pytest.approx(total)


def test_history_without_a_target_speaks_of_no_domain(small, domains):
    X, y, _ = domains
    clf = small(lambda_max=0).fit(X, y)
    assert "domain_loss" not in clf.history_[-1]
    assert clf.history_[-1, "train_loss"] == clf.history_[-1, "label_loss"]


def test_recorded_loss_is_the_loss_of_the_data(small, domains):
    """One batch holds all rows, so the record can be computed from outside."""
    X, y, X_tgt = (rows[:60] for rows in domains)
    clf = small(max_epochs=1, dropout=0, lr=1e-12).fit(X, y, X_tgt)
    row = clf.history_[0]
    p = clf.predict_proba(X)[np.arange(60), y]
    assert row["label_loss"] == pytest.approx(-np.log(p).mean(), rel=1e-6)
    d, d_tgt = clf.predict_domain(X), clf.predict_domain(X_tgt)
    expected = -0.5 * (np.log(1 - d).mean() + np.log(d_tgt).mean())
    assert row["domain_loss"] == pytest.approx(expected, rel=1e-6)
    expected = 0.5 * ((d < 0.5).mean() + (d_tgt > 0.5).mean())
    assert row["domain_accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("held", [1, 9, 10**6])
@pytest.mark.parametrize("n_networks", [(), (3,)])
def test_means_do_not_depend_on_when_they_are_gathered(held, n_networks):
    generator = torch.Generator().manual_seed(0)
    domain = torch.tensor([0, 0, 1]).expand(*n_networks, 3)
    weight = torch.tensor([0.25, 0.25, 0.5]).expand(*n_networks, 3)
    losses = torch.rand(2, 10, *n_networks, generator=generator)
    logits = torch.randn(10, *n_networks, 3, generator=generator)
    means = EpochMeans()
    means.HELD_STEPS = held
    for label, total, d in zip(*losses, logits, strict=True):
        batch = Batch(None, None, None, domain, weight)
        means.add(Step({"label": label, "train": total}, d), batch)
    found = means.means()
    np.testing.assert_allclose(found["label"], losses[0].mean(0), rtol=1e-6)
    np.testing.assert_allclose(found["train"], losses[1].mean(0), rtol=1e-6)
    np.testing.assert_allclose(means.first_loss(), losses[1, 0], rtol=1e-6)
    right = torch.where(domain > 0, logits > 0, logits <= 0).float()
    expected = (right.mean(0) * weight).sum(-1)
    np.testing.assert_allclose(found["domain_accuracy"], expected, rtol=1e-6)


def test_early_stopping_of_skorch_stops(small, domains):
    stopper = EarlyStopping(monitor="train_loss", patience=2, threshold=10)
    clf = small(max_epochs=50, callbacks=[stopper]).fit(*domains)
    assert 2 <= clf.n_iter_ < 50
    assert clf.predict(domains[0]).shape == (200,)


def test_checkpoint_of_skorch_saves_the_best_weights(small, domains, tmp_path):
    checkpoint = skorch.callbacks.Checkpoint(
        monitor="train_loss_best", dirname=tmp_path, f_history=None
    )
    clf = small(callbacks=[checkpoint]).fit(*domains)
    assert (tmp_path / "params.pt").stat().st_size > 0
    before = clf.predict_proba(domains[0])
    clf.net_.load_params(checkpoint=checkpoint)
    clf.module_.eval()
    assert clf.predict_proba(domains[0]).shape == before.shape


def test_gradient_clipping_of_skorch_bounds_the_step(small, domains):
    clip = skorch.callbacks.GradientNormClipping(gradient_clip_value=1e-12)
    params = {"optimizer": "sgd", "weight_decay": 0, "momentum": 0}
    clipped = small(**params, callbacks=[clip]).fit(*domains)
    untrained = small(**params, lr=1e-300).fit(*domains)
    np.testing.assert_allclose(
        clipped.predict_proba(domains[0]), untrained.predict_proba(domains[0])
    )


def test_lr_scheduler_of_skorch_rules_a_constant_rate(small, domains):
    scheduler = skorch.callbacks.LRScheduler(policy="StepLR", step_size=1, gamma=0.1)
    clf = small(lr=0.1, lr_schedule="constant", callbacks=[scheduler]).fit(*domains)
    assert clf.history_[:, "lr"] == pytest.approx([0.1, 0.01, 0.001])


def test_epoch_scoring_of_skorch_scores_with_the_net(small, domains):
    X, y, X_tgt = domains

    def accuracy(net, *_):
        return float((net.predict_proba(X).argmax(axis=1) == y).mean())

    scoring = skorch.callbacks.EpochScoring(
        accuracy, name="source_accuracy", on_train=True, use_caching=False
    )
    clf = small(callbacks=[("scoring", scoring)], max_epochs=5).fit(X, y, X_tgt)
    assert clf.history_[-1, "source_accuracy"] == pytest.approx(clf.score(X, y))


def test_progress_bar_fits_in_a_terminal(small, domains, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    clf = small(verbose=1).fit(*domains)
    last = capsys.readouterr().err.split("\r")[-1].rstrip()
    assert len(last) <= 80
    row = clf.history_[-1]
    assert "DANN 3/3" in last
    assert last.endswith(
        f"label={row['label_loss']:.3f}, domain={row['domain_loss']:.3f}, "
        f"acc={row['domain_accuracy']:.2f}, lambda={row['lambda']:.2f}"
    )


def test_silence_is_the_default(small, domains, capsys):
    small().fit(*domains)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "sgd", "lr": 1e6},
        {"optimizer": "adamw", "lr": 1e6},
        {"optimizer": "adam", "lr": 1e30},
        {"optimizer": "sgd", "lr": 1e200, "max_epochs": 1},
    ],
)
def test_divergence_names_the_epoch_the_loss_and_what_to_lower(small, domains, params):
    clf = small(**{"max_epochs": 20, **params})
    with pytest.raises(DivergenceError, match=r"epoch \d+") as caught:
        clf.fit(*domains)
    assert f"Lower lr={params['lr']:g}" in str(caught.value)
    assert "loss" in str(caught.value) or "weights" in str(caught.value)
    assert not [name for name in vars(clf) if name.endswith("_")]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_continuation_leaves_the_estimator_as_it_was(small, domains, method):
    clf = small(warm_start=True).fit(*domains)
    twin = small(warm_start=True).fit(*domains)
    clf.set_params(lr=1e20)
    with pytest.raises(DivergenceError):
        getattr(clf, method)(*domains)
    clf.set_params(lr=twin.lr)
    assert clf.n_iter_ == len(clf.history_) == 3
    assert np.array_equal(clf.predict_proba(domains[0]), twin.predict_proba(domains[0]))
    # and goes on as if nothing had happened
    clf, twin = (getattr(c, method)(*domains) for c in (clf, twin))
    assert np.array_equal(clf.predict_proba(domains[0]), twin.predict_proba(domains[0]))


def spike(progress):
    """A learning rate that is far too high for a while."""
    return 1e9 if 0.4 < progress < 0.6 else 1.0


def test_restoring_goes_on_at_half_the_learning_rate(small, domains):
    X, y, X_tgt = domains
    params = {"lr": 10, "lr_schedule": lambda p: 1.0, "optimizer": "sgd"}
    params |= {"max_epochs": 10}
    with pytest.raises(DivergenceError):
        small(**params).fit(X, y, X_tgt)
    with pytest.warns(ConvergenceWarning, match="of the learning rate") as warned:
        clf = small(on_divergence="restore", **params).fit(X, y, X_tgt)
    assert {w.filename for w in warned} == {__file__}
    assert "diverged in epoch 1" in str(warned[0].message)
    assert "0.5 of the learning rate" in str(warned[0].message)
    rates = clf.history_[:, "lr"]
    assert rates == sorted(rates, reverse=True)
    n_halvings = sum("of the learning rate" in str(w.message) for w in warned)
    assert rates[-1] == 10 * 0.5**n_halvings
    assert clf.history_[:, "epoch"] == list(range(1, 11))
    assert clf.history_[:, "n_steps"] == list(range(4, 44, 4))
    assert np.isfinite(clf.predict_proba(X)).all()


def test_restored_epochs_are_as_if_they_had_been_trained_at_the_lower_rate(
    small, domains
):
    """What comes after a step back does not depend on how it went wrong."""
    late = {"optimizer": "sgd", "dropout": 0.3, "max_epochs": 6}
    calls = []

    def explode_once(progress):
        calls.append(progress)
        again = calls.count(progress) > 1
        return 1e30 if progress == pytest.approx(14 / 24) and not again else 1.0

    with pytest.warns(ConvergenceWarning, match="diverged in epoch 4"):
        clf = small(lr_schedule=explode_once, on_divergence="restore", **late).fit(
            *domains
        )
    half = small(lr_schedule=lambda p: 1.0 if p < 0.49 else 0.5, **late).fit(*domains)
    assert np.array_equal(clf.predict_proba(domains[0]), half.predict_proba(domains[0]))


def test_restoring_gives_up_after_ten_halvings(small, domains):
    clf = small(lr_schedule=spike, lr=1e6, on_divergence="restore", optimizer="sgd")
    with (
        pytest.warns(ConvergenceWarning) as warned,
        pytest.raises(DivergenceError, match="Lower lr=1e"),
    ):
        clf.fit(*domains)
    assert len(warned) == 10
    assert not [name for name in vars(clf) if name.endswith("_")]


def test_another_learning_rate_is_not_halved_for_what_the_last_one_did(small, domains):
    seen = []

    def explode_once(progress):
        seen.append(progress)
        return 1e30 if len(seen) == 6 + 3 else 1.0  # three calls check the schedule

    params = {"optimizer": "sgd", "lr": 0.01, "warm_start": True}
    clf = small(lr_schedule=explode_once, on_divergence="restore", **params)
    with pytest.warns(ConvergenceWarning, match="0.5 of the learning rate"):
        clf.fit(*domains)
    clf.fit(*domains)
    assert clf.history_[-1, "lr"] == 0.005  # the same is still too high
    clf.set_params(lr=0.02).fit(*domains)
    assert clf.history_[-1, "lr"] == 0.02


def test_a_last_step_that_breaks_the_weights_is_noticed_at_once(small, domains):
    """The loss of its epoch is still fine; one step back would not be enough later."""
    seen = []

    def last_step_of_epoch_two(progress):
        seen.append(progress)
        first = seen.count(progress) == 1
        return 1e12 if progress == pytest.approx(7 / 12) and first else 1.0

    with pytest.warns(ConvergenceWarning, match="diverged in epoch 2"):
        clf = small(
            lr_schedule=last_step_of_epoch_two, on_divergence="restore", optimizer="sgd"
        ).fit(*domains)
    assert clf.n_iter_ == 3


def test_a_sound_fit_is_the_same_with_restoring(small, domains):
    plain, careful = (
        small(dropout=0.3, on_divergence=how).fit(*domains)
        for how in ("raise", "restore")
    )
    assert np.array_equal(
        plain.predict_proba(domains[0]), careful.predict_proba(domains[0])
    )


class Full(torch.nn.Linear):
    """A layer for which there is no memory in training."""

    def forward(self, x):
        if self.training:
            torch.empty(2**60, dtype=torch.uint8)
        return super().forward(x)


def test_memory_that_does_not_suffice_names_what_to_lower(small, domains):
    clf = small(feature_extractor=lambda n_columns: Full(n_columns, 4))
    says = r"Lower the widths of its layers, .* or batch_size=128"
    with pytest.raises(MemoryError, match=says):
        clf.fit(*domains)
    assert not [name for name in vars(clf) if name.endswith("_")]


def test_a_network_that_does_not_fit_in_memory_says_so(small, domains):
    with pytest.raises(MemoryError, match="Lower the widths of its layers"):
        small(feature_extractor=lambda n: torch.nn.Linear(n, 2**60)).fit(*domains)
    with pytest.raises(ValueError, match="each below"):
        small(hidden_layer_sizes=(10**12,)).fit(*domains)


@pytest.mark.parametrize("params", [{"lr": 1e200}, {"weight_decay": 1e300}])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_finite_weights_that_predict_nothing_finite_have_diverged(
    small, domains, params, early_stopping
):
    clf = small(max_epochs=1, early_stopping=early_stopping, **params)
    with pytest.raises(DivergenceError, match="Lower lr"):
        clf.fit(*domains)


@pytest.mark.filterwarnings("default:The network")
def test_a_network_that_calls_all_the_target_the_same_warns(domains):
    X, y, X_tgt = domains
    clf = DANNClassifier(**PLAIN, lambda_max=0, max_epochs=20, random_state=0)
    with pytest.warns(AdaptationWarning, match=r"for every row of the target") as seen:
        clf.fit(X, y, X_tgt)
    assert seen[0].filename == __file__


@pytest.mark.filterwarnings("default:The network")
def test_a_network_that_has_learned_nothing_warns(domains):
    X, y, X_tgt = domains
    clf = DANNClassifier(**PLAIN, lr=1e-12, max_epochs=1, random_state=3)
    with pytest.warns(
        ConvergenceWarning, match=r"it predicts \d for every row of the s"
    ):
        clf.fit(X + 9, y, X_tgt + 9)


@pytest.mark.filterwarnings("error:The network")
def test_nine_in_ten_of_one_class_may_all_be_called_so(domains):
    _, y, _ = domains
    rare = np.flatnonzero(y == 0)[:10]
    rows = np.r_[rare, np.flatnonzero(y == 1)]
    noise = np.random.default_rng(0).normal(size=(len(rows), 2))
    clf = DANNClassifier(max_epochs=2, random_state=0).fit(noise, y[rows], noise)
    assert set(clf.predict(noise)) == {1}


def test_ctrl_c_leaves_an_estimator_that_predicts(small, domains):
    class CtrlC(Callback):
        def on_batch_end(self, net, **kwargs):
            if net.n_steps_ == 6:
                raise KeyboardInterrupt

    clf = small(max_epochs=5, callbacks=[CtrlC()]).fit(*domains)
    assert clf.n_iter_ == len(clf.history_[:, "train_loss"]) == 1
    assert np.isfinite(clf.predict_proba(domains[0])).all()
