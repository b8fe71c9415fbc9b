"""The sweeps that the Feature-or-lazy page knows: those that ship, comparisons, long ones.

Each is an ordinary sweep over h, √hα and the seed of the weights, in the setting of Geiger et
al. (2020, arXiv:1906.08034, in its last version): gradient flow of the soft hinge until every
training point has its margin, softplus of unit gain, no biases, NTK scaling, centred output.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lazycore.config import cost, spec
from lazycore.config.run import fields_read
from lazycore.config.sweep import SweepConfig
from lazycore.errors import BudgetError
from lazycore.machine.once import once

SETTING = {
    "task": "digits",
    "model": "fully_connected",
    "depth": "2",
    "activation": "softplus",
    "activation_beta": "5",
    "activation_gain": "unit",
    "loss": "soft_hinge",
    "stop": "margins",
    "dynamics": "flow",
    "tolerance": "0.1",
    "n_train": "100",
    "n_test": "500",
}
"""What all of them start from, as on the command line."""
GRID = {"width": "25,50,100,200,400", "alpha_sqrt_width": "1e-4:1e6:11", "init_seed": "0:8"}
"""Of the sweep that the page opens with."""
SMALL = {"width": "25,100", "alpha_sqrt_width": "1e-4:1e6:11", "init_seed": "0:4"}
"""Of the other depths that ship, for the table of exponents."""
DEPTHS = (1, 2, 3)
NAMES = ("task", "model", "activation", "loss", "dynamics")
"""Those of its fields that say which others are read."""
SIDES = {"feature": 1e-2, "lazy": 1e4}
"""√hα of the two sides that are compared."""
GAP = {"alpha_sqrt_width": "1e-2,1e4", "init_seed": "0:3"}


@dataclass(frozen=True)
class Comparison:
    """A network on a set of images whose test error is compared between the two sides."""

    network: str
    data: str
    config: SweepConfig


@dataclass(frozen=True, eq=False)
class Long:
    """A sweep that takes hours: what it is, and its fields as text."""

    name: str
    story: str
    fields: Mapping[str, str]

    @once
    def config(self) -> SweepConfig:
        """The sweep."""
        return SweepConfig.from_text(self.fields)

    @once
    def seconds(self) -> float:
        """The estimate of what it takes, its runs one after another on one slow core."""
        return estimate(self.config)

    @once
    def refusal(self) -> str:
        """The sentence with which the budget refuses it, empty where it does not."""
        try:
            cost.check_sweep(self.config)
        except BudgetError as error:
            return str(error)
        return ""


def default() -> SweepConfig:
    """Return the sweep that the page opens with: two hidden layers on real digits."""
    return SweepConfig.from_text(SETTING | GRID)


def consistent(fields: Mapping[str, str], asked: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the fields with `asked` over them, without what the chosen names do not read.

    Of the setting only: what was asked for stays, and is refused where it is not read.
    """
    asked = asked or {}
    found = {**fields, **asked}
    read = fields_read({name: found[name] for name in NAMES if name in found})
    dropped = {name for name in SETTING if name not in read}
    if "margin" not in spec.find("loss", found["loss"]).SPEC.facts:
        dropped.add("stop")
    return {name: text for name, text in found.items() if name not in dropped or name in asked}


@cache
def shipped() -> tuple[SweepConfig, ...]:
    """Return every sweep that ships: what the page opens with, other depths, comparisons.

    Not those on CIFAR-10, whose images may not ship.
    """
    others = [str(depth) for depth in DEPTHS if str(depth) != SETTING["depth"]]
    small = [SweepConfig.from_text(SETTING | {"depth": depth} | SMALL) for depth in others]
    compared = [one.config for one in comparisons() if one.data == "Fashion-MNIST"]
    return (default(), *small, *compared)


def of_depths(config: SweepConfig) -> dict[int, list[SweepConfig]]:
    """Return by depth 1, 2, 3 the sweeps that can stand for `config` at it, the best first.

    The same sweep at that depth; a shipped one where it differs in its axes only. None of a
    model without a depth.
    """
    base = config.base.resolve().to_dict()
    if base.get("depth") is None:
        return {}
    found = {}
    for depth in DEPTHS:
        text = config.to_text() | {"depth": str(depth)}
        same = config if base["depth"] == depth else SweepConfig.from_text(text)
        found[depth] = [same, *(s for s in shipped() if _differ_in_axes(s, same))]
    return found


@cache
def comparisons() -> tuple[Comparison, ...]:
    """Return the comparisons of both sides: fully connected and convolutional networks."""
    found = []
    for data, task in (("Fashion-MNIST", "fashion_mnist"), ("CIFAR-10", "cifar10")):
        fields = SETTING | GAP | {"task": task, "n_train": "200", "n_test": "500"}
        connected = fields | {"depth": "3", "width": "100,"}
        strided = consistent(fields, {"model": "strided_cnn", "width": "8,"})
        for network, text in (("fully connected, L = 3", connected), ("convolutional", strided)):
            found.append(Comparison(network, data, SweepConfig.from_text(text)))
    return tuple(found)


@cache
def longs() -> tuple[Long, ...]:
    """Return the sweeps of the paper's own size, to be estimated and not run unasked."""
    large = SETTING | {"depth": "3", "n_train": "10000", "n_test": "1000"}
    return (
        Long(
            "Fashion-MNIST, n = 10⁴, along √hα",
            "Is the lazy or the feature side better, and does the error fall onto one curve?",
            large
            | {"task": "fashion_mnist", "width": "100,300,1000"}
            | {"alpha_sqrt_width": "1e-4:1e7:12", "init_seed": "0:10"},
        ),
        Long(
            "Fashion-MNIST, n = 10⁴, along h",
            "Do single networks approach the ensemble's error as h grows, on both sides?",
            large
            | {"task": "fashion_mnist", "width": "10:1390:16"}
            | {"alpha_sqrt_width": "1e-4,1e-2,1,1e2,1e4", "init_seed": "0:10"},
        ),
        Long(
            "MNIST, n = 10⁴, along √hα",
            "The same on written digits, where the gap between the sides is smaller.",
            large
            | {"task": "mnist", "width": "100,300,1000"}
            | {"alpha_sqrt_width": "1e-4:1e7:12", "init_seed": "0:10"},
        ),
        Long(
            "CIFAR-10, convolutional, n = 10⁴, along √hα",
            "Is a convolutional network better where it learns features?",
            consistent(large | {"task": "cifar10", "width": "8,16,32"}, {"model": "strided_cnn"})
            | {"alpha_sqrt_width": "1e-4:1e7:12", "init_seed": "0:10"},
        ),
    )


def estimate(config: SweepConfig) -> float:
    """Return the estimated seconds of a sweep's runs one after another, whatever the budget."""
    limitless = cost.Budget(seconds=float("inf"), bytes=float("inf"))
    return cost.check_sweep(config, limitless, float("inf"))


def _differ_in_axes(one: SweepConfig, other: SweepConfig) -> bool:
    """Whether two sweeps differ in the values of their axes only."""
    axes = {*one.axes, *other.axes, "alpha", "seed"}
    fields = [
        {k: v for k, v in s.base.resolve().to_dict().items() if k not in axes} for s in (one, other)
    ]
    return one.digest != other.digest and fields[0] == fields[1]
