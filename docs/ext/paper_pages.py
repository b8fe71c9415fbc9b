"""One page for each paper, written before the build from what its folder holds."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from room_pages import write

from lazycore import papers


def setup(app):
    """Write the pages before anything is read."""
    app.connect("builder-inited", write_all)
    return {"parallel_read_safe": True}


def write_all(app):
    """Write a page for each paper; take away those of papers that are gone."""
    names = sorted(m.name for m in pkgutil.iter_modules(papers.__path__) if m.ispkg)
    write(Path(app.srcdir) / "papers", {f"{name}.md": page_of(name) for name in names})


def page_of(paper):
    """Return the page of a paper: who wrote it, its checks, its theorems, its figures."""
    folder = importlib.import_module(f"{papers.__name__}.{paper}")
    parts = [_head(folder), _checks(paper, folder), _theorems(paper), _figures(paper)]
    return "\n\n".join(part for part in parts if part) + "\n"


def held(paper, kind, holder):
    """Return (file, thing) of all that the files of a paper's folder hold under this name."""
    place = importlib.import_module(f"{papers.__name__}.{paper}")
    if kind not in (m.name for m in pkgutil.iter_modules(place.__path__)):
        return []
    shelf = importlib.import_module(f"{place.__name__}.{kind}")
    names = sorted(m.name for m in pkgutil.iter_modules(shelf.__path__) if m.name[0] != "_")
    files = [importlib.import_module(f"{shelf.__name__}.{name}") for name in names]
    found = [(file, getattr(file, holder, ())) for file in files]
    return [(f, one) for f, all_ in found for one in (all_ if isinstance(all_, tuple) else [all_])]


def _head(folder):
    """Return the title and who it is by, as its card or its docstring has them."""
    first, _, rest = (inspect.getdoc(folder) or folder.__name__).partition("\n")
    card = getattr(folder, "CARD", None)
    if card is None:
        return f"# {first.rstrip('.')}\n\n{rest.strip()}"
    cited = f"{', '.join(card.authors)} ({card.year}, arXiv:{card.arxiv})"
    return f"# {card.title}\n\n{cited}. {card.said}"


def _checks(paper, folder):
    """Return the table of what is checked: the claim, where it is from, how it is asked for."""
    found = [(check, file) for file, check in held(paper, "claims", "CHECKS")]
    if not found:
        return ""
    card = getattr(folder, "CARD", None)
    named = paper.replace("_", "-")
    prefix = "" if card is None or "claims" in card.bare else f"{named}/"
    ours = card is None and not all(getattr(check, "paper", "") for check, _ in found)
    whole = "check" if ours else f"check --paper {named}"
    rows = [
        f"| `{prefix}{check.name}` | {_cell(_first_sentence(file))} | {_cell(check.source)} "
        f"| {len(check.runs) or '–'} | {'minutes' if check.slow else 'seconds'} |"
        for check, file in sorted(found, key=lambda one: (one[0].slow, one[0].name))
    ]
    said = (
        "Each row recomputes a claim and compares it with what is allowed. "
        f"`python -m lazycore {whole}` runs those that take seconds and prints claim, measured, "
        "allowed and verdict; `python -m lazycore check NAME` runs one. Runs that several checks "
        "need are computed once. A dash stands where a check computes by itself."
    )
    head = ["| check | what it is about | source | runs | takes |", "|---|---|---|---|---|"]
    return "\n".join(["## What is checked", "", said, "", *head, *rows])


def _theorems(paper):
    """Return the statements with their sources and the problems that they are looked at on."""
    found = [theorem for _, theorem in held(paper, "theorems", "THEOREM")]
    parts = [
        f"### {one.title}\n\n{_statement(one.statement)}\n\n"
        f"*Source:* {one.source}. *Looked at on:* {'; '.join(one.examples)}. {one.remark}".rstrip()
        for one in sorted(found, key=lambda one: one.order)
    ]
    return "\n\n".join(["## Theorems", *parts]) if parts else ""


def _figures(paper):
    """Return the figures: what each shows, and what is computed of it here."""
    found = [figure for _, figure in held(paper, "figures", "REPRODUCTION")]
    parts = [f"### {one.title}\n\n{one.caption}\n\n{_computed(one)}".rstrip() for one in found]
    return "\n\n".join(["## Figures", *parts]) if parts else ""


def _computed(figure):
    """Return the settings and sizes in which a figure is computed, as a list."""
    lines = [f"- {figure.missing}"] if figure.missing else []
    for setting in figure.settings:
        sizes = [f"*{name}*: {size.said}" for name, size in setting.sizes.items()]
        lines.append(f"- Setting *{setting.name}*: {setting.differs} {' '.join(sizes)}")
    return "\n".join(lines)


def _first_sentence(file):
    """Return what a file of claims says of itself first."""
    said = " ".join((inspect.getdoc(file) or "").split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s(?=[A-Z])", said)[0]


def _statement(text):
    """Return a statement with its formulas on lines of their own."""
    return re.sub(r"\n?\$\$\n?(.*?)\n?\$\$\n?", r"\n\n$$\n\1\n$$\n\n", text.strip(), flags=re.S)


def _cell(text):
    return text.replace("|", "\\|")
