"""What a page says of itself, and the pages that there are.

Every folder of `pages` whose `__init__` holds a `PAGE` is one page; the script that draws it is its
`page.py`. One more page is one more folder: nothing else needs to know of it.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]

SEE, PAPERS, KEEP = "", "Papers", "Runs and data"
"""The groups of the navigation; what is in no group stands by itself."""


def no_controls() -> None:
    """Draw nothing in the sidebar."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page.

    title, icon: in the navigation. group: where it stands there. order: among all pages.
    controls: draws its sidebar. All controls that are bound to the address are drawn from the
    frame: bound in a page of its own file, a control loses its value on the way to another page
    and back.
    parameters: what the page has in the address: whole names, and what names begin with (the
    latter end in an underscore). without_control: those of them that no control shows.
    checks_link: whether it looks itself at what a link says, which is then fields of a run.
    reads_fields: whether any field of a run is a parameter of it too.
    is_home: whether it is what a person finds first.
    """

    title: str
    icon: str
    order: int
    group: str = SEE
    controls: Callable[[], None] = no_controls
    parameters: tuple[str, ...] = ()
    without_control: tuple[str, ...] = ()
    checks_link: bool = False
    reads_fields: bool = False
    is_home: bool = False


@cache
def pages() -> dict[str, Page]:
    """Return every page by the name of its folder, in the order of the navigation."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(FOLDER)]) if m.ispkg)
    folders = {name: importlib.import_module(f"pages.{name}") for name in names}
    found = {name: f.PAGE for name, f in folders.items() if hasattr(f, "PAGE")}
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def path_of(name: str) -> str:
    """Return the path of a page in the address: its folder's name, nothing for the first page."""
    return "" if pages()[name].is_home else name
