"""Columns: what is wrong with them is said by name, by whoever reads both domains."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from helpers import make_domains
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdann import (
    AdaptationWarning,
    AutoDANNClassifier,
    BaselineClassifier,
    DANNClassifier,
    metrics,
)
from skdann.inspection import (
    AlignmentDisplay,
    DomainBoundaryDisplay,
    adaptation_report,
)
from skdann.model_selection import (
    DANNGridSearchCV,
    reverse_validation_score,
    target_scorer,
)

ROWS, Y, ROWS_TGT, _ = make_domains(60, 40)
SRC = pd.DataFrame(ROWS, columns=["weak", "strong"])
TGT = pd.DataFrame(ROWS_TGT, columns=["weak", "strong"])


def small(**params):
    return DANNClassifier(
        **{"max_epochs": 1, "n_estimators": 1, "random_state": 0, **params}
    )


FITTED = small().fit(SRC, Y, TGT)
TWO = [(name, BaselineClassifier(standardize=name)) for name in ("source", "domain")]

# Whoever reads both domains, called with (X, X_tgt); what it calls the target.
DOORS = {
    "fit": (lambda X, T: small().fit(X, Y, T), "X_tgt"),
    "partial_fit": (lambda X, T: small().partial_fit(X, Y, T, classes=[0, 1]), "X_tgt"),
    "baseline": (lambda X, T: BaselineClassifier().fit(X, Y, T), "X_tgt"),
    "combination": (
        lambda X, T: AutoDANNClassifier(TWO).fit(X, Y, T),
        "X_tgt",
    ),
    "search": (
        lambda X, T: DANNGridSearchCV(small(), {"lr": [0.01]}, cv=2).fit(X, Y, T),
        "X_tgt",
    ),
    "reverse validation": (
        lambda X, T: reverse_validation_score(small(), X, Y, T, random_state=0),
        "X_tgt",
    ),
    "density ratio": (metrics.density_ratio, "X_tgt"),
    "distance": (metrics.proxy_a_distance, "X_tgt"),
    "features": (AlignmentDisplay.from_features, "features_tgt"),
    "boundary": (
        lambda X, T: DomainBoundaryDisplay.from_estimator(FITTED, X, T),
        "X_tgt",
    ),
    # these ask the fitted estimator, which knows its columns
    "report": (lambda X, T: adaptation_report(FITTED, X, Y, T), "X"),
    "alignment": (lambda X, T: AlignmentDisplay.from_estimator(FITTED, X, T), "X"),
    "scorer": (
        lambda X, T: target_scorer("neg_dev", X_tgt=T)(FITTED, X, Y),
        "X",
    ),
}

NAN = TGT.assign(strong=TGT.strong.where(TGT.strong > 2.4))
WRONG = {
    "another order": (TGT[["strong", "weak"]], "order|order"),
    "one more": (TGT.assign(label="ok"), r"\['label'\]|label"),
    "one less": (TGT[["weak"]], r"\['strong'\]|strong"),
    "others": (TGT.rename(columns={"weak": "w"}), r"\['weak'\].*\['w'\]|weak"),
    "text": (TGT.assign(weak="high"), r"'weak' \(text, for example 'high'\).*OneHot"),
    "dates": (TGT.assign(weak=pd.Timestamp("2020")), r"dates.*'weak'.*reference date"),
    "NaN": (NAN, r"NaN.*1 of 2 columns: 'strong' \(\d+ of \d+ rows\).*SimpleImputer"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("door", DOORS)
def test_wrong_columns_of_the_target_are_named(door, case):
    call, name = DOORS[door]
    wrong, says = WRONG[case]
    with pytest.raises(ValueError, match=says) as caught:
        call(SRC, wrong)
    text = str(caught.value)
    assert name in text or "feature names" in text.lower()


RECORDS = np.rec.fromarrays(ROWS_TGT.T, names="weak,strong")
NO_TABLES = {
    "two of one name": (
        TGT.set_axis(["weak", "weak"], axis=1),
        r"several columns of one name: \['weak'\]\. Rename them",
    ),
    "two of one name in Arrow": (
        pa.table([pa.array(column) for column in ROWS_TGT.T], names=["weak", "weak"]),
        r"several columns of one name: \['weak'\]\. Rename them",
    ),
    "records": (RECORDS, r"holds records.*pandas\.DataFrame"),
    "records in a plain array": (np.array(RECORDS), r"holds records"),
    "dicts": (TGT.to_dict("records"), r"holds records.*pandas\.DataFrame"),
    "rows of other lengths": (
        [[1.0, 2.0]] * 39 + [[1.0]],
        "rows have other lengths|has the shape|no numbers",
    ),
}


@pytest.mark.parametrize("case", NO_TABLES)
@pytest.mark.parametrize("door", sorted(set(DOORS) - {"report", "alignment", "scorer"}))
def test_what_is_no_table_is_told_what_to_do(door, case):
    call, name = DOORS[door]
    wrong, says = NO_TABLES[case]
    with pytest.raises(ValueError, match=says) as caught:
        call(SRC, wrong)
    assert name in str(caught.value)


def test_a_frame_of_dask_has_to_be_computed():
    dask = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    lazy = dask.from_pandas(TGT, npartitions=2)
    for call, _ in DOORS.values():
        with pytest.raises(ValueError, match=r"is a lazy frame\. Pass .*\.compute\(\)"):
            call(SRC, lazy)


DAY = dt.date(2020, 1, 2)
TEMPORAL = {
    "date": [DAY] * 60,
    "time": [dt.time(1)] * 60,
    "datetime": [dt.datetime(2020, 1, 1)] * 60,
    "duration": [dt.timedelta(days=1)] * 60,
}
FRAMES = {
    "pandas": pd.DataFrame,
    "pandas of Arrow": lambda columns: pa.table(columns).to_pandas(
        types_mapper=pd.ArrowDtype
    ),
    "polars": pl.DataFrame,
    "Arrow table": pa.table,
    "Arrow batch": pa.RecordBatch.from_pydict,
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("kind", TEMPORAL)
def test_times_are_never_read_as_numbers(frame, kind):
    X = FRAMES[frame]({"weak": ROWS[:, 0], "when": TEMPORAL[kind]})
    with pytest.raises(ValueError, match=r"'when'.*reference date"):
        small().fit(X, Y)


OTHER_TIMES = {
    "period": pd.period_range("2020", periods=60, freq="D"),
    "time zone": pd.date_range("2020", periods=60, tz="UTC"),
    "text": ["2020-01-02"] * 60,
    "text of a day and an hour": ["2/1/2020 10:00"] * 60,
    "text of an hour": ["10:00"] * 60,
    "text of a month": ["2020-01"] * 60,
    "text with the name of a month": ["31 January 2020"] * 60,
}


@pytest.mark.parametrize("kind", OTHER_TIMES)
def test_times_in_other_clothes_are_told_to_become_numbers(kind):
    with pytest.raises(ValueError, match=r"'when'.*reference date") as caught:
        small().fit(SRC.assign(when=OTHER_TIMES[kind]), Y)
    assert "OneHotEncoder" not in str(caught.value)


@pytest.mark.parametrize(
    "rows", [np.full((60, 2), "2020", dtype="M8[D]"), np.full((60, 2), DAY)], ids=str
)
def test_arrays_of_times_are_refused(rows):
    with pytest.raises(ValueError, match=r"dates.*reference date"):
        small().fit(rows, Y)


MISSING = {
    "nullable": pd.array([None, *range(59)], dtype="Int64"),
    "Arrow": pd.array([None, *range(59)], dtype="int64[pyarrow]"),
    "objects": pd.Series([None, *range(59)], dtype=object),
    "NaN": [np.nan, *range(59)],
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_counted_by_column(kind):
    X = SRC.assign(weak=MISSING[kind])
    with pytest.raises(ValueError, match=r"'weak' \(1 of 60 rows\).*SimpleImputer"):
        small().fit(X, Y, TGT)
    with pytest.raises(ValueError, match=r"'weak' \(1 of 60 rows\).*SimpleImputer"):
        FITTED.predict(X)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_values_of_lists_are_counted_too(missing):
    X = [[missing, 1.0], *ROWS[1:].tolist()]
    with pytest.raises(ValueError, match=r"0 \(1 of 60 rows\).*SimpleImputer"):
        small().fit(X, Y, TGT)


@pytest.mark.parametrize("frame", [pl.from_pandas, pa.table])
def test_missing_values_of_other_frames_are_counted_too(frame):
    X = frame(SRC.assign(weak=pd.array([None, *range(59)], dtype="Int64")))
    with pytest.raises(ValueError, match=r"'weak' \(1 of 60 rows\).*SimpleImputer"):
        small().fit(X, Y, TGT)


def test_masked_values_are_missing():
    X = np.ma.array(ROWS, mask=np.zeros_like(ROWS, dtype=bool))
    X[3, 1] = np.ma.masked
    with pytest.raises(ValueError, match=r"NaN.*1 \(1 of 60 rows\)"):
        small().fit(X, Y)


def test_a_target_that_went_around_the_transformers_is_told_so():
    raw = TGT.assign(strong="high")
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline(StandardScaler(), small())
        with pytest.raises(ValueError, match=r"went around.*transform_input"):
            pipe.fit(SRC, Y, X_tgt=raw)
    with pytest.raises(ValueError, match=r"went around.*transform_input"):
        pipe.fit(SRC, Y, dannclassifier__X_tgt=raw)


@pytest.mark.parametrize(
    ("X", "y", "X_tgt", "says"),
    [
        ([ROWS, ROWS], [Y, Y], ROWS_TGT, "X is a list of 2 tables.*concat"),
        ([SRC, SRC], Y, TGT, "X is a list of 2 tables.*concat"),
        (ROWS, Y, [ROWS_TGT, ROWS_TGT], "X_tgt is a list of 2 tables"),
        (SRC, Y, [TGT, TGT], "X_tgt is a list of 2 tables"),
        ({"a": ROWS}, Y, ROWS_TGT, r"X is a dict with the keys \['a'\]"),
        (ROWS, Y, {"a": ROWS_TGT}, r"X_tgt is a dict with the keys \['a'\]"),
        (pl.from_pandas(SRC).lazy(), Y, TGT, r"X is a lazy frame.*X\.collect\(\)"),
        (ROWS, Y, list(Y), "X_tgt must hold rows.*y_tgt"),
        (iter(ROWS), Y, ROWS_TGT, "X is a .*iterator.*one table"),
        (None, Y, ROWS_TGT, "X is a NoneType.*one table"),
        (ROWS, Y, "rows", "X_tgt is a str.*one table"),
        (SRC[[]], Y, TGT, "X has no columns"),
        (ROWS.astype(str), Y, TGT, r"text.*numpy\.asarray\(X, dtype=float\)"),
    ],
)
def test_what_is_not_one_table_is_refused(X, y, X_tgt, says):
    with pytest.raises(ValueError, match=says):
        small().fit(X, y, X_tgt)


@pytest.mark.parametrize("name", [None, np.nan, ("a", "b"), 1.5])
def test_columns_of_odd_names_are_read_and_named(name):
    small(lambda_max=0).fit(SRC.set_axis([name, 7], axis=1), Y)
    with pytest.raises(ValueError, match=r"text, for example 'high'"):
        small().fit(pd.DataFrame({name: ["high"] * 60, 7: ROWS[:, 0]}), Y)


def test_columns_of_one_name_are_refused():
    twice = pd.DataFrame(ROWS, columns=["weak", "weak"])
    with pytest.raises(ValueError, match="several columns of one name"):
        small().fit(twice, Y)


@pytest.mark.parametrize("rows", [ROWS, ROWS[::-1], ROWS[10:50]], ids=len)
def test_a_target_that_is_the_source_is_told(rows):
    with pytest.warns(AdaptationWarning, match="rows of X_tgt are rows of X"):
        small().fit(ROWS, Y, rows)


def test_a_sparse_target_that_is_the_source_is_told():
    X = sparse.csr_array(ROWS)
    with pytest.warns(AdaptationWarning, match="rows of X_tgt are rows of X"):
        small().fit(X, Y, X.copy())


def test_rows_of_few_values_are_alike_without_being_the_same():
    rng = np.random.default_rng(0)
    X, X_tgt = rng.integers(0, 2, (2, 400, 9)).astype(float)
    small().fit(X, X[:, 0].astype(int), X_tgt)  # a warning would be an error


def test_a_target_of_hardly_any_rows_is_told():
    with pytest.warns(AdaptationWarning, match="X_tgt has 3 rows: too few"):
        small().fit(ROWS, Y, ROWS_TGT[:3])


def test_columns_that_are_left_large_are_told():
    large, large_tgt = ROWS + np.array([130, 0]), ROWS_TGT + np.array([130, 0])
    with pytest.warns(AdaptationWarning, match=r"1 of 2 columns.*column 0.*standardi"):
        small(standardize=None).fit(large, Y, large_tgt)
    small(standardize="source").fit(large, Y, large_tgt)  # is not
