"""Keep a mean and its deviation on one line."""

from docutils import nodes


def setup(app):
    """Mark cells of each page as it is read."""
    app.connect("doctree-read", mark_numbers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mark_numbers(app, doctree):
    """Give the class ``number`` to cells of any table that hold a deviation."""
    for cell in doctree.findall(nodes.entry):
        if "±" in cell.astext():
            cell["classes"].append("number")
