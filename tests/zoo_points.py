"""Modules that look at all points together."""

import torch
from module_row import F64, classes, linear, points, reals, refused, right, small, stack
from torch import nn


def graph(n, columns, k=1):
    """Return a graph network of n nodes, for which no other number of points will do."""

    def build():
        near = torch.eye(n, dtype=F64) / 2 + (torch.rand(n, n) < 0.05) / 10
        return small(lambda m, x: m.o(m.A @ torch.tanh(m.a(m.A @ x))), i=columns, k=k, A=near)

    return build


def attention(m, x):
    h = m.a(x)
    return m.o(torch.softmax(h @ h.T / 5**0.5, 1) @ torch.tanh(h))


def pairs(m, x):
    h = torch.tanh(m.a(x))
    return m.o(torch.exp(-torch.cdist(h, h).square()) @ h)


def neighbours(m, x):
    near = torch.cdist(x, x).topk(3, largest=False).indices
    return m.o(torch.tanh(m.a(x))[near].mean(1))


def edges(m, x):
    start, end = torch.arange(len(x)), torch.arange(len(x)).roll(1)
    h = torch.tanh(m.a(x))
    return m.o(torch.zeros_like(h).index_add(0, end, h[start]) + h)


def own(build):
    return lambda: stack(linear(4, 6), build(), nn.Tanh(), linear(6, 1))


TOGETHER = [
    right(4, "graph of 20 nodes, 1 column", graph(20, 1), x=points(20, 1), y=reals(20)),
    right(4, "graph of 20 nodes, 2 columns", graph(20, 2), x=points(20, 2), y=reals(20)),
    right(4, "graph of 20 nodes, 4 columns", graph(20, 4), x=points(20, 4), y=reals(20)),
    right(
        4,
        "graph of 20 nodes, 3 classes",
        graph(20, 4, 3),
        x=points(20, 4),
        y=classes(20, 3),
        loss="cross_entropy",
    ),
    right(
        4,
        "graph of 20 nodes, two copies",
        graph(20, 2),
        x=points(20, 2),
        y=reals(20),
        zero_output="symmetrized",
    ),
    right(
        4,
        "graph of 600 nodes",
        graph(600, 4),
        x=points(600, 4),
        y=reals(600),
        steps=5,
        record=[0, 2, 5],
    ),
    right(
        4,
        "graph with as many test points",
        graph(20, 4),
        x=points(20, 4),
        y=reals(20),
        x_test=points(20, 4),
        y_test=reals(20),
    ),
    refused(
        4,
        "graph with fewer test points",
        "x_test",
        graph(20, 4),
        x=points(20, 4),
        y=reals(20),
        x_test=points(5, 4),
        y_test=reals(5),
    ),
    right(4, "attention across points", lambda: small(attention)),
    right(4, "attention across points, 2 columns", lambda: small(attention, i=2), x=points(6, 2)),
    right(4, "distances of pairs of points", lambda: small(pairs), x=points(8), y=reals(8)),
    right(4, "nearest neighbours", lambda: small(neighbours)),
    right(4, "messages along edges", lambda: small(edges)),
    right(
        4,
        "mean over points taken away",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x - x.mean(0)))) - m.o.bias),
    ),
    right(
        4,
        "softmax over points",
        lambda: small(lambda m, x: torch.softmax(m.o(torch.tanh(m.a(x))), 0)),
    ),
    right(4, "group norm", own(lambda: nn.GroupNorm(2, 6))),
    right(4, "layer norm", own(lambda: nn.LayerNorm(6))),
    right(
        4,
        "instance norm",
        lambda: stack(
            nn.Conv1d(1, 3, 3, padding=1),
            nn.InstanceNorm1d(3, affine=True),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(12, 1),
        ),
        x=points(6, 1, 4),
    ),
    right(
        4,
        "instance norm with statistics",
        lambda: stack(
            nn.Conv1d(1, 3, 3, padding=1),
            nn.InstanceNorm1d(3, track_running_stats=True),
            nn.Flatten(),
            nn.Linear(12, 1),
        ),
        x=points(6, 1, 4),
    ),
    right(4, "RMS norm", own(lambda: nn.RMSNorm(6))),
]
