"""Formulas as MathML: made at build, drawn by the browser, without a script."""

from html import escape

from latex2mathml.converter import convert


def setup(app):
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_inline(writer, node):
    """Write a formula in the line."""
    writer.body.append(_convert(node, "inline"))
    raise _skip()


def visit_block(writer, node):
    """Write a formula of its own."""
    writer.body.append(f'<div class="formula">{_convert(node, "block")}</div>')
    raise _skip()


def _convert(node, display):
    source = node.astext()
    mathml = convert(source, display=display)
    return mathml.replace("<math ", f'<math aria-label="{escape(source)}" ', 1)


def _skip():
    from docutils.nodes import SkipNode

    return SkipNode()
