"""Who draws results. Results know no figures: whoever can draw is told to this file.

`lazycore/__init__.py` tells it, by a function that imports the figures when one is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from lazycore.config.card import Card
from lazycore.errors import LazyLabError

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Figure


class Artist(Protocol):
    """What draws results: `lazycore.figures.objects` is one."""

    def figures(self, thing: Any) -> dict[str, str]:
        """Return the question of each figure that the object has, by the figure's name."""
        ...

    def plot(self, thing: Any, name: str, options: Mapping[str, Any]) -> "Figure":
        """Return the figure of this name."""
        ...

    def picture(self, thing: Any) -> str:
        """Return a small SVG of the object."""
        ...


_found: list[Callable[[], Artist]] = []


def html(thing: Any, card: Card) -> str:
    """Return the card of something that has figures: with a small picture, and their names."""
    drawing = artist()
    listed = ("Figures: .plot(name)", tuple(drawing.figures(thing).items()))
    return replace(card, more=(*card.more, listed)).html(drawing.picture(thing))


def tell(artist: Callable[[], Artist]) -> None:
    """Have this be called when something is to be drawn."""
    _found[:] = [artist]


def artist() -> Artist:
    """Return what draws; `LazyLabError` where nobody has told."""
    if not _found:
        raise LazyLabError("nothing here draws figures: import lazycore first.")
    return _found[0]()
