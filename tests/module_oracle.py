"""A module beside its linearisation, by plain loops: the oracle of the table of modules.

Ordinary forward and backward passes, in-place updates, and an explicit Jacobian whose rows are
backward passes. Buffers and attributes that a pass changes are put back after it, so that what
is trained is one function of the weights.
"""

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

KERNEL_POINTS = 500


def square(f: Tensor, y: Tensor) -> Tensor:
    return 0.5 * (f - y).square().sum() / len(f)


def logistic(f: Tensor, y: Tensor) -> Tensor:
    return torch.log1p(torch.exp(-y * f)).sum() / len(f)


def cross_entropy(f: Tensor, y: Tensor) -> Tensor:
    chosen = f[torch.arange(len(f)), y.reshape(-1).long()]
    return (torch.logsumexp(f, 1) - chosen).sum() / len(f)


LOSSES = {"square": square, "logistic": logistic, "cross_entropy": cross_entropy}


@contextmanager
def put_back(module: nn.Module):
    """Leave buffers, attributes and the caller's numbers as they were before the pass."""
    buffers = [(b, b.detach().clone()) for b in module.buffers()]
    attributes = [(sub, dict(sub.__dict__)) for sub in module.modules()]
    try:
        yield
    finally:
        for sub, known in attributes:
            for name in [*sub.__dict__]:
                if name not in known:
                    del sub.__dict__[name]
                elif sub.__dict__[name] is not known[name]:
                    sub.__dict__[name] = known[name]
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


@dataclass
class Copies:
    """h = Σ sign · module(x), one output row a point."""

    modules: list[tuple[float, nn.Module]]
    x: Tensor

    @property
    def weights(self) -> list[Tensor]:
        return [p for _, m in self.modules for p in m.parameters() if p.requires_grad]

    def outputs(self) -> Tensor:
        total: Any = 0.0
        for sign, module in self.modules:
            out = module(self.x.detach().clone())
            total = total + sign * out.reshape(len(self.x), -1)
        return total

    def values(self) -> Tensor:
        with torch.enable_grad(), self.kept():  # a module may differentiate its inputs
            return self.outputs().detach()

    def kept(self) -> ExitStack:
        """Leave all copies as they were before the pass; a backward pass comes before that."""
        stack = ExitStack()
        for _, module in self.modules:
            stack.enter_context(put_back(module))
        return stack

    def gradient(self, scalar: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the gradient of a scalar of the outputs, by one ordinary backward pass."""
        for weight in self.weights:
            weight.grad = None
        with self.kept():
            scalar(self.outputs()).backward()
        found = [torch.zeros_like(w) if w.grad is None else w.grad for w in self.weights]
        return torch.cat([(g.to_dense() if g.is_sparse else g).reshape(-1) for g in found])

    def jacobian(self) -> Tensor:
        n, k = self.values().shape
        rows = [self.gradient(lambda f, i=i: f.reshape(-1)[i]) for i in range(n * k)]
        return torch.stack(rows)

    def vector(self) -> Tensor:
        return torch.cat([w.detach().reshape(-1) for w in self.weights])

    def move(self, step: Tensor) -> None:
        with torch.no_grad():
            start = 0
            for w in self.weights:
                w += step[start : start + w.numel()].reshape(w.shape)
                start += w.numel()


def like_weights(x: Tensor, module: nn.Module) -> Tensor:
    """Return x in the module's dtype, where all of its weights have one and x is real."""
    dtypes = {p.dtype for p in module.parameters() if p.is_floating_point()}
    return x.to(*dtypes) if x.is_floating_point() and len(dtypes) == 1 else x


def trained(
    build: Callable[[], nn.Module],
    x: Tensor,
    y: Tensor,
    *,
    alpha: float,
    steps: int,
    step_size: float,
    record: list[int],
    loss: str = "square",
    zero_output: str = "centered",
    **_: Any,
) -> dict[str, np.ndarray]:
    """Return what `compare` records, by name, at the recorded steps."""
    x = like_weights(x, build())
    signs = (1.0, -1.0) if zero_output == "symmetrized" else (1.0,)
    copies = Copies([(sign, build()) for sign in signs], x)
    w0, h0, J = copies.vector(), copies.values(), copies.jacobian()
    y = y if loss == "cross_entropy" else y.reshape(h0.shape).to(h0.dtype)
    shift = h0 if zero_output == "centered" else torch.zeros_like(h0)
    risk = LOSSES[loss]
    u = torch.zeros_like(w0)
    found: dict[str, list[float]] = {}
    for step in range(steps + 1):
        f = alpha * (copies.values() - shift)
        f_lin = (alpha * (h0 - shift + (J @ u).reshape(h0.shape))).requires_grad_(True)
        risk_lin = risk(f_lin, y)
        (slope,) = torch.autograd.grad(risk_lin, f_lin)
        if step in record:
            moved = copies.vector() - w0
            for name, value in (
                ("nonlinear.train_loss", risk(f, y)),
                ("linearized.train_loss", risk_lin),
                ("nonlinear.displacement", moved.norm()),
                ("linearized.displacement", u.norm()),
                ("gap.train_output", ((f - f_lin).square().sum() / len(f)).sqrt()),
                ("gap.parameter", (moved - u).norm()),
            ):
                found.setdefault(name, []).append(float(value.detach()))
        if step < steps:
            gradient = copies.gradient(lambda h: risk(alpha * (h - shift), y) / alpha**2)
            copies.move(-step_size * gradient)
            u = u - step_size * (J.T @ slope.reshape(-1)) / alpha
    few = KERNEL_POINTS * h0.shape[1]
    start, end = (K[:few] @ K[:few].T for K in (J, copies.jacobian()))
    series = {name: np.array(values) for name, values in found.items()}
    return series | {"kernel_change": np.array([float((end - start).norm() / start.norm())])}


def differences(build: Callable[[], nn.Module], x: Tensor, step: float = 1e-6) -> Tensor:
    """Return the Jacobian by central differences: a check of the rows above."""
    copies = Copies([(1.0, build())], x)
    columns = []
    for i in range(len(copies.vector())):
        unit = torch.zeros_like(copies.vector())
        unit[i] = step
        copies.move(unit)
        above = copies.values()
        copies.move(-2.0 * unit)
        columns.append((above - copies.values()).reshape(-1) / (2.0 * step))
        copies.move(unit)
    return torch.stack(columns, 1)
