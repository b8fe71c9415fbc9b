"""What must be as it was after a call: a module, its data, and the state of the process."""

import random
import weakref
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

CONTAINERS = ("_parameters", "_buffers", "_modules")


def bytes_of(t: Tensor) -> Any:
    """Return the numbers of a tensor as bytes; of a sparse one those that it holds."""
    if t.is_meta or isinstance(t, nn.parameter.UninitializedTensorMixin):
        return "no numbers"
    if t.is_sparse:
        return bytes_of(t._indices()), bytes_of(t._values())
    plain = t.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return plain.clone().view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def tensor(t: Tensor) -> dict[str, Any]:
    lazy = isinstance(t, nn.parameter.UninitializedTensorMixin)
    state = {"object": t, "type": type(t), "requires_grad": t.requires_grad, "dtype": t.dtype}
    state |= {"leaf": t.is_leaf, "bytes": bytes_of(t)}
    if not lazy:
        state |= {"shape": t.shape}
    if t.layout == torch.strided and not lazy and not t.is_meta:
        state |= {"stride": t.stride(), "place": t.data_ptr()}
    if t.is_leaf and t.grad is not None:
        state |= {"grad": t.grad, "grad bytes": bytes_of(t.grad)}
    elif t.is_leaf:
        state |= {"grad": None}
    return state


def value(v: Any) -> Any:
    """Return what an attribute holds; of containers the items, of weak references the objects."""
    if isinstance(v, Tensor):
        return tensor(v)
    if isinstance(v, list | tuple | set):
        items = [item() if isinstance(item, weakref.ref) else item for item in v]
        return {"items": items}
    if isinstance(v, dict):
        return {"items": [*v.items()]}
    return {"object": v}


def layer(module: nn.Module) -> dict[str, Any]:
    """Return the state of one module without its submodules."""
    state: dict[str, Any] = {"type": type(module), "training": module.training}
    state["names"] = sorted(module.__dict__)
    for name, p in module.named_parameters(recurse=False, remove_duplicate=False):
        unversioned = isinstance(p, nn.parameter.UninitializedTensorMixin) or p.is_inference()
        version = {} if unversioned else {"version": p._version}
        state[f"parameter {name}"] = tensor(p) | version
    for name, b in module.named_buffers(recurse=False, remove_duplicate=False):
        state[f"buffer {name}"] = tensor(b)
    state["children"] = [*module.named_children()]
    if not isinstance(module, torch.jit.ScriptModule):
        for name, v in module.__dict__.items():
            if name not in CONTAINERS:
                state[name] = value(v)
    return state


def process() -> dict[str, Any]:
    """Return what belongs to the process: random states, defaults, modes."""
    kind, keys, *rest = np.random.get_state()
    return {
        "torch random state": bytes_of(torch.get_rng_state()),
        "numpy random state": (kind, keys.tobytes(), *rest),
        "python random state": random.getstate(),
        "default dtype": torch.get_default_dtype(),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
    }


def state(module: Any, *data: Any) -> dict[str, Any]:
    """Return all that a call has to leave as it was, as nested dicts."""
    found: dict[str, Any] = {"process": process()}
    if isinstance(module, nn.Module):
        found |= {f"module {name}": layer(sub) for name, sub in module.named_modules()}
    return found | {f"data {i}": value(part) for i, part in enumerate(data)}


def changes(before: Any, after: Any, where: str = "") -> list[str]:
    """Return the places at which two states differ; objects are compared by identity."""
    if type(before) is not type(after):
        return [f"{where}: {before!r:.60} became {after!r:.60}"]
    if isinstance(before, dict):
        keys = [*before, *(k for k in after if k not in before)]
        found = [
            [f"{where}/{k} {'came' if k in after else 'went'}"]
            for k in keys
            if (k in before) != (k in after)
        ]
        found += [changes(before[k], after[k], f"{where}/{k}") for k in before if k in after]
        return [line for lines in found for line in lines]
    if isinstance(before, list | tuple) and not isinstance(before, torch.Size):
        if len(before) != len(after):
            return [f"{where}: {len(before)} items became {len(after)}"]
        pairs = enumerate(zip(before, after, strict=True))
        return [line for i, (b, a) in pairs for line in changes(b, a, f"{where}/{i}")]
    plain = isinstance(before, int | float | str | bytes | bool | torch.Size | type | torch.dtype)
    same = before == after if plain else before is after
    return [] if same else [f"{where}: {before!r:.60} became {after!r:.60}"]
