"""Whatever a caller has set globally in torch, one seed gives one result."""

import copy
import pickle
import threading
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from helpers import SMALL, make_domains
from skorch.callbacks import Callback
from torch import nn

import skdann
from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
from skdann.inspection import adaptation_report
from skdann.model_selection import DANNGridSearchCV, target_scorer

X, Y, X_TGT, Y_TGT = make_domains(n_source=80, n_target=60)
X, X_TGT = X.astype(np.float32), X_TGT.astype(np.float32)


@contextmanager
def having_set(setter, value, default):
    setter(value)
    try:
        yield
    finally:
        setter(default)


@contextmanager
def precision_of_backend(owner, value):
    before = owner.fp32_precision
    owner.fp32_precision = value
    try:
        yield
    finally:
        owner.fp32_precision = before


def setting(setter, value, default):
    return lambda: having_set(setter, value, default)


SETTINGS = {
    "float64": setting(torch.set_default_dtype, torch.float64, torch.float32),
    "float16": setting(torch.set_default_dtype, torch.float16, torch.float32),
    "bfloat16": setting(torch.set_default_dtype, torch.bfloat16, torch.float32),
    "meta device": setting(torch.set_default_device, "meta", None),
    "meta context": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu"),
    "autocast to float16": lambda: torch.autocast("cpu", torch.float16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "grad disabled": setting(torch.set_grad_enabled, False, True),
    "flushed": setting(torch.set_flush_denormal, True, False),
    "medium": setting(torch.set_float32_matmul_precision, "medium", "highest"),
    "high": setting(torch.set_float32_matmul_precision, "high", "highest"),
    "deterministic": setting(torch.use_deterministic_algorithms, True, False),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "swapped on conversion": setting(
        torch.__future__.set_swap_module_params_on_conversion, True, False
    ),
    "replaced on conversion": setting(
        torch.__future__.set_overwrite_module_params_on_conversion, True, False
    ),
    "seed": lambda: torch.random.fork_rng(),
    "saved on the CPU": torch.autograd.graph.save_on_cpu,
    "numpy raises": lambda: np.errstate(all="raise"),
}
if hasattr(torch.backends.mkldnn, "matmul"):  # torch >= 2.9
    SETTINGS |= {
        "bf16 of a backend": lambda: precision_of_backend(
            torch.backends.mkldnn.matmul, "bf16"
        ),
        "tf32 of all": lambda: precision_of_backend(torch.backends, "tf32"),
    }


class Theirs(nn.Module):
    """Layers of a user's, with tensors that they make on the way."""

    def __init__(self, n_columns):
        super().__init__()
        self.layer = nn.Linear(n_columns, 8)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        return self.drop(self.layer(x)) + torch.arange(8) * 0.1 + torch.ones(8)


NETWORKS = {
    "ours": {"n_estimators": 2, "dropout": 0.3, "standardize": "domain"},
    "theirs": {"feature_extractor": Theirs},
    "wide": {"hidden_layer_sizes": (256, 256), "batch_size": 512},
}
ROWS = {"wide": 5}  # as often: small products are not computed in fewer bits


def fit(network, **params):
    n = ROWS.get(network, 1)
    clf = DANNClassifier(**{**SMALL, **NETWORKS[network], **params})
    return clf.fit(np.tile(X, (n, 1)), np.tile(Y, n), np.tile(X_TGT, (n, 1)))


def now():
    """Return what torch and numpy are set to."""
    number = torch.zeros(1, requires_grad=not torch.is_inference_mode_enabled())
    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:
        precision = "of each backend"
    return {
        "dtype": number.dtype,
        "device": number.device,
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "flushed": np.float64(0) == 5e-324,
        "precision": precision,
        "of a backend": getattr(
            getattr(torch.backends.mkldnn, "matmul", None), "fp32_precision", None
        ),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
        "numpy": np.geterr(),
        "threads": torch.get_num_threads(),
    }


@pytest.fixture(scope="module")
def expected():
    return {name: fit(name).predict_proba(X_TGT) for name in NETWORKS}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_is_the_same_under_any_setting_which_stays(name, network, expected):
    with SETTINGS[name]():
        before = now()
        probabilities = fit(network).predict_proba(X_TGT)
        assert now() == before
    assert np.array_equal(probabilities, expected[network])


@pytest.fixture(scope="module")
def fitted():
    return {name: fit(name) for name in NETWORKS}


USES = {
    "predict": lambda clf, path: clf.predict(X_TGT),
    "predict_proba": lambda clf, path: clf.predict_proba(X_TGT),
    "transform": lambda clf, path: clf.transform(X_TGT),
    "predict_domain": lambda clf, path: clf.predict_domain(X_TGT),
    "names": lambda clf, path: clf.get_feature_names_out(),
    "pickle": lambda clf, path: pickle.loads(pickle.dumps(clf)).predict_proba(X_TGT),
    "copy": lambda clf, path: trained_on(copy.deepcopy(clf)),
    "file": lambda clf, path: trained_on(through_file(clf, path)),
}


def trained_on(clf):
    return clf.partial_fit(X, Y, X_TGT).predict_proba(X_TGT)


def through_file(clf, path):
    skdann.save(clf, path)
    code = {"feature_extractor": Theirs} if clf.feature_extractor else {}
    return skdann.load(path, **code)


@pytest.fixture(scope="module")
def answers(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "model"
    return {
        (network, use): answer(fitted[network], path)
        for network in ("ours", "theirs")
        for use, answer in USES.items()
    }


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fitted_network_answers_the_same_under_any_setting(
    name, fitted, answers, tmp_path
):
    for (network, use), expected in answers.items():
        with SETTINGS[name]():
            before = now()
            found = USES[use](fitted[network], tmp_path / "model")
            assert now() == before, use
        assert np.array_equal(found, expected), (network, use)


def search():
    grid = {"lambda_max": [0.0, 0.5], "dropout": [0.0, 0.2]}
    search = DANNGridSearchCV(DANNClassifier(**SMALL), grid, cv=2).fit(X, Y, X_TGT)
    return search.predict_proba(X_TGT), search.cv_results_["mean_test_infomax"]


def combination():
    candidates = [("dann", DANNClassifier(**SMALL)), ("simple", BaselineClassifier())]
    return AutoDANNClassifier(candidates).fit(X, Y, X_TGT).predict_proba(X_TGT)


def report():
    clf = DANNClassifier(**SMALL).fit(X, Y, X_TGT)
    return str(adaptation_report(clf, X, Y, X_TGT, random_state=0))


def early_stopping():
    return fit("ours", early_stopping=True, scoring="neg_iwv").predict_proba(X_TGT)


def scores():
    clf = fit("ours")
    scorers = [target_scorer(name, X_tgt=X_TGT) for name in ("neg_devn", "infomax")]
    return [scorer(clf, X, Y) for scorer in scorers], clf.score(X_TGT, Y_TGT)


@contextmanager
def all_at_once():
    names = ("float64", "meta device", "autocast", "medium", "inference_mode")
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(SETTINGS[name]())
        yield


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("small_forests")
@pytest.mark.parametrize("run", [search, combination, report, early_stopping, scores])
def test_whatever_fits_and_scores_is_the_same_under_settings(run):
    expected = run()
    with all_at_once():
        before = now()
        found = run()
        assert now() == before
    np.testing.assert_equal(found, expected)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_stays_if_a_fit_fails(name):
    class Fails(Callback):
        def on_epoch_end(self, net, **kwargs):
            assert torch.get_default_dtype() == torch.float32
            raise OSError

    with SETTINGS[name]():
        before = now()
        with pytest.raises(OSError):  # noqa: PT011 - it has no text
            fit("ours", callbacks=[Fails()])
        assert now() == before


def test_onnx_is_the_same_under_settings(fitted, tmp_path):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    with all_at_once():
        fitted["ours"].to_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (answer,) = session.run(["probabilities"], {"X": X_TGT})
    assert answer == pytest.approx(fitted["ours"].predict_proba(X_TGT), abs=1e-6)


def test_numbers_next_to_zero_are_kept_where_the_caller_flushes_them(fitted):
    clf = fitted["theirs"]
    smallest = np.finfo(np.float32).smallest_normal
    for scale in np.geomspace(1, 1000, 200, dtype=np.float32):
        probabilities = clf.predict_proba(scale * X_TGT)
        if np.any((probabilities > 0) & (probabilities < smallest)):
            break
    with SETTINGS["flushed"]():
        found = clf.predict_proba(scale * X_TGT)
    assert np.any((probabilities > 0) & (probabilities < smallest))
    assert found.tobytes() == probabilities.tobytes()


def test_settings_of_the_process_are_put_back_by_the_last_of_several_threads():
    """The second begins within the first, and ends after it."""
    expected = fit("theirs").predict_proba(X_TGT)
    in_first, in_second, found = threading.Event(), threading.Event(), {}

    class Meets(Callback):
        def __init__(self, mine, others):
            self.mine, self.others = mine, others

        def on_epoch_begin(self, net, **kwargs):
            self.mine.set()
            self.others.wait(60)

    def work(name, mine, others):
        clf = fit("theirs", callbacks=[Meets(mine, others)])
        found[name] = clf.predict_proba(X_TGT)

    with SETTINGS["float64"]():
        threads = [
            threading.Thread(target=work, args=("first", in_first, in_second)),
            threading.Thread(target=work, args=("second", in_second, in_first)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert torch.get_default_dtype() == torch.float64
    assert np.array_equal(found["first"], expected)
    assert np.array_equal(found["second"], expected)


def test_a_setting_that_is_changed_during_a_fit_is_kept():
    class Sets(Callback):
        def on_train_end(self, net, **kwargs):
            torch.set_default_dtype(torch.float16)

    try:
        with SETTINGS["float64"]():
            fit("ours", callbacks=[Sets()])
            assert torch.get_default_dtype() == torch.float16
    finally:
        torch.set_default_dtype(torch.float32)
