"""The conditional domain classifier reads features times predictions."""

import pickle

import numpy as np
import pytest
import torch
from helpers import PLAIN, make_domains
from scipy.special import softmax
from skorch.callbacks import Callback
from torch import nn

import skdann
from skdann import DANNClassifier, DANNRegressor
from skdann._io._container import read_file, write_file
from skdann._multi_fit import fit_many, validate_many
from skdann._training._dense_engine import DenseEngine
from skdann.model_selection import DANNGridSearchCV
from skdann.nn import DANN
from skdann.nn._conditioning import Conditioning
from skdann.nn._dense_conditioning import DenseConditioning
from skdann.nn._losses import certainty_weight

SIZES = [(5, 3), (1400, 3)]  # all products, and random ones


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def new(**params):
    """A quick fit of two conditional networks."""
    return DANNClassifier(
        **{
            **PLAIN,
            "conditional": True,
            "n_estimators": 2,
            "hidden_layer_sizes": (12, 8),
            "domain_hidden_layer_sizes": (9,),
            "max_epochs": 4,
            "random_state": 0,
            **params,
        }
    )


# ---- what is computed


def test_the_products_are_those_of_each_feature_and_each_class():
    features, logits = draw(7, 5), draw(7, 3, seed=1)
    x = Conditioning(5, 3)(features, logits)
    P = softmax(logits.numpy(), axis=1)
    expected = [
        np.outer(p, f).ravel() for p, f in zip(P, features.numpy(), strict=True)
    ]
    np.testing.assert_allclose(x, expected, rtol=1e-12)


def test_random_products_have_the_scalar_products_of_all_on_average():
    """Their mean over the 1,024 is that of the paper, with its standard error."""
    features, logits = draw(30, 1400), draw(30, 3, seed=1)
    x = Conditioning(1400, 3)(features, logits)
    assert x.shape == (30, 1024)
    p = logits.softmax(-1)
    expected = (features @ features.T) * (p @ p.T)
    errors = (x @ x.T - expected) / expected.diagonal().mean()
    assert errors.abs().mean() < 0.05
    again = Conditioning(1400, 3)(features, logits)
    assert torch.equal(x, again)


@pytest.mark.parametrize("sizes", SIZES)
def test_no_gradient_reaches_the_predictions(sizes):
    features, logits = draw(7, sizes[0]), draw(7, sizes[1], seed=1)
    features.requires_grad_()
    logits.requires_grad_()
    Conditioning(*sizes)(features, logits).square().sum().backward()
    assert features.grad.abs().max() > 0
    assert logits.grad is None


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_gradient_by_hand_is_that_of_autograd(sizes, dtype):
    """Of three networks."""
    part = Conditioning(*sizes).to(dtype)
    features = draw(3, 7, sizes[0]).to(dtype).requires_grad_()
    logits = draw(3, 7, sizes[1], seed=1).to(dtype)
    expected = part(features, logits)
    g = draw(*expected.shape, seed=2).to(dtype)
    expected.backward(g)
    dense = DenseConditioning(part, features.detach(), logits)
    dense.g.copy_(g)
    out = torch.empty_like(features)
    for call in [*dense.forward(), *dense.backward(out)]:
        call()
    bounds = {torch.float64: 1e-12, torch.float32: 1e-4}
    size = expected.abs().max(), features.grad.abs().max()
    assert (dense.x - expected).abs().max() <= bounds[dtype] * size[0]
    assert (out - features.grad).abs().max() <= bounds[dtype] * size[1]


