"""Our docstrings are plain text; this turns them into reStructuredText for autodoc.

What stands between backticks is code, or a link where it is a name of the library with all its
dots. What is indented is kept as it is written: equations, trees and tables. The entries of
`Args:` become a list. Everything else is text, with no sign of a special meaning.
"""

import re

CODE = re.compile(r"`([^`]+)`")
EMPHASIS = re.compile(r"(?<![\w*])\*(\w[^*]*\w|\w)\*(?![\w*])")
OURS = re.compile(r"lazycore(\.\w+)+")
SPECIAL = re.compile(r"([\\*|_<>])")
SECTIONS = ("Args:", "Returns:", "Raises:", "Errors:", "Cost:")


def setup(app):
    """Have every docstring turned before autodoc reads it."""
    app.connect("autodoc-process-docstring", turned)
    return {"parallel_read_safe": True}


def turned(app, what, name, thing, options, lines):
    """Replace the lines of a docstring by what they mean."""
    lines[:] = as_rest(lines)


def as_rest(lines):
    """Return plain lines as reStructuredText.

    >>> as_rest(["Return y:", "", "    y = x_1", "", "of `x`."])
    ['Return y:', '', '::', '', '    y = x_1', '', 'of ``x``.', '']
    """
    found = []
    for block in _blocks(lines):
        first = block[0]
        if first.lstrip().startswith(">>>"):
            found += [line.strip() for line in block]
        elif first in SECTIONS:
            found += [f"**{first[:-1]}**", "", *_entries(block[1:])]
        elif first.startswith(" "):
            found += ["::", "", *(f"    {line.removeprefix('    ')}" for line in block)]
        elif first.startswith("- "):
            found += [text(line) if line[0] == "-" else f"  {text(line.strip())}" for line in block]
        else:
            found += [text(line.strip()) for line in block]
        found.append("")
    return found


def text(line):
    """Return a line of plain text with its code marked and nothing else that means anything."""
    parts = CODE.split(line)
    for number, part in enumerate(parts):
        joined = number > 0 and part[:1].isalnum()
        plain = ("\\ " if joined else "") + _escaped(part)
        parts[number] = _code(part) if number % 2 else plain
    return "".join(parts)


def _code(word):
    return f":py:obj:`{word}`" if OURS.fullmatch(word) else f"``{word}``"


def _escaped(part):
    pieces = EMPHASIS.split(part)
    return "".join(
        f"*{SPECIAL.sub(_backslash, piece)}*" if number % 2 else SPECIAL.sub(_backslash, piece)
        for number, piece in enumerate(pieces)
    )


def _backslash(found):
    return "\\" + found.group(1)


def _blocks(lines):
    """Return the paragraphs: lines of one kind, indented or not, parted by empty ones."""
    blocks, block = [], []
    for line in [*lines, ""]:
        starts = bool(block) and line.startswith(" ") and not block[0].startswith((" ", "- "))
        parted = starts and block[0] not in SECTIONS and ">>>" not in block[0]
        begins = bool(block) and (line in SECTIONS or line.lstrip().startswith(">>>"))
        begins = begins and not block[0].lstrip().startswith(">>>")
        inside = bool(block) and (block[0].startswith(" ") or block[0] in SECTIONS)
        ends = inside and not line.startswith(" ")
        if block and (not line.strip() or parted or begins or ends):
            blocks.append(block)
            block = []
        if line.strip():
            block.append(line.rstrip())
    return blocks


def _entries(lines):
    """Return the entries of a section as a list, each with its further lines."""
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    found = []
    for line in lines:
        new = len(line) - len(line.lstrip()) == depth
        name, colon, rest = line.strip().partition(":")
        if new and colon and len(name) < 60:
            found.append(f"- ``{name}``: {text(rest.strip())}")
        elif new:
            found.append(f"- {text(line.strip())}")
        else:
            found.append(f"  {text(line.strip())}")
    return found
