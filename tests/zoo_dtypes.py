"""Modules, points and targets of several dtypes."""

import numpy as np
import torch
from module_row import (
    F64,
    Made,
    classes,
    either,
    linear,
    refused,
    right,
    small,
    stack,
    tokens,
)
from torch import nn


class Mixed(nn.Module):
    """A body of one dtype and a head of another, what is between them cast on the way."""

    def __init__(self, body, head):
        super().__init__()
        self.a, self.o = nn.Linear(4, 8).to(body), nn.Linear(8, 1).to(head)

    def forward(self, x):
        h = torch.tanh(self.a(x.to(self.a.weight.dtype)))
        return self.o(h.to(self.o.weight.dtype))


def fixed_casts():
    return Made(
        lambda m, x: m.o(torch.tanh(m.a(x.float())).double()),
        a=nn.Linear(4, 8),
        o=linear(8, 1),
    )


def amplified(m, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return m.o(torch.tanh(m.a(x)))


def no_autocast(m, x):
    with torch.autocast("cpu", enabled=False):
        return m.o(torch.tanh(m.a(x)))


def net(dtype=F64):
    return lambda: stack(linear(4, 5), nn.Tanh(), linear(5, 1)).to(dtype)


def single(*shape):
    return lambda: torch.randn(*shape)


COARSE = {"tolerance": 1e-4, "alpha": 1.0}
DTYPES = [
    right(9, "float32", net(torch.float32), x=single(6, 4), y=single(6), **COARSE),
    right(9, "float32 and float64 points", net(torch.float32), **COARSE),
    right(9, "float64 and float32 points", net(), x=single(6, 4), y=single(6)),
    right(9, "float64 under a default of float32", net(), y=single(6)),
    either(
        9,
        "float32 body, float64 head",
        "float32|dtype",
        lambda: Mixed(torch.float32, F64),
        **COARSE,
    ),
    either(
        9,
        "float64 body, float32 head",
        "float32|dtype",
        lambda: Mixed(F64, torch.float32),
        **COARSE,
    ),
    either(9, "a cast written into forward", "float32|dtype", fixed_casts, **COARSE),
    right(
        9,
        "bfloat16 body, float32 head",
        lambda: Mixed(torch.bfloat16, torch.float32),
        twin=lambda: Mixed(torch.bfloat16, torch.float32).float(),
        x=single(6, 4),
        y=single(6),
        **COARSE,
    ),
    right(
        9,
        "half body, float32 head",
        lambda: Mixed(torch.float16, torch.float32),
        twin=lambda: Mixed(torch.float16, torch.float32).float(),
        x=single(6, 4),
        y=single(6),
        **COARSE,
    ),
    right(
        9,
        "bfloat16",
        net(torch.bfloat16),
        twin=lambda: net(torch.bfloat16)().float(),
        x=single(6, 4),
        y=single(6),
        **COARSE,
    ),
    right(
        9,
        "half",
        net(torch.float16),
        twin=lambda: net(torch.float16)().float(),
        x=single(6, 4),
        y=single(6),
        **COARSE,
    ),
    either(
        9,
        "float64 weights cast to float32",
        "float32|dtype",
        lambda: small(
            lambda m, x: (x.float() @ m.a.weight.float().T).tanh() @ m.o.weight.float().T
        ),
        **COARSE,
    ),
    refused(
        9,
        "autocast inside",
        "autocast",
        lambda: small(amplified).float(),
        x=single(6, 4),
        y=single(6),
    ),
    right(9, "autocast switched off inside", lambda: small(no_autocast)),
    either(
        9,
        "called under autocast",
        "autocast",
        net(torch.float32),
        x=single(6, 4),
        y=single(6),
        around=lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        **COARSE,
    ),
    right(9, "called under no_grad", net(), around=torch.no_grad),
    either(9, "called under inference_mode", "inference", net(), around=torch.inference_mode),
    right(
        9,
        "integers to an embedding",
        lambda: stack(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 1)),
        x=tokens(),
    ),
    right(
        9,
        "32-bit integers to an embedding",
        lambda: stack(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 1)),
        x=lambda: tokens()().int(),
    ),
    right(
        9,
        "integers cast inside",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x.double() / 7)))),
        x=tokens(6, 4),
    ),
    right(
        9,
        "bytes cast inside",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x.double() / 7)))),
        x=lambda: tokens(6, 4)().to(torch.uint8),
    ),
    right(
        9,
        "truth values cast inside",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x.double())))),
        x=lambda: tokens(6, 4, of=2)().bool(),
    ),
    either(9, "integers to a linear layer", "float|dtype|int64", net(), x=tokens(6, 4)),
    refused(
        9, "complex points", "complex", net(), x=lambda: torch.randn(6, 4, dtype=torch.complex128)
    ),
    refused(
        9, "complex targets", "complex", net(), y=lambda: torch.randn(6, dtype=torch.complex128)
    ),
    right(9, "integer targets", net(), y=classes(of=3)),
    either(9, "truth values as targets", "bool", net(), y=lambda: classes()().bool()),
    right(
        9,
        "classes of 32 bits",
        lambda: stack(linear(4, 5), nn.Tanh(), linear(5, 3)),
        y=lambda: classes(of=3)().int(),
        loss="cross_entropy",
    ),
    refused(9, "points that are an array", "tensor", net(), x=lambda: np.ones((6, 4))),
    refused(9, "points that are a list", "tensor", net(), x=lambda: [[1.0, 2.0, 3.0, 4.0]] * 6),
    refused(9, "no targets", "y|target", net(), y=lambda: None),
    refused(9, "a function in place of a module", "[Mm]odule", lambda: torch.sin),
    refused(9, "a class in place of a module", "[Mm]odule", lambda: nn.Linear),
]
