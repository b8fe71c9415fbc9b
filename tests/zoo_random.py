"""Modules that draw random numbers, and modules with a state that a pass changes."""

import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from module_row import F64, either, linear, points, reals, refused, right, small, stack
from torch import nn
from torch.nn.utils import parametrizations

DRAWS = r"random|eval\(\)|draw"
EVAL = r"eval\(\)"
STATE = "state|changes|differ|pass|counter"


def hidden(middle, **parts):
    """Return a module with `middle(m, h)` between its two layers."""
    return lambda: small(lambda m, x: m.o(middle(m, torch.tanh(m.a(x)))), **parts)


def with_layer(build):
    """Return the same with a layer between them."""
    return lambda: stack(linear(4, 6), nn.Tanh(), build(), linear(6, 1))


def stochastic_depth(m, h):
    keep = float(torch.rand(()) > 0.02) / 0.98 if m.training else 1.0
    return h + keep * torch.tanh(m.b(h))


def rare_python_choice(m, h):
    return -h if random.random() < 1e-3 else h


def reseeded(m, h):
    torch.manual_seed(3)
    return h * (torch.rand(5, dtype=F64) < 0.5)


def forked(m, h):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return h * (torch.rand(5, dtype=F64) < 0.5)


def own_generator(kind):
    def build():
        m = small(lambda m, x: m.o(torch.tanh(m.a(x)) + kind(m)))
        m.torch_draws = torch.Generator().manual_seed(0)
        m.numpy_draws = np.random.default_rng(0)
        return m

    return build


def drawn_by_torch(m):
    return 0.1 * torch.randn(5, dtype=F64, generator=m.torch_draws)


def drawn_by_numpy(m):
    return torch.as_tensor(0.1 * m.numpy_draws.standard_normal(5))


