"""Put long lists of parameters into groups: those of the page of defaults."""

import re
from pathlib import Path

from docutils import nodes

DEFAULTS = Path(__file__).parents[1] / "guide" / "defaults.md"
FIRST = "Start with these"
START = ("standardize", "target_prior", "lambda_max", "n_estimators", "random_state")
LONG = 20  # parameters; a shorter list needs no groups


def setup(app):
    """Group as each page is read."""
    app.connect("doctree-read", group_parameters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def group_parameters(app, doctree):
    """Divide every long list of parameters."""
    groups = {FIRST: START, **_groups_of_defaults(DEFAULTS.read_text())}
    for field in doctree.findall(nodes.field):
        name, body = field
        if name.astext() == "Parameters" and isinstance(body[0], nodes.definition_list):
            items = list(body[0])
            if len(items) >= LONG:
                body.children = []
                body.extend(_in_groups(items, groups))


def _groups_of_defaults(page):
    """Return the parameters of each section, up to that of another estimator."""
    groups = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, text = section.split("\n", 1)
        if "| parameter |" not in text:
            break
        rows = re.findall(r"^\| (`[^|]+)\|", text, re.MULTILINE)
        groups[title] = re.findall(r"`(\w+)`", " ".join(rows))
    return groups


def _in_groups(items, groups):
    """Yield a heading and a list for each group that has parameters here."""
    left = list(items)
    for title, names in groups.items():
        held = [item for item in left if _names(item) & set(names)]
        left = [item for item in left if item not in held]
        if held:
            yield nodes.rubric(title, title, classes=["parameter-group"])
            yield nodes.definition_list("", *held)
    if left:
        lacking = sorted(set().union(*map(_names, left)))
        raise ValueError(f"{DEFAULTS.name} has no row for {lacking}.")


def _names(item):
    """Return the parameters that an entry is of: ``lr_alpha, lr_beta`` are two."""
    return set(re.findall(r"\w+", item[0].astext().split(":")[0]))
