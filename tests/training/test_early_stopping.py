"""Early stopping looks at the target without labels, once lambda has risen."""

import numpy as np
import pytest
from helpers import PLAIN
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from skorch.callbacks import Callback

from skdann import DANNClassifier
from skdann.datasets import make_shifted_moons
from skdann.metrics import infomax_score, neg_entropy_score
from skdann.model_selection import DANNGridSearchCV, target_scorer


def stopping(small, **params):
    return small(
        **{"early_stopping": True, "max_epochs": 40, "n_iter_no_change": 3, **params}
    )


def seen_by(score):
    """Return a scoring that scripts the scores, and keeps what it was shown."""
    shown = []

    def scoring(estimator, X, y, X_tgt):
        shown.append((estimator.predict_proba(X_tgt), X, y, X_tgt))
        return score(len(shown))

    return scoring, shown


def test_it_stops_after_epochs_without_a_better_score(small, domains):
    scoring, shown = seen_by(lambda epoch: -abs(epoch - 25))
    clf = stopping(small, scoring=scoring).fit(*domains)
    assert clf.n_iter_ == len(shown) == 25 + 3
    assert [row["validation_score_best"] for row in clf.history_].index(True) == 20
    best = [row["epoch"] for row in clf.history_ if row["validation_score_best"]]
    assert best == [21, 22, 23, 24, 25]


def test_the_best_epoch_is_put_back(small, domains):
    scoring, shown = seen_by(lambda epoch: -abs(epoch - 25))
    clf = stopping(small, scoring=scoring).fit(*domains)
    P, *_, X_tgt = shown[24]
    assert np.array_equal(clf.predict_proba(X_tgt), P)
    assert not np.array_equal(shown[-1][0], P)


def test_what_came_before_lambda_had_risen_does_not_count(small, domains):
    scoring, _ = seen_by(lambda epoch: 100 - epoch)
    clf = stopping(small, scoring=scoring).fit(*domains)
    assert clf.n_iter_ == 21 + 3  # progress is over a half at the end of epoch 21
    assert sum(clf.history_[:, "validation_score_best"]) == 1


def test_an_epoch_that_forgot_the_source_is_not_the_best(small, domains):
    """The score praises what does badly on the source, and late steps are wild."""

    def forgetful(estimator, X, y, X_tgt):
        return 1 - accuracy_score(y, estimator.predict(X))

    params = {"max_epochs": 60, "n_iter_no_change": 60, "lr": 0.01}
    params |= {"lr_schedule": lambda p: 1 if p < 0.7 else 100, "optimizer": "sgd"}
    clf = stopping(small, scoring=forgetful, **params).fit(*domains)
    known = np.maximum.accumulate(clf.history_[:, "validation_accuracy"])
    lost = known - clf.history_[:, "validation_accuracy"]
    is_best = np.array(clf.history_[:, "validation_score_best"])
    assert lost[31:].max() > 0.1  # it could have been led astray
    assert lost[is_best].max() < 0.05 + 1e-9
    assert clf.score(*domains[:2]) > known[-1] - 0.1


def test_scores_are_of_rows_held_out_in_proportion(small, domains):
    X, y, X_tgt = domains
    scoring, shown = seen_by(lambda epoch: 0)
    stopping(small, scoring=scoring, validation_fraction=0.25).fit(X, y, X_tgt)
    _, X_val, y_val, rows = shown[0]
    assert len(X_val) == 50
    assert abs(y_val.mean() - y.mean()) < 0.02
    assert np.array_equal(rows, X_tgt)
    for other in shown[1:]:
        assert np.array_equal(other[1], X_val)


class Batches(Callback):
    def on_train_begin(self, net, **kwargs):
        self.rows = set()

    def on_batch_begin(self, net, batch, **kwargs):
        self.rows |= {row.tobytes() for row in batch.X[: batch.n_labelled].numpy()}


def test_of_large_data_a_part_of_the_held_out_rows_is_scored(small):
    scoring, shown = seen_by(lambda epoch: 0.0)
    X = np.random.default_rng(0).random((25_000, 2), dtype="f4")
    y = np.arange(25_000) % 2
    clf = small(early_stopping=True, scoring=scoring, validation_fraction=0.9)
    clf.set_params(max_epochs=1, batch_size=1000).fit(X, y, X[:100] + 0.1)
    _, rows, labels, rows_tgt = shown[0]
    assert len(rows) == len(labels) == 20_000
    assert labels.mean() == pytest.approx(0.5, abs=0.02)
    assert len(rows_tgt) == 100


