"""Layers of every kind, those that lack derivatives of a kind among them."""

import torch
import torch.nn.functional as F
from module_row import F64, Made, either, linear, parameter, points, reals, refused, right, small
from module_row import stack, tokens
from torch import nn
from torch.autograd.function import once_differentiable


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.a = kind(4, 3, batch_first=True, **options)
        self.o = nn.Linear(6 if options else 3, 1)

    def forward(self, x):
        return self.o(self.a(x)[0][:, -1])


def recurrent(kind, **options):
    return lambda: Recurrent(kind, **options).double()


def cells(m, x):
    h = x.new_zeros(len(x), 3)
    for step in range(x.shape[1]):
        h = m.cell(x[:, step], h)
    return m.o(h)


def encoder():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return stack(layers, nn.Flatten(), nn.Linear(12, 1)).eval()


def attention():
    return Made(
        lambda m, x: m.o(m.a(x, x, x)[0].mean(1)),
        a=nn.MultiheadAttention(4, 2, batch_first=True),
        o=nn.Linear(4, 1),
    ).double()


def masked(m, x):
    q = m.a(x)
    return m.o(F.scaled_dot_product_attention(q, q, x, is_causal=True).mean(1))


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


def bag(m, x):
    return m.o(torch.tanh(m.e(x)))


def images(*layers, size=(1, 4, 4)):
    return lambda: stack(nn.Unflatten(1, size), *[make() for make in layers], nn.Flatten())


def conv(i, o, size=3, **options):
    return lambda: nn.Conv2d(i, o, size, **options)


def head(i, k=1):
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(i, k))


def between(*layers):
    return lambda: stack(linear(4, 6), *[make() for make in layers], linear(6, 1))


def many_activations(m, x):
    h = m.a(x)
    h = F.gelu(h) + F.mish(h) + F.celu(h) + F.hardswish(h) + F.softshrink(h) + F.logsigmoid(h)
    return m.o(h + F.elu(h) + F.selu(h) + F.softsign(h) + F.relu6(h) + F.leaky_relu(h))


SEQUENCES = points(6, 3, 4)
IMAGES = points(6, 16)
LAYERS = [
    right(7, "LSTM", recurrent(nn.LSTM), x=SEQUENCES),
    right(7, "LSTM both ways", recurrent(nn.LSTM, bidirectional=True), x=SEQUENCES),
    right(7, "GRU", recurrent(nn.GRU), x=SEQUENCES),
    right(7, "RNN", recurrent(nn.RNN), x=SEQUENCES, zero_output="symmetrized"),
    right(
        7,
        "cells in a loop",
        lambda: Made(cells, cell=nn.GRUCell(4, 3), o=nn.Linear(3, 1)).double(),
        x=SEQUENCES,
    ),
    right(7, "transformer encoder, eval", encoder, x=SEQUENCES),
    right(7, "attention", attention, x=SEQUENCES),
    right(7, "causal attention", lambda: Made(masked, a=linear(4, 4), o=linear(4, 1)), x=SEQUENCES),
    right(
        7,
        "embedding bag",
        lambda: Made(bag, e=nn.EmbeddingBag(7, 4), o=nn.Linear(4, 1)).double(),
        x=tokens(),
    ),
    right(7, "custom function", custom(Cube)),
    right(7, "custom function, differentiable once", custom(CubeOnce)),
    right(7, "custom function through numpy", custom(Numpy)),
    right(7, "grid_sample", lambda: small(sampled, m=8)),
    right(
        7,
        "interpolate",
        images(conv(1, 2), lambda: nn.Upsample(scale_factor=2, mode="bilinear"), head(32)),
        x=IMAGES,
    ),
    right(
        7,
        "cdist to prototypes",
        lambda: small(
            lambda m, x: torch.exp(-torch.cdist(m.a(x), m.c)) @ m.o.weight.T[:3], c=parameter(3, 5)
        ),
    ),
    right(
        7, "conv 1d", images(lambda: nn.Conv1d(2, 3, 3), nn.Tanh, head(18), size=(2, 8)), x=IMAGES
    ),
    right(
        7,
        "conv 2d, circular, strided",
        images(conv(1, 3, padding=1, padding_mode="circular", stride=2), nn.Tanh, head(12)),
        x=IMAGES,
    ),
    right(
        7,
        "conv 3d",
        images(lambda: nn.Conv3d(1, 2, 2), nn.Tanh, head(6), size=(1, 2, 2, 4)),
        x=IMAGES,
    ),
    right(
        7,
        "transposed conv",
        images(lambda: nn.ConvTranspose2d(1, 2, 2, stride=2), nn.Tanh, head(128)),
        x=IMAGES,
    ),
    right(
        7,
        "bilinear",
        lambda: small(lambda m, x: m.b(torch.tanh(m.a(x)), x), b=nn.Bilinear(5, 4, 1)),
    ),
    right(7, "PReLU", between(nn.PReLU)),
    right(7, "GLU", lambda: stack(linear(4, 6), nn.GLU(), linear(3, 1))),
    right(7, "softmax", between(lambda: nn.Softmax(1))),
    right(7, "hard tanh", between(nn.Hardtanh)),
    right(7, "many activations", lambda: small(many_activations)),
    right(
        7, "max pooling", images(conv(1, 2, padding=1), lambda: nn.MaxPool2d(2), head(8)), x=IMAGES
    ),
    right(
        7,
        "adaptive pooling",
        images(conv(1, 3), nn.Tanh, lambda: nn.AdaptiveAvgPool2d(1), head(3)),
        x=IMAGES,
    ),
    right(
        7,
        "pixel shuffle",
        images(conv(1, 4), nn.Tanh, lambda: nn.PixelShuffle(2), head(16)),
        x=IMAGES,
    ),
    right(
        7,
        "unfold and fold",
        images(
            conv(1, 2, padding=1),
            nn.Tanh,
            lambda: nn.Unfold(2),
            lambda: nn.Fold((4, 4), 2),
            head(32),
        ),
        x=IMAGES,
    ),
    right(
        7,
        "local response norm",
        images(conv(1, 3), lambda: nn.LocalResponseNorm(2), head(12)),
        x=IMAGES,
    ),
    right(7, "ReLU in place", between(lambda: nn.ReLU(inplace=True))),
    right(
        7,
        "batch norm and ReLU in place",
        between(lambda: nn.BatchNorm1d(6), lambda: nn.ReLU(inplace=True)),
        x=points(8),
        y=reals(8),
    ),
    right(7, "an input that is added to", lambda: small(adds_to_its_input)),
    right(7, "an input that is written into", lambda: small(writes_into_its_input)),
    right(7, "an array that is written into", lambda: small(writes_into_its_own)),
    right(
        7, "views", lambda: small(lambda m, x: m.o(m.a(x).view(-1).unflatten(0, (-1, 5)).tanh()))
    ),
    right(
        7,
        "channels last",
        lambda: stack(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 1)).to(
            memory_format=torch.channels_last
        ),
        x=lambda: points(6, 2, 4, 4)().to(memory_format=torch.channels_last),
    ),
    either(
        7,
        "synchronised batch norm",
        r"SyncBatchNorm|GPU|CUDA|cuda",
        lambda: between(lambda: nn.SyncBatchNorm(6))(),
    ),
    right(
        7, "synchronised batch norm, eval", lambda: between(lambda: nn.SyncBatchNorm(6))().eval()
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
