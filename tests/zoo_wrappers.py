"""Modules that are wrapped, hooked, or not to be copied."""

import contextlib
import threading

import torch
from module_row import F64, Made, either, linear, parameter, points, refused, right, small, stack
from torch import nn
from torch.nn.utils import parametrize

FILM: list[int] = []


def net():
    return stack(linear(4, 5), nn.Tanh(), linear(5, 1))


class Called(Made):
    def __call__(self, x):
        return 3.0 * super().__call__(x)


def ordinary(m, x):
    return m.o(torch.tanh(m.a(x)))


def hooked(register):
    """Return a module to which `register(m)` has added hooks."""

    def build():
        m = small(ordinary)
        register(m)
        return m

    return build


def doubling(m):
    m.a.register_forward_hook(lambda layer, i, o: 2.0 * o)


def doubled_inputs(m):
    m.o.register_forward_pre_hook(lambda layer, i: (2.0 * i[0],))


def watched(m):
    m.a.register_full_backward_hook(lambda layer, gi, go: None)
    m.o.register_full_backward_pre_hook(lambda layer, go: None)


def halved(m):
    m.a.register_full_backward_hook(
        lambda layer, gi, go: tuple(None if g is None else 0.5 * g for g in gi)
    )


def masked(m):
    m.a.weight.register_hook(lambda g: g * 0.5)


def accumulated(m):
    m.a.weight.register_post_accumulate_grad_hook(lambda p: FILM.append(1))


def saved(m):
    m.register_state_dict_pre_hook(lambda module, prefix, keep: None)
    m.register_load_state_dict_post_hook(lambda module, keys: None)


def filmed(m):
    m.a.register_forward_hook(lambda layer, i, o: m.film.append(o.detach().norm()))
    m.film = []


class Slots(Made):
    __slots__ = ("extra",)


class ReadOnly(Made):
    @property
    def width(self):
        return self.a.weight.shape[0]


class NotCopied(Made):
    def __deepcopy__(self, memo):
        raise TypeError("this module is not to be copied")


class Odd(nn.Parameter):
    """A weight with a type of its own."""


class Named(Made):
    def __getattr__(self, name):
        return super().__getattr__("a" if name == "first" else name)


def holding(make):
    def build():
        m = small(ordinary)
        m.held = make(m)
        return m

    return build


def used_once():
    def computed(m, x):
        m.last = torch.tanh(m.a(x))
        return m.o(m.last)

    m = small(computed)
    m(torch.randn(3, 4, dtype=F64)).sum().backward()
    return m


def stale_grads():
    m = small(ordinary)
    ordinary(m, torch.randn(3, 4, dtype=F64)).sum().backward()
    return m


def listing(m, x):
    m.film.append(len(x))
    return ordinary(m, x)


def with_list():
    m = small(listing)
    m.film = []
    return m


def elsewhere(m, x):
    FILM.append(len(x))
    return ordinary(m, x)


def replaced_forward():
    m = net()
    m.forward = lambda x: m[2](torch.sin(m[0](x)))
    return m


def of_own_type():
    m = small(lambda m, x: m.o(torch.tanh(x @ m.w)))
    m.w = Odd(torch.randn(4, 5, dtype=F64))
    return m


def expanded():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x)) * m.s))
    m.s = nn.Parameter(torch.ones(1, dtype=F64).expand(5))
    return m


def not_expanded():
    m = expanded()
    m.s = nn.Parameter(m.s.detach().clone())
    return m


def two_views_of_one_memory():
    memory = torch.randn(10, dtype=F64)
    return small(
        lambda m, x: m.o(torch.tanh(m.a(x)) * m.p + m.q),
        p=nn.Parameter(memory[:5]),
        q=nn.Parameter(memory[3:8]),
    )


def two_parts_of_one_memory():
    memory = torch.randn(10, dtype=F64)
    return small(
        lambda m, x: m.o(torch.tanh(m.a(x)) * m.p + m.q),
        p=nn.Parameter(memory[:5]),
        q=nn.Parameter(memory[5:]),
    )


def weight_that_is_not_registered():
    m = small(lambda m, x: m.o(torch.tanh(m.a(x)) * m.held["w"]))
    m.held = {"w": torch.randn(5, dtype=F64, requires_grad=True)}
    return m


