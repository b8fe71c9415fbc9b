"""Figure 2(b): descent of the population loss with fresh mini-batches, against τ."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from lazycore.papers.agreement import judged, value_at
from lazycore.papers.claim import Row
from lazycore.papers.lazy_training.figures._reported import curves, read_off
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
from lazycore.results.sweep import SweepResult

STEPS, BATCH, DIM, WIDTH = 20_000, 200, 100, 50
TAUS = (0.01, 0.02, 0.04, *(float(f"{10.0 ** (k / 10.0):.12g}") for k in range(-10, 1)), 2.0, 4.0)
TAUS += (8.0,)
QUICK_TAUS = (0.01, 0.1, TAUS[6], TAUS[8], 1.0, 8.0)
PLATEAU_FROM = 2.0
"""The plateau is the mean over the scales from here on."""
LINE = "population loss"
CODE = {
    # f = (1/m) Σ a σ(b·x) against (1/200) of the teacher, the gradient without its 1/m, the step
    # of b times d: that is α = 200/m, η = (their step)/m, and the first layer d times as fast.
    "alpha": BATCH / WIDTH,
    "first_layer_rate": float(DIM),
}
CODE_STEP, CODE_LONGEST = 0.25 / WIDTH, 25.0 / WIDTH
TEXT_STEP, TEXT_LONGEST = 0.1, 10.0


_PROBLEM = {
    "task": "teacher",
    "dim": DIM,
    "n_train": BATCH,
    "n_test": 2000,
    "width": WIDTH,
    "scaling": "plain",
    "zero_output": "symmetrized",
    "dynamics": "population",
    "batch_size": BATCH,
}


def as_authors(taus: Sequence[float], seeds: Sequence[int], steps: int = STEPS) -> list[Job]:
    """Return the sweeps of the authors' code."""
    fields = {**_PROBLEM, **CODE, "steps": steps}
    return over_scales(fields, taus, seeds, "step_size", CODE_LONGEST, CODE_STEP)


def as_written(taus: Sequence[float], seeds: Sequence[int], steps: int = STEPS) -> list[Job]:
    """Return the sweeps of the problem as the text has it; their τ is twice that of the code."""
    fields = {**_PROBLEM, "steps": steps}
    doubled = [2.0 * tau for tau in taus]
    return over_scales(fields, doubled, seeds, "step_size", TEXT_LONGEST, TEXT_STEP)


def lines(found: Sequence[Found]) -> list[Curve]:
    """Return the population loss over τ, as a share of its plateau at large τ."""
    whole = line(LINE, found, "init_scale", "final_test_loss")
    return [whole.times(1.0 / level) for level in [plateau(whole)] if math.isfinite(level)]


def reported() -> list[Curve]:
    """Return the paper's line as a share of its own plateau: its unit is not known."""
    return [one.times(1.0 / plateau(one)) for one in curves("2b")]


def plateau(one: Curve) -> float:
    """Return the mean of the line over τ ≥ 2; NaN while it has no point there."""
    there = one.mean[one.x >= PLATEAU_FROM]
    return float(there.mean()) if there.size else math.nan


def agreement(found: Sequence[Found]) -> list[Row]:
    """Compare the loss with its plateau well below and at the scale where laziness sets in."""
    ours = (lines(found) or [None])[0]
    # What the code calls τ = 0.1 and 1 is 0.2 and 2 in the text's problem.
    tables = [table for table in found if isinstance(table, SweepResult)]
    unit = 1.0 if tables and tables[0].config.base.alpha == CODE["alpha"] else 2.0
    rows = []
    for tau, allowed in ((0.1, "< 0.02"), (1.0, "> 0.9")):
        ratio = math.nan if ours is None else value_at(ours, unit * tau)
        holds = ratio < 0.02 if tau < 1.0 else ratio > 0.9
        claim = f"τ = {unit * tau:g}: the population loss over its plateau"
        row = judged(claim, ratio, f"{ratio:.4f}", allowed, holds)
        # What is allowed was measured with the authors' steps: of others it is only shown.
        rows.append(row if unit == 1.0 else replace(row, allowed="shown", passed=None))
    return rows


def _sizes(make) -> dict[str, Size]:
    return {
        QUICK: Size(
            said="6 of the 17 scales τ, one seed, all 20,000 steps: some three minutes on one "
            "core.",
            make=partial(make, QUICK_TAUS, range(1)),
        ),
        FULL: Size(
            said="17 scales τ, 10 seeds, 20,000 steps: 170 runs, an hour or two.",
            make=partial(make, TAUS, range(10)),
        ),
    }


REPRODUCTION = Reproduction(
    name="2b",
    title="Figure 2(b): also with fresh points, lazy training ends worse",
    caption="Stochastic descent of the population loss, 200 fresh points a step, 50 paired "
    "neurons in dimension 100. No point is seen twice, so that what is left at large τ is not "
    "overfitting: the lazy network does not reach the teacher. Between 0.15 and 0.5 training has "
    "not converged yet.",
    x=Scale(title="initial scale τ (no unit)", log=True),
    y=Scale(title="population loss / its plateau (no unit)"),
    settings=(
        Setting(
            name="code",
            differs="The authors' code: the output over m = 50, the teacher over 200, the step of "
            "the first layer times d = 100, steps of min(0.25/τ², 25); the loss in units of its "
            "plateau.",
            sizes=_sizes(as_authors),
        ),
        Setting(
            name="text",
            differs="The paper's text: the problem of Figure 1(c), all weights at one step "
            "min(0.1/τ², 10), since the text gives none. What the code calls τ is 2τ here, so that "
            "the rise is to be expected at twice the reported τ.",
            sizes=_sizes(as_written),
        ),
    ),
    curves=lines,
    reported=reported,
    read_off=read_off,
    agreement=agreement,
)
