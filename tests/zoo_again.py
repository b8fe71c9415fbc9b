"""Modules that are read again in backward, and gradients that are not derivatives."""

import torch
import torch.nn.functional as F
from module_row import (
    F64,
    Made,
    either,
    linear,
    right,
    small,
)
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


def body(m, h):
    return torch.tanh(m.b(torch.tanh(m.a(h))))


def checkpointed(**options):
    return lambda: small(
        lambda m, x: m.o(checkpoint(lambda h: body(m, h), torch.tanh(m.c(x)), **options))[:, 0],
        b=linear(5, 5),
        c=linear(4, 4),
    )


def nested_checkpoint():
    def inner(m, h):
        return checkpoint(lambda z: torch.tanh(m.b(z)), torch.tanh(m.a(h)), use_reentrant=False)

    return small(
        lambda m, x: m.o(checkpoint(lambda h: inner(m, h), x, use_reentrant=False)), b=linear(5, 5)
    )


def checkpoint_with_keywords():
    def scaled(m, h, *, scale):
        return scale * body(m, h)

    return small(
        lambda m, x: m.o(checkpoint(scaled, m, x, scale=2.0, use_reentrant=False)), b=linear(5, 5)
    )


def checkpointed_sequence():
    layers = nn.Sequential(linear(4, 5), nn.Tanh(), linear(5, 5), nn.Tanh(), linear(5, 5))
    return Made(
        lambda m, x: m.o(checkpoint_sequential(m.layers, 2, x, use_reentrant=False)),
        layers=layers,
        o=linear(5, 1),
    )


class ReadsAgain(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, module):
        ctx.module = module
        ctx.save_for_backward(x)
        return x @ weight.T

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g @ ctx.module.weight, g.T @ x, None


def backward_reads_the_module():
    return small(
        lambda m, x: m.o(torch.tanh(ReadsAgain.apply(torch.tanh(m.b(x)), m.a.weight, m.a))),
        b=linear(4, 4),
    )


def saved_tensor_hooks():
    def computed(m, x):
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            return m.o(torch.tanh(m.a(x)))

    return small(computed)


def saved_on_cpu():
    def computed(m, x):
        with torch.autograd.graph.save_on_cpu():
            return m.o(torch.tanh(m.a(x)))

    return small(computed)


def cache_of_the_first_pass():
    def computed(m, x):
        if m.cache is None:
            m.cache = 2.0 * m.a.weight
        return m.o(torch.tanh(F.linear(x, m.cache)))

    m = small(computed)
    m.cache = None
    return m


def cache_of_each_pass():
    def computed(m, x):
        m.cache = 2.0 * m.a.weight
        return m.o(torch.tanh(F.linear(x, m.cache)))

    return small(computed)


def gradient_inside():
    def computed(m, x):
        energy = lambda z: m.o(torch.tanh(m.a(z))).sum()  # noqa: E731
        return torch.func.grad(energy)(x)

    return small(computed)


def called_functionally():
    def computed(m, x):
        new = {"weight": m.a.weight.tanh(), "bias": m.a.bias}
        return m.o(torch.tanh(torch.func.functional_call(m.a, new, (x,))))

    return small(computed)


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -0.5 * g


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return (4.0 * x).round() / 4.0

    @staticmethod
    def backward(ctx, g):
        return g


def halved_by_a_hook(m, x):
    h = torch.tanh(m.a(x))
    if h.requires_grad:
        h.register_hook(lambda g: 0.5 * g)
    return m.o(h)


AGAIN = [
    right(2, "checkpoint", checkpointed(use_reentrant=False), alpha=0.5, step_size=0.1),
    right(2, "checkpoint, reentrant", checkpointed(use_reentrant=True)),
    right(
        2,
        "checkpoint without random states",
        checkpointed(use_reentrant=False, preserve_rng_state=False),
        zero_output="none",
    ),
    right(2, "checkpoint inside checkpoint", nested_checkpoint),
    right(2, "checkpoint with keywords", checkpoint_with_keywords),
    right(2, "checkpointed sequence", checkpointed_sequence),
    right(2, "backward that reads the module again", backward_reads_the_module),
    right(2, "saved tensors through hooks", saved_tensor_hooks),
    right(2, "saved tensors on the CPU", saved_on_cpu),
    right(
        2,
        "scale from the detached weight",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x)) / m.a.weight.detach().norm())),
    ),
    either(
        2,
        "scale from the data of the weight",
        r"\.data|detach",
        lambda: small(lambda m, x: m.o(torch.tanh(m.a(x)) / m.a.weight.data.norm())),
    ),
    either(
        2, "cache of the first pass", "pass|stores|keeps|changes|state", cache_of_the_first_pass
    ),
    right(2, "cache of each pass", cache_of_each_pass),
    right(2, "torch.func.grad inside", gradient_inside, y=lambda: torch.randn(6, 4, dtype=F64)),
    right(
        2,
        "torch.func.vmap inside",
        lambda: small(lambda m, x: torch.func.vmap(lambda z: m.o(torch.tanh(m.a(z))))(x)),
    ),
    right(2, "functional_call inside", called_functionally),
    either(
        2,
        "gradient reversal",
        "gradient|derivative|backward",
        lambda: small(lambda m, x: m.o(torch.tanh(Reversed.apply(m.a(x))))),
    ),
    either(
        2,
        "straight-through rounding",
        "gradient|derivative|backward",
        lambda: small(lambda m, x: m.o(StraightThrough.apply(torch.tanh(m.a(x))))),
    ),
    either(
        2,
        "hook that halves a gradient",
        "gradient|derivative|hook",
        lambda: small(halved_by_a_hook),
    ),
]
