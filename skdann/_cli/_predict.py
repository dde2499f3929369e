"""``predict``: apply a model to a file."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from .. import load
from .._io._container import write_bytes
from ._adapt import format_of
from ._errors import InputError
from ._numerals import mark_of_file
from ._output import check_new
from ._predicted import Predicted
from ._read import first_few, read_table
from ._spellings import Spellings
from ._unlike import describe_unlike
from ._values import read_values


def predict(options):
    """Do what ``skdann predict`` is told; return the exit code.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command.
    """
    path = Path(options.output or f"{Path(options.table).stem}-predictions.csv")
    check_new(path, options.force)
    pipeline, report = _load(options.model)
    raw = read_table(options.table, format_of(options))
    if options.id is not None and options.id not in raw:
        raise InputError(f"{options.table} has no column {options.id!r}.")
    table = _take_columns(raw, report, options)
    name = options.id or report.get("id")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predicted = Predicted.of(pipeline, table)
    for message in dict.fromkeys(str(w.message) for w in caught):
        print(f"Warning: {message}", file=sys.stderr)
    unlike = describe_unlike(table, report["limits"])
    names = raw.get(name)
    frame = predicted.to_frame(report["label"]["name"], unlike, names)
    write_bytes(path, frame.to_csv(index=False).encode())
    share = np.mean([bool(reason) for reason in unlike])
    print(f"{len(frame):,} rows predicted, {share:.0%} unlike the source: {path}")
    return 0


def read_report(folder):
    """Return what ``report.json`` in a folder holds."""
    path = Path(folder) / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        report["limits"], report["columns"], report["label"], report["verdict"]
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no report of `skdann adapt`.") from error
    return report


def _load(path):
    """Return the Pipeline of a file, and the report beside it."""
    try:
        pipeline = load(path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (ValueError, OSError) as error:
        raise InputError(str(error)) from error
    return pipeline, read_report(Path(path).parent)


def _take_columns(raw, report, options):
    """Return the columns of the model, of the kinds that it has learned."""
    import pandas as pd

    wanted = [c for c in report["columns"] if not c["left_out"]]
    lacking = [c["name"] for c in wanted if c["name"] not in raw]
    if lacking:
        raise InputError(
            f"{options.table} lacks columns that the model was trained on: "
            f"{first_few(lacking)}."
        )
    decimal = mark_of_file(raw) or options.decimal
    return pd.DataFrame(
        {c["name"]: _read_column(raw[c["name"]], c, decimal, options) for c in wanted}
    )


def _read_column(column, wanted, decimal, options):
    kind, name, how = wanted["kind"], wanted["name"], wanted["written"]
    if kind == "number":
        decimal = decimal or how
    values = read_values(column, decimal, as_text=kind == "text")
    if values.kind == "date" and how:
        again = read_values(column, date_format=how)
        values = again if again.missing == values.missing else values
    if values.kind == "nothing":
        return _nothing(column, kind)
    if values.kind != kind:
        examples = first_few([repr(value) for value in column.dropna()[:3]])
        raise InputError(
            f"Column {name!r} held {kind}s where the model was trained, but in "
            f"{options.table} {examples}. What means missing can be told by --missing."
        )
    if wanted["categories"]:
        return _as_learned(values.column, wanted["categories"])
    return values.column


def _as_learned(column, categories):
    """Return text with words spelled as when the model was trained."""
    import pandas as pd

    spelled = Spellings(pd.Series(categories)).of(column)
    return column.where(column.isin(categories), spelled)


def _nothing(column, kind):
    """Return a column without any value, of the type of its kind."""
    import pandas as pd

    types = {"number": "float64", "date": "datetime64[ns]", "text": "str"}
    return pd.Series([None] * len(column), column.index, dtype=types[kind])
