"""Figure 1(c): the test loss against the initial scale τ, at the end and at its best."""

from collections.abc import Sequence
from functools import partial

from lazycore.papers.agreement import judged, value_at, within_errors
from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._reported import curve, curves, read_off
from lazycore.papers.lazy_training.figures._scales import over_scales
from lazycore.papers.reproduction import (
    FULL,
    QUICK,
    Curve,
    Found,
    Job,
    Reproduction,
    Scale,
    Setting,
    Size,
)
from lazycore.papers.tables import line

STEPS, LONGEST_STEP, STEP_TAU2 = 10_000, 10.0, 0.1
"""The authors' 10,000 steps of length min(10, 0.1/τ²)."""
TAUS = tuple(float(f"{10.0 ** (k / 10.0):.12g}") for k in range(-22, 11))
QUICK_TAUS = tuple(TAUS[k] for k in (0, 2, 7, 12, 17, 22, 32))
"""10^−2.2, 0.01, 10^−1.5, 0.1, 10^−0.5, 1 and 10."""
FACTOR = 1e3
"""The paper plots 1000 times the loss."""
LINES = {
    "end of training": ("final_test_loss", "nonlinear"),
    "best during training": ("best_test_loss", "nonlinear"),
    "linearised, end": ("linearized_final_test_loss", "linearized"),
    "linearised, best": ("linearized_best_test_loss", "linearized"),
}
_PROBLEM = {
    "task": "teacher",
    "dim": 100,
    "n_train": 1000,
    "n_test": 1000,
    "width": 50,
    "scaling": "plain",
    "zero_output": "symmetrized",
}


def descent(taus: Sequence[float], seeds: Sequence[int], steps: int = STEPS) -> list[Job]:
    """Return the sweeps of gradient descent with the authors' steps."""
    fields = {**_PROBLEM, "dynamics": "gd", "steps": steps}
    return over_scales(fields, taus, seeds, "step_size", LONGEST_STEP, STEP_TAU2)


def flow(taus: Sequence[float], seeds: Sequence[int]) -> list[Job]:
    """Return the sweeps of gradient flow over the same time T = 10,000 · min(10, 0.1/τ²).

    Losses are wanted, not the gap: at a tolerance of 0.1 they are good to 0.1 %.
    """
    fields = {**_PROBLEM, "dynamics": "flow", "tolerance": 0.1}
    return over_scales(fields, taus, seeds, "time", STEPS * LONGEST_STEP, STEPS * STEP_TAU2)


def lines(found: Sequence[Found]) -> list[Curve]:
    """Return the four lines over τ, 1000 times the test loss."""
    return [
        line(name, found, "init_scale", quantity, FACTOR, look)
        for name, (quantity, look) in LINES.items()
    ]


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare both lines with the reported ones, and the plateau with the linearised model."""
    ours = {one.line: one for one in lines(found)}
    rows = [
        within_errors(ours[name], curve("1c", name))
        for name in ("end of training", "best during training")
    ]
    for model, straight in zip(list(LINES)[:2], list(LINES)[2:], strict=True):
        ends = [value_at(ours[name], TAUS[-1]) for name in (model, straight)]
        apart = abs(ends[0] / ends[1] - 1.0)
        rows.append(
            judged(
                f"τ = 10, {model}: the linearised model's test loss",
                apart,
                f"{ends[0]:.3f} against {ends[1]:.3f}: {apart:.2%} apart",
                "within 1 %",
                apart <= 0.01,
            )
        )
    return rows


REPRODUCTION = Reproduction(
    name="1c",
    title="Figure 1(c): lazy training generalises worse",
    caption="A two-layer ReLU network of 50 neurons (paired, so that h(w₀) = 0) learns 3 neurons "
    "in dimension 100 from 1000 points. From a small initial scale τ it finds them; from a large "
    "one it is lazy, and its test loss levels off at exactly that of its linearisation.",
    x=Scale(title="initial scale τ (no unit)", log=True),
    y=Scale(title="test loss × 1000 (target units²)"),
    settings=(
        Setting(
            name="code",
            differs="The authors' code: 10,000 steps of gradient descent of length "
            "min(10, 0.1/τ²), whatever the loss is by then.",
            sizes={
                QUICK: Size(
                    said="7 of the 33 scales τ and 3 of the 10 seeds, at full length: 21 runs, "
                    "about a minute and a half on one core.",
                    make=partial(descent, QUICK_TAUS, range(3)),
                ),
                FULL: Size(
                    said="33 scales τ, 10 seeds: 330 runs, some 20 minutes on two cores.",
                    make=partial(descent, TAUS, range(10)),
                ),
            },
        ),
        Setting(
            name="text",
            differs="The paper's text: gradient flow, stopped at the same time T; below τ = 0.01 "
            "the authors' long steps are not small enough to follow it.",
            sizes={
                QUICK: Size(
                    said="7 of the 33 scales τ and 3 of the 10 seeds: 21 runs, some three minutes "
                    "on one core.",
                    make=partial(flow, QUICK_TAUS, range(3)),
                ),
                FULL: Size(
                    said="33 scales τ, 10 seeds: 330 runs, some 20 minutes on two cores.",
                    make=partial(flow, TAUS, range(10)),
                ),
            },
        ),
    ),
    curves=lines,
    reported=partial(curves, "1c"),
    read_off=read_off,
    agreement=agreement,
)
