"""What goes wrong on one rank is told on all, at once; and all can go on."""

import functools

import falls
import fits
import numpy as np
import pytest
from ranks import values_of

from skdann import DANNClassifier


@functools.cache
def found():
    """Return what each of two ranks has found."""
    return values_of(2, falls.fit_and_fall)


def ends_of(name):
    return [of_rank[name][0] for of_rank in found()]


@pytest.mark.parametrize("name", falls.FALLS)
def test_after_a_fall_the_next_fit_is_as_ever(name):
    X, y, X_tgt = fits.make_data()
    expected = DANNClassifier(**fits.SMALL).fit(X, y, X_tgt).predict_proba(X_tgt)
    for of_rank in found():
        _, after, is_handler_restored = of_rank[name]
        np.testing.assert_allclose(after, expected, rtol=0, atol=1e-10)
        assert is_handler_restored


@pytest.mark.parametrize(
    ("name", "others", "own"),
    [
        (
            "fails after an epoch",
            (
                "RuntimeError",
                "Rank 1 could not call on_epoch_end of its callbacks. Key",
            ),
            ("KeyError", "the file of mine"),
        ),
        (
            "fails in a step",
            ("ConnectionError", "failed with an error of its own"),
            ("KeyError", "the file of mine"),
        ),
        (
            "diverges",
            ("DivergenceError", "Training diverged."),
            ("DivergenceError", "Training diverged."),
        ),
        ("Ctrl-C twice", ("ConnectionError", "Rank 0"), ("KeyboardInterrupt", "")),
        ("interrupts a step", ("ConnectionError", ""), ("KeyboardInterrupt", "")),
    ],
)
def test_a_failure_of_one_rank_is_an_error_on_all(name, others, own):
    for (kind, message, is_fitted), told in zip(
        ends_of(name), (others, own), strict=True
    ):
        assert (kind, is_fitted) == (told[0], False)
        assert told[1] in message


@pytest.mark.parametrize("name", ["Ctrl-C", "Ctrl-C on all", "stops"])
def test_who_stops_one_rank_stops_all_after_the_same_epoch(name):
    (n_epochs, P), (n_epochs_too, P_too) = ends_of(name)
    assert n_epochs == n_epochs_too == (2 if name == "stops" else 1)
    assert np.array_equal(P, P_too)


@pytest.mark.parametrize("name", ["rounds otherwise", "watches steps"])
def test_ranks_that_differ_in_little_stay_together(name):
    (n_epochs, P), (n_epochs_too, P_too) = ends_of(name)
    _, expected = ends_of("nothing")[0]
    assert n_epochs == n_epochs_too == 3
    assert np.array_equal(P, P_too)
    np.testing.assert_allclose(P, expected, rtol=0, atol=1e-10)
