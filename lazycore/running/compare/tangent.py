"""The tangent model of any torch module, itself a module, and the module's tangent kernel."""

import warnings
from collections.abc import Callable
from typing import Any, cast, overload

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from lazycore.config.spec import kind_of
from lazycore.engine.features import kernel
from lazycore.engine.features.differentiated import Differentiated, Way
from lazycore.engine.networks.held_module import HeldModule
from lazycore.errors import ConfigError
from lazycore.losses import chosen
from lazycore.running.compare.borrowed import borrowed
from lazycore.running.compare.foreign import trainable
from lazycore.running.compare.precision import held
from lazycore.running.compare.randomness import culprits

Flat = Callable[[Tensor], Tensor]
"""One vector of weights (p,) → outputs of any shape."""


class TangentModel(nn.Module):
    """h̄(w, x) of a module: made by `linearize`, trained and called like any other module.

    Its parameters have the names and shapes of the module's trained ones, and begin where those
    stand; so `load_state_dict(module.state_dict(), strict=False)` moves it to the weights of a
    trained one. What it is linearised at is a copy of its own, in the mode (`eval`, `train`) that
    the module was in.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        body, note = held(trainable(module))
        if found := culprits(body.module):
            raise ConfigError(
                f"the module draws random numbers in {found}: call module.eval() first (what is "
                "random has no linearisation)."
            )
        if note:
            warnings.warn(note, stacklevel=3)
        # Past nn.Module, which would train it too.
        self.__dict__["_anchor"], self.__dict__["_way"] = body, None
        for place in body.places:
            *owners, name = place.block.layer.split(".")
            self._owner(owners).register_parameter(
                name, nn.Parameter(place.parameter.detach().clone())
            )

    def _owner(self, names: list[str]) -> nn.Module:
        """Return the bare module of this path, made where there is none."""
        owner: nn.Module = self
        for name in names:
            if name not in owner._modules:
                owner.add_module(name, nn.Module())
            owner = owner.get_submodule(name)
        return owner

    def _weight(self, name: str) -> Tensor:
        """Return a parameter by its name, or what stands in its place (`functional_call`)."""
        *owners, last = name.split(".")
        return getattr(self._owner(owners), last)

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """Return h(w0, x) + Dh(w0, x)(w − w0), of the shape of the module's outputs.

        inputs, named: what the module is called with.
        """
        anchor: HeldModule = self.__dict__["_anchor"]
        w = torch.cat([_flat(self._weight(b.layer), anchor.dtype) for b in anchor.blocks])

        def function(at: Tensor) -> Tensor:
            anchor.hold(anchor.parts(at))
            return anchor.module(*inputs, **named)

        try:
            found, self.__dict__["_way"] = _tangent(
                function, anchor.weights(), w, self.__dict__["_way"]
            )
        finally:
            anchor.release()
        return found

    def extra_repr(self) -> str:
        """Return what it is linearised at, as `print` has it."""
        anchor: HeldModule = self.__dict__["_anchor"]
        return f"of {type(anchor.module).__name__}, {len(anchor.weights()):,} weights"

    def _apply(  # pyright: ignore[reportUnknownParameterType]  # torch's own
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> "TangentModel":
        """Move what it is linearised at along, as `to` and `double` move its parameters."""
        super()._apply(fn, recurse)  # pyright: ignore[reportUnknownMemberType]
        body: HeldModule = self.__dict__["_anchor"]
        self.__dict__["_anchor"], _ = held(body.module._apply(fn))  # pyright: ignore[reportUnknownMemberType]
        return self


@overload
def linearize(model: nn.Module) -> TangentModel: ...
@overload
def linearize(model: Callable[..., Tensor], params: Any) -> Callable[..., Tensor]: ...
def linearize(model: Any, params: Any = None) -> Any:
    r"""Return the tangent model of `model` at its weights w0: of a module a module.

        h̄(w, x) = h(w0, x) + D_w h(w0, x) · (w − w0)

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1; `linearize` of neural-tangents, Novak et
    al. 2020, arXiv:1912.02803.) It is linear in w and as nonlinear in x as h is, so whatever
    trains, measures or compares a module does the same to it.

    Args:
        model: a `torch.nn.Module`, a deterministic function of its weights (call `eval()` where it
            has dropout), with outputs of any shape; it is left as it is. Or a function
            (params, x, …) → outputs, as `torch.func` takes it.
        params: of a function, w0: a tensor, or dicts, tuples and lists of them. None of a module,
            whose present weights are w0.
    Returns a `TangentModel`: x → h̄(w, x), whose parameters w start at w0; `torch.func
    .functional_call(it, params, x)` gives it at others. Of a function, a function of the same
    arguments.
    Raises `ConfigError` for what is no such module, or draws random numbers.
    Cost: about three passes of the module, and one backward for the gradient; the first call
    compares its product with Jᵀ, in the units of the outputs.

    >>> import torch
    >>> bend = linearize(lambda w, x: (w * x).square(), torch.tensor([3.0]))
    >>> bend(torch.tensor([4.0]), torch.tensor([1.0]))
    tensor([15.])
    >>> net = torch.nn.Linear(2, 1)
    >>> tangent, x = linearize(net), torch.ones(5, 2)
    >>> torch.equal(tangent(x), net(x)), [name for name, _ in tangent.named_parameters()]
    (True, ['weight', 'bias'])
    """
    if isinstance(model, nn.Module):
        if params is not None:
            raise ConfigError(
                "params is for a function: a module is linearised at its own weights. Load others "
                "into it first, or give a function (params, x) → torch.func.functional_call(…)."
            )
        return TangentModel(model)
    if not callable(model):
        raise ConfigError(
            f"model is {kind_of(model)}: give a torch.nn.Module, or a function (params, x) "
            "with its params."
        )
    return _of_function(cast(Callable[..., Tensor], model), params)


def tangent_kernel(module: nn.Module, x: Any, x2: Any = None) -> Tensor:
    r"""Return the tangent kernel of `module` at its weights, between the points x and x2.

        Θ[i, j, c, e] = D_w h_c(x_i) · D_w h_e(x2_j),  shape (n, n', k, k)

    (Jacot, Gabriel & Hongler 2018, arXiv:1806.07572.) Plain sums over the trained weights: no α,
    no 1/n, no mean over outputs, as in neural-tangents with `trace_axes=()`. For a matrix (n·k,
    n'·k): `.permute(0, 2, 1, 3).reshape(n * k, -1)`; `.diagonal(dim1=2, dim2=3).mean(-1)` is
    neural-tangents' own (n, n').

    Args:
        module: x → (n,), which counts as k = 1, or (n, k), or (n, …, k), flattened to k outputs a
            point; a deterministic function of its weights, left as it is.
        x, x2: n and n' points: tensors, or dicts or tuples of tensors. x2 = x when None, and Θ is
            then symmetric to the last bit.
    In the dtype and on the device of the module; units of the outputs squared over those of the
    weights squared.
    Raises `ConfigError` for what is no such module, or points that it cannot take.
    Cost: six passes that ask whether the module is a function of its weights; then for dense and
    convolutional layers k backward passes and one product of matrices a layer, else n·k backward
    passes.

    >>> import torch
    >>> net = torch.nn.Linear(3, 2, bias=False)
    >>> x = torch.tensor([[1.0, 0.0, 0.0], [1.0, 2.0, 0.0]])
    >>> tangent_kernel(net, x).shape, tangent_kernel(net, x, x[:1])[1, 0]
    (torch.Size([2, 2, 2, 2]), tensor([[1., 0.],
            [0., 1.]]))
    """
    sets = {"x": x} if x2 is None or x2 is x else {"x": x, "x2": x2}
    with borrowed(module, sets, chosen("square", {})) as found:
        for note in found.notes:
            warnings.warn(note, stacklevel=2)
        network, w0 = found.network, found.network.held.weights()
        first = network.features(w0, network.rows(0))
        second = network.features(w0, network.rows(1)) if len(sets) > 1 else None
        formed = kernel.tangent_kernel(first, second)
    n, k, _ = first.shape
    return formed.view(n, k, -1, k).permute(0, 2, 1, 3)


def _of_function(function: Callable[..., Tensor], params: Any) -> Callable[..., Tensor]:
    leaves, spec = pytree.tree_flatten(params)
    if not leaves or not all(isinstance(leaf, Tensor) for leaf in leaves):
        raise ConfigError(
            "params must be the tensors that the function is linearised at: a tensor, or dicts, "
            "tuples and lists of tensors."
        )
    w0 = torch.cat([leaf.detach().reshape(-1) for leaf in leaves])
    ways: list[Way] = []

    def tangent(moved: Any, *inputs: Any, **named: Any) -> Tensor:
        given, other = pytree.tree_flatten(moved)
        if other != spec or [g.shape for g in given] != [leaf.shape for leaf in leaves]:
            raise ConfigError("these params are not built like those of the linearisation.")

        def at(w: Tensor) -> Tensor:
            sizes = [leaf.numel() for leaf in leaves]
            parts = cast(tuple[Tensor, ...], w.split(sizes))  # pyright: ignore[reportUnknownMemberType]
            shaped = [p.view(leaf.shape) for p, leaf in zip(parts, leaves, strict=True)]
            return function(pytree.tree_unflatten(shaped, spec), *inputs, **named)

        w = torch.cat([leaf.reshape(-1) for leaf in given])
        found, way = _tangent(at, w0, w, ways[0] if ways else None)
        ways[:] = [way]
        return found

    return tangent


def _tangent(function: Flat, w0: Tensor, w: Tensor, way: Way | None) -> tuple[Tensor, Way]:
    """Return h(w0) + Dh(w0)(w − w0), with the graph of w, and how the product was formed."""

    def row(at: Tensor) -> Tensor:
        return function(at).reshape(1, -1)

    wanted = torch.is_grad_enabled()
    with torch.enable_grad():
        way = way or Differentiated(row, w0).way
        start = function(w0)
        found = start + way(row, w0, w - w0).view(start.shape)
    return (found if wanted else found.detach()), way


def _flat(parameter: Tensor, dtype: torch.dtype | None) -> Tensor:
    numbers = torch.view_as_real(parameter) if parameter.is_complex() else parameter
    return numbers.reshape(-1).to(dtype or numbers.dtype)
