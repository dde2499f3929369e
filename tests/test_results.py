"""The published tables are those of the files that experiments wrote."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results.md"
RESULTS = sorted((ROOT / "docs" / "results").glob("*.json"))


@pytest.fixture(scope="module")
def record():
    path = ROOT / "benchmarks" / "reproduce" / "record.py"
    spec = importlib.util.spec_from_file_location("record", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = ["results.md", "reliability.md", "pairs.md", "regression.md"]
PAGES += ["guide/groups.md", "guide/after.md"]


@pytest.mark.parametrize("name", PAGES)
def test_every_table_is_that_of_its_file(record, name):
    page = (ROOT / "docs" / name).read_text()
    assert record.fill(page) == page
    assert page.count("<!-- table:") == page.count("<!-- end -->") > 0


def test_a_table_that_was_edited_by_hand_is_noticed(record):
    page = PAGE.read_text()
    digit = re.search(r"\| \.(\d)", page)
    edited = page[: digit.start(1)] + "x" + page[digit.end(1) :]
    assert record.fill(edited) != edited


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_file_tells_how_it_was_made(path):
    result = json.loads(path.read_text())
    script = ROOT / result["command"].split()[1]
    assert script.exists()
    assert {"python", "torch", "scikit-learn", "skdann"} <= set(result["environment"])
    assert result["settings"]["seeds"] >= 1


def test_numbers_are_shown_with_their_deviation(record):
    table = {
        "columns": ["a", "b"],
        "rows": [["x", [0.5, 0.7]], ["y", 1.0], ["z", None]],
    }
    assert record.to_markdown(table).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| x | .600 ± .100 |",
        "| y | 1.000 |",
        "| z |  |",
    ]
