"""One row of the table of modules, and what its rows share: points, targets, small layers."""

import contextlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

F64 = torch.float64
N = 6
OPTIONS = {"alpha": 2.0, "steps": 8, "step_size": 0.08, "record": [0, 1, 4, 8]}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A module of somebody's, its data, and what `compare` has to answer.

    kind: the paragraph of the table. build, x, y: made afresh at each call, under one seed.
    refused: None where numbers are due, else what the sentence of refusal has to match.
    either: numbers may be given (then they are right) or the module be refused in a sentence.
    status: `diverged` where the path has to end before its last step.
    tolerance: relative, of all that is compared with the oracle.
    around: a context that the caller is in.
    twin: an ordinary module that is the same function, where the first cannot be trained plainly.
    """

    kind: int
    name: str
    build: Callable[[], Any]
    x: Callable[[], Any]
    y: Callable[[], Any]
    refused: str | None = None
    either: bool = False
    status: str = "done"
    tolerance: float = 1e-9
    around: Callable[[], Any] = contextlib.nullcontext
    twin: Callable[[], Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"

    def made(self, build: Callable[[], Any] | None = None) -> tuple[Any, Any, Any, dict[str, Any]]:
        """Return module, x, y and options; equal ones at every call."""
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(7)
            module, x, y = (build or self.build)(), self.x(), self.y()
            others = {k: v() if callable(v) else v for k, v in self.options.items()}
        return module, x, y, OPTIONS | others


def points(n: int = N, *shape: int) -> Callable[[], Tensor]:
    """Return what draws n standard normal points of `shape`, of 4 columns when none is given."""
    return lambda: torch.randn(n, *(shape or (4,)), dtype=F64)


def tokens(n: int = N, length: int = 3, of: int = 7) -> Callable[[], Tensor]:
    return lambda: torch.randint(0, of, (n, length))


def reals(n: int = N, *shape: int) -> Callable[[], Tensor]:
    return lambda: torch.randn(n, *shape, dtype=F64)


def classes(n: int = N, of: int = 2) -> Callable[[], Tensor]:
    return lambda: torch.arange(n) % of


def signs(n: int = N) -> Callable[[], Tensor]:
    return lambda: 2.0 * (torch.arange(n) % 2).to(F64) - 1.0


def right(kind: int, name: str, build: Callable[[], Any], **given: Any) -> Row:
    """Return the row of a module for which numbers are due."""
    kept = {k: given.pop(k) for k in Row.__dataclass_fields__ if k in given}
    return Row(kind=kind, name=name, build=build, options=given, **defaults(kept))


def refused(kind: int, name: str, sentence: str, build: Callable[[], Any], **given: Any) -> Row:
    """Return the row of a module that is refused in a sentence that matches `sentence`."""
    return right(kind, name, build, refused=sentence, **given)


def either(kind: int, name: str, sentence: str, build: Callable[[], Any], **given: Any) -> Row:
    """Return the row of a module that may be refused, and is right where it is not."""
    return right(kind, name, build, refused=sentence, either=True, **given)


def defaults(kept: dict[str, Any]) -> dict[str, Any]:
    return {"x": points(), "y": reals()} | kept


def linear(i: int, o: int, **options: Any) -> nn.Linear:
    return nn.Linear(i, o, dtype=F64, **options)


class Made(nn.Module):
    """A module of the given parts whose forward is the given function of itself and x."""

    def __init__(self, computed: Callable[..., Any], **parts: Any):
        super().__init__()
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)
        self.computed = computed

    def forward(self, x: Any) -> Any:
        return self.computed(self, x)


def small(computed: Callable[..., Any], i: int = 4, m: int = 5, k: int = 1, **parts: Any) -> Made:
    """Return a module of two layers `a` and `o` and of further parts."""
    return Made(computed, a=linear(i, m), o=linear(m, k), **parts).double()


def stack(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers).double()


def ordinary(m: Any, x: Tensor) -> Tensor:
    return m.o(torch.tanh(m.a(x)))[:, 0]


def parameter(*shape: int, **options: Any) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape, dtype=F64), **options)
