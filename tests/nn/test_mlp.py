"""Dropout of our own: torch's in all but where it draws from."""

import pytest
import torch

from skdann.nn._mlp import Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_zeroes_a_share_and_keeps_the_mean(p):
    layer = Dropout(p)
    layer.generator = torch.Generator().manual_seed(0)
    out = layer(torch.ones(100_000))
    assert (out == 0).double().mean().item() == pytest.approx(p, abs=0.01)
    torch.testing.assert_close(out[out > 0], torch.full_like(out[out > 0], 1 / (1 - p)))


def test_dropout_is_the_identity_in_evaluation():
    x = torch.arange(5.0)
    assert torch.equal(Dropout(0.5).eval()(x), x)


@pytest.mark.parametrize(("p", "share"), [(1e-9, 0.0), (1 - 1e-9, 1.0)])
def test_extreme_probabilities_drop_next_to_nothing_or_all(p, share):
    out = Dropout(p)(torch.ones(100_000))
    assert (out == 0).double().mean().item() == pytest.approx(share, abs=0.001)
