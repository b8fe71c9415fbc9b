"""Figure 1(a, b): the neurons of a small network, rich and lazy."""

from collections.abc import Sequence
from functools import partial

from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._neurons import (
    cosines,
    displacement,
    final_loss,
    plane_run,
)
from lazycore.papers.reproduction import FULL, QUICK, Found, Job, Reproduction, Scale, Setting, Size
from lazycore.results.run import RunResult

RICH, LAZY = 0.1, 2.0
FAR, NEAR, FITTED = 5.0, 0.25, 2e-3
WIDTH, AUTHORS_WIDTH, POINTS = 20, 16, 15


def runs(width: int, steps: bool) -> list[Job]:
    """Return the run at τ = 0.1 and the one at τ = 2."""
    return [plane_run(tau, width=width, n_train=POINTS, steps=steps) for tau in (RICH, LAZY)]


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare how far the neurons move, where they end, and whether both runs fit."""
    rows = []
    for tau, result in zip((RICH, LAZY), found, strict=True):
        if not isinstance(result, RunResult):
            rows.append(Row(f"τ = {tau:g}", "not computed yet", "", None))
            continue
        moved, loss, (before, after) = displacement(result), final_loss(result), cosines(result)
        holds = moved > FAR if tau == RICH else moved < NEAR
        allowed = f"> {FAR:g}" if tau == RICH else f"< {NEAR:g}"
        rows += [
            Row(f"τ = {tau:g}: relative displacement of |a|b", f"{moved:.3g}", allowed, holds),
            Row(f"τ = {tau:g}: training loss", f"{loss:.1e}", f"< {FITTED:g}", loss < FITTED),
            Row(
                f"τ = {tau:g}: mean cosine with the nearest teacher neuron, start and end",
                f"{before:.2f} → {after:.2f}".replace("-", "−"),
                "shown",
                None,
            ),
        ]
    return rows


def _sizes(width: int) -> dict[str, Size]:
    return {
        QUICK: Size(
            said="Both runs by gradient flow to T = 500: seconds.",
            make=partial(runs, width, False),
        ),
        FULL: Size(
            said="Both runs by the authors' 100,000 steps of 0.005: about half a minute.",
            make=partial(runs, width, True),
        ),
    }


REPRODUCTION = Reproduction(
    name="1ab",
    title="Figure 1(a, b): neurons that travel, and neurons that stay",
    caption="Paths of |aⱼ| bⱼ in the plane while a two-layer ReLU network fits 15 points of a "
    "teacher of 3 neurons: at τ = 0.1 they gather in the teacher's directions, at τ = 2 they "
    "hardly move; both fit. The paper draws the paths of the network only, without numbers, so "
    "that nothing could be read off.",
    x=Scale(title="|a| b₁ (weight units²)"),
    y=Scale(title="|a| b₂ (weight units²)"),
    kind="neurons",
    settings=(
        Setting(
            name="text",
            differs="The paper's text: 20 neurons with Gaussian weights.",
            sizes=_sizes(WIDTH),
        ),
        Setting(
            name="code",
            differs="The authors' code: 16 neurons. It draws b of unit length and a uniform in "
            "(0, 1); here the weights are Gaussian as in the text.",
            sizes=_sizes(AUTHORS_WIDTH),
        ),
    ),
    agreement=agreement,
)
