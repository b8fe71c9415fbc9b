"""Modules whose outputs or data are not what a loss can read, and those of every shape."""

from collections import namedtuple
from dataclasses import dataclass

import torch
from module_row import F64, classes, either, parameter, points, reals, refused, right, signs, small

Pair = namedtuple("Pair", "first second")
TENSOR = "tensor"
FINITE = "finite|NaN|nan"


@dataclass
class Answer:
    logits: torch.Tensor


def giving(answer, k=1, **parts):
    """Return a module that answers `answer(f)` where f is what two layers give."""
    return lambda: small(lambda m, x: answer(m.o(torch.tanh(m.a(x)))), k=k, **parts)


def falls_off():
    """A root whose argument is trained towards and beyond zero."""
    return small(
        lambda m, x: torch.sqrt(m.s + 0.0 * x[:, 0]),
        s=torch.nn.Parameter(torch.tensor([0.3], dtype=F64)),
    )


def holding(value):
    def drawn():
        x = torch.randn(6, 4, dtype=F64)
        x[2, 1] = value
        return x

    return drawn


def one_bad_target():
    y = torch.randn(6, dtype=F64)
    y[3] = float("nan")
    return y


plain = giving(lambda f: f)
OUTPUTS = [
    right(6, "outputs (n,)", giving(lambda f: f[:, 0])),
    right(6, "outputs (n, 1), targets (n,)", plain),
    right(6, "outputs (n, 1), targets (n, 1)", plain, y=reals(6, 1)),
    right(6, "outputs (n,), targets (n, 1)", giving(lambda f: f[:, 0]), y=reals(6, 1)),
    right(6, "outputs (n, 3)", giving(lambda f: f, k=3), y=reals(6, 3)),
    right(6, "outputs (n, 2, 3)", giving(lambda f: f.reshape(-1, 2, 3), k=6), y=reals(6, 2, 3)),
    right(6, "outputs (n, 1, 1)", giving(lambda f: f[..., None]), y=reals(6, 1, 1)),
    right(6, "outputs that are a view", giving(lambda f: f.T[0].flip(0), k=2)),
    right(6, "one point", plain, x=points(1), y=reals(1)),
    right(6, "logistic loss", plain, y=signs(), loss="logistic"),
    right(6, "logistic loss, outputs kept", plain, y=signs(), loss="logistic", zero_output="none"),
    right(6, "three classes", giving(lambda f: f, k=3), y=classes(of=3), loss="cross_entropy"),
    right(6, "two copies", plain, zero_output="symmetrized"),
    right(6, "large α", plain, alpha=1e4, tolerance=1e-7),
    refused(6, "not finite at the start", FINITE, giving(lambda f: (f - 100.0).log())),
    refused(
        6,
        "one output not finite at the start",
        FINITE,
        giving(lambda f: torch.cat([f[:1] / 0.0, f[1:]])),
    ),
    right(
        6,
        "not finite at some step",
        falls_off,
        y=lambda: -torch.ones(6, dtype=F64) * 3,
        status="diverged",
        zero_output="none",
        alpha=1.0,
        step_size=0.2,
    ),
    refused(
        6,
        "a step far too large, at once beyond all numbers",
        "step_size",
        plain,
        step_size=float("inf"),
    ),
    refused(6, "x holds NaN", FINITE, plain, x=holding(float("nan"))),
    refused(6, "x holds ∞", FINITE + "|inf", plain, x=holding(float("inf"))),
    refused(6, "y holds NaN", FINITE, plain, y=one_bad_target),
    refused(6, "a tuple", TENSOR, giving(lambda f: (f, f))),
    refused(6, "a list", TENSOR, giving(lambda f: [f])),
    refused(6, "a dict", TENSOR, giving(lambda f: {"logits": f})),
    refused(6, "a dataclass", TENSOR, giving(Answer)),
    refused(6, "a named tuple", TENSOR, giving(lambda f: Pair(f, f))),
    refused(6, "nothing", TENSOR, giving(lambda f: None)),
    refused(6, "a number", TENSOR, giving(lambda f: f.sum().item())),
    refused(6, "a scalar: the loss itself", r"shape|\(n", giving(lambda f: f.square().mean())),
    refused(6, "outputs (1, n)", r"shape|\(n|point", giving(lambda f: f.T)),
    refused(6, "a row too many", r"shape|\(n|point", giving(lambda f: torch.cat([f, f[:1]]))),
    refused(6, "no column", r"shape|\(n|output", giving(lambda f: f[:, :0])),
    refused(
        6,
        "integers: the class itself",
        "int64|integer|dtype|gradient|floating",
        giving(lambda f: f.argmax(1), k=3),
        y=classes(of=3),
    ),
    refused(6, "truth values", "bool|dtype|gradient|floating", giving(lambda f: f > 0)),
    refused(6, "complex outputs", "complex", giving(lambda f: torch.complex(f, f))),
    either(
        6,
        "float32 of a float64 module",
        "float32|dtype",
        giving(lambda f: f.float()),
        tolerance=1e-4,
    ),
    refused(6, "outputs without a gradient", "gradient|depend", giving(lambda f: f.detach())),
    refused(
        6,
        "outputs that do not depend on w",
        "gradient|depend",
        lambda: small(lambda m, x: x[:, 0] * 2.0),
    ),
    refused(6, "targets of another shape", "shape|y", plain, y=reals(6, 2)),
    refused(6, "fewer targets than points", "y|target", plain, y=reals(5)),
    refused(
        6,
        "logistic loss, targets 0 and 1",
        "±1|-1|−1",
        plain,
        y=lambda: classes()().to(F64),
        loss="logistic",
    ),
    refused(
        6,
        "cross-entropy of one output",
        "cross_entropy|class|output",
        plain,
        y=classes(),
        loss="cross_entropy",
    ),
    refused(
        6,
        "classes beyond the outputs",
        "class|y",
        giving(lambda f: f, k=2),
        y=classes(of=3),
        loss="cross_entropy",
    ),
    refused(6, "no point", "point|empty|x", plain, x=points(0, 4), y=reals(0)),
    refused(6, "points of the wrong width", r"\(6, 3\)|shape|columns", plain, x=points(6, 3)),
    right(6, "a constant added", giving(lambda f: f, c=parameter(1))),
]
