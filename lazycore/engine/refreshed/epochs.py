r"""Iterative linearisation by full batches: K steps on a linear model, then a new linear model.

A stage starts from v_s with features J and r = ∇R. Under the square loss its K steps are had
at once, from one eigendecomposition Θ_s/n = V Λ Vᵀ (Goldwaser & Ge 2022, arXiv:2211.12345):

    v_{s+K} = v_s − Jᵀ V φ_K(Λ) Vᵀ r        φ_K(λ) = (1 − (1 − ηλ)^K)/λ

so that a run costs as much as it has stages, whatever K is. One Levenberg–Marquardt step has
φ(λ) = 1/(λ + μ/n) with μ = n/(ηK), the same for small λ; of a loss that is not quadratic it is
the damped generalised Gauss–Newton step, −Jᵀ (H Θ_s + μ/n)⁻¹ r with H = ∇²R.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from lazycore.config import refreshing
from lazycore.config.cost import FLOPS_PER_SECOND, SECONDS_PER_CALL
from lazycore.config.moments import Refreshed
from lazycore.config.spec import Values
from lazycore.engine.linear.closed_form import closed_form
from lazycore.engine.linear.tangent import FunctionSpace, tangent_space
from lazycore.engine.paths.descent import tangent_positions
from lazycore.engine.problem.problem import Problem
from lazycore.engine.refreshed.stages import Stages
from lazycore.theory.filters import damped_filters


def refreshed_path(
    problem: Problem, values: Values, steps: np.ndarray
) -> Iterator[Refreshed | None]:
    """Yield the path of iterative linearisation after each of `steps`, None once it has diverged.

    Within a stage its linear model is read, and the network where features are taken anew
    (`lazycore.config.refreshing.ends_refreshed`).
    """
    path, solver, taken = Stages(problem, values), _Solver(values), 0
    schedule = values["steps"], values["refresh_every"], values["refresh_schedule"]
    for begin, end in refreshing.stages(*schedule):
        path.look()
        if path.has_diverged(path.stage.train.start):
            break
        rate = path.enter(begin, begin * values["step_size"], values["step_size"])
        if steps[taken] == begin:
            yield path.state(None)
            taken += 1
        linear = end == values["steps"] and not refreshing.ends_refreshed(*schedule)
        read = int(np.searchsorted(steps, end, side="right" if linear else "left"))
        offsets = np.unique([*(steps[taken:read] - begin), end - begin])
        u = path.v
        for u in solver.through(path.stage, rate, offsets):
            if taken < read:
                yield path.state(u)
                taken += 1
        if end - begin > 1 and path.has_diverged(path.stage.train.tangent_outputs(u)):
            break
        path.leave(u)
    else:
        path.look()
        if taken < len(steps) and not path.has_diverged(path.stage.train.start):
            yield path.state(None)
            taken += 1
    yield from [None] * (len(steps) - taken)


class _Solver:
    """What happens within the stages of one run; velocities outlive a stage."""

    def __init__(self, values: Values) -> None:
        self.momentum = values["momentum"]
        self.damps = values["refresh_solver"] == "levenberg_marquardt"
        self._velocity: Tensor | None = None

    def through(self, stage: Problem, rate: float, offsets: np.ndarray) -> Iterator[Tensor]:
        """Yield u (p,) after each of these numbers of steps of size `rate` in the stage."""
        if self.damps:
            yield from _damped(stage, rate, offsets)
        elif self.momentum or _is_short(stage, int(offsets[-1])):
            yield from self._stepped(stage, rate, offsets.tolist())
        else:
            space = tangent_space(stage)
            for s in tangent_positions(space, rate, 0.0, offsets):
                yield space.parameters(s)

    def _stepped(self, stage: Problem, rate: float, offsets: Sequence[int]) -> Iterator[Tensor]:
        features, f = stage.train.features, stage.train.start
        u = torch.zeros_like(stage.w0, dtype=features.like.dtype)
        for step in range(1, offsets[-1] + 1):
            g = features.adjoint(stage.residual(f).to(u.dtype))
            if self.momentum:
                g = g if self._velocity is None else self.momentum * self._velocity + g
                self._velocity = g
            u = u - rate * g
            if step in offsets:
                yield u
            if step < offsets[-1]:
                f = stage.train.start + features.apply(u)


def _is_short(stage: Problem, steps: int) -> bool:
    """Whether so many products with J take less time than the kernel and what is had from it."""
    (n, k), p = stage.targets.shape, stage.w0.numel()
    kernel, size = float(n * k) ** 2, min(n * k, p)
    product = SECONDS_PER_CALL + 4.0 * n * k * p / FLOPS_PER_SECOND
    if stage.loss.SPEC.facts["quadratic"]:
        return steps * product < (kernel * p + 25.0 * size**3) / FLOPS_PER_SECOND
    return steps * (4.0 * n * k * p - 2.0 * kernel) < kernel * p


def _damped(stage: Problem, rate: float, offsets: np.ndarray) -> Iterator[Tensor]:
    """Yield u of one damped Gauss–Newton step for each number of steps that it stands for."""
    space = tangent_space(stage)
    solution = closed_form(space, lambda values: damped_filters(values, rate, offsets))
    if solution is not None:
        for s in solution.coordinates(damped_filters(solution.eigenvalues, rate, offsets)):
            yield space.parameters(s)
        return
    space = FunctionSpace(stage)
    start, y = (t.to(space.dtype) for t in (stage.train.start, stage.targets))
    bend = torch.func.vmap(torch.func.jacfwd(stage.loss.gradient))(start, y) / len(y)
    n, k = y.shape
    bent = (bend @ space.kernel.view(n, k, -1)).view(n * k, -1)
    residual = stage.residual(start).reshape(-1)
    for offset in offsets.tolist():
        damping = torch.eye(n * k, dtype=bent.dtype, device=bent.device) / (rate * offset)
        yield space.parameters(-torch.linalg.solve(bent + damping, residual))
