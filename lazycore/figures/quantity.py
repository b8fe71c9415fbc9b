"""How a quantity, or a number of a sweep, is said on an axis: its words, its unit, its contours."""

from typing import Any

from lazycore.figures import style
from lazycore.results.quantities import NUMBERS
from lazycore.results.quantities.declared import NO_UNIT, OF_LOSS, OF_OUTPUTS, Quantity
from lazycore.results.run import RunResult


def unit(name: str, loss: str | None) -> str:
    """Return the unit of a number under this loss."""
    known = NUMBERS.get(name)
    return _under(known.unit or NO_UNIT, loss) if known else NO_UNIT


def unit_of(quantity: Quantity, result: RunResult) -> str:
    """Return the unit of a quantity in this run."""
    return _under(quantity.unit, style.loss_name(result))


def axis_title(quantity: Quantity, result: RunResult) -> str:
    """Return the title of a quantity's axis in this run, with its unit."""
    return f"{quantity.title} ({unit_of(quantity, result)})"


def levels(name: str) -> tuple[float, ...]:
    """Return the contours that are drawn of a number where none are asked for.

    Thresholds of the verdict, each of one number alone; its border is `lazycore.figures.border`.
    """
    return NUMBERS[name].levels if name in NUMBERS else ()


def _under(unit: str, loss: str | None) -> str:
    of_loss, of_outputs = style.units(loss)
    return {OF_LOSS: of_loss, OF_OUTPUTS: of_outputs}.get(unit, unit)


def meaning(name: str) -> str:
    """Return what a quantity is, as on an axis."""
    return NUMBERS[name].words if name in NUMBERS else name


def title(name: str, loss: str | None) -> str:
    """Return the title of the quantity's axis, with its unit."""
    return f"{meaning(name)} ({unit(name, loss)})"


def is_log(name: str) -> bool:
    """Whether the quantity is best seen on a log scale."""
    return name in NUMBERS and bool(NUMBERS[name].log)


def y_axis(title: str, log: bool) -> dict[str, Any]:
    """Return an upright axis, its title small where it would not fit beside the figure."""
    size = 13 if len(title) <= 38 else 11
    return style.axis(title, log) | {
        "title": {"text": title, "standoff": 6, "font": {"size": size}}
    }
