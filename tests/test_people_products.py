"""Jacobians too large to keep: products with them, whatever way a module's layers offer."""

import numpy as np
import pytest
import torch
from module_row import Made
from torch import nn

from lazycore import compare
from lazycore.engine.features.differentiated import (
    Differentiated,
    by_rows,
    forwards,
    rows_of,
    twice_backwards,
)
from lazycore.engine.problem.anchor import largest_ritz_value

F64 = torch.float64


class Cubed(torch.autograd.Function):
    """z³ with a backward that torch does not know the derivative of."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, r):
        (z,) = ctx.saved_tensors
        return 3.0 * z**2 * r


def transformer():
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
    net = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    return Made(lambda m, x: m.o(m.t(x)[:, 0]), t=net, o=nn.Linear(8, 2)).eval()


def attention():
    return Made(
        lambda m, x: m.o(m.t(x, x, x, need_weights=False)[0].mean(1)),
        t=nn.MultiheadAttention(8, 2, batch_first=True),
        o=nn.Linear(8, 2),
    )


def recurrent():
    net = nn.LSTM(8, 5, batch_first=True)
    return Made(lambda m, x: m.o(m.t(x)[0][:, -1]), t=net, o=nn.Linear(5, 2))


def cubed():
    return Made(lambda m, x: m.o(Cubed.apply(m.a(x))), a=nn.Linear(8, 5), o=nn.Linear(5, 2))


def batch_norm():
    return nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2))


def bag():
    return Made(lambda m, x: m.o(torch.tanh(m.t(x))), t=nn.EmbeddingBag(7, 5), o=nn.Linear(5, 2))


def real(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=F64)


TOKENS = torch.arange(27).view(9, 3) % 7
MODULES = {
    "batch norm in training": (batch_norm, real(9, 8)),
    "transformer": (transformer, real(9, 3, 8)),
    "attention": (attention, real(9, 3, 8)),
    "LSTM": (recurrent, real(9, 3, 8)),
    "once differentiable": (cubed, real(9, 8)),
    "embedding bag": (bag, TOKENS),
}


def made(name):
    build, x = MODULES[name]
    torch.manual_seed(0)
    return build().double(), x


@pytest.mark.parametrize(
    ("name", "loss"), [*zip(MODULES, ["cross_entropy", "square"] * 3, strict=True)]
)
def test_products_give_what_the_explicit_matrix_gives(name, loss, monkeypatch):
    found = []
    for limit in (2**28, 0):
        monkeypatch.setattr("lazycore.engine.networks.row_network.LARGEST_MATRIX", limit)
        monkeypatch.setattr("lazycore.engine.networks.module_features.LARGEST_FACTORS", limit)
        m, x = made(name)
        y = torch.arange(9) % 2 if loss == "cross_entropy" else real(9, 2)
        found.append(compare(m, x, y, loss=loss, steps=4, step_size=0.02, alpha=2.0))
    one, other = found
    assert one.status == other.status == "done" and one.verdict == other.verdict
    assert one.series.keys() == other.series.keys()
    for key in ("linearized.train_loss", "gap.train_output", "gap.parameter"):
        a, b = one.series[key], other.series[key]
        assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max(), key
    assert np.allclose(one.sparse["kernel_change"], other.sparse["kernel_change"], rtol=1e-8)


def function(name):
    """Return w → outputs of a module, its weights, and J by one backward pass for each row."""
    m, x = made(name)
    names = [name for name, _ in m.named_parameters()]
    sizes = [p.numel() for p in m.parameters()]
    shapes = [p.shape for p in m.parameters()]

    def outputs(w):
        parts = [part.view(shape) for part, shape in zip(w.split(sizes), shapes, strict=True)]
        fresh = {name: buffer.clone() for name, buffer in m.named_buffers()}
        return torch.func.functional_call(m, dict(zip(names, parts, strict=True)) | fresh, (x,))

    w0 = torch.cat([p.detach().reshape(-1) for p in m.parameters()])
    w = w0.clone().requires_grad_()
    h = outputs(w)
    rows = [torch.autograd.grad(entry, w, retain_graph=True)[0] for entry in h.reshape(-1)]
    return outputs, w0, torch.stack(rows)


WAYS = {
    "batch norm in training": (forwards, twice_backwards),
    "transformer": (forwards, twice_backwards),
    "attention": (forwards, twice_backwards),
    "LSTM": (forwards, twice_backwards, by_rows),
    "once differentiable": (by_rows,),
    "embedding bag": (twice_backwards, by_rows),
}
"""By module, the ways that may be found: not those that torch has no rule for."""


@pytest.mark.parametrize("name", MODULES)
def test_products_and_rows_are_those_of_the_explicit_jacobian(name):
    outputs, w0, J = function(name)
    features, (n, k) = Differentiated(outputs, w0), (9, 2)
    v, r = real(len(w0)), real(n, k)
    assert features.shape == (n, k, len(w0)) and features.way in WAYS[name]
    for found, due in (
        (features.apply(v), (J @ v).view(n, k)),
        (features.adjoint(r), J.T @ r.flatten()),
        (features.matrix().flatten(0, 1), J),
        (features.select(torch.tensor([4, 1])).apply(v), (J @ v).view(n, k)[[4, 1]]),
        (by_rows(outputs, w0, v), (J @ v).view(n, k)),
    ):
        assert (found - due).abs().max() <= 1e-12 * due.abs().max()


def test_a_fused_recurrent_layer_is_differentiated_step_by_step_and_then_fused_again():
    torch.manual_seed(0)
    net, x = nn.LSTM(4, 3, batch_first=True), real(5, 2, 4).float()
    parts = dict(net.named_parameters())
    sizes = [p.numel() for p in parts.values()]

    def outputs(w):
        pairs = zip(parts.items(), w.split(sizes), strict=True)
        held = {name: part.view(p.shape) for (name, p), part in pairs}
        return torch.func.functional_call(net, held, (x,))[0][:, -1]

    w0 = torch.cat([p.detach().reshape(-1) for p in parts.values()])
    v = real(len(w0)).float()
    found, due = twice_backwards(outputs, w0, v), by_rows(outputs, w0, v)
    assert (found - due).abs().max() <= 1e-5 * due.abs().max()
    assert torch.backends.mkldnn.enabled and torch.backends.cudnn.enabled


@pytest.mark.parametrize("rows", [1, 4, 64])
def test_rows_in_blocks_are_single_backward_passes(rows, monkeypatch):
    monkeypatch.setattr("lazycore.engine.features.differentiated.MOST_AT_ONCE", rows)
    for name in ("LSTM", "once differentiable", "batch norm in training"):
        outputs, w0, J = function(name)
        w = w0.clone().requires_grad_()
        assert torch.allclose(rows_of(outputs(w), w), J, rtol=1e-12, atol=1e-14)


class Numpy(torch.autograd.Function):
    """z² whose backward goes through numpy, where no batch can go."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z**2

    @staticmethod
    def backward(ctx, r):
        (z,) = ctx.saved_tensors
        return torch.as_tensor(2.0 * z.detach().numpy() * r.detach().numpy())


