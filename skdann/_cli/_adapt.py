"""``adapt``: read, understand, train, judge and write."""

import json
import warnings
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from .. import save
from ..inspection import column_shift
from ..inspection._column_shift._shift import HEADS, table_of
from ._columns import understand
from ._errors import InputError
from ._label import check_label, read_label
from ._numerals import mark_of_file
from ._output import check_free, folder_at_once
from ._predicted import Predicted
from ._read import Format, read_table
from ._repeated import doubt_repeated
from ._summary import to_html, to_text
from ._train import train
from ._trust import FEWEST_KNOWN, judge
from ._unlike import describe_unlike, learn_limits

# Columns whose shift is shown.
MOST_SHIFTED = 6

EXIT_CODES = {"for": 0, "open": 3, "against": 4}


def adapt(options):
    """Do what ``skdann adapt`` is told; return the exit code.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command.
    """
    path = Path(options.output or f"{Path(options.target).stem}-adapted")
    check_free(path, options.force)
    source, target = files = _read(options)
    decimals = [mark_of_file(file) or options.decimal for file in files]
    label = read_label(source, target, options.label, options.task, decimals)
    columns, tables = understand(
        source, target, options.label, decimals=decimals, options=options
    )
    name = options.id or _name_of_rows(columns, target, options.drop)
    names = None if name is None else target[name]
    y_tgt, of_target = _labels_to_use(label, options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained = train(tables, label, y_tgt, options)
        predicted = Predicted.of(trained.pipeline, tables[1])
        limits = learn_limits(tables[0], [c for c in columns if not c.left_out])
        unlike = describe_unlike(tables[1], limits)
        found = judge(trained, label, predicted.values, unlike, options)
        found = doubt_repeated(found, tables)
        shift = None if options.quick else _shift(trained, options.seed)
    of_network = found.pop("of_network")
    report = {
        "skdann": version("skdann"),
        "files": {"source": options.source, "target": options.target},
        "n_rows": [len(table) for table in tables],
        "n_trained": [len(trained.X), len(trained.X_tgt)],
        "label": {
            "name": label.name,
            "task": label.task,
            "why": label.why,
            "of_target": of_target,
        },
        "id": name,
        "columns": [asdict(column) for column in columns],
        **found,
        "shift": shift,
        "exit_code": EXIT_CODES[found["verdict"]],
        "unlike_columns": _count_columns(unlike),
        "limits": limits,
        "warnings": list(dict.fromkeys(str(w.message) for w in caught)),
    }
    report["to_label_names"] = (
        None if names is None else [str(n) for n in names.iloc[report["to_label"]]]
    )
    with folder_at_once(path) as folder:
        frame = predicted.to_frame(label.name, unlike, names)
        frame.to_csv(folder / "predictions.csv", index=False)
        report["warnings"] += _save(trained.pipeline, folder / "model.skdann")
        text = json.dumps(report, indent=1, allow_nan=False)
        (folder / "report.json").write_text(text, encoding="utf-8")
        page = to_html(report, of_network)
        (folder / "report.html").write_text(page, encoding="utf-8")
    if options.json:
        print(text)
    elif not options.quiet:
        print(f"{to_text(report)}\n\nWritten: {path}/")
    return report["exit_code"]


def _name_of_rows(columns, target, dropped):
    """Return the first column of the target that names its rows, or None."""
    for column in columns:
        if column.names_rows and column.name in target and column.name not in dropped:
            return column.name
    return None


def _save(pipeline, path):
    """Write the model; return as warnings why that can't be: the rest need not go."""
    try:
        save(pipeline, path)
    except TypeError as error:
        return [f"The model is not stored. {error}"]
    return []


def _read(options):
    """Return both files, the source with a label in each row."""
    how = format_of(options)
    if Path(options.source).resolve() == Path(options.target).resolve():
        raise InputError(
            f"{options.source} is given twice. The first file has the labels, the "
            "second one is of the place where predictions are wanted."
        )
    source = read_table(options.source, how)
    if options.drop_unlabelled and options.label in source:
        source = source.dropna(subset=[options.label]).reset_index(drop=True)
    check_label(source, options.label, options.source)
    return source, read_table(options.target, how)


def format_of(options):
    """Return how files are written, as far as it is told."""
    return Format(
        options.separator, options.decimal, options.encoding, tuple(options.missing)
    )


def _labels_to_use(label, options):
    """Return labels of the target that may be learned from, and a sentence on them."""
    known = label.is_known
    n, of = int(known.sum()), len(known)
    if not n:
        return None, "The target holds no label."
    if n < of:
        return label.y_tgt, (
            f"{n} rows of the target are labelled: they are learned from, too."
        )
    if options.use_target_labels:
        return label.y_tgt, (
            "The target is labelled in all rows, and these labels are learned from: "
            "nothing is left to measure the predictions by."
        )
    use = "they only measure the predictions"
    if n < FEWEST_KNOWN:
        use = f"they are used for nothing, and are too few to measure by (of {n})"
    return None, (
        f"The target is labelled in all rows: {use}. With --use-target-labels they are "
        "learned from."
    )


def _shift(trained, seed):
    """Return which columns differ most, as figures and as shown."""
    shift = column_shift(trained.X, trained.X_tgt, random_state=seed)
    shown = [HEADS, *table_of(shift, MOST_SHIFTED)]
    return {**shift.to_dict(), "shown": [row[:-1] for row in shown]}


def _count_columns(unlike):
    """Return how many rows are unlike the source by each column, most first."""
    counts = Counter(
        reason.partition("=")[0]
        for of_row in unlike
        if of_row
        for reason in of_row.split("; ")
    )
    return dict(counts.most_common())