def test_held_out_rows_are_never_trained_on(small, domains):
    scoring, shown = seen_by(lambda epoch: 0)
    batches = Batches()
    stopping(small, scoring=scoring, callbacks=[batches]).fit(*domains)
    held_out = {row.tobytes() for row in shown[0][1]}
    assert len(held_out) == 20
    assert len(batches.rows) == 180
    assert not held_out & batches.rows


def test_progress_keeps_the_planned_total(small, domains):
    scoring, _ = seen_by(lambda epoch: -epoch)
    clf = stopping(small, scoring=scoring, lambda_schedule="linear").fit(*domains)
    n_steps = -(-180 // 64)
    assert clf.history_[-1]["lambda"] == pytest.approx((24 * n_steps - 1) / (40 * 3))


@pytest.mark.parametrize(
    ("name", "score"), [("infomax", infomax_score), ("neg_entropy", neg_entropy_score)]
)
def test_scores_by_name(small, domains, name, score):
    X, y, X_tgt = domains
    clf = stopping(small, scoring=name, n_iter_no_change=40).fit(X, y, X_tgt)
    best = [row for row in clf.history_ if row["validation_score_best"]][-1]
    assert score(clf.predict_proba(X_tgt)) == pytest.approx(best["validation_score"])


@pytest.mark.parametrize("name", ["nuclear_norm", "neg_iwv", "neg_dev", "neg_devn"])
def test_every_score_works(small, domains, name):
    clf = stopping(small, scoring=name, max_epochs=4).fit(*domains)
    assert np.isfinite(clf.history_[:, "validation_score"]).all()


def test_target_scorer_is_a_scoring(small, domains):
    by_name = stopping(small, scoring="infomax").fit(*domains)
    made = stopping(small, scoring=target_scorer("infomax")).fit(*domains)
    key = "validation_score"
    assert by_name.history_[:, key] == made.history_[:, key]


def test_without_a_target_it_is_the_accuracy_on_held_out_rows(small, domains):
    X, y, _ = domains
    clf = stopping(small, lambda_max=0).fit(X, y)
    for row in clf.history_:
        assert row["validation_score"] == row["validation_accuracy"]
        assert row["validation_score"] * 20 == pytest.approx(
            round(row["validation_score"] * 20)
        )


@pytest.mark.parametrize("container", [sparse.csr_array, np.float32])
def test_containers_and_labels(small, domains, container):
    X, y, X_tgt = domains
    labels = np.array(["ill", "well"])[y]
    clf = stopping(small, max_epochs=4)
    clf.fit(container(X), labels, container(X_tgt), sample_weight=np.ones(len(y)))
    assert 0 <= clf.history_[-1]["validation_accuracy"] <= 1
    assert set(clf.predict(X)) <= {"ill", "well"}


def test_two_fits_with_one_seed_are_equal(small, domains):
    clf = stopping(small, dropout=0.3)
    one, other = (clone(clf).fit(*domains) for _ in range(2))
    assert one.n_iter_ == other.n_iter_
    assert np.array_equal(
        one.predict_proba(domains[0]), other.predict_proba(domains[0])
    )


def test_a_warm_start_stops_early_again(small, domains):
    clf = stopping(small, warm_start=True).fit(*domains)
    n_epochs = clf.n_iter_
    clf.fit(*domains)
    assert n_epochs < clf.n_iter_ <= n_epochs + 40
    best = [row["epoch"] for row in clf.history_ if row["validation_score_best"]]
    assert best[-1] > n_epochs


def test_a_warm_start_on_other_data_forgets_what_the_source_was(small, domains):
    X, y, X_tgt = domains
    scoring, _ = seen_by(lambda epoch: epoch)  # always better
    clf = stopping(small, warm_start=True, scoring=scoring, max_epochs=20)
    clf.fit(X, y, X_tgt)
    flipped = np.where(np.random.default_rng(0).random(len(y)) < 0.4, 1 - y, y)
    clf.fit(X, flipped, X_tgt)
    assert clf.n_iter_ == 40
    assert clf.history_[-1, "validation_score_best"]


def test_searches_stop_their_candidates_early(small, domains):
    X, y, X_tgt = domains
    clf = stopping(small, scoring=seen_by(lambda epoch: 0)[0])
    search = DANNGridSearchCV(clf, {"lambda_max": [0, 1]}, cv=2).fit(X, y, X_tgt)
    assert search.best_estimator_.n_iter_ == 21 + 3
    alone = clone(search.best_estimator_).fit(X, y, X_tgt)
    assert np.array_equal(alone.predict_proba(X), search.predict_proba(X))


def test_a_class_of_one_row_can_not_be_divided(small, domains):
    X, y, X_tgt = domains
    y = y.copy()
    y[0] = 2
    with pytest.raises(ValueError, match=r"can't hold back validation_fraction=0\.1"):
        stopping(small).fit(X, y, X_tgt)


def test_partial_fit_refuses(small, domains):
    X, y, X_tgt = domains
    with pytest.raises(ValueError, match="partial_fit trains for one epoch"):
        stopping(small).partial_fit(X, y, X_tgt, classes=[0, 1])


def test_an_error_in_the_scoring_leaves_things_as_they_were(small, domains):
    def broken(estimator, X, y, X_tgt):
        raise RuntimeError("no score today")

    clf = stopping(small, scoring=broken)
    with pytest.raises(RuntimeError, match="no score today"):
        clf.fit(*domains)
    assert not [name for name in vars(clf) if name.endswith("_")]


def test_it_keeps_an_adapted_network():
    X, y, X_tgt, y_tgt = make_shifted_moons(random_state=0)
    clf = DANNClassifier(**PLAIN, early_stopping=True, random_state=0).fit(X, y, X_tgt)
    alone = clone(clf).set_params(lambda_max=0).fit(X, y, X_tgt)
    assert clf.score(X_tgt, y_tgt) > alone.score(X_tgt, y_tgt) + 0.03


def test_a_callback_of_the_user_that_stops_keeps_the_best_epoch(small, domains):
    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 27:
                raise KeyboardInterrupt

    scoring, shown = seen_by(lambda epoch: -abs(epoch - 23))
    clf = stopping(small, scoring=scoring, n_iter_no_change=40, callbacks=[Stop()])
    clf.fit(*domains)
    assert clf.n_iter_ == 27
    P, *_, X_tgt = shown[22]
    assert np.array_equal(clf.predict_proba(X_tgt), P)


def test_ctrl_c_leaves_the_last_whole_epoch(small, domains):
    shown = []

    def scoring(estimator, X, y, X_tgt):
        shown.append(estimator.predict_proba(X_tgt))
        if len(shown) == 27:
            raise KeyboardInterrupt
        return -len(shown)

    clf = stopping(small, scoring=scoring, n_iter_no_change=40).fit(*domains)
    assert clf.n_iter_ == 27
    assert np.array_equal(clf.predict_proba(domains[2]), shown[26])


@pytest.mark.parametrize("interrupted", [22, 27])
def test_an_interrupt_while_an_epoch_is_scored_is_resumed(
    small, domains, tmp_path, interrupted
):
    """The best epoch and its weights belong together in the checkpoint."""
    state = {"calls": 0, "armed": True}

    def scoring(estimator, X, y, X_tgt):
        state["calls"] += 1
        if state["armed"] and estimator.n_iter_ == interrupted:
            state["armed"] = False
            raise KeyboardInterrupt
        return -abs(estimator.n_iter_ - 25)

    params = {"scoring": scoring, "checkpoint_interval": 1, "dropout": 0.3}
    path = tmp_path / "run.skdann"
    stopping(small, checkpoint=path, **params).fit(*domains)
    resumed = stopping(small, checkpoint=path, **params).fit(*domains, resume=True)
    whole = stopping(small, **params).fit(*domains)
    assert resumed.n_iter_ == whole.n_iter_ == 28
    p, q = resumed.predict_proba(domains[2]), whole.predict_proba(domains[2])
    assert np.array_equal(p, q)


@pytest.mark.parametrize("nonsense", [np.nan, np.inf, -np.inf])
def test_an_epoch_whose_score_is_not_finite_is_never_the_best(small, domains, nonsense):
    finite = {21: 0.1, 24: 0.3, 25: 0.2}
    scoring, shown = seen_by(lambda epoch: finite.get(epoch, nonsense))
    clf = stopping(small, scoring=scoring).fit(*domains)
    best = [row["epoch"] for row in clf.history_ if row["validation_score_best"]]
    assert best == [21, 24]
    assert clf.n_iter_ == 24 + 3
    P, *_, X_tgt = shown[23]
    assert np.array_equal(clf.predict_proba(X_tgt), P)


@pytest.mark.parametrize("nonsense", [np.nan, np.inf])
def test_no_finite_score_at_all_is_an_error(small, domains, nonsense):
    scoring, _ = seen_by(lambda epoch: nonsense if epoch > 2 else 1.0)
    clf = stopping(small, max_epochs=4, scoring=scoring)
    with pytest.raises(ValueError, match="scoring returned no finite number"):
        clf.fit(*domains)
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize("nonsense", [None, "x", [1.0], 1j, np.ones(2)], ids=repr)
def test_a_score_must_be_a_number(small, domains, nonsense):
    clf = stopping(small, scoring=lambda *args: nonsense)
    with pytest.raises(ValueError, match=r"scoring returns .* must be one real number"):
        clf.fit(*domains)
    assert not hasattr(clf, "net_")
