"""Features of one layer, with or without positions, against the Jacobian of the layer itself."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from lazycore.engine.features import gram
from lazycore.engine.features.features import form_kernel
from lazycore.engine.features.kernel import layer_kernels, tangent_kernel
from lazycore.engine.features.layers import Layer, Layered
from lazycore.engine.features.linearize import Explicit, Joined
from lazycore.machine import blas

CASES = list(itertools.product((1, 6), (1, 3), (False, True)))


def draw(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def layer(positions: int, k: int, bias: bool, n: int = 7, seed: int = 0) -> Layer:
    return Layer(draw(seed, n, positions, 4), draw(seed + 1, n, k, positions, 3), bias)


def jacobian(features: Layer) -> torch.Tensor:
    """Return the derivative of Σ_p D_p · (W A_p + b) with respect to (W, b), (n, k, p)."""
    a, d = features.inputs, features.signals

    def outputs(w: torch.Tensor) -> torch.Tensor:
        z = F.linear(a, w[:12].view(3, 4), w[12:] if features.bias else None)
        return torch.einsum("nkpo,npo->nk", d, z)

    return torch.func.jacrev(outputs)(torch.zeros(12 + 3 * features.bias, dtype=torch.float64))


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() <= 1e-12 * b.abs().max())


@pytest.mark.parametrize(("positions", "k", "bias"), CASES)
def test_a_layer_is_its_explicit_jacobian(positions, k, bias):
    features = layer(positions, k, bias)
    j = jacobian(features)
    n, k, p = features.shape
    v, r = draw(5, p), draw(6, n, k)
    assert j.shape == (n, k, p) and close(features.matrix(), j)
    assert close(features.apply(v), j @ v)
    assert close(features.adjoint(r), torch.einsum("nk,nkp->p", r, j))
    several = draw(7, 2, 3, n, k)
    assert close(features.adjoint(several), torch.einsum("abnk,nkp->abp", several, j))
    chosen = features.select(torch.tensor([4, 0, 4]))
    assert close(chosen.matrix(), j[[4, 0, 4]])
    assert close(features.kernel(), torch.einsum("nkp,mlp->nkml", j, j))


@pytest.mark.parametrize(("positions", "k", "bias"), CASES)
@pytest.mark.parametrize("way", ["contract_grams", "multiply_rows"])
@pytest.mark.parametrize("limit", [gram.LIMIT, 1000, 1])
def test_both_ways_to_form_a_kernel_agree_with_the_jacobian(positions, k, bias, way, limit):
    first, second = layer(positions, k, bias), layer(positions, k, bias, n=5, seed=9)
    j, j2 = (jacobian(f).flatten(0, 1) for f in (first, second))
    for other, wanted in ((None, j @ j.T), (second, j @ j2.T)):
        total = torch.ones_like(wanted)
        getattr(first, way)(total, other, limit)
        if other is None:
            gram.mirror(total)
        assert close(total - 1.0, wanted) or close(total, wanted + 1.0)


def test_the_cheaper_way_is_the_one_with_fewer_multiply_adds():
    wide = Layer(draw(0, 3, 1, 500), draw(1, 3, 1, 1, 500))
    assert wide.costs()[0] < wide.costs()[1]
    small = Layer(draw(0, 50, 64, 9), draw(1, 50, 1, 64, 4))
    assert small.costs()[1] < small.costs()[0]
    last = Layer(draw(0, 500, 1, 500), draw(1, 500, 1, 1, 1))
    assert last.costs()[1] < last.costs()[0]


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numpy_and_torch_form_the_same_kernel(monkeypatch, single, dtype):
    monkeypatch.setattr(blas, "numpy_serves", lambda tensor: single)
    monkeypatch.setattr(gram, "TILE", 4)
    first, second = layer(2, 2, True), layer(2, 2, True, n=5, seed=9)
    low = [Layer(f.inputs.to(dtype), f.signals.to(dtype), f.bias) for f in (first, second)]
    found = tangent_kernel(low[0], low[1])
    wanted = tangent_kernel(first, second)
    assert found.dtype == dtype
    assert float((found - wanted).abs().max()) <= 50 * torch.finfo(dtype).eps * wanted.abs().max()


@pytest.mark.parametrize("limit", [gram.LIMIT, 5000, 1])
@pytest.mark.parametrize("side", [3, 512])
def test_layers_side_by_side_add_up_within_any_limit(monkeypatch, limit, side):
    monkeypatch.setattr(gram, "TILE", side)
    explicit = [Explicit(draw(s, n, 2, 5)) for s, n in ((20, 7), (21, 4))]
    both = [
        Layered((layer(6, 2, True, n, s), layer(1, 2, False, n, s + 2), e), ("a", "b", "c"))
        for (s, n), e in zip(((0, 7), (10, 4)), explicit, strict=True)
    ]
    j, j2 = (f.matrix().flatten(0, 1) for f in both)
    assert close(tangent_kernel(both[0], limit=limit), j @ j.T)
    assert close(tangent_kernel(both[0], both[1], limit), j @ j2.T)
    for other, total in ((None, j @ j.T), (both[1], j @ j2.T)):
        kernels = layer_kernels(both[0], other, limit)
        assert list(kernels) == ["a", "b", "c"]
        assert close(torch.stack(list(kernels.values())).sum(0), total)
        start = 0
        for kernel, part in zip(kernels.values(), both[0].parts, strict=True):
            own = slice(start, start := start + part.shape[2])
            second = j if other is None else j2
            assert close(kernel, j[:, own] @ second[:, own].T)


def test_features_of_different_kinds_give_one_kernel():
    first, second = Layered((layer(6, 2, True),)), layer(6, 2, True, n=5, seed=9)
    j, j2 = first.matrix().flatten(0, 1), second.matrix().flatten(0, 1)
    forms = [Layered((second,)), Explicit(second.matrix()), Layered((Explicit(second.matrix()),))]
    for other in forms:
        for limit in (gram.LIMIT, 500):
            assert close(form_kernel(first, other, limit), j @ j2.T)
            assert close(form_kernel(other, first, limit), j2 @ j.T)
    pair, split = Joined(first, first, 15), first.shape[2]
    assert split == 15 and pair.shape == (7, 2, 30)
    assert close(form_kernel(pair, Explicit(pair.matrix()), 500), 2.0 * j @ j.T)
    kernels = layer_kernels(pair)
    assert list(kernels) == ["layer 1"] and close(kernels["layer 1"], 2.0 * j @ j.T)
    assert list(layer_kernels(Explicit(first.matrix()))) == ["all"]


SAME = {
    "inputs": lambda a, b: (a, Layer(a.inputs, b.signals, a.bias)),
    "signals": lambda a, b: (a, Layer(b.inputs, a.signals, a.bias)),
    "both": lambda a, b: (a, a),
    "nothing": lambda a, b: (a, b),
}


@pytest.mark.parametrize("limit", [gram.LIMIT, 1000])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("first", SAME)
@pytest.mark.parametrize("second", SAME)
def test_copies_that_share_more_on_some_points_than_on_others_have_one_kernel(
    first, second, k, bias, limit
):
    """All units of a layer may be dead in both copies on the test points and not elsewhere."""
    sets = []
    for n, same, seed in ((7, first, 1), (5, second, 3)):
        drawn = [layer(1, k, bias, n=n, seed=seed + i) for i in range(4)]
        parts = [SAME[same](*drawn[:2]), SAME[same](*drawn[2:])]
        copies = [Layered(tuple(part[i] for part in parts), ("a", "b")) for i in (0, 1)]
        sets.append(Joined(*copies, copies[0].shape[2]))
    j, j2 = (one.matrix().flatten(0, 1) for one in sets)
    assert close(form_kernel(sets[0], sets[1], limit), j @ j2.T)
    assert close(form_kernel(sets[1], sets[0], limit), j2 @ j.T)
    assert close(form_kernel(sets[0], None, limit), j @ j.T)
    kernels = layer_kernels(sets[0], sets[1], limit)
    assert list(kernels) == ["a", "b"] and close(sum(kernels.values()), j @ j2.T)


def test_a_symmetric_kernel_is_symmetric_to_the_last_digit():
    kernel = tangent_kernel(Layered((layer(1, 1, True, n=600), layer(6, 1, False, n=600))))
    assert torch.equal(kernel, kernel.T)
