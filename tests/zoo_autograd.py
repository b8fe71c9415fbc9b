"""Modules that differentiate inside forward, or forbid it."""

import torch
from module_row import F64, linear, points, reals, refused, right, small

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


def without_backward_inside(m, x):
    z = x.detach().clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(potential(m, z).sum(), z)
    return potential(m, x) + slope[:, :1]


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
    refused(
        8,
        "detached in one branch",
        "derivative",
        lambda: small(lambda m, x: m.o(m.a(x).tanh()) * m.a(x).detach().norm(dim=1)[:, None]),
    ),
    refused(8, "under no_grad", GRADIENT, without(torch.no_grad)),
    refused(8, "under inference_mode", GRADIENT + "|inference", without(torch.inference_mode)),
    right(8, "under enable_grad", without(torch.enable_grad)),
    right(
        8,
        "backward inside forward",
        lambda: small(backward_inside),
        twin=lambda: small(without_backward_inside),
    ),
]
