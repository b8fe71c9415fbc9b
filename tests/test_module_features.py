"""Features of any module found by hooks, against `torch.func.jacrev` of the whole module."""

import pytest
import torch
from torch import nn

from lazycore.engine.features.kernel import layer_kernels, tangent_kernel
from lazycore.engine.features.layers import Layered
from lazycore.engine.features.linearize import Differentiated, Explicit
from lazycore.engine.networks import module_features
from lazycore.engine.networks.module_network import ModuleNetwork

N = 5


class Residual(nn.Module):
    """A block within a block, with in-place operations."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True))
        self.shift = nn.Parameter(torch.randn(3, 1, 1))

    def forward(self, x):
        return x + self.inner(x) * self.shift


class Twice(nn.Module):
    """One layer used twice."""

    def __init__(self):
        super().__init__()
        self.first, self.again, self.last = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(torch.tanh(self.again(torch.tanh(self.again(self.first(x))))))


class Tied(nn.Module):
    """Two layers with one weight matrix."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


class WeightElsewhere(nn.Module):
    """A layer whose weights are read without the layer being called."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x))) + self.a.weight.square().sum()


class Mean(nn.Module):
    """Points that interact."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 2)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        return h - h.mean(0)


class Tokens(nn.Module):
    """Positions in the middle, and an output per point without an axis of its own."""

    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Embedding(7, 4), nn.LayerNorm(4)
        self.mix, self.out = nn.Linear(4, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.mix(self.norm(self.embed(x))))).mean(1)[:, 0]


def images(*shape):
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def conv(**options):
    out = nn.Conv2d(2, 4, 3, **options)
    return nn.Sequential(out, nn.Tanh(), nn.Flatten(), nn.LazyLinear(2)), images(2, 7, 6)


def whole_net():
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, stride=2), Residual(), nn.AvgPool2d(2), nn.Flatten(), nn.LazyLinear(3)
    )


STRUCTURED = {
    "dense": lambda: (
        (nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Linear(5, 3)),) + (images(4),)
    ),
    "no bias": lambda: (
        (nn.Sequential(nn.Linear(4, 5, bias=False), nn.Tanh(), nn.Linear(5, 1)),) + (images(4),)
    ),
    "one layer": lambda: (nn.Linear(4, 2), images(4)),
    "stride": lambda: conv(stride=2),
    "strides": lambda: conv(stride=(1, 3), padding=(2, 0)),
    "padding": lambda: conv(padding=1, bias=False),
    "same": lambda: conv(padding="same", dilation=(1, 2)),
    "even same": lambda: (
        nn.Sequential(nn.Conv2d(2, 3, (2, 4), padding="same"), nn.Flatten(), nn.LazyLinear(1)),
        images(2, 5, 5),
    ),
    "valid": lambda: conv(padding="valid"),
    "dilation": lambda: conv(dilation=2),
    "groups": lambda: conv(groups=2),
    "reflected": lambda: conv(padding=1, padding_mode="reflect"),
    "nested": lambda: (whole_net(), images(2, 9, 9)),
    "tokens": lambda: (Tokens(), torch.arange(N * 4).view(N, 4) % 7),
    "norm": lambda: (nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 2)), images(4)),
    "twice": lambda: (Twice(), images(3)),
    "batch norm, fixed": lambda: (
        nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2)).eval(),
        images(4),
    ),
}
UNSTRUCTURED = {
    "tied": lambda: (Tied(), images(4)),
    "elsewhere": lambda: (WeightElsewhere(), images(4)),
    "interacting": lambda: (Mean(), images(4)),
    "batch norm": lambda: (
        nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2)),
        images(4),
    ),
    "no layers": lambda: (nn.Sequential(nn.LayerNorm(4), nn.PReLU()), images(4)),
}


def built(make):
    """Return the network, its weights, the points, and the oracle's Jacobian (n, k, p)."""
    torch.manual_seed(0)
    module, x = make()
    module = module.double()
    mode = module.training
    with torch.no_grad():
        module.eval()(x)
    module.train(mode)
    network = ModuleNetwork(module)
    w = network.weights() + 0.1
    return network, w, x, torch.func.jacrev(lambda u: network(u, x))(w)


def close(a, b):
    return a.shape == b.shape and bool((a - b).abs().max() <= 1e-12 * b.abs().max())


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", [*STRUCTURED, *UNSTRUCTURED])
def test_features_of_a_module_are_its_explicit_jacobian(name):
    network, w, x, j = built((STRUCTURED | UNSTRUCTURED)[name])
    features = network.features(w, x)
    assert isinstance(features, Layered) == (name in STRUCTURED)
    n, k, p = features.shape
    assert features.shape == j.shape and close(features.matrix(), j)
    generator = torch.Generator().manual_seed(1)
    v = torch.randn(p, generator=generator, dtype=torch.float64)
    r = torch.randn(n, k, generator=generator, dtype=torch.float64)
    assert close(features.apply(v), j @ v)
    assert close(features.adjoint(r), torch.einsum("nk,nkp->p", r, j))
    flat = j.flatten(0, 1)
    assert close(tangent_kernel(features), flat @ flat.T)
    batch = torch.tensor([3, 1])
    assert close(features.select(batch).matrix(), j[batch])


