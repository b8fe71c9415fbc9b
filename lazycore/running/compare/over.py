"""Many comparisons of one module: over α, over initial weights, over its width."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pandas says no types.

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lazycore.config.card import word
from lazycore.config.fields import ALPHA, SEED, WIDTH
from lazycore.engine.networks.held_module import private_copy
from lazycore.errors import ConfigError, LazyLabError
from lazycore.results import cards, drawn
from lazycore.results.quantities import measure
from lazycore.results.run import RunResult
from lazycore.results.sweep import SHOWN
from lazycore.running.compare import compare
from lazycore.running.compare.randomness import seed_all, undisturbed
from lazycore.running.progress import counted

if TYPE_CHECKING:
    import pandas as pd

AXES = {"alpha": ALPHA, "width": WIDTH, "seed": SEED}


@dataclass(frozen=True, eq=False, repr=False)
class Comparisons:
    """Runs of one module, each by its values of the axes.

    axes: the values of each axis, in order. results: a run, or the sentence that says why there
    is none, by those values.
    """

    axes: dict[str, tuple[float, ...]]
    results: dict[tuple[float, ...], RunResult | LazyLabError]

    @property
    def frame(self) -> "pd.DataFrame":
        """A pandas frame with a row a run: axes, status, verdict, message, and each quantity of
        `lazycore.results.quantities` (`relative_gap`, `kernel_change`,
        `final_test_loss_nonlinear`, …)."""
        import pandas as pd

        return pd.DataFrame([self._row(*cell) for cell in self.results.items()])

    def __repr__(self) -> str:
        return self._card.text()

    def _repr_html_(self) -> str:
        return drawn.html(self, self._card)

    @property
    def _card(self) -> cards.Card:
        frame: Any = self.frame
        axes = tuple((n, ", ".join(word(v) for v in values)) for n, values in self.axes.items())
        failed = [str(found) for found in self.results.values() if isinstance(found, LazyLabError)]
        words = [*zip(frame["status"], frame["verdict"], strict=True)]
        shown: dict[str, Any] = {
            name: frame[quantity].to_numpy(float)
            for name, quantity in SHOWN.items()
            if quantity in frame
        }
        return cards.of_table("Comparisons", axes, words, failed, shown)

    @property
    def axes_and_base(self) -> tuple[dict[str, tuple[float, ...]], dict[str, Any]]:
        """The axes with their values, and the fields that all runs share: a module has none."""
        return self.axes, {}

    def figures(self) -> dict[str, str]:
        """Return the figures that these runs have: name → what it answers."""
        return drawn.artist().figures(self)

    def plot(
        self, name: str = "lines", quantity: str = "relative_gap", **view: Any
    ) -> "drawn.Figure":
        """Return one of `figures()` as a plotly Figure.

        The arguments are those of `SweepResult.plot`: name, quantity, and the view by its axes.
        """
        return drawn.artist().plot(self, name, {"quantity": quantity} | view)

    def _row(self, values: tuple[float, ...], found: RunResult | LazyLabError) -> dict[str, Any]:
        row: dict[str, Any] = dict(zip(self.axes, values, strict=True))
        if isinstance(found, LazyLabError):
            return row | {"status": "failed", "verdict": None, "message": str(found)}
        said = {"status": found.status, "verdict": found.verdict, "message": ""}
        return row | said | measure(found)


def compare_over(
    module: nn.Module | Callable[..., nn.Module],
    x: Any,
    y: Tensor,
    *,
    alpha: Sequence[float] = (1.0,),
    width: Sequence[int] = (),
    seed: Sequence[int] = (),
    progress: bool | None = None,
    **options: Any,
) -> Comparisons:
    """Return what `compare` says for every combination of these values.

    Args:
        module: a module; or a function of a width (of nothing, without one) that returns one.
        alpha, width, seed: values of each axis. A function is called, and a module's layers are
            drawn anew (`reset_parameters`), from each seed; without seeds a module stays as it is.
        x, y, options: those of `compare`.
        progress: whether a bar counts the comparisons, as for `compare`.
    A comparison that is refused is a row that says why; where all are, its error is raised.

    >>> import torch
    >>> from torch import nn
    >>> net = lambda m: nn.Sequential(nn.Linear(2, m), nn.Tanh(), nn.Linear(m, 1)).double()
    >>> points = torch.linspace(-1, 1, 16).view(8, 2).double()
    >>> axes = {"alpha": [0.1, 1000], "width": [8], "seed": [0]}
    >>> found = compare_over(net, points, points[:, 0] * points[:, 1], **axes, steps=100)
    >>> found.frame[["alpha", "width", "verdict"]].values.tolist()
    [[0.1, 8, 'rich'], [1000.0, 8, 'lazy']]
    """
    axes = _axes(module, {"alpha": alpha, "width": width, "seed": seed})
    cells = list(product(*axes.values()))

    def outcomes() -> Iterator[tuple[tuple[float, ...], RunResult | LazyLabError]]:
        for values in cells:
            at = dict(zip(axes, values, strict=True))
            try:
                one = _built(module, at.get("width"), at.get("seed"))
                found = compare(one, x, y, alpha=at["alpha"], progress=False, **options)
            except LazyLabError as error:
                found = error
            yield values, found

    results = dict(counted(outcomes(), len(cells), progress=progress, what="comparisons"))
    errors = [found for found in results.values() if isinstance(found, LazyLabError)]
    if len(errors) == len(results):
        raise errors[0]
    return Comparisons(axes, results)


def _axes(module: Any, given: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    """Return the values of each axis that has any, checked."""
    if isinstance(module, nn.Module) and len(given["width"]):
        raise ConfigError(
            "width is not for a module, which has one: give a function of the width that returns "
            "a module."
        )
    if not isinstance(module, nn.Module) and not callable(module):
        raise ConfigError(
            f"module is a {type(module).__name__}: give a torch.nn.Module, or a function that "
            "returns one."
        )
    axes: dict[str, tuple[float, ...]] = {}
    for name, values in given.items():
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
            raise ConfigError(f"{name}={values!r} is not allowed: give a list of values.")
        if len(values):
            axes[name] = tuple(AXES[name].check(value) for value in values)
    if "alpha" not in axes:
        raise ConfigError("alpha is empty: give at least one value.")
    return axes


def _built(module: Any, width: float | None, seed: float | None) -> nn.Module:
    """Return the module of this width, from this seed."""
    with undisturbed():
        if seed is not None:
            seed_all(int(seed))
        if not isinstance(module, nn.Module):
            return module() if width is None else module(int(width))
        return module if seed is None else _drawn_anew(module)


def _drawn_anew(module: nn.Module) -> nn.Module:
    """Return a copy of the module whose layers have drawn their weights anew."""
    fresh, anew = private_copy(module), set[int]()
    for part in fresh.modules():
        if callable(reset := getattr(part, "reset_parameters", None)):
            reset()
            anew |= {id(parameter) for parameter in part.parameters()}
    left = [n for n, p in fresh.named_parameters() if p.requires_grad and id(p) not in anew]
    if left:
        raise ConfigError(
            f"the module's parameter {left[0]} belongs to no layer that can draw it anew: give a "
            "function that returns a module, instead of a module, for several seeds."
        )
    return fresh
