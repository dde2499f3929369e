"""Render a report as text and as HTML."""

import base64
import io
import textwrap
from functools import partial
from html import escape

from .._history import HistoryDisplay
from .._text import align

WIDTH = 88


def _title(measures):
    n_source, n_target = measures.n_rows
    return (
        f"Adaptation report: {n_source:,} source rows, {n_target:,} target rows, "
        f"{measures.kind}, lambda_max={measures.lambda_max:g}"
    )


def _paragraphs(report):
    """Return what is said first: what to do, and why."""
    return [report.recommendation, *report.measures.reasons(report.verdict)]


def to_text(report):
    """Return the report in lines of at most ``WIDTH`` characters."""
    lines = [_title(report.measures), ""]
    for text in _paragraphs(report):
        lines += [*textwrap.wrap(text, WIDTH), ""]
    for title, heads, rows in report.measures.tables():
        lines += [*textwrap.wrap(title, WIDTH), *align([heads, *rows]), ""]
    for finding in report.findings:
        mark = "!" if finding.is_warning else "-"
        lines += _wrap(finding.what, f"{mark} ")
        lines += _wrap(finding.meaning, "  ")
        lines += _wrap("Try: " + finding.advice, "  ")
        lines.append("")
    if not report.findings:
        lines += ["Nothing suspicious was found.", ""]
    return "\n".join(lines).rstrip()


def _wrap(text, start):
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent="  ")


_COLORS = {
    "light": {
        "ink": "#1a1a1a", "paper": "#ffffff", "faint": "#666666", "line": "#cccccc",
        "good": "#2e8b57", "doubt": "#d9822b", "bad": "#c0392b", "note": "#8a8a8a",
    },
    "dark": {
        "ink": "#e4e4e4", "paper": "#1a1a1a", "faint": "#a3a3a3", "line": "#555555",
        "good": "#4fbf82", "doubt": "#e69a4c", "bad": "#e8695b", "note": "#8a8a8a",
    },
}  # fmt: skip


def colors(selector):
    """Return the style that names all colors, light and dark, for what is selected."""
    light, dark = (
        "".join(f"--skdann-{name}: {color}; " for name, color in named.items())
        for named in _COLORS.values()
    )
    return f"""
{selector} {{color-scheme: light dark; {light}}}
@media (prefers-color-scheme: dark) {{{selector} {{{dark}}}}}
"""


# Notebooks color tables and every other row: cells say their colors themselves.
# Pictures are drawn once, on white; in the dark they are inverted, but for their hues,
# so that white becomes the paper's color.
_STYLE = f"""{colors(".skdann-report")}
.skdann-report {{font: 14px/1.45 system-ui, sans-serif; max-width: 56em; margin: 1em;
  color: var(--skdann-ink); background: var(--skdann-paper); padding: 1em 1.4em;
  border: 1px solid var(--skdann-line); border-radius: 6px}}
.skdann-report h1 {{font-size: 1.25em; margin: 0 0 .6em; color: inherit}}
.skdann-report h2 {{font-size: 1em; margin: 1.4em 0 .4em; color: inherit}}
.skdann-report p {{color: inherit}}
.skdann-report table {{border-collapse: collapse; margin: 0; font-size: inherit}}
.skdann-report th, .skdann-report td {{padding: .15em .9em .15em 0; text-align: right;
  font-weight: normal; color: var(--skdann-ink); background: var(--skdann-paper)}}
.skdann-report th {{color: var(--skdann-faint);
  border-bottom: 1px solid var(--skdann-line)}}
.skdann-report td:first-child, .skdann-report th:first-child, .skdann-report .words
  {{text-align: left}}
.skdann-report .verdict {{font-size: 1.1em; font-weight: 600}}
.skdann-report .finding {{border-left: 4px solid var(--skdann-note);
  padding: .1em 0 .1em .9em; margin: .8em 0}}
.skdann-report .warning {{border-color: var(--skdann-doubt)}}
.skdann-report .finding p {{margin: .2em 0}}
.skdann-report img {{max-width: 100%; margin: .4em 0; display: block}}
@media (prefers-color-scheme: dark)
  {{.skdann-report img {{filter: invert(.9) hue-rotate(180deg)}}}}
"""


def to_html(report, *, whole_page):
    """Return the report as HTML, with its pictures embedded."""
    measures = report.measures
    first, *rest = _paragraphs(report)
    parts = [
        f"<h1>{escape(_title(measures))}</h1>",
        f'<p class="verdict">{escape(first)}</p>',
        *(f"<p>{escape(text)}</p>" for text in rest),
        *map(_finding_to_html, report.findings),
        *(
            f"<h2>{escape(title)}</h2>{table_to_html(heads, rows)}"
            for title, heads, rows in measures.tables()
        ),
        *_figures_to_html(measures),
    ]
    body = f'<div class="skdann-report"><style>{_STYLE}</style>{"".join(parts)}</div>'
    if not whole_page:
        return body
    return page("Adaptation report", body)


def page(title, body, style=""):
    """Return a page of HTML that needs nothing else."""
    style = style and f"<style>{style}</style>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>{style}</head><body>{body}</body></html>\n"
    )


def _finding_to_html(finding):
    kind = "finding warning" if finding.is_warning else "finding"
    return (
        f'<div class="{kind}"><p><b>{escape(finding.what)}</b></p>'
        f"<p>{escape(finding.meaning)}</p><p><i>Try:</i> {escape(finding.advice)}</p>"
        "</div>"
    )


def table_to_html(heads, rows):
    """Return a table of words and numbers."""
    of_words = [_is_words("".join(column)) for column in zip(*rows, strict=True)]
    head = _row_to_html("th", heads, of_words)
    body = "".join(_row_to_html("td", row, map(_is_words, row)) for row in rows)
    return f"<table>{head}{body}</table>"


def _row_to_html(tag, cells, of_words):
    marks = [' class="words"' if is_words else "" for is_words in of_words]
    filled = [
        f"<{tag}{mark}>{escape(text)}</{tag}>"
        for text, mark in zip(cells, marks, strict=True)
    ]
    return f"<tr>{''.join(filled)}</tr>"


def _is_words(text):
    return any(map(str.isalpha, text))


def _figures_to_html(measures):
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return []
    pictures = []
    for title, size, draw in (
        ("Both domains, before and after", (9, 6), measures.alignment.plot),
        ("Training", (9, 5), partial(HistoryDisplay.from_history, measures.history)),
    ):
        figure = Figure(figsize=size, layout="constrained")  # of no window
        draw(ax=figure.subplots(2, 2))
        pictures.append(f"<h2>{title}</h2>{_picture(figure, title)}")
    return pictures


def _picture(figure, title):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{title}" src="data:image/png;base64,{data}">'