def test_the_gradient_reaches_the_features_reversed():
    """Equation 5 of the paper, by separate calls of autograd."""
    torch.manual_seed(0)
    parts = nn.Linear(4, 5), nn.Linear(5, 3), nn.Linear(15, 1)
    network = DANN(*parts, conditioning=Conditioning(5, 3))
    network.set_lambdas([0.3])
    X = torch.randn(6, 4)
    p = parts[1](parts[0](X)).softmax(-1).detach()
    products = (p.unsqueeze(2) * parts[0](X).unsqueeze(1)).flatten(1)
    weights = [w for part in parts for w in part.parameters()]
    loss, expected = network(X)[1].square().sum(), parts[2](products).square().sum()
    found, expected = (
        torch.autograd.grad(value, weights, allow_unused=True)
        for value in (loss, expected)
    )
    for factor, a, b in zip(
        [-0.3] * 2 + [0] * 2 + [1] * 2, found, expected, strict=True
    ):
        if factor:
            torch.testing.assert_close(a, factor * b)
        else:  # of the label classifier
            assert a is None
            assert b is None


def test_certain_rows_count_more_and_each_domain_as_before():
    """As in the authors' code: 1 + exp(-H), normalized within each domain."""
    logits = 3 * draw(2, 10, 4)
    is_target = torch.tensor([0] * 6 + [1] * 4).expand(2, -1)
    weight = torch.where(is_target == 0, 0.5 / 6, 0.5 / 4)
    P = softmax(logits.numpy(), axis=-1)
    expected = 1 + np.exp((P * np.log(P)).sum(-1))
    for of in (slice(0, 6), slice(6, 10)):
        expected[:, of] *= 0.5 / expected[:, of].sum(-1, keepdims=True)
    found = certainty_weight(logits, is_target, weight.double())
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    none = certainty_weight(logits, is_target, torch.zeros(2, 10))
    assert torch.equal(none, torch.zeros_like(none))
    equal = certainty_weight(torch.zeros(2, 10, 4), is_target, weight)
    torch.testing.assert_close(equal, weight)


def test_the_recorded_loss_weighs_rows_by_their_certainty():
    """One batch holds all rows, so the record can be computed from outside."""
    X, y, X_tgt = (rows[:60] for rows in make_domains()[:3])
    params = {"conditional": "entropy", "max_epochs": 1, "dropout": 0, "lr": 1e-12}
    clf = new(n_estimators=1, **params).fit(X, y, X_tgt)
    of_domains = [(clf.predict_domain(X, "source"), clf.predict_proba(X, "source"))]
    of_domains.append((clf.predict_domain(X_tgt), clf.predict_proba(X_tgt)))
    expected = 0
    for q, (domain, P) in zip((0, 1), of_domains, strict=True):
        weight = 1 + np.exp((P * np.log(P)).sum(1))
        loss = -np.log(domain if q else 1 - domain)
        expected += np.average(loss, weights=weight) / 2
    assert clf.history_[0]["domain_loss"] == pytest.approx(expected, rel=1e-6)


# ---- what it is for


def test_domains_are_told_apart_class_by_class():
    """Classes lie twice as far apart in the target; as a whole both have one mean.

    A linear domain classifier, on the column as it is, can't see it.
    """
    rng = np.random.default_rng(0)
    y, y_tgt = rng.permutation([-1, 1] * 100), rng.permutation([-1, 1] * 100)
    X, X_tgt = (rng.normal(k * side, 0.3)[:, None] for k, side in ((1, y), (2, y_tgt)))
    quick = {"n_estimators": 1, "max_epochs": 40, "lr": 0.03, "lambda_max": 0}
    parts = {"feature_extractor": nn.Identity, "domain_hidden_layer_sizes": ()}
    told = [
        new(conditional=value, **parts, **quick)
        .fit(X, y, X_tgt)
        .history_[-1]["domain_accuracy"]
        for value in (False, True)
    ]
    assert told[0] < 0.6 < 0.8 < told[1]


# ---- all that the estimator has


