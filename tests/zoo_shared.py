"""Modules whose layers or weights are shared."""

import torch
import torch.nn.functional as F
from module_row import (
    F64,
    Made,
    classes,
    either,
    linear,
    parameter,
    refused,
    right,
    small,
    stack,
    tokens,
)
from torch import nn
from torch.nn.utils import parametrize


def one_layer_under_two_names():
    one = linear(4, 4)
    a, b = stack(one, nn.Tanh()), stack(one, nn.Tanh())
    return Made(lambda m, x: m.o(m.b(m.a(x))), a=a, b=b, o=linear(4, 1))


def one_parameter_in_two_layers():
    m = small(lambda m, x: m.o(torch.tanh(m.b(torch.tanh(m.a(x))))), m=4, b=linear(4, 4))
    m.b.weight = m.a.weight
    return m


def three_aliases_one_of_them_frozen():
    m = small(lambda m, x: m.o(torch.tanh(m.b(m.c(m.a(x))))), m=4, b=linear(4, 4), c=linear(4, 4))
    m.b.weight = m.c.weight = m.a.weight
    m.b.bias = m.c.bias
    m.c.bias.requires_grad_(False)
    return m


def tied_embeddings():
    m = Made(
        lambda m, x: m.o(torch.tanh(m.e(x).mean(1))), e=nn.Embedding(7, 4), o=linear(4, 7)
    ).double()
    m.o.weight = m.e.weight
    return m


def one_layer_twice_in_a_sequence():
    one = linear(4, 4)
    return nn.Sequential(one, nn.Tanh(), one, nn.Tanh(), linear(4, 1))


def one_layer_twice_in_a_list():
    one = linear(4, 4)
    return Made(
        lambda m, x: m.o(torch.tanh(m.all[1](torch.tanh(m.all[0](x))))),
        all=nn.ModuleList([one, one]),
        o=linear(4, 1),
    )


def shared_across_nested_sequences():
    one = stack(linear(4, 4), nn.Tanh())
    return nn.Sequential(one, nn.Sequential(one, nn.Sequential(one, linear(4, 1))))


def shared_batch_norm():
    norm = nn.BatchNorm1d(5).double()
    return nn.Sequential(linear(4, 5), norm, nn.Tanh(), linear(5, 5), norm, linear(5, 1))


class Symmetric(nn.Module):
    def forward(self, w):
        return w + w.T


def parametrised_weight_shared_with_a_plain_one():
    m = one_parameter_in_two_layers()
    parametrize.register_parametrization(m.a, "weight", Symmetric())
    return m


def module_in_its_own_list_of_children():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x))))
    m.all = nn.ModuleList([m.a])
    m.all.append(m)
    return m


def buffer_that_is_a_view_of_a_weight():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x))) + x @ m.view.sum(0)[:, None])
    m.register_buffer("view", m.a.weight.detach()[:2])
    return m


def one_parameter_under_two_names_of_one_layer():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x) * m.v + m.w)), v=parameter(5))
    m.w = m.v
    return m


def transposed_weight_of_another_layer():
    return Made(lambda m, x: F.linear(torch.tanh(m.a(x)), m.a.weight.t()), a=linear(4, 5))


def layer_kept_in_a_plain_list_too():
    m = small(lambda m, x: m.o(torch.tanh(m.all[0](x))))
    m.all = [m.a]
    return m


def layer_through_a_property():
    class Through(Made):
        @property
        def weight(self):
            return self.a.weight

    return Through(
        lambda m, x: m.o(torch.tanh(F.linear(x, m.weight, m.a.bias))),
        a=linear(4, 5),
        o=linear(5, 1),
    )


SHARED = [
    right(1, "one layer under two names", one_layer_under_two_names),
    right(1, "the same, its outputs kept", one_layer_under_two_names, zero_output="none"),
    right(1, "two copies of it", one_layer_under_two_names, zero_output="symmetrized"),
    right(1, "one parameter in two layers", one_parameter_in_two_layers),
    right(1, "three aliases with a frozen bias", three_aliases_one_of_them_frozen),
    right(1, "tied embeddings", tied_embeddings, x=tokens(), y=classes(of=7), loss="cross_entropy"),
    right(1, "one layer twice in a sequence", one_layer_twice_in_a_sequence),
    right(1, "one layer twice in a list", one_layer_twice_in_a_list),
    right(1, "shared across nested sequences", shared_across_nested_sequences),
    right(1, "shared batch norm, eval", lambda: shared_batch_norm().eval()),
    right(1, "shared batch norm, train", shared_batch_norm),
    right(1, "parametrisation over a shared weight", parametrised_weight_shared_with_a_plain_one),
    either(
        1,
        "module in its own list of children",
        "itself|cycle|own child",
        module_in_its_own_list_of_children,
    ),
    refused(
        1,
        "buffer that is a view of a weight",
        "memory|storage|share|view",
        buffer_that_is_a_view_of_a_weight,
    ),
    right(1, "one parameter, two names, one layer", one_parameter_under_two_names_of_one_layer),
    right(
        1,
        "transposed weight of another layer",
        transposed_weight_of_another_layer,
        y=lambda: torch.randn(6, 4, dtype=F64),
    ),
    right(1, "layer kept in a plain list too", layer_kept_in_a_plain_list_too),
    right(1, "weight read through a property", layer_through_a_property),
]
