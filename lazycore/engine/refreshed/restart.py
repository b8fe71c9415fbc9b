r"""A problem whose tangent is taken where training has come to, instead of at its start.

    h̃(w, x) = h(w_s, x) + D_w h(w_s, x) · (w − w_s)

In units of training, αh̃ = αh(w_s) + J_s u with u = α (w − w_s): the same equations as at w0
(`lazycore.engine.problem.problem`), begun from other outputs. So whatever trains the linearised
model trains each stage of iterative linearisation (Goldwaser & Ge 2022, arXiv:2211.12345).
"""

from dataclasses import dataclass, replace

from torch import Tensor

from lazycore.engine.problem.problem import Points, Problem
from lazycore.machine.once import once


@dataclass(frozen=True, eq=False)
class Restarted(Points):
    """Points seen from w_s: `w0` is w_s, and `start` what the network is there.

    origin: the same points, or others, seen from the run's initial weights.
    moved: v_s = α (w_s − w0), (p,).
    """

    origin: Points
    moved: Tensor

    @once
    def start(self) -> Tensor:
        """α h(w_s, x), or what it has changed by where the model is centred, (n, k)."""
        same = self.x is self.origin.x
        return (self.origin if same else replace(self.origin, x=self.x, y=self.y)).outputs(
            self.moved
        )


def restart(problem: Problem, v: Tensor) -> Problem:
    """Return `problem` with its tangent taken at w0 + v/α; positions are counted from there.

    v: (p,). Cost: none until outputs or features are asked for.
    """
    v = v.to(problem.w0.dtype)
    test = None if problem.test is None else _moved(problem.test, v)
    return replace(problem, train=_moved(problem.train, v), test=test)


def _moved(points: Points, v: Tensor) -> Restarted:
    w = points.weights(v)
    return Restarted(
        points.network, w, points.alpha, points.centered, points.x, points.y, points, v
    )