@pytest.mark.parametrize("conditional", [True, "entropy"])
@pytest.mark.parametrize("n_estimators", [1, 2])
def test_a_stack_is_each_by_itself(by_autograd, conditional, n_estimators):
    X, y, X_tgt, _ = make_domains()
    grid = [{}, {"lambda_max": 0.2}, {"random_state": 1, "dropout": 0.1}]
    grid += [{"conditional": False}, {"conditional": True}, {"conditional": "entropy"}]
    of = {"conditional": conditional, "n_estimators": n_estimators}
    for train in (lambda f: f(), by_autograd):
        stacked, alone = ([new(**{**of, **params}) for params in grid] for _ in "ab")
        of_all = validate_many(stacked, X, y, X_tgt)
        errors = train(lambda s=stacked, d=of_all: fit_many(s, d, max_stacked=16))
        assert errors == [None] * len(grid)
        for one, other in zip(stacked, alone, strict=True):
            train(lambda other=other: other.fit(X, y, X_tgt))
            for method in ("predict_proba", "predict_domain"):
                P, Q = (getattr(clf, method)(X_tgt) for clf in (one, other))
                np.testing.assert_allclose(P, Q, rtol=0, atol=1e-10)


def test_it_is_trained_by_hand():
    clf = new(conditional="entropy").fit(*make_domains()[:3])
    what = clf.module_, _plan(clf).objective, clf.net_.optimizer_
    assert DenseEngine.unsupported(*what) is None


def _plan(clf):
    domains = clf._validate_domains(*make_domains()[:3])
    return clf._plan_training(clf.net_, domains, None)


@pytest.mark.parametrize("conditional", [True, "entropy"])
def test_groups_are_told_apart_given_the_classes(by_autograd, conditional):
    X, y, X_tgt, _ = make_domains()
    groups = {"groups": np.arange(len(X)) % 3, "groups_tgt": np.arange(len(X_tgt)) % 2}
    both = [new(conditional=conditional, domain_classes="groups") for _ in "ab"]
    both[0].fit(X, y, X_tgt, **groups)
    by_autograd(lambda: both[1].fit(X, y, X_tgt, **groups))
    P, Q = (clf.predict_groups(X_tgt) for clf in both)
    assert P.shape == (len(X_tgt), 5)
    np.testing.assert_allclose(P, Q, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"conditional": "entropy", "domain_classes": "groups"},
        {"hidden_layer_sizes": (1100,), "n_estimators": 2, "max_epochs": 1},
    ],
)
def test_it_comes_back_from_files_and_pickles(tmp_path, params):
    X, y, X_tgt, _ = make_domains()
    y = y + 2 * (np.arange(len(y)) % 2)  # four classes: 1,100 features make too many
    clf = new(**params).fit(X, y, X_tgt, groups=y % 2)
    skdann.save(clf, tmp_path / "model.skdann")
    for loaded in (
        skdann.load(tmp_path / "model.skdann"),
        pickle.loads(pickle.dumps(clf)),
    ):
        assert loaded.conditional == clf.conditional
        assert np.array_equal(loaded.predict_domain(X_tgt), clf.predict_domain(X_tgt))
        goes_on = [
            c.partial_fit(X, y, X_tgt, groups=y % 2).predict_proba(X_tgt)
            for c in (loaded, pickle.loads(pickle.dumps(clf)))
        ]
        assert np.array_equal(*goes_on)


def test_a_file_without_its_projection_takes_no_memory_for_it(tmp_path):
    X, y, X_tgt, _ = make_domains()
    wide = {"hidden_layer_sizes": (2100,), "n_estimators": 1, "max_epochs": 1}
    skdann.save(new(**wide).fit(X, y, X_tgt), tmp_path / "model.skdann")
    tree = read_file(tmp_path / "model.skdann")
    del tree["net"]["module"]["conditioning.of_features"]
    write_file(tmp_path / "model.skdann", tree)
    with pytest.raises(ValueError, match="conditioning would have 2152448 weights"):
        skdann.load(tmp_path / "model.skdann")


