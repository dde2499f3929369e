"""Bad input gets one clear error that says what to do, and changes nothing."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from skorch.callbacks import EarlyStopping
from torch import nn

from skdann import DANNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::skdann.AdaptationWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 2
T = RNG.normal(size=(30, 3))
TABLE = pd.DataFrame(X, columns=["a", "b", "c"])


def replaced(array, value):
    changed = array.copy()
    changed[1, 1] = value
    return changed


def images(n):
    return np.zeros((n, 3, 4, 4), dtype=np.float32)


DATA = {
    "X_tgt with fewer columns": (
        (X, Y, T[:, :2]),
        r"X_tgt has 2 columns, but X has 3\. .*transform_input=\['X_tgt'\]",
    ),
    "X_tgt with NaN": (
        (X, Y, replaced(T, np.nan)),
        r"X_tgt contains NaN.*SimpleImputer",
    ),
    "X_tgt with inf": ((X, Y, replaced(T, np.inf)), r"X_tgt contains infinity.*1 of"),
    "X with NaN": (
        (replaced(X, np.nan), Y, T),
        r"X contains NaN.*1 of 3 columns.*SimpleImputer",
    ),
    "X with inf": ((replaced(X, -np.inf), Y, T), r"X contains infinity.*1 of 3 "),
    "sparse X_tgt with NaN": (
        (X, Y, sparse.csr_array(replaced(T, np.nan))),
        r"X_tgt contains NaN.*SimpleImputer",
    ),
    "X without rows": ((X[:0], Y[:0], T), r"Found array with 0 sample\(s\)"),
    "X_tgt without rows": ((X, Y, T[:0]), r"Found array with 0 sample\(s\).*minimum"),
    "X without columns": ((X[:, :0], Y, T[:, :0]), r"0 feature\(s\)"),
    "one class": ((X, np.full(40, "ill"), T), r"one class \('ill'\).*at least two"),
    "y too short": ((X, Y[:9], T), r"inconsistent numbers of samples: \[40, 9\]"),
    "continuous y": ((X, X[:, 0], T), r"Unknown label type: continuous"),
    "y with NaN": (
        (X, np.where(Y, np.nan, 0.0), T),
        r"y contains NaN or None: 20 of 40 rows",
    ),
    "y in two columns": ((X, np.c_[Y, Y], T), r"y should be a 1d array"),
    "y and X_tgt swapped": (
        (X, T, Y),
        r"look swapped\. The order is fit\(X, y, X_tgt\)",
    ),
    "labels as X_tgt": ((X, Y, Y), r"X_tgt must hold rows.*y_tgt="),
    "text in X": (
        (np.array([["tall", "1"]] * 40), Y, None),
        r"X has columns that hold no numbers.*OneHotEncoder",
    ),
    "text in X_tgt": (
        (X, Y, np.array([["a", "b", "c"]] * 30)),
        r"X_tgt has columns that hold no numbers.*OneHotEncoder.*went around",
    ),
    "dates": (
        (np.full((40, 3), np.datetime64("2020-01-01")), Y, None),
        r"datetime64.*Turn dates into numbers",
    ),
    "dates beside numbers": (
        (TABLE.assign(day=pd.Timestamp("2020-01-01")), Y, None),
        r"X has columns of dates or times: 'day'",
    ),
    "categories": (
        (TABLE.assign(group=pd.Categorical(["u", "v"] * 20)), Y, None),
        r"X has columns that hold no numbers.*OneHotEncoder",
    ),
    "text beside numbers": (
        (TABLE.assign(group="tall"), Y, None),
        r"X has columns that hold no numbers.*'tall'.*OneHotEncoder",
    ),
    "y missing": ((X, None, T), r"requires y to be passed"),
    "complex numbers": ((X + 1j, Y, T), r"Complex data not supported"),
    "X_tgt a dict": ((X, Y, {"a": 1}), r"X_tgt is a dict"),
    "X_tgt a string": (
        (X, Y, "target.csv"),
        r"X_tgt is a str\. It must be one table",
    ),
    "X_tgt of images": (
        (X, Y, images(30)),
        r"rows of shape \(3, 4, 4\), but X.*\(3,\)",
    ),
    "images for the built-in network": (
        (images(40), Y, images(30)),
        r"reads tables.*pass a feature_extractor",
    ),
    "columns in another order": (
        (TABLE, Y, TABLE[["c", "a", "b"]]),
        r"another order\. Use X_tgt\[X\.columns\]",
    ),
    "columns with other names": (
        (TABLE, Y, TABLE.rename(columns={"b": "B"})),
        r"lacks columns \['b'\] of X and has \['B'\]",
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_bad_data(case):
    arguments, message = DATA[case]
    clf = DANNClassifier(max_epochs=1)
    before = dict(vars(clf))
    with pytest.raises(ValueError, match=message):
        clf.fit(*arguments)
    assert vars(clf) == before


Y_TGT = np.full(30, -1)
OTHERS = np.array(["c", -1] * 15, dtype=object)
FURTHER = {
    "y_tgt without X_tgt": (
        (X, Y),
        {"y_tgt": Y_TGT},
        r"y_tgt is of the rows of X_tgt, but X_tgt is None",
    ),
    "y_tgt of another length": (
        (X, Y, T),
        {"y_tgt": Y_TGT[:9]},
        r"y_tgt has 9 entries, but X_tgt has 30 rows",
    ),
    "-1 both class and marker": (
        (X, 2 * Y - 1, T),
        {"y_tgt": Y_TGT},
        r"-1 is a class in y, and in y_tgt.*dtype object, with None",
    ),
    "labels that y lacks": (
        (X, np.where(Y, "a", "b"), T),
        {"y_tgt": OTHERS},
        r"not among the classes \['a', 'b'\]: 'c' \(15 of 15\).*None or NaN",
    ),
    "negative weight": (
        (X, Y, T),
        {"sample_weight": np.full(40, -1.0)},
        r"Negative values in data passed to `sample_weight`",
    ),
    "weights of another length": (
        (X, Y, T),
        {"sample_weight": np.ones(9)},
        r"sample_weight",
    ),
    "weights that leave one class": (
        (X, Y, T),
        {"sample_weight": Y},
        r"sample_weight leaves rows of fewer than two classes",
    ),
}


@pytest.mark.parametrize("case", FURTHER)
def test_bad_labels_and_weights(case):
    arguments, keywords, message = FURTHER[case]
    clf = DANNClassifier(max_epochs=1)
    before = dict(vars(clf))
    with pytest.raises(ValueError, match=message):
        clf.fit(*arguments, **keywords)
    assert vars(clf) == before


def _with_batch_norm(n_features, n_classes):
    return nn.Sequential(nn.BatchNorm1d(n_features), nn.Linear(n_features, n_classes))


PARAMETERS = [
    ({"lambda_max": -1}, r"'lambda_max' parameter .* must be a float in .*\[0"),
    ({"lambda_max": np.inf}, r"'lambda_max'"),
    ({"lambda_max": np.nan}, r"'lambda_max'"),
    ({"lambda_max": "1"}, r"'lambda_max'"),
    ({"lambda_gamma": 0}, r"'lambda_gamma'"),
    ({"lambda_schedule": "anneal"}, r"'lambda_schedule' .*'annealed'"),
    (
        {"lambda_schedule": lambda p: -p},
        r"lambda_schedule returns -0\.5 at progress 0\.5",
    ),
    ({"lr_schedule": lambda p: "fast"}, r"lr_schedule returns 'fast' at progress 0"),
    ({"lr_schedule": lambda p: np.inf}, r"lr_schedule returns inf"),
    ({"lr": 0}, r"'lr'"),
    ({"lr": -0.1}, r"'lr'"),
    ({"lr_alpha": -1}, r"'lr_alpha'"),
    ({"lr_beta": -1}, r"'lr_beta'"),
    ({"hidden_layer_sizes": (0,)}, r"hidden_layer_sizes must hold positive integers"),
    (
        {"hidden_layer_sizes": (8, 1.5)},
        r"hidden_layer_sizes must hold positive integers",
    ),
    ({"hidden_layer_sizes": ()}, r"hidden_layer_sizes is empty"),
    ({"hidden_layer_sizes": -5}, r"'hidden_layer_sizes'"),
    ({"domain_hidden_layer_sizes": (8, -1)}, r"domain_hidden_layer_sizes must hold"),
    ({"activation": "softmax"}, r"'activation'"),
    ({"dropout": 1}, r"'dropout'"),
    ({"dropout": -0.1}, r"'dropout'"),
    ({"optimizer": "lbfgs"}, r"'optimizer'"),
    ({"optimizer": dict}, r"optimizer=dict is no optimizer"),
    ({"momentum": 1}, r"'momentum'"),
    ({"weight_decay": -1}, r"'weight_decay'"),
    ({"batch_size": 1}, r"'batch_size'"),
    ({"batch_size": 2.5}, r"'batch_size'"),
    ({"max_epochs": 0}, r"'max_epochs'"),
    ({"max_epochs": "some"}, r"'max_epochs'"),
    ({"class_weight": "equal"}, r"'class_weight'"),
    (
        {"class_weight": {5: 1.0}},
        r"class_weight names \[5\], but the classes are \[0, 1\]",
    ),
    *(
        ({"class_weight": {0: cost}}, r"class_weight holds \{0: .*finite number")
        for cost in (-1.0, "x", None, np.nan, np.inf, [1], {1: 2}, 1j, pd.NA, 10**400)
    ),
    *(
        ({"class_weight": {label: 1}}, r"class_weight names .*the classes are \[0, 1\]")
        for label in ("0", None, np.nan, pd.NA, 0.5, (0,))
    ),
    *(
        ({"target_prior": prior}, r"target_prior holds .* whose sum is 1")
        for prior in ([0.5, 0.6], [np.nan, 1], ["a", "b"], [0, [1]], [1j, 0], [2, -1])
    ),
    ({"target_prior": [1]}, r"target_prior has 1 entries, but there are 2 classes"),
    ({"target_prior": {0: 1}}, r"target_prior must give .* lacks \[1\]"),
    (
        {"target_prior": pd.Series({"a": 0.5, "b": 0.5})},
        r"target_prior must give .* lacks \[0, 1\] and has \['a', 'b'\]",
    ),
    *(
        ({"hidden_layer_sizes": sizes}, r"hidden_layer_sizes|must hold positive int")
        for sizes in (True, (4, True), 0, -1, 1.5, "8", ["8"], [[4], [4]], {4: 1}, {4})
    ),
    ({"hidden_layer_sizes": [3, (2, 1)]}, "hidden_layer_sizes must hold positive int"),
    ({"n_estimators": 10**9}, "'n_estimators'"),
    ({"n_estimators": True}, "'n_estimators'"),
    ({"lr": 10**400}, "'lr'"),
    ({"lambda_max": Fraction(1, 2)}, "'lambda_max'"),
    ({"optimizer": torch.optim.Optimizer}, "optimizer=Optimizer can't train this"),
    ({"optimizer": torch.optim.SparseAdam}, "optimizer=SparseAdam needs sparse"),
    ({"checkpoint": "a" * 300}, "checkpoint='a+' can't be the name of a file"),
    ({"checkpoint": "a\0b"}, "checkpoint='a.*b' can't be the name of a file"),
    ({"callbacks": [()]}, r"callbacks holds \(\); it must hold skorch callbacks"),
    ({"feature_extractor": nn.Linear}, "feature_extractor can't be made: .*TypeError"),
    ({"feature_extractor": int}, "feature_extractor made a int"),
    (
        {"feature_extractor": lambda n: nn.Linear(n, 0)},
        r"feature_extractor returns shape \(2, 0\)",
    ),
    (
        {
            "feature_extractor": nn.Identity(),
            "label_classifier": nn.Linear(3, 2).requires_grad_(False),
            "domain_classifier": nn.Linear(3, 1).requires_grad_(False),
        },
        "Nothing can be trained",
    ),
    (
        {"label_classifier": _with_batch_norm, "batch_size": 2},
        "batch normalization in one of your modules .* Raise batch_size=2",
    ),
    ({"device": "gpu"}, r"device='gpu' cannot be used here"),
    ({"device": "cuda:99"}, r"device='cuda:99' cannot be used here"),
    ({"callbacks": "all"}, r"'callbacks'"),
    ({"callbacks": [3]}, r"callbacks holds 3; it must hold skorch callbacks"),
    (
        {"callbacks": [("stop", EarlyStopping())]},
        r"EarlyStopping in callbacks monitors 'valid_loss', but .* 'train_loss'",
    ),
    ({"random_state": "seed"}, r"'random_state'"),
    ({"feature_extractor": 5}, r"'feature_extractor'"),
    (
        {"feature_extractor": nn.Linear(7, 2)},
        r"feature_extractor cannot read .*\(2, 3\)",
    ),
    ({"feature_extractor": nn.Flatten(0)}, r"feature_extractor returns shape \(6,\)"),
    ({"feature_extractor": lambda: "net"}, r"feature_extractor made a str"),
    ({"feature_extractor": nn.LSTM(3, 2)}, r"feature_extractor returns a tuple"),
    (
        {"label_classifier": nn.Linear(64, 5)},
        r"label_classifier .*\(2, 5\).* 2 classes",
    ),
    (
        {"label_classifier": nn.Linear(9, 2)},
        r"label_classifier cannot read .*\(2, 64\)",
    ),
    (
        {
            "label_classifier": lambda n, k: nn.Sequential(
                nn.Linear(n, k), nn.Softmax(1)
            )
        },
        r"label_classifier ends in a softmax\. Remove it",
    ),
    (
        {"domain_classifier": nn.Linear(64, 2)},
        r"domain_classifier .*one logit for each",
    ),
    (
        {"domain_classifier": lambda n: nn.Sequential(nn.Linear(n, 1), nn.Softmax(1))},
        r"domain_classifier returns 1 for every row, as a softmax over a single",
    ),
]


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize(("params", "message"), PARAMETERS)
def test_bad_parameters(params, message):
    quick = {"max_epochs": 1, "standardize": "source", "target_prior": None}
    clf = DANNClassifier(**{**quick, **params})
    before = dict(vars(clf))
    with pytest.raises(ValueError, match=message):
        clf.fit(X, Y, T)
    assert vars(clf) == before


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_new_rows_must_look_like_those_of_the_fit(small, method):
    clf = small().fit(TABLE, Y, T)
    call = getattr(clf, method)
    with pytest.raises(ValueError, match="X has 2 features, but DANNClassifier is exp"):
        call(X[:, :2])
    with pytest.raises(ValueError, match="feature names should match"):
        call(TABLE[["b", "a", "c"]])
    with pytest.raises(ValueError, match="contains NaN"):
        call(replaced(X, np.nan))


def test_images_of_another_size_are_refused(small):
    network = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
    clf = small(feature_extractor=network).fit(images(40), Y, images(30))
    with pytest.raises(
        ValueError, match=r"\(3, 5, 5\).*fitted on rows of shape \(3, 4"
    ):
        clf.predict(np.zeros((2, 3, 5, 5)))


def test_a_failed_second_fit_keeps_the_first(small):
    clf = small().fit(X, Y, T)
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match="2 columns"):
        clf.fit(TABLE, Y, T[:, :2])
    assert np.array_equal(clf.predict_proba(X), before)
    assert not hasattr(clf, "feature_names_in_")


def test_partial_fit_wants_the_classes_first(small):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        small().partial_fit(X, Y, T)
    with pytest.raises(
        ValueError, match=r"Labels \[1\] are not among classes=\[0, 2\]"
    ):
        small().partial_fit(X, Y, T, classes=[0, 2])
    clf = small().partial_fit(X, Y, T, classes=[0, 1])
    with pytest.raises(ValueError, match=r"Labels \[5\] are not among"):
        clf.partial_fit(X, np.full(40, 5), T)


def test_predict_domain_needs_a_target(small):
    clf = small(lambda_max=0).fit(X, Y)
    with pytest.raises(ValueError, match="fitted without X_tgt"):
        clf.predict_domain(X)


def test_an_instance_passed_in_is_never_modified(small):
    network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    small(feature_extractor=network).fit(X, Y, T)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_rows_too_large_for_the_networks_dtype_are_refused(small, domains):
    X, y, X_tgt = domains
    clf = small().fit(X.astype("float32"), y, X_tgt.astype("float32"))
    with pytest.raises(ValueError, match="too large for float32"):
        clf.predict(X * 1e200)
    with pytest.raises(ValueError, match="too large for float32"):
        small().fit(X.astype("float32"), y, X_tgt[:5] * 1e200)


def test_labels_that_are_missing_are_refused(small, domains):
    X, y, X_tgt = domains
    y = np.array(["ill", "well"], dtype=object)[y]
    y[3] = None
    with pytest.raises(ValueError, match="1 of 200 rows have no label"):
        small().fit(X, y, X_tgt)


def test_class_weight_of_digits_and_of_classes_yet_to_come(small, domains):
    X, y, X_tgt = domains
    digits = np.array(["0", "1"])[y]
    weighted = small(class_weight={"0": 2.0, "1": 1.0}).fit(X, digits, X_tgt)
    expected = small(class_weight={0: 2.0, 1: 1.0}).fit(X, y, X_tgt)
    assert np.array_equal(weighted.predict_proba(X), expected.predict_proba(X))
    clf = small(class_weight={2: 5.0})
    clf.partial_fit(X, y, X_tgt, classes=[0, 1, 2])
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("class_weight", "says"),
    [
        ({0: 0.0, 1: 0.0}, "only zero weights"),
        ({0: np.inf}, "must be a finite number"),
        ({0: np.nan}, "must be a finite number"),
    ],
)
def test_costs_that_leave_nothing_to_learn_are_refused(
    small, domains, class_weight, says
):
    with pytest.raises(ValueError, match=says):
        small(class_weight=class_weight).fit(*domains)
