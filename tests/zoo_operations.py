"""Operations and functions of people's own, and writing in place."""

import torch
import torch.nn.functional as F
from module_row import (
    F64,
    Made,
    linear,
    parameter,
    points,
    reals,
    refused,
    right,
    small,
)
from torch.autograd.function import once_differentiable


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3.0 * x.square() * g


class CubeOnce(Cube):
    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3.0 * x.square() * g


class Numpy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.as_tensor(x.detach().numpy() ** 2)

    @staticmethod
    def backward(ctx, g):
        return 2.0 * ctx.saved_tensors[0] * g


def custom(function):
    return lambda: small(lambda m, x: m.o(function.apply(torch.tanh(m.a(x)))))


def sampled(m, x):
    grid = torch.tanh(m.a(x)).reshape(-1, 2, 2, 2)
    picture = torch.linspace(-1, 1, 16, dtype=F64).sin().reshape(1, 1, 4, 4)
    values = F.grid_sample(picture.expand(len(x), 1, 4, 4), grid, align_corners=False)
    return values.flatten(1).sum(1)


def ctc(m, x):
    scores = m.a(x).log_softmax(2).transpose(0, 1)
    labels = torch.tensor([[1, 2]]).expand(len(x), 2)
    lengths = torch.full((len(x),), x.shape[1]), torch.full((len(x),), 2)
    return F.ctc_loss(scores, labels, *lengths, reduction="none")


def eigenvalues(m, x):
    a = m.a(x)[:, :4].reshape(-1, 2, 2)
    return m.o(torch.cat([torch.linalg.eigvalsh(a + a.mT), m.a(x)[:, :3]], 1))


def solved(m, x):
    a = m.a(x)[:, :4].reshape(-1, 2, 2) + 5.0 * torch.eye(2, dtype=F64)
    return torch.linalg.solve(a, x[:, :2])


def adds_to_its_input(m, x):
    x.add_(1.0).tanh_()
    return m.o(torch.tanh(m.a(x)))


def writes_into_its_input(m, x):
    x[:, 0] = 0.0
    return m.o(torch.tanh(m.a(x)))


def writes_into_its_own(m, x):
    h = torch.zeros(len(x), 5, dtype=F64)
    h[:, :5] = torch.tanh(m.a(x))
    h[:, 0] += 1.0
    return m.o(h)


def many_activations(m, x):
    h = m.a(x)
    h = F.gelu(h) + F.mish(h) + F.celu(h) + F.hardswish(h) + F.softshrink(h) + F.logsigmoid(h)
    return m.o(h + F.elu(h) + F.selu(h) + F.softsign(h) + F.relu6(h) + F.leaky_relu(h))


OPERATIONS = [
    right(7, "custom function", custom(Cube)),
    right(7, "custom function, differentiable once", custom(CubeOnce)),
    right(7, "custom function through numpy", custom(Numpy)),
    right(7, "grid_sample", lambda: small(sampled, m=8)),
    right(
        7,
        "cdist to prototypes",
        lambda: small(
            lambda m, x: torch.exp(-torch.cdist(m.a(x), m.c)) @ m.o.weight.T[:3], c=parameter(3, 5)
        ),
    ),
    right(7, "many activations", lambda: small(many_activations), step_size=1e-3),
    right(7, "an input that is added to", lambda: small(adds_to_its_input)),
    right(7, "an input that is written into", lambda: small(writes_into_its_input)),
    right(7, "an array that is written into", lambda: small(writes_into_its_own)),
    right(
        7, "views", lambda: small(lambda m, x: m.o(m.a(x).view(-1).unflatten(0, (-1, 5)).tanh()))
    ),
    right(7, "CTC loss", lambda: Made(ctc, a=linear(4, 3)), x=points(6, 5, 4)),
    right(7, "eigenvalues", lambda: small(eigenvalues)),
    right(7, "linear systems", lambda: small(solved), y=reals(6, 2)),
    right(
        7,
        "Fourier transform",
        lambda: small(lambda m, x: m.o(torch.fft.fft(torch.tanh(m.a(x))).abs())),
    ),
    right(
        7,
        "sorted units",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x)).sort(1).values.cumsum(1))),
    ),
    right(
        7, "largest units", lambda: small(lambda m, x: m.a(x).topk(2, 1).values @ m.o.weight.T[:2])
    ),
    right(
        7,
        "einsum",
        lambda: small(
            lambda m, x: torch.einsum("ni,ij,nj->n", m.a(x), m.c, m.a(x).tanh()), c=parameter(5, 5)
        ),
        step_size=1e-3,
    ),
    right(
        7,
        "a loop over points",
        lambda: small(lambda m, x: torch.stack([m.o(torch.tanh(m.a(z))) for z in x])),
    ),
    right(
        7,
        "a branch on the data",
        lambda: small(lambda m, x: m.o(m.a(x).tanh() if x.sum() > 0 else m.a(-x).tanh())),
    ),
    right(
        7,
        "an item read inside",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x))) * x.abs().max().item()),
    ),
    refused(
        7,
        "a detour through numpy",
        "gradient|depend|numpy",
        lambda: small(lambda m, x: torch.as_tensor(m.o(m.a(x)).detach().numpy())),
    ),
]
