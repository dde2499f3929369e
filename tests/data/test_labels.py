"""Labels: any container, any type; which are missing, and which are no class."""

import enum

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import PLAIN, SMALL, make_domains
from scipy import sparse

from skdann import AutoDANNClassifier, BaselineClassifier, DANNClassifier
from skdann.inspection import (
    AlignmentDisplay,
    DomainBoundaryDisplay,
    adaptation_report,
)
from skdann.model_selection import DANNGridSearchCV, rows_to_label, target_scorer

X, CODES, X_TGT, CODES_TGT = make_domains(60, 40)
IS_KNOWN = np.arange(40) < 12

# Pairs of classes, as users have them.
KINDS = {
    "int": [0, 1],
    "of both signs": [-1, 1],
    "large int": [2**53 + 1, 2**53 + 2],
    "bool": [False, True],
    "float": [0.0, 1.0],
    "text": ["ill", "ok"],
}
DTYPES = {"int": int, "of both signs": int, "large int": int, "bool": bool}
DTYPES |= {"float": float, "text": None}


def as_pandas(nullable):
    def make(labels):
        first = next(label for label in labels if label is not None)
        kind = type(first) if nullable else "category"
        names = {int: "Int64", bool: "boolean", float: "Float64", str: "string"}
        return pd.Series(labels, dtype=names.get(kind, kind))

    return make


CONTAINERS = {
    "list": list,
    "array of objects": lambda labels: np.array(labels, dtype=object),
    "column": lambda labels: np.array(labels, dtype=object)[:, None],
    "masked": lambda labels: np.ma.array(
        [labels[0] if label is None else label for label in labels],
        mask=[label is None for label in labels],
    ),
    "pandas objects": lambda labels: pd.Series(labels, dtype=object),
    "pandas nullable": as_pandas(nullable=True),
    "categorical": as_pandas(nullable=False),
    "Arrow in pandas": lambda labels: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.array(labels))
    ),
    "polars": pl.Series,
    "polars frame": lambda labels: pl.DataFrame({"label": labels}),
    "Arrow": pa.array,
    "Arrow batch": lambda labels: pa.RecordBatch.from_pydict({"label": labels}),
    "Arrow chunks": lambda labels: pa.chunked_array([labels[:7], labels[7:]]),
}


def source_and_target(kind, classes=None):
    classes = classes or KINDS[kind]
    y = [classes[code] for code in CODES]
    few = [classes[c] if k else None for c, k in zip(CODES_TGT, IS_KNOWN, strict=True)]
    return y, few


def linear(y, few, **given):
    return BaselineClassifier().fit(X, y, X_TGT, y_tgt=few, **given)


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_labels_of_both_domains_come_in_any_container(container, kind):
    y, few = source_and_target(kind)
    expected = linear(np.array(y), np.array(few, dtype=object))
    make = CONTAINERS[container]
    model = linear(make(y), make(few))
    assert model.classes_.tolist() == KINDS[kind]
    if DTYPES[kind] is not None:
        assert model.classes_.dtype == DTYPES[kind]
    assert np.array_equal(model.predict_proba(X_TGT), expected.predict_proba(X_TGT))
    assert model.score(X_TGT, make([KINDS[kind][c] for c in CODES_TGT])) > 0.4


MARKS = {
    "None": lambda known: np.where(IS_KNOWN, known, None),
    "NaN": lambda known: np.where(IS_KNOWN, known, np.nan),
    "NA": lambda known: np.where(IS_KNOWN, known.astype(object), pd.NA),
    "NaT": lambda known: np.where(IS_KNOWN, known.astype(object), pd.NaT),
    "masked constant": lambda known: np.array(
        [k if i else np.ma.masked for k, i in zip(known, IS_KNOWN, strict=True)],
        dtype=object,
    ),
    "-1": lambda known: np.where(IS_KNOWN, known, -1),
    "-1.0": lambda known: np.where(IS_KNOWN, known, -1.0),
    "-1 among objects": lambda known: np.where(IS_KNOWN, known.astype(object), -1),
    "where of pandas": lambda known: pd.Series(known).where(IS_KNOWN),
    "two marks": lambda known: np.where(
        IS_KNOWN, known.astype(object), [None, -1] * 20
    ),
}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("kind", ["int", "bool", "float"])
def test_whatever_marks_rows_without_a_label_classes_keep_their_type(kind, mark):
    y = np.array(KINDS[kind])[CODES]
    model = linear(y, MARKS[mark](np.array(KINDS[kind])[CODES_TGT]))
    assert model.classes_.dtype == y.dtype
    expected = linear(y, source_and_target(kind)[1])
    assert np.array_equal(model.predict_proba(X_TGT), expected.predict_proba(X_TGT))


