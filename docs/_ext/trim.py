"""Drop from pages what their sources need and readers do not."""

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.ext.autosummary import autosummary_table


def setup(app):
    """Trim each page as it is read."""
    app.connect("doctree-read", trim_code)
    app.connect("doctree-read", trim_summaries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def trim_code(app, doctree):
    """Cut off the empty line that ends a block of code, for the sake of doctest."""
    for block in doctree.findall(nodes.literal_block):
        text = block.astext()
        if text != text.rstrip():
            block.rawsource = text.rstrip()
            block.children = [nodes.Text(text.rstrip())]


def trim_summaries(app, doctree):
    """Take references to the literature out of the tables of names."""
    for table in doctree.findall(autosummary_table):
        for reference in list(table.findall(pending_xref)):
            if reference.get("refdomain") == "citation":
                _trim_reference(reference)


def _trim_reference(reference):
    """Remove a reference, or call it the paper where it is a part of the sentence."""
    sentence, i = reference.parent, reference.parent.index(reference)
    before = sentence[i - 1].astext()
    if before.endswith((" of ", " as ")):
        sentence[i] = nodes.Text("the paper")
    else:
        sentence.remove(reference)
        sentence[i - 1] = nodes.Text(before.rstrip())  # the space before it
