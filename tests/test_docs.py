"""The site tells of everything that is public."""

import ast
import importlib.util
import inspect
import re
from pathlib import Path
from runpy import run_path

import pytest

import skdann
from skdann import (
    DANNClassifier,
    datasets,
    distributed,
    exceptions,
    inspection,
    metrics,
    model_selection,
    nn,
    schedules,
)

DOCS = Path(__file__).parents[1] / "docs"
API = (DOCS / "api" / "index.rst").read_text()


@pytest.mark.parametrize(
    "module",
    [
        skdann,
        model_selection,
        inspection,
        metrics,
        datasets,
        schedules,
        nn,
        distributed,
    ],
    ids=lambda module: module.__name__,
)
def test_every_public_name_is_on_the_api_page(module):
    sections = API.split(".. module:: ")[1:]
    listed = {part.split("\n")[0]: part.split() for part in sections}[module.__name__]
    errors = {name for name in module.__all__ if hasattr(exceptions, name)}
    assert set(module.__all__) - errors <= set(listed)


def test_the_guide_tells_why_each_default_is_what_it_is():
    page = (DOCS / "guide" / "defaults.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    explained = re.findall(r"`(\w+)`", " ".join(rows))
    assert set(inspect.signature(DANNClassifier).parameters) <= set(explained)


def test_every_example_has_its_place_in_the_gallery():
    path = DOCS / "_ext" / "order.py"
    spec = importlib.util.spec_from_file_location("order", path)
    order = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(order)
    assert set(order.EXAMPLES) == {p.name for p in (DOCS / "examples").glob("*.py")}


def _messages():
    """Return all texts of the library, with a dot where a value is filled in."""
    for path in Path(skdann.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", None) for part in node.values)
                yield "".join(p if isinstance(p, str) else "…" for p in parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _pieces(message):
    """Return what stands between the names and numbers of a message."""
    return re.split(r"\s*(?:…|\b(?:X|X_tgt|y|y_tgt)\b)\s*", message)


def test_the_messages_that_are_explained_are_those_of_the_library():
    page = (DOCS / "guide" / "troubleshooting.md").read_text()
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(quoted) > 30
    known = [" ".join(_pieces(message)) for message in _messages()]
    for message in quoted:
        pieces = [p for p in _pieces(message) if len(p) > 3]
        assert pieces, message
        assert any(all(p in text for p in pieces) for text in known), message


def test_the_figures_of_the_first_example_are_measured():
    labs = run_path(DOCS / "two_laboratories.py")
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    lines = [labs["line_of"](*baseline).split() for baseline in labs["baselines"]()]
    shown = [" | ".join(f.lstrip("0") for f in line[-3:]) for line in lines]
    assert len(shown) == 3
    for figures in shown:
        assert f"| {figures} |" in readme