def test_minus_one_is_a_class_where_it_is_one_in_y():
    y = np.array([-1, 1])[CODES]
    known = np.array([-1.0, 1.0])[CODES_TGT]
    by_nan = linear(y, np.where(IS_KNOWN, known, np.nan))
    by_none = linear(y, source_and_target("of both signs")[1])
    assert np.array_equal(by_nan.predict_proba(X), by_none.predict_proba(X))
    assert by_nan.classes_.tolist() == [-1, 1]
    for make in (np.array, list, pl.Series, pa.array, pd.Series):
        given = make(known.tolist())
        with pytest.raises(ValueError, match=r"numpy\.array\(y_tgt, dtype=object\)"):
            linear(y, given)
        all_known = linear(y, np.array(given, dtype=object))  # as the message says
        assert not np.array_equal(all_known.predict_proba(X), by_nan.predict_proba(X))


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="is of numpy 2")
def test_text_of_numpys_own_type_is_text():
    y, few = source_and_target("text")
    expected = linear(y, few)
    dtype = np.dtypes.StringDType(na_object=None)
    model = linear(np.array(y, dtype=dtype), np.array(few, dtype=dtype))
    assert model.classes_.tolist() == KINDS["text"]
    assert np.array_equal(model.predict_proba(X_TGT), expected.predict_proba(X_TGT))


@pytest.mark.parametrize("unit", ["Y", "ns"])
def test_dates_in_a_list_are_those_of_an_array(unit):
    dates = [np.datetime64(year, unit) for year in ("2020", "2021")]
    y, few = source_and_target("int", dates)
    model = linear(np.array(y), few)
    assert model.classes_.dtype == f"M8[{unit}]"
    assert model.score(X_TGT, [dates[c] for c in CODES_TGT]) > 0.4


def test_records_are_no_labels():
    records = np.array([(code,) for code in CODES], dtype=[("label", int)])
    with pytest.raises(ValueError, match=r"^y is an array of records.* y\['label'\]"):
        linear(records, None)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([1, "b"], r"classes holds labels of the types \['int', 'str'\]"),
        ([0.5, 1.5], "classes holds 2 numbers with fractions"),
        ([0.0, np.inf], "classes contains infinity"),
        ([b"a", b"b"], r"classes holds labels of the types \['bytes'\]"),
        ([None, 1], "classes must name labels"),
        ([], "classes is empty"),
        (enum.Enum("Kind", "a b"), r"classes holds labels of the types \['Kind'\]"),
    ],
)
def test_declared_classes_are_checked_as_labels_are(classes, message):
    classes = list(classes)
    with pytest.raises(ValueError, match=message):
        linear(CODES, None, classes=classes)
    clf = small()
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(X, CODES, X_TGT, classes=classes)
    assert not hasattr(clf, "classes_")


def test_classes_of_partial_fit_have_the_type_of_y_and_stay():
    names = np.array(["a", "a\0"], dtype=object)  # numpy's text would lose the last
    clf = small().partial_fit(X, names[CODES], X_TGT, classes=names)
    assert clf.classes_.tolist() == names.tolist()
    clf.partial_fit(X, names[CODES], X_TGT, classes=names[::-1])
    with pytest.raises(ValueError, match=r"not those of the first call"):
        clf.partial_fit(X, names[CODES], X_TGT, classes=["a", "b"])


def test_numbers_that_hardly_repeat_are_asked_about_at_the_users_line():
    with pytest.warns(UserWarning, match="60 different numbers in 60 rows") as found:
        linear(np.arange(60), None)
    assert [warning.filename for warning in found] == [__file__]


