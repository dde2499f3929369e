"""Results as files, and the tables of the docs made from them.

`python benchmarks/reproduce/record.py` writes every table of the pages anew.
"""

import json
import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

# Experiments take it from here. The tables of results are of it unless they say
# otherwise.
from plain import PLAIN as PLAIN

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
PAGES = [
    ROOT / "docs" / f"{name}.md"
    for name in (
        *("results", "reliability", "pairs", "combining", "regression"),
        "guide/groups",
        "guide/after",
    )
]
PACKAGES = ["numpy", "scipy", "scikit-learn", "skorch", "torch", "skdann"]


def save(name, tables, **settings):
    """Write a result: its tables, the command, the versions, the settings (seeds).

    A table is a dict of ``columns`` and ``rows``; a cell is a text, a number, a list of
    numbers over seeds, shown as mean and standard deviation, or None.
    """
    record = {
        "command": " ".join(
            ["python", str(Path(sys.argv[0]).resolve().relative_to(ROOT))]
            + ["folder" if Path(arg).is_dir() else arg for arg in sys.argv[1:]]
        ),
        "environment": {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "settings": settings,
        "tables": tables,
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(_round(record), indent=1)
    text = re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", _one_line, text)  # numbers over seeds
    (RESULTS / f"{name}.json").write_text(text + "\n")
    for table in tables.values():
        print(to_markdown(table), end="\n\n")


def _round(value):
    """Return plain Python values for JSON, numbers to five digits after the point."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_round(item) for item in value]
    return round(value, 5) if isinstance(value, float) else value


def _one_line(match):
    return "[" + " ".join(match[1].split()) + "]"


def to_markdown(table):
    """Return a table in Markdown."""
    lines = [table["columns"], ["---"] * len(table["columns"])]
    lines += [[_cell(value) for value in row] for row in table["rows"]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, list):
        if len(value) == 1:
            return _number(value[0])
        return f"{_number(np.mean(value))} ± {_number(np.std(value))}"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value):
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")


_PLACE = re.compile(r"(<!-- table: (\w+)/(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page):
    """Return the text of a page, its tables made anew from the files."""

    def table(match):
        record = json.loads((RESULTS / f"{match[2]}.json").read_text())
        return f"{match[1]}{to_markdown(record['tables'][match[3]])}\n{match[4]}"

    return _PLACE.sub(table, page)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(fill(page.read_text()))
