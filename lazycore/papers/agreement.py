"""How far a curve of ours and a reported one agree, in numbers."""

import math

import numpy as np

from lazycore.papers.claim import Row
from lazycore.papers.reproduction import Curve

SIGMAS = 3.0
SHARE = 30.0 / 33.0
"""Points that must be within so many standard errors, of all that are compared."""
FEWEST = 3
"""Runs below which a point's scatter is not known well enough to judge by."""


def within_errors(ours: Curve, theirs: Curve) -> Row:
    """Judge |ours − reported| ≤ 3 √(s²/N + s²_reported/N_reported) at 30 of 33 points or more.

    Points without a reported one within 2 % of x, or with fewer than three runs, are left out.
    """
    claim = f"{ours.line}: |computed − reported| within {SIGMAS:g} standard errors"
    allowed = f"≥ {100.0 * SHARE:.0f} % of the points (30 of 33)"
    distances, means, places = [], [], []
    for i, x in enumerate(ours.x):
        j = theirs.at(float(x))
        if j is None or ours.counts[i] < FEWEST or not math.isfinite(theirs.std[j]):
            continue
        apart = float(ours.mean[i] - theirs.mean[j])
        error = math.hypot(
            ours.std[i] / math.sqrt(ours.counts[i]), theirs.std[j] / math.sqrt(theirs.counts[j])
        )
        distances.append(abs(apart) / error if error > 0.0 else math.inf)
        means.append(f"{float(ours.mean[i]):.3g} against {float(theirs.mean[j]):.3g}")
        places.append(float(x))
    if not places:
        return Row(claim, f"no point with {FEWEST} runs yet", allowed, None)
    good = sum(distance <= SIGMAS for distance in distances)
    worst = int(np.argmax(distances))
    said = (
        f"{good} of {len(places)} points; farthest at {places[worst]:.3g}: "
        f"{distances[worst]:.1f} standard errors, {means[worst]}"
    )
    return Row(claim, said, allowed, good / len(places) >= SHARE)


def within_share(ours: Curve, theirs: Curve, share: float, at_least: float) -> Row:
    """Judge |ours/reported − 1| ≤ `share` at every x ≥ `at_least` with three runs or more."""
    claim = f"{ours.line}: computed over reported, from {at_least:g} on"
    allowed = f"within {100.0 * share:.0f} % at every point"
    ratios = {
        float(x): float(ours.mean[i] / theirs.mean[j])
        for i, x in enumerate(ours.x)
        for j in [theirs.at(float(x))]
        if j is not None and x >= at_least and ours.counts[i] >= FEWEST
    }
    if not ratios:
        return Row(claim, f"no point with {FEWEST} runs yet", allowed, None)
    said = ", ".join(f"{x:g}: {ratio:.2f}" for x, ratio in ratios.items())
    return Row(claim, said, allowed, all(abs(r - 1.0) <= share for r in ratios.values()))


def value_at(curve: Curve, x: float) -> float:
    """Return the curve's mean at x; NaN where it has no point there."""
    place = curve.at(x)
    return math.nan if place is None else float(curve.mean[place])


def judged(claim: str, value: float, said: str, allowed: str, holds: bool) -> Row:
    """Return the row of this claim; not judged while the value is not there."""
    there = math.isfinite(value)
    return Row(claim, said if there else "not computed yet", allowed, holds if there else None)
