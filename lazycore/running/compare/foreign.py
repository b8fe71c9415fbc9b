"""Somebody's module, on somebody's points, as a network that the engine can train."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lazycore.engine.networks.held_module import UNCOPIED, HeldModule
from lazycore.engine.networks.inputs import Inputs, inputs_for
from lazycore.engine.networks.row_network import RowNetwork, as_rows
from lazycore.engine.networks.state import State
from lazycore.errors import ConfigError
from lazycore.losses import Loss
from lazycore.running.compare.function import NotFaithful, Seen, look
from lazycore.running.compare.precision import held
from lazycore.running.compare.targets import classifies_positions


@dataclass(frozen=True, eq=False)
class Foreign:
    """A module of somebody's as a network, and what is to be said of it.

    outputs: of each set of points at the initial weights, as the module gives them.
    epsilon: of the coarsest dtype that its passes compute in. notes: sentences.
    """

    network: RowNetwork
    outputs: tuple[Tensor, ...]
    epsilon: float
    notes: tuple[str, ...]


def foreign(module: Any, sets: Mapping[str, Any], loss: Loss) -> Foreign:
    """Return a private copy of the module on these sets of points, by name, training first.

    Raises `ConfigError` for what is no deterministic, differentiable function of its weights.
    """
    module = trainable(module)
    inputs = [_inputs(name, value, module) for name, value in sets.items()]
    try:
        return _looked_at(*held(module), inputs, loss, [*module.parameters()])
    except (*UNCOPIED, NotFaithful):
        pass  # what cannot be copied is trained itself, and then put back
    kept = State.of(module)
    body, note = held(module, copied=False)
    try:
        found = _looked_at(body, note, inputs, loss, ())
    except BaseException:
        body.release()
        raise
    return replace(found, network=replace(found.network, state=kept))


def _looked_at(
    held: HeldModule, note: str, sets: list[Inputs], loss: Loss, elsewhere: Sequence[Tensor]
) -> Foreign:
    placed = [_placed(some, held) for some in sets]
    found = [look(held, some, elsewhere) for some in placed]
    return _network(held, placed, found, loss, (note,) if note else ())


def _network(
    held: HeldModule, sets: list[Inputs], found: list[Seen], loss: Loss, notes: tuple[str, ...]
) -> Foreign:
    keeps = any(seen.keeps for seen in found)
    by_position = classifies_positions(found[0].outputs, loss)
    counts = tuple(len(seen.outputs) for seen in found)
    positions = tuple(
        seen.outputs[..., 0].numel() // len(seen.outputs) if by_position else 1 for seen in found
    )
    network = RowNetwork(
        held,
        tuple(sets),
        positions,
        counts,
        state=State.of(held.module) if keeps else None,
        writes=any(seen.writes for seen in found),
    )
    apart = all(_is_apart(network, n, seen, by_position) for n, seen in enumerate(found))
    return Foreign(
        replace(network, together=not apart),
        tuple(seen.outputs for seen in found),
        max(seen.epsilon for seen in found),
        notes,
    )


def _is_apart(network: RowNetwork, number: int, seen: Seen, by_position: bool) -> bool:
    """Whether the outputs of some points of a set, passed alone, are what they are among all."""
    points, n = network.sets[number], len(seen.outputs)
    if n == 1 or any(len(part) != n for _, part in points.tensors() if part.ndim):
        return False
    if any(part.ndim == 0 for _, part in points.tensors()):
        return False
    whole, alone = as_rows(seen.outputs, by_position), replace(network, together=False)
    each = network.positions[number]
    for some in (slice(0, 1), slice(n // 2, n), slice(0, n - 1)):
        wanted = whole[some.start * each : some.stop * each]
        rows = network.rows(number)[some.start * each : some.stop * each]
        try:
            found = alone(network.held.weights(), rows)
        except Exception:  # somebody's module, which may need all of its points
            return False
        size = wanted.abs().max()
        if found.shape != wanted.shape or (found - wanted).abs().max() > 1e3 * seen.epsilon * size:
            return False
    return True


def trainable(module: Any) -> nn.Module:
    """Return the module itself, out of its wrappers; `ConfigError` where it cannot be trained."""
    if not isinstance(module, nn.Module):
        raise ConfigError(f"module is a {type(module).__name__}: give a torch.nn.Module.")
    while isinstance(inside := getattr(module, "_orig_mod", None), nn.Module):
        module = inside  # torch.compile: the same function
    if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        module = module.module
    if isinstance(module, torch.jit.ScriptModule):
        raise ConfigError(
            "the module is compiled by torch.jit, which holds on to its own weights: give the "
            "module that it was made from."
        )
    tensors = [*module.parameters(), *module.buffers()]
    if any(is_lazy(tensor) for tensor in tensors):
        raise ConfigError(
            "the module has parameters without a shape yet (lazy layers): pass it a batch once, "
            "module(x), before."
        )
    if any(getattr(part, "max_norm", None) is not None for part in module.modules()):
        raise ConfigError(
            "the module has an embedding with max_norm, which changes its weights when it is "
            "called: leave max_norm out."
        )
    if any(parameter._backward_hooks for parameter in module.parameters()):
        raise ConfigError(
            "the module has a parameter with a hook (register_hook) that changes its gradient: "
            "remove it first."
        )
    if any(getattr(part, "scale_grad_by_freq", False) for part in module.modules()):
        raise ConfigError(
            "the module has an embedding with scale_grad_by_freq, whose gradient is of another "
            "function: leave scale_grad_by_freq out."
        )
    if _holds_itself(module):
        raise ConfigError("the module is among its own children: take itself out of them.")
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not sum(parameter.numel() for parameter in trained):
        raise ConfigError(
            "the module has no parameters that require a gradient: there is nothing to train."
        )
    devices = sorted({str(tensor.device) for tensor in tensors})
    if "meta" in devices:
        raise ConfigError("the module is on the meta device, without numbers: give it weights.")
    if len(devices) > 1:
        raise ConfigError(f"the module lies on {' and '.join(devices)}: put it on one device.")
    if any(tensor.layout is not torch.strided for tensor in tensors):
        raise ConfigError("the module has sparse parameters: give it dense ones.")
    _check_memory(module)
    return module


def _holds_itself(module: nn.Module, above: tuple[nn.Module, ...] = ()) -> bool:
    """Whether a module is within itself, so that nobody could walk through it."""
    if any(module is one for one in above):
        return True
    return any(_holds_itself(part, (*above, module)) for part in module.children())


def _check_memory(module: nn.Module) -> None:
    """Refuse parameters and buffers that lie in one memory: what is one and what is two?"""
    spans = []
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.numel():
            last = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
            start = tensor.data_ptr()
            spans.append((start, start + (last + 1) * tensor.element_size(), name))
    spans.sort()
    for (_, end, first), (start, _, second) in zip(spans, spans[1:], strict=False):
        if start < end:
            raise ConfigError(
                f"{first!r} and {second!r} of the module lie in one memory: give each its own "
                "(clone one), or make them one Parameter."
            )


def _inputs(name: str, value: Any, module: nn.Module) -> Inputs:
    """Return these points as the module is to be given them."""
    is_group = isinstance(value, (Mapping, list, tuple))
    called = "inputs" if name == "x" else name
    points = inputs_for(module, value, called) if is_group or isinstance(value, Tensor) else None
    tensors = [] if points is None else list(points.tensors())
    if points is None or not tensors or any(_holds_none(part) for _, part in tensors[:1]):
        raise ConfigError(
            f"{name} must be a tensor of at least one point, or a dict, tuple or list of tensors."
        )
    for where, part in tensors:
        if part.layout is not torch.strided:
            raise ConfigError(f"{name}{where} is sparse: give {name}{where}.to_dense().")
        if part.device.type == "meta":
            raise ConfigError(f"{name}{where} is on the meta device, without numbers.")
        if part.is_complex():
            raise ConfigError(f"{name}{where} holds complex numbers: give real ones.")
        if part.is_floating_point() and not torch.isfinite(part).all():
            raise ConfigError(f"{name}{where} holds NaN or ∞: every input must be a finite number.")
    return points


def _holds_none(part: Tensor) -> bool:
    return part.ndim < 1 or len(part) == 0


def _placed(points: Inputs, held: HeldModule) -> Inputs:
    """Return copies of the points in the dtype, and on the device, of the weights."""
    like = held.places[0].parameter

    def placed(part: Tensor) -> Tensor:
        if part.is_inference():
            part = part.clone()
        dtype = held.dtype if part.is_floating_point() else part.dtype
        return part.detach().to(device=like.device, dtype=dtype)

    return points.each(placed)
