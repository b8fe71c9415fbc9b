"""What a paper is: its title, who wrote it, where it is found, and the pages that show it.

A folder here whose `__init__` holds a `CARD` is one paper; its name is that of the folder, as
`lazy-training`. One more paper is one more folder: nothing else needs to know of it.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from lazycore import papers


@dataclass(frozen=True, kw_only=True)
class Card:
    """One paper.

    title, authors (family names), year, arxiv (its id): as it is cited. said: what it says, in a
    few sentences of markdown. pages: the pages that show it, by the names of their folders.
    heading: of the page that is the paper's own, if there is one.
    bare: kinds of what the paper holds (`claims`, `theorems`, `figures`) whose names stand
    without the paper's, in links and on the command line: those of before there were others.
    Whatever is not bare is called `paper/name`, so that no paper takes a name from another.
    """

    title: str
    authors: tuple[str, ...]
    year: int
    arxiv: str
    said: str
    pages: tuple[str, ...] = ()
    heading: str = ""
    bare: tuple[str, ...] = ()

    @property
    def written_by(self) -> str:
        """All authors: `Chizat, Oyallon & Bach`."""
        *first, last = self.authors
        return f"{', '.join(first)} & {last}" if first else last

    @property
    def short(self) -> str:
        """The paper in a few words: `Geiger et al. 2020`, `Goldwaser & Ge 2022`."""
        few = self.written_by if len(self.authors) < 3 else f"{self.authors[0]} et al."
        return f"{few} {self.year}"

    @property
    def link(self) -> str:
        """Where the paper is read."""
        return f"https://arxiv.org/abs/{self.arxiv}"


@cache
def folders() -> dict[str, ModuleType]:
    """Return the folders of `lazycore.papers` by their names, in alphabetical order.

    Some are no papers: what is our own has no card.
    """
    names = sorted(m.name for m in pkgutil.iter_modules(papers.__path__) if m.ispkg)
    return {name: importlib.import_module(f"{papers.__name__}.{name}") for name in names}


@cache
def cards() -> dict[str, Card]:
    """Return the card of every paper by the paper's name, the oldest paper first."""
    found = {paper_of(name): f.CARD for name, f in folders().items() if hasattr(f, "CARD")}
    return dict(sorted(found.items(), key=lambda item: (item[1].year, item[1].arxiv)))


def paper_of(folder: str) -> str:
    """Return the name of the paper in this folder; empty where what it holds is our own."""
    return folder.replace("_", "-") if hasattr(folders()[folder], "CARD") else ""
