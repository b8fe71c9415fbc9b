"""The stages of iterative linearisation: where features are taken, and what is noted of them."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from lazycore.config import refreshing
from lazycore.config.cost import LARGEST_KERNEL, LARGEST_NOTED
from lazycore.config.moments import DIVERGED, Refreshed, Stage
from lazycore.config.spec import Values
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.problem.problem import Problem
from lazycore.engine.refreshed.restart import restart

ALL_EIGENVALUES = 300
"""Outputs up to which λ_max is one of all eigenvalues; else it is found by products."""

PRODUCTS, ACCURACY = 200, 1e-6
"""Products that λ_max may take, and the relative change at which it has been found."""


class Stages:
    """The problem of each stage of one run, and a log of the stages.

    A stage is a `Problem` whose tangent is taken where the last one ended
    (`lazycore.engine.refreshed.restart`): positions in it are u = v − v_s.
    """

    def __init__(self, problem: Problem, values: Values) -> None:
        self.problem, self.values = problem, values
        self.v = torch.zeros_like(problem.w0, dtype=problem.train.features.like.dtype)
        self.stage, self.taken = problem, 0
        count = refreshing.updates(values["steps"], values["refresh_every"])
        self._noted, self._log = refreshing.noted(count), []
        self._limit = DIVERGED * max(problem.loss_at(problem.train.start), _tiny(problem))

    def enter(self, step: int, time: float, step_size: float) -> float:
        """Take the features where the tangent is; return the step size of the stage."""
        note, capped = self._noted.get(self.taken), self.values.get("refresh_cap") == "stable"
        self.taken += 1
        if note is None and not capped:
            return step_size
        curvature = self.problem.loss.SPEC.facts["curvature"] * self._largest_eigenvalue()
        fits = not capped or step_size * curvature <= 1.0
        used = step_size if fits else 1.0 / curvature
        if note is not None:
            kernel = self._kernel(self.stage)
            found = Stage(
                step=step,
                time=time,
                step_size=used,
                stability=step_size * curvature,
                distance=_distance(kernel, self._kernel(self.problem)),
                eigenvalues=_spectrum(kernel, self._points) if note else None,
            )
            self._log.append(found)
        return used

    def look(self) -> None:
        """Move the tangent to the present position."""
        if self.taken:
            self.stage = restart(self.problem, self.v)

    def leave(self, u: Tensor) -> None:
        """End the stage at u (p,), in its own coordinates."""
        self.v = self.v + u.to(self.v)

    def has_diverged(self, outputs: Tensor) -> bool:
        """Whether these training outputs, or the position, are beyond all bounds."""
        return not (self.problem.loss_at(outputs) <= self._limit and bool(self.v.isfinite().all()))

    def state(self, u: Tensor | None) -> Refreshed:
        """Return the path at u (p,) of the stage's linear model; the network for None."""
        stage, problem = self.stage, self.problem
        sets = ((stage.train, problem.train), (stage.test, problem.test))
        train, test = (
            None
            if here is None or first is None
            else (here.start if u is None else here.tangent_outputs(u)) - first.start
            for here, first in sets
        )
        assert train is not None
        v = self.v if u is None else self.v + u.to(self.v)
        bare = stage if stage is problem else restart(problem, self.v)
        return Refreshed(
            v=v.to(problem.w0.dtype),
            train=train.to(problem.w0.dtype),
            test=None if test is None else test.to(problem.w0.dtype),
            elsewhere=partial(_elsewhere, bare, u),
            updates=self.taken,
            stages=tuple(self._log),
        )

    @property
    def _points(self) -> int:
        n, k = self.problem.targets.shape
        return max(1, min(n, LARGEST_NOTED // k))

    def _kernel(self, problem: Problem) -> Tensor:
        """Return Θ of this problem on the first points, from the whole one where it is there."""
        n, k = problem.targets.shape
        if self._points == n:
            return problem.train.anchor.kernel
        anchor = problem.train.anchor
        return tangent_kernel(problem.network.features(anchor.w0, anchor.x[: self._points]))

    def _largest_eigenvalue(self) -> float:
        """Return λ_max(Θ_s)/n on all points."""
        anchor, (n, k) = self.stage.train.anchor, self.problem.targets.shape
        if n * k <= ALL_EIGENVALUES:
            return float(torch.linalg.eigvalsh(anchor.kernel.double())[-1]) / n
        features = anchor.features
        u, before = torch.ones_like(self.problem.targets, dtype=features.like.dtype), 0.0
        for _ in range(PRODUCTS):
            u = u / torch.linalg.vector_norm(u)
            if n * k <= LARGEST_KERNEL:
                u = (anchor.kernel @ u.reshape(-1)).view(n, k)
            else:
                u = features.apply(features.adjoint(u))
            found = float(torch.linalg.vector_norm(u))
            if abs(found - before) <= ACCURACY * found:
                break
            before = found
        return found / n


def _elsewhere(stage: Problem, u: Tensor | None, x: Tensor) -> Tensor:
    points = stage.second_points(x)
    return points.start if u is None else points.tangent_outputs(u)


def _distance(kernel: Tensor, initial: Tensor) -> float:
    """Return 1 − ⟨Θ, Θ₀⟩/(‖Θ‖ ‖Θ₀‖), the cosine distance of two kernels."""
    norms = torch.linalg.vector_norm(kernel) * torch.linalg.vector_norm(initial)
    return max(0.0, 1.0 - float((kernel * initial).sum() / norms)) if norms > 0.0 else 0.0


def _spectrum(kernel: Tensor, points: int) -> np.ndarray:
    """Return the eigenvalues of Θ/n, decreasing, never below 0, of as many points as are few."""
    k = len(kernel) // points
    size = k * max(1, min(len(kernel), LARGEST_NOTED) // k)
    values = torch.linalg.eigvalsh(kernel[:size, :size].double()).flip(0) * (k / size)
    return values.clamp(min=0.0).cpu().numpy()


def _tiny(problem: Problem) -> float:
    return float(torch.finfo(problem.w0.dtype).tiny)
