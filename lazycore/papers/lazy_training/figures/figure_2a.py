"""Figure 2(a): the test loss against the width m, for outputs scaled by 1/√m and by 1/m."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.agreement import judged, value_at, within_errors, within_share
from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._reported import curve, curves, read_off
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

STEPS = 25_000
WIDTHS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256, 512)
QUICK_WIDTHS = (2, 6, 16, 32, 64)
CLOSE, FROM_WIDTH, APART = 0.25, 16, 3.0
TEACHER = 100.0
"""The authors multiply the teacher by this and plot 0.1 of the loss. Dividing α by it instead
gives the same weights at every step, and outputs 100 times smaller: 1000 times our loss."""
FACTOR = 0.1 * TEACHER**2
RULES = {"1/√m": ("alpha_sqrt_width", 1.0), "1/m": ("alpha_width", 0.05)}
"""By line: the axis that says α, and η times m."""


def sweeps(widths: Sequence[int], seeds: Sequence[int], steps: int = STEPS) -> list[Job]:
    """Return the sweep of each scaling: α = 0.01/√m with η = 1/m, α = 0.01/m with η = 0.05/m."""
    return [
        SweepConfig(
            base=RunConfig(
                task="teacher",
                dim=100,
                n_train=1000,
                n_test=1000,
                width=widths[0],
                scaling="plain",
                zero_output="none",
                dynamics="gd",
                steps=steps,
            ),
            axes={
                "width": tuple(widths),
                "seed": tuple(seeds),
                axis: (1.0 / TEACHER,),
                "step_size_width": (step,),
            },
        )
        for axis, step in RULES.values()
    ]


def lines(found: Sequence[Found]) -> list[Curve]:
    """Return the test loss at the end over m, one line for each scaling."""
    return [
        line(name, [table], "width", "final_test_loss", FACTOR)
        for name, table in zip(RULES, found, strict=True)
    ]


def scattered(theirs: Curve, ours: Curve) -> Curve:
    """Return the reported line with the standard deviation of ours, since it has no band."""
    places = [ours.at(float(x)) for x in theirs.x]
    std = [math.nan if place is None else float(ours.std[place]) for place in places]
    return replace(theirs, std=np.array(std))


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare both lines with the reported ones, and with each other at m = 64."""
    ours = {one.line: one for one in lines(found)}
    rows = [within_share(ours[name], curve("2a", name), CLOSE, FROM_WIDTH) for name in RULES]
    # Of a few seeds the mean is not known to 25 %: beside that, what their scatter allows.
    rows += [within_errors(ours[name], scattered(curve("2a", name), ours[name])) for name in RULES]
    lazy, critical = (value_at(ours[name], 64.0) for name in RULES)
    ratio = lazy / critical if critical > 0.0 else math.nan
    rows.append(
        judged(
            "m = 64: the loss at 1/√m over that at 1/m",
            ratio,
            f"{lazy:.3f} / {critical:.3f} = {ratio:.1f}",
            f"> {APART:g}",
            ratio > APART,
        )
    )
    return rows


def _size(said: str, widths: Sequence[int], seeds: int, steps: int) -> Size:
    return Size(said=said, make=partial(sweeps, widths, range(seeds), steps))


_QUICK = _size(
    "5 of the 13 widths, up to 64, and 3 seeds, at full length: 30 runs, some two minutes on two "
    "cores.",
    QUICK_WIDTHS,
    3,
    STEPS,
)
REPRODUCTION = Reproduction(
    name="2a",
    title="Figure 2(a): an output scaled by 1/√m is lazy, one scaled by 1/m is not",
    caption="The test loss at the end of training against the width m, for the task of Figure 1(c) "
    "without pairing. With α(m) = 1/√m wide networks are lazy and generalise worse; α(m) = 1/m is "
    "the critical, mean-field scale. Near m = 16 some seeds find the teacher and others do not, so "
    "that a mean of few runs says little there.",
    x=Scale(title="width m (hidden units)", log=True),
    y=Scale(title="test loss × 1000 (target units²)"),
    settings=(
        Setting(
            name="code",
            differs="The authors' code: 25,000 steps of length 1/m and 0.05/m, 10 seeds, a teacher "
            "100 times as large (here α is 100 times smaller instead, which is the same run).",
            sizes={
                QUICK: _QUICK,
                FULL: _size(
                    "13 widths up to 512, 10 seeds, 25,000 steps: 260 runs, hours.",
                    WIDTHS,
                    10,
                    STEPS,
                ),
            },
        ),
        Setting(
            name="text",
            differs="The paper's text: an average over 5 runs; it gives no step, so that the "
            "steps are those of the code.",
            sizes={
                QUICK: _QUICK,
                FULL: _size(
                    "13 widths up to 512, 5 seeds, 25,000 steps: 130 runs, hours.",
                    WIDTHS,
                    5,
                    STEPS,
                ),
            },
        ),
    ),
    curves=lines,
    reported=partial(curves, "2a"),
    read_off=read_off,
    agreement=agreement,
)
