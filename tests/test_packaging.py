"""What is declared about the package is what it needs and holds."""

import ast
import importlib.resources
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import skdann

ROOT = Path(__file__).parents[1]
PACKAGE = Path(skdann.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FOR_USERS = ["datasets", "examples", "onnx", "tables"]

# Only where a Pipeline was fitted on frames of polars.
NOT_DECLARED = {"polars"}


def requirements(*extras):
    """Return what is required, by name, but for the extras of ourselves."""
    lines = [PROJECT["dependencies"]] if not extras else []
    lines += [PROJECT["optional-dependencies"][extra] for extra in extras]
    parsed = [Requirement(line) for part in lines for line in part]
    return {canonicalize_name(r.name): r for r in parsed if r.name != "skdann"}


def pins(name):
    lines = (ROOT / name).read_text().splitlines()
    parsed = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in parsed}


def imported(node, *, lazily=False):
    """Yield the modules that a tree imports, each with whether in a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, lazily) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield child.module, lazily
        is_function = isinstance(child, ast.FunctionDef)
        yield from imported(child, lazily=lazily or is_function)


def distributions(*, lazily):
    """Return the names of the distributions of others that skdann imports."""
    known = packages_distributions()
    found = {
        module.split(".")[0]
        for path in PACKAGE.rglob("*.py")
        for module, in_function in imported(ast.parse(path.read_text()))
        if in_function == lazily
    }
    others = found - set(sys.stdlib_module_names) - {"skdann"}
    return {canonicalize_name(known[module][0]) for module in others}


def test_what_is_imported_is_what_is_required():
    assert distributions(lazily=False) == set(requirements())


def test_what_is_imported_when_needed_is_an_extra():
    optional = distributions(lazily=True) - set(requirements()) - NOT_DECLARED
    assert optional <= set(requirements(*FOR_USERS))
    assert {"matplotlib", "onnx", "pandas", "pooch", "skrub"} <= optional


@pytest.mark.parametrize(
    "requirement", {**requirements(), **requirements(*FOR_USERS)}.values(), ids=str
)
def test_lowest_versions_are_those_that_are_tested(requirement):
    (bound,) = requirement.specifier
    assert bound.operator == ">="
    lowest = Version(bound.version).release
    tested = pins("constraints-oldest.txt")[canonicalize_name(requirement.name)].release
    assert len(lowest) >= 2, "a bound without a minor version is not what is tested"
    assert tested[: len(lowest)] == lowest


@pytest.mark.parametrize("extra", [None, *PROJECT["optional-dependencies"]])
def test_every_requirement_has_a_pin_that_meets_it(extra):
    pinned = pins("constraints.txt")
    for name, requirement in requirements(*([extra] if extra else [])).items():
        assert pinned[name] in requirement.specifier


def test_the_version_is_the_declared_one():
    assert skdann.__version__ == PROJECT["version"]


def test_the_package_holds_code_digests_and_the_mark_of_types_alone():
    digests = importlib.resources.files("skdann.datasets") / "digests.txt"
    assert all(len(line.split()) == 2 for line in digests.read_text().splitlines())
    files = (path for path in PACKAGE.rglob("*") if path.is_file())
    others = [path.name for path in files if path.suffix not in (".py", ".pyc")]
    assert sorted(others) == ["digests.txt", "py.typed"]


def test_the_citation_is_of_this_version():
    cited = (ROOT / "CITATION.cff").read_text().splitlines()
    assert f'version: "{PROJECT["version"]}"' in cited


@pytest.mark.parametrize("name", ["license", "python", "scikit-learn"])
def test_badges_say_what_is_declared(name):
    known = {r.name: str(r.specifier) for r in requirements().values()}
    known |= {"python": PROJECT["requires-python"], "license": "BSD-3-Clause"}
    badge = (ROOT / "docs" / "_static" / f"badge-{name}.svg").read_text("utf-8")
    expected = known[name].replace(">=", "≥ ")
    assert f"<title>{name}: {expected}</title>" in badge
    assert badge.count(f">{expected}</text>") == 1
    assert f"_static/badge-{name}.svg" in (ROOT / "README.md").read_text("utf-8")


def test_the_license_is_the_one_that_is_named():
    text = (ROOT / PROJECT["license"]["file"]).read_text("utf-8")
    assert text.startswith("BSD 3-Clause License")
