"""How outputs fluctuate with the initial weights (Geiger et al. 2020, arXiv:1906.08034).

Var over initial weights falls as 1/h on both sides of the border and at it, is smaller on the
feature side, and the mean of many narrow networks errs as little as one wide network. Digits by
parity, n = 100, two hidden layers: the reference measured slopes −1.00, −1.06, −0.96.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lazycore.checks import FEATURE_LAZY, Check, Row
from lazycore.config import RunConfig
from lazycore.phases import cube_of, fluctuations, settings
from lazycore.results import RunResult
from lazycore.sweepconfig import SweepConfig
from lazycore.sweepresult import SweepResult

FEATURE, BORDER, LAZY = 1e-2, 1.0, 1e4
TOLERANCE = 0.15
NARROW, WIDE = 50, 400
ALLOWED = 0.005
"""By how much the ensemble of narrow networks may err more than a wide one."""
SWEEP = SweepConfig.from_text(
    settings.SETTING
    | {"width": "25,50,100,200,400", "alpha_sqrt_width": "1e-2,1,1e4", "init_seed": "0:20"}
)
QUICK = SweepConfig.from_text(
    settings.SETTING | {"width": "16,64", "alpha_sqrt_width": "1e-2,1e4", "init_seed": "0:6"}
)
"""What a minute allows: too few seeds for the slope, enough for which side fluctuates less."""


def _runs(sweep: SweepConfig) -> dict[str, RunConfig]:
    return {cell.digest: cell.config for cell in sweep.cells}


def _found(sweep: SweepConfig, results: Mapping[str, RunResult]) -> tuple:
    """Return the cube of these runs with its variances and errors."""
    table = SweepResult(sweep)
    for digest, result in results.items():
        table.add(digest, result)
    cube = cube_of(table)
    variances, errors = fluctuations.variances(cube), fluctuations.errors(cube)
    assert variances is not None and errors is not None
    return cube, variances, errors


def _judge_variance(results: Mapping[str, RunResult]) -> list[Row]:
    cube, variances, _ = _found(SWEEP, results)
    rows = []
    for i, scale in enumerate(cube.scales):
        slope = variances.exponents[i]
        said = "too few runs" if slope is None else _said(slope.value, slope.low, slope.high)
        holds = slope is not None and abs(slope.value - fluctuations.EXPONENT) <= TOLERANCE
        claim = f"√hα = {scale:g}: Var against h, {len(cube.seeds)} seeds"
        rows.append(Row(claim, said, f"−1 ± {TOLERANCE}", holds))
    return [*rows, _ended(cube), _smaller(cube, variances)]


def _judge_quick(results: Mapping[str, RunResult]) -> list[Row]:
    cube, variances, _ = _found(QUICK, results)
    return [_ended(cube), _smaller(cube, variances)]


def _smaller(cube, variances) -> Row:
    """Return the row on h·Var of the feature side, against half of the lazy one's."""
    by_width = variances.value * cube.widths[:, None]
    feature, lazy = (float(np.mean(by_width[:, cube.scales == at])) for at in (FEATURE, LAZY))
    claim = f"h·Var at √hα = {FEATURE:g}, mean over the widths"
    said = f"{feature:.3g}; at {LAZY:g}: {lazy:.3g}"
    return Row(claim, said, f"< ½ of lazy = {0.5 * lazy:.3g}", feature < 0.5 * lazy)


def _judge_ensemble(results: Mapping[str, RunResult]) -> list[Row]:
    cube, _, errors = _found(SWEEP, results)
    lazy = int(np.flatnonzero(cube.scales == LAZY)[0])
    narrow, wide = (int(np.flatnonzero(cube.widths == h)[0]) for h in (NARROW, WIDE))
    together = float(errors.ensemble[narrow, lazy])
    alone = float(errors.single[wide, lazy])
    limit = alone + ALLOWED
    claim = f"√hα = {LAZY:g}: error of {len(cube.seeds)} networks of h = {NARROW} together"
    said = f"{together:.4f}; one of h = {NARROW}: {errors.single[narrow, lazy]:.4f}"
    rows = [Row(claim, said, f"≤ {limit:.4f}, one of h = {WIDE} + {ALLOWED}", together <= limit)]
    for i, width in enumerate(cube.widths):
        sides = [int(np.flatnonzero(cube.scales == at)[0]) for at in (FEATURE, LAZY)]
        single = " / ".join(f"{errors.single[i, k]:.4f}" for k in sides)
        both = " / ".join(f"{errors.ensemble[i, k]:.4f}" for k in sides)
        claim = f"h = {width:g}: errors, feature / lazy"
        rows.append(Row(claim, f"single {single}, ensemble {both}", "shown", None))
    return rows


def _ended(cube) -> Row:
    """Return the row that counts the runs that met their margins."""
    done = int((cube.status == "done").sum())
    claim = "runs that met all margins"
    return Row(claim, f"{done}", f"all {cube.status.size}", done == cube.status.size)


def _said(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})".replace("-", "−")


_SLOW = Check(
    name="variance-of-outputs",
    source="Geiger et al. 2020, Fig. 3 a, b",
    runs=_runs(SWEEP),
    judge=_judge_variance,
    slow=True,
    paper=FEATURE_LAZY,
)
CHECKS = (
    Check(
        name="variance-of-outputs-quick",
        source="Geiger et al. 2020, Fig. 3 b",
        runs=_runs(QUICK),
        judge=_judge_quick,
        paper=FEATURE_LAZY,
    ),
    _SLOW,
    replace(_SLOW, name="ensemble-of-networks", source="Fig. 3 c, d", judge=_judge_ensemble),
)
