"""How far the kernel moves: exponents of both regimes, collapse over h, and where they meet."""

from collections.abc import Mapping, Sequence

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.feature_lazy.claims.exponents import SOURCE, setting, within
from lazycore.results.quantities.kernel import KERNEL_CHANGE
from lazycore.results.run import RunResult
from lazycore.theory.lazy import rich_kernel_exponent, slope

RICH, LAZY = (1e-4, 1e-3, 1e-2, 1e-1), (1e2, 1e3, 1e4)
DEPTHS = (1, 2, 3)
COLLAPSE, COLLAPSE_WIDTHS = {1e-2: 0.2, 1e4: 0.4}, (50, 100, 200)
STAR_WIDTHS, STAR_SEEDS = (25, 50, 100, 200, 400), range(8)
STAR_TOLERANCE = 0.1
"""α* is the same to three digits at 0.05, which takes a fifth more time."""
STAR_SCALES = {1: (2.7, 5.4), 2: (3.8, 7.6), 3: (5.5, 11.0)}
"""√h α on either side of where the kernel changes by as much as it was: the power of the change
bends there, so that a line through nearer points has the place better."""


def kernel_change(result: RunResult) -> float:
    """Return ‖Θ − Θ₀‖/‖Θ₀‖ at the end of the network; NaN where its margins were not met."""
    met = result.latest.get("nonlinear.stop_time") is not None
    return float(KERNEL_CHANGE.values(result)[-1]) if met else float("nan")


def exponent_runs(scales: Sequence[float], seeds: int = 1, **fields) -> dict[str, RunConfig]:
    """Return runs at these √h α for every depth and seed of the weights, by `_label`."""
    return {
        _label(depth, scale, seed): setting(scale, depth=depth, init_seed=seed, **fields)
        for depth in DEPTHS
        for seed in range(seeds)
        for scale in scales
    }


def _label(depth: int, scale: float, seed: int) -> str:
    """Return "L scale" for the first seed, "L scale seed" for another."""
    return f"{depth} {scale:g} {seed}" if seed else f"{depth} {scale:g}"


def _exponents(scales: Sequence[float], said: str, seeds: int = 1, **fields) -> tuple:
    """Return the runs at these scales, and their judgement: by the mean over seeds."""
    is_lazy = scales == LAZY

    def judge(results: Mapping[str, RunResult]) -> list[Row]:
        rows = []
        for depth in DEPTHS:
            table = [
                [kernel_change(results[_label(depth, scale, seed)]) for scale in scales]
                for seed in range(seeds)
            ]
            found = [-slope(scales, r)[0] if np.isfinite(r).all() else np.nan for r in table]
            wanted, room = (1.0, 0.1) if is_lazy else (rich_kernel_exponent(depth), 0.12)
            claim = f"{said}, L = {depth}: a of ‖ΔΘ‖/‖Θ₀‖ ∝ (√h α)^−a"
            held = within(float(np.mean(found)), wanted - room, wanted + room)
            rows.append(Row(claim, _mean_said(found), f"{wanted:.3g} ± {room}", held))
        return rows

    return exponent_runs(scales, seeds, **fields), judge


def _mean_said(found: Sequence[float]) -> str:
    """Return the mean of a number a seed, with its standard error and the range of all."""
    if len(found) == 1:
        return f"{found[0]:.3f}"
    error = np.std(found, ddof=1) / len(found) ** 0.5
    spread = f"{min(found):.2f} to {max(found):.2f}"
    return f"{np.mean(found):.3f} ± {error:.3f}, mean of {len(found)} seeds ({spread})"


def _collapse(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for scale, room in COLLAPSE.items():
        logs = [
            np.mean([np.log10(kernel_change(results[f"{scale:g} {h} {s}"])) for s in range(3)])
            for h in COLLAPSE_WIDTHS
        ]
        spread = float(np.ptp(logs))
        said = f"{spread:.2f} ({', '.join(f'{value:.2f}' for value in logs)})"
        claim = f"log₁₀ ‖ΔΘ‖/‖Θ₀‖ at √h α = {scale:g}, h = 50 to 200: spread"
        rows.append(Row(claim, said, f"< {room}", spread < room))
    return rows


def star_runs(depth: int) -> dict[str, RunConfig]:
    """Return the runs that find α* of every width, by "h seed scale"."""
    return {
        f"{h} {seed} {scale:g}": setting(
            scale, depth=depth, width=h, init_seed=seed, tolerance=STAR_TOLERANCE
        )
        for h in STAR_WIDTHS
        for seed in STAR_SEEDS
        for scale in STAR_SCALES[depth]
    }


def crossing(scales: Sequence[float], changes: Sequence[float]) -> float:
    """Return the scale at which the change is 1, on the line of log change over log scale."""
    exponent, offset = np.polyfit(np.log(scales), np.log(changes), 1)
    return float(np.exp(-offset / exponent))


def _star(depth: int):
    """Return the judgement of α* at this depth."""
    scales = STAR_SCALES[depth]

    def judge(results: Mapping[str, RunResult]) -> list[Row]:
        places = []
        for h in STAR_WIDTHS:
            table = [
                [kernel_change(results[f"{h} {seed} {scale:g}"]) for scale in scales]
                for seed in STAR_SEEDS
            ]
            places.append(crossing(scales, np.exp(np.nanmean(np.log(table), axis=0))))
        stars = [place / h**0.5 for h, place in zip(STAR_WIDTHS, places, strict=True)]
        found, low, high = slope(STAR_WIDTHS, stars)
        said = (
            f"{found:.3f} ({low:.2f} to {high:.2f}); √h α* = {np.exp(np.mean(np.log(places))):.2f}"
        )
        beyond = sum(not scales[0] <= place <= scales[-1] for place in places)
        if beyond:
            said += f"; {beyond} of {len(places)} beyond the √h α tried"
        claim = f"α* where ‖ΔΘ‖ = ‖Θ₀‖ against h = 25 to 400, L = {depth}"
        return [Row(claim, said, "-0.5 ± 0.07", within(found, -0.57, -0.43))]

    return judge


def _named(name: str, runs: Mapping[str, RunConfig], judge) -> Check:
    return Check(
        name=f"feature-lazy-{name}",
        source=SOURCE,
        runs=runs,
        judge=judge,
    )


RELU = {"activation": "relu", "tolerance": 0.03}
RELU_SEEDS = 8
"""At kinks a seed of three layers can be 0.1 off the others; rounding alone moves it by 0.02."""

CHECKS = (
    _named("lazy-exponent", *_exponents(LAZY, "softplus, lazy")),
    _named("rich-exponent", *_exponents(RICH, "softplus, rich")),
    _named("rich-exponent-relu", *_exponents(RICH, "ReLU, rich", RELU_SEEDS, **RELU)),
    _named(
        "collapse",
        {
            f"{scale:g} {h} {seed}": setting(scale, width=h, init_seed=seed)
            for scale in COLLAPSE
            for h in COLLAPSE_WIDTHS
            for seed in range(3)
        },
        _collapse,
    ),
    *(_named(f"star-{d}", star_runs(d), _star(d)) for d in (1, 2, 3)),
)
