"""Sweeps over the initial scale τ whose steps, or length, are min(longest, product/τ²)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.reproduction import Job


def over_scales(
    fields: Mapping[str, Any],
    taus: Sequence[float],
    seeds: Sequence[int],
    name: str,
    longest: float,
    product: float,
) -> list[Job]:
    """Return the sweeps over τ and seeds with the field `name` at min(longest, product/τ²).

    One where the field is fixed, for small τ, and one where its product with τ² is: by q = 2
    homogeneity this is one pace for all large scales (Chizat, Oyallon & Bach 2019, §2.2).
    """
    edge = 0.999 * math.sqrt(product / longest)  # 0.999: at the edge itself both are the same
    small = tuple(tau for tau in taus if tau < edge)
    large = tuple(tau for tau in taus if tau >= edge)
    drawn, sweeps = tuple(seeds), list[Job]()
    if small:
        base = RunConfig.from_dict({**fields, name: longest, "init_scale": small[0]})
        sweeps.append(SweepConfig(base=base, axes={"init_scale": small, "seed": drawn}))
    if large:
        base = RunConfig.from_dict({**fields, "init_scale": large[0]})
        axes = {"init_scale": large, "seed": drawn, f"{name}_init_scale2": (product,)}
        sweeps.append(SweepConfig(base=base, axes=axes))
    return sweeps
