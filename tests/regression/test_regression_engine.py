"""Numbers, too, are learned by hand as by autograd."""

import numpy as np
import pytest
import torch
from scipy import sparse

from skdann import DANNRegressor
from skdann._multi_fit import fit_many, validate_many
from skdann.nn._loss_gradients import LABEL_GRADIENTS
from skdann.nn._losses import LABEL_LOSSES, RESPONSE_LOSSES

RNG = np.random.default_rng(0)
X, X_TGT = RNG.normal(size=(90, 6)), RNG.normal(size=(70, 6)) + 0.5
Y = 30 + 4 * X[:, 0] - X[:, 1] ** 2
TWO = np.stack([Y, 7 - X[:, 2]], axis=1)
KNOWN = np.where(np.arange(70) < 9, 30 + 4 * X_TGT[:, 0], np.nan)


def new(**params):
    return DANNRegressor(
        **{
            "hidden_layer_sizes": (12, 8),
            "domain_hidden_layer_sizes": (9,),
            "dropout": 0.3,
            "max_epochs": 8,
            "random_state": 0,
            "n_estimators": 2,
            "lr": 1e-2,
            "standardize": "source",
            **params,
        }
    )


def assert_alike(one, other):
    P, Q = one.predict(X_TGT), other.predict(X_TGT)
    assert P.std() > 0.1
    np.testing.assert_allclose(P, Q, rtol=0, atol=1e-10 * Y.std())
    for row, expected in zip(one.history_, other.history_, strict=True):
        for name, value in row.items():
            if isinstance(value, float) and name != "dur":
                assert value == pytest.approx(expected[name], abs=1e-10), name


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("loss", RESPONSE_LOSSES)
def test_the_gradient_of_each_loss(loss, is_weighted, n_outputs):
    draw = torch.Generator().manual_seed(0)
    make = {"generator": draw, "dtype": torch.float64}
    outputs = 2 * torch.randn(2, 8, n_outputs, **make)
    y, weight = torch.randn(2, 8, n_outputs, **make), torch.rand(2, 8, **make)
    weight = weight if is_weighted else None
    share = 1 / 8 if weight is None else weight.unsqueeze(-1) / 8
    found = LABEL_GRADIENTS[loss](outputs, y, share, torch.empty_like(outputs))
    outputs.requires_grad_()
    LABEL_LOSSES[loss](outputs, y, weight).sum().backward()
    torch.testing.assert_close(found, outputs.grad, rtol=1e-12, atol=0)


WEIGHTS = {
    "sample_weight": np.linspace(0, 2, 90),
    "sample_weight_tgt": np.linspace(0.1, 3, 70),
}
CASES = {
    "one output": ({}, Y, {}),
    "scales of its choice": ({"standardize": "auto"}, Y, {}),
    "two outputs": ({}, TWO, {}),
    "one network": ({"n_estimators": 1}, TWO, {}),
    "absolute error": ({"loss": "absolute_error", "optimizer": "sgd"}, TWO, {}),
    "huber": ({"loss": "huber"}, Y, {}),
    "weights": ({}, TWO, WEIGHTS),
    "known numbers": ({}, Y, {"y_tgt": KNOWN}),
    "all of it": ({"standardize": "domain"}, Y, {"y_tgt": KNOWN, **WEIGHTS}),
    "early stopping": ({"early_stopping": True}, Y, {}),
    "restarts": ({"on_divergence": "restore"}, Y, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fit_of_each_kind(case, by_autograd):
    params, y, given = CASES[case]
    one, other = new(**params).fit(X, y, X_TGT, **given), new(**params)
    by_autograd(lambda: other.fit(X, y, X_TGT, **given))
    assert_alike(one, other)


def test_sparse_rows(by_autograd):
    data = sparse.csr_matrix(X), Y, sparse.csr_matrix(X_TGT)
    one, other = new(standardize=None).fit(*data), new(standardize=None)
    by_autograd(lambda: other.fit(*data))
    assert_alike(one, other)


@pytest.mark.parametrize("given", [{}, {"y_tgt": KNOWN}])
def test_a_stack_is_each_of_its_fits(by_autograd, given):
    grid = [{}, {"lambda_max": 0.0}, {"lr": 3e-3, "dropout": 0.1}, {"random_state": 1}]
    grid += [{"loss": "huber"}, {"max_epochs": 5}, {"standardize": "auto"}]
    of_each = [new(**params) for params in grid]
    errors = fit_many(of_each, validate_many(of_each, X, Y, X_TGT, **given))
    assert errors == [None] * len(grid)
    for params, fitted in zip(grid, of_each, strict=True):
        alone = new(**params)
        by_autograd(lambda alone=alone: alone.fit(X, Y, X_TGT, **given))
        np.testing.assert_allclose(
            fitted.predict(X_TGT), alone.predict(X_TGT), atol=1e-9
        )
