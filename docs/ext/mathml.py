"""Formulas as MathML: browsers draw it by themselves, without a script from the network."""

from html import escape

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

OPERATORS = {"≤": "le", "≥": "ge", "≪": "ll", "≲": "lesssim", "→": "to", "∈": "in", "≠": "ne"}
OPERATORS |= {"∘": "circ", "‖": "|"}
"""Signs that statements have as they are; by their names in TeX they stand apart as they should."""


def setup(app):
    """Offer the renderer under a name of its own, and choose it."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.config.html_math_renderer = "mathml"
    app.add_css_file("site.css")
    app.config.html_static_path.append("static")
    return {"parallel_read_safe": True}


def inline(translator, node):
    """Write a formula of a line."""
    translator.body.append(convert(named(node.astext())))
    raise SkipNode


def display(translator, node):
    """Write a formula that stands by itself."""
    tex = node.astext()
    formula = convert(named(tex), display="block")
    translator.body.append(f'<div class="formula" title="{escape(tex)}">{formula}</div>\n')
    raise SkipNode


def named(tex):
    """Return a formula with the names of its operators in place of their signs.

    >>> named("a ≤ b")
    'a \\\\le{} b'
    """
    for sign, name in OPERATORS.items():
        tex = tex.replace(sign, f"\\{name}" + "{}" * name.isalpha())
    return tex