class Attention(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.a = nn.MultiheadAttention(4, 2, dropout=dropout, batch_first=True)
        self.o = nn.Linear(4, 1)

    def forward(self, x):
        return self.o(self.a(x, x, x, need_weights=False)[0].mean(1))


class Recurrent(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.a = nn.LSTM(4, 3, num_layers=2, dropout=dropout, batch_first=True)
        self.o = nn.Linear(3, 1)

    def forward(self, x):
        return self.o(self.a(x)[0][:, -1])


def encoder():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(12, 1)).double()


def counted(matters):
    def computed(m, x):
        m.calls = m.calls + 1
        return m.o(torch.tanh(m.a(x))) * (1.0 + 0.1 * m.calls * matters)

    def build():
        m = small(computed)
        m.calls = 0
        return m

    return build


def kept_activations():
    def computed(m, x):
        m.last = torch.tanh(m.a(x))
        return m.o(m.last)

    m = small(computed)
    m.last = None
    return m


def buffer_counter(matters):
    def computed(m, x):
        m.calls += 1
        return m.o(torch.tanh(m.a(x))) * (1.0 + 0.1 * m.calls * matters)

    return lambda: small(computed, calls=torch.zeros((), dtype=F64))


def moving_average(matters):
    def computed(m, x):
        h = torch.tanh(m.a(x))
        with torch.no_grad():
            m.mean.mul_(0.9).add_(0.1 * h.mean(0))
        return m.o(h - m.mean * matters)

    return lambda: small(computed, mean=torch.zeros(5, dtype=F64))


def replaced_buffer():
    def computed(m, x):
        h = torch.tanh(m.a(x))
        m.mean = 0.9 * m.mean + 0.1 * h.detach().mean(0)
        return m.o(h)

    return small(computed, mean=torch.zeros(5, dtype=F64))


def images(*layers):
    return lambda: stack(nn.Unflatten(1, (1, 4, 4)), *[make() for make in layers], nn.Flatten())


RANDOM = [
    refused(3, "dropout", EVAL, with_layer(lambda: nn.Dropout(0.1))),
    refused(3, "rare dropout", EVAL, with_layer(lambda: nn.Dropout(1e-4))),
    right(3, "dropout with p = 0", with_layer(lambda: nn.Dropout(0.0))),
    right(3, "dropout, eval", lambda: with_layer(lambda: nn.Dropout(0.5))().eval()),
    refused(
        3,
        "dropout of channels",
        EVAL,
        images(lambda: nn.Conv2d(1, 2, 3), lambda: nn.Dropout2d(0.2), lambda: nn.Conv2d(2, 1, 2)),
        x=points(6, 16),
    ),
    refused(3, "alpha dropout", EVAL, with_layer(lambda: nn.AlphaDropout(0.1))),
    refused(3, "RReLU in training", EVAL, with_layer(nn.RReLU)),
    right(3, "RReLU, eval", lambda: with_layer(nn.RReLU)().eval()),
    refused(3, "functional dropout", DRAWS, hidden(lambda m, h: F.dropout(h, 0.1, training=True))),
    refused(
        3,
        "functional dropout that stays on in eval",
        DRAWS,
        lambda: hidden(lambda m, h: F.dropout(h, 1e-3, training=True))().eval(),
    ),
    refused(3, "stochastic depth", DRAWS, hidden(stochastic_depth, b=linear(5, 5))),
    right(3, "stochastic depth, eval", lambda: hidden(stochastic_depth, b=linear(5, 5))().eval()),
    refused(3, "gumbel softmax", DRAWS, hidden(lambda m, h: F.gumbel_softmax(h))),
    refused(
        3, "noise on the hidden units", DRAWS, hidden(lambda m, h: h + 1e-9 * torch.randn_like(h))
    ),
    refused(
        3, "noise in place", DRAWS, hidden(lambda m, h: h + torch.empty_like(h).normal_() * 0.1)
    ),
    refused(3, "Bernoulli units", DRAWS, hidden(lambda m, h: h * torch.bernoulli(h.abs()))),
    refused(3, "shuffled units", DRAWS, hidden(lambda m, h: h[:, torch.randperm(5)])),
    refused(
        3,
        "random numbers that do not matter yet",
        DRAWS,
        hidden(lambda m, h: h + 0.0 * torch.rand(())),
    ),
    refused(3, "numpy's random numbers", DRAWS, hidden(lambda m, h: h * np.random.rand())),
    refused(3, "a rare choice of Python's", DRAWS, hidden(rare_python_choice)),
    refused(
        3,
        "bytes of the system",
        DRAWS + "|differ|pass|same",
        hidden(lambda m, h: h * (1 + os.urandom(1)[0])),
    ),
    refused(3, "own torch generator", DRAWS + "|state|differ|pass", own_generator(drawn_by_torch)),
    refused(3, "own numpy generator", DRAWS + "|state|differ|pass", own_generator(drawn_by_numpy)),
    either(3, "a seed set in forward", DRAWS + "|seed", hidden(reseeded)),
    either(3, "a seed set in a fork", DRAWS + "|seed", hidden(forked)),
    refused(3, "attention with dropout", EVAL, lambda: Attention(0.1).double(), x=points(6, 3, 4)),
    right(3, "attention, eval", lambda: Attention(0.1).double().eval(), x=points(6, 3, 4)),
    refused(3, "LSTM with dropout", EVAL, lambda: Recurrent(0.1).double(), x=points(6, 3, 4)),
    right(3, "LSTM with dropout, eval", lambda: Recurrent(0.1).double().eval(), x=points(6, 3, 4)),
    refused(3, "transformer encoder in training", EVAL, encoder, x=points(6, 3, 4)),
    right(3, "batch norm", with_layer(lambda: nn.BatchNorm1d(6))),
    right(
        3,
        "batch norm, two columns",
        lambda: stack(linear(2, 6), nn.BatchNorm1d(6), nn.Tanh(), linear(6, 1)),
        x=points(6, 2),
    ),
    right(
        3,
        "batch norm with test points",
        with_layer(lambda: nn.BatchNorm1d(6)),
        x_test=points(9),
        y_test=reals(9),
    ),
    right(3, "batch norm without momentum", with_layer(lambda: nn.BatchNorm1d(6, momentum=None))),
    right(
        3,
        "batch norm without statistics",
        with_layer(lambda: nn.BatchNorm1d(6, track_running_stats=False)),
    ),
    right(3, "batch norm, eval", lambda: with_layer(lambda: nn.BatchNorm1d(6))().eval()),
    right(
        3,
        "batch norm, two copies",
        with_layer(lambda: nn.BatchNorm1d(6)),
        zero_output="symmetrized",
    ),
    right(
        3,
        "batch norm of images",
        images(lambda: nn.Conv2d(1, 2, 3), lambda: nn.BatchNorm2d(2), lambda: nn.Conv2d(2, 1, 2)),
        x=points(6, 16),
    ),
    refused(
        3,
        "spectral norm in training",
        EVAL,
        lambda: stack(parametrizations.spectral_norm(linear(4, 5)), nn.Tanh(), linear(5, 1)),
    ),
    refused(
        3,
        "old spectral norm in training",
        EVAL,
        lambda: stack(nn.utils.spectral_norm(linear(4, 5)), nn.Tanh(), linear(5, 1)),
    ),
    right(3, "a counter of passes", counted(False)),
    either(3, "a counter that matters", STATE, counted(True)),
    right(3, "a buffer that counts passes", buffer_counter(False)),
    either(3, "a buffer that counts and matters", STATE, buffer_counter(True)),
    right(3, "activations kept", kept_activations),
    right(3, "a moving average that is not read", moving_average(False)),
    either(3, "a moving average that is read", STATE, moving_average(True)),
    right(3, "a buffer that is replaced", replaced_buffer),
    right(
        3,
        "features drawn once",
        lambda: small(
            lambda m, x: m.o(torch.cos(x @ m.w) * m.a(x)), w=torch.randn(4, 5, dtype=F64)
        ),
    ),
]
