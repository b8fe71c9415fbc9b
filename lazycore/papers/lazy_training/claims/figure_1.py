"""Figure 1 of Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §3.1): neurons, and the plateau."""

from collections.abc import Mapping

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.figures._neurons import displacement, plane_run
from lazycore.papers.lazy_training.figures.figure_1ab import (
    AUTHORS_WIDTH,
    FAR,
    FITTED,
    LAZY,
    NEAR,
    POINTS,
    RICH,
)
from lazycore.papers.lazy_training.figures.figure_1c import TAUS, descent
from lazycore.results.run import RunResult

SEEDS = range(12)
NEEDED = 9


def neurons(tau: float, seed: int) -> RunConfig:
    """Return the run of Figure 1(a, b): 15 points of the plane, 16 paired neurons."""
    return plane_run(tau, width=AUTHORS_WIDTH, n_train=POINTS, seed=seed)


def _judge_neurons(results: Mapping[str, RunResult]) -> list[Row]:
    rows, good = [], 0
    for seed in SEEDS:
        rich, lazy = results[f"{RICH} {seed}"], results[f"{LAZY} {seed}"]
        moves = [displacement(r) for r in (rich, lazy)]
        losses = [float(r.series["nonlinear.train_loss"][-1]) for r in (rich, lazy)]
        holds = moves[0] > FAR and moves[1] < NEAR and max(losses) < FITTED
        good += holds
        text = f"moved {moves[0]:.3g} / {moves[1]:.3g}, loss {losses[0]:.1e} / {losses[1]:.1e}" + (
            "" if holds else "  (not this seed)"
        )
        # One seed may fail: what is claimed is the share of them, in the last row.
        rows.append(Row(f"Fig. 1(a,b), seed {seed}: τ = 0.1 / τ = 2", text, "see below", None))
    claim = "Fig. 1(a,b): neurons move > 5 at τ = 0.1, < 0.25 at τ = 2, loss < 2e-3"
    rows.append(Row(claim, f"{good} of 12 seeds", f"≥ {NEEDED} of 12", good >= NEEDED))
    return rows


def _judge_plateau(results: Mapping[str, RunResult]) -> list[Row]:
    result, rows = results["plateau"], []
    for name, pick in (("end", lambda loss: loss[-1]), ("best", np.min)):
        loss = [pick(result.series[f"{m}.test_loss"]) for m in ("nonlinear", "linearized")]
        difference = abs(loss[0] / loss[1] - 1.0)
        rows.append(
            Row(
                f"Fig. 1(c): at τ = 10 the {name} test loss is the linearised model's",
                f"{1e3 * loss[0]:.3f}e-3 against {1e3 * loss[1]:.3f}e-3: {difference:.2%}",
                "within 1 %",
                difference <= 0.01,
            )
        )
    return rows


def _plateau() -> RunConfig:
    """Return the run of the largest τ."""
    sweep = descent(TAUS[-1:], range(1))[0]
    assert isinstance(sweep, SweepConfig)
    return sweep.cells[0].config


CHECKS = (
    Check(
        name="figure-1ab",
        source="Chizat, Oyallon & Bach 2019, Figure 1(a, b)",
        runs={f"{tau} {seed}": neurons(tau, seed) for tau in (RICH, LAZY) for seed in SEEDS},
        judge=_judge_neurons,
        slow=True,
    ),
    Check(
        name="figure-1c-plateau",
        source="Chizat, Oyallon & Bach 2019, Figure 1(c)",
        runs={"plateau": _plateau()},
        judge=_judge_plateau,
        slow=True,
    ),
)
