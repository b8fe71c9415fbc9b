"""The documents and their code blocks, for the tests of both."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block: its language, its text, and what is said to be printed (None: not said)."""

    language: str
    text: str
    prints: str | None = None


def pages() -> list[Path]:
    """Return the documents that somebody wrote; those of papers and rooms are made when built."""
    made = {DOCS / "papers", DOCS / "reference" / "rooms"}
    found = sorted(DOCS.rglob("*.md"))
    return [p for p in found if p.parent not in made or p.name == "index.md"]


def blocks(page: Path) -> list[Block]:
    """Return the code blocks of a document in order; a `text` block says what the last printed."""
    found: list[Block] = []
    for language, text in FENCE.findall(page.read_text()):
        if language == "text" and found:
            found[-1] = Block(found[-1].language, found[-1].text, text)
        elif not language.startswith("{"):
            found.append(Block(language, text))
    return found


def name_of(page: Path) -> str:
    """Return a document's path below docs/, without its ending."""
    return page.relative_to(DOCS).with_suffix("").as_posix()
