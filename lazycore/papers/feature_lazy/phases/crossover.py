"""Where the two phases meet: α*(h), at which the kernel has changed by as much as it was.

‖Θ − Θ₀‖ = c‖Θ₀‖ with c = 1 is the border of Geiger et al. (2020, arXiv:1906.08034); for other
c it is a contour of their later phase diagrams (arXiv:2012.15110). In √hα it hardly depends on
h, so α* ~ h^(−1/2).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.papers.feature_lazy.phases.cube import Cube
from lazycore.theory import bootstrap
from lazycore.theory.bootstrap import Interval
from lazycore.theory.contours import level_line

EXPONENT = -0.5
"""Of α* in h."""
RATIO = 1.25
"""How far apart in √hα the two sides of a border are that counts as found."""
STEP = 10.0
"""How much farther in √hα is looked where all that is known is on one side."""


@dataclass(frozen=True)
class Border:
    """Where ‖ΔΘ‖ = c‖Θ₀‖. widths: (H,). scales: (H, S) √hα*, NaN where a seed has no border.

    exponent: of α* in h, with its interval over seeds; None for fewer than three widths.
    """

    level: float
    widths: np.ndarray
    scales: np.ndarray
    exponent: Interval | None

    @property
    def alphas(self) -> np.ndarray:
        """α* of each width and seed, (H, S)."""
        return self.scales / np.sqrt(self.widths)[:, None]

    @property
    def scale(self) -> float:
        """The geometric mean of √hα* over all widths and seeds, NaN for none."""
        known = self.scales[np.isfinite(self.scales)]
        return float(np.exp(np.log(known).mean())) if known.size else float("nan")


def crossing(scales: np.ndarray, changes: np.ndarray, level: float = 1.0) -> float:
    """Return where the kernel change falls through `level` for the last time, straight between
    points in logarithms; NaN where it never does.

    scales, changes: (k,), the former increasing; what is not positive and finite is left out.
    """
    kept = np.isfinite(changes) & (changes > 0.0)
    x, y = np.log(scales[kept]), np.log(changes[kept]) - np.log(level)
    falls = np.flatnonzero((y[:-1] >= 0.0) & (y[1:] < 0.0))
    if not falls.size:
        return float("nan")
    i = falls[-1]
    return float(np.exp(x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1])))


def border(cubes: Sequence[Cube], level: float = 1.0) -> Border:
    """Return the border in these cubes together: the first says which widths and seeds count."""
    first = cubes[0]
    scales = np.array(
        [[crossing(*_points(cubes, h, s), level) for s in first.seeds] for h in first.widths]
    )
    found = Border(level, first.widths, scales, None)
    exponent = bootstrap.exponent(first.widths, list(found.alphas.T))
    return Border(level, first.widths, scales, exponent)


def line(cube: Cube, level: float) -> np.ndarray:
    """Return the contour ‖ΔΘ‖ = level ‖Θ₀‖ as (k, 2) points (h, √hα), NaN between its pieces.

    Of the geometric means over seeds; between cells straight in the logarithms of all three.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        heights = np.log10(cube.means("kernel_change")).T
    points = level_line(
        np.log10(cube.widths), np.log10(cube.scales), heights, float(np.log10(level))
    )
    return 10.0**points


def brackets(cubes: Sequence[Cube], level: float = 1.0) -> dict[int, tuple[float, float]]:
    """Return by width the two neighbouring √hα between which the border is.

    By geometric means over seeds; 0 or ∞ where all that is known is on one side of it. Widths
    of which nothing is known are left out.
    """
    found = {}
    for width in cubes[0].widths:
        means = dict(_means(cubes, width))
        above = [scale for scale, change in means.items() if change >= level]
        low = max(above, default=0.0)
        high = min((s for s, change in means.items() if change < level and s > low), default=np.inf)
        if means:
            found[int(width)] = (low, float(high))
    return found


def next_scales(
    cubes: Sequence[Cube], level: float = 1.0, ratio: float = RATIO
) -> dict[int, float]:
    """Return by width the √hα at which to look next: bisection in log √hα.

    The geometric middle of its bracket, or ten times beyond what is known where that is all
    on one side. A width whose bracket is within `ratio` is found and left out.
    """
    if not ratio > 1.0:
        raise ConfigError(f"ratio={ratio:g} is not allowed: give a number above 1.")
    wanted = {}
    for width, (low, high) in brackets(cubes, level).items():
        if low > 0.0 and high <= ratio * low:
            continue
        wanted[width] = (
            high / STEP if low == 0.0 else low * STEP if np.isinf(high) else np.sqrt(low * high)
        )
    return {width: float(f"{scale:.6g}") for width, scale in wanted.items()}


def next_sweeps(
    cubes: Sequence[Cube], level: float = 1.0, ratio: float = RATIO
) -> list[SweepConfig]:
    """Return the sweeps over seeds, one a width, that halve the brackets; none when all are found.

    A handful of calls, each over what the ones before have come to, gives α* to `ratio`.
    """
    first = cubes[0].config
    base = {k: v for k, v in first.base.given().items() if k not in ("alpha", "width", "init_seed")}
    return [
        SweepConfig.from_dict(
            {
                "base": base,
                "axes": {
                    "width": [width],
                    "alpha_sqrt_width": [scale],
                    "init_seed": list(cubes[0].seeds),
                },
            }
        )
        for width, scale in next_scales(cubes, level, ratio).items()
    ]


def _points(cubes: Sequence[Cube], width: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return √hα, increasing, and the kernel change of one width and seed in all the cubes."""
    found = {}
    for cube in cubes:
        rows = np.flatnonzero(cube.widths == width)
        if rows.size and seed in cube.seeds:
            column = cube.values["kernel_change"][rows[0], :, cube.seeds.index(seed)]
            found |= dict(zip(cube.scales.tolist(), column.tolist(), strict=True))
    scales = np.array(sorted(found))
    return scales, np.array([found[scale] for scale in scales])


def _means(cubes: Sequence[Cube], width: float) -> Iterator[tuple[float, float]]:
    """Yield √hα and the geometric mean of the kernel change over seeds, where there is one."""
    for cube in cubes:
        for row in np.flatnonzero(cube.widths == width):
            means = cube.means("kernel_change")[row]
            for scale, change in zip(cube.scales.tolist(), means.tolist(), strict=True):
                if np.isfinite(change):
                    yield scale, change
