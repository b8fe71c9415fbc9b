"""Sweeps worth seeing, two sentences each."""

from dataclasses import dataclass

from lazycore.papers.ours import home
from pages.sweep import controls
from pages.widgets.pills import pill_row


@dataclass(frozen=True)
class SweepPreset:
    """A name, what to look for, the fields, and the axes and quantity to look at."""

    name: str
    story: str
    fields: dict[str, str]
    view: dict[str, str]


_SINE = {"task": "sine", "activation": "tanh"}

PRESETS = (
    SweepPreset(
        "Rich to lazy",
        "From left to right the output scale α grows, and the network comes to stay with its "
        "linearisation: right of the thick border most runs of a cell are lazy, in their outputs "
        "and in their kernel. The thin contour is of the gap alone; wider networks get there at a "
        "smaller α.",
        home.SWEEP,
        {"x": "alpha", "y": "width", "of": "relative_gap"},
    ),
    SweepPreset(
        "α√m, not α",
        "The same plane with α√m across: where the rows look alike, α and the width m matter only "
        "through this product. Change the axis back to α and the border between the regimes "
        "leans.",
        _SINE | {"alpha_sqrt_width": "0.1:1000:9", "width": "16,64,256", "seed": "0:3"},
        {"x": "alpha_sqrt_width", "y": "width", "of": "kernel_change"},
    ),
    SweepPreset(
        "Three ways to start",
        "Centred, paired and plain outputs, each with its own power of α: the largest gap falls "
        "as α⁻¹ and α⁻², and without h(w₀) = 0 it grows. See the exponents beside the map.",
        _SINE
        | {
            "alpha": "10:1000:5",
            "width": "32",
            "seed": "0:3",
            "zero_output": "centered,symmetrized,none",
        },
        {"x": "alpha", "y": "zero_output", "of": "largest_gap"},
    ),
)


def preset_row() -> None:
    """Draw the presets, and the story of the one that the controls hold."""
    now = controls.given()
    active = next((p for p in PRESETS if _plain(p.fields) == _plain(now)), None)
    pill_row("sweep_preset", PRESETS, active, _take)


def _take(preset: SweepPreset) -> None:
    """Set the controls to the preset."""
    controls.choose(preset.fields, preset.view)


def _plain(fields: dict[str, str]) -> dict[str, str]:
    return {"loss": "square"} | fields
