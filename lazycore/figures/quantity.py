"""How a quantity of a sweep is said on an axis: its meaning, its unit, its usual contours."""

from typing import Any

from lazycore.figures import style
from lazycore.results.quantities import QUANTITIES
from lazycore.results.verdict import LAZY_GAP, LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE

LEVELS = {
    "relative_gap": (LAZY_GAP,),
    "kernel_change": (LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE),
    "final_test_error": (0.1,),
}
"""Contours that are drawn where none are asked for: thresholds of the verdict, each of one
quantity alone. The border of the verdict itself is `lazycore.figures.border`."""

_OF_OUTPUTS = ("_gap", "_margin", "numerical_error")
_OF_WEIGHTS = ("_displacement", "_parameter_gap")


def unit(name: str, loss: str | None) -> str:
    """Return the unit of a quantity under this loss."""
    known = QUANTITIES.get(name)
    if known and known.unit:
        return known.unit
    if name.startswith("relative_"):
        return "no unit"
    of_loss, of_outputs = style.units(loss)
    if name.endswith("_loss"):
        return of_loss
    if name.endswith(_OF_WEIGHTS):
        return "weight units"
    if name.endswith(_OF_OUTPUTS):
        return of_outputs
    if name.endswith("_error") or name in ("activation_stability", "sign_agreement"):
        return "share"
    return "no unit"


def meaning(name: str) -> str:
    """Return what a quantity is, as on an axis."""
    return QUANTITIES[name].meaning if name in QUANTITIES else name


def title(name: str, loss: str | None) -> str:
    """Return the title of the quantity's axis, with its unit."""
    return f"{meaning(name)} ({unit(name, loss)})"


def is_log(name: str) -> bool:
    """Whether the quantity is best seen on a log scale."""
    return name in QUANTITIES and QUANTITIES[name].log


def y_axis(title: str, log: bool) -> dict[str, Any]:
    """Return an upright axis, its title small where it would not fit beside the figure."""
    size = 13 if len(title) <= 38 else 11
    return style.axis(title, log) | {
        "title": {"text": title, "standoff": 6, "font": {"size": size}}
    }