class Largest(torch.autograd.Function):
    """The identity whose backward looks at all of r: the batched backward is another function."""

    @staticmethod
    def forward(ctx, z):
        return z.clone()

    @staticmethod
    def backward(ctx, r):
        return r * r.shape[0] / 3.0


@pytest.mark.parametrize("kind", [Numpy, Largest])
def test_rows_that_no_batch_gives_are_formed_one_by_one(kind):
    w = real(3).requires_grad_()
    J = torch.diag(2.0 * w.detach() if kind is Numpy else torch.ones(3, dtype=F64))
    assert torch.allclose(rows_of(kind.apply(w), w), J, rtol=1e-14)
    v = real(3)
    assert torch.allclose(by_rows(kind.apply, w.detach(), v), J @ v, rtol=1e-14)


@pytest.mark.parametrize("size", [1, 2, 30])
@pytest.mark.parametrize("rank", [1, 30])
def test_the_largest_ritz_value_is_the_largest_eigenvalue(size, rank):
    factor = real(size, min(size, rank))
    matrix = factor @ factor.T
    found = largest_ritz_value(lambda v: matrix @ v, size, matrix)
    assert found == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=1e-9)


def test_few_krylov_vectors_give_a_value_from_below_and_no_matrix_gives_none():
    matrix = torch.diag(torch.linspace(1.0, 2.0, 50, dtype=F64))
    values = [largest_ritz_value(lambda v: matrix @ v, 50, matrix, most=m) for m in (1, 3, 9, 50)]
    assert values == sorted(values) and values[0] < 2.0 == pytest.approx(values[-1], rel=1e-9)
    assert largest_ritz_value(torch.zeros_like, 5, matrix) == 0.0
