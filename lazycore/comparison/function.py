"""Is a module a function of its weights, and what does it return? Asked before it is trained.

Gradient descent beside a linearisation needs h(w, x): the same outputs for the same weights and
points. Passes that draw random numbers, that depend on what they change, or whose backward is not
the derivative of their forward are refused in a sentence.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazycore.comparison.precision import Lowest
from lazycore.comparison.randomness import States, are_drawn, culprits, seed_all, states
from lazycore.errors import ConfigError
from lazycore.networks.held_module import HeldModule
from lazycore.networks.inputs import Inputs, alike, same_bytes
from lazycore.networks.state import State, generators

COARSE = 1e-4
"""Rounding of a pass above which differences of two passes say nothing of a derivative."""

ASTRAY = 0.1
"""How far, as a share, a difference of outputs may be from what the backward pass says."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a module does with one set of points: its outputs, and what it touches on the way.

    outputs: as they come, (n,), (n, k) or (n, …, k). epsilon: of the coarsest dtype on the way.
    keeps: whether it keeps something between passes. writes: whether it changes its inputs.
    """

    outputs: Tensor
    epsilon: float
    keeps: bool
    writes: bool


@dataclass(frozen=True, eq=False)
class Passed:
    """One pass: its outputs, where the generators began and ended, and what it has changed."""

    outputs: Tensor
    generators: tuple[States, States]
    draws_itself: bool
    writes: bool


def look(held: HeldModule, points: Inputs) -> Seen:
    """Return what this private module does with these points; `ConfigError` if no function.

    Cost: five forward passes and one backward.
    """
    state = State.of(held.module)
    with Lowest() as lowest:
        first = _passed(held, points, seed=1)
    changed = [*state.changed(), *held.changed_buffers()]
    again = _passed(held, points, seed=2, fresh=False)
    state.put_back()
    third = _passed(held, points, seed=3)
    state.put_back()
    passes = (first, again, third)
    drawn = any(one.draws_itself for one in passes)
    if drawn or are_drawn([one.generators for one in passes]):
        raise ConfigError(_random(held))
    if not alike(first.outputs, third.outputs):
        raise ConfigError(_random(held))
    if not alike(first.outputs, again.outputs):
        raise ConfigError(
            f"the module's outputs depend on {(changed or ['something'])[0]!r}, which each pass "
            "changes: call module.eval() first, or keep that fixed."
        )
    _check_finite(first.outputs)
    epsilon = max(lowest.epsilon, torch.finfo(held.dtype or torch.float64).eps)
    seen = Seen(first.outputs, epsilon, bool(changed), first.writes)
    _check_derivative(held, points, state, seen)
    return seen


def outputs_of(held: HeldModule, points: Inputs) -> Tensor:
    """Return the module's outputs as they come; `ConfigError` for none, or what it failed by."""
    try:
        outputs = points.call(held.module)
    except Exception as error:  # whatever somebody's module raises
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise ConfigError(
            f"the module cannot take inputs of shape {points.shapes}: {reason}"
        ) from error
    if not isinstance(outputs, Tensor):
        raise ConfigError(
            f"the module returns a {type(outputs).__name__}: its output must be one tensor of "
            "shape (n,), (n, k) or (n, …, k); wrap it in a module that returns that."
        )
    if not outputs.is_floating_point():
        raise ConfigError(
            f"the module returns numbers of dtype {outputs.dtype}: its outputs must be real."
        )
    return outputs


def _passed(held: HeldModule, points: Inputs, *, seed: int, fresh: bool = True) -> Passed:
    """Return what one pass does; fresh: from the buffers that the module came with."""
    begun, own = seed_all(seed), generators(held.module)
    given, w = points.each(torch.clone), held.weights()
    with torch.enable_grad():
        parts = held.parts(w.requires_grad_())
        held.hold(parts, keep_buffers=not fresh)
        outputs = outputs_of(held, given).detach()
    if not torch.equal(w.detach(), held.weights()):
        raise ConfigError(
            "the module changes its own weights when it is called, as an embedding with max_norm "
            "does: a function of its weights must leave them alone."
        )
    ended = begun, states()
    return Passed(outputs, ended, own != generators(held.module), not same_bytes(given, points))


