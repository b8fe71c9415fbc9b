"""How far a dense network's outputs have moved, formed without cancellation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Protocol

from torch import Tensor

from lazycore import activations
from lazycore.config.spec import Values
from lazycore.engine.networks.network import Scale, of_lanes
from lazycore.machine.blas import product


@dataclass(eq=False)
class Passed:
    """What one pass leaves: a_{l−1} (…, in, n) and s σ'(z_l), z_l (…, m, n) of every layer."""

    inputs: list[Tensor] = field(default_factory=list)
    slopes: list[Tensor] = field(default_factory=list)
    preactivations: list[Tensor] = field(default_factory=list)
    outputs: Tensor = field(init=False)


class Layers(Protocol):
    """What a network of dense layers offers of its single steps
    (`lazycore.engine.networks.dense`)."""

    @property
    def gains(self) -> tuple[float, ...]:
        """c_l per layer."""
        ...

    @property
    def activation(self) -> ModuleType:
        """The file of σ."""
        ...

    @property
    def values(self) -> Values:
        """The fields that σ reads."""
        ...

    def matrices(self, w: Tensor) -> list[Tensor]:
        """Return (W_l, b_l) of every layer."""
        ...

    def affine(self, number: int, weight: Tensor, a: Tensor) -> Tensor:
        """Return c_l W_l a + g b_l."""
        ...

    def without_bias(self, weight: Tensor) -> Tensor:
        """Return W_l of (W_l, b_l)."""
        ...

    def times_scale(self, a: Tensor) -> Tensor:
        """Return s a."""
        ...

    def pull(self, weights: list[Tensor], passed: Passed, r: Tensor) -> Tensor:
        """Return Dhᵀ r of the pass that left `passed`."""
        ...


@dataclass(frozen=True, eq=False)
class Displaced:
    """dw → h(w0 + dw) − h(w0) in which no two nearly equal numbers are subtracted.

        u_l = W_l(0) δa_{l−1} + dW_l a_{l−1},   δa_l = σ(z_l + u_l) − σ(z_l),   δh = u_{L+1}

    so a relative rounding ε of the weights' change is one of the outputs' change. Formed
    from h(w0 + dw), that change would lose as many digits as α has: all that float32 has
    at α = 10⁵. Behind the first layer it costs two products for one.
    """

    network: Layers
    weights: list[Tensor]
    before: Passed

    def __call__(self, v: Tensor, c: Scale) -> Tensor:
        """Return h(w0 + c v) − h(w0)."""
        return self._forward(self.network.matrices(c * v))[0]

    def pullback(self, v: Tensor, c: Scale) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the same, and r → Dh(w0 + c v)ᵀ r."""
        changes = self.network.matrices(c * v)
        change, passed = self._forward(changes, with_slopes=True)
        weights = [w + dw for w, dw in zip(self.weights, changes, strict=True)]
        return change, lambda r: self.network.pull(weights, passed, r)

    def observe(self, v: Tensor, c: Scale) -> tuple[Tensor, list[Tensor]]:
        """Return the same as a call, and z_l of the hidden layers."""
        change, passed = self._forward(self.network.matrices(c * v))
        return change, [z.mT for z in passed.preactivations]

    def select(self, lanes: Tensor | slice) -> "Displaced":
        """Return the same for some of the lanes only."""
        before = Passed(
            inputs=[of_lanes(a, lanes) for a in self.before.inputs],
            preactivations=[z[lanes] for z in self.before.preactivations],
        )
        return Displaced(self.network, [w[lanes] for w in self.weights], before)

    def _forward(self, changes: list[Tensor], with_slopes: bool = False) -> tuple[Tensor, Passed]:
        network, passed = self.network, Passed()
        a, change = self.before.inputs[0], None
        for number, dw in enumerate(changes):
            passed.inputs.append(a)
            u = network.affine(number, dw, a)
            if change is not None:
                through = product(network.without_bias(self.weights[number]), change)
                u = u.add_(through, alpha=network.gains[number])
            if number == len(changes) - 1:
                return u.mT, passed
            z = self.before.preactivations[number]
            change = network.times_scale(
                activations.change(network.activation, z, u, network.values)
            )
            a, moved = self.before.inputs[number + 1] + change, z + u
            if with_slopes:
                slope = network.activation.slope(moved, network.values)
                passed.slopes.append(network.times_scale(slope))
            else:
                passed.preactivations.append(moved)
        raise AssertionError("a network has an output layer")