@pytest.mark.parametrize("label_use", ["choice", "training"])
def test_rows_to_label_names_labels_that_are_no_class(label_use):
    candidates = [("a", BaselineClassifier()), ("b", BaselineClassifier())]
    auto = AutoDANNClassifier(candidates, label_use=label_use).fit(X, CODES, X_TGT)
    few = np.array(source_and_target("int")[1], dtype=object)
    few[20:] = "?"
    with pytest.raises(ValueError, match=r"among the classes \[0, 1\]: '\?' \(20 of"):
        rows_to_label(auto, X_TGT, 3, y_tgt=few)


@pytest.mark.parametrize("display", [AlignmentDisplay, DomainBoundaryDisplay])
def test_minus_one_is_a_class_of_the_source_in_displays(display):
    y = np.array([-1, 1])[CODES]
    fitted = small().fit(X, y, X_TGT)
    display.from_estimator(fitted, X, X_TGT, y_src=y)
    with pytest.raises(ValueError, match="Pass y_tgt as an array of dtype object"):
        display.from_estimator(fitted, X, X_TGT, y_tgt=np.array([-1, 1])[CODES_TGT])


def small(**params):
    return DANNClassifier(**{**PLAIN, "max_epochs": 1, **params})


# Whoever takes target labels, called with (y, few, **given).
DOORS = {
    "fit": lambda y, few, **g: small(standardize="auto", target_prior="estimate").fit(
        X, y, X_TGT, y_tgt=few, **g
    ),
    "warm start": lambda y, few, **g: (
        small(warm_start=True).fit(X, y, X_TGT).fit(X, y, X_TGT, y_tgt=few, **g)
    ),
    "partial_fit": lambda y, few, classes=("ill", "ok"): small().partial_fit(
        X, y, X_TGT, y_tgt=few, classes=classes
    ),
    "baseline": linear,
    "combination": lambda y, few, **g: AutoDANNClassifier(
        [("a", BaselineClassifier()), ("b", BaselineClassifier(standardize="pooled"))]
    ).fit(X, y, X_TGT, y_tgt=few, **g),
    "search": lambda y, few, **g: (
        DANNGridSearchCV(small(), {"lambda_max": [0.0]}, cv=2)
        .fit(X, y, X_TGT, y_tgt=few, **g)
        .best_estimator_
    ),
    "search that trains with them": lambda y, few, **g: (
        DANNGridSearchCV(small(), {"lambda_max": [0.0]}, cv=2, label_use="training")
        .fit(X, y, X_TGT, y_tgt=few, **g)
        .best_estimator_
    ),
}
TEXT, TEXT_TGT = source_and_target("text")
UNKNOWN = {
    "a placeholder": ("?", r"'\?' \(28 of 28\)"),
    "another spelling": ("ok.", r"'ok\.' \(28 of 28\)"),
    "a number": (99, r"99 \(28 of 28\)"),
    "empty text": ("", r"'' \(28 of 28\)"),
    "a list": (["ok"], r"\['ok'\] \(28 of 28\)"),
}


@pytest.mark.parametrize("case", UNKNOWN)
@pytest.mark.parametrize("door", DOORS)
def test_a_label_that_y_lacks_is_refused_by_name(door, case):
    label, says = UNKNOWN[case]
    few = np.empty(40, dtype=object)
    few[:] = [label if known is None else known for known in TEXT_TGT]
    with pytest.raises(ValueError, match=rf"y_tgt .*\['ill', 'ok'\]: {says}.*None"):
        DOORS[door](TEXT, few)


@pytest.mark.parametrize("door", [door for door in DOORS if door != "warm start"])
def test_a_class_of_the_target_alone_can_be_declared(door):
    few = [("rare" if i < 3 else label) for i, label in enumerate(TEXT_TGT)]
    model = DOORS[door](TEXT, few, classes=["rare", "ok", "ill"])
    assert model.classes_.tolist() == ["ill", "ok", "rare"]
    assert model.predict_proba(X_TGT).shape == (40, 3)


