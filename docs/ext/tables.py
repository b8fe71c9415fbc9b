"""Tables of what can be chosen, and the command line's help, taken from the library itself."""

import io
import re
from contextlib import redirect_stdout, suppress

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import lazycore
from lazycore.cli import main
from lazycore.config.axes import DERIVED
from lazycore.config.run import all_fields
from lazycore.config.spec import collect
from lazycore.results.explained import unit_said
from lazycore.results.quantities import QUANTITIES


def setup(app):
    """Offer the directives."""
    app.add_directive("cli-commands", CliCommands)
    app.add_directive("cli-help", CliHelp)
    app.add_directive("public-names", PublicNames)
    app.add_directive("run-fields", RunFields)
    app.add_directive("choices", Choices)
    app.add_directive("sweep-axes", SweepAxes)
    app.add_directive("sweep-quantities", SweepQuantities)
    return {"parallel_read_safe": True}


class Written(SphinxDirective):
    """A directive whose content is a Markdown text."""

    optional_arguments = 9

    def run(self):
        """Return the nodes of the text."""
        return self.parse_text_to_nodes(self.text())

    def text(self):
        """Return the Markdown."""
        raise NotImplementedError


class CliHelp(Written):
    """What `python -m lazycore … --help` prints."""

    def run(self):
        """Return it as it is printed."""
        return [nodes.literal_block(text=said(*self.arguments), language="text")]


class CliCommands(Written):
    """A section for each command that there is."""

    def run(self):
        """Return the sections."""
        names = re.search(r"\{([\w,]+)\}", said())[1].split(",")
        text = "\n".join(f"## {name}\n\n```{{cli-help}} {name}\n```\n" for name in names)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def said(*words):
    """Return what the help of a command prints."""
    out = io.StringIO()
    with redirect_stdout(out), suppress(SystemExit):
        main([*words, "--help"])
    return out.getvalue()


class PublicNames(SphinxDirective):
    """What `lazycore.__all__` names, from its docstrings."""

    def run(self):
        """Return the entries, read as reStructuredText, in alphabetical order."""
        lines = []
        for name in sorted(lazycore.__all__, key=str.lower):
            kind = "class" if isinstance(getattr(lazycore, name), type) else "function"
            lines += [f".. auto{kind}:: lazycore.{name}", *["   :members:"] * (kind == "class"), ""]
        return self.parse_text_to_nodes(
            "\n".join(["```{eval-rst}", *lines, "```"]), allow_section_headings=False
        )


class RunFields(Written):
    """Every field of a run."""

    def text(self):
        """Return the table."""
        rows = [
            (f"`{name}`", field.meaning, field.allowed, _default(field), field.unit)
            for name, field in all_fields().items()
        ]
        return table(("field", "meaning", "allowed", "default", "unit"), rows)


class Choices(Written):
    """The files of one kind: tasks, models, activations, losses, dynamics."""

    def text(self):
        """Return the table, with the fields that each file reads."""
        kind = self.arguments[0]
        specs = [file.SPEC for file in collect(kind).values()]
        rows = [
            (f"`{one.name}`", one.meaning, ", ".join(f"`{f.name}`" for f in one.reads) or "–")
            for one in specs
        ]
        return table((kind, "meaning", "fields it reads"), rows)


class SweepAxes(Written):
    """The axes that set a field through another one."""

    def text(self):
        """Return the table."""
        rows = [
            (f"`{name}`", axis.field.meaning, f"`{axis.sets}`") for name, axis in DERIVED.items()
        ]
        return table(("axis", "meaning", "sets"), rows)


class SweepQuantities(Written):
    """The quantities of a finished run."""

    def text(self):
        """Return the table."""
        rows = [
            (
                f"`{name}`",
                q.words,
                unit_said(q.unit or "") or "–",
                "yes" if q.log else "no",
            )
            for name, q in QUANTITIES.items()
        ]
        return table(("quantity", "meaning", "unit", "log axis"), rows)


def table(head, rows):
    """Return a Markdown table of these cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _default(field):
    if callable(field.default):
        return "follows from other fields"
    return "chosen" if field.default is None else f"`{field.default}`"


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")
