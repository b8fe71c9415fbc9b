"""What is looked at in a sweep: the plane's axes, the quantity, contours, lines, further axes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.figures import bands, heatmap
from lazycore.results.plane import SEEDS, axes_of, plain
from lazycore.results.quantities import QUANTITIES
from pages.widgets.choices import forget_what_is_gone

FIRST = ("relative_gap", "kernel_change")


@dataclass(frozen=True)
class View:
    """One look at a sweep. y is None where it has one axis; lines are values of y as text."""

    x: str
    y: str | None
    quantity: str
    levels: str
    lines: tuple[str, ...]
    fixed: dict[str, Any]

    @property
    def text(self) -> dict[str, str]:
        """The view as parameters of a link."""
        said = {"x": self.x, "y": self.y or "", "of": self.quantity, "levels": self.levels}
        said |= {f"at_{name}": plain(value) for name, value in self.fixed.items()}
        return {name: text for name, text in said.items() if text}


def view_controls(config: SweepConfig) -> None:
    """Draw the controls of the view in the sidebar, bound to the address."""
    axes = sorted(axes_of(list(config.axes)), key=lambda name: name != "alpha")
    with st.sidebar:
        st.divider()
        left, right = st.columns(2, gap="small")
        with left:
            x = _one_of("Across", axes, "s_x")
        others = [name for name in axes if name != x]
        with right:
            y = _one_of("Up", others, "s_y") if others else None
        names = sorted(QUANTITIES, key=lambda name: name not in FIRST)
        quantity = _one_of("Colour", names, "s_of", lambda n: QUANTITIES[n].words)
        usual = ", ".join(f"{v:g}" for v in heatmap.parse_levels("", quantity))
        st.text_input(
            "Contours",
            placeholder=usual or "0.05, 0.1",
            key="s_levels",
            max_chars=60,
            help=f"At most {heatmap.MOST_LEVELS} levels of the quantity, by commas.",
            bind="query-params",
        )
        for name, values in _further(config, x, y).items():
            _one_of(f"At {name}", [plain(value) for value in values], f"s_at_{name}")
        if y and len(config.axes[y]) > bands.MOST_LINES:
            _lines([plain(value) for value in config.axes[y]])


def chosen_view(config: SweepConfig) -> View:
    """Return what the controls of the view say, once they have been drawn."""
    state = st.session_state
    x, y = state["s_x"], state.get("s_y")
    y = y if y != x and y in config.axes else None
    fixed = {
        name: next((v for v in values if plain(v) == state.get(f"s_at_{name}")), values[0])
        for name, values in _further(config, x, y).items()
    }
    lines = tuple(state.get("s_lines") or ())
    return View(x, y, state["s_of"], state.get("s_levels") or "", lines, fixed)


def _further(config: SweepConfig, x: str, y: str | None) -> dict[str, tuple[Any, ...]]:
    """Return the axes that are neither on the plane nor seeds."""
    return {n: values for n, values in config.axes.items() if n not in (x, y, *SEEDS)}


def rows_of(view: View, values: tuple[Any, ...]) -> list[int]:
    """Return which values of y have a line: those chosen, or at most six, evenly spread."""
    wanted = [i for i, value in enumerate(values) if plain(value) in view.lines]
    if wanted:
        return wanted[: bands.MOST_LINES]
    count = min(bands.MOST_LINES, len(values))
    spread = [round(i * (len(values) - 1) / max(count - 1, 1)) for i in range(count)]
    return sorted(set(spread))


def _one_of(
    label: str, options: list[str], key: str, meaning: Callable[[str], str] | None = None
) -> str:
    forget_what_is_gone(key, options)
    return st.selectbox(
        label,
        options,
        key=key,
        bind="query-params",
        help=meaning(st.session_state.get(key) or options[0]) if meaning else None,
    )


def _lines(texts: list[str]) -> None:
    if not set(st.session_state.get("s_lines") or []) <= set(texts):
        st.session_state["s_lines"] = []
    st.multiselect(
        f"Lines, at most {bands.MOST_LINES}",
        texts,
        key="s_lines",
        max_selections=bands.MOST_LINES,
        placeholder="evenly spread",
        bind="query-params",
    )