NO_CLASSES = {
    "missing": ([None, 0, 1], "classes must name labels"),
    "NaN": ([0, 1, np.nan], "classes must name labels"),
    "one text": ("ab", "classes must be a dense column"),
    "a generator": ((c for c in (0, 1)), "classes must be a dense column"),
    "a number": (2, "classes must be a dense column"),
    "another type": (["a", "b"], r"\[0, 1\] are not among classes=\['a', 'b'\]"),
}


@pytest.mark.parametrize("case", NO_CLASSES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_classes_that_are_none_are_refused(method, case):
    classes, says = NO_CLASSES[case]
    with pytest.raises(ValueError, match=says):
        getattr(small(), method)(X, CODES, X_TGT, classes=classes)


@pytest.mark.parametrize("make", [set, dict.fromkeys, pd.Series, pl.Series])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_classes_come_in_any_container(method, make):
    classes = make([1, 0])
    classes = classes.keys() if isinstance(classes, dict) else classes
    model = getattr(small(), method)(X, CODES, X_TGT, classes=classes)
    assert model.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["int", "bool"])
def test_later_calls_do_not_change_the_type_of_classes(kind):
    y = np.array(KINDS[kind])[CODES]
    model = small(warm_start=True).partial_fit(X, y, X_TGT, classes=KINDS[kind])
    for train in (model.partial_fit, model.fit):
        train(X, y.astype(float), X_TGT)
        assert model.classes_.dtype == y.dtype


# Whoever compares predictions with labels of 60 rows.
JUDGES = {
    "score": lambda model, y: model.score(X, y, domain="source"),
    "scorer": lambda model, y: target_scorer("neg_dev", X_tgt=X_TGT)(model, X, y),
}


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.where(CODES, 1, -1), "y holds -1.*without a label"),
        (CODES.astype(str), "different types, text and numbers"),
        ([0, "1"] * 30, "different types, text and numbers"),
        (CODES[:-1], "inconsistent numbers of samples"),
    ],
)
def test_labels_that_no_prediction_could_match_are_no_errors_of_it(judge, y, says):
    model = small().fit(X, CODES, X_TGT)
    with pytest.raises(ValueError, match=says):
        JUDGES[judge](model, y)


@pytest.mark.parametrize("name", ["y_src", "y_tgt"])
def test_a_boundary_calls_labels_by_their_name(name):
    model = small().fit(X, CODES, X_TGT)
    with pytest.raises(ValueError, match=f"{name} has 5 entries"):
        DomainBoundaryDisplay.from_estimator(
            model, X, X_TGT, grid_resolution=3, **{name: CODES[:5]}
        )


def test_a_warm_start_keeps_its_classes():
    with pytest.raises(ValueError, match=r"\['rare'\] are not among classes"):
        DOORS["warm start"](TEXT, TEXT_TGT, classes=["ill", "ok", "rare"])


@pytest.mark.parametrize("fractional", [0.5, "0"])
def test_what_is_no_class_among_numbers_is_refused(fractional):
    few = [fractional] + [None] * 39
    with pytest.raises(ValueError, match=rf"classes \[0, 1\]: {fractional!r} \(1 of 1"):
        linear(CODES, few)


MISSING = {
    **{name: make for name, make in CONTAINERS.items() if name != "column"},
    "floats": lambda labels: np.array([np.nan if v is None else 1.0 for v in labels]),
    "times": lambda labels: np.array(
        ["NaT" if v is None else "2020" for v in labels], dtype="datetime64[D]"
    ),
}


@pytest.mark.parametrize("container", MISSING)
@pytest.mark.parametrize("door", ["fit", "baseline", "combination", "search"])
def test_rows_of_y_without_a_label_are_counted(door, container):
    y = [None if i in (3, 7) else label for i, label in enumerate(TEXT)]
    with pytest.raises(ValueError, match=r"2 of 60 rows have no label.*row 3.*X_tgt"):
        DOORS[door](MISSING[container](y), None)


def test_text_that_numpy_made_of_nan_is_no_class():
    y = np.array([np.nan if i == 3 else label for i, label in enumerate(TEXT)])
    with pytest.raises(ValueError, match="text 'nan', which numpy makes of a missing"):
        linear(y, None)


class Grade(enum.Enum):
    LOW = 1
    HIGH = 2


class Word(str, enum.Enum):  # noqa: UP042 - str() of it is not its text
    ILL = "ill"
    OK = "ok"


