"""What is told of an output: sections of text and tables, for the terminal and HTML."""

import textwrap
from html import escape
from pathlib import Path

from ..inspection._report._render import WIDTH, colors, page, table_to_html
from ..inspection._text import align
from ._read import first_few

MOST_MODELS = 8

_STYLE = f"""{colors(":root")}
body {{font: 15px/1.5 system-ui, sans-serif; color: var(--skdann-ink);
  background: var(--skdann-paper); max-width: 60em; margin: 0 auto; padding: 1em}}
h1 {{font-size: 1.3em; line-height: 1.3; overflow-wrap: anywhere}}
h2 {{font-size: 1.05em; margin: 1.8em 0 .4em}}
.verdict {{border-left: 5px solid var(--skdann-note); padding: .4em 0 .4em 1em;
  margin: 1em 0}}
.verdict p {{margin: .3em 0}}
.verdict p:first-child {{font-size: 1.15em; font-weight: 600}}
.for {{border-color: var(--skdann-good)}} .open {{border-color: var(--skdann-doubt)}}
.against {{border-color: var(--skdann-bad)}}
.scroll {{overflow-x: auto}}
table {{border-collapse: collapse; font-size: .93em}}
th, td {{text-align: right; font-weight: normal; padding: .2em .9em .2em 0;
  vertical-align: top}}
th {{color: var(--skdann-faint); border-bottom: 1px solid var(--skdann-line);
  white-space: nowrap}}
td:first-child, th:first-child, .words {{text-align: left}}
td:first-child {{white-space: nowrap}}
td:last-child.words {{min-width: 11em}}
details {{margin: 2em 0}} summary {{cursor: pointer; font-weight: 600}}
.skdann-report {{margin: 1em 0 !important; overflow-x: auto}}
"""


def sections(report):
    """Return title, paragraphs and table of each section; a table may be None.

    Parameters
    ----------
    report : dict
        What ``report.json`` holds.
    """
    yield "Data", _of_data(report), None
    used = [c for c in report["columns"] if not c["left_out"]]
    out = [c for c in report["columns"] if c["left_out"]]
    yield f"Columns used: {len(used)}", [], _table_of_columns(used)
    if out:
        rows = [[c["name"], c["left_out"]] for c in out]
        yield f"Columns left out: {len(out)}", [], (["column", "why"], rows)
    if report["shift"]:
        yield "What differs most", *_of_shift(report["shift"])
    yield "What was trained", *_of_models(report)
    yield "Predictions", *_of_predictions(report)
    yield "Unlike the source", _of_unlike(report), None
    if report["to_label"]:
        yield "Rows to label first", _of_labels(report), None
    if report["warnings"]:
        yield "Warnings", report["warnings"], None


def _of_data(report):
    files, label = report["files"], report["label"]
    texts = [
        f"Source: {files['source']}, {report['n_rows'][0]:,} rows. "
        f"Target: {files['target']}, {report['n_rows'][1]:,} rows.",
        f"Predicted: {label['name']}, by {label['task']}: {label['why']}.",
        label["of_target"],
    ]
    if report["n_trained"] != report["n_rows"]:
        n, n_tgt = report["n_trained"]
        texts.append(
            f"Trained on {n:,} rows of the source and {n_tgt:,} of the target, drawn "
            "at random: --max-rows."
        )
    return texts


def _table_of_columns(columns):
    heads = ["column", "holds", "missing, source", "target", "note"]
    rows = []
    for c in columns:
        note = [*c["notes"]]
        if c["new"]:
            new = [f"{value!r} ({n} rows)" for value, n in c["new"].items()]
            note.append(f"only in the target: {first_few(new, 3)}")
        missing = [f"{share:.0%}" for share in c["missing"]]
        rows.append([c["name"], c["kind"], *missing, "; ".join(note)])
    return heads, rows


def _of_shift(shift):
    heads, *rows = shift["shown"]
    texts = ["Means, shares of a category, or shares of missing values."]
    if shift["auc"] is not None:
        texts.append(
            f"A random forest tells the files apart with an area under the ROC curve "
            f"of {shift['auc']:.2f}: .5 is not at all, 1 always."
        )
    return texts, (heads, rows)


