"""Modules that differentiate inside forward, or forbid it; and modules of several dtypes."""

import numpy as np
import torch
from module_row import F64, Made, classes, either, linear, points, reals, refused, right, small
from module_row import stack, tokens
from torch import nn

GRADIENT = "gradient|depend|no_grad"


def potential(m, x):
    return m.o(torch.tanh(m.a(x)))


def derivative(m, x, create_graph=True):
    u = potential(m, x)
    return u, torch.autograd.grad(u.sum(), x, create_graph=create_graph)[0]


def residual(m, x):
    x = x.clone().requires_grad_(True)
    u, d = derivative(m, x)
    return (torch.autograd.grad(d.sum(), x, create_graph=True)[0] + u)[:, 0]


def residual_on_the_input_itself(m, x):
    u, d = derivative(m, x.requires_grad_(True))
    return u + d[:, :1]


def forces(m, x):
    return -derivative(m, x.detach().requires_grad_(True))[1]


def forces_without_graph(m, x):
    return -derivative(m, x.detach().requires_grad_(True), create_graph=False)[1]


def forces_under_enable_grad(m, x):
    with torch.enable_grad():
        return forces(m, x)


def hamiltonian(m, x):
    _, d = derivative(m, x.detach().requires_grad_(True))
    return torch.cat([d[:, 2:], -d[:, :2]], 1)


def laplacian(m, x):
    hessian = torch.func.hessian(lambda z: potential(m, z).squeeze())
    return torch.func.vmap(hessian)(x).diagonal(dim1=1, dim2=2).sum(1)


def jacobian_inside(m, x):
    rows = torch.autograd.functional.jacobian(lambda z: potential(m, z).sum(), x, create_graph=True)
    return potential(m, x) + rows[:, :1]


def inner_step(m, x):
    loss = (potential(m, x)[:, 0] - x[:, 0]).square().mean()
    grads = torch.autograd.grad(loss, [m.a.weight, m.a.bias], create_graph=True)
    w, b = m.a.weight - 0.1 * grads[0], m.a.bias - 0.1 * grads[1]
    return m.o(torch.tanh(x @ w.T + b))


def fixed_point(m, x):
    z = torch.zeros(len(x), 5, dtype=F64)
    with torch.no_grad():
        for _ in range(40):
            z = torch.tanh(0.2 * m.b(z) + m.a(x))
    return m.o(torch.tanh(0.2 * m.b(z) + m.a(x)))


def without(context):
    def computed(m, x):
        with context():
            return potential(m, x)

    return lambda: small(computed)


def backward_inside(m, x):
    z = x.detach().clone().requires_grad_(True)
    potential(m, z).sum().backward()
    return potential(m, x) + z.grad[:, :1]


AUTOGRAD = [
    right(
        8,
        "second derivative",
        lambda: small(residual, i=1),
        x=points(6, 1),
        y=lambda: torch.zeros(6, dtype=F64),
        zero_output="none",
    ),
    right(8, "second derivative, centred", lambda: small(residual, i=1), x=points(6, 1)),
    right(8, "first derivative, the input marked", lambda: small(residual_on_the_input_itself)),
    right(8, "forces of an energy", lambda: small(forces), y=reals(6, 4)),
    right(8, "forces under enable_grad", lambda: small(forces_under_enable_grad), y=reals(6, 4)),
    refused(
        8,
        "forces without create_graph",
        GRADIENT + "|create_graph",
        lambda: small(forces_without_graph),
        y=reals(6, 4),
    ),
    right(8, "Hamiltonian field", lambda: small(hamiltonian), y=reals(6, 4)),
    right(8, "Laplacian by torch.func", lambda: small(laplacian)),
    right(8, "jacobian by autograd.functional", lambda: small(jacobian_inside)),
    right(8, "a step of gradient descent inside", lambda: small(inner_step)),
    right(8, "a fixed point found without gradients", lambda: small(fixed_point, b=linear(5, 5))),
    right(
        8,
        "detached in the middle",
        lambda: small(lambda m, x: m.o(torch.tanh(m.b(m.a(x).detach()))), b=linear(5, 5)),
    ),
    right(
        8,
        "detached in one branch",
        lambda: small(lambda m, x: m.o(m.a(x).tanh()) * m.a(x).detach().norm(dim=1)[:, None]),
    ),
    refused(8, "under no_grad", GRADIENT, without(torch.no_grad)),
    refused(8, "under inference_mode", GRADIENT + "|inference", without(torch.inference_mode)),
    right(8, "under enable_grad", without(torch.enable_grad)),
    either(8, "backward inside forward", "backward", lambda: small(backward_inside)),
]


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


LOW = "bfloat16|float16|half"
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
    refused(
        9,
        "bfloat16 body, float32 head",
        LOW,
        lambda: Mixed(torch.bfloat16, torch.float32),
        x=single(6, 4),
        y=single(6),
    ),
    refused(
        9,
        "half body, float32 head",
        LOW,
        lambda: Mixed(torch.float16, torch.float32),
        x=single(6, 4),
        y=single(6),
    ),
    refused(9, "bfloat16", LOW, net(torch.bfloat16), x=single(6, 4), y=single(6)),
    refused(9, "half", LOW, net(torch.float16), x=single(6, 4), y=single(6)),
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
