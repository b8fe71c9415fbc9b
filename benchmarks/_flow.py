"""Gradient flows of known set-ups, and the methods that follow them, gradients counted.

Both models of a system go as one on the same steps; a gradient of both counts as one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lazycore.config.run import RunConfig
from lazycore.engine.linear.closed_form import closed_form
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.linear.tangent_lanes import TangentLanes, tangent_lanes
from lazycore.engine.problem.problem import Problem, build_problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.dormand_prince import DormandPrince
from lazycore.engine.steppers.pair import Pair, curvature, path
from lazycore.engine.steppers.path import Stepper

AUTHORS_STEP = 0.1
DEFAULT_TOLERANCE = 1e-3


# ── systems ──────────────────────────────────────────────────────────────────────────────
@dataclass(eq=False)
class System:
    """A problem, its linearised model, and the authors' step η for it."""

    name: str
    problem: Problem
    step: float
    tangent: TangentLanes = field(init=False)

    def __post_init__(self) -> None:
        space = tangent_space(self.problem)
        self.tangent = tangent_lanes([space], [closed_form(space)])

    @property
    def rate(self) -> float:
        """λ_max, the largest rate of decay at the start."""
        return curvature(self.problem)

    @property
    def smooth(self) -> bool:
        """Whether there are no kinks."""
        return self.problem.network.smooth

    def pair(self, tolerances: Sequence[float], method: type[Stepper]) -> Pair:
        """Return the system as often as there are tolerances."""
        rows = [0] * len(tolerances)
        return Pair(
            stack([self.problem]).select(torch.tensor(rows)),
            self.tangent.select(rows),
            share=method.local_share * np.array(tolerances),
            rounding=np.full(len(rows), self.problem.rounding_floor),
            known_radius=np.full(len(rows), self.rate),
            head=self.problem.w0.numel(),
        )

    def gap(self, y: Tensor) -> Tensor:
        """Return αh − αh̄ on the training points."""
        train, p = self.problem.train, self.problem.w0.numel()
        return train.outputs(y[:p]) - train.start - self.tangent.outputs(y[None, p:])[0]


@dataclass(eq=False)
class Curve:
    """v and the gap at the marked times, and the gradients it took to have them."""

    displacements: list[Tensor] = field(default_factory=list)
    gaps: list[Tensor] = field(default_factory=list)
    gradients: int = 0

    def note(self, system: System, y: Tensor) -> None:
        """Keep what is compared of a state."""
        self.displacements.append(y[: system.problem.w0.numel()].clone())
        self.gaps.append(system.gap(y))

    def errors(self, reference: "Curve") -> "Errors":
        """Return how far this is from the reference; nan where the curve did not get there."""
        if len(self.gaps) < len(reference.gaps):
            return Errors(*[float("nan")] * 3)
        norms, wanted = (
            [v.norm()[None] for v in curve.displacements] for curve in (self, reference)
        )
        return Errors(
            gap=_apart(self.gaps, reference.gaps),
            displacement=_apart(norms, wanted),
            weights=_apart(self.displacements, reference.displacements),
        )


class Errors(NamedTuple):
    """Largest differences over the marked times, over the largest value: of the gap, of
    ‖w − w0‖ and of w − w0."""

    gap: float
    displacement: float
    weights: float


def _apart(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    largest = max(float(b.norm()) for b in wanted)
    return max(float((a - b).norm()) for a, b in zip(found, wanted, strict=True)) / largest


def build(**fields: Any) -> Problem:
    """Return the problem of these fields, all layers unscaled."""
    config = RunConfig(scaling="plain", n_test=0, dynamics="flow", **fields)
    return build_problem(config.resolve().to_dict(), torch.device("cpu"))


def relu(tau: float, **shape: Any) -> System:
    """Return the authors' system at this τ, paired neurons, and their step."""
    problem = build(init_scale=tau, zero_output="symmetrized", **shape)
    return System(f"ReLU, τ = {tau:g}", problem, min(10.0, AUTHORS_STEP / tau**2))


def tanh(alpha: float, share: float, **shape: Any) -> System:
    """Return a smooth, centred system at this α, with a step of η = share/λ_max."""
    problem = build(alpha=alpha, activation="tanh", **shape)
    return System(f"tanh, α = {alpha:g}", problem, share / curvature(problem))


# ── methods ──────────────────────────────────────────────────────────────────────────────
def runge_kutta(
    system: System,
    method: type[Stepper],
    tolerances: Sequence[float],
    marks: np.ndarray,
) -> list[Curve]:
    """Return the curves at these tolerances; at kinks the floor of the steps goes with them, as
    it does between the two paths of a run."""
    paths = []
    for tolerance in tolerances:
        found = path(
            system.problem,
            system.tangent.size,
            end=float(marks[-1]),
            tolerance=DEFAULT_TOLERANCE,
            coarseness=tolerance / DEFAULT_TOLERANCE,
            limit=float("inf"),
        )
        paths.append(found)
    stepper = method(system.pair(tolerances, method), paths)
    curves = [Curve() for _ in paths]
    for row in itertools.chain(range(len(paths)), stepper.steps()):
        curve = curves[row]
        while len(curve.gaps) < len(marks) and marks[len(curve.gaps)] <= paths[row].time:
            curve.note(system, stepper.at(row, float(marks[len(curve.gaps)])))
        curve.gradients = paths[row].evaluations
    return curves


def euler(system: System, step: float, marks: np.ndarray) -> Curve:
    """Return Euler's curve; the marks are whole numbers of steps."""
    pair, curve = system.pair([1.0], DormandPrince), Curve()
    y = system.problem.w0.new_zeros(1, system.problem.w0.numel() + system.tangent.size)
    for count in np.rint(marks / step).astype(int):
        for _ in range(count - curve.gradients):
            y = y - step * pair.gradient(y)[0]
        curve.gradients = int(count)
        curve.note(system, y[0])
    return curve


def feature_lazy(system: System, epsilon: float, marks: np.ndarray, limit: int) -> Curve:
    """Return the curve by the rule of feature_lazy (§1.4 of its article's code), ε_out = 0.1."""
    pair, curve, p = system.pair([1.0], DormandPrince), Curve(), system.problem.w0.numel()
    y = system.problem.w0.new_zeros(1, p + system.tangent.size)
    g, output = pair.gradient(y)
    time, step = 0.0, 0.1 / system.rate
    curve.gradients = 1
    while len(curve.gaps) < len(marks) and curve.gradients < limit:
        there = y - step * g
        g_there, output_there = pair.gradient(there)
        curve.gradients += 1
        a, b = g[:, :p], g_there[:, :p]
        turned = float((a - b).square().sum() / (a.norm() * b.norm()).clamp(min=1e-300))
        moved = float((output_there - output).abs().max())
        if not (moved < 0.1 and (turned < epsilon or step < 1e-3 * time)):
            step /= 10.0
            continue
        while len(curve.gaps) < len(marks) and marks[len(curve.gaps)] <= time + step:
            share = (marks[len(curve.gaps)] - time) / step
            curve.note(system, torch.lerp(y[0], there[0], share))
        y, g, output, time = there, g_there, output_there, time + step
        if turned < 0.5 * epsilon and moved < 0.05:
            step *= 1.1
    return curve
