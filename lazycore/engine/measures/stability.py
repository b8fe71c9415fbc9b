"""Stability of activations: which hidden units keep the side of zero that they began on.

The share of (point, unit) pairs whose pre-activation has the sign it had at w0, layer by
layer (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, Appendix C.2: on test images). In the
lazy limit it is 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lazycore.engine.networks.gates import Signs
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.problem.problem import Points, Problem
from lazycore.machine.once import once
from lazycore.results.quantities.units import (
    ACTIVATION_STABILITY,
    STABILITY_BY_LAYER,
    TEST_STABILITY,
)


@dataclass(frozen=True, eq=False)
class Stability:
    """Measures it on one problem, and keeps the initial signs."""

    problem: Problem

    def columns(self, v: Tensor, hidden: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return by the names of the record what is known at v (r, p), (r,) or (r, layers).

        hidden: the pre-activations on the training points, (r, n, m) per layer, where the
        network gives them for many v at once.
        """
        if self.problem.network.stacked:
            if not hidden:
                return {}
            pairs = zip(hidden, self._initial, strict=True)
            shares = [((z > 0.0) == sign).to(z.dtype).mean((-2, -1)) for z, sign in pairs]
            return _named(torch.stack(shares, dim=1))
        found = _named(self._kept(self._train, v))
        if self.problem.test is not None and found:
            found[TEST_STABILITY.name] = self._kept(self._test, v).mean(1)
        return found

    def _kept(self, signs: Signs, v: Tensor) -> Tensor:
        if not signs.points:
            return v.new_zeros(len(v), 0)
        weights = self.problem.train.weights
        return torch.stack([signs.kept(weights(one)) for one in v])

    @once
    def _initial(self) -> list[Tensor]:
        _, hidden = self.problem.train.observed(torch.zeros_like(self.problem.w0)[None])
        return [z[0] > 0.0 for z in hidden]

    @once
    def _train(self) -> Signs:
        return self._signs(self.problem.train)

    @once
    def _test(self) -> Signs:
        assert self.problem.test is not None
        return self._signs(self.problem.test)

    def _signs(self, points: Points) -> Signs:
        network = points.network
        at_once = network.at_once if isinstance(network, ModuleNetwork) else None
        return Signs(network.observe, points.w0, points.x, at_once)


def _named(shares: Tensor) -> dict[str, Tensor]:
    """Return the mean over layers, and the layers' own where there are several."""
    layers = shares.shape[1]
    if layers == 0:
        return {}
    mean = {ACTIVATION_STABILITY.name: shares.mean(1)}
    return mean | ({STABILITY_BY_LAYER.name: shares} if layers > 1 else {})