NO_LABELS = {
    "a regression": (X[:, 0], "continuous.*60 numbers with fractions.*digitize"),
    "several labels a row": (
        np.c_[CODES, CODES],
        "60, 2.*MultiOutputClassifier",
    ),
    "a frame of several": (
        pd.DataFrame({"a": CODES, "b": CODES}),
        "60, 2.*MultiOutputClassifier",
    ),
    "several types": (["a", 1] * 30, r"types \['int', 'str'\].*one type alone"),
    "lists": ([[1], [0, 1]] * 30, "list of rows of other lengths"),
    "one text": ("label", "one for each row; got a str"),
    "one number": (1, "one for each row; got a int"),
    "sparse": (sparse.csr_array(CODES[:, None]), "dense column of labels"),
    "bytes": ([b"a", b"b"] * 30, r"types \['bytes'\]: use integers.*text"),
    "members of an Enum": (list(Grade) * 30, r"types \['Grade'\].*str\(label\)"),
    "beyond 64 bits": ([2**70, 2**71] * 30, r"types \['int'\].*at most 64 bits"),
    "booleans and integers": ([True, 2] * 30, r"\['bool', 'int'\].*one type alone"),
    "complex": (CODES * 1j, r"types \['complex'\]"),
    "floats beyond integers": (CODES * 1e300 + 1e300, "too large for integers"),
    "a generator": ((c for c in CODES), "one for each row; got a generator"),
    "none": ([], "y is empty"),
}


def test_labels_that_are_a_kind_of_text_are_that_text():
    words = [Word.ILL, Word.OK]
    y, few = source_and_target("text", words)
    for make in (list, CONTAINERS["array of objects"], CONTAINERS["pandas objects"]):
        model = linear(make(y), make(few))
        assert model.classes_.tolist() == ["ill", "ok"]
        assert type(model.classes_[0]) is str
        of_text = [KINDS["text"][c] for c in CODES_TGT]
        for labels in (of_text, [words[c] for c in CODES_TGT]):
            assert model.score(X_TGT, labels) > 0.4


def test_a_mark_does_not_merge_large_integers():
    y = np.array([2**63, 2**63 + 1], dtype=np.uint64)[CODES]
    known = np.array([2**63, 2**63 + 1], dtype=np.uint64)[CODES_TGT].tolist()
    few = [v if k else -1 for v, k in zip(known, IS_KNOWN, strict=True)]
    expected = linear(CODES, source_and_target("int")[1]).predict_proba(X_TGT)
    assert np.array_equal(linear(y, few).predict_proba(X_TGT), expected)


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize("case", NO_LABELS)
def test_what_can_not_be_classes_is_explained(case):
    y, says = NO_LABELS[case]
    with pytest.raises(ValueError, match=says):
        small().fit(X, y, X_TGT)


@pytest.mark.usefixtures("small_forests")
def test_a_report_and_a_display_take_few_labels_in_any_container():
    y, few = source_and_target("int")
    clf = DANNClassifier(**SMALL).fit(X, y, X_TGT, y_tgt=few)
    expected = adaptation_report(clf, X, y, X_TGT, y_tgt=few, random_state=0).to_dict()
    for name in ("polars", "pandas nullable"):
        make = CONTAINERS[name]
        report = adaptation_report(
            clf, X, make(y), X_TGT, y_tgt=make(few), random_state=0
        )
        assert report.to_dict() == expected
        display = AlignmentDisplay.from_estimator(
            clf, X, X_TGT, y_src=make(y), y_tgt=make(few)
        )
        shown = display.labels[60:]
        assert shown[IS_KNOWN].tolist() == CODES_TGT[IS_KNOWN].tolist()
        assert shown[~IS_KNOWN].tolist() == clf.predict(X_TGT)[~IS_KNOWN].tolist()


def test_rows_that_have_a_label_are_not_drawn_again():
    auto = DOORS["combination"](TEXT, None)
    for make in CONTAINERS.values():
        rows, _ = rows_to_label(auto, X_TGT, 28, y_tgt=make(TEXT_TGT), random_state=0)
        assert not IS_KNOWN[rows].any()