def _of_models(report):
    models = report["models"]
    names = models["candidate"][:MOST_MODELS]
    heads = ["model", "weight", "agreement", "with the whole"]
    likeness = models.get("same_prediction") or models["concordance"]
    columns = [models["weight"], models["agreement"], likeness]
    rows = [
        [name, f"{weight:.0%}", *("" if v is None else f"{v:.2f}" for v in others)]
        for name, weight, *others in zip(names, *columns, strict=False)
    ]
    more = len(models["candidate"]) - len(names)
    if more:
        rows.append([f"and {more} more", "", "", ""])
    told = (
        "Agreement is the mean of Cohen's kappa with the others; with the whole, the "
        "share of rows that are predicted alike."
    )
    if report["label"]["task"] == "regression":
        told = "Agreement is the mean of Lin's concordance with the others."
    return [report["reason"], told], (heads, rows)


def _of_predictions(report):
    if report["label"]["task"] == "regression":
        rows = [
            [name, *(f"{report[name][q]:.4g}" for q in ("low", "median", "high"))]
            for name in ("source", "target")
        ]
        return [], (["", "5% below", "median", "5% above"], rows)
    rows = [
        [c["class"], f"{c['source']:.1%}", f"{c['target']:.1%}"]
        for c in report["classes"]
    ]
    return [], (["class", "source", "target, as predicted"], rows)


def _of_unlike(report):
    share, n = report["unlike"], report["n_rows"][1]
    texts = [
        f"{share:.1%} of the {n:,} rows of the target lie beyond what 99% of the "
        "source hold in some column, or hold a category that it lacks. That is usual "
        "where instruments differ; where they do not, their predictions are guesses. "
        "predictions.csv says why, row by row."
    ]
    columns = report["unlike_columns"]
    if columns:
        most = [f"{name} ({count} rows)" for name, count in columns.items()]
        texts.append(f"Most often by {first_few(most, 3)}.")
    return texts


def _of_labels(report):
    label, target = report["label"]["name"], report["files"]["target"]
    rows = [str(row + 1) for row in report["to_label"]]
    names = report["to_label_names"]
    if names is not None:
        rows = [f"{row} ({name})" for row, name in zip(rows, names, strict=True)]
    rows = first_few(rows, 20)
    return [
        f"Rows {rows} of {target} (the first below the names is row 1): models "
        f"disagree there, so that their labels tell most. Write them into a column "
        f"{label!r} of that file, leave the others empty, and run the command again."
    ]


def to_text(report):
    """Return what the terminal shows."""
    lines = []
    for title, texts, table in sections(report):
        lines.append(title)
        lines += [line for text in texts for line in _wrap(text)]
        if table:
            heads, rows = table
            lines += align([heads, *rows])
        lines.append("")
    lines += textwrap.wrap(f"Verdict: {report['verdict']}. {report['advice']}", WIDTH)
    lines += [line for reason in report["reasons"] for line in _wrap(reason)]
    return "\n".join(lines)


def _wrap(text):
    return textwrap.wrap(
        text,
        WIDTH - 2,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,  # options are typed as they stand
    )


def to_html(report, of_network=None):
    """Return a page that needs nothing else.

    Parameters
    ----------
    report : dict
        What ``report.json`` holds.
    of_network : AdaptationReport or None
        On the network that counts most.
    """
    source, target = (Path(report["files"][of]).name for of in ("source", "target"))
    title = f"{report['label']['name']} of {target}"
    parts = [
        f"<h1>{escape(title)}, learned from {escape(source)}</h1>",
        f'<div class="verdict {report["verdict"]}"><p>{escape(report["advice"])}</p>',
        *(f"<p>{escape(reason)}</p>" for reason in report["reasons"]),
        "</div>",
    ]
    for head, texts, table in sections(report):
        parts.append(f"<h2>{escape(head)}</h2>")
        parts += [f"<p>{escape(text)}</p>" for text in texts]
        if table:
            parts.append(f'<div class="scroll">{table_to_html(*table)}</div>')
    if of_network is not None:
        name = escape(report["network"])
        parts.append(
            f"<details><summary>Report on the network that counts most, {name}"
            "</summary><p>It is on this one model: whether adapting helped it, and "
            "whether it alone could be used. The predictions are of all models "
            f"together.</p>{of_network._repr_html_()}</details>"
        )
    return page(title, "".join(parts), _STYLE)
