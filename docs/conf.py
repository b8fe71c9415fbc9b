"""The documentation site: `make docs` builds it into build/docs, without a network."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "ext")]

project = "Lazy Lab"
author = "the authors of Lazy Lab"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "mathml",
    "paper_pages",
    "plain_docstrings",
    "room_pages",
    "tables",
]
exclude_patterns = ["ext", "requirements.txt"]
html_theme = "furo"
html_title = "Lazy Lab"
html_copy_source = False
html_show_sphinx = False
smartquotes = False

myst_enable_extensions = ["deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
toc_object_entries = False
add_module_names = False
maximum_signature_line_length = 80

nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!lazycore\.).*"),
    (r"py:.*", r"lazycore\.(.*\.)?(_\w+(\..*)?|T)"),
]
"""Names that are not ours, that begin with an underscore, or that stand for any type."""
suppress_warnings = ["ref.python"]
"""A public name has its entry twice: by itself, and in its module."""
