"""Is a module a function of its weights, and what does it return? Asked before it is trained.

Gradient descent beside a linearisation needs h(w, x): the same outputs for the same weights and
points. Passes that draw random numbers, that depend on what they change, or whose backward is not
the derivative of their forward are refused in a sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.differentiated import pulled_back
from lazycore.engine.networks.held_module import HeldModule
from lazycore.engine.networks.inputs import Inputs, alike, same_bytes
from lazycore.engine.networks.state import State, generators
from lazycore.errors import ConfigError
from lazycore.running.compare.precision import Lowest
from lazycore.running.compare.randomness import States, are_drawn, culprits, seed_all, states

COARSE = 1e-4
"""Rounding of a pass above which the gap of two models would be nothing else."""

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


class NotFaithful(ConfigError):
    """A copy of a module that still reads the weights of the module it was made of."""


def look(held: HeldModule, points: Inputs, elsewhere: Sequence[Tensor] = ()) -> Seen:
    """Return what this module does with these points; `ConfigError` where it is no function.

    elsewhere: the weights that it was copied from, which it must not read: `NotFaithful`.
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
    _check_finite(first.outputs, held)
    if lowest.epsilon > COARSE:
        raise ConfigError(
            f"the module computes in {str(lowest.dtype).removeprefix('torch.')} on its way "
            "(autocast, or a cast of its own): switch that off, its rounding would hide the gap."
        )
    epsilon = max(lowest.epsilon, torch.finfo(held.dtype or torch.float64).eps)
    seen = Seen(first.outputs, epsilon, bool(changed), first.writes)
    _check_derivative(held, points, state, seen, elsewhere)
    return seen


def outputs_of(held: HeldModule, points: Inputs) -> Tensor:
    """Return the module's outputs as they come; `ConfigError` for none, or what it failed by."""
    try:
        outputs = points.call(held.module)
    except Exception as error:  # whatever somebody's module raises
        raise ConfigError(
            f"the module cannot take {points.name} of shape {points.shapes}: {reason_of(error)}."
        ) from error
    if not isinstance(outputs, Tensor):
        raise ConfigError(
            f"the module returns a {type(outputs).__name__}: its output must be one tensor of "
            "shape (n,), (n, k) or (n, …, k); wrap it in a module that returns that."
        )
    one = points.value if isinstance(points.value, Tensor) else None
    fits = outputs.ndim and outputs.numel() and (one is None or len(outputs) == len(one))
    if not fits:
        raise ConfigError(_misshapen(outputs, points))
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
    if not alike(w.detach(), held.weights()):
        raise ConfigError(
            "the module changes its own weights when it is called, as an embedding with max_norm "
            "does: a function of its weights must leave them alone."
        )
    ended = begun, states()
    return Passed(outputs, ended, own != generators(held.module), not same_bytes(given, points))


def _misshapen(outputs: Tensor, points: Inputs) -> str:
    n = next(len(part) for _, part in points.tensors() if part.ndim)
    return (
        f"the module returns shape {tuple(outputs.shape)} for {n} points: its output must be (n,) "
        "or (n, k), or (n, …, k)."
    )


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


def _check_finite(outputs: Tensor, held: HeldModule) -> None:
    if not torch.isfinite(held.weights()).all():
        raise ConfigError("the module has weights that are NaN or ∞: give it finite ones.")
    n = len(outputs)
    wrong = n - int(torch.isfinite(outputs.reshape(n, -1)).all(1).sum())
    if wrong:
        raise ConfigError(
            f"the module's outputs are not finite at its initial weights, for {wrong} of {n} "
            "points: give inputs and weights at which they are."
        )


def _check_derivative(
    held: HeldModule, points: Inputs, state: State, seen: Seen, elsewhere: Sequence[Tensor]
) -> None:
    """Refuse a module whose outputs move otherwise than its backward pass says.

    ⟨r, h(w0 + su) − h(w0 − su)⟩/2s is compared with ⟨Jᵀr, u⟩ for random r and u, of the weights
    that have a gradient: the others (the padding of an embedding) stay where they are.
    """
    rng, w = np.random.default_rng(0), held.weights()
    signs = torch.as_tensor(rng.choice([-1.0, 1.0], w.shape)).to(w)
    r = torch.as_tensor(rng.standard_normal(seen.outputs.shape)).to(seen.outputs)
    scale = torch.cat([p.new_full((len(p),), _size(p)) for p in _split(held, w)]) if len(w) else w
    step, u = seen.epsilon ** (1 / 3), signs * scale

    def output(at: Tensor) -> Tensor:
        state.put_back()
        held.hold(held.parts(at.requires_grad_()))
        return outputs_of(held, points.each(torch.clone))

    with torch.enable_grad():
        at = w.clone()
        found = output(at)
        g = _gradient(found, at, r) if found.requires_grad else torch.zeros_like(w)
        if _reads(found, elsewhere, r) or not g.any():
            raise NotFaithful(
                "the module's outputs have no gradient in its weights: it detaches them, is "
                "called under torch.no_grad inside, or all its units are dead."
            )
        u = u * (g != 0.0)
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
        return pulled_back(outputs, w, r)
    except Exception as error:  # whatever a backward of somebody's own raises
        raise ConfigError(f"the module cannot be differentiated: {reason_of(error)}.") from error


def reason_of(error: Exception) -> str:
    """Return what an error says, as the end of one sentence."""
    first = (str(error).splitlines() or [""])[0]
    said = re.split(r"[.!?]\s+(?=[A-Z])", first)[0].rstrip(".!? ")
    return (said or type(error).__name__)[:200]


def _reads(outputs: Tensor, weights: Sequence[Tensor], r: Tensor) -> bool:
    """Whether these outputs come from those weights."""
    asked = [w for w in weights if w.requires_grad]
    if not asked or not outputs.requires_grad:
        return False
    try:
        found = torch.autograd.grad(outputs, asked, r, retain_graph=True, allow_unused=True)
    except RuntimeError:  # reentrant checkpoints answer to backward() only
        return False
    return any(part is not None for part in found)


def _split(held: HeldModule, w: Tensor) -> list[Tensor]:
    return [w[block.slice] for block in held.blocks]


def _size(part: Tensor) -> float:
    """Return the rms size of a block of weights, 1 where they are all 0."""
    size = float(part.square().mean().sqrt()) if part.numel() else 0.0
    return size or 1.0
