"""Layers of every kind, those that lack derivatives of a kind among them."""

import torch
import torch.nn.functional as F
from module_row import (
    Made,
    either,
    linear,
    points,
    reals,
    right,
    small,
    stack,
    tokens,
)
from torch import nn


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
    right(
        7,
        "interpolate",
        images(conv(1, 2), lambda: nn.Upsample(scale_factor=2, mode="bilinear"), head(32)),
        x=IMAGES,
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
]
