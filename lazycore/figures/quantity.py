"""How a quantity of a sweep is said on an axis: its meaning, its unit, its usual contours."""

from typing import Any

from lazycore.figures import style
from lazycore.quantities import QUANTITIES
from lazycore.verdict import LAZY_GAP, LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE

LEVELS = {
    "relative_gap": (LAZY_GAP,),
    "kernel_change": (LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE),
    "final_test_error": (0.1,),
}
"""Contours that are drawn where none are asked for: the thresholds of the verdict."""

_OF_OUTPUTS = ("largest_gap", "final_gap", "final_test_gap", "numerical_error")
_OF_WEIGHTS = ("final_displacement", "linearized_final_displacement", "final_parameter_gap")


def unit(name: str, loss: str | None) -> str:
    """Return the unit of a quantity under this loss."""
    in_logits = loss in ("logistic", "cross_entropy")
    if name.endswith("_loss"):
        return "nats" if in_logits else "target units²"
    if name in _OF_OUTPUTS:
        return "logits" if in_logits else "target units"
    if name in _OF_WEIGHTS:
        return "weight units"
    if name.endswith("_error") or name == "activation_stability":
        return "share"
    known = QUANTITIES.get(name)
    return (known.unit if known else "") or "no unit"


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