def _random(held: HeldModule) -> str:
    found = culprits(held.module)
    if found:
        return (
            f"the module draws random numbers in {found}: call module.eval() first (dropout or "
            "other randomness has no gradient flow)."
        )
    return (
        "the module gives other outputs for the same inputs, or draws random numbers: call "
        "module.eval() first, or draw them once outside of it (randomness has no gradient flow)."
    )


def _check_finite(outputs: Tensor) -> None:
    n = len(outputs) if outputs.ndim else 0
    wrong = n - int(torch.isfinite(outputs.reshape(n, -1)).all(1).sum()) if n else 0
    if wrong:
        raise ConfigError(
            f"the module's outputs are not finite at its initial weights, for {wrong} of {n} "
            "points: give inputs and weights at which they are."
        )


def _check_derivative(held: HeldModule, points: Inputs, state: State, seen: Seen) -> None:
    """Refuse a module whose outputs move otherwise than its backward pass says.

    ⟨r, h(w0 + su) − h(w0 − su)⟩/2s is compared with ⟨Jᵀr, u⟩ for random r and u.
    """
    if seen.epsilon > COARSE:
        return
    rng, w = np.random.default_rng(0), held.weights()
    signs = torch.as_tensor(rng.choice([-1.0, 1.0], w.shape)).to(w)
    r = torch.as_tensor(rng.standard_normal(seen.outputs.shape)).to(seen.outputs)
    scale = torch.cat([p.new_full((len(p),), _size(p)) for p in _split(held, w)]) if len(w) else w
    step, u = seen.epsilon ** (1 / 3), signs * scale

    def output(at: Tensor) -> Tensor:
        state.put_back()
        held.hold(held.parts(at))
        return outputs_of(held, points.each(torch.clone))

    with torch.enable_grad():
        at = w.clone().requires_grad_()
        found = output(at)
        if not found.requires_grad:
            raise ConfigError(
                "the module's outputs have no gradient in its weights: it detaches them, or is "
                "called under torch.no_grad inside."
            )
        g = _gradient(found, at, r)
    ends = [float((r * output(w + s * step * u).detach()).sum()) for s in (1.0, -1.0)]
    state.put_back()
    measured, said = (ends[0] - ends[1]) / (2.0 * step), float(g @ u)
    typical = float(torch.linalg.vector_norm(g * u))
    rounding = 50.0 * seen.epsilon * float((r * seen.outputs).abs().sum()) / step
    if abs(measured - said) > ASTRAY * max(typical, abs(said)) + rounding:
        raise ConfigError(
            "the module's backward pass is not the derivative of its forward pass (along a random "
            f"direction outputs move by {measured:.3g}, and by {said:.3g} it says): it detaches "
            "something, keeps a value between passes, or has a backward of its own."
        )


def _gradient(outputs: Tensor, w: Tensor, r: Tensor) -> Tensor:
    try:
        return torch.autograd.grad(outputs, w, r, materialize_grads=True, allow_unused=True)[0]
    except RuntimeError as error:
        reason = str(error).splitlines()[0][:200]
        cure = " give checkpoint(…, use_reentrant=False)." if "heckpoint" in reason else ""
        raise ConfigError(f"the module cannot be differentiated: {reason}{cure}") from error


def _split(held: HeldModule, w: Tensor) -> list[Tensor]:
    return [w[block.slice] for block in held.blocks]


def _size(part: Tensor) -> float:
    """Return the rms size of a block of weights, 1 where they are all 0."""
    size = float(part.square().mean().sqrt()) if part.numel() else 0.0
    return size or 1.0