def nested_modes():
    m = stack(linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.BatchNorm1d(6), linear(6, 1))
    m[1].eval()
    m[2].eval()
    return m


def made_in_inference_mode():
    with torch.inference_mode():
        return net()


def shared_memory():
    m = net()
    m.share_memory()
    return m


class Twice(nn.Module):
    def forward(self, w):
        return 2.0 * w


def parametrised():
    m = net()
    parametrize.register_parametrization(m[0], "weight", Twice())
    return m


@contextlib.contextmanager
def anomalies():
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        yield


SCRIPT = "jit|[Ss]cript|trace"
WRAPPERS = [
    right(10, "DataParallel", lambda: nn.DataParallel(net()), twin=net),
    either(10, "compiled", "compile", lambda: torch.compile(net(), backend="eager"), twin=net),
    either(10, "scripted", SCRIPT, lambda: torch.jit.script(net()), twin=net),
    either(10, "traced", SCRIPT, lambda: torch.jit.trace(net(), torch.randn(6, 4, dtype=F64))),
    right(10, "symbolically traced", lambda: torch.fx.symbolic_trace(net())),
    right(10, "__call__ of its own", lambda: Called(ordinary, a=linear(4, 5), o=linear(5, 1))),
    right(10, "forward hook that changes outputs", hooked(doubling)),
    right(10, "pre-hook that changes inputs", hooked(doubled_inputs)),
    right(10, "backward hooks that watch", hooked(watched)),
    either(10, "backward hook that changes gradients", "hook|gradient", hooked(halved)),
    either(10, "hook on a parameter", "hook|gradient", hooked(masked)),
    either(10, "hook after accumulation", "hook", hooked(accumulated)),
    right(10, "hooks of the state dict", hooked(saved)),
    right(10, "hook that films activations", hooked(filmed)),
    right(10, "slots", lambda: Slots(ordinary, a=linear(4, 5), o=linear(5, 1))),
    right(
        10,
        "a property that is read only",
        lambda: ReadOnly(lambda m, x: ordinary(m, x) / m.width, a=linear(4, 5), o=linear(5, 1)),
    ),
    right(
        10,
        "a __getattr__ of its own",
        lambda: Named(lambda m, x: m.o(torch.tanh(m.first(x))), a=linear(4, 5), o=linear(5, 1)),
    ),
    right(10, "not to be copied", lambda: NotCopied(ordinary, a=linear(4, 5), o=linear(5, 1))),
    right(10, "holds a lock", holding(lambda m: threading.Lock())),
    right(10, "holds a generator", holding(lambda m: (i for i in range(3)))),
    right(10, "holds a stale product of a weight", holding(lambda m: 2.0 * m.a.weight)),
    right(10, "holds activations of its last pass", used_once),
    right(10, "holds gradients of its last pass", stale_grads),
    right(10, "appends to a list of its own", with_list),
    right(10, "appends to a list elsewhere", lambda: small(elsewhere)),
    right(10, "forward replaced", replaced_forward),
    right(10, "a subclass of Parameter", of_own_type),
    either(
        10, "an expanded parameter", "memory|expand|contiguous|clone", expanded, twin=not_expanded
    ),
    refused(10, "two views of one memory", "memory|storage|share|overlap", two_views_of_one_memory),
    right(10, "two parts of one memory", two_parts_of_one_memory),
    right(10, "a weight that is not registered", weight_that_is_not_registered),
    right(10, "eval inside train", nested_modes),
    either(10, "made in inference mode", "inference", made_in_inference_mode, twin=net),
    right(10, "in shared memory", shared_memory),
    right(10, "parametrised", parametrised),
    right(10, "parametrised, cached", parametrised, around=parametrize.cached),
    right(10, "under anomaly detection", net, around=anomalies),
    right(10, "points that require a gradient", net, x=lambda: points()().requires_grad_(True)),
    right(10, "points that are not contiguous", net, x=lambda: points(4, 6)().T),
    right(
        10,
        "a module of modules by name",
        lambda: Made(
            lambda m, x: m.all["o"](torch.tanh(m.all["a"](x))),
            all=nn.ModuleDict({"a": linear(4, 5), "o": linear(5, 1)}),
        ),
    ),
    right(
        10,
        "a scalar that is tuned",
        lambda: small(lambda m, x: ordinary(m, x) * m.s, s=parameter(1)),
    ),
]
