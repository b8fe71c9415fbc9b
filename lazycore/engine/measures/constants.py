"""The constants of a problem at its initial weights: what hypotheses and bounds are made of.

Chizat, Oyallon & Bach (2019, arXiv:1812.07956), §2. All norms are those of L²(ρ̂). They are
recorded once, with the first snapshot, under names that begin with `constants.`; what a
theorem makes of them (`lazycore.papers.theorem`) needs no torch.
"""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.measures.columns import FEW_OUTPUTS
from lazycore.engine.measures.kappa import second_derivative_norm
from lazycore.engine.problem.anchor import Anchor
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem

MOST_OUTPUTS = 200
"""Outputs n·k up to which the singular values of Dh(w0) are found: milliseconds."""

MOST_WORK = 2.0e7
"""n·k·p up to which that is done at a second point too, for the rank near w0."""

RANK_SHARE = 1e-6
"""A singular value below this share of the largest is rounding, and counts as 0."""

NEARBY = 1e-3
"""How far from w0 the rank is looked at again, in units of ‖w0‖ (or 1, if that is less)."""

RADII = np.geomspace(1e-4, 1e2, 25)
"""Radii of the balls round w0 on which Lip(Dh) is bounded."""

UPPER, BELOW, UNKNOWN = "upper bound", "estimate from below, not a bound", "unknown"

_known: WeakKeyDictionary[Anchor, dict[str, Any]] = WeakKeyDictionary()


def constants(problem: Problem) -> dict[str, Any]:
    """Return the constants of this problem by their names in the record.

    differential_norm: ‖Dh(w0)‖. initial_output: ‖h(w0)‖. target_norm: ‖y*‖.
    initial_residual: ‖αh(w0) − y*‖. smooth: whether h is twice differentiable.
    outputs, rank, rank_nearby: n·k, and the numerical rank of Dh at w0 and near it.
    smallest_singular_value: of Dh(w0)ᵀ, 0 where Dh(w0) is not surjective;
    smallest_positive_singular_value: the smallest one that is not rounding.
    curvature_radius, curvature: Lip(Dh) on the ball of each radius, of the kind that
    curvature_kind names; curvature_reason says why.
    target: y* itself, (n, k), where it has few entries.
    Cost: an eigendecomposition for up to 200 outputs, once for runs that share the anchor.
    """
    train = problem.train
    known = _known.get(train.anchor)
    if known is None:
        known = _known[train.anchor] = _singular_values(train.anchor)
    found = (
        known
        | _curvature(problem)
        | {
            "differential_norm": problem.largest_eigenvalue**0.5,
            "initial_output": float(rms(train.start)) / problem.alpha,
            "target_norm": float(rms(problem.targets)),
            "initial_residual": float(rms(train.start - problem.targets)),
            "smooth": problem.network.smooth,
            "outputs": problem.targets.numel(),
        }
    )
    if problem.targets.numel() <= FEW_OUTPUTS:
        found["target"] = problem.targets.detach().cpu().double().numpy()
    return {f"constants.{name}": value for name, value in found.items()}


def _singular_values(anchor: Anchor) -> dict[str, Any]:
    """Return rank and smallest singular values of Dh(w0), where there are few outputs."""
    rows = anchor.outputs.numel()
    if rows > MOST_OUTPUTS:
        return {}
    squares = _squares(anchor.kernel / len(anchor.x))
    rank = _rank(squares)
    positive = float(squares[-rank]) ** 0.5 if rank else 0.0
    found = {
        "rank": rank,
        "smallest_singular_value": positive if rank == rows else 0.0,
        "smallest_positive_singular_value": positive,
    }
    if rows * anchor.w0.numel() <= MOST_WORK:
        found["rank_nearby"] = _rank(_squares(_kernel_nearby(anchor)))
    return found


def _squares(kernel: Tensor) -> np.ndarray:
    """Return the squares of the singular values of Dh, increasing."""
    return torch.linalg.eigvalsh(kernel.double()).cpu().numpy()


def _rank(squares: np.ndarray) -> int:
    return int((squares > RANK_SHARE**2 * max(float(squares[-1]), 0.0)).sum())


def _kernel_nearby(anchor: Anchor) -> Tensor:
    """Return Θ/n at a fixed random point near w0."""
    w0 = anchor.w0.double()
    direction = np.random.default_rng(0).standard_normal(w0.shape)
    step = torch.as_tensor(direction / np.linalg.norm(direction)).to(w0)
    size = NEARBY * max(1.0, float(torch.linalg.vector_norm(w0)))
    features = anchor.network.features((w0 + size * step).to(anchor.w0), anchor.x)
    return tangent_kernel(features) / len(anchor.x)


def _curvature(problem: Problem) -> dict[str, Any]:
    """Return Lip(Dh) on balls round w0, what kind of number it is, and why."""
    anchor, network = problem.train.anchor, problem.network
    if not network.smooth:
        return _said(UNKNOWN, "h has kinks, so that Dh is not Lipschitz")
    bounds = [network.second_derivative_bound(anchor.w0, anchor.x, float(r)) for r in RADII]
    known = [bound for bound in bounds if bound is not None]
    if len(known) == len(RADII):
        reason = "in closed form, on the whole ball"
        return _said(UPPER, reason) | {"curvature_radius": RADII, "curvature": np.array(known)}
    if not problem.loss.SPEC.facts["quadratic"]:
        return _said(UNKNOWN, "no bound is known for this network")
    # κ has been found with it: it is at hand.
    below = second_derivative_norm(anchor)
    reason = "‖D²h(w₀)‖ by search at the start: no bound is known for this network"
    curvature = {"curvature_radius": RADII, "curvature": np.full(len(RADII), below)}
    return _said(BELOW, reason) | curvature


def _said(kind: str, reason: str) -> dict[str, str]:
    return {"curvature_kind": kind, "curvature_reason": reason}
