"""What is measured on the tangent kernel of the network while it trains."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lazycore.engine.features.kernel import alignment, relative_change, tangent_kernel
from lazycore.engine.measures.columns import as_array
from lazycore.engine.measures.spectrum import class_gap, spectrum
from lazycore.engine.networks.kernel_cost import affordable_points, is_dear
from lazycore.engine.problem.problem import Points, Problem
from lazycore.machine.once import once
from lazycore.results.quantities.kernel import (
    ALIGNMENT,
    KERNEL_AFTER,
    KERNEL_BEFORE,
    KERNEL_CHANGE,
    KERNEL_CHANGE_TEST,
)

KERNEL_POINTS = 500
"""Training or test points, at most, on which the kernel's change is measured (`kernel_cost`)."""

TEST_OUTPUTS = 1000
"""Outputs n'·k of test points, at most, on which the kernel's change is measured."""


@dataclass(frozen=True, eq=False)
class KernelMeter:
    """Measures the kernel of one problem; keeps the initial one it compares with."""

    problem: Problem

    def at(self, w: Tensor) -> dict[str, Any]:
        """Return the kernel's change and alignment at the weights w (p,)."""
        kernel = self._kernel(w, self.x)
        found: dict[str, Any] = {
            KERNEL_CHANGE.name: relative_change(kernel, self._initial),
            ALIGNMENT.name: alignment(kernel, self.problem.targets[: len(self.x)]),
        }
        if self.x_test is not None:
            kernel = self._kernel(w, self.x_test)
            found[KERNEL_CHANGE_TEST.name] = relative_change(kernel, self._initial_test)
        return found

    def both(self, w: Tensor) -> dict[str, Any]:
        """Return the kernel at w0 and at the weights w (p,), (n·k, n·k) each."""
        kernel = self._kernel(w, self.x)
        return {KERNEL_BEFORE.name: as_array(self._initial), KERNEL_AFTER.name: as_array(kernel)}

    def constants(self) -> dict[str, Any]:
        """Return what is known of the initial kernel."""
        found: dict[str, Any] = {"kernel_points": len(self.x)}
        k = self.problem.targets.shape[1]
        if k > 2:
            found["spectrum"] = values = spectrum(self._initial, k)
            found["class_gap_after"], found["class_gap"] = class_gap(values)
        return found

    @once
    def x(self) -> Tensor:
        """The training points on which the kernel is measured."""
        problem = self.problem
        x = problem.train.x
        return x[: affordable_points(problem.network, problem.w0, x, KERNEL_POINTS)]

    @once
    def x_test(self) -> Tensor | None:
        """The test points on which it is measured; None where that is dear."""
        test: Points | None = self.problem.test
        if test is None or is_dear(self.problem.network):
            return None
        return test.x[: max(1, min(KERNEL_POINTS, TEST_OUTPUTS // self.problem.targets.shape[1]))]

    def _kernel(self, w: Tensor, x: Tensor) -> Tensor:
        return tangent_kernel(self.problem.network.features(w, x))

    @once
    def _initial(self) -> Tensor:
        return self._kernel(self.problem.w0, self.x)

    @once
    def _initial_test(self) -> Tensor:
        assert self.x_test is not None
        return self._kernel(self.problem.w0, self.x_test)
