"""What a loss compares a module's outputs with: real numbers, ±1, or classes."""

from typing import Any

import torch
from torch import Tensor

from lazycore.errors import ConfigError
from lazycore.losses import Loss


def targets(name: str, y: Any, outputs: Tensor, loss: Loss) -> tuple[Tensor, int]:
    """Return targets (r, k) for the rows of these outputs, and the number of classes (0: real).

    outputs: as the module gives them, (n,), (n, k) or (n, …, k). Where each position is
    classified, its classes are (n, …), or one-hot rows of the outputs' shape.
    """
    y = _tensor(name, y, len(outputs)).to(outputs.device)
    facts = loss.SPEC.facts
    if facts["labels"] == "binary":
        return _signs(name, y, outputs, loss), 2
    if facts["classifies"]:
        return _classes(name, y, outputs, loss)
    if _shape(y) != _shape(outputs) or not torch.isfinite(y).all():
        raise ConfigError(
            f"{name} has shape {tuple(y.shape)} and must hold finite numbers of the outputs' "
            f"shape {tuple(outputs.shape)}."
        )
    return y.reshape(len(outputs), -1).to(outputs.dtype), 0


def classifies_positions(outputs: Tensor, loss: Loss) -> bool:
    """Whether each position of a point is a row of its own: outputs (n, …, k) of classes."""
    return bool(loss.SPEC.facts["classifies"]) and outputs.ndim > 2


def _tensor(name: str, y: Any, n: int) -> Tensor:
    if not isinstance(y, Tensor):
        raise ConfigError(f"{name} is a {type(y).__name__}: give a tensor of {n} targets.")
    if y.layout is not torch.strided or y.device.type == "meta":
        raise ConfigError(f"{name} is a {_kind(y)} tensor: give a dense one that holds numbers.")
    if y.is_complex():
        raise ConfigError(f"{name} holds complex numbers: give real ones.")
    if y.ndim < 1 or len(y) != n:
        length = len(y) if y.ndim else "no"
        raise ConfigError(f"{name} has {length} targets for {n} points: they must be as many.")
    return y.detach()


def _kind(y: Tensor) -> str:
    return "meta" if y.device.type == "meta" else "sparse"


def _signs(name: str, y: Tensor, outputs: Tensor, loss: Loss) -> Tensor:
    """Return labels ±1, one for each row (a point or a position with one output)."""
    one = outputs.ndim == 1 or outputs.shape[-1] == 1
    if not one or y.numel() != outputs.numel() or not bool(((y == 1) | (y == -1)).all()):
        raise ConfigError(
            f"loss={loss.SPEC.name} takes one output and labels ±1: {name} or the module's "
            f"{outputs.shape[-1] if outputs.ndim > 1 else 1} outputs do not fit."
        )
    return y.reshape(-1, 1).to(outputs.dtype)


def _classes(name: str, y: Tensor, outputs: Tensor, loss: Loss) -> tuple[Tensor, int]:
    """Return one-hot rows, one for each row of outputs, and how many classes there are."""
    k = outputs.shape[-1] if outputs.ndim > 1 else 1
    one_hot = y.ndim > 1 and y.shape == outputs.shape
    if one_hot:
        is_row = ((y == 0) | (y == 1)).all(-1) & (y.sum(-1) == 1)
        indices, whole = y.argmax(-1), bool(is_row.all())
    else:
        indices = y
        whole = y.shape == outputs.shape[:-1] and bool((y == y.long()).all())
    if k < 2 or not whole or not 0 <= int(indices.min()) <= int(indices.max()) < k:
        raise ConfigError(
            f"loss={loss.SPEC.name} takes at least two outputs and class indices from 0 to "
            f"outputs − 1: {name} or the module's {k} outputs do not fit."
        )
    rows = torch.eye(k, dtype=outputs.dtype, device=y.device)
    return rows[indices.reshape(-1).long()], k


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape without axes of length one behind the first: (n,) and (n, 1) are one."""
    return (tensor.shape[0], *(size for size in tensor.shape[1:] if size != 1))
