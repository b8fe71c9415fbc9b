"""Modules with parameters of every shape and kind."""

import torch
from module_row import (
    F64,
    Made,
    either,
    linear,
    parameter,
    points,
    refused,
    right,
    small,
    stack,
    tokens,
)
from torch import nn
from torch.nn.utils import parametrizations, prune


def scaled(m, x):
    return m.o(torch.tanh(m.a(x))) * m.s.exp()


def frozen(*names):
    def build():
        m = small(lambda m, x: m.o(torch.tanh(m.a(x))))
        for name, p in m.named_parameters():
            p.requires_grad_(name not in names)
        return m

    return build


def not_contiguous():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x))))
    m.a.weight = nn.Parameter(torch.randn(4, 5, dtype=F64).t())
    return m


def buffer_that_requires_grad():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x)) * m.b))
    m.register_buffer("b", torch.randn(5, dtype=F64, requires_grad=True))
    return m


def listed():
    return Made(
        lambda m, x: torch.tanh(x @ m.all[0] + m.all[1]) @ m.all[2],
        all=nn.ParameterList([parameter(4, 5), parameter(5), parameter(5, 1)]),
    )


def named():
    return Made(
        lambda m, x: torch.tanh(x @ m.all["first-layer"]) @ m.all["weight"],
        all=nn.ParameterDict({"first-layer": parameter(4, 5), "weight": parameter(5, 1)}),
    )


def on_first(change):
    return lambda: stack(change(linear(4, 5)), nn.Tanh(), linear(5, 1))


def embedded(**options):
    return lambda: stack(nn.Embedding(7, 4, **options), nn.Flatten(), nn.Linear(12, 1))


def fourier():
    w = nn.Parameter(torch.randn(4, 1, dtype=torch.complex128))
    return Made(lambda m, x: (x.to(w.dtype) @ m.w).abs(), w=w)


def fourier_of_pairs():
    w = nn.Parameter(torch.view_as_real(fourier().w.detach()).clone())
    return Made(lambda m, x: (x.to(torch.complex128) @ torch.view_as_complex(m.w)).abs(), w=w)


def pruned():
    m = stack(linear(4, 5), nn.Tanh(), linear(5, 1))
    prune.l1_unstructured(m[0], "weight", 0.3)
    return m


def quantised():
    m = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1))
    return torch.ao.quantization.quantize_dynamic(m, {nn.Linear}, dtype=torch.qint8)


def not_finite():
    m = stack(linear(4, 5), nn.Tanh(), linear(5, 1))
    with torch.no_grad():
        m[0].weight[0, 0] = float("nan")
    return m


def of_integers():
    index = nn.Parameter(torch.tensor([3, 1, 0, 2]), requires_grad=False)
    return small(lambda m, x: m.o(torch.tanh(m.a(x[:, m.index]))), index=index)


def empty_layer():
    return small(lambda m, x: m.o(torch.cat([torch.tanh(m.a(x)), m.e(x)], 1)), e=linear(4, 0))


SPARSE = r"sparse"
PARAMETERS = [
    right(5, "a parameter without dimensions", lambda: small(scaled, s=parameter())),
    right(
        5, "the same, two copies", lambda: small(scaled, s=parameter()), zero_output="symmetrized"
    ),
    right(
        5,
        "only a parameter without dimensions",
        lambda: Made(lambda m, x: torch.sin(m.s * x[:, 0]), s=parameter()),
    ),
    right(5, "a parameter of one element", lambda: small(scaled, s=parameter(1))),
    right(
        5,
        "a parameter of no element",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x))) + m.e.sum(), e=parameter(0, 3)),
    ),
    right(5, "a layer of no unit", empty_layer),
    right(
        5,
        "a parameter that is not used",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x))), e=parameter(3)),
    ),
    right(5, "a complex parameter", fourier, twin=fourier_of_pairs),
    right(5, "a frozen layer", frozen("a.weight", "a.bias")),
    right(5, "a frozen bias", frozen("o.bias")),
    refused(
        5,
        "all frozen",
        "requires_grad|frozen|parameter",
        frozen("a.weight", "a.bias", "o.weight", "o.bias"),
    ),
    refused(5, "no parameter", "parameter", lambda: Made(lambda m, x: x.sum(1).tanh())),
    right(5, "a weight that is not contiguous", not_contiguous),
    right(5, "a buffer that requires a gradient", buffer_that_requires_grad),
    right(5, "a list of parameters", listed),
    right(5, "a dict of parameters", named),
    right(5, "an index that is a Parameter", of_integers),
    right(5, "old weight norm", on_first(nn.utils.weight_norm)),
    right(
        5, "old weight norm, two copies", on_first(nn.utils.weight_norm), zero_output="symmetrized"
    ),
    right(5, "weight norm", on_first(parametrizations.weight_norm)),
    right(5, "spectral norm, eval", lambda: on_first(parametrizations.spectral_norm)().eval()),
    right(5, "old spectral norm, eval", lambda: on_first(nn.utils.spectral_norm)().eval()),
    right(
        5,
        "orthogonal weight",
        lambda: stack(parametrizations.orthogonal(linear(4, 4)), nn.Tanh(), linear(4, 1)),
    ),
    right(5, "pruned weight", pruned),
    refused(5, "lazy layer", "pass|initiali[sz]ed|Lazy", lambda: nn.LazyLinear(1, dtype=F64)),
    refused(
        5, "quantised", "parameter|quantised|quantized", quantised, x=lambda: torch.randn(6, 4)
    ),
    right(5, "embedding", embedded(), x=tokens()),
    right(5, "embedding with padding", embedded(padding_idx=0), x=tokens()),
    either(5, "sparse embedding", SPARSE, embedded(sparse=True), x=tokens()),
    refused(5, "embedding with a largest norm", "max_norm", embedded(max_norm=1.0), x=tokens()),
    either(
        5,
        "embedding by frequency",
        "scale_grad_by_freq",
        embedded(scale_grad_by_freq=True),
        x=tokens(),
    ),
    refused(5, "weights without numbers", "meta", lambda: nn.Linear(4, 1, device="meta")),
    either(
        5,
        "sparse points",
        "sparse|dense",
        lambda: stack(linear(4, 5), nn.Tanh(), linear(5, 1)),
        x=lambda: points()().to_sparse(),
    ),
    refused(5, "a weight that is NaN", "finite|NaN|nan", not_finite),
]
