"""The runs worth seeing as a row of pills, and the story of the one that is chosen."""

from lazycore.papers.ours.presets import PRESETS, Preset
from pages.explore import controls
from pages.widgets.pills import pill_row
from pages.widgets.progress import ask


def preset_row() -> None:
    """Draw the presets, and the story of the one that the controls hold."""
    pill_row("preset", PRESETS, active(), _take)


def active() -> Preset | None:
    """Return the preset that the controls hold."""
    now = controls.given()
    return next((preset for preset in PRESETS if _same(preset.fields, now)), None)


def first_figure() -> str:
    """Return the name of the figure that the chosen preset speaks of; empty without one."""
    found = active()
    return found.first if found else ""


def _take(preset: Preset) -> None:
    """Set the controls to the preset and ask for its run."""
    controls.choose(preset.fields)
    ask("run")


def _same(fields: dict[str, str], now: dict[str, str]) -> bool:
    plain = {"task": "teacher", "loss": "square"}
    return plain | fields == plain | now