@pytest.mark.parametrize("name", ["dense", "stride", "nested", "tokens", "norm"])
def test_kernels_between_two_sets_of_points_add_up_layer_by_layer(name):
    network, w, x, j = built(STRUCTURED[name])
    other = x[[2, 0]] if x.dtype == torch.long else x[[2, 0]] ** 2
    j2 = torch.func.jacrev(lambda u: network(u, other))(w)
    features, second = network.features(w, x), network.features(w, other)
    wanted = j.flatten(0, 1) @ j2.flatten(0, 1).T
    assert close(tangent_kernel(features, second), wanted)
    assert close(tangent_kernel(features, second, limit=1000), wanted)
    kernels = layer_kernels(features, second)
    assert close(torch.stack(list(kernels.values())).sum(0), wanted)
    for number, block in enumerate(network.blocks):
        own = j[..., block.slice].flatten(0, 1) @ j2[..., block.slice].flatten(0, 1).T
        if block.layer in kernels:
            assert close(kernels[block.layer], own)
        assert number < len(network.blocks)


def test_layers_go_by_the_names_of_the_module():
    network, w, x, _ = built(STRUCTURED["nested"])
    names = list(layer_kernels(network.features(w, x)))
    assert names == ["0", "1.shift", "1.inner.0", "4"]
    single = ModuleNetwork(nn.Linear(4, 2)).features(torch.ones(10), torch.ones(3, 4))
    assert list(layer_kernels(single)) == ["weight"]


def test_frozen_parameters_are_left_out():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    module[0].weight.requires_grad_(False)
    module[2].bias.requires_grad_(False)
    network, x = ModuleNetwork(module), images(4)
    w = network.weights()
    features = network.features(w, x)
    assert isinstance(features, Layered) and network.structured
    assert features.names == ("0.bias", "2.weight")
    assert close(features.matrix(), torch.func.jacrev(lambda u: network(u, x))(w))


def test_a_module_is_structured_where_all_its_weights_are_in_layers():
    for name, wanted in (("dense", True), ("stride", True), ("norm", False), ("tied", False)):
        assert built((STRUCTURED | UNSTRUCTURED)[name])[0].structured is wanted


def test_features_are_found_under_no_grad_and_leave_no_trace():
    network, w, x, j = built(STRUCTURED["nested"])
    with torch.no_grad():
        features = network.features(w, x)
    assert close(features.matrix(), j) and not features.matrix().requires_grad
    assert all(not m._forward_hooks for m in network.module.modules())
    assert all(p.grad is None for p in network.module.parameters())


def test_a_hook_is_taken_away_when_the_module_fails():
    network = ModuleNetwork(nn.Sequential(nn.Linear(4, 2), nn.Linear(3, 1)).double())
    with pytest.raises(RuntimeError):
        network.features(network.weights(), images(4))
    assert all(not m._forward_hooks for m in network.module.modules())


def test_what_would_take_too_much_memory_is_differentiated(monkeypatch):
    network, w, x, j = built(STRUCTURED["stride"])
    monkeypatch.setattr(module_features, "LARGEST_FACTORS", 1000)
    assert isinstance(network.features(w, x), Explicit)
    monkeypatch.setattr("lazycore.engine.networks.module_network.LARGEST_MATRIX", 10)
    features = network.features(w, x)
    assert isinstance(features, Differentiated) and features.shape == j.shape
    flat = j.flatten(0, 1)
    for limit in (2**20, 3000, 1):
        assert close(tangent_kernel(features, limit=limit), flat @ flat.T)


def test_the_check_finds_wrong_features(monkeypatch):
    network, w, x, j = built(STRUCTURED["dense"])
    honest = module_features.Watched.factors

    def wrong(self):
        inputs, signals = honest(self)
        return inputs, 1.001 * signals

    monkeypatch.setattr(module_features.Watched, "factors", wrong)
    features = network.features(w, x)
    assert isinstance(features, Explicit) and close(features.matrix(), j)


def test_single_precision_is_checked_to_its_own_rounding():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(40, 300), nn.Tanh(), nn.Linear(300, 1))
    x = torch.randn(50, 40)
    features = ModuleNetwork(module).features(ModuleNetwork(module).weights(), x)
    assert isinstance(features, Layered) and features.like.dtype == torch.float32
