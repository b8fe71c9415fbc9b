"""Formulas as MathML: browsers draw it by themselves, without a script from the network."""

from html import escape

from latex2mathml.converter import convert


def setup(app):
    """Offer the renderer under a name of its own, and choose it."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.config.html_math_renderer = "mathml"
    app.add_css_file("site.css")
    app.config.html_static_path.append("static")
    return {"parallel_read_safe": True}


def inline(translator, node):
    """Write a formula of a line."""
    from docutils.nodes import SkipNode

    translator.body.append(convert(node.astext()))
    raise SkipNode


def display(translator, node):
    """Write a formula that stands by itself."""
    from docutils.nodes import SkipNode

    tex = node.astext()
    formula = convert(tex, display="block")
    translator.body.append(f'<div class="formula" title="{escape(tex)}">{formula}</div>\n')
    raise SkipNode
