"""How outputs fluctuate with the initial weights (Geiger et al. 2020, arXiv:1906.08034).

Var over initial weights falls as 1/h on both sides of the border and at it, is smaller on the
feature side, and the mean of many narrow networks errs as little as one wide network. Digits by
parity, n = 100, two hidden layers: the reference measured slopes −1.00, −1.06, −0.96.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.feature_lazy.claims.exponents import at_end
from lazycore.papers.feature_lazy.phases import cube_of, fluctuations, settings
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult

FEATURE, BORDER, LAZY = 1e-2, 1.0, 1e4
TOLERANCE = 0.15
NARROW, WIDE = 50, 400
ALLOWED = 0.005
"""By how much the ensemble of narrow networks may err more than a wide one."""
SWEEP = SweepConfig.from_text(
    settings.SETTING
    | {"width": "25,50,100,200,400", "alpha_sqrt_width": "1e-2,1,1e4", "init_seed": "0:20"}
)
DATA_SEEDS = (SWEEP.base.resolve().data_seed, 0, 1, 2)
"""On the feature side the slope depends on the training points, so that it is judged as the mean of
four sets: those of the other sweeps, and three more."""


def _over_data(**fields: str) -> tuple[SweepConfig, ...]:
    """Return this sweep on each of the sets of data."""
    text = settings.SETTING | fields
    return tuple(SweepConfig.from_text(text | {"data_seed": str(seed)}) for seed in DATA_SEEDS)


OVER_DATA = _over_data(width="25,50,100,200,400", alpha_sqrt_width="1e-2,", init_seed="0:20")
QUICK = _over_data(width="25,50,100,200", alpha_sqrt_width="1e-2,1e4", init_seed="0:5")
"""What a minute allows."""
AS_IT_IS, CENTERED = (
    SweepConfig.from_text(
        {name: text for name, text in settings.SETTING.items() if name != "tolerance"}
        | {"dynamics": "adaptive_euler", "zero_output": zero, "width": "50,"}
        | {"alpha_sqrt_width": "1e-2,1e4", "init_seed": "0:5"}
    )
    for zero in ("none", "centered")
)
"""F = αf beside F = α(f − f₀), by the rule of the authors: tolerances of a flow are relative to
outputs, which are αf₀ here, and do not resolve margins of 1."""
AXIS, MORE, SAME = "alpha_sqrt_width", 1e3, 0.02
"""The axis of √hα; how many times more F = αf must fluctuate on the lazy side;
how alike the losses of both are on the feature side."""


def _runs(*sweeps: SweepConfig) -> dict[str, RunConfig]:
    return {cell.digest: cell.config for sweep in sweeps for cell in sweep.cells}


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
    for scale, slope in zip(cube.scales, variances.exponents, strict=True):
        said = "too few runs" if slope is None else _said(slope.value, slope.low, slope.high)
        claim = f"√hα = {scale:g}: Var against h, {len(cube.seeds)} seeds"
        if scale == FEATURE:
            rows.append(Row(claim, said, "shown; judged over sets of data", None))
        else:
            holds = slope is not None and abs(slope.value - fluctuations.EXPONENT) <= TOLERANCE
            rows.append(Row(claim, said, f"−1 ± {TOLERANCE}", holds))
    return [*rows, _ended(results), _smaller(cube, variances)]


def _judge_over_data(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for sweep in OVER_DATA:
        _, variances, _ = _found(sweep, _of(sweep, results))
        slope = variances.exponents[0]
        said = "too few runs" if slope is None else _said(slope.value, slope.low, slope.high)
        claim = f"√hα = {FEATURE:g}, data_seed {sweep.base.resolve().data_seed}: Var against h"
        rows.append(Row(claim, said, "shown", None))
    return [*rows, *_mean_slopes(OVER_DATA, results)]


def _mean_slopes(sweeps: Sequence[SweepConfig], results: Mapping[str, RunResult]) -> list[Row]:
    """Return a row for each √hα: the mean of the slope over these sets of data."""
    parts = [_found(sweep, _of(sweep, results))[:2] for sweep in sweeps]
    rows = []
    for i, scale in enumerate(parts[0][0].scales):
        powers = [variances.exponents[i] for _, variances in parts]
        slopes = [np.nan if power is None else power.value for power in powers]
        mean, error = float(np.mean(slopes)), float(np.std(slopes, ddof=1)) / len(slopes) ** 0.5
        claim = f"√hα = {scale:g}: Var against h, mean over {len(slopes)} sets of data"
        said = f"{mean:.3f} ± {error:.3f}".replace("-", "−")
        holds = abs(mean - fluctuations.EXPONENT) <= TOLERANCE
        rows.append(Row(claim, said, f"−1 ± {TOLERANCE}", holds))
    return rows


def _judge_quick(results: Mapping[str, RunResult]) -> list[Row]:
    rows = _mean_slopes(QUICK, results)
    for sweep in QUICK:
        mine = _of(sweep, results)
        cube, variances, _ = _found(sweep, mine)
        said = f"data_seed {sweep.base.resolve().data_seed}: "
        found = (_ended(mine), _smaller(cube, variances))
        rows += [replace(row, claim=said + row.claim) for row in found]
    return rows


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


def _judge_uncentered(results: Mapping[str, RunResult]) -> list[Row]:
    rows, lazy, losses = [], [], []
    for said, sweep in (("F = αf", AS_IT_IS), ("F = α(f − f₀)", CENTERED)):
        mine = _of(sweep, results)
        cube, variances, errors = _found(sweep, mine)
        lazy_side = int(np.flatnonzero(cube.scales == LAZY)[0])
        lazy.append(float(variances.value[0, lazy_side]) * float(cube.widths[0]))
        found = [results[cell.digest] for cell in sweep.cells if cell.values[AXIS] == FEATURE]
        losses.append(float(np.mean([at_end(one, "nonlinear.test_loss") for one in found])))
        error = f"{errors.single[0, lazy_side]:.3f}"
        rows += [Row(f"{said}, √hα = {LAZY:g}: test error", error, "shown", None), _ended(mine)]
    ratio, apart = lazy[0] / lazy[1], abs(losses[0] / losses[1] - 1.0)
    claim = f"√hα = {LAZY:g}, h = 50: h·Var of F = αf over that of F = α(f − f₀)"
    said = f"{ratio:.2g} ({lazy[0]:.2g}, {lazy[1]:.2g})"
    rows.append(Row(claim, said, f"> {MORE:g}", ratio > MORE))
    claim = f"√hα = {FEATURE:g}: test losses differ by"
    return [*rows, Row(claim, f"{apart:.2%}", f"< {SAME:.0%}", apart < SAME)]


def _ended(results: Mapping[str, RunResult]) -> Row:
    """Return the row that counts the runs of which both models met their margins."""
    done, total = sum(result.status == "done" for result in results.values()), len(results)
    return Row("runs that met all margins", f"{done}", f"all {total}", done == total)


def _of(sweep: SweepConfig, results: Mapping[str, RunResult]) -> dict[str, RunResult]:
    """Return the results of this sweep."""
    return {digest: results[digest] for digest in _runs(sweep)}


def _said(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})".replace("-", "−")


_SLOW = Check(
    name="variance-of-outputs",
    source="Geiger et al. 2020, Fig. 3 a, b",
    runs=_runs(SWEEP),
    judge=_judge_variance,
    slow=True,
)
CHECKS = (
    Check(
        name="variance-of-outputs-quick",
        source="Geiger et al. 2020, Fig. 3 a, b",
        runs=_runs(*QUICK),
        judge=_judge_quick,
    ),
    _SLOW,
    replace(_SLOW, name="ensemble-of-networks", source="Fig. 3 c, d", judge=_judge_ensemble),
    replace(
        _SLOW,
        name="variance-of-outputs-over-data",
        runs=_runs(*OVER_DATA),
        judge=_judge_over_data,
    ),
    Check(
        name="output-at-the-start-left-in",
        source="Geiger et al. 2020, F = αf instead of F = α(f − f₀)",
        runs=_runs(AS_IT_IS, CENTERED),
        judge=_judge_uncentered,
        slow=True,
    ),
)
