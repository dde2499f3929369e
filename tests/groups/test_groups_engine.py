"""Groups are told apart alike by autograd, by hand, in stacks and alone."""

import numpy as np
import pytest
from scipy import sparse

from skdann import DANNClassifier, DANNRegressor
from skdann._multi_fit import fit_many, validate_many

RNG = np.random.default_rng(0)
N, N_TGT = 150, 110
GROUPS = np.array(["a", "b", "c"])[np.minimum(RNG.integers(0, 6, N), 2)]
GROUPS_TGT = 2020 + RNG.integers(0, 2, N_TGT)
Y = RNG.integers(0, 2, N)
X, X_TGT = RNG.normal(size=(N, 6)), RNG.normal(size=(N_TGT, 6)) + 0.5
X[:, 0] += Y / 2
X[GROUPS == "c"] += 0.7
X_TGT[GROUPS_TGT == 2020, 1] -= 0.5
BOTH = {"groups": GROUPS, "groups_tgt": GROUPS_TGT}
KNOWN = np.where(np.arange(N_TGT) < 9, np.arange(N_TGT) % 2, -1)
WEIGHTS = {
    "sample_weight": np.linspace(0, 2, N),
    "sample_weight_tgt": np.linspace(0, 3, N_TGT),
}


def new(kind=DANNClassifier, **params):
    if kind is DANNClassifier:
        params = {"target_prior": None, **params}
    return kind(
        **{
            "domain_classes": "groups",
            "hidden_layer_sizes": (12, 8),
            "domain_hidden_layer_sizes": (9,),
            "dropout": 0.3,
            "max_epochs": 6,
            "random_state": 0,
            "n_estimators": 2,
            "lr": 1e-2,
            "standardize": "source",
            **params,
        }
    )


def assert_alike(one, other, tolerance=1e-10):
    for method in ("transform", "predict_domain"):
        P, Q = (getattr(clf, method)(X_TGT) for clf in (one, other))
        assert P.std() > 1e-4
        np.testing.assert_allclose(P, Q, rtol=0, atol=tolerance)
    if one.domain_classes == "groups":
        P = one.predict_groups(X_TGT)
        np.testing.assert_allclose(P, other.predict_groups(X_TGT), atol=tolerance)
    for row, expected in zip(one.history_, other.history_, strict=True):
        for name, value in row.items():
            if isinstance(value, float) and name != "dur":
                assert value == pytest.approx(expected[name], abs=tolerance), name


SETTINGS = {
    "one network": {"n_estimators": 1},
    "as it comes": {"standardize": None},
    "estimates": {"standardize": "auto", "target_prior": "estimate"},
    "each domain's scale": {"standardize": "domain"},
    "known proportions": {"target_prior": [0.3, 0.7], "standardize": "pooled"},
    "class confusion": {"class_confusion": 0.4},
    "a linear head": {"domain_hidden_layer_sizes": ()},
    "small batches": {"batch_size": 6},
    "large batches": {"batch_size": 10_000},
    "early stopping": {"early_stopping": True},
    "restarts": {"on_divergence": "restore"},
    "no adversary": {"lambda_max": 0.0},
    "momentum": {"optimizer": "sgd", "lr": 0.1},
}
DATA = {
    "both": BOTH,
    "groups of the source alone": {"groups": GROUPS},
    "groups of the target alone": {"groups_tgt": GROUPS_TGT},
    "one group each": {"groups": ["a"] * N, "groups_tgt": ["a"] * N_TGT},
    "known labels": {**BOTH, "y_tgt": KNOWN},
    "weights": {**BOTH, **WEIGHTS},
    "weights and known labels": {**BOTH, **WEIGHTS, "y_tgt": KNOWN},
}
CASES = [(name, params, BOTH) for name, params in SETTINGS.items()]
CASES += [(name, {"class_confusion": 0.2}, given) for name, given in DATA.items()]


@pytest.mark.parametrize(
    ("params", "given"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_fit_by_hand_is_one_by_autograd(by_autograd, params, given):
    one, other = new(**params), new(**params)
    one.fit(X, Y, X_TGT, **given)
    by_autograd(lambda: other.fit(X, Y, X_TGT, **given))
    assert_alike(one, other)


def test_numbers_are_learned_alike(by_autograd):
    one, other = new(DANNRegressor), new(DANNRegressor)
    one.fit(X, X[:, 1] ** 2, X_TGT, **BOTH, **WEIGHTS)
    by_autograd(lambda: other.fit(X, X[:, 1] ** 2, X_TGT, **BOTH, **WEIGHTS))
    assert_alike(one, other)


@pytest.mark.parametrize("engine", ["by hand", "by autograd"])
def test_sparse_rows_are_as_dense_ones(by_autograd, engine):
    train = (lambda f: f()) if engine == "by hand" else by_autograd
    one, other = (new(standardize=None) for _ in range(2))
    rows = [np.where(np.abs(data) > 1, data, 0) for data in (X, X_TGT)]
    one.fit(rows[0], Y, rows[1], **BOTH)
    of_sparse = map(sparse.csr_matrix, rows)
    train(lambda: other.fit(next(of_sparse), Y, next(of_sparse), **BOTH))
    assert_alike(one, other, 1e-9)


GRID = [
    {"standardize": "auto", "target_prior": "estimate"},
    {"lambda_max": 0.0},
    {"lambda_gamma": 3.0, "lr": 3e-3},
    {"momentum": 0.5, "standardize": "domain"},
    {"random_state": 1, "max_epochs": 4, "dropout": 0.1},
    {"class_weight": "balanced"},
    {"domain_classes": "binary"},
]


@pytest.mark.parametrize("n_estimators", [1, 2])
@pytest.mark.parametrize("engine", ["by hand", "by autograd"])
def test_a_stack_is_each_by_itself(by_autograd, engine, n_estimators):
    """Also beside estimators that do not look at groups."""
    train = (lambda f: f()) if engine == "by hand" else by_autograd
    made = [
        [new(n_estimators=n_estimators, **params) for params in GRID] for _ in range(2)
    ]
    stacked, alone = made
    domains = validate_many(stacked, X, Y, X_TGT, **BOTH)
    errors = train(lambda: fit_many(stacked, domains, max_stacked=16))
    assert errors == [None] * len(GRID)
    for one, other in zip(stacked, alone, strict=True):
        train(lambda other=other: other.fit(X, Y, X_TGT, **BOTH))
        assert_alike(one, other)


def test_float32_agrees_after_a_step(by_autograd):
    one, other = (new(max_epochs=1, batch_size=400) for _ in range(2))
    data = X.astype("f4"), Y, X_TGT.astype("f4")
    one.fit(*data, **BOTH)
    by_autograd(lambda: other.fit(*data, **BOTH))
    assert one.net_.dtype == np.float32
    assert_alike(one, other, 1e-5)