class Interrupt(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


def test_a_fit_goes_on_from_its_checkpoint(tmp_path):
    X, y, X_tgt, _ = make_domains()
    params = {"checkpoint": tmp_path / "run.skdann", "checkpoint_interval": 1}
    params["conditional"] = "entropy"
    new(**params, callbacks=[Interrupt()]).fit(X, y, X_tgt)
    resumed = new(**params).fit(X, y, X_tgt, resume=True)
    assert resumed.n_iter_ == 4
    whole = new(**params).fit(X, y, X_tgt)
    assert np.array_equal(resumed.predict_proba(X_tgt), whole.predict_proba(X_tgt))
    other = new(**{**params, "conditional": True})
    with pytest.raises(ValueError, match="conditional"):
        other.fit(X, y, X_tgt, resume=True)


def test_ones_own_domain_classifier_is_called_with_the_number_of_products():
    seen = []

    def make(n_features, n_logits):
        seen.append((n_features, n_logits))
        return nn.Linear(n_features, n_logits)

    X, y, X_tgt, _ = make_domains()
    new(domain_classifier=make, n_estimators=1).fit(X, y, X_tgt)
    wide = {"hidden_layer_sizes": (2100,), "n_estimators": 1, "max_epochs": 1}
    new(domain_classifier=make, **wide).fit(X, y, X_tgt)
    assert seen == [(16, 1), (1024, 1)]
    too_narrow = new(domain_classifier=nn.Linear(8, 1), n_estimators=1)
    with pytest.raises(ValueError, match=r"domain_classifier cannot read .*\(2, 16\)"):
        too_narrow.fit(X, y, X_tgt)


def test_early_stopping_known_labels_weights_and_searches():
    X, y, X_tgt, y_tgt = make_domains()
    clf = new(early_stopping=True, conditional="entropy", max_epochs=8)
    few = np.where(np.arange(len(X_tgt)) < 9, y_tgt, -1)
    weights = np.linspace(0, 2, len(X))
    clf.fit(X, y, X_tgt, y_tgt=few, sample_weight=weights)
    assert "validation_score" in clf.history_[-1]
    grid = {"conditional": [False, True, "entropy"]}
    search = DANNGridSearchCV(new(), grid, cv=2, scoring="reverse_validation")
    search.fit(X, y, X_tgt)
    tried = [params["conditional"] for params in search.cv_results_["params"]]
    assert tried[:3] == [False, True, "entropy"]
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_predictions_go_to_onnx_without_it(tmp_path):
    onnx = pytest.importorskip("onnxruntime")
    X, y, X_tgt, _ = make_domains()
    params = {"hidden_layer_sizes": (2100,), "n_estimators": 1, "max_epochs": 1}
    clf = new(**params).fit(X, y, X_tgt)
    clf.to_onnx(tmp_path / "model.onnx")
    session = onnx.InferenceSession(tmp_path / "model.onnx")
    P = session.run(["probabilities"], {"X": X_tgt})[0]
    np.testing.assert_allclose(P, clf.predict_proba(X_tgt), atol=1e-12)
    # nothing of the projection, which has 2,102 times 1,024 values
    assert (tmp_path / "model.onnx").stat().st_size < 8 * 2102 * 1024


def test_it_stays_what_it_was_at_the_first_fit():
    X, y, X_tgt, _ = make_domains()
    clf = new(warm_start=True).fit(X, y, X_tgt)
    with pytest.raises(ValueError, match="conditional changed since the network"):
        clf.set_params(conditional=False).fit(X, y, X_tgt)


@pytest.mark.parametrize("value", ["cdan", None, 1, 0.5])
def test_another_value_is_refused(value):
    with pytest.raises(ValueError, match="'conditional' parameter"):
        new(conditional=value).fit(*make_domains()[:3])


@pytest.mark.filterwarnings("ignore:There is no target")
def test_without_a_target_it_changes_nothing():
    X, y, X_tgt, _ = make_domains()
    P, Q = (
        new(conditional=value, n_estimators=1).fit(X, y).predict_proba(X_tgt)
        for value in (False, "entropy")
    )
    assert np.array_equal(P, Q)


def test_numbers_have_no_classes_to_condition_on():
    assert "conditional" not in DANNRegressor().get_params()
